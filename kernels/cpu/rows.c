/* rows.c -- kernels that see a matrix as rows and columns. */
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"

static void add_to_row(float *y, const float *x, const float *b, size_t cols)
{
#pragma omp simd
    for (size_t c = 0; c < cols; c++) y[c] = x[c] + b[c];
}

void CPU(add_row)(float *y, const float *x, const float *b, int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, n, LIGHT, add_to_row(y + r * n, x + r * n, b, n));
}

// Columns first .. first + STRIPE - 1: few enough for their sums to stay in registers and L1, wide
// enough to read whole cache lines.
enum { STRIPE = 64 };

static void sum_stripe(float *y, const float *x, size_t rows, size_t cols, size_t first, float beta)
{
    const size_t width = MIN(STRIPE, cols - first);
    double sum[STRIPE] = {0};
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * cols + first;
#pragma omp simd
        for (size_t c = 0; c < width; c++) sum[c] += (double)row[c];
    }
    for (size_t c = 0; c < width; c++)
        y[first + c] =
            (float)(beta == 0.0f ? sum[c] : (double)beta * (double)y[first + c] + sum[c]);
}

void CPU(sum_rows)(float *y, const float *x, int rows, int cols, float beta)
{
    const size_t stripes = ((size_t)cols + STRIPE - 1) / STRIPE;
    EACH_ROW(s, stripes, (size_t)rows * STRIPE, LIGHT,
             sum_stripe(y, x, (size_t)rows, (size_t)cols, s * STRIPE, beta));
}

// A maximum per lane: compilers do not reorder the comparisons of one maximum, for fear of NaN.
// Here it may be passed over, because the exp of it still makes its row NaN.
static float row_max(const float *z, size_t cols)
{
    float max[LANES];
    for (size_t l = 0; l < LANES; l++) max[l] = -INFINITY;
    for (size_t c = 0; c < cols; c += LANES) {
        const size_t width = MIN(LANES, cols - c);
        for (size_t l = 0; l < width; l++) max[l] = z[c + l] > max[l] ? z[c + l] : max[l];
    }
    for (size_t l = 1; l < LANES; l++) max[0] = max[l] > max[0] ? max[l] : max[0];
    return max[0];
}

// p = softmax(z) of one row; returns -log p of the logit `right`.
static double softmax_row(float *p, const float *z, size_t cols, double right)
{
    const float max = row_max(z, cols);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < cols; c++) {
        p[c] = fast_exp(z[c] - max);
        sum += (double)p[c];
    }

    const float inverse = (float)(1.0 / sum);
#pragma omp simd
    for (size_t c = 0; c < cols; c++) p[c] *= inverse;
    return log(sum) + ((double)max - right);    // the logits first: log 2 is lost beside 1e30
}

void CPU(softmax_rows)(float *y, const float *x, int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, n, HEAVY, softmax_row(y + r * n, x + r * n, n, 0));
}

static double cross_entropy_part(float *p, const float *z, const int32_t *label, size_t cols,
                                 size_t first, size_t end)
{
    double sum = 0;
    for (size_t r = first; r < end; r++) {
        const double right = label[r] < 0 ? 0 : (double)z[r * cols + (size_t)label[r]];
        const double loss = softmax_row(p + r * cols, z + r * cols, cols, right);    // p may be z
        if (label[r] >= 0) sum += loss;
    }
    return sum;
}

void CPU(cross_entropy)(float *y, float *p, const float *z, const int32_t *label, int rows,
                        int cols)
{
    const size_t m = (size_t)rows, n = (size_t)cols;
    double total;
    TOTAL(total, m, HEAVY / MAX(n, 1), first, end, cross_entropy_part(p, z, label, n, first, end));
    *y = (float)total;
}

// Of an ignored row nothing is added, even where p is NaN.
static void pull_down_row(float *dz, float scale, const float *p, int32_t label, size_t cols,
                          float beta)
{
    if (label < 0) {
#pragma omp simd
        for (size_t c = 0; c < cols; c++) dz[c] = beta == 0.0f ? 0.0f : beta * dz[c];
        return;
    }
    if (beta == 0.0f) {
#pragma omp simd
        for (size_t c = 0; c < cols; c++) dz[c] = scale * p[c];
    } else {
#pragma omp simd
        for (size_t c = 0; c < cols; c++) dz[c] = beta * dz[c] + scale * p[c];
    }
    dz[label] -= scale;
}

void CPU(cross_entropy_backward)(float *dz, const float *dloss, float factor, const float *p,
                                 const int32_t *label, int rows, int cols, float beta)
{
    const float scale = factor * dloss[0];
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, n, LIGHT, pull_down_row(dz + r * n, scale, p + r * n, label[r], n, beta));
}
