/* images.h -- small grey images with a class each: MNIST from its files, or generated digits.
 *
 *     Images train, test;
 *     ImagesSource source = {.data_dir = cfg.data, .seed = cfg.seed};
 *     if (!images_load(keep, &train, &test, source, &err)) return error_report(&err);
 *     printf("data: %s\n", train.origin);                      // "generated digits, seed 42"
 *     Tensor  *x = images_batch(step, &train, order, 128);     // [128,784] in [0,1]
 *     Tensor  *y = images_labels(step, &train, order, 128);    // [128] of I32
 *
 * Pixels stay bytes, as in the files (47 MB for MNIST instead of 188), and become x/255 when a batch
 * is made. Everything lives in the arena that it was loaded into.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/batches.h"
#include "common/error.h"

enum { IMAGES_MAX = 1000000 };    // in one file; a larger count is taken for damage

typedef struct Images {
    const char *origin;    // where they came from, for the first line of a report
    int count, height, width;
    int classes;        // labels are 0..classes-1
    uint8_t *pixels;    // [count,height*width], 0 black .. 255 white
    uint8_t *labels;    // [count]
} Images;

#define IMAGES_GENERATED "generated"

typedef struct ImagesSource {
    const char *data_dir;    // a directory that holds mnist/ or is it; IMAGES_GENERATED; or NULL:
                             // MNIST if it is in the usual place (root.h), else generated
    uint64_t seed;           // of the generated digits
    int train;               // at most so many; 0: all there are, or 20,000 generated
    int test;                // at most so many; 0: all there are, or 4,000 generated
} ImagesSource;

// Real or generated, as the source says. Train and test never share an image.
bool images_load(Arena *keep, Images *train, Images *test, ImagesSource source, Error *err);

// Of the pixels and labels: what a checkpoint knows its data by, in whichever folder they lie.
unsigned long images_crc32(const Images *images);

// The two files of one half, "train" or "t10k", plain or .gz, from a directory that holds them or
// holds mnist/. At most `limit` images; 0 for all.
bool images_read_mnist(Arena *keep, Images *images, const char *dir, const char *half, int limit,
                       Error *err);

// Generated digits first .. first+count-1 of a seed (see digits.h).
void images_generate(Arena *keep, Images *images, uint64_t seed, uint64_t first, int count);

// The images and labels at index[0..count-1], each 0..images->count-1.
Tensor *images_batch(Arena *arena, const Images *images, const int *index, int count);    // [B,H*W]
Tensor *images_labels(Arena *arena, const Images *images, const int *index,
                      int count);    // [B] of I32

// The same for a training: x [B,H*W] in [0,1], labels [B].
Batches images_batches(const Images *images);
