#include "labs/2_core/sparse_coding/patches.h"
#include <math.h>

Gray gray_of(Arena *arena, const Images *images, int rows, int columns)
{
    int height = images->height, width = images->width;
    Gray gray = {rows * height, columns * width, NULL};
    gray.at = arena_zeros(arena, sizeof *gray.at * (size_t)gray.height * (size_t)gray.width);
    for (int n = 0; n < rows * columns; n++) {
        const uint8_t *pixels =
            images->pixels + (size_t)(n % images->count) * (size_t)height * (size_t)width;
        for (int i = 0; i < height * width; i++) {
            int r = n / columns * height + i / width, c = n % columns * width + i % width;
            gray.at[r * gray.width + c] = pixels[i] / 255.0;
        }
    }
    return gray;
}

double patch_read(double *x, const Gray *image, int top, int left)
{
    double mean = 0;
    for (int i = 0; i < PATCH; i++) {
        x[i] = image->at[(top + i / SIDE) * image->width + left + i % SIDE];
        mean += x[i] / PATCH;
    }
    for (int i = 0; i < PATCH; i++) x[i] -= mean;
    return mean;
}

void patch_draw(double *x, const Gray *image, Rng *rng)
{
    double squares;
    do {
        int top = (int)rng_below(rng, (uint32_t)(image->height - SIDE + 1)),
            left = (int)rng_below(rng, (uint32_t)(image->width - SIDE + 1));
        squares = 0;
        patch_read(x, image, top, left);
        for (int i = 0; i < PATCH; i++) squares += x[i] * x[i];
    } while (squares < 1);
}

double psnr(const Gray *image, const Gray *truth)
{
    int count = image->height * image->width;
    double squares = 0;
    for (int i = 0; i < count; i++)
        squares += (image->at[i] - truth->at[i]) * (image->at[i] - truth->at[i]) / count;
    return -10 * log10(squares);
}
