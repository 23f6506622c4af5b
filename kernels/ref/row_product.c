/* row_product.c -- rows of weights that are stored in blocks. */
#include <math.h>
#include "kernels/ref/ref.h"

enum { BLOCK_MOST = 256 };    // numbers in a block of any type

// Numbers from .. of row r of w; returns how many: a block, or of plain types as many as fit.
static int read_block(float *out, WeightRows w, int r, int from)
{
    const DTypeInfo *info = &dtype_info[w.type];
    const int most = BLOCK_MOST / (int)info->block * (int)info->block;
    const int count = w.cols - from < most ? w.cols - from : most;
    const size_t at = ((size_t)r * (size_t)w.cols + (size_t)from) / info->block * info->bytes;
    dtype_to_floats(w.type, out, (const char *)w.data + at, (size_t)count);
    return count;
}

static void round_block(float *out, const float *x, Activations activations)
{
    float largest = 0;
    for (int i = 0; i < ACTIVATION_BLOCK; i++)
        if (!(fabsf(x[i]) <= largest)) largest = isnan(x[i]) ? INFINITY : fabsf(x[i]);
    const float scale = activation_scale(largest);
    for (int i = 0; i < ACTIVATION_BLOCK; i++)
        out[i] = isnan(scale) ? scale : activation_rounded(x[i], scale, activations);
}

void ref_row_product(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,
                     Activations activations)
{
    const bool rounded = activations != ACTIVATIONS_F32 && weight_rows_in_blocks(w);
    float block[BLOCK_MOST], of_x[BLOCK_MOST];
    for (int i = 0; i < m; i++)
        for (int r = 0; r < w.rows; r++) {
            double sum = 0;
            for (int c = 0, count; c < w.cols; c += count) {
                const float *from = x + (size_t)i * x_row + c;
                count = read_block(block, w, r, c);
                for (int p = 0; rounded && p < count; p += ACTIVATION_BLOCK)
                    round_block(of_x + p, from + p, activations);
                if (rounded) from = of_x;
                for (int p = 0; p < count; p++) sum += (double)block[p] * from[p];
            }
            y[(size_t)i * y_row + (size_t)r] = (float)sum;
        }
}

void ref_rows_read(float *y, WeightRows w, const int32_t *index, int count)
{
    for (int i = 0; i < count; i++, y += w.cols)
        for (int c = 0; c < w.cols;) c += read_block(y + c, w, index[i], c);
}

void ref_rows_write(void *out, DType type, const float *x, int rows, int cols)
{
    dtype_from_floats(type, out, x, (size_t)rows * (size_t)cols);
}
