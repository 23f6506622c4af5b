// Rows of weights of every type against ref's, and that nothing else decides the bits of y[i,r]: not the
// number of rows, not what they hold, not where a row stands among them.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "common/rng.h"
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const DType types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16, DTYPE_Q8_0,
                              DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K, DTYPE_Q6_K};
enum { TYPES = sizeof types / sizeof *types };

// m, rows of w, blocks in a row; of types that have no blocks, a block counts 33 numbers.
static const int shapes[][3] = {{0, 3, 1},  {1, 0, 1},  {2, 5, 0},  {1, 1, 1},   {1, 17, 2},
                                {2, 31, 3}, {3, 7, 4},  {5, 16, 5}, {7, 33, 1},  {8, 48, 7},
                                {9, 15, 2}, {13, 8, 3}, {16, 2, 9}, {17, 65, 6}, {33, 37, 35},
                                {4, 40, 9}, {6, 20, 5}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

// Weights of about N(0, 1), at the end of an array.
static WeightRows weights_new(DType type, int rows, int blocks)
{
    const DTypeInfo *info = &dtype_info[type];
    const int cols = blocks * (info->block > 1 ? (int)info->block : 33);
    const size_t n = (size_t)rows * (size_t)cols, bytes = (size_t)dtype_bytes(type, n);
    void *data = malloc(bytes + 1);
    assert_non_null(data);
    if (!dtype_from_floats(type, data, numbers_new(n, NORMAL), n)) {
        assert_int_equal(type, DTYPE_Q6_K);
        Rng rng = rng_from_seed(n);
        uint8_t *byte = data;
        for (size_t i = 0; i < bytes; i++) byte[i] = (uint8_t)rng_below(&rng, 256);
        for (size_t i = 208; i < bytes; i += 210)    // d, about 1e-3
            byte[i + 1] = 0x14 | (byte[i + 1] & 0x80);
    }
    const WeightRows w = {block_copy(data, bytes), type, rows, cols};
    free(data);
    return w;
}

// What rounding may do to y[i,r]: it grows with the numbers that are summed and with their count.
static double *bounds_of(WeightRows w, const float *x, size_t x_row, int m, size_t y_row)
{
    double *bound = calloc((size_t)m * y_row + 1, sizeof *bound);
    float *row = malloc(sizeof *row * (size_t)w.cols + 1);
    assert_true(bound && row);
    for (int r = 0; r < w.rows; r++) {
        double largest = 0;
        kernels_ref.rows_read(row, w, &r, 1);
        for (int c = 0; c < w.cols; c++) largest = fmax(largest, fabs((double)row[c]));
        for (int i = 0; i < m; i++) {
            double sum = 0;
            for (int c = 0; c < w.cols; c++) sum += fabs((double)x[(size_t)i * x_row + (size_t)c]);
            bound[(size_t)i * y_row + (size_t)r] = (4 + w.cols / 16.0) * ROUNDING * largest * sum;
        }
    }
    free(row);
    return bound;
}

static void same_bits(const char *what, const float *a, const float *b, int rows)
{
    for (int r = 0; r < rows; r++)
        if (memcmp(&a[r], &b[r], sizeof *a) != 0)
            fail_msg("%s: [%d] is %.9g, and was %.9g among other rows", what, r, (double)a[r],
                     (double)b[r]);
}

// Each row of x alone, and rows of w from another one on.
static void check_alone(const Kernels *table, const float *y, size_t y_row, const float *x,
                        size_t x_row, int m, WeightRows w, Activations activations)
{
    const int from = w.rows / 3;
    const size_t skipped = (size_t)dtype_bytes(w.type, (uint64_t)from * (uint64_t)w.cols);
    const WeightRows part = {(const char *)w.data + skipped, w.type, w.rows - from, w.cols};
    for (int i = 0; i < m; i += 1 + m / 2) {
        float *alone = numbers_new((size_t)w.rows, NANS);
        table->row_product(alone, 0, x + (size_t)i * x_row, 0, 1, w, activations);
        same_bits("row_product, a row of x", alone, y + (size_t)i * y_row, w.rows);
        table->row_product(alone, 0, x + (size_t)i * x_row, 0, 1, part, activations);
        same_bits("row_product, rows of w", alone, y + (size_t)i * y_row + from, part.rows);
    }
}

// What is not a number stays in its row.
static void check_nan(const Kernels *table, const float *y, size_t y_row, const float *x,
                      size_t x_row, int m, WeightRows w, Activations activations)
{
    const size_t n = (size_t)m * y_row;
    float *spoilt = numbers_copy(x, (size_t)m * x_row), *out = numbers_new(n, ZEROS);
    spoilt[(size_t)(m / 2) * x_row + (size_t)(w.cols / 2)] = NAN;
    spoilt[(size_t)(m / 2) * x_row + (size_t)(w.cols / 3)] = INFINITY;
    table->row_product(out, y_row, spoilt, x_row, m, w, activations);
    for (int i = 0; i < m; i++)
        if (i != m / 2)
            same_bits("row_product beside a NaN", out + (size_t)i * y_row, y + (size_t)i * y_row,
                      w.rows);
    for (int r = 0; r < w.rows; r++)
        if (!isnan(out[(size_t)(m / 2) * y_row + (size_t)r]))
            fail_msg("row_product of a NaN: [%d] is a number", r);
}

static void check_shape(const Kernels *table, DType type, const int shape[3],
                        Activations activations)
{
    const int m = shape[0];
    if ((double)m * shape[1] * shape[2] * 256 > numbers_most) return;
    const WeightRows w = weights_new(type, shape[1], shape[2]);
    const size_t x_row = (size_t)w.cols + (size_t)(m % 3), y_row = (size_t)w.rows + (size_t)(m % 2);
    float *x = numbers_new((size_t)m * x_row, NORMAL);
    if (m > 1)    // a block of zeros, and one of which nothing is left
        for (size_t c = 0; c < (size_t)w.cols / 2; c++) x[x_row + c] = c < 32 ? 0 : 1e-35f;
    Pair y = pair_new((size_t)m * y_row, NANS);
    double *bound = bounds_of(w, x, x_row, m, y_row);
    kernels_ref.row_product(y.want, y_row, x, x_row, m, w, activations);
    table->row_product(y.got, y_row, x, x_row, m, w, activations);
    pair_check_within(dtype_name(type), y, bound);
    free(bound);
    check_alone(table, y.got, y_row, x, x_row, m, w, activations);
    if (m > 0 && w.cols > 2) check_nan(table, y.got, y_row, x, x_row, m, w, activations);
}

void check_row_product(const Kernels *table)
{
    for (int t = 0; t < TYPES; t++)
        for (int i = 0; i < SHAPES; i++)
            for (Activations a = ACTIVATIONS_F32; a <= ACTIVATIONS_Q16; a++, numbers_free())
                if (a == ACTIVATIONS_F32 || i == 9 ||
                    dtype_info[types[t]].kind == DTYPE_KIND_QUANTIZED)
                    check_shape(table, types[t], shapes[i], a);
}

// The bits are ref's: a number is rounded once.
void check_rows_read(const Kernels *table)
{
    for (int t = 0; t < TYPES; t++)
        for (int i = 0; i < SHAPES; i++, numbers_free()) {
            const int rows = shapes[i][1], count = rows > 0 ? shapes[i][0] : 0;
            if ((double)count * shapes[i][2] * 256 > numbers_most) continue;
            const WeightRows w = weights_new(types[t], rows, shapes[i][2]);
            const int32_t *index = labels_new((size_t)count, rows);
            Pair y = pair_new((size_t)count * (size_t)w.cols, NANS);
            kernels_ref.rows_read(y.want, w, index, count);
            table->rows_read(y.got, w, index, count);
            pair_check("rows_read", y, 0);
        }
}

void check_rows_write(const Kernels *table)
{
    for (int t = 0; t < TYPES - 1; t++)    // all but Q6_K
        for (int i = 0; i < SHAPES; i++, numbers_free()) {
            const int rows = shapes[i][1], block = (int)dtype_info[types[t]].block,
                      cols = shapes[i][2] * (block > 1 ? block : 33);
            if ((double)rows * cols > numbers_most) continue;
            const size_t n = (size_t)rows * (size_t)cols, bytes = (size_t)dtype_bytes(types[t], n);
            const float *x = numbers_new(n, NORMAL);
            void *empty = calloc(1, bytes + 1);
            assert_non_null(empty);
            void *want = block_copy(empty, bytes), *got = block_copy(empty, bytes);
            free(empty);
            kernels_ref.rows_write(want, types[t], x, rows, cols);
            table->rows_write(got, types[t], x, rows, cols);
            assert_memory_equal(got, want, bytes);
        }
}
