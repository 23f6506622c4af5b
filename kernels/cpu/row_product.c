/* row_product.c -- rows of weights times floats. See row_product.h: what decides a number's bits.
 *
 * A row is cut into chunks of a fixed length. Those of a group of rows become floats, in L2, and meet one
 * tile of x after the other as dot products (dots.h); a chunk's sum is added to what y holds. With rounded
 * activations whole numbers are multiplied instead: code_tile.h.
 */
#include "kernels/cpu/code_tile.h"
#include "kernels/cpu/dots.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/row_floats.h"
#include "kernels/cpu/workspace.h"

enum {
    CHUNK = 768,                   // numbers of a row in a sum: a multiple of every block
    CHUNK_ROW = CHUNK + 16,        // floats apart: not so that all rows begin in one set of L1
    UNPACKED = 12,                 // rows as floats at once: whole tiles, and they fit L1
    SERIAL = 16 * 1024 * LANES,    // multiplications below which waking a thread costs more
};

// In multiplications of a thread: few rows take as long as reading the weights, a byte two of them.
static size_t work_of(size_t m, WeightRows w)
{
    const size_t weights = (size_t)w.rows * (size_t)w.cols;
    const DTypeInfo *info = &dtype_info[w.type];
    return MAX(m * weights, 2 * weights / info->block * info->bytes);
}

static const uint8_t *weights_at(WeightRows w, size_t r, size_t c)
{
    const DTypeInfo *info = &dtype_info[w.type];
    return (const uint8_t *)w.data + (r * (size_t)w.cols + c) / info->block * info->bytes;
}

// n things in as few parts of at most `most` as possible, as even as possible, and where part k begins.
static size_t parts_of(size_t n, size_t most)
{
    return (n + most - 1) / most;
}

static size_t part_first(size_t n, size_t parts, size_t k)
{
    return n / parts * k + MIN(k, n % parts);
}

// y[:, from ... from + cols] for numbers c ... c + n of x and of the rows.
static void multiply_group(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                           const float *rows, size_t row, size_t cols, size_t n, bool first)
{
    const size_t tiles = parts_of(m, FEW_AT_ONCE);
    for (size_t t = 0; t < tiles; t++) {
        const size_t i = part_first(m, tiles, t), count = part_first(m, tiles, t + 1) - i;
        for (size_t j = 0, width; j < cols; j += width) {
            float sum[DOTS_MOST + LANES];
            // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): 1 to FEW_AT_ONCE rows
            width = j + dots_cols[count - 1] <= cols ? dots_cols[count - 1] : 1;
            dots_of[count - 1][width == 1](sum, x + i * x_row, x_row, rows + j * row, row, n);
            for (size_t a = 0; a < count; a++)
                for (size_t b = 0; b < width; b++) {
                    float *to = y + (i + a) * y_row + j + b;
                    *to = first ? sum[a * width + b] : *to + sum[a * width + b];
                }
        }
    }
}

// Rows from ... end of w.
static void multiply_rows(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                          WeightRows w, size_t from, size_t end)
{
    const bool as_they_lie = w.type == DTYPE_F32 && (uintptr_t)w.data % 4 == 0;
    const size_t cols = (size_t)w.cols, row = as_they_lie ? cols : CHUNK_ROW;
    const size_t group = m <= 2 ? 8 : GROUP;    // for few rows of x those of w stay in L1
    _Alignas(64) float floats[GROUP * CHUNK_ROW];
    for (size_t r = from, count; r < end; r += count) {
        count = MIN(group, end - r);
        for (size_t c = 0; c < MAX(cols, 1); c += CHUNK) {
            const size_t n = MIN(cols - c, (size_t)CHUNK);
            const float *rows = floats;
            if (as_they_lie) rows = (const float *)w.data + r * cols + c;
            else
                for (size_t j = 0; j < count; j++)
                    weights_to_floats(w.type, floats + j * CHUNK_ROW, weights_at(w, r + j, c), n);
            multiply_group(y + r, y_row, x + c, x_row, m, rows, row, count, n, c == 0);
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

static void multiply_floats(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                            WeightRows w, Activations activations)
{
    const size_t rows = (size_t)w.rows, cols = (size_t)w.cols, work = work_of(m, w);
    const size_t row =
        lines_of(cols) + 16;    // aligned, and not so that all rows begin in one set of L1
    float *copy = workspace(m * row);
    EACH_ROW(i, m, cols, LIGHT, copy_row(copy + i * row, x + i * x_row, cols, activations));
    const int threads = team_size(work, SERIAL);
    ON_TEAM(threads, work, SERIAL,
            multiply_rows(y, y_row, copy, row, m, w, rows * t / (size_t)threads,
                          rows * (t + 1) / (size_t)threads));
}

// ---- with rounded activations

#ifdef ROW_CODES
// Where LANES rows lie: beyond the end the last one again.
static void find_rows(const uint8_t *row[LANES], const uint8_t *first, size_t row_bytes,
                      size_t rows)
{
    for (size_t l = 0; l < LANES; l++) row[l] = first + MIN(l, rows - 1) * row_bytes;
}

static void multiply_few(float *y, size_t y_row, const XBlock *x, size_t m, int terms, WeightRows w,
                         size_t from, size_t end)
{
    const size_t row_bytes = (size_t)dtype_bytes(w.type, (uint64_t)w.cols);
    for (size_t r = from; r < end; r += LANES) {
        const uint8_t *row[LANES], *first = (const uint8_t *)w.data + r * row_bytes;
        find_rows(row, first, row_bytes, end - r);
        code_fews[w.type][terms - 1][m - 1](y + r, y_row, row, x, (size_t)w.cols / ACTIVATION_BLOCK,
                                            end - r, first + LANES * row_bytes + AHEAD);
    }
}

// Rows from ... end of w.
static void multiply_code_rows(float *y, size_t y_row, const XBlock *x, size_t m, int terms,
                               WeightRows w, size_t from, size_t end)
{
    const size_t blocks = (size_t)w.cols / ACTIVATION_BLOCK, x_blocks = blocks * (size_t)terms,
                 tiles = parts_of(m, tile_most(terms));
    const size_t row_bytes = (size_t)dtype_bytes(w.type, (uint64_t)w.cols);
    const CodeKind kind = code_type[w.type].kind;
    if (m <= few_most(terms)) {
        multiply_few(y, y_row, x, m, terms, w, from, end);
        return;
    }
    enum { ROWS = PANELS * LANES };
    CodePanel panels[PANELS * BLOCKS];
    for (size_t r = from; r < end; r += ROWS) {
        const size_t cols = MIN(end - r, (size_t)ROWS);
        const uint8_t *first = (const uint8_t *)w.data + r * row_bytes;
        for (size_t b = 0; b < MAX(blocks, 1); b += BLOCKS) {
            const size_t n = MIN(blocks - b, (size_t)BLOCKS),
                         at = (size_t)dtype_bytes(w.type, b * ACTIVATION_BLOCK);
            for (size_t p = 0; p < PANELS; p++) {
                const uint8_t *row[LANES];
                const size_t skip = MIN(p * LANES, cols - 1);
                find_rows(row, first + skip * row_bytes + at, row_bytes, cols - skip);
                panel_of[w.type](panels + p * BLOCKS, row, n,
                                 first + (PANELS + p) * LANES * row_bytes + LANES * at);
            }
            for (size_t t = 0; t < tiles; t++) {
                const size_t i = part_first(m, tiles, t), count = part_first(m, tiles, t + 1) - i;
                code_tiles[kind][terms - 1][count - 1](y + i * y_row + r, y_row, panels,
                                                       x + i * x_blocks + b * count * (size_t)terms,
                                                       n, cols, b == 0);
            }
        }
    }
}

static void write_row(XBlock *out, const float *x, size_t x_row, size_t m, int terms, WeightRows w,
                      size_t i)
{
    const size_t blocks = (size_t)w.cols / ACTIVATION_BLOCK,
                 tiles = m <= few_most(terms) ? 1 : parts_of(m, tile_most(terms));
    size_t t = 0;
    while (t + 1 < tiles && part_first(m, tiles, t + 1) <= i) t++;
    const size_t first = part_first(m, tiles, t), count = part_first(m, tiles, t + 1) - first;
    out += (first * blocks + (i - first)) * (size_t)terms;
    for (size_t b = 0; b < blocks; b++)
        write_block(out + b * count * (size_t)terms, x + i * x_row + b * ACTIVATION_BLOCK, terms,
                    code_type[w.type]);
}

static void multiply_codes(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                           int terms, WeightRows w)
{
    const size_t rows = (size_t)w.rows, cols = (size_t)w.cols, work = work_of(m, w),
                 groups = (rows + PANELS * LANES - 1) / (PANELS * LANES);
    XBlock *codes = (XBlock *)workspace(m * (size_t)terms * cols / ACTIVATION_BLOCK *
                                        (sizeof *codes / sizeof *x));
    EACH_ROW(i, m, cols, HEAVY, write_row(codes, x, x_row, m, terms, w, i));
    const int threads = team_size(work, SERIAL);
    ON_TEAM(threads, work, SERIAL,
            multiply_code_rows(y, y_row, codes, m, terms, w,
                               groups * t / (size_t)threads * PANELS * LANES,
                               MIN(groups * (t + 1) / (size_t)threads * PANELS * LANES, rows)));
}
#endif

void CPU(row_product)(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,
                      Activations activations)
{
    if (m == 0 || w.rows == 0) return;
    if (!weight_rows_in_blocks(w)) activations = ACTIVATIONS_F32;
#ifdef ROW_CODES
    if (activations != ACTIVATIONS_F32)
        multiply_codes(y, y_row, x, x_row, (size_t)m, activations == ACTIVATIONS_Q16 ? 2 : 1, w);
    else
#endif
        multiply_floats(y, y_row, x, x_row, (size_t)m, w, activations);    // rounded ones as floats
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
