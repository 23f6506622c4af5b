/* row_product.c -- rows of weights times x. See row_product.h: what decides a number's bits.
 *
 * With rounded activations whole numbers are multiplied, code_tile.h, otherwise floats: float_rows.c.
 */
#include "kernels/cpu/code_tile.h"
#include "kernels/cpu/float_rows.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/workspace.h"

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
                                            end - r, first + LANES * row_bytes + BYTES_AHEAD);
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
    enum { COLS = PANELS * LANES };
    CodePanel panels[PANELS * BLOCKS];
    for (size_t r = from; r < end; r += COLS) {
        const size_t cols = MIN(end - r, (size_t)COLS);
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
    const size_t rows = (size_t)w.rows, cols = (size_t)w.cols, work = rows_work(m, w),
                 groups = (rows + PANELS * LANES - 1) / (PANELS * LANES);
    XBlock *codes = (XBlock *)workspace(m * (size_t)terms * cols / ACTIVATION_BLOCK *
                                        (sizeof *codes / sizeof *x));
    EACH_ROW(i, m, cols, HEAVY, write_row(codes, x, x_row, m, terms, w, i));
    const int threads = team_size(work, ROWS_SERIAL);
    ON_TEAM(threads, work, ROWS_SERIAL,
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
        BASE(float_rows_product)
    (y, y_row, x, x_row, (size_t)m, w, activations);    // rounded ones as floats
}
