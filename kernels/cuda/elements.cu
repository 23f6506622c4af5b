// elements.cu -- element by element, forward and backward.
#include "kernels/cuda/each.cuh"

void cuda_fill(float *y, float value, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = value; });
}

void cuda_add(float *y, const float *a, const float *b, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = a[i] + b[i]; });
}

void cuda_mul(float *y, const float *a, const float *b, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = blend(beta, &y[i], a[i] * b[i]); });
}

void cuda_axpby(float *y, const float *x, float alpha, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = blend(beta, &y[i], alpha * x[i]); });
}

void cuda_axpby_scalar(float *y, const float *x, const float *alpha, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = blend(beta, &y[i], alpha[0] * x[i]); });
}

void cuda_exp(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = expf(x[i]); });
}

void cuda_relu(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = x[i] < 0 ? 0 : x[i]; });    // NaN is kept
}

// Only exp of a negative number is taken, so that nothing overflows.
static __device__ float sigmoid(float x)
{
    const float e = expf(-fabsf(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

void cuda_sigmoid(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = sigmoid(x[i]); });
}

void cuda_tanh(float *y, const float *x, size_t n)
{
    for_each(n, [=] __device__(size_t i) { y[i] = tanhf(x[i]); });
}

// ---- backward

void cuda_relu_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) { dx[i] = blend(beta, &dx[i], y[i] > 0 ? dy[i] : 0); });
}

void cuda_sigmoid_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for_each(n,
             [=] __device__(size_t i) { dx[i] = blend(beta, &dx[i], dy[i] * y[i] * (1 - y[i])); });
}

void cuda_tanh_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for_each(n,
             [=] __device__(size_t i) { dx[i] = blend(beta, &dx[i], dy[i] * (1 - y[i] * y[i])); });
}

void cuda_squared_error_backward(float *dx, const float *dloss, float factor, const float *x,
                                 const float *t, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) {
        dx[i] = blend(beta, &dx[i], 2 * factor * dloss[0] * (x[i] - t[i]));
    });
}

void cuda_bce_logits_backward(float *dz, const float *dloss, float factor, const float *z,
                              const float *t, float beta, size_t n)
{
    for_each(n, [=] __device__(size_t i) {
        dz[i] = blend(beta, &dz[i], factor * dloss[0] * (sigmoid(z[i]) - t[i]));
    });
}
