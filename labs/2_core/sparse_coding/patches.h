/* patches.h -- the signals of the story: patches of images, and images put together from patches. */
#pragma once
#include "common/arena.h"
#include "common/rng.h"
#include "datasets/images.h"

enum { SIDE = 8, PATCH = SIDE * SIDE };

typedef struct Gray {
    int height, width;
    double *at;    // [height,width], 0 to 1
} Gray;

// Images side by side, rows x columns of them, from the first on.
Gray gray_of(Arena *arena, const Images *images, int rows, int columns);

// A random patch that is not all paper, less its mean: [PATCH].
void patch_draw(double *x, const Gray *image, Rng *rng);

// The patch at (top,left) to x, less its mean, which is returned.
double patch_read(double *x, const Gray *image, int top, int left);

// Peak signal-to-noise ratio in dB, for a peak of 1.
double psnr(const Gray *image, const Gray *truth);
