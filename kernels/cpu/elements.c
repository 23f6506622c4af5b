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

void CPU(mul)(float *y, const float *a, const float *b, size_t n)
{
    EACH(i, n, LIGHT, y[i] = a[i] * b[i]);
}

void CPU(mul_add)(float *y, const float *a, const float *b, size_t n)
{
    EACH(i, n, LIGHT, y[i] += a[i] * b[i]);
}

void CPU(scale)(float *y, const float *x, float alpha, size_t n)
{
    EACH(i, n, LIGHT, y[i] = alpha * x[i]);
}

void CPU(axpy)(float *y, const float *x, float alpha, size_t n)
{
    EACH(i, n, LIGHT, y[i] += alpha * x[i]);
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

void CPU(relu_backward)(float *dx, const float *dy, const float *y, size_t n)
{
    EACH(i, n, LIGHT, dx[i] += y[i] > 0.0f ? dy[i] : 0.0f);
}

void CPU(sigmoid_backward)(float *dx, const float *dy, const float *y, size_t n)
{
    EACH(i, n, LIGHT, dx[i] += dy[i] * y[i] * (1.0f - y[i]));
}

void CPU(tanh_backward)(float *dx, const float *dy, const float *y, size_t n)
{
    EACH(i, n, LIGHT, dx[i] += dy[i] * (1.0f - y[i] * y[i]));
}

void CPU(squared_error_backward)(float *dx, float scale, const float *x, const float *t, size_t n)
{
    EACH(i, n, LIGHT, dx[i] += 2.0f * scale * (x[i] - t[i]));
}

void CPU(bce_logits_backward)(float *dz, float scale, const float *z, const float *t, size_t n)
{
    EACH(i, n, HEAVY, dz[i] += scale * (fast_sigmoid(z[i]) - t[i]));
}

void CPU(sgd_step)(float *p, float *v, float *g, size_t n, SgdStep step)
{
    EACH(i, n, LIGHT,
         const float gradient = step.grad_scale * g[i] + step.decay * p[i];
         v[i] = step.momentum * v[i] + gradient;
         p[i] -= step.learning_rate * v[i];
         g[i] = 0.0f);
}

// One pass over the four arrays: the step is bound by memory, not by its square root.
// A dead unit's gradient is 0 for ever and its moments decay into denormal numbers, which the
// processor handles in microcode: they halved the speed of a whole training step after 700 steps.
// So moments this small are set to 0.
void CPU(adam_step)(float *p, float *m, float *v, float *g, size_t n, AdamStep step)
{
    const float unbias1 = 1.0f / step.correction1, unbias2 = 1.0f / step.correction2;
    EACH(i, n, HEAVY,
         const float gradient = step.grad_scale * g[i];
         const float first = step.beta1 * m[i] + (1.0f - step.beta1) * gradient;
         const float second = step.beta2 * v[i] + (1.0f - step.beta2) * gradient * gradient;
         m[i] = fabsf(first) < 1e-30f ? 0.0f : first;
         v[i] = second < 1e-30f ? 0.0f : second;
         const float direction = m[i] * unbias1 / (sqrtf(v[i] * unbias2) + step.epsilon);
         p[i] -= step.learning_rate * (direction + step.decay * p[i]);
         g[i] = 0.0f);
}
