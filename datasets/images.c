#include "datasets/images.h"
#include "common/host.h"
#include "datasets/digits.h"
#include "datasets/idx.h"
#include "datasets/root.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define IMAGE_FILE "images-idx3-ubyte"
#define LABEL_FILE "labels-idx1-ubyte"

// Finds dir/mnist/HALF-KIND or dir/HALF-KIND, plain or with .gz.
static bool find_file(char path[PATH_MAX], const char *dir, const char *half, const char *kind)
{
    static const char *const folders[] = {"mnist/", ""}, *const endings[] = {"", ".gz"};
    for (int i = 0; i < 4; i++) {
        int length = snprintf(path, PATH_MAX, "%s/%s%s-%s%s", dir, folders[i / 2], half, kind,
                              endings[i % 2]);
        if (length > 0 && length < PATH_MAX && access(path, F_OK) == 0) return true;
    }
    return false;
}

// The elements of one file, which must have `dims` dimensions; images must be 28x28.
static uint8_t *read_file(Arena *keep, int *count, const char *path, int dims, Error *err)
{
    Idx idx;
    if (!idx_open(&idx, path, err)) return NULL;
    uint8_t *data = NULL;
    if (idx.dims != dims)
        error_set(err, "%s: has %d dimensions, expected %d", path, idx.dims, dims);
    else if (dims == 3 && (idx.size[1] != DIGIT_SIZE || idx.size[2] != DIGIT_SIZE))
        error_set(err, "%s: its images are %ux%u, expected %dx%d", path, idx.size[1], idx.size[2],
                  DIGIT_SIZE, DIGIT_SIZE);
    else if (idx.size[0] > IMAGES_MAX)
        error_set(err, "%s: holds %u items, expected at most %d", path, idx.size[0], IMAGES_MAX);
    else {
        uint8_t *room = arena_alloc(keep, idx.bytes);
        *count = (int)idx.size[0];
        if (idx_read(&idx, room, err)) data = room;
    }
    idx_close(&idx);
    return data;
}

bool images_read_mnist(Arena *keep, Images *images, const char *dir, const char *half, int limit,
                       Error *err)
{
    char path[PATH_MAX], label_path[PATH_MAX];
    int count = 0, label_count = 0;
    if (!find_file(path, dir, half, IMAGE_FILE) || !find_file(label_path, dir, half, LABEL_FILE))
        return error_set(err,
                         "%s: has no %s-" IMAGE_FILE " with its labels, plain or .gz, there or in "
                         "mnist/ (./lab data get mnist)",
                         dir, half);
    uint8_t *pixels = read_file(keep, &count, path, 3, err);
    if (pixels == NULL) return false;
    uint8_t *labels = read_file(keep, &label_count, label_path, 1, err);
    if (labels == NULL) return false;
    if (label_count != count)
        return error_set(err, "%s: holds %d labels, expected %d, one for each image of %s",
                         label_path, label_count, count, path);
    for (int i = 0; i < count; i++)
        if (labels[i] >= DIGIT_CLASSES)
            return error_set(err, "%s: label %d is %d, expected 0 to %d", label_path, i, labels[i],
                             DIGIT_CLASSES - 1);
    *images = (Images){
        .origin = arena_print(keep, "MNIST in %s", dir),
        .count = limit > 0 && limit < count ? limit : count,
        .height = DIGIT_SIZE,
        .width = DIGIT_SIZE,
        .classes = DIGIT_CLASSES,
        .pixels = pixels,
        .labels = labels,
    };
    return true;
}

void images_generate(Arena *keep, Images *images, uint64_t seed, uint64_t first, int count)
{
    REQUIRE(count > 0 && count <= IMAGES_MAX, "count is %d, expected 1 to %d", count, IMAGES_MAX);
    *images = (Images){
        .origin = arena_print(keep, "generated digits, seed %" PRIu64, seed),
        .count = count,
        .height = DIGIT_SIZE,
        .width = DIGIT_SIZE,
        .classes = DIGIT_CLASSES,
        .pixels = arena_alloc(keep, (size_t)count * DIGIT_PIXELS),
        .labels = arena_alloc(keep, (size_t)count),
    };
    digits_fill(images->pixels, images->labels, seed, first, (size_t)count);
}

bool images_load(Arena *keep, Images *train, Images *test, ImagesSource source, Error *err)
{
    char path[PATH_MAX], found[PATH_MAX];
    const char *dir = source.data_dir;
    if (dir == NULL) {    // the default: MNIST if it was downloaded, else generated images
        root_data_dir(found);
        dir = find_file(path, found, "train", IMAGE_FILE) ? found : IMAGES_GENERATED;
    }
    if (strcmp(dir, IMAGES_GENERATED) != 0)
        return images_read_mnist(keep, train, dir, "train", source.train, err) &&
               images_read_mnist(keep, test, dir, "t10k", source.test, err);
    // The test digits stand far behind the train digits: asking for more of one never reaches the
    // other.
    images_generate(keep, train, source.seed, 0, source.train > 0 ? source.train : 20000);
    images_generate(keep, test, source.seed, IMAGES_MAX, source.test > 0 ? source.test : 4000);
    return true;
}

static const uint8_t *image_at(const Images *images, const int *index, int b)
{
    REQUIRE(index[b] >= 0 && index[b] < images->count, "index[%d] is %d of %d images", b, index[b],
            images->count);
    return images->pixels + (size_t)index[b] * (size_t)(images->height * images->width);
}

Tensor *images_batch(Arena *arena, const Images *images, const int *index, int count)
{
    int width = images->height * images->width;
    Tensor *batch = tensor_new(arena, SHAPE(count, width));
    Host host = host_begin(arena);
    float *to = host_out(&host, batch->data, tensor_count(batch));
    for (int b = 0; b < count; b++, to += width) {
        const uint8_t *from = image_at(images, index, b);
        for (int i = 0; i < width; i++) to[i] = (float)from[i] / 255.0f;
    }
    host_end(&host);
    return batch;
}

Tensor *images_labels(Arena *arena, const Images *images, const int *index, int count)
{
    int32_t *labels = arena_alloc(arena, (size_t)count * sizeof *labels);
    for (int b = 0; b < count; b++) {
        image_at(images, index, b);
        labels[b] = images->labels[index[b]];
    }
    return tensor_from_ints(arena, SHAPE(count), labels);
}

static void make_batch(Batch *batch, const void *data, const int *index)
{
    batch->x = images_batch(batch->arena, data, index, batch->rows);
    batch->labels = images_labels(batch->arena, data, index, batch->rows);
}

Batches images_batches(const Images *images)
{
    return (Batches){.count = images->count, .make = make_batch, .data = images};
}

unsigned long images_crc32(const Images *images)
{
    size_t count = (size_t)images->count,
           pixels = count * (size_t)images->height * (size_t)images->width;
    return crc32_z(crc32_z(0, images->pixels, pixels), images->labels, count);
}
