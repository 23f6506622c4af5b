/* gates.c -- activations that let a part of their input through: GELU, SiLU, SwiGLU. */
#include "kernels/ref/ref.h"
#include <tgmath.h>

static double logistic(double x)
{
    const double e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

// Of an infinite x, 0 times infinity is left out: y is x or 0 there, and dy/dx 1 or 0.
#define FAR 1e4

// ---- GELU, the tanh form: y = x u, u = (1 + tanh(z)) / 2 = logistic(2 z)

static const double ROOT = 0.79788456080286535588, CUBIC = 0.044715;    // sqrt(2 / pi)

static double gelu(double x)
{
    if (fabs(x) > FAR) return x > 0 ? x : 0;
    return x * logistic(2 * ROOT * (x + CUBIC * x * x * x));
}

static double gelu_slope(double x)
{
    if (fabs(x) > FAR) return x > 0;
    const double u = logistic(2 * ROOT * (x + CUBIC * x * x * x));
    return u + x * u * (1 - u) * 2 * ROOT * (1 + 3 * CUBIC * x * x);
}

void ref_gelu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)gelu(x[i]);
}

void ref_gelu_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = blend(beta, &dx[i], dy[i] * gelu_slope(x[i]));
}

// ---- GELU

static double normal_below(double x)    // Phi
{
    return erfc(-x * 0.70710678118654752440) / 2;
}

void ref_gelu_erf(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (float)(fabs(x[i]) > FAR ? (x[i] > 0 ? x[i] : 0) : x[i] * normal_below(x[i]));
}

void ref_gelu_erf_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double at = x[i], density = 0.39894228040143267794 * exp(-at * at / 2);
        const double slope = fabs(at) > FAR ? at > 0 : normal_below(at) + at * density;
        dx[i] = blend(beta, &dx[i], dy[i] * slope);
    }
}

// ---- SiLU and SwiGLU

static double silu(double x)
{
    return fabs(x) > FAR ? (x > 0 ? x : 0) : x * logistic(x);
}

static double silu_slope(double x)
{
    const double u = logistic(x);
    return fabs(x) > FAR ? x > 0 : u + x * u * (1 - u);
}

void ref_silu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)silu(x[i]);
}

void ref_silu_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = blend(beta, &dx[i], dy[i] * silu_slope(x[i]));
}

void ref_swiglu(float *y, const float *x, int rows, int cols)
{
    for (size_t r = 0; r < (size_t)rows; r++) {
        const float *gate = x + 2 * r * cols, *up = gate + cols;
        for (int c = 0; c < cols; c++) y[r * cols + c] = (float)(silu(gate[c]) * up[c]);
    }
}

void ref_swiglu_backward(float *dx, const float *dy, const float *x, float beta, int rows, int cols)
{
    for (size_t r = 0; r < (size_t)rows; r++) {
        const float *gate = x + 2 * r * cols, *up = gate + cols;
        float *dgate = dx + 2 * r * cols, *dup = dgate + cols;
        for (int c = 0; c < cols; c++) {
            const double d = dy[r * cols + c];
            dgate[c] = blend(beta, &dgate[c], d * up[c] * silu_slope(gate[c]));
            dup[c] = blend(beta, &dup[c], d * silu(gate[c]));
        }
    }
}
