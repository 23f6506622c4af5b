#include "datasets/images.h"
#include "common/host.h"
#include "datasets/digits.h"
#include "datasets/images_private.h"
#include "datasets/root.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

void images_name_classes(Arena *keep, Images *images, int classes)
{
    images->classes = classes;
    images->names = arena_alloc(keep, (size_t)classes * sizeof *images->names);
    for (int c = 0; c < classes; c++) images->names[c] = arena_print(keep, "%d", c);
}

void images_generate(Arena *keep, Images *images, uint64_t seed, uint64_t first, int count)
{
    REQUIRE(count > 0 && count <= IMAGES_MAX, "count is %d, expected 1 to %d", count, IMAGES_MAX);
    *images = (Images){
        .origin = arena_print(keep, "generated digits, seed %" PRIu64, seed),
        .count = count,
        .height = DIGIT_SIZE,
        .width = DIGIT_SIZE,
        .pixels = arena_alloc(keep, (size_t)count * DIGIT_PIXELS),
        .labels = arena_alloc(keep, (size_t)count),
    };
    images_name_classes(keep, images, DIGIT_CLASSES);
    digits_fill(images->pixels, images->labels, seed, first, (size_t)count);
}

// ---- where data sets lie ----

// A path that is there, else a folder of that name among the data sets: those that ./lab data get brings,
// and those of Debian's packages. NULL when there is none.
static const char *find_set(Arena *keep, const char *name)
{
    char data[PATH_MAX];
    struct stat status;
    root_data_dir(data);
    const char *const places[] = {name, arena_print(keep, "%s/%s", data, name),
                                  arena_print(keep, "/usr/share/datasets/%s", name)};
    for (int i = 0; i < (strchr(name, '/') == NULL ? 3 : 1); i++)
        if (stat(places[i], &status) == 0) return places[i];
    return NULL;
}

static bool load_idx(Arena *keep, Images *train, Images *test, const ImagesSource *source,
                     const char *name, Error *err)
{
    struct stat status;
    const char *path = find_set(keep, name);
    if (path == NULL && strchr(name, '/') != NULL)
        return error_set(err, "%s: there is no such folder", name);
    if (path == NULL)
        return error_set(err,
                         "%s: there is no such folder and no such data set (./lab data get %s)",
                         name, name);
    bool file = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    bool read = file ? images_read_pairs(keep, train, test, path, source->train, source->test, err)
                     : images_read_mnist(keep, train, path, "train", source->train, err) &&
                           images_read_mnist(keep, test, path, "t10k", source->test, err);
    if (!read) return false;
    // A class may be in the one half only.
    Images *more = test->classes > train->classes ? test : train;
    train->names = test->names = more->names;
    train->classes = test->classes = more->classes;
    return true;
}

static void limit(Images *images, int most)
{
    if (most > 0 && most < images->count) images->count = most;
}

bool images_load(Arena *keep, Images *train, Images *test, ImagesSource source, Error *err)
{
    char data[PATH_MAX];
    const char *name = source.data_dir;
    if (source.folder != NULL) {
        if (!images_read_folder(keep, train, test, source.folder, source.seed, err)) return false;
        limit(train, source.train);
        limit(test, source.test);
        return true;
    }
    if (name == NULL ||
        name[0] == '\0') {    // the default: MNIST if it was downloaded, else generated images
        root_data_dir(data);
        name = images_mnist_is_in(data) ? data : IMAGES_GENERATED;
    }
    if (strcmp(name, IMAGES_GENERATED) != 0) return load_idx(keep, train, test, &source, name, err);
    // The test digits stand far behind the train digits: asking for more of one never reaches the
    // other.
    images_generate(keep, train, source.seed, 0, source.train > 0 ? source.train : 20000);
    images_generate(keep, test, source.seed, IMAGES_MAX, source.test > 0 ? source.test : 4000);
    return true;
}

// ---- batches ----

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
