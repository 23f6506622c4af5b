/* elements.c -- what is done element by element: arithmetic, activations, optimizers. */
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"

void CPU(fill)(float *y, float value, size_t n)
{
    EACH(i, n, LIGHT, y[i] = value);
}

void CPU(add)(float *y, const float *a, const float *b, size_t n)
{
    EACH(i, n, LIGHT, y[i] = a[i] + b[i]);
}

void CPU(mul)(float *y, const float *a, const float *b, float beta, size_t n)
{
    BLEND(i, n, LIGHT, beta, y[i], a[i] * b[i]);
}

void CPU(axpby)(float *y, const float *x, float alpha, float beta, size_t n)
{
    BLEND(i, n, LIGHT, beta, y[i], alpha * x[i]);
}

void CPU(axpby_scalar)(float *y, const float *x, const float *alpha, float beta, size_t n)
{
    CPU(axpby)(y, x, alpha[0], beta, n);
}

void CPU(exp)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_exp(x[i]));
}

void CPU(relu)(float *y, const float *x, size_t n)
{
    EACH(i, n, LIGHT, y[i] = x[i] < 0.0f ? 0.0f : x[i]);
}

void CPU(sigmoid)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_sigmoid(x[i]));
}

void CPU(tanh)(float *y, const float *x, size_t n)
{
    EACH(i, n, HEAVY, y[i] = fast_tanh(x[i]));
}

void CPU(relu_backward)(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    BLEND(i, n, LIGHT, beta, dx[i], y[i] > 0.0f ? dy[i] : 0.0f);
}

void CPU(sigmoid_backward)(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    BLEND(i, n, LIGHT, beta, dx[i], dy[i] * y[i] * (1.0f - y[i]));
}

void CPU(tanh_backward)(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    BLEND(i, n, LIGHT, beta, dx[i], dy[i] * (1.0f - y[i] * y[i]));
}

void CPU(squared_error_backward)(float *dx, const float *dloss, float factor, const float *x,
                                 const float *t, float beta, size_t n)
{
    const float scale = 2.0f * factor * dloss[0];
    BLEND(i, n, LIGHT, beta, dx[i], scale * (x[i] - t[i]));
}

void CPU(bce_logits_backward)(float *dz, const float *dloss, float factor, const float *z,
                              const float *t, float beta, size_t n)
{
    const float scale = factor * dloss[0];
    BLEND(i, n, HEAVY, beta, dz[i], scale * (fast_sigmoid(z[i]) - t[i]));
}

// A dead unit's gradient is 0 for ever and its moments decay into denormal numbers, which the
// processor handles in microcode: they halved the speed of a whole training step after 700 steps.
// So moments this small are set to 0. A second moment is a square and means something down to the least
// normal number: with an epsilon of 1e-15 a gradient's is 1e-31, and without it the step has no bound.
#define FLUSHED(moment)        (fabsf(moment) < 1e-30f ? 0.0f : (moment))
#define FLUSHED_SQUARE(moment) ((moment) < 0x1p-126f ? 0.0f : (moment))

// The elements of each span, with its numbers in `span`.
#define EACH_SPAN(i, spans, count, n, enough, ...)                                                 \
    for (size_t s_ = 0, first_ = 0; s_ < (size_t)(count); s_++) {                                  \
        const Span span = (spans)[s_];                                                             \
        const size_t end_ = MIN(span.end, n), length_ = end_ > first_ ? end_ - first_ : 0;         \
        EACH(e_, length_, enough, const size_t i = first_ + e_; __VA_ARGS__);                      \
        first_ += length_;                                                                         \
    }

void CPU(sgd_step)(float *p, float *v, const float *g, const float *scale, const Span *spans,
                   int count, size_t n, SgdStep step)
{
    const float clip = scale ? scale[0] : 1.0f;
    EACH_SPAN(i, spans, count, n, LIGHT,
              const float moment = step.momentum * v[i] + (clip * g[i] + span.decay * p[i]);
              v[i] = FLUSHED(moment); p[i] -= span.rate * step.learning_rate * v[i])
}

// One pass over the four arrays: the step is bound by memory, not by its square root.
void CPU(adam_step)(float *p, float *m, float *v, const float *g, const float *scale,
                    const Span *spans, int count, size_t n, AdamStep step)
{
    const float unbias1 = 1.0f / step.correction1, unbias2 = 1.0f / step.correction2;
    const float clip = scale ? scale[0] : 1.0f;
    EACH_SPAN(i, spans, count, n, 2 * HEAVY, const float gradient = clip * g[i];
              const float first = step.beta1 * m[i] + (1.0f - step.beta1) * gradient;
              const float second = step.beta2 * v[i] + (1.0f - step.beta2) * gradient * gradient;
              m[i] = FLUSHED(first); v[i] = FLUSHED_SQUARE(second);
              const float direction = m[i] * unbias1 / (sqrtf(v[i] * unbias2) + step.epsilon);
              p[i] -= span.rate * step.learning_rate * (direction + span.decay * p[i]))
}
