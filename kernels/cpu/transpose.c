/* transpose.c -- y[c,r] = x[r,c], a block of LANES x LANES in registers at a time. */
#include "kernels/cpu/transpose.h"
#include "kernels/cpu/loops.h"

// Rows of y from `first` on, at most LANES of them.
static void transpose_columns(float *y, size_t y_row, const float *x, size_t rows, size_t cols,
                              size_t first)
{
    const size_t width = MIN(LANES, cols - first);
    for (size_t r = 0; r < rows; r += LANES) {
        const size_t height = MIN(LANES, rows - r);
        Vec block[LANES];
        for (size_t l = 0; l < LANES; l++)
            block[l] = l < height ? load_some(x + (r + l) * cols + first, width) : (Vec){0};
        transpose(block);
        for (size_t l = 0; l < width; l++)
            store_some(y + (first + l) * y_row + r, block[l], height);
    }
}

void CPU(transpose)(float *y, size_t y_row, const float *x, int rows, int cols)
{
    const size_t m = (size_t)rows, n = (size_t)cols;
    EACH_ROW(b, (n + LANES - 1) / LANES, m * LANES, LIGHT,
             transpose_columns(y, y_row, x, m, n, b * LANES));
}
