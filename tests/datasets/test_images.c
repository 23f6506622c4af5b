/* Images: MNIST and its like from their files, their damage refused, generated digits, batches. */
#include "datasets/digits.h"
#include "datasets/images.h"
#include "kernels/device.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>
#include "tests/skip.h"

enum { COUNT = 5 };

typedef struct Place {
    Arena *keep;
    char dir[64], real[PATH_MAX];    // a new folder; and what LAB_DATA says, if anything
} Place;

static void write_file(const char *dir, const char *name, const uint8_t *bytes, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    // "T" writes without packing, which is how one call makes both kinds of file.
    gzFile file = gzopen(path, strstr(name, ".gz") != NULL ? "wb" : "wbT");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
    assert_int_equal(gzclose(file), Z_OK);
}

static void write_images(const char *dir, const char *name, int count, int side)
{
    static uint8_t file[16 + COUNT * DIGIT_PIXELS];
    const uint8_t header[16] = {
        0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, (uint8_t)side, 0, 0, 0, (uint8_t)side};
    memcpy(file, header, sizeof header);
    for (int i = 0; i < count * side * side; i++) file[16 + i] = (uint8_t)(i * 7);
    write_file(dir, name, file, 16 + (size_t)(count * side * side));
}

static void write_labels(const char *dir, const char *name, int count, int last)
{
    uint8_t file[8 + 16] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)count};
    for (int i = 0; i < count; i++) file[8 + i] = (uint8_t)(i + 1);
    file[8 + count - 1] = (uint8_t)last;
    write_file(dir, name, file, 8 + (size_t)count);
}

// A small MNIST: train packed, test plain.
static void write_mnist(const char *dir)
{
    write_images(dir, "train-images-idx3-ubyte.gz", COUNT, 28);
    write_labels(dir, "train-labels-idx1-ubyte.gz", COUNT, 9);
    write_images(dir, "t10k-images-idx3-ubyte", COUNT, 28);
    write_labels(dir, "t10k-labels-idx1-ubyte", COUNT, 0);
}

static int enter(void **state)
{
    Place *place = calloc(1, sizeof *place);
    if (place == NULL) return -1;
    place->keep = arena_new("test", 256u << 20);
    strcpy(place->dir, "/tmp/test_images_XXXXXX");
    if (getenv("LAB_DATA") != NULL) snprintf(place->real, PATH_MAX, "%s", getenv("LAB_DATA"));
    *state = place;
    if (mkdtemp(place->dir) == NULL) return -1;
    setenv("LAB_DATA", place->dir, 1);
    return 0;
}

static int leave(void **state)
{
    Place *place = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", place->dir);
    if (system(command) != 0) return -1;
    if (place->real[0] != '\0') setenv("LAB_DATA", place->real, 1);
    else unsetenv("LAB_DATA");
    arena_free(place->keep);
    free(place);
    return 0;
}

static void refuses(const Place *place, const char *half, const char *sentence)
{
    Images images;
    Error err = {""};
    if (images_read_mnist(place->keep, &images, place->dir, half, 0, &err))
        fail_msg("was accepted; expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL || strstr(err.message, place->dir) != err.message)
        fail_msg("got \"%s\", expected \"%s...%s\"", err.message, place->dir, sentence);
}

static void images_reads_plain_and_packed_files(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    write_mnist(place->dir);
    assert_true(
        images_load(place->keep, &train, &test, (ImagesSource){.data_dir = place->dir}, &err));
    assert_int_equal(train.count, COUNT);
    assert_int_equal(train.classes, 10);
    assert_int_equal(train.height * train.width, DIGIT_PIXELS);
    assert_int_equal(train.pixels[3 * DIGIT_PIXELS + 5], (uint8_t)((3 * DIGIT_PIXELS + 5) * 7));
    assert_int_equal(train.labels[COUNT - 1], 9);
    assert_int_equal(test.labels[COUNT - 1], 0);
    assert_memory_equal(train.pixels, test.pixels, COUNT * DIGIT_PIXELS);
}

static void images_finds_the_files_in_a_folder_mnist(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    char folder[80];
    snprintf(folder, sizeof folder, "%s/mnist", place->dir);
    assert_int_equal(mkdir(folder, 0777), 0);
    write_mnist(folder);
    assert_true(
        images_load(place->keep, &train, &test, (ImagesSource){.data_dir = place->dir}, &err));
    assert_int_equal(train.count, COUNT);
}

static void the_checksum_is_that_of_the_images_and_labels(void **state)
{
    (void)state;
    // CRC-32 of the bytes "123456789", the check value of its definition: 8 pixels and a label.
    Images images = {.count = 1, .height = 2, .width = 4, .origin = "one folder"};
    images.pixels = (uint8_t[]){'1', '2', '3', '4', '5', '6', '7', '8'};
    images.labels = (uint8_t[]){'9'};
    assert_int_equal(images_crc32(&images), 0xcbf43926);
    images.origin = "another";
    assert_int_equal(images_crc32(&images), 0xcbf43926);
    images.labels[0] = '8';
    assert_int_not_equal(images_crc32(&images), 0xcbf43926);
}

static void images_takes_as_many_as_are_asked_for(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    ImagesSource source = {.train = 3, .test = 1000};
    write_mnist(place->dir);
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.count, 3);
    assert_int_equal(test.count, COUNT);
}

static void images_refuses_a_folder_without_the_files(void **state)
{
    refuses(*state, "train", "has no train-images-idx3-ubyte");
    const Place *place = *state;
    write_images(place->dir, "train-images-idx3-ubyte", COUNT, 28);
    refuses(place, "train", "has no train-images-idx3-ubyte with its labels");
}

static void images_refuses_counts_that_disagree(void **state)
{
    const Place *place = *state;
    write_mnist(place->dir);
    write_labels(place->dir, "t10k-labels-idx1-ubyte", COUNT - 1, 0);
    refuses(place, "t10k", "t10k-labels-idx1-ubyte: holds 4 labels, expected 5");
}

static void both_halves_have_the_classes_of_either(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    write_mnist(place->dir);
    write_labels(place->dir, "t10k-labels-idx1-ubyte", COUNT, 46);
    ImagesSource source = {.data_dir = place->dir, .train = 2, .test = 2};
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.classes, 47);
    assert_int_equal(test.classes, 47);
    assert_string_equal(train.names[46], "46");
}

static void images_of_another_size_are_scaled(void **state)
{
    const Place *place = *state;
    Images images;
    Error err;
    write_mnist(place->dir);
    write_images(place->dir, "t10k-images-idx3-ubyte", COUNT, 14);
    assert_true(images_read_mnist(place->keep, &images, place->dir, "t10k", 0, &err));
    assert_int_equal(images.height * images.width, DIGIT_PIXELS);
    // Each of the second image's pixels is four.
    for (int i = 0; i < DIGIT_PIXELS; i++)
        assert_int_equal(images.pixels[DIGIT_PIXELS + i],
                         (uint8_t)((14 * 14 + i / 28 / 2 * 14 + i % 28 / 2) * 7));
    assert_non_null(strstr(images.origin, "scaled from 14x14"));
}

static void other_pairs_are_found_by_the_words_in_their_names(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    ImagesSource source = {.data_dir = place->dir};
    write_images(place->dir, "emnist-letters-train-images-idx3-ubyte.gz", COUNT, 28);
    write_labels(place->dir, "emnist-letters-train-labels-idx1-ubyte.gz", COUNT, 26);
    write_images(place->dir, "emnist-letters-test-images-idx3-ubyte.gz", 3, 28);
    write_labels(place->dir, "emnist-letters-test-labels-idx1-ubyte.gz", 3, 1);
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.count, COUNT);
    assert_int_equal(test.count, 3);
    assert_int_equal(test.classes, 27);
    // Of two, one has to be named.
    write_images(place->dir, "kmnist-train-images.idx3-ubyte", 4, 28);
    write_labels(place->dir, "kmnist-train-labels.idx1-ubyte", 4, 9);
    write_images(place->dir, "kmnist-t10k-images.idx3-ubyte", 2, 28);
    write_labels(place->dir, "kmnist-t10k-labels.idx1-ubyte", 2, 9);
    assert_false(images_load(place->keep, &train, &test, source, &err));
    assert_non_null(strstr(err.message, "has 2 files such as"));
    source.data_dir = arena_print(place->keep, "%s/kmnist-train-images.idx3-ubyte", place->dir);
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.count, 4);
    assert_int_equal(test.count, 2);
    source.data_dir = arena_print(place->keep, "%s/kmnist-t10k-images.idx3-ubyte", place->dir);
    assert_false(images_load(place->keep, &train, &test, source, &err));
    assert_non_null(strstr(err.message, "expected a directory, or a file such as"));
}

static void a_name_is_looked_for_among_the_data_sets(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    ImagesSource source = {.data_dir = "of-my-own"};
    assert_false(images_load(place->keep, &train, &test, source, &err));
    assert_string_equal(err.message, "of-my-own: there is no such folder and no such data set "
                                     "(./lab data get of-my-own)");
    const char *folder = arena_print(place->keep, "%s/of-my-own", place->dir);    // in LAB_DATA
    assert_int_equal(mkdir(folder, 0777), 0);
    write_mnist(folder);
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.count, COUNT);
    source.data_dir = "./of-my-own";    // a path is none
    assert_false(images_load(place->keep, &train, &test, source, &err));
}

static void images_refuses_labels_in_place_of_images(void **state)
{
    const Place *place = *state;
    write_mnist(place->dir);
    write_labels(place->dir, "t10k-images-idx3-ubyte", COUNT, 0);
    refuses(place, "t10k", "t10k-images-idx3-ubyte: has 1 dimension, expected 3");
    write_images(place->dir, "t10k-images-idx3-ubyte", COUNT, 28);
    write_images(place->dir, "t10k-labels-idx1-ubyte", COUNT, 28);
    refuses(place, "t10k", "t10k-labels-idx1-ubyte: has 3 dimensions, expected 1");
}

static void images_are_generated_where_no_mnist_was_fetched(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    ImagesSource source = {.seed = 3, .train = 20, .test = 10};
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_string_equal(train.origin, "generated digits, seed 3");
    assert_int_equal(train.count, 20);
    assert_int_equal(test.count, 10);
    assert_memory_not_equal(train.pixels, test.pixels, 10 * DIGIT_PIXELS);
    uint8_t pixels[DIGIT_PIXELS];
    assert_int_equal(digits_draw(pixels, 3, 19), train.labels[19]);
    assert_memory_equal(pixels, train.pixels + 19 * DIGIT_PIXELS, DIGIT_PIXELS);
}

static void images_are_generated_when_asked_for_though_mnist_is_there(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    ImagesSource source = {.data_dir = IMAGES_GENERATED, .seed = 3, .train = 20, .test = 10};
    write_mnist(place->dir);
    assert_true(images_load(place->keep, &train, &test, source, &err));
    assert_int_equal(train.count, 20);
}

static void a_damaged_mnist_is_refused_and_not_replaced_by_digits(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    write_mnist(place->dir);
    write_file(place->dir, "train-images-idx3-ubyte.gz", (const uint8_t *)"garbage", 7);
    assert_false(
        images_load(place->keep, &train, &test, (ImagesSource){.train = 2, .test = 2}, &err));
}

static void assert_batch(const Place *place, const char *device_name)
{
    const char *why;
    Images images;
    Error err;
    const int index[4] = {4, 0, 4, 2};
    Arena *step = arena_new("step", 1u << 20);
    assert_true(device_use(device_name, &why));
    assert_true(images_read_mnist(place->keep, &images, place->dir, "train", 0, &err));
    Batches source = images_batches(&images);
    Batch made = {.rows = 4, .arena = step};
    assert_int_equal(source.count, images.count);
    source.make(&made, source.data, index);
    Tensor *batch = made.x, *labels = made.labels;
    float *pixels = tensor_values(step, batch);
    int32_t classes[4];
    tensor_read_ints(labels, classes);
    assert_true(shape_equal(batch->shape, SHAPE(4, DIGIT_PIXELS)));
    assert_true(shape_equal(labels->shape, SHAPE(4)));
    for (int b = 0; b < 4; b++) {
        assert_int_equal(classes[b], images.labels[index[b]]);
        for (int k = 0; k < DIGIT_PIXELS; k++) {
            float want = (float)images.pixels[index[b] * DIGIT_PIXELS + k] / 255.0f;
            float got = pixels[b * DIGIT_PIXELS + k];
            if (got != want)
                fail_msg("[%d,%d] is %.9g, expected %.9g", b, k, (double)got, (double)want);
        }
    }
    arena_free(step);
}

static void a_batch_holds_the_images_of_its_index_divided_by_255(void **state)
{
    const Place *place = *state;
    write_mnist(place->dir);
    assert_batch(place, "far");
    assert_batch(place, "ref");
}

static double mean_pixel(const Images *images)
{
    uint64_t sum = 0;
    size_t n = (size_t)images->count * DIGIT_PIXELS;
    for (size_t i = 0; i < n; i++) sum += images->pixels[i];
    return (double)sum / (double)n / 255.0;
}

// Golden numbers: the mean that PyTorch's MNIST example normalises by, and LeCun's first labels.
static void the_real_mnist_is_what_is_published(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    if (place->real[0] == '\0') {
        SKIP("no LAB_DATA", "LAB_DATA=FOLDER ./lab test -R test_images");
    }
    if (!images_load(place->keep, &train, &test, (ImagesSource){.data_dir = place->real}, &err)) {
        if (strstr(err.message, "has no") == NULL) fail_msg("%s", err.message);
        SKIP("no MNIST in LAB_DATA", "./lab data get mnist");
    }
    assert_int_equal(train.count, 60000);
    assert_int_equal(test.count, 10000);
    assert_memory_equal(train.labels, ((uint8_t[]){5, 0, 4, 1, 9}), 5);
    assert_memory_equal(test.labels, ((uint8_t[]){7, 2, 1, 0, 4}), 5);
    if (!(mean_pixel(&train) > 0.13065 && mean_pixel(&train) < 0.13067))
        fail_msg("mean pixel is %.6f, expected 0.13066", mean_pixel(&train));
}

// Debian's package has them all, and so has ./lab data get fashion-mnist.
static void the_real_fashion_mnist_has_its_names(void **state)
{
    const Place *place = *state;
    Images train, test;
    Error err;
    if (place->real[0] != '\0') setenv("LAB_DATA", place->real, 1);
    ImagesSource source = {.data_dir = "fashion-mnist", .train = 10};
    bool read = images_load(place->keep, &train, &test, source, &err);
    setenv("LAB_DATA", place->dir, 1);
    if (!read) {
        SKIP("no Fashion-MNIST", "./lab data get fashion-mnist");
    }
    assert_int_equal(test.count, 10000);
    assert_string_equal(train.names[train.labels[0]], "Ankle boot");
    assert_string_equal(test.names[1], "Trouser");
    assert_string_equal(test.names[8], "Bag");
    assert_non_null(strstr(train.origin, "Fashion-MNIST in "));
}

// ---- augmentation ----

static float *augmented(const Place *place, const Images *images, Rng *rng, int rows)
{
    const int index[4] = {4, 0, 4, 2};
    Batch batch = {.rows = rows, .rng = rng, .arena = place->keep};
    Batches source = images_augmented(images);
    source.make(&batch, source.data, index);
    assert_true(shape_equal(batch.x->shape, SHAPE(rows, DIGIT_PIXELS)));
    return tensor_values(place->keep, batch.x);
}

static void an_augmented_batch_follows_from_the_generator(void **state)
{
    const Place *place = *state;
    Images images;
    const char *why;
    size_t bytes = 4 * DIGIT_PIXELS * sizeof(float);
    assert_true(device_use("ref", &why));
    images_generate(place->keep, &images, 3, 0, 5);
    Rng first = rng_from_seed(8), again = first, far = first;
    const float *one = augmented(place, &images, &first, 4);
    assert_memory_equal(one, augmented(place, &images, &again, 4), bytes);
    assert_memory_equal(&first, &again, sizeof first);
    // Anew in every batch, and for each image of a batch.
    assert_memory_not_equal(one, augmented(place, &images, &first, 4), bytes);
    assert_memory_not_equal(one, one + 2 * DIGIT_PIXELS, bytes / 4);
    assert_true(device_use("far", &why));
    Arena *arena = arena_new("far", 1u << 24);
    Place elsewhere = {.keep = arena};
    assert_memory_equal(one, augmented(&elsewhere, &images, &far, 4), bytes);
    arena_free(arena);
    assert_true(device_use("ref", &why));
}

static void augmentation_moves_an_image_by_two_pixels_and_changes_no_flat_one(void **state)
{
    const Place *place = *state;
    uint8_t pixels[5 * DIGIT_PIXELS], labels[5] = {0};
    Images images = {.count = 5, .height = 28, .width = 28, .pixels = pixels, .labels = labels};
    Rng rng = rng_from_seed(8);
    memset(pixels, 51, sizeof pixels);
    const float *flat = augmented(place, &images, &rng, 4);
    for (int i = 0; i < 4 * DIGIT_PIXELS; i++)
        if (!(fabsf(flat[i] - 0.2f) < 1e-6f)) fail_msg("[%d] is %g", i, (double)flat[i]);
    // A square in the middle of the first image stays whole and within four pixels of its place.
    memset(pixels, 0, sizeof pixels);
    for (int y = 12; y < 16; y++)
        for (int x = 12; x < 16; x++) pixels[4 * DIGIT_PIXELS + y * 28 + x] = 255;
    double left = 28, right = 0;
    for (int round = 0; round < 200; round++) {
        const float *moved = augmented(place, &images, &rng, 1);
        double mass = 0, across = 0;
        for (int i = 0; i < DIGIT_PIXELS; i++) {
            mass += (double)moved[i];
            across += (double)moved[i] * (i % 28);
        }
        if (!(mass > 16 * 0.75 && mass < 16 * 1.3)) fail_msg("a mass of %g, expected 16", mass);
        left = fmin(left, across / mass), right = fmax(right, across / mass);
    }
    if (!(left > 13.5 - 2.1 && left < 12 && right < 13.5 + 2.1 && right > 15))
        fail_msg("moved to %g and %g, expected 11.5 to 15.5", left, right);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(images_reads_plain_and_packed_files),
        CASE(images_finds_the_files_in_a_folder_mnist),
        CASE(the_checksum_is_that_of_the_images_and_labels),
        CASE(images_takes_as_many_as_are_asked_for),
        CASE(images_refuses_a_folder_without_the_files),
        CASE(images_refuses_counts_that_disagree),
        CASE(both_halves_have_the_classes_of_either),
        CASE(images_of_another_size_are_scaled),
        CASE(other_pairs_are_found_by_the_words_in_their_names),
        CASE(a_name_is_looked_for_among_the_data_sets),
        CASE(images_refuses_labels_in_place_of_images),
        CASE(images_are_generated_where_no_mnist_was_fetched),
        CASE(images_are_generated_when_asked_for_though_mnist_is_there),
        CASE(a_damaged_mnist_is_refused_and_not_replaced_by_digits),
        CASE(a_batch_holds_the_images_of_its_index_divided_by_255),
        CASE(the_real_mnist_is_what_is_published),
        CASE(the_real_fashion_mnist_has_its_names),
        CASE(an_augmented_batch_follows_from_the_generator),
        CASE(augmentation_moves_an_image_by_two_pixels_and_changes_no_flat_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
