// optimizers.cu -- one step on a block of parameters, in one launch.
#include "kernels/cuda/each.cuh"

// The part that parameter i belongs to: the first that ends behind it, or NULL.
static __device__ const Span *span_of(size_t i, const Span *spans, int count)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (spans[middle].end > i) high = middle;
        else low = middle + 1;
    }
    return low < count ? spans + low : nullptr;
}

void cuda_sgd_step(float *p, float *v, const float *g, const float *scale, const Span *spans,
                   int count, size_t n, SgdStep step)
{
    for_each(n, [=] __device__(size_t i) {
        const Span *span = span_of(i, spans, count);
        if (!span) return;
        const float gradient = (scale ? scale[0] : 1) * g[i] + span->decay * p[i];
        v[i] = step.momentum * v[i] + gradient;
        p[i] -= span->rate * step.learning_rate * v[i];
    });
}

void cuda_adam_step(float *p, float *m, float *v, const float *g, const float *scale,
                    const Span *spans, int count, size_t n, AdamStep step)
{
    for_each(n, [=] __device__(size_t i) {
        const Span *span = span_of(i, spans, count);
        if (!span) return;
        const float gradient = (scale ? scale[0] : 1) * g[i];
        m[i] = step.beta1 * m[i] + (1 - step.beta1) * gradient;
        v[i] = step.beta2 * v[i] + (1 - step.beta2) * gradient * gradient;
        const float direction =
            (m[i] / step.correction1) / (sqrtf(v[i] / step.correction2) + step.epsilon);
        p[i] -= span->rate * step.learning_rate * (direction + span->decay * p[i]);
    });
}
