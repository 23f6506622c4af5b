/* gates.c -- GELU, SiLU and SwiGLU: one pass at the speed of memory, or nearly. */
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"

void CPU(gelu)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_gelu(x[i]));
}

void CPU(gelu_backward)(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    BLEND(i, n, HEAVY, beta, dx[i], dy[i] * fast_gelu_slope(x[i]));
}

void CPU(gelu_erf)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_gelu_erf(x[i]));
}

void CPU(gelu_erf_backward)(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    BLEND(i, n, HEAVY, beta, dx[i], dy[i] * fast_gelu_erf_slope(x[i]));
}

void CPU(silu)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_silu(x[i]));
}

void CPU(silu_backward)(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    BLEND(i, n, HEAVY, beta, dx[i], dy[i] * fast_silu_slope(x[i]));
}

static void swiglu_row(float *y, const float *gate, const float *up, size_t cols)
{
#pragma omp simd
    for (size_t c = 0; c < cols; c++) y[c] = fast_silu(gate[c]) * up[c];
}

void CPU(swiglu)(float *y, const float *x, int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, n, HEAVY, swiglu_row(y + r * n, x + 2 * r * n, x + (2 * r + 1) * n, n));
}

static void swiglu_backward_row(float *dgate, float *dup, const float *dy, const float *gate,
                                const float *up, float beta, size_t cols)
{
#pragma omp simd
    for (size_t c = 0; c < cols; c++) {
        const float dg = dy[c] * fast_silu_slope(gate[c]) * up[c], du = dy[c] * fast_silu(gate[c]);
        dgate[c] = beta == 0.0f ? dg : beta * dgate[c] + dg;
        dup[c] = beta == 0.0f ? du : beta * dup[c] + du;
    }
}

void CPU(swiglu_backward)(float *dx, const float *dy, const float *x, float beta, int rows,
                          int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, n, HEAVY,
             swiglu_backward_row(dx + 2 * r * n, dx + (2 * r + 1) * n, dy + r * n, x + 2 * r * n,
                                 x + (2 * r + 1) * n, beta, n));
}
