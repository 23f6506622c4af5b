#include "datasets/frame.h"
#include "datasets/idx.h"
#include "datasets/images.h"
#include "datasets/images_private.h"
#include "datasets/root.h"
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "common/text.h"

enum { SIDE_MAX = 1024 };

// ---- which files ----

// A pair of files, by MNIST's names or by names of that kind: emnist-letters-train-images-idx3-ubyte.gz.
typedef struct Pair {
    char images[PATH_MAX], labels[PATH_MAX];
} Pair;

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

// `path` with one word of the file's name replaced. False when it has no such word.
static bool replace(char path[PATH_MAX], const char *word, const char *other)
{
    char before[PATH_MAX];
    strcpy(before, path);
    const char *slash = strrchr(before, '/'), *at = strstr(slash ? slash : before, word);
    if (at == NULL) return false;
    int length =
        snprintf(path, PATH_MAX, "%.*s%s%s", (int)(at - before), before, other, at + strlen(word));
    return length < PATH_MAX;
}

static bool exists_with_or_without_gz(char path[PATH_MAX])
{
    if (exists(path)) return true;
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0) path[length - 3] = '\0';
    else if (length + 3 < PATH_MAX) strcat(path, ".gz");
    return exists(path);
}

static bool find_labels(Pair *pair)
{
    strcpy(pair->labels, pair->images);
    return replace(pair->labels, "images", "labels") && replace(pair->labels, "idx3", "idx1") &&
           exists_with_or_without_gz(pair->labels);
}

// dir/mnist/HALF-images-idx3-ubyte or dir/HALF-images-idx3-ubyte, plain or with .gz.
static bool find_mnist(Pair *pair, const char *dir, const char *half)
{
    static const char *const folders[] = {"mnist/", ""};
    for (int i = 0; i < 2; i++) {
        int length =
            snprintf(pair->images, PATH_MAX, "%s/%s%s-images-idx3-ubyte", dir, folders[i], half);
        if (length < PATH_MAX && exists_with_or_without_gz(pair->images) && find_labels(pair))
            return true;
    }
    return false;
}

static bool is_idx_of(const char *name, const char *half)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "*%s*images?idx3-ubyte", half);
    if (fnmatch(pattern, name, 0) == 0) return true;
    strcat(pattern, ".gz");
    return fnmatch(pattern, name, 0) == 0;
}

// The pairs of a half by other names. Returns how many there are; the first found is in `pair`.
static int find_others(Pair *pair, const char *dir, const char *half)
{
    DIR *stream = opendir(dir);
    int count = 0;
    bool test = strcmp(half, "t10k") == 0;
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (!is_idx_of(name, half) && !(test && is_idx_of(name, "test"))) continue;
        Pair found;
        if (snprintf(found.images, PATH_MAX, "%s/%s", dir, name) < PATH_MAX &&
            find_labels(&found) && count++ == 0)
            *pair = found;
    }
    if (stream != NULL) closedir(stream);
    return count;
}

static bool find_pair(Pair *pair, const char *dir, const char *half, Error *err)
{
    if (find_mnist(pair, dir, half)) return true;
    int count = find_others(pair, dir, half);
    if (count == 1) return true;
    if (count > 1)
        return error_set(err, "%s: has %d files such as %s; name the one of training images", dir,
                         count, strrchr(pair->images, '/') + 1);
    return error_set(err,
                     "%s: has no %s-images-idx3-ubyte with its labels, plain or .gz, there or in "
                     "mnist/ (./lab data get mnist)",
                     dir, half);
}

bool images_mnist_is_in(const char *dir)
{
    Pair pair;
    return find_mnist(&pair, dir, "train");
}

// ---- what is in them ----

// The elements of one file, which must have `dims` dimensions.
static uint8_t *read_file(Arena *keep, Idx *idx, const char *path, int dims, Error *err)
{
    if (!idx_open(idx, path, err)) return NULL;
    uint8_t *data = NULL;
    if (idx->dims != dims)
        error_set(err, "%s: has %d dimension%s, expected %d", path, idx->dims,
                  text_plural(idx->dims), dims);
    else if (idx->size[0] < 1 || idx->size[0] > IMAGES_MAX)
        error_set(err, "%s: holds %u items, expected 1 to %d", path, idx->size[0], IMAGES_MAX);
    else if (dims == 3 && (idx->size[1] < 1 || idx->size[1] > SIDE_MAX || idx->size[2] < 1 ||
                           idx->size[2] > SIDE_MAX))
        error_set(err, "%s: its images are %ux%u, expected sides of 1 to %d", path, idx->size[1],
                  idx->size[2], SIDE_MAX);
    else {
        uint8_t *room = arena_alloc(keep, idx->bytes);
        if (idx_read(idx, room, err)) data = room;
    }
    idx_close(idx);
    return data;
}

static const char *const clothes[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

// A set is known by all labels of its training set or its test set, in whichever folder it lies.
static const struct {
    unsigned long labels[2];    // their CRC-32
    const char *title;
    const char *const *names;
} known[] = {{{0xba07e8ef, 0xee8604d9}, "MNIST", NULL},
             {{0x2ed6e46a, 0x242bc73f}, "Fashion-MNIST", clothes}};

static bool read_pair(Arena *keep, Images *images, const Pair *pair, const char *shown, int limit,
                      Error *err)
{
    Idx idx, label_idx;
    uint8_t *pixels = read_file(keep, &idx, pair->images, 3, err);
    uint8_t *labels = pixels ? read_file(keep, &label_idx, pair->labels, 1, err) : NULL;
    if (labels == NULL) return false;
    int count = (int)idx.size[0], label_count = (int)label_idx.size[0], classes = 2;
    int height = (int)idx.size[1], width = (int)idx.size[2];
    if (label_count != count)
        return error_set(err, "%s: holds %d label%s, expected %d, one for each image of %s",
                         pair->labels, label_count, text_plural(label_count), count, pair->images);
    for (int i = 0; i < count; i++)
        if (labels[i] >= classes) classes = labels[i] + 1;
    unsigned long crc = crc32_z(0, labels, (size_t)count);
    *images = (Images){.origin = arena_print(keep, "IDX images in %s", shown),
                       .count = limit > 0 && limit < count ? limit : count,
                       .height = FRAME_SIDE,
                       .width = FRAME_SIDE,
                       .pixels = pixels,
                       .labels = labels};
    images_name_classes(keep, images, classes);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (crc != known[k].labels[0] && crc != known[k].labels[1]) continue;
        images->origin = arena_print(keep, "%s in %s", known[k].title, shown);
        for (int c = 0; c < classes && known[k].names != NULL; c++)
            images->names[c] = known[k].names[c];
    }
    if (height == FRAME_SIDE && width == FRAME_SIDE) return true;
    images->origin =
        arena_print(keep, "%s, scaled from %dx%d pixels", images->origin, width, height);
    images->pixels = arena_alloc(keep, (size_t)images->count * FRAME_PIXELS);
    for (int i = 0; i < images->count; i++)
        frame_scale(images->pixels + (size_t)i * FRAME_PIXELS,
                    pixels + (size_t)i * (size_t)(height * width), height, width);
    return true;
}

bool images_read_mnist(Arena *keep, Images *images, const char *dir, const char *half, int limit,
                       Error *err)
{
    Pair pair;
    return find_pair(&pair, dir, half, err) && read_pair(keep, images, &pair, dir, limit, err);
}

bool images_read_pairs(Arena *keep, Images *train, Images *test, const char *path, int train_limit,
                       int test_limit, Error *err)
{
    Pair first, second;
    const char *name = strrchr(path, '/');
    name = name != NULL ? name + 1 : path;
    if (strlen(path) >= PATH_MAX) return error_set(err, "%.80s...: the path is too long", path);
    strcpy(first.images, path);
    strcpy(second.images, path);
    if (!is_idx_of(name, "train") || !find_labels(&first))
        return error_set(err,
                         "%s: expected a directory, or a file such as train-images-idx3-ubyte with "
                         "its labels beside it",
                         path);
    replace(second.images, "train", "t10k");
    if (!exists_with_or_without_gz(second.images)) {
        strcpy(second.images, path);
        replace(second.images, "train", "test");
    }
    if (!exists_with_or_without_gz(second.images) || !find_labels(&second))
        return error_set(err, "%s: has no images for testing beside it (t10k or test for train)",
                         path);
    return read_pair(keep, train, &first, path, train_limit, err) &&
           read_pair(keep, test, &second, second.images, test_limit, err);
}
