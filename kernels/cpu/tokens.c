/* tokens.c -- embeddings and rotary positions. */
#include <string.h>
#include "kernels/cpu/loops.h"

void CPU(embedding)(float *y, const int32_t *id, const float *table, size_t n, int cols)
{
    const size_t width = (size_t)cols;
    EACH_ROW(i, n, width, LIGHT,
             memcpy(y + i * width, table + (size_t)id[i] * width, width * sizeof *y));
}

// A thread takes columns, so that no two add to one number and each is summed in the order of the tokens.
enum { STRIPE = 128 };

static void add_stripe(float *dtable, const int32_t *id, const float *dy, size_t n, size_t cols,
                       size_t first)
{
    const size_t width = MIN(STRIPE, cols - first);
    for (size_t i = 0; i < n; i++) {
        float *row = dtable + (size_t)id[i] * cols + first;
        const float *add = dy + i * cols + first;
#pragma omp simd
        for (size_t c = 0; c < width; c++) row[c] += add[c];
    }
}

void CPU(embedding_backward)(float *dtable, const int32_t *id, const float *dy, size_t n, int rows,
                             int cols)
{
    (void)rows;
    const size_t width = (size_t)cols, stripes = (width + STRIPE - 1) / STRIPE;
    EACH_ROW(s, stripes, n * STRIPE, LIGHT, add_stripe(dtable, id, dy, n, width, s * STRIPE));
}

// ---- rotary positions

static void rotate_halves(float *x, const float *cosine, const float *sine, float sign, size_t half)
{
    float *y = x + half;
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = y[i], s = sign * sine[i];
        x[i] = a * cosine[i] - b * s;
        y[i] = a * s + b * cosine[i];
    }
}

static void rotate_neighbours(float *x, const float *cosine, const float *sine, float sign,
                              size_t half)
{
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const float a = x[2 * i], b = x[2 * i + 1], s = sign * sine[i];
        x[2 * i] = a * cosine[i] - b * s;
        x[2 * i + 1] = a * s + b * cosine[i];
    }
}

static void rotate_row(float *x, const float *cosine, const float *sine, size_t position,
                       RopeShape s)
{
    const size_t half = (size_t)s.rotated / 2, at = position * half;
    const float sign = s.inverse ? -1.0f : 1.0f;
    for (int h = 0; h < s.heads; h++, x += s.head)
        (s.interleaved ? rotate_neighbours : rotate_halves)(x, cosine + at, sine + at, sign, half);
}

void CPU(rope)(float *x, const float *cosine, const float *sine, RopeShape s)
{
    EACH_ROW(r, s.rows, (size_t)s.heads * (size_t)s.rotated, LIGHT,
             rotate_row(x + r * s.row, cosine, sine, r % (size_t)s.period, s));
}
