/* norm.c -- batch normalisation. A channel is one thread's, from its sums to its numbers: what the second
 * pass reads lies in a cache by then. Of [batch,channels] it is a stripe of channels, which lie side by side.
 *
 * Sums (block_sums.h) are of what is near 0: of x less a value of the channel, then of x less the mean.
 */
#include <math.h>
#include "kernels/cpu/block_sums.h"
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

// y = slope (x - center) + offset
typedef struct Line {
    float center, slope, offset;
} Line;

static Line line_of(double mean, double variance, float gamma, float shift, float eps)
{
    const double slope = (double)gamma / sqrt(variance + (double)eps);
    const float center = (float)mean;    // what its rounding is off goes into the offset
    return (Line){center, (float)slope, (float)((double)shift + slope * ((double)center - mean))};
}

static void apply(float *y, const float *x, Line line, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = line.slope * (x[i] - line.center) + line.offset;
}

static void apply_to_channel(float *y, const float *x, Line line, size_t c, NormShape s)
{
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        apply(y + at, x + at, line, (size_t)s.pixels);
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
    const double center = (double)origin + sum / n;
    mean[c] = (float)center;
    for (size_t b = 0; b < batch; b++)
        squares += squares_from(x + first_pixel(b, c, s), mean[c], pixels);
    const double variance = variance_of(squares, (double)mean[c], center, n);
    var[c] = (float)variance;
    apply_to_channel(y, x, line_of(center, variance, gamma[c], shift[c], eps), c, s);
}

// Channels side by side, with their lines.
enum { STRIPE = 64 };
typedef struct Stripe {
    size_t width;
    float center[STRIPE], slope[STRIPE], offset[STRIPE], tilt[STRIPE];
} Stripe;

static void stripe_set(Stripe *stripe, size_t c, Line line)
{
    stripe->center[c] = line.center;
    stripe->slope[c] = line.slope;
    stripe->offset[c] = line.offset;
}

static void apply_to_stripe(float *y, const float *x, const Stripe *p, NormShape s)
{
    for (size_t at = 0, end = norm_total(s); at < end; at += (size_t)s.channels)
#pragma omp simd
        for (size_t c = 0; c < p->width; c++)
            y[at + c] = p->slope[c] * (x[at + c] - p->center[c]) + p->offset[c];
}

// All pointers are at the first of the stripe's channels.
static void normalise_stripe(float *y, float *mean, float *var, const float *x, const float *gamma,
                             const float *shift, float eps, size_t width, NormShape s)
{
    const double n = s.batch;
    double sum[STRIPE] = {0}, squares[STRIPE] = {0};
    Stripe stripe = {.width = width};
    for (size_t at = 0, end = norm_total(s); at < end; at += (size_t)s.channels)
#pragma omp simd
        for (size_t c = 0; c < width; c++) sum[c] += (double)(x[at + c] - x[c]);
    for (size_t c = 0; c < width; c++) mean[c] = (float)((double)x[c] + sum[c] / n);
    for (size_t at = 0, end = norm_total(s); at < end; at += (size_t)s.channels)
#pragma omp simd
        for (size_t c = 0; c < width; c++) {
            const float d = x[at + c] - mean[c];
            squares[c] += (double)(d * d);
        }
    for (size_t c = 0; c < width; c++) {
        const double center = (double)x[c] + sum[c] / n;
        const double variance = variance_of(squares[c], (double)mean[c], center, n);
        var[c] = (float)variance;
        stripe_set(&stripe, c, line_of(center, variance, gamma[c], shift[c], eps));
    }
    apply_to_stripe(y, x, &stripe, s);
}

static bool is_rows(NormShape s)
{
    return s.pixels == 1 && s.batch > 0;
}

// The stripes of [batch,channels], the first channel and the width of each.
#define EACH_STRIPE(first, width, s, ...)                                                          \
    EACH_ROW(stripe_, ((s).channels + STRIPE - 1) / STRIPE, STRIPE * norm_count(s), LIGHT,         \
             const size_t first = STRIPE * stripe_;                                                \
             const size_t width = MIN(STRIPE, (size_t)(s).channels - first); __VA_ARGS__)

void CPU(batch_norm)(float *y, float *mean, float *var, const float *x, const float *gamma,
                     const float *shift, float eps, NormShape s)
{
    if (is_rows(s))
        EACH_STRIPE(
            c, width, s,
            normalise_stripe(y + c, mean + c, var + c, x + c, gamma + c, shift + c, eps, width, s));
    else
        EACH_ROW(c, s.channels, norm_count(s), LIGHT,
                 normalise_channel(y, mean, var, x, gamma, shift, eps, c, s));
}

static void infer_stripe(float *y, const float *x, const float *gamma, const float *shift,
                         const float *mean, const float *var, float eps, size_t width, NormShape s)
{
    Stripe stripe = {.width = width};
    for (size_t c = 0; c < width; c++)
        stripe_set(&stripe, c, line_of((double)mean[c], (double)var[c], gamma[c], shift[c], eps));
    apply_to_stripe(y, x, &stripe, s);
}

void CPU(batch_norm_inference)(float *y, const float *x, const float *gamma, const float *shift,
                               const float *mean, const float *var, float eps, NormShape s)
{
    if (is_rows(s))
        EACH_STRIPE(
            c, width, s,
            infer_stripe(y + c, x + c, gamma + c, shift + c, mean + c, var + c, eps, width, s));
    else
        EACH_ROW(c, s.channels, norm_count(s), LIGHT,
                 apply_to_channel(y, x,
                                  line_of((double)mean[c], (double)var[c], gamma[c], shift[c], eps),
                                  c, s));
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
typedef struct Plane {
    float center, slope, offset, tilt;
} Plane;

static void pull(float *dx, const float *dy, const float *x, Plane p, float beta, size_t n)
{
    if (beta == 0.0f) {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            dx[i] = p.slope * (dy[i] - p.offset - p.tilt * (x[i] - p.center));
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            dx[i] = beta * dx[i] + p.slope * (dy[i] - p.offset - p.tilt * (x[i] - p.center));
    }
}

typedef struct Backward {
    float *dx, *dgamma, *dshift;
    const float *dy, *x, *gamma, *mean, *var;
    float eps, beta;
    NormShape s;
    bool given;    // mean and var were given: they do not depend on x
} Backward;

// Writes dgamma and dshift of a channel, and returns how its dx is made.
static Plane plane_of(const Backward *w, size_t c, Sums sums)
{
    const double n = (double)MAX(norm_count(w->s), 1);
    const double inverse = 1 / sqrt((double)w->var[c] + (double)w->eps);
    // A mean of x is rounded to float; by how much, the rest says.
    const double off = w->given ? 0 : sums.rest / n;
    const double dgamma = (sums.along - off * sums.dy) * inverse;
    const double tilt = w->given ? 0 : dgamma * inverse / n;
    const double offset = w->given ? 0 : sums.dy / n - off * tilt;
    w->dgamma[c] = (float)dgamma;
    w->dshift[c] = (float)sums.dy;
    return (Plane){w->mean[c], (float)((double)w->gamma[c] * inverse), (float)offset, (float)tilt};
}

static void pull_channel(const Backward *w, size_t c)
{
    const NormShape s = w->s;
    const size_t pixels = (size_t)s.pixels;
    Sums sums = {0};
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        prefetch_next(w->dy, b, c, s);
        prefetch_next(w->x, b, c, s);
        const Sums part = sums_of(w->dy + at, w->x + at, w->mean[c], pixels);
        sums.dy += part.dy;
        sums.along += part.along;
        sums.rest += part.rest;
    }
    const Plane plane = plane_of(w, c, sums);
    if (w->dx == NULL) return;
    for (size_t b = 0; b < (size_t)s.batch; b++) {
        const size_t at = first_pixel(b, c, s);
        pull(w->dx + at, w->dy + at, w->x + at, plane, w->beta, pixels);
    }
}

static void pull_stripe(const Backward *w, size_t first, size_t width)
{
    const float *dy = w->dy + first, *x = w->x + first, *mean = w->mean + first;
    const size_t row = (size_t)w->s.channels, end = norm_total(w->s);
    double sum[STRIPE] = {0}, along[STRIPE] = {0}, rest[STRIPE] = {0};
    Stripe p = {.width = width};
    for (size_t at = 0; at < end; at += row)
#pragma omp simd
        for (size_t c = 0; c < width; c++) {
            const float d = x[at + c] - mean[c];
            sum[c] += (double)dy[at + c];
            along[c] += (double)(dy[at + c] * d);
            rest[c] += (double)d;
        }
    for (size_t c = 0; c < width; c++) {
        const Plane plane = plane_of(w, first + c, (Sums){sum[c], along[c], rest[c]});
        stripe_set(&p, c, (Line){plane.center, plane.slope, plane.offset});
        p.tilt[c] = plane.tilt;
    }
    if (w->dx == NULL) return;
    float *dx = w->dx + first;
    for (size_t at = 0; at < end; at += row)
#pragma omp simd
        for (size_t c = 0; c < width; c++) {
            const float before = w->beta == 0.0f ? 0.0f : w->beta * dx[at + c];
            dx[at + c] = before + p.slope[c] * (dy[at + c] - p.offset[c] -
                                                p.tilt[c] * (x[at + c] - p.center[c]));
        }
}

static void run_backward(const Backward *w)
{
    if (is_rows(w->s)) EACH_STRIPE(first, width, w->s, pull_stripe(w, first, width));
    else EACH_ROW(c, w->s.channels, norm_count(w->s), LIGHT, pull_channel(w, c));
}

void CPU(batch_norm_backward)(float *dx, float *dgamma, float *dshift, const float *dy,
                              const float *x, const float *gamma, const float *mean,
                              const float *var, float eps, float beta, NormShape s)
{
    run_backward(&(Backward){dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s, false});
}

void CPU(batch_norm_inference_backward)(float *dx, float *dgamma, float *dshift, const float *dy,
                                        const float *x, const float *gamma, const float *mean,
                                        const float *var, float eps, float beta, NormShape s)
{
    run_backward(&(Backward){dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s, true});
}
