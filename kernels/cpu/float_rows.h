/* float_rows.h -- rows of weights as floats, times floats, and what all products with rows of weights share. */
#pragma once
#include "kernels/cpu/variant.h"
#include "kernels/row_product.h"

enum {
    ROWS_SERIAL = 16 * 1024 * LANES
};    // multiplications below which waking a thread costs more

// In multiplications of a thread: few rows take as long as reading the weights, a byte two of them.
static inline size_t rows_work(size_t m, WeightRows w)
{
    const size_t weights = (size_t)w.rows * (size_t)w.cols;
    const DTypeInfo *info = &dtype_info[w.type];
    return MAX(m * weights, 2 * weights / info->block * info->bytes);
}

// n things in as few parts of at most `most` as possible, as even as possible, and where part k begins.
static inline size_t parts_of(size_t n, size_t most)
{
    return (n + most - 1) / most;
}

static inline size_t part_first(size_t n, size_t parts, size_t k)
{
    return n / parts * k + MIN(k, n % parts);
}

// y [m,rows] = x [m,cols] w^T, by all threads. Activations that are rounded take part as floats.
void BASE(float_rows_product)(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                              WeightRows w, Activations activations);
