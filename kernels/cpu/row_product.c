/* row_product.c -- rows of weights times floats. See row_product.h: what decides a number's bits.
 *
 * A row is cut into chunks of a fixed length. Those of a group of rows become floats, in L2, and meet one
 * tile of x after the other as dot products (dots.h); a chunk's sum is added to what y holds. With 8-bit
 * activations whole numbers are multiplied instead: row_codes.c.
 */
#include "kernels/cpu/dots.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/row_codes.h"
#include "kernels/cpu/row_floats.h"
#include "kernels/cpu/workspace.h"

enum {
    CHUNK = 768,                   // numbers of a row in a sum: a multiple of every block
    CHUNK_ROW = CHUNK + 16,        // floats apart: not so that all rows begin in one set of L1
    SERIAL = 16 * 1024 * LANES,    // multiplications below which waking a thread costs more
    SAME_SET = 128,                // rows of x so many floats apart leave parts of L1 unused
};

static const uint8_t *weights_at(WeightRows w, size_t r, size_t c)
{
    const DTypeInfo *info = &dtype_info[w.type];
    return (const uint8_t *)w.data + (r * (size_t)w.cols + c) / info->block * info->bytes;
}

// y[:, from ... from + cols] for numbers c ... c + n of x and of the rows.
static void multiply_group(float *y, size_t y_row, const float *x, size_t x_row, size_t m,
                           const float *rows, size_t row, size_t cols, size_t n, bool first)
{
    for (size_t i = 0, count; i < m; i += count) {
        count = MIN(m - i, (size_t)FEW_AT_ONCE);
        for (size_t j = 0, width; j < cols; j += width) {
            float sum[DOTS_MOST + LANES];
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
    const size_t cols = (size_t)w.cols, group = m == 1 ? 8 : GROUP;
    const bool as_they_lie = w.type == DTYPE_F32 && m <= FEW_AT_ONCE && (uintptr_t)w.data % 4 == 0;
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
            multiply_group(y + r, y_row, x + c, x_row, m, rows, as_they_lie ? cols : CHUNK_ROW,
                           count, n, c == 0);
        }
    }
}

#ifndef ROW_CODES
static void round_activations(float *out, const float *x, size_t cols)
{
    for (size_t c = 0; c < cols; c += ACTIVATION_BLOCK, x += ACTIVATION_BLOCK) {
        float largest = 0;
        for (int i = 0; i < ACTIVATION_BLOCK; i++)
            if (!(fabsf(x[i]) <= largest)) largest = isnan(x[i]) ? INFINITY : fabsf(x[i]);
        const float scale = activation_scale(largest), inverse = activation_inverse(scale);
        for (int i = 0; i < ACTIVATION_BLOCK; i++) *out++ = scale * rintf(x[i] * inverse);
    }
}
#endif

void CPU(row_product)(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,
                      Activations activations)
{
    const size_t rows = (size_t)w.rows, cols = (size_t)w.cols, count = (size_t)m;
    const bool rounded = activations == ACTIVATIONS_Q8 && weight_rows_in_blocks(w);
    if (m == 0 || rows == 0) return;
#ifdef ROW_CODES
    if (rounded) {
        multiply_codes(y, y_row, x, x_row, count, w);
        return;
    }
#endif
    if (rounded || (m > 1 && x_row % SAME_SET == 0)) {
        const size_t row = lines_of(cols) + 16;
        float *copy = workspace(count * row);
        for (size_t i = 0; i < count; i++) {
#ifndef ROW_CODES
            if (rounded) round_activations(copy + i * row, x + i * x_row, cols);
            else
#endif
                memcpy(copy + i * row, x + i * x_row, cols * sizeof *x);
        }
        x = copy;
        x_row = row;
    }
    const size_t work = count * rows * cols;
    const int threads = team_size(work, SERIAL);
    ON_TEAM(threads, work, SERIAL,
            multiply_rows(y, y_row, x, x_row, count, w, rows * t / (size_t)threads,
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
