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
#include "kernels/cpu/team.h"

enum {
    DEPTH = 384,              // k's in one pass: C is read and written once for each
    STRIPS = 400 / STEP,      // strips of A packed at once (600 KiB): they stay in L2
    NARROW = 100,             // a transposed C is slow to write, but pays with so few columns
    IN_CACHE = 256 * 1024,    // floats: an operand up to this size is read where it lies
    SERIAL = 40 * 1024 *
             LANES,    // multiplications below which waking a thread costs more (bench/threads.c)
};

// How a product is computed. Each has an order of its own in which an element's terms are added, so
// the path depends on the whole shape and not on one thread's part of it.
typedef enum Path {
    TILES,        // many rows
    WIDE,         // a few rows, columns of B side by side: wide tiles
    ROWS_OF_B,    // one or two such rows: rows of B are added up
    DOTS,         // a few rows, and both operands have their k's side by side: dot products
} Path;

typedef struct Product {
    Path path;
    size_t batch, m, n, k;
    Mat a, b;    // [m,k], [k,n]
    float *c;    // [m,n], c = beta c + a b
    size_t c_row, c_batch;
    float beta;
    bool transposed;    // c is [n,m]
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

// n items in as few groups of at most `largest` as possible, as even as possible: no narrow tile at
// the edge, where it would run at half speed. The first groups have one item more.
static size_t group_count(size_t n, size_t largest)
{
    return (n + largest - 1) / largest;
}

static size_t group_first(size_t n, size_t groups, size_t g)
{
    return n / groups * g + MIN(g, n % groups);
}

// ---- many rows

typedef struct Plan {
    bool pack_a, pack_b;
    size_t depth, rows;    // k's in a pass, rows in a block
} Plan;

// All of x->m and x->n at once, in one pass: all rows of C for one panel of B, then the next.
static void multiply_block(const Product *x, const Plan *plan, float *packed_a, float *packed_b)
{
    const size_t vectors = group_count(x->n, LANES), panels = group_count(vectors, PANEL);
    const size_t strips = group_count(x->m, ROWS);
    const size_t tall = x->m / strips, taller = x->m % strips;
    const size_t wide = vectors / panels, wider = vectors % panels;
    const Layout layout = plan->pack_a || x->a.row == 1 ? A_ADJACENT : A_APART;
    const bool keeps = plan->pack_b && x->b.col == 1;
    const bool at_once = plan->pack_a && x->a.row == 1;

    TileWork work = {
        .a_step = plan->pack_a           ? STEP
                  : layout == A_ADJACENT ? x->a.col
                                         : x->a.row,
        .c_row = x->c_row,
        .k = x->k,
        .beta = x->beta,
    };
    if (at_once) pack_strips(packed_a, x->a.data, x->a.col, x->k, strips, tall, taller);
    for (size_t t = 0, j = 0; t < panels; t++, j += work.cols) {
        const size_t width = (wide + (t < wider)) * LANES;
        work.cols = MIN(width, x->n - j);
        work.b = at(x->b, 0, j);
        work.b_row = x->b.row;
        work.keep = NULL;
        if (x->b.col != 1 || (LANES < 16 && work.cols < width)) {
            pack(packed_b, width, work.b, x->b.row, x->b.col, x->k, work.cols);
            work.b = packed_b;
            work.b_row = width;
        } else if (keeps) {
            work.keep = packed_b;
        }
        for (size_t s = 0, i = 0, rows; s < strips; s++, i += rows) {
            rows = tall + (s < taller);
            work.a = at(x->a, i, 0);
            if (plan->pack_a) {
                float *strip = packed_a + s * STEP * x->k;
                if (t == 0 && !at_once) pack(strip, STEP, work.a, x->a.col, x->a.row, x->k, rows);
                work.a = strip;
            }
            // Meanwhile the next panel of B is on its way into L2.
            if (keeps && t + 1 < panels)
                for (size_t p = group_first(x->k, strips, s); p < group_first(x->k, strips, s + 1);
                     p++)
                    for (size_t l = 0; l < WIDTH; l += 16)
                        __builtin_prefetch(at(x->b, p, j + width + l), 0, 2);

            Tile *const compute = CPU(tiles)[layout][rows - 1][width / LANES - 1];
            work.c = at_c(x, i, j);
            if (!x->transposed && (LANES == 16 || work.cols == width)) {
                compute(&work);
            } else {
                _Alignas(64) float sum[STEP * WIDTH];
                TileWork aside = work;
                aside.c = sum;
                aside.c_row = WIDTH;
                aside.beta = 0;
                compute(&aside);
                (x->transposed ? store_transposed : store_edge)(work.c, x->c_row, sum, rows,
                                                                work.cols, x->beta);
            }
            if (work.keep) {    // and the other strips read the copy
                work.b = packed_b;
                work.b_row = width;
                work.keep = NULL;
            }
        }
    }
}

// ---- few rows

static void multiply_dots(const Product *x)
{
    const size_t chunks = group_count(x->m, FEW_AT_ONCE);
    for (size_t start = 0; start < x->n; start += GROUP)
        for (size_t g = 0; g < chunks; g++) {
            const size_t i = group_first(x->m, chunks, g),
                         rows = group_first(x->m, chunks, g + 1) - i;
            const size_t end = MIN(start + GROUP, x->n);
            KNOWN(rows >= 1 && rows <= FEW_AT_ONCE);
            for (size_t j = start, cols; j < end; j += cols) {
                float sum[DOTS_MOST + LANES];
                cols = j + dots_cols[rows - 1] <= end ? dots_cols[rows - 1] : 1;
                dots_of[rows - 1][cols == 1](sum, at(x->a, i, 0), x->a.row, at(x->b, 0, j),
                                             x->b.col, x->k);
                for (size_t r = 0; r < rows; r++)
                    for (size_t l = 0; l < cols; l++) {
                        float *c = at_c(x, i + r, j + l);
                        *c = x->beta == 0 ? sum[r * cols + l] : x->beta * *c + sum[r * cols + l];
                    }
            }
        }
}

// As many columns as fill whole tiles: how many.
static size_t multiply_wide(const Product *x)
{
    KNOWN(x->m >= 1 && x->m <= FEW_AT_ONCE);
    _Alignas(64) float strip[STEP * DEPTH];
    const size_t width = wide_width[x->m - 1], whole = x->n / width * width;
    const size_t depth =
        MAX(group_count(x->k, MAX(group_count(x->k, DEPTH), 1)), 1);    // as in tiles
    for (size_t p = 0; p < MAX(x->k, 1) && whole > 0; p += depth) {
        const size_t k = MIN(depth, x->k - p);
        pack(strip, STEP, at(x->a, 0, p), x->a.col, x->a.row, k, x->m);
        for (size_t j = 0; j < whole; j += width)
            wides[x->m - 1](at_c(x, 0, j), x->c_row, strip, at(x->b, p, j), x->b.row, k,
                            p > 0 ? 1 : x->beta);
    }
    return whole;
}

// ---- one thread's part

static void multiply_tiles(const Product *x)
{
    const size_t passes = MAX(group_count(x->k, DEPTH), 1), strips = group_count(x->m, ROWS);
    // Rows of A that are a multiple of 4096 bytes apart fall into one set of L1 and leave no room.
    const size_t apart = x->a.row == 1 ? x->a.col : x->a.row;
    // So do rows of B that are a multiple of 1024 bytes apart; that pays for a copy where enough strips read it
    // (measured with AVX2).
    const bool collide = LANES < 16 && x->b.row % 256 == 0 && x->m > 5 * ROWS && x->k >= 64;
    const Plan plan = {
        .pack_a = (x->a.row != 1 && x->a.col != 1) || (x->n > 128 && apart * x->k > IN_CACHE) ||
                  (x->n > 64 && x->a.row % 1024 == 0),
        .pack_b = collide || x->b.row * x->k > IN_CACHE,
        .depth = MAX(group_count(x->k, passes), 1),
        .rows = group_count(strips, group_count(strips, STRIPS)) * ROWS,
    };
    _Alignas(64) float packed_b[DEPTH * WIDTH];
    _Alignas(64) float packed_a[STRIPS * STEP * DEPTH];
    for (size_t p = 0; p < MAX(x->k, 1); p += plan.depth)
        for (size_t i = 0; i < x->m; i += plan.rows) {
            Product part =
                slice(x, i, MIN(plan.rows, x->m - i), 0, x->n, p, MIN(plan.depth, x->k - p));
            if (p > 0) part.beta = 1;
            multiply_block(&part, &plan, packed_a, packed_b);
        }
}

static void multiply_part(const Product *x)
{
    if (x->path == DOTS) {
        multiply_dots(x);
    } else if (x->path == ROWS_OF_B) {
        multiply_rows(x->c, x->c_row, x->a, x->b, x->m, x->n, x->k, x->beta);
    } else if (x->path == WIDE && x->m > FEW_AT_ONCE) {
        const Product upper = slice(x, 0, x->m / 2, 0, x->n, 0, x->k);
        const Product lower = slice(x, x->m / 2, x->m - x->m / 2, 0, x->n, 0, x->k);
        multiply_part(&upper);
        multiply_part(&lower);
    } else if (x->path == WIDE) {
        const size_t done = multiply_wide(x);
        const Product rest = slice(x, 0, x->m, done, x->n - done, 0, x->k);
        if (rest.n > 0) multiply_tiles(&rest);
    } else {
        multiply_tiles(x);
    }
}

// ---- all threads

// Thread t of `threads`.
static void multiply_share(const Product *x, size_t threads, size_t t)
{
    // Of one matrix, wide enough parts first, so that B is packed by one thread only; what threads
    // are left split the strips of rows. The strips of a batch are shared as if they were one row.
    const size_t vectors = group_count(x->n, LANES);
    const size_t strips = x->path == TILES ? group_count(x->m, ROWS) : 1;
    const size_t across = x->batch > 1 ? 1 : MAX(MIN(threads, vectors / 2), 1);
    const size_t down = threads / across;
    if (t >= across * down) return;
    const size_t first = group_first(vectors, across, t % across) * LANES;
    const size_t end = MIN(group_first(vectors, across, t % across + 1) * LANES, x->n);

    const size_t last = group_first(x->batch * strips, down, t / across + 1);
    for (size_t unit = group_first(x->batch * strips, down, t / across), stop; unit < last;) {
        const size_t matrix = unit / strips, s = unit % strips;
        stop = MIN(s + last - unit, strips);
        const size_t i = group_first(x->m, strips, s), until = group_first(x->m, strips, stop);
        Product one = *x;
        one.a.data += matrix * x->a.batch;
        one.b.data += matrix * x->b.batch;
        one.c += matrix * x->c_batch;
        one = slice(&one, i, until - i, first, end - first, 0, x->k);
        if (one.n > 0) multiply_part(&one);
        unit += stop - s;
    }
}

// C' = B' A'.
static Product transposed(const Product *x)
{
    Product y = *x;
    y.m = x->n;
    y.n = x->m;
    y.a = (Mat){x->b.data, x->b.col, x->b.row, x->b.batch};
    y.b = (Mat){x->a.data, x->a.col, x->a.row, x->a.batch};
    y.transposed = !x->transposed;
    return y;
}

void CPU(matmul)(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                 int k, float beta)
{
    Product x = {
        .batch = (size_t)batch,
        .m = (size_t)m,
        .n = (size_t)n,
        .k = (size_t)k,
        .a = a,
        .b = b,
        .c = c,
        .c_row = c_row,
        .c_batch = c_batch,
        .beta = beta,
    };
    if (batch == 0 || m == 0 || n == 0) return;

    // Where the columns of both lie side by side in memory, one has to be packed: the smaller one.
    const bool nt = a.col == 1 && b.row == 1;
    if (nt && MIN(m, n) <= FEW) {
        if (n < m) x = transposed(&x);
        x.path = DOTS;
    } else if (nt && b.col != 1 && m <= NARROW && (LANES == 16 || k >= 256)) {
        x = transposed(&x);
    } else if (b.col == 1 && m <= 2) {
        x.path = ROWS_OF_B;
    } else if (b.col == 1 && m <= 2 * FEW_AT_ONCE) {
        x.path = WIDE;
    }

    const size_t work = x.batch * x.m * x.n * x.k;
    const int threads = team_size(work, SERIAL);
    if (threads == 1) {
        multiply_share(&x, 1, 0);
        return;
    }
    Team team = team_begin();
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static, 1) nowait
        for (int t = 0; t < threads; t++) multiply_share(&x, (size_t)threads, (size_t)t);
        team_arrive(&team);
    }
    team_end(&team, work, SERIAL);
}
