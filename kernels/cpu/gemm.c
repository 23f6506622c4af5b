/* gemm.c -- our own matrix product, after Goto & van de Geijn 2008 and BLIS (Van Zee & van de
 * Geijn 2015): a tile of C is held in registers while rows of B and elements of A pass by.
 *
 * A transposed operand is only another pair of strides, so one path serves the three products.
 * An element of C is summed by one thread, over k in an order that depends on the shape alone:
 * the result has the same bits for any number of threads. Nothing is allocated: packed panels live
 * on the stack of the thread that reads them. What is large on all sides goes to OpenBLAS (blas.c),
 * which promises neither.
 */
#include <omp.h>
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/variant.h"

// A tile of C is ROWS x PANEL vectors: as many accumulators as there are registers, less those
// for a row of B and one element of A.
#if LANES == 16 || defined __aarch64__
enum { ROWS = 8, PANEL = 3 };
#define EACH_SIZE(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2) X(rows, 3)
#else
enum { ROWS = 6, PANEL = 2 };
#define EACH_SIZE(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2)
#endif

enum {
    WIDTH = PANEL * LANES,
    DEPTH = 256,               // k's in one pass: a strip of A (8 KiB) stays in L1
    PACKED = 128 * 1024,       // floats of B packed at once (512 KiB): they stay in L2
    GROUP = 8,                 // strips of A packed at once, where A is packed
    IN_CACHE = 256 * 1024,     // floats: an operand up to this size is read where it lies
    FEW_ROWS = 32,             // with so few rows of C, packing B costs more than it saves
    SERIAL = 128 * 1024,       // multiplications below which waking a thread costs more
};

typedef struct Matrix {
    const float *data;
    size_t row, col;    // strides: element (i,j) is data[i * row + j * col]
} Matrix;

typedef struct Product {
    size_t m, n, k;
    Matrix a, b;    // [m,k], [k,n]
    float *c;       // [m,n], c = beta c + a b
    size_t c_row, c_col;
    float  beta;
} Product;

static const float *at(Matrix x, size_t i, size_t j)
{
    return x.data + i * x.row + j * x.col;
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
    part.c += i * x->c_row + j * x->c_col;
    return part;
}

// C' = B' A'.
static Product transposed(const Product *x)
{
    return (Product){
        .m = x->n, .n = x->m, .k = x->k,
        .a = {x->b.data, x->b.col, x->b.row},
        .b = {x->a.data, x->a.col, x->a.row},
        .c = x->c, .c_row = x->c_col, .c_col = x->c_row, .beta = x->beta,
    };
}

// ---- the tile

// Inlined below with constant sizes, so that the loops over a tile vanish and `sum` is registers.
static inline __attribute__((always_inline)) void tile(const int rows, const int vectors, float *c,
                                                       size_t c_row, Matrix a, Matrix b, size_t k,
                                                       float beta)
{
    Vec sum[ROWS][PANEL];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = (Vec){0};

    // C is asked for before it is needed: a training step ran a tenth faster for it.
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            __builtin_prefetch(c + (size_t)i * c_row + (size_t)j * LANES, 1);

    for (size_t p = 0; p < k; p++) {
        Vec row[PANEL];
        UNROLL for (int j = 0; j < vectors; j++)
            row[j] = vec_load(b.data + p * b.row + (size_t)j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const float x = *at(a, (size_t)i, p);
            UNROLL for (int j = 0; j < vectors; j++)
                sum[i][j] += x * row[j];
        }
    }

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) {
            float *out = c + (size_t)i * c_row + (size_t)j * LANES;
            if (beta == 0)
                vec_store(out, sum[i][j]);
            else
                vec_store(out, beta * vec_load(out) + sum[i][j]);
        }
}

typedef void Tile(float *c, size_t c_row, Matrix a, Matrix b, size_t k, float beta);

#define DEFINE(rows, vectors)                                                                      \
    static void tile_##rows##x##vectors(float *c, size_t c_row, Matrix a, Matrix b, size_t k,      \
                                        float beta)                                                \
    {                                                                                              \
        tile(rows, vectors, c, c_row, a, b, k, beta);                                              \
    }
#define NAME(rows, vectors)  tile_##rows##x##vectors,
#define DEFINE_ROW(rows)     EACH_WIDTH(DEFINE, rows)
#define NAME_ROW(rows)       {EACH_WIDTH(NAME, rows)},

EACH_SIZE(DEFINE_ROW)
static Tile *const tiles[ROWS][PANEL] = {EACH_SIZE(NAME_ROW)};

// A tile that does not fill its last vector, or whose C is transposed, goes through a buffer.
static void tile_by_element(Tile *compute, const Product *x, Matrix a, Matrix b)
{
    float sum[ROWS * WIDTH];
    compute(sum, WIDTH, a, b, x->k, 0.0f);
    for (size_t i = 0; i < x->m; i++)
        for (size_t j = 0; j < x->n; j++) {
            float *c = x->c + i * x->c_row + j * x->c_col;
            *c = x->beta == 0 ? sum[i * WIDTH + j] : x->beta * *c + sum[i * WIDTH + j];
        }
}

// ---- packing

#if LANES == 16
#define EACH_LANE(X, d)                                                                            \
    X(d, 0), X(d, 1), X(d, 2), X(d, 3), X(d, 4), X(d, 5), X(d, 6), X(d, 7), X(d, 8), X(d, 9),      \
        X(d, 10), X(d, 11), X(d, 12), X(d, 13), X(d, 14), X(d, 15)
#elif LANES == 8
#define EACH_LANE(X, d) X(d, 0), X(d, 1), X(d, 2), X(d, 3), X(d, 4), X(d, 5), X(d, 6), X(d, 7)
#else
#define EACH_LANE(X, d) X(d, 0), X(d, 1), X(d, 2), X(d, 3)
#endif

// In each pair of rows d apart, the columns with bit d of the upper row change places with those
// without it of the lower row. After all powers of two d < LANES the block is transposed.
#define UPPER(d, lane) ((lane) & (d) ? LANES + (lane) - (d) : (lane))
#define LOWER(d, lane) ((lane) & (d) ? LANES + (lane) : (lane) + (d))
#define EXCHANGE(x, d)                                                                             \
    UNROLL for (int i = 0; i < LANES; i++)                                                         \
        if (!(i & (d))) {                                                                          \
            Vec upper = x[i], lower = x[i + (d)];                                                  \
            x[i] = __builtin_shufflevector(upper, lower, EACH_LANE(UPPER, d));                     \
            x[i + (d)] = __builtin_shufflevector(upper, lower, EACH_LANE(LOWER, d));               \
        }

static void transpose_block(float *out, size_t out_row, const float *in, size_t in_row)
{
    Vec x[LANES];
    UNROLL for (int i = 0; i < LANES; i++)
        x[i] = vec_load(in + (size_t)i * in_row);
    EXCHANGE(x, 1)
    EXCHANGE(x, 2)
#if LANES >= 8
    EXCHANGE(x, 4)
#endif
#if LANES >= 16
    EXCHANGE(x, 8)
#endif
    UNROLL for (int i = 0; i < LANES; i++)
        vec_store(out + (size_t)i * out_row, x[i]);
}

// b's [k,cols] as rows of `width` floats, with zeros after the last column.
static void pack_panel(float *out, size_t width, Matrix b, size_t k, size_t cols)
{
    size_t whole = cols / LANES * LANES;    // columns of whole vectors
    if (b.col == 1) {
        for (size_t p = 0; p < k; p++)
            for (size_t j = 0; j < whole; j += LANES)
                vec_store(out + p * width + j, vec_load(at(b, p, j)));
    } else if (b.row == 1) {
        for (size_t j = 0; j < whole; j += LANES) {
            size_t p = 0;
            for (; p + LANES <= k; p += LANES)
                transpose_block(out + p * width + j, width, at(b, p, j), b.col);
            for (; p < k; p++)
                for (size_t l = j; l < j + LANES; l++)
                    out[p * width + l] = *at(b, p, l);
        }
    } else {
        whole = 0;
    }
    for (size_t p = 0; p < k; p++)
        for (size_t j = whole; j < width; j++)
            out[p * width + j] = j < cols ? *at(b, p, j) : 0;
}

// ---- one thread's part

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

// Strips s .. s + GROUP - 1 of a, each with its rows side by side in the order the tile reads them.
// Together, because one strip uses half of a cache line, and by the time the next one wants the
// other half the line is gone: at a stride of 4096 bytes a whole column shares one set of L1.
static void pack_strips(float *out, const Product *x, size_t strips, size_t s)
{
    const size_t end = MIN(s + GROUP, strips);
    for (size_t p = 0; p < x->k; p++)
        for (size_t g = s; g < end; g++) {
            const size_t i = group_first(x->m, strips, g);
            const size_t rows = group_first(x->m, strips, g + 1) - i;
            for (size_t r = 0; r < rows; r++)
                out[(g - s) * ROWS * DEPTH + p * rows + r] = *at(x->a, i + r, p);
        }
}

// All of x->m and x->n at once; k <= DEPTH, and k * n floats fit in `packed` unless direct.
static void multiply_pass(const Product *x, bool direct, float *packed)
{
    const size_t vectors = group_count(x->n, LANES), panels = group_count(vectors, PANEL);
    const size_t strips = group_count(x->m, ROWS);
    const bool   far_apart = x->a.col > 1 && x->a.col * x->k > IN_CACHE;
    _Alignas(64) float group[GROUP * ROWS * DEPTH];

    for (size_t s = 0; s < strips; s++) {
        const size_t i = group_first(x->m, strips, s), rows = group_first(x->m, strips, s + 1) - i;
        Matrix       a = {at(x->a, i, 0), x->a.row, x->a.col};
        if (far_apart) {
            if (s % GROUP == 0) pack_strips(group, x, strips, s);
            a = (Matrix){group + s % GROUP * ROWS * DEPTH, 1, rows};
        }

        for (size_t t = 0; t < panels; t++) {
            const size_t v = group_first(vectors, panels, t);
            const size_t width = (group_first(vectors, panels, t + 1) - v) * LANES;
            const size_t j = v * LANES, cols = MIN(width, x->n - j);
            const bool   in_place = direct && cols == width;
            float *const panel = packed + (direct ? 0 : j * x->k);

            Matrix b = {at(x->b, 0, j), x->b.row, x->b.col};
            if (s == 0 && !in_place) pack_panel(panel, width, b, x->k, cols);
            if (!in_place) b = (Matrix){panel, width, 1};

            const Product here = slice(x, i, rows, j, cols, 0, x->k);
            Tile *const   compute = tiles[rows - 1][width / LANES - 1];
            if (x->c_col == 1 && cols == width)
                compute(here.c, x->c_row, a, b, x->k, x->beta);
            else
                tile_by_element(compute, &here, a, b);
        }
    }
}

static void multiply_part(const Product *x)
{
    _Alignas(64) float packed[PACKED];
    const bool direct = x->b.col == 1 && (x->m <= FEW_ROWS || x->k * x->n <= IN_CACHE);

    // A transposed C is slow to write: then few passes. (k = 0 still scales c by beta.)
    const size_t passes = MAX(group_count(x->k, x->c_col == 1 ? DEPTH : 4 * DEPTH), 1);
    const size_t depth = group_count(x->k, passes);
    const size_t block = direct ? x->n : PACKED / MAX(depth, 1) / WIDTH * WIDTH;

    for (size_t j = 0; j < x->n; j += block)
        for (size_t pass = 0; pass < passes; pass++) {
            const size_t p = pass * depth;
            Product      part = slice(x, 0, x->m, j, MIN(block, x->n - j), p, MIN(depth, x->k - p));
            if (pass > 0) part.beta = 1;
            multiply_pass(&part, direct, packed);
        }
}

// ---- all threads

static void multiply(Product x)
{
    // Wide enough parts first, so that B is packed by one thread only; the rest splits the rows.
    const size_t threads = (double)x.m * x.n * x.k < SERIAL ? 1 : (size_t)omp_get_max_threads();
    const size_t vectors = group_count(x.n, LANES), strips = group_count(x.m, ROWS);
    const size_t across = MAX(MIN(threads, vectors / 2), 1);
    const size_t down = MAX(MIN(threads / across, strips), 1);
    if (across * down == 1) {
        multiply_part(&x);
        return;
    }

#pragma omp parallel for num_threads((int)(across * down)) schedule(static, 1)
    for (size_t t = 0; t < across * down; t++) {
        const size_t i = group_first(x.m, down, t / across);
        const size_t m = group_first(x.m, down, t / across + 1) - i;
        const size_t j = group_first(vectors, across, t % across) * LANES;
        const size_t end = group_first(vectors, across, t % across + 1) * LANES;
        const Product part = slice(&x, i, m, j, MIN(end, x.n) - j, 0, x.k);
        multiply_part(&part);
    }
}

void CPU(matmul)(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n, int k, float beta)
{
    for (size_t s = 0; s < (size_t)batch; s++) {
        const Product x = {
            .m = (size_t)m, .n = (size_t)n, .k = (size_t)k,
            .a = {a.data + s * a.batch, a.row, a.col}, .b = {b.data + s * b.batch, b.row, b.col},
            .c = c + s * c_batch, .c_row = c_row, .c_col = 1, .beta = beta,
        };
        multiply(b.row == 1 && m <= FEW_ROWS ? transposed(&x) : x);    // packs a, the small one, instead of b
    }
}
