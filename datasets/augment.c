#include "common/host.h"
#include "common/rng.h"
#include "datasets/images.h"
#include <math.h>

enum { SHIFT = 2 };                               // pixels
static const float TURN = 0.17f, SCALE = 0.1f;    // radians; a share

static float between(Rng *rng, float low, float high)
{
    return low + (high - low) * rng_uniform(rng);
}

// The gray of the pixel; beside the image that of its nearest.
static float gray_at(const Images *images, const uint8_t *image, int y, int x)
{
    y = y < 0 ? 0 : y >= images->height ? images->height - 1 : y;
    x = x < 0 ? 0 : x >= images->width ? images->width - 1 : x;
    return (float)image[y * images->width + x];
}

// An image seen through a random similarity: every pixel is taken from where it was, bilinearly.
static void distort(float *to, const Images *images, int number, Rng rng)
{
    int height = images->height, width = images->width;
    const uint8_t *image = images->pixels + (size_t)number * (size_t)(height * width);
    float turn = between(&rng, -TURN, TURN), scale = 1.0f / between(&rng, 1 - SCALE, 1 + SCALE);
    float across = between(&rng, -SHIFT, SHIFT), down = between(&rng, -SHIFT, SHIFT);
    float cosine = scale * cosf(turn), sine = scale * sinf(turn);
    float middle_y = 0.5f * (float)(height - 1), middle_x = 0.5f * (float)(width - 1);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float dy = (float)y - middle_y - down, dx = (float)x - middle_x - across;
            float from_y = middle_y + cosine * dy + sine * dx;
            float from_x = middle_x + cosine * dx - sine * dy;
            int top = (int)floorf(from_y), left = (int)floorf(from_x);
            float v = from_y - (float)top, u = from_x - (float)left;
            float upper = (1 - u) * gray_at(images, image, top, left) +
                          u * gray_at(images, image, top, left + 1);
            float lower = (1 - u) * gray_at(images, image, top + 1, left) +
                          u * gray_at(images, image, top + 1, left + 1);
            *to++ = ((1 - v) * upper + v * lower) / 255.0f;
        }
}

// Every image has a stream of its own, so that threads may share the batch.
static void make_augmented(Batch *batch, const void *data, const int *index)
{
    const Images *images = data;
    int rows = batch->rows, width = images->height * images->width;
    uint64_t seed = (uint64_t)rng_next(batch->rng) << 32 | rng_next(batch->rng);
    batch->labels = images_labels(batch->arena, images, index, rows);
    batch->x = tensor_new(batch->arena, SHAPE(rows, width));
    Host host = host_begin(batch->arena);
    float *to = host_out(&host, batch->x->data, tensor_count(batch->x));
#pragma omp parallel for schedule(static)
    for (int b = 0; b < rows; b++)
        distort(to + (size_t)b * (size_t)width, images, index[b], rng_stream(seed, (uint64_t)b));
    host_end(&host);
}

Batches images_augmented(const Images *images)
{
    return (Batches){.count = images->count, .make = make_augmented, .data = images};
}
