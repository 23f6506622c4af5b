/* row_norm.c -- layer and RMS normalisation. A row stays in its thread's cache from the first sum to the last
 * number. Backward sums the parameters' gradients in the same pass, each share of the rows for itself; the shares
 * depend on the rows' number alone.
 */
#include <math.h>
#include <string.h>
#include "kernels/cpu/block_sums.h"
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/workspace.h"

// Where part i of all begins.
static size_t part_at(size_t i, NormRows s)
{
    const size_t parts = (size_t)s.parts;
    return i / parts * s.row + i % parts * (size_t)s.cols;
}

#define EACH_PART(i, s, ...) EACH_ROW(i, norm_parts(s), (s).cols, LIGHT, __VA_ARGS__)

// ---- forward

// y = gamma (scale (x - center) + offset) + shift
static void apply(float *y, const float *x, const float *gamma, const float *shift, float scale,
                  float center, float offset, size_t n)
{
    if (shift != NULL) {
#pragma omp simd
        for (size_t c = 0; c < n; c++)
            y[c] = gamma[c] * (scale * (x[c] - center) + offset) + shift[c];
    } else {
#pragma omp simd
        for (size_t c = 0; c < n; c++) y[c] = gamma[c] * (scale * (x[c] - center) + offset);
    }
}

static void layer_norm_part(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                            const float *shift, float eps, size_t n)
{
    const double center = (double)x[0] + sum_from(x, x[0], n) / (double)n;
    *mean = (float)center;
    const double variance =
        variance_of(squares_from(x, *mean, n), (double)*mean, center, (double)n);
    const double scale = 1 / sqrt(variance + (double)eps);
    *rstd = (float)scale;
    apply(y, x, gamma, shift, *rstd, *mean, (float)(((double)*mean - center) * scale), n);
}

void CPU(layer_norm)(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                     const float *shift, float eps, NormRows s)
{
    EACH_PART(i, s, const size_t at = part_at(i, s); layer_norm_part(
                  y + at, mean + i, rstd + i, x + at, gamma, shift, eps, (size_t)s.cols));
}

static void rms_norm_part(float *y, float *rstd, const float *x, const float *gamma, float eps,
                          size_t n)
{
    *rstd = (float)(1 / sqrt(squares_from(x, 0.0f, n) / (double)n + (double)eps));
    apply(y, x, gamma, NULL, *rstd, 0.0f, 0.0f, n);
}

void CPU(rms_norm)(float *y, float *rstd, const float *x, const float *gamma, float eps, NormRows s)
{
    EACH_PART(i, s, const size_t at = part_at(i, s);
              rms_norm_part(y + at, rstd + i, x + at, gamma, eps, (size_t)s.cols));
}

// ---- backward

typedef struct Backward {
    float *dx;
    const float *dy, *x, *gamma, *mean, *rstd;    // mean is NULL for an RMS
    float *dgamma, *dshift;                       // [shares,cols]; dshift may be NULL
    float beta;
    NormRows s;
} Backward;

// Of g = gamma dy and g h; adds dy h to dgamma and dy to dshift.
typedef struct Sums {
    double g, gh;
} Sums;

INLINE Sums sum_row(float *dgamma, float *dshift, const float *dy, const float *x,
                    const float *gamma, float mean, float rstd, size_t n)
{
    Sums total = {0};
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float g_sum = 0, gh_sum = 0;
#pragma omp simd reduction(+ : g_sum, gh_sum)
        for (size_t c = first; c < end; c++) {
            const float h = (x[c] - mean) * rstd, g = gamma[c] * dy[c];
            g_sum += g;
            gh_sum += g * h;
            dgamma[c] += dy[c] * h;
            if (dshift != NULL) dshift[c] += dy[c];
        }
        total.g += (double)g_sum;
        total.gh += (double)gh_sum;
    }
    return total;
}

// dx = beta dx + rstd (gamma dy - offset - h tilt)
static void pull_row(float *dx, const float *dy, const float *x, const float *gamma, float mean,
                     float rstd, float offset, float tilt, float beta, size_t n)
{
    if (beta == 0.0f) {
#pragma omp simd
        for (size_t c = 0; c < n; c++)
            dx[c] = rstd * (gamma[c] * dy[c] - offset - (x[c] - mean) * rstd * tilt);
    } else {
#pragma omp simd
        for (size_t c = 0; c < n; c++)
            dx[c] = beta * dx[c] + rstd * (gamma[c] * dy[c] - offset - (x[c] - mean) * rstd * tilt);
    }
}

static void pull_part(const Backward *w, float *dgamma, float *dshift, size_t i)
{
    const size_t n = (size_t)w->s.cols, at = part_at(i, w->s);
    const float mean = w->mean ? w->mean[i] : 0.0f, rstd = w->rstd[i];
    const float *dy = w->dy + at, *x = w->x + at;
    const Sums sums = dshift ? sum_row(dgamma, dshift, dy, x, w->gamma, mean, rstd, n)
                             : sum_row(dgamma, NULL, dy, x, w->gamma, mean, rstd, n);
    const float offset = w->mean ? (float)(sums.g / (double)n) : 0.0f;
    if (w->dx != NULL)
        pull_row(w->dx + at, dy, x, w->gamma, mean, rstd, offset, (float)(sums.gh / (double)n),
                 w->beta, n);
}

// Enough shares for many threads, and enough rows in each to be worth its sums.
enum { SHARES = 64, ROWS_OF_SHARE = 32 };

static void pull_share(const Backward *w, size_t share, size_t shares)
{
    const size_t n = norm_parts(w->s), cols = (size_t)w->s.cols;
    float *dgamma = w->dgamma + share * cols, *dshift = w->dshift ? w->dshift + share * cols : NULL;
    memset(dgamma, 0, cols * sizeof *dgamma);
    if (dshift) memset(dshift, 0, cols * sizeof *dshift);
    for (size_t i = n * share / shares; i < n * (share + 1) / shares; i++)
        pull_part(w, dgamma, dshift, i);
}

static void run_backward(Backward w, float *dgamma, float *dshift)
{
    const size_t n = norm_parts(w.s), cols = (size_t)w.s.cols;
    const size_t shares = MAX(1, MIN(n / ROWS_OF_SHARE, SHARES));
    w.dgamma = workspace(2 * shares * cols);
    w.dshift = dshift ? w.dgamma + shares * cols : NULL;
    EACH_ROW(i, shares, n / shares * cols, LIGHT, pull_share(&w, i, shares));
    CPU(sum_rows)(dgamma, w.dgamma, (int)shares, w.s.cols, 0.0f);
    if (dshift) CPU(sum_rows)(dshift, w.dshift, (int)shares, w.s.cols, 0.0f);
}

void CPU(layer_norm_backward)(float *dx, float *dgamma, float *dshift, const float *dy,
                              const float *x, const float *gamma, const float *mean,
                              const float *rstd, float beta, NormRows s)
{
    run_backward((Backward){dx, dy, x, gamma, mean, rstd, NULL, NULL, beta, s}, dgamma, dshift);
}

void CPU(rms_norm_backward)(float *dx, float *dgamma, const float *dy, const float *x,
                            const float *gamma, const float *rstd, float beta, NormRows s)
{
    run_backward((Backward){dx, dy, x, gamma, NULL, rstd, NULL, NULL, beta, s}, dgamma, NULL);
}
