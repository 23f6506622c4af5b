// The matrix product against ref's: shapes that end inside a tile, a panel, a strip, a pass and a
// block, operands however they lie, and the same bits for any number of threads. All arrays end at
// a guard page.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

// How the matrices of a batch lie in memory.
typedef enum Layout {
    DENSE,               // one after the other, rows side by side
    TRANSPOSED,          // the same, columns side by side
    HEADS,               // side by side inside each row: [row, matrix, column]
    HEADS_TRANSPOSED,    // [column, matrix, row]
    QKV,                 // as heads, in a row that holds three times as much
    SHARED,              // one matrix for all
    SPREAD,              // neither rows nor columns adjacent
    LAYOUTS
} Layout;

static const char *const layout_name[LAYOUTS] = {
    "dense", "transposed", "heads", "transposed heads", "qkv", "shared", "spread",
};

typedef struct Product {
    int batch, m, n, k;
    Layout a, b, c;    // c: DENSE, HEADS or SPREAD, whose rows and matrices have gaps
} Product;

static Mat strides(Layout layout, int batch, int rows, int cols)
{
    const size_t h = (size_t)batch, r = (size_t)rows, c = (size_t)cols;
    switch (layout) {
    case TRANSPOSED: return (Mat){.row = 1, .col = r, .batch = r * c};
    case HEADS: return (Mat){.row = h * c, .col = 1, .batch = c};
    case HEADS_TRANSPOSED: return (Mat){.row = 1, .col = h * r, .batch = r};
    case QKV: return (Mat){.row = 3 * h * c, .col = 1, .batch = c};
    case SHARED: return (Mat){.row = c, .col = 1, .batch = 0};
    case SPREAD: return (Mat){.row = 2 * c + 3, .col = 2, .batch = r * (2 * c + 3) + 1};
    default: return (Mat){.row = c, .col = 1, .batch = r * c};
    }
}

// From the first element to the last.
static size_t extent(Mat x, int batch, int rows, int cols)
{
    if (batch == 0 || rows == 0 || cols == 0) return 0;
    return (size_t)(batch - 1) * x.batch + (size_t)(rows - 1) * x.row + (size_t)(cols - 1) * x.col +
           1;
}

static Mat c_strides(const Product *x)
{
    if (x->c == SPREAD)    // columns adjacent, as all of c
        return (Mat){
            .row = (size_t)x->n + 3, .col = 1, .batch = (size_t)x->m * ((size_t)x->n + 3) + 5};
    return strides(x->c, x->batch, x->m, x->n);
}

static Mat operand(Layout layout, int batch, int rows, int cols)
{
    Mat x = strides(layout, batch, rows, cols);
    x.data = numbers_new(extent(x, batch, rows, cols), NORMAL);
    return x;
}

static Mat magnitudes(Mat x, int batch, int rows, int cols)
{
    const size_t size = extent(x, batch, rows, cols);
    float *copy = numbers_copy(x.data, size);
    for (size_t i = 0; i < size; i++) copy[i] = fabsf(copy[i]);
    x.data = copy;
    return x;
}

static void multiply(const Kernels *table, const Product *x, float *c, Mat a, Mat b, float beta)
{
    const Mat out = c_strides(x);
    table->matmul(c, out.row, out.batch, a, b, x->batch, x->m, x->n, x->k, beta);
}

// The sum of k products has an error of at most about k roundings of the sum of their sizes
// (Higham 2002, section 3.1), in whatever order it is made; beta c is one product more. What lies
// between c's rows must stay as it was.
static double *bounds(const Product *x, Mat a, Mat b, const float *c, size_t size, float beta)
{
    float *sizes = numbers_new(size, ZEROS), *outside = numbers_new(size, ZEROS);
    double *bound = (double *)(void *)numbers_new(2 * size, ZEROS);
    const Product nothing = {x->batch, x->m, x->n, 0, x->a, x->b, x->c};
    for (size_t i = 0; i < size; i++) outside[i] = 1;
    multiply(&kernels_ref, &nothing, outside, a, b, 0);
    multiply(&kernels_ref, x, sizes, magnitudes(a, x->batch, x->m, x->k),
             magnitudes(b, x->batch, x->k, x->n), 0);
    for (size_t i = 0; i < size; i++) {
        double start = beta == 0 ? 0 : fabs((double)beta * (double)c[i]);
        if (outside[i] == 0) bound[i] = (double)(x->k + 3) * ROUNDING * ((double)sizes[i] + start);
    }
    return bound;
}

static void agrees_with_ref(const Kernels *table, Product x, float beta)
{
    if ((double)x.batch * x.m * x.n * x.k > numbers_most) return;
    const Mat a = operand(x.a, x.batch, x.m, x.k), b = operand(x.b, x.batch, x.k, x.n);
    const size_t size = extent(c_strides(&x), x.batch, x.m, x.n);
    Pair c = pair_new(size, beta == 0 ? NANS : NORMAL);
    const double *bound = bounds(&x, a, b, c.want, size, beta);
    multiply(&kernels_ref, &x, c.want, a, b, beta);
    multiply(table, &x, c.got, a, b, beta);

    char what[120];
    snprintf(what, sizeof what, "%d of [%d,%d,%d], a %s, b %s, c %s, beta %g", x.batch, x.m, x.n,
             x.k, layout_name[x.a], layout_name[x.b], layout_name[x.c], (double)beta);
    pair_check_within(what, c, bound);
    numbers_free();
}

// A NaN in row 2 of A and an infinity in column 23 of B reach that row and that column of C, and
// nothing else.
static void nan_and_infinity_stay_in_their_row_and_column(const Kernels *table, Product x)
{
    Mat a = operand(x.a, x.batch, x.m, x.k), b = operand(x.b, x.batch, x.k, x.n);
    Pair c = pair_new(extent(c_strides(&x), x.batch, x.m, x.n), NORMAL);
    float *a_copy = numbers_copy(a.data, extent(a, x.batch, x.m, x.k));
    float *b_copy = numbers_copy(b.data, extent(b, x.batch, x.k, x.n));
    a_copy[2 * a.row + 3 * a.col] = NAN;
    b_copy[5 * b.row + (size_t)(x.n / 2) * b.col] = INFINITY;
    a.data = a_copy, b.data = b_copy;
    multiply(&kernels_ref, &x, c.want, a, b, 1);
    multiply(table, &x, c.got, a, b, 1);
    pair_check("NaN and infinity", c, x.k * 1e-6);
    numbers_free();
}

static void threads_change_no_bit(const Kernels *table, Product x)
{
    const int before = omp_get_max_threads();
    const Mat a = operand(x.a, x.batch, x.m, x.k), b = operand(x.b, x.batch, x.k, x.n);
    const size_t size = extent(c_strides(&x), x.batch, x.m, x.n);
    Pair c = pair_new(size, NORMAL);
    float *start = numbers_copy(c.got, size);
    omp_set_num_threads(1);
    multiply(table, &x, c.want, a, b, 0.5f);
    for (int threads = 2; threads <= 5; threads++) {
        omp_set_num_threads(threads);
        memcpy(c.got, start, size * sizeof *start);
        multiply(table, &x, c.got, a, b, 0.5f);
        assert_memory_equal(c.got, c.want, size * sizeof *start);
    }
    omp_set_num_threads(before);
    numbers_free();
}

// Around vectors of 4, 8 and 16 floats, tiles of 6, 8 and 14 rows, strips, and passes over k.
static const int shapes[][3] = {
    {0, 5, 3},       {5, 0, 3},      {5, 3, 0},       {1, 1, 1},      {2, 3, 5},
    {1, 17, 31},     {17, 1, 31},    {7, 13, 1},      {8, 48, 16},    {9, 49, 17},
    {13, 16, 15},    {14, 32, 4},    {15, 33, 5},     {6, 15, 64},    {5, 31, 3},
    {29, 47, 8},     {31, 33, 97},   {33, 10, 64},    {64, 64, 64},   {47, 97, 259},
    {128, 64, 256},  {32, 500, 70},  {67, 71, 541},   {43, 29, 1031}, {129, 257, 130},
    {1009, 19, 290}, {3, 1031, 257}, {100, 100, 100},
};

// Few rows against a large B, read once: a path of their own.
static const int few_rows[][2] = {{1, 1}, {15, 16}, {17, 33}, {97, 70}, {131, 259}, {515, 67}};

static const Layout pairs[][2] = {
    {DENSE, DENSE},       {DENSE, TRANSPOSED},       {TRANSPOSED, DENSE}, {TRANSPOSED, TRANSPOSED},
    {HEADS, HEADS},       {HEADS, HEADS_TRANSPOSED}, {QKV, QKV},          {DENSE, SHARED},
    {SHARED, TRANSPOSED}, {SPREAD, DENSE},           {DENSE, SPREAD},     {HEADS_TRANSPOSED, HEADS},
};

enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    FEW = sizeof few_rows / sizeof *few_rows,
    PAIRS = sizeof pairs / sizeof *pairs,
};

void check_matmul(const Kernels *table)
{
    static const float betas[] = {0, 0.5f, 1};
    static const Layout into[] = {DENSE, HEADS, SPREAD};
    for (int i = 0; i < SHAPES; i++)
        for (int p = 0; p < 4; p++)
            for (int j = 0; j < 3; j++) {
                const Product x = {1,           shapes[i][0], shapes[i][1],         shapes[i][2],
                                   pairs[p][0], pairs[p][1],  into[(i + p + j) % 3]};
                agrees_with_ref(table, x, betas[j]);
            }
    for (int m = 1; m <= 20; m++)
        for (int i = 0; i < FEW; i++)
            for (int p = 0; p < 4; p++) {
                const Product x = {1,           m,           few_rows[i][0],   few_rows[i][1],
                                   pairs[p][0], pairs[p][1], into[(i + m) % 3]};
                agrees_with_ref(table, x, betas[(m + i) % 3]);
            }
    for (int p = 0; p < PAIRS; p++)
        for (int j = 0; j < 3; j++) {
            agrees_with_ref(table, (Product){0, 3, 4, 5, pairs[p][0], pairs[p][1], DENSE},
                            betas[j]);
            agrees_with_ref(table, (Product){2, 1, 37, 29, pairs[p][0], pairs[p][1], into[j]},
                            betas[j]);
            agrees_with_ref(table, (Product){3, 5, 7, 11, pairs[p][0], pairs[p][1], into[j]},
                            betas[j]);
            agrees_with_ref(table, (Product){3, 23, 41, 19, pairs[p][0], pairs[p][1], into[j]},
                            betas[j]);
            agrees_with_ref(table, (Product){4, 37, 64, 37, pairs[p][0], pairs[p][1], into[j]},
                            betas[j]);
            agrees_with_ref(table, (Product){2, 131, 67, 300, pairs[p][0], pairs[p][1], into[j]},
                            betas[j]);
        }
    // A block of A, of either kind of strips, ends inside k and inside the rows.
    agrees_with_ref(table, (Product){1, 411, 67, 391, DENSE, TRANSPOSED, DENSE}, 1);
    agrees_with_ref(table, (Product){1, 411, 133, 391, TRANSPOSED, DENSE, DENSE}, 0);
    agrees_with_ref(table, (Product){1, 37, 1100, 391, DENSE, DENSE, DENSE}, 0.5f);
    for (int p = 0; p < PAIRS; p++) {
        const Layout a = pairs[p][0], b = pairs[p][1];
        for (int m = 3; m < 80; m += 19)
            nan_and_infinity_stay_in_their_row_and_column(table,
                                                          (Product){1, m, 37, 19, a, b, DENSE});
        if (omp_get_max_threads() > 1) continue;    // once is enough
        threads_change_no_bit(table, (Product){1, 130, 259, 301, a, b, SPREAD});
        for (int m = 1; m <= 17; m += 4)
            threads_change_no_bit(table, (Product){1, m, 1031, 300, a, b, SPREAD});
        threads_change_no_bit(table, (Product){1, 1031, 3, 301, a, b, SPREAD});
        threads_change_no_bit(table, (Product){1, 1031, 17, 301, a, b, SPREAD});
        threads_change_no_bit(table, (Product){5, 7, 1031, 67, a, b, HEADS});
        threads_change_no_bit(table, (Product){7, 67, 65, 64, a, b, HEADS});
    }
}
