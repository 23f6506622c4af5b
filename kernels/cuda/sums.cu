// sums.cu -- reductions to one number.
#include "kernels/cuda/total.cuh"

void cuda_sum(float *y, const float *x, size_t n)
{
    reduce(
        n, [=] __device__(size_t i) { return (double)x[i]; },
        [=] __device__(double sum) { *y = (float)sum; });
}

void cuda_sum_squares(float *y, const float *x, size_t n)
{
    reduce(
        n, [=] __device__(size_t i) { return (double)x[i] * x[i]; },
        [=] __device__(double sum) { *y = (float)sum; });
}

void cuda_squared_error(float *y, const float *x, const float *t, size_t n)
{
    reduce(
        n,
        [=] __device__(size_t i) {
            const double error = (double)x[i] - t[i];
            return error * error;
        },
        [=] __device__(double sum) { *y = (float)sum; });
}

// -t log s - (1-t) log(1-s) with s = sigmoid(z), rewritten so that no log meets a 0.
void cuda_bce_logits(float *y, const float *z, const float *t, size_t n)
{
    reduce(
        n,
        [=] __device__(size_t i) {
            return (z[i] > 0 ? z[i] : 0) - (double)z[i] * t[i] + log1pf(expf(-fabsf(z[i])));
        },
        [=] __device__(double sum) { *y = (float)sum; });
}

void cuda_label_factor(float *y, const int32_t *label, size_t n)
{
    reduce(
        n, [=] __device__(size_t i) { return (double)(label[i] >= 0); },
        [=] __device__(double sum) { *y = sum > 0 ? 1 / (float)sum : 0; });
}

// |g| stays in double until both are written (list.h).
void cuda_clip_scale(float *clip, const float *g, size_t n, float max_norm)
{
    reduce(
        n, [=] __device__(size_t i) { return (double)g[i] * g[i]; },
        [=] __device__(double squares) {
            const double norm = sqrt(squares);
            clip[1] = (float)norm;
            clip[0] = (float)(norm > max_norm ? max_norm / norm : 1);
        });
}
