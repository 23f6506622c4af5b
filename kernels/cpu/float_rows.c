/* float_rows.c -- rows of weights become floats, and their products with floats.
 *
 * A row is cut into chunks of a fixed length. Those of a group of rows are transposed, so that lanes are rows:
 * for few rows of x on the way into registers, for more as a panel in L1 that meets one tile of x after the other
 * (gemm_tile.h). Either way a chunk's products are added one after the other, and its sum to what y holds: a
 * number's bits depend on the columns alone.
 */
#include "kernels/cpu/float_rows.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/row_floats.h"
#include "kernels/cpu/workspace.h"

enum {
    CHUNK = 256,                  // numbers of a row in a sum: a multiple of every block
    CHUNK_ROW = CHUNK + 16,       // floats apart: not so that all rows begin in one set of L1
    LINE = 64,                    // bytes of a cache
    FEW = LANES == 16 ? 8 : 4,    // rows of x that meet rows of weights in registers
};

static const uint8_t *weights_at(WeightRows w, size_t r, size_t c)
{
    const DTypeInfo *info = &dtype_info[w.type];
    return (const uint8_t *)w.data + (r * (size_t)w.cols + c) / info->block * info->bytes;
}

// y[:,:cols] (+)= x rows^T over n numbers, for few rows of x and up to LANES of weights.
INLINED void few_rows(const int m, float *y, size_t y_row, const float *x, size_t x_row,
                      const float *rows, size_t row, size_t cols, size_t n, bool first)
{
    const float *from[LANES];    // beyond the end the last one again
    Vec sum[FEW], col[LANES];
    for (size_t l = 0; l < LANES; l++) from[l] = rows + MIN(l, cols - 1) * row;
    UNROLL
    for (int i = 0; i < m; i++) sum[i] = (Vec){0};
    size_t p = 0;
    for (; p + LANES <= n; p += LANES) {
        UNROLL
        for (size_t l = 0; l < LANES; l++) {
            col[l] = vec_load(from[l] + p);
            __builtin_prefetch(from[l] + LANES * row + p);
        }
        transpose(col);
        UNROLL
        for (size_t l = 0; l < LANES; l++) UNROLL
        for (int i = 0; i < m; i++)
            sum[i] = vec_fma(vec_of(x[(size_t)i * x_row + p + l]), col[l], sum[i]);
    }
    if (p < n) {
        UNROLL
        for (size_t l = 0; l < LANES; l++) col[l] = load_part(from[l] + p, n - p);
        transpose(col);
        UNROLL
        for (size_t l = 0; l < LANES; l++) UNROLL
        for (int i = 0; i < m; i++)
            if (p + l < n) sum[i] = vec_fma(vec_of(x[(size_t)i * x_row + p + l]), col[l], sum[i]);
    }
    UNROLL
    for (int i = 0; i < m; i++) {
        float *to = y + (size_t)i * y_row;
        store_some(to, first ? sum[i] : load_some(to, cols) + sum[i], cols);
    }
}

typedef void FewRows(float *y, size_t y_row, const float *x, size_t x_row, const float *rows,
                     size_t row, size_t cols, size_t n, bool first);

#if LANES == 16
#define EACH_FEW_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#else
#define EACH_FEW_ROWS(X) X(1) X(2) X(3) X(4)
#endif
#define DEFINE_FEW_ROWS(m)                                                                         \
    static void few_rows_##m(float *y, size_t y_row, const float *x, size_t x_row,                 \
                             const float *rows, size_t row, size_t cols, size_t n, bool first)     \
    {                                                                                              \
        few_rows(m, y, y_row, x, x_row, rows, row, cols, n, first);                                \
    }
#define NAME_FEW_ROWS(m) few_rows_##m,
EACH_FEW_ROWS(DEFINE_FEW_ROWS)
static FewRows *const few_rows_of[FEW] = {EACH_FEW_ROWS(NAME_FEW_ROWS)};

// The same for any number of rows of x, and up to WIDTH of weights. The `bytes` at `next` are read after these.
static void many_rows(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                      const float *rows, size_t row, size_t cols, size_t n, bool first,
                      const uint8_t *next, size_t bytes)
{
    _Alignas(64) float panel[CHUNK * WIDTH], edge[ROWS * WIDTH];
    const size_t tiles = parts_of(m, ROWS), vectors = parts_of(cols, LANES);
    const size_t steps = n / 4, lines = parts_of(parts_of(bytes, LINE), MAX(tiles * steps, 1));
    const bool whole = LANES == 16 || cols % LANES == 0;
    copy_columns(panel, WIDTH, rows, row, n, cols);
    for (size_t t = 0; t < tiles; t++) {
        const size_t i = part_first(m, tiles, t), count = part_first(m, tiles, t + 1) - i;
        float *to = y + i * y_row;
        const size_t asked = t * steps * lines * LINE;
        const TileWork work = {.a = x + i * x_row,
                               .a_step = x_row,
                               .b = panel,
                               .b_row = WIDTH,
                               .k = n,
                               .cols = cols,
                               .beta = whole && !first,
                               .c = whole ? to : edge,
                               .c_row = whole ? y_row : WIDTH,
                               .next = next + asked,
                               .lines = asked < bytes ? lines : 0};
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): 1 to ROWS rows
        CPU(tiles)[A_APART][count - 1][vectors - 1](&work);
        if (!whole) store_edge(to, y_row, edge, count, cols, !first);
    }
}

// Rows from ... end of w.
static void multiply_rows(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                          WeightRows w, size_t from, size_t end)
{
    const bool as_they_lie = w.type == DTYPE_F32 && (uintptr_t)w.data % 4 == 0;
    const size_t cols = (size_t)w.cols, row = as_they_lie ? cols : CHUNK_ROW;
    const size_t group = m <= FEW ? LANES : WIDTH;
    _Alignas(64) float floats[WIDTH * CHUNK_ROW];
    for (size_t r = from, count; r < end; r += count) {
        count = MIN(group, end - r);
        for (size_t c = 0; c < MAX(cols, 1); c += CHUNK) {
            const size_t n = MIN(cols - c, (size_t)CHUNK);
            const float *rows = floats;
            if (as_they_lie) rows = (const float *)w.data + r * cols + c;
            else
                for (size_t j = 0; j < count; j++)
                    weights_to_floats(w.type, floats + j * CHUNK_ROW, weights_at(w, r + j, c), n);
            if (m <= FEW)
                // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): 1 to FEW rows
                few_rows_of[m - 1](y + r, y_row, x + c, x_row, rows, row, count, n, c == 0);
            else
                many_rows(y + r, y_row, x + c, x_row, m, rows, row, count, n, c == 0,
                          weights_at(w, r + count, count * c), dtype_bytes(w.type, count * n));
        }
    }
}

static void round_row(float *out, const float *x, size_t cols, Activations activations)
{
    for (size_t c = 0; c < cols; c += ACTIVATION_BLOCK, x += ACTIVATION_BLOCK) {
        float largest = 0;
        for (int i = 0; i < ACTIVATION_BLOCK; i++)
            if (!(fabsf(x[i]) <= largest)) largest = isnan(x[i]) ? INFINITY : fabsf(x[i]);
        const float scale = activation_scale(largest);
        for (int i = 0; i < ACTIVATION_BLOCK; i++)
            *out++ = activation_rounded(x[i], scale, activations);
    }
}

static void copy_row(float *out, const float *x, size_t cols, Activations activations)
{
    if (activations == ACTIVATIONS_F32) memcpy(out, x, cols * sizeof *x);
    else round_row(out, x, cols, activations);
}

void CPU(float_rows_product)(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                             WeightRows w, Activations activations)
{
    const size_t rows = (size_t)w.rows, cols = (size_t)w.cols, work = rows_work(m, w);
    const size_t row =
        lines_of(cols) + 16;    // aligned, and not so that all rows begin in one set of L1
    float *copy = workspace(m * row);
    EACH_ROW(i, m, cols, LIGHT, copy_row(copy + i * row, x + i * x_row, cols, activations));
    const int threads = team_size(work, ROWS_SERIAL);
    ON_TEAM(threads, work, ROWS_SERIAL,
            multiply_rows(y, y_row, copy, row, m, w, rows * t / (size_t)threads,
                          rows * (t + 1) / (size_t)threads));
}

void CPU(rows_read)(float *y, WeightRows w, const int32_t *index, int count)
{
    const size_t cols = (size_t)w.cols;
    EACH_ROW(i, count, cols, LIGHT,
             weights_to_floats(w.type, y + i * cols, weights_at(w, (size_t)index[i], 0), cols));
}

void CPU(rows_write)(void *out, DType type, const float *x, int rows, int cols)
{
    const size_t bytes = (size_t)dtype_bytes(type, (uint64_t)cols);
    EACH_ROW(r, rows, (size_t)cols, HEAVY,
             dtype_from_floats(type, (char *)out + r * bytes, x + r * (size_t)cols, (size_t)cols));
}
