/* norm.c -- batch normalisation. A channel is one thread's, from its sums to its numbers: what the second
 * pass reads lies in a cache by then.
 *
 * Sums are made in float over a block and in double over the blocks, of what is near 0: of x less a value
 * of the channel, then of x less the mean.
 */
#include <math.h>
#include "kernels/cpu/loops.h"

// The channel's pixels of one item of the batch.
static size_t first_pixel(size_t item, size_t channel, NormShape s)
{
    return (item * (size_t)s.channels + channel) * (size_t)s.pixels;
}

// The channel's pixels of the next item lie far off, where the processor does not look by itself.
static void prefetch_next(const float *x, size_t item, size_t channel, NormShape s)
{
    if (item + 1 >= (size_t)s.batch) return;
    const float *next = x + first_pixel(item + 1, channel, s);
    for (size_t i = 0; i < MIN((size_t)s.pixels, 1024); i += 16) __builtin_prefetch(next + i);
}

// ---- forward

enum { BLOCK = 16 * LANES };    // so that a lane's sum of 16 terms is off by a rounding or two

static double sum_from(const float *x, float origin, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = first; i < end; i++) sum += x[i] - origin;
        total += (double)sum;
    }
    return total;
}

static double squares_from(const float *x, float origin, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = first; i < end; i++) sum += (x[i] - origin) * (x[i] - origin);
        total += (double)sum;
    }
    return total;
}

// y = slope (x - center) + offset
static void apply(float *y, const float *x, float center, float slope, float offset, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = slope * (x[i] - center) + offset;
}

static void apply_to_channel(float *y, const float *x, double mean, double slope, double offset,
                             size_t c, NormShape s)
{
    // What the rounded center is off goes into the offset.
    const float center = (float)mean, end = (float)(offset + slope * ((double)center - mean));
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        apply(y + at, x + at, center, (float)slope, end, (size_t)s.pixels);
    }
}

static void normalise_channel(float *y, float *mean, float *var, const float *x, const float *gamma,
                              const float *shift, float eps, size_t c, NormShape s)
{
    const double n = (double)MAX(norm_count(s), 1);
    const size_t batch = (size_t)s.batch, pixels = (size_t)s.pixels;
    const float origin = norm_count(s) > 0 ? x[first_pixel(0, c, s)] : 0.0f;
    double sum = 0, squares = 0;
    for (size_t b = 0; b < batch; b++) {
        prefetch_next(x, b, c, s);
        sum += sum_from(x + first_pixel(b, c, s), origin, pixels);
    }
    const double center = (double)origin + sum / n, off = (double)(float)center - center;
    mean[c] = (float)center;
    for (size_t b = 0; b < batch; b++)
        squares += squares_from(x + first_pixel(b, c, s), mean[c], pixels);
    const double difference = squares / n - off * off;
    const double variance = difference < 0 ? 0 : difference;    // rounding; a NaN stays
    var[c] = (float)variance;
    apply_to_channel(y, x, center, (double)gamma[c] / sqrt(variance + (double)eps),
                     (double)shift[c], c, s);
}

void CPU(batch_norm)(float *y, float *mean, float *var, const float *x, const float *gamma,
                     const float *shift, float eps, NormShape s)
{
    EACH_ROW(c, s.channels, norm_count(s), LIGHT,
             normalise_channel(y, mean, var, x, gamma, shift, eps, c, s));
}

void CPU(batch_norm_inference)(float *y, const float *x, const float *gamma, const float *shift,
                               const float *mean, const float *var, float eps, NormShape s)
{
    EACH_ROW(c, s.channels, norm_count(s), LIGHT,
             apply_to_channel(y, x, (double)mean[c],
                              (double)gamma[c] / sqrt((double)var[c] + (double)eps),
                              (double)shift[c], c, s));
}

// ---- backward

typedef struct Sums {
    double dy, along, rest;    // of dy, dy (x - mean) and x - mean
} Sums;

static Sums sums_of(const float *dy, const float *x, float mean, size_t n)
{
    Sums total = {0};
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float sum = 0, along = 0, rest = 0;
#pragma omp simd reduction(+ : sum, along, rest)
        for (size_t i = first; i < end; i++) {
            const float d = x[i] - mean;
            sum += dy[i];
            along += dy[i] * d;
            rest += d;
        }
        total.dy += (double)sum;
        total.along += (double)along;
        total.rest += (double)rest;
    }
    return total;
}

// dx = beta dx + slope (dy - offset - tilt (x - center))
static void pull(float *dx, const float *dy, const float *x, float center, float slope,
                 float offset, float tilt, float beta, size_t n)
{
    if (beta == 0.0f) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = slope * (dy[i] - offset - tilt * (x[i] - center));
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            dx[i] = beta * dx[i] + slope * (dy[i] - offset - tilt * (x[i] - center));
    }
}

typedef struct Backward {
    float *dx, *dgamma, *dshift;
    const float *dy, *x, *gamma, *mean, *var;
    float eps, beta;
    NormShape s;
    bool given;    // mean and var were given: they do not depend on x
} Backward;

static void pull_channel(const Backward *w, size_t c)
{
    const NormShape s = w->s;
    const size_t pixels = (size_t)s.pixels;
    const double n = (double)MAX(norm_count(s), 1);
    const double inverse = 1 / sqrt((double)w->var[c] + (double)w->eps);
    Sums all = {0};
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        prefetch_next(w->dy, b, c, s);
        prefetch_next(w->x, b, c, s);
        const Sums part = sums_of(w->dy + at, w->x + at, w->mean[c], pixels);
        all.dy += part.dy;
        all.along += part.along;
        all.rest += part.rest;
    }
    // A mean of x is rounded to float; by how much, the rest says.
    const double off = w->given ? 0 : all.rest / n;
    const double dgamma = (all.along - off * all.dy) * inverse;
    w->dgamma[c] = (float)dgamma;
    w->dshift[c] = (float)all.dy;
    if (w->dx == NULL) return;
    const double tilt = w->given ? 0 : dgamma * inverse / n;
    const double offset = w->given ? 0 : all.dy / n - off * tilt;
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        pull(w->dx + at, w->dy + at, w->x + at, w->mean[c], (float)((double)w->gamma[c] * inverse),
             (float)offset, (float)tilt, w->beta, pixels);
    }
}

void CPU(batch_norm_backward)(float *dx, float *dgamma, float *dshift, const float *dy,
                              const float *x, const float *gamma, const float *mean,
                              const float *var, float eps, float beta, NormShape s)
{
    const Backward w = {dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s, false};
    EACH_ROW(c, s.channels, norm_count(s), LIGHT, pull_channel(&w, c));
}

void CPU(batch_norm_inference_backward)(float *dx, float *dgamma, float *dshift, const float *dy,
                                        const float *x, const float *gamma, const float *mean,
                                        const float *var, float eps, float beta, NormShape s)
{
    const Backward w = {dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s, true};
    EACH_ROW(c, s.channels, norm_count(s), LIGHT, pull_channel(&w, c));
}
