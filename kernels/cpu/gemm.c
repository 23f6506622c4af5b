/* gemm.c -- our own matrix product, after Goto & van de Geijn 2008 and BLIS (Van Zee & van de
 * Geijn 2015): a tile of C is held in registers while rows of B and elements of A pass by.
 *
 * A transposed operand is only another pair of strides, so one path serves all products. An element
 * of C is summed by one thread, over k in an order that depends on the shape alone: the result has
 * the same bits for any number of threads. Nothing is allocated: packed panels live on the stack of
 * the thread that reads them.
 */
#include <omp.h>
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/gemv.h"

enum {
    DEPTH = 256,                  // k's in one pass: a strip of A (16 KiB) stays in L1
    PACKED = 192 * 1024,          // floats of B packed at once (768 KiB): they stay in L2
    STRIPS = 16,                  // packed strips of A, where all rows of C are done at once
    IN_CACHE = 256 * 1024,        // floats: an operand up to this size is read where it lies
    SERIAL = 1024 * 1024,         // multiplications below which waking a thread costs more
};

typedef struct Product {
    size_t batch, m, n, k;
    Mat    a, b;    // [m,k], [k,n]
    float *c;       // [m,n], c = beta c + a b
    size_t c_row, c_batch;
    float  beta;
    bool   transposed;    // c is [n,m]
} Product;

static const float *at(Mat x, size_t i, size_t j)
{
    return x.data + i * x.row + j * x.col;
}

static float *at_c(const Product *x, size_t i, size_t j)
{
    return x->c + (x->transposed ? j * x->c_row + i : i * x->c_row + j);
}

// Rows i.. of C, its columns j.., and the part p.. of the sum.
static Product slice(const Product *x, size_t i, size_t m, size_t j, size_t n, size_t p, size_t k)
{
    Product part = *x;
    part.m = m;
    part.n = n;
    part.k = k;
    part.a.data = at(x->a, i, p);
    part.b.data = at(x->b, p, j);
    part.c = at_c(x, i, j);
    return part;
}

// n items in as few groups of at most `largest` as possible, as even as possible: the first item
// of group g. Even groups leave no narrow tile at the edge, where it would run at half speed.
static size_t group_count(size_t n, size_t largest)
{
    return (n + largest - 1) / largest;
}

static size_t group_first(size_t n, size_t groups, size_t g)
{
    return n * g / groups;
}

// ---- one thread's part

typedef struct Plan {
    bool   rows_inside;       // all rows of C are done for one panel of B, then the next
    bool   pack_a, pack_b;
    size_t depth, block;      // k's in a pass, columns in a block
} Plan;

// All of x->m and x->n at once, in one pass.
static void multiply_pass(const Product *x, const Plan *plan, float *packed_a, float *packed_b)
{
    const size_t vectors = group_count(x->n, LANES), panels = group_count(vectors, PANEL);
    const size_t strips = group_count(x->m, ROWS);
    const Layout layout = plan->pack_a || x->a.row == 1 ? A_ADJACENT : A_APART;
    _Alignas(64) float sum[STEP * WIDTH];

    for (size_t u = 0; u < strips * panels; u++) {
        const size_t s = plan->rows_inside ? u % strips : u / panels;
        const size_t t = plan->rows_inside ? u / strips : u % panels;
        const size_t i = group_first(x->m, strips, s), rows = group_first(x->m, strips, s + 1) - i;
        const size_t v = group_first(vectors, panels, t), j = v * LANES;
        const size_t width = (group_first(vectors, panels, t + 1) - v) * LANES;
        const size_t cols = MIN(width, x->n - j);

        const float *a = at(x->a, i, 0);
        size_t       a_step = layout == A_ADJACENT ? x->a.col : x->a.row;
        if (plan->pack_a) {
            float *const strip = packed_a + (plan->rows_inside ? s * STEP * plan->depth : 0);
            if (t == 0) pack(strip, STEP, a, x->a.col, x->a.row, x->k, rows);
            a = strip;
            a_step = STEP;
        }

        const float *b = at(x->b, 0, j);
        size_t       b_row = x->b.row;
        if (plan->pack_b || cols < width) {
            float *const panel = packed_b + (plan->rows_inside || !plan->pack_b ? 0 : j * x->k);
            if (s == 0) pack(panel, width, b, x->b.row, x->b.col, x->k, cols);
            b = panel;
            b_row = width;
        }

        Tile *const compute = tiles[layout][rows - 1][width / LANES - 1];
        float *const c = at_c(x, i, j);
        if (!x->transposed && cols == width) {
            compute(c, x->c_row, a, a_step, b, b_row, x->k, x->beta);
        } else {
            compute(sum, WIDTH, a, a_step, b, b_row, x->k, 0.0f);
            (x->transposed ? store_transposed : store_edge)(c, x->c_row, sum, rows, cols, x->beta);
        }
    }
}

static void multiply_part(const Product *x)
{
    Plan plan;
    const size_t strips = group_count(x->m, ROWS);
    plan.rows_inside = strips <= STRIPS / 2;
    plan.pack_b = x->b.col != 1 || x->m > 64;
    plan.pack_a = (x->a.row != 1 && x->a.col != 1) ||
                  (x->n > 128 && (x->a.col == 1 ? x->a.row : x->a.col) * x->k > IN_CACHE) ||
                  (x->a.col == 1 && x->a.row % 1024 == 0 && x->n > 64);
    const size_t passes = MAX(group_count(x->k, DEPTH), 1);
    plan.depth = MAX(group_count(x->k, passes), 1);
    plan.block = plan.rows_inside || !plan.pack_b ? x->n : PACKED / plan.depth / WIDTH * WIDTH;

    _Alignas(64) float packed_b[PACKED];
    _Alignas(64) float packed_a[STRIPS * STEP * DEPTH];
    for (size_t j = 0; j < x->n; j += plan.block)
        for (size_t pass = 0; pass < passes; pass++) {
            const size_t p = pass * plan.depth;
            Product      part = slice(x, 0, x->m, j, MIN(plan.block, x->n - j), p,
                                      MIN(plan.depth, x->k - p));
            if (pass > 0) part.beta = 1;
            multiply_pass(&part, &plan, packed_a, packed_b);
        }
}

// ---- all threads

static size_t threads_for(const Product *x)
{
    return (double)x->batch * x->m * x->n * x->k < SERIAL ? 1 : (size_t)omp_get_max_threads();
}

// Thread t of `threads`.
static void multiply_share(const Product *x, size_t threads, size_t t)
{
    // Wide enough parts first, so that B is packed by one thread only; the rest splits the rows.
    const size_t vectors = group_count(x->n, LANES), strips = group_count(x->m, ROWS);
    const size_t across = x->batch > 1 ? 1 : MAX(MIN(threads, vectors / 2), 1);
    const size_t down = threads / across;
    if (t >= across * down) return;
    const size_t first = group_first(vectors, across, t % across) * LANES;
    const size_t end = MIN(group_first(vectors, across, t % across + 1) * LANES, x->n);

    // The strips of all matrices in one row.
    size_t       unit = group_first(x->batch * strips, down, t / across);
    const size_t last = group_first(x->batch * strips, down, t / across + 1);
    while (unit < last) {
        const size_t matrix = unit / strips, s = unit % strips, stop = MIN(s + last - unit, strips);
        const size_t i = group_first(x->m, strips, s);
        Product      one = *x;
        one.a.data += matrix * x->a.batch;
        one.b.data += matrix * x->b.batch;
        one.c += matrix * x->c_batch;
        one = slice(&one, i, group_first(x->m, strips, stop) - i, first, end - first, 0, x->k);
        multiply_part(&one);
        unit += stop - s;
    }
}

void CPU(matmul)(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n, int k,
                 float beta)
{
    Product x = {
        .batch = (size_t)batch, .m = (size_t)m, .n = (size_t)n, .k = (size_t)k, .a = a, .b = b,
        .c = c, .c_row = c_row, .c_batch = c_batch, .beta = beta,
    };
    if (batch == 0 || m == 0 || n == 0) return;
    // C' = B' A' where that packs the smaller operand.
    if (b.row == 1 && b.col != 1 && a.col == 1 && m <= n) {
        x.m = (size_t)n, x.n = (size_t)m;
        x.a = (Mat){b.data, b.col, b.row, b.batch};
        x.b = (Mat){a.data, a.col, a.row, a.batch};
        x.transposed = true;
    }
    const size_t threads = threads_for(&x);
    if (threads == 1) {
        multiply_share(&x, 1, 0);
        return;
    }
#pragma omp parallel for num_threads((int)threads) schedule(static, 1)
    for (size_t t = 0; t < threads; t++) multiply_share(&x, threads, t);
}
