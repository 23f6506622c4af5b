/* images.h -- small gray images with a class each: MNIST and its like from their files, a folder of
 * PNGs, or generated digits.
 *
 *     Images train, test;
 *     ImagesSource source = {.data_dir = cfg.data, .seed = cfg.seed};
 *     if (!images_load(keep, &train, &test, source, &err)) return error_report(&err);
 *     printf("data: %s\n", train.origin);                      // "generated digits, seed 42"
 *     printf("a %s\n", train.names[train.labels[0]]);          // "a 7"
 *     Tensor  *x = images_batch(step, &train, order, 128);     // [128,784] in [0,1]
 *     Tensor  *y = images_labels(step, &train, order, 128);    // [128] of I32
 *
 * Every image has 28x28 pixels: one of another size is scaled (frame.h). Pixels stay bytes, as in the
 * files (47 MB for MNIST instead of 188), and become x/255 when a batch is made. Everything lives in
 * the arena that it was loaded into.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/batches.h"
#include "common/error.h"

enum {
    IMAGES_MAX = 1000000,    // in one file or folder; a larger count is taken for damage
    IMAGES_MAX_CLASSES = 256
};

typedef struct Images {
    const char *origin;    // where they came from, for the first line of a report
    int count, height, width;
    int classes;           // labels are 0..classes-1
    const char **names;    // [classes]: "7", "Trouser", the name of a folder
    uint8_t *pixels;       // [count,height*width], 0 black .. 255 white
    uint8_t *labels;       // [count]
} Images;

#define IMAGES_GENERATED "generated"

typedef struct ImagesSource {
    const char *data_dir;    // a directory that holds a pair of IDX files for training and one for
        // testing, or holds mnist/; one of its files of training images; the name
        // of such a directory where data sets lie, "fashion-mnist";
        // IMAGES_GENERATED; or NULL: MNIST if it is in the usual place (root.h),
        // else generated
    const char *folder;    // instead: a folder of PNGs sorted by class (images_read_folder)
    uint64_t seed;    // of the generated digits, and of what is drawn from a folder for testing
    int train;        // at most so many; 0: all there are, or 20,000 generated
    int test;         // at most so many; 0: all there are, or 4,000 generated
} ImagesSource;

// Real or generated, as the source says. Train and test never share an image, and have the same
// classes.
bool images_load(Arena *keep, Images *train, Images *test, ImagesSource source, Error *err);

// Of the pixels and labels: what a checkpoint knows its data by, in whichever folder they lie.
unsigned long images_crc32(const Images *images);

// The two files of one half, "train" or "t10k", plain or .gz, from a directory that holds them or
// holds mnist/. At most `limit` images; 0 for all. The classes are those of all labels of the file.
bool images_read_mnist(Arena *keep, Images *images, const char *dir, const char *half, int limit,
                       Error *err);

// Every folder in `dir` is a class, in the order of their names; every PNG in it an image. Of each class
// a fifth, drawn by the seed, is for testing, unless dir holds a folder train (or training) and one
// test (or testing), with the classes in each. Names that begin with a dot are passed over; a class
// without a PNG and files of other kinds are left out, which the origin says. A PNG that cannot be read
// is refused.
bool images_read_folder(Arena *keep, Images *train, Images *test, const char *dir, uint64_t seed,
                        Error *err);

// Generated digits first .. first+count-1 of a seed (see digits.h).
void images_generate(Arena *keep, Images *images, uint64_t seed, uint64_t first, int count);

// The images and labels at index[0..count-1], each 0..images->count-1.
Tensor *images_batch(Arena *arena, const Images *images, const int *index, int count);    // [B,H*W]
Tensor *images_labels(Arena *arena, const Images *images, const int *index,
                      int count);    // [B] of I32

// The same for a training: x [B,H*W] in [0,1], labels [B].
Batches images_batches(const Images *images);

// The same, each image moved by up to two pixels, turned by up to 10 degrees and scaled by up to a tenth,
// anew in every batch (Simard et al. 2003 distort MNIST in this way). What the batch's generator holds
// decides, on any number of threads: a resumed training goes on with the same images.
Batches images_augmented(const Images *images);
