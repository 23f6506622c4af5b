// gates.cu -- activations that let a part of their input through: GELU, SiLU, SwiGLU.
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/logistic.cuh"

// Of an infinite x, 0 times infinity is left out: y is x or 0 there, and dy/dx 1 or 0.
static __device__ bool is_far(float x)
{
    return fabsf(x) > 1e4f;
}

static __device__ float far_gate(float x)
{
    return x > 0 ? x : 0;
}

// ---- GELU, the tanh form: y = x u, u = (1 + tanh(z)) / 2 = logistic(2 z)

constexpr float TWO_ROOT = 2 * 0.79788456080286535588f, CUBIC = 0.044715f;    // 2 sqrt(2 / pi)

static __device__ float gelu(float x)
{
    return is_far(x) ? far_gate(x) : x * logistic(TWO_ROOT * (x + CUBIC * x * x * x));
}

static __device__ float gelu_slope(float x)
{
    if (is_far(x)) return x > 0;
    const float z = TWO_ROOT * (x + CUBIC * x * x * x);
    const float u = logistic(z), rest = logistic(-z);    // 1 - u would lose its digits
    return u + x * u * rest * TWO_ROOT * (1 + 3 * CUBIC * x * x);
}

void cuda_gelu(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = gelu(x[i]); });
}

void cuda_gelu_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for_each(n,
             [=] __device__(size_t i) { dx[i] = blend(beta, &dx[i], dy[i] * gelu_slope(x[i])); });
}

// ---- GELU

static __device__ float normal_below(float x)    // Phi
{
    return erfcf(-x * 0.70710678118654752440f) / 2;
}

void cuda_gelu_erf(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) {
        y[i] = is_far(x[i]) ? far_gate(x[i]) : x[i] * normal_below(x[i]);
    });
}

void cuda_gelu_erf_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) {
        const float at = x[i], density = 0.39894228040143267794f * expf(-at * at / 2);
        const float slope = is_far(at) ? at > 0 : normal_below(at) + at * density;
        dx[i] = blend(beta, &dx[i], dy[i] * slope);
    });
}

// ---- SiLU and SwiGLU

static __device__ float silu(float x)
{
    return is_far(x) ? far_gate(x) : x * logistic(x);
}

static __device__ float silu_slope(float x)
{
    if (is_far(x)) return x > 0;
    const float u = logistic(x);
    return u + x * u * logistic(-x);
}

void cuda_silu(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = silu(x[i]); });
}

void cuda_silu_backward(float *dx, const float *dy, const float *x, float beta, size_t n)
{
    for_each(n,
             [=] __device__(size_t i) { dx[i] = blend(beta, &dx[i], dy[i] * silu_slope(x[i])); });
}

void cuda_swiglu(float *y, const float *x, int rows, int cols)
{
    for_each((size_t)rows * cols, [=] __device__(size_t i) {
        const float *gate = x + i / cols * 2 * cols + i % cols;
        y[i] = silu(gate[0]) * gate[cols];
    });
}

void cuda_swiglu_backward(float *dx, const float *dy, const float *x, float beta, int rows,
                          int cols)
{
    for_each((size_t)rows * cols, [=] __device__(size_t i) {
        const size_t at = i / cols * 2 * cols + i % cols;
        const float gate = x[at], up = x[at + cols];
        dx[at] = blend(beta, &dx[at], dy[i] * up * silu_slope(gate));
        dx[at + cols] = blend(beta, &dx[at + cols], dy[i] * silu(gate));
    });
}
