/* ref.c -- every kernel as the plainest loop that is right: what the others are held against.
 *
 * Sums are accumulated in double and rounded once. Functions come from <tgmath.h>, so that the
 * tests can compile this same file with `float` defined as double and have a second, finer
 * reference for gradients. Families with a file of their own: ref.h.
 */
#include "kernels/ref/ref.h"
#include "kernels/philox.h"
#include <tgmath.h>

// ---- matrix products

static void ref_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                       int n, int k, float beta)
{
    for (size_t s = 0; s < (size_t)batch; s++)
        for (size_t i = 0; i < (size_t)m; i++)
            for (size_t j = 0; j < (size_t)n; j++) {
                double sum = 0;
                for (size_t p = 0; p < (size_t)k; p++)
                    sum += (double)a.data[s * a.batch + i * a.row + p * a.col] *
                           b.data[s * b.batch + p * b.row + j * b.col];
                float *out = &c[s * c_batch + i * c_row + j];
                *out = blend(beta, out, sum);
            }
}

// ---- element by element

static void ref_fill(float *y, float value, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = value;
}

static void ref_add(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void ref_mul(float *y, const float *a, const float *b, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = blend(beta, &y[i], a[i] * b[i]);
}

static void ref_axpby(float *y, const float *x, float alpha, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = blend(beta, &y[i], alpha * x[i]);
}

static void ref_axpby_scalar(float *y, const float *x, const float *alpha, float beta, size_t n)
{
    ref_axpby(y, x, alpha[0], beta, n);
}

static void ref_exp(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = exp(x[i]);
}

static void ref_relu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];    // this way round, NaN is kept
}

// Only exp of a negative number is taken, so that nothing overflows.
static float sigmoid(float x)
{
    float e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static void ref_sigmoid(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = sigmoid(x[i]);
}

static void ref_tanh(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = tanh(x[i]);
}

// ---- backward of the activations

static void ref_relu_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = blend(beta, &dx[i], y[i] > 0 ? dy[i] : 0);
}

static void ref_sigmoid_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = blend(beta, &dx[i], dy[i] * y[i] * (1 - y[i]));
}

static void ref_tanh_backward(float *dx, const float *dy, const float *y, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = blend(beta, &dx[i], dy[i] * (1 - y[i] * y[i]));
}

// ---- rows and columns

static void ref_add_row(float *y, const float *x, const float *b, int rows, int cols)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t c = 0; c < (size_t)cols; c++) y[r * cols + c] = x[r * cols + c] + b[c];
}

static void ref_sum_rows(float *y, const float *x, int rows, int cols, float beta)
{
    for (size_t c = 0; c < (size_t)cols; c++) {
        double sum = 0;
        for (size_t r = 0; r < (size_t)rows; r++) sum += x[r * cols + c];
        y[c] = blend(beta, &y[c], sum);
    }
}

// p = softmax(z) of one row; returns -log p of the logit `right`. Subtracting the row's maximum
// changes nothing and keeps exp finite.
static double softmax_row(float *p, const float *z, size_t cols, double right)
{
    float max = -INFINITY;
    for (size_t c = 0; c < cols; c++)
        if (z[c] > max) max = z[c];

    double sum = 0;
    for (size_t c = 0; c < cols; c++) sum += p[c] = exp(z[c] - max);

    for (size_t c = 0; c < cols; c++) p[c] = (float)(p[c] / sum);
    return log(sum) + (max - right);    // the logits first: log 2 is lost beside 1e30
}

static void ref_transpose(float *y, size_t y_row, const float *x, int rows, int cols)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t c = 0; c < (size_t)cols; c++) y[c * y_row + r] = x[r * (size_t)cols + c];
}

static void ref_softmax_rows(float *y, const float *x, int rows, int cols)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        softmax_row(&y[r * cols], &x[r * cols], (size_t)cols, 0);
}

// ---- reductions

static void ref_sum(float *y, const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    *y = (float)sum;
}

static void ref_sum_squares(float *y, const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
    *y = (float)sum;
}

static void ref_squared_error(float *y, const float *x, const float *t, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double error = (double)x[i] - t[i];
        sum += error * error;
    }
    *y = (float)sum;
}

// ---- losses over logits

// -t log s - (1-t) log(1-s) with s = sigmoid(z), rewritten so that no log meets a 0.
static void ref_bce_logits(float *y, const float *z, const float *t, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (z[i] > 0 ? z[i] : 0) - (double)z[i] * t[i] + log1p(exp(-fabs(z[i])));
    *y = (float)sum;
}

static void ref_cross_entropy(float *y, float *p, const float *z, const int32_t *label, int rows,
                              int cols)
{
    double sum = 0;
    for (size_t r = 0; r < (size_t)rows; r++) {
        const double right = label[r] < 0 ? 0 : z[r * cols + label[r]];    // p may be z
        const double loss = softmax_row(&p[r * cols], &z[r * cols], (size_t)cols, right);
        if (label[r] >= 0) sum += loss;
    }
    *y = (float)sum;
}

static void ref_squared_error_backward(float *dx, const float *dloss, float factor, const float *x,
                                       const float *t, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = blend(beta, &dx[i], 2 * factor * dloss[0] * (x[i] - t[i]));
}

static void ref_bce_logits_backward(float *dz, const float *dloss, float factor, const float *z,
                                    const float *t, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dz[i] = blend(beta, &dz[i], factor * dloss[0] * (sigmoid(z[i]) - t[i]));
}

static void ref_cross_entropy_backward(float *dz, const float *dloss, float factor, const float *p,
                                       const int32_t *label, int rows, int cols, float beta)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t c = 0; c < (size_t)cols; c++)
            dz[r * cols + c] = blend(
                beta, &dz[r * cols + c],
                label[r] < 0 ? 0 : factor * dloss[0] * (p[r * cols + c] - (c == (size_t)label[r])));
}

// ---- optimizers

static void ref_clip_scale(float *clip, const float *g, size_t n, float max_norm)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)g[i] * g[i];
    double norm = sqrt(squares);
    clip[1] = (float)norm;
    clip[0] = (float)(norm > max_norm ? max_norm / norm : 1);
}

// Sutskever et al. 2013; weight decay is the gradient of decay |p|^2 / 2.
static void ref_sgd_step(float *p, float *v, const float *g, const float *scale, const Span *spans,
                         int count, size_t n, SgdStep step)
{
    size_t i = 0;
    for (int s = 0; s < count; s++)
        for (; i < spans[s].end && i < n; i++) {
            float gradient = (scale ? scale[0] : 1) * g[i] + spans[s].decay * p[i];
            v[i] = step.momentum * v[i] + gradient;
            p[i] -= spans[s].rate * step.learning_rate * v[i];
        }
}

// Loshchilov & Hutter 2019, Algorithm 2: the decay bypasses the moments.
static void ref_adam_step(float *p, float *m, float *v, const float *g, const float *scale,
                          const Span *spans, int count, size_t n, AdamStep step)
{
    size_t i = 0;
    for (int s = 0; s < count; s++)
        for (; i < spans[s].end && i < n; i++) {
            float gradient = (scale ? scale[0] : 1) * g[i];
            m[i] = step.beta1 * m[i] + (1 - step.beta1) * gradient;
            v[i] = step.beta2 * v[i] + (1 - step.beta2) * gradient * gradient;
            float direction =
                (m[i] / step.correction1) / (sqrt(v[i] / step.correction2) + step.epsilon);
            p[i] -= spans[s].rate * step.learning_rate * (direction + spans[s].decay * p[i]);
        }
}

// ---- random numbers

static uint32_t random_word(Draw draw, size_t i)
{
    return philox(draw, i / 4).word[i % 4];
}

static void ref_random_uniform(float *y, Draw draw, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = philox_uniform(random_word(draw, i));
}

static void ref_random_normal(float *y, Draw draw, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        PhiloxPair pair = philox_normal(random_word(draw, i), random_word(draw, i + 1));
        y[i] = pair.first;
        if (i + 1 < n) y[i + 1] = pair.second;
    }
}

// Srivastava et al. 2014, with the factor at training as everybody has it now.
static void ref_dropout(float *y, const float *x, float p, Draw draw, float beta, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float value = philox_dropout(random_word(draw, i), x[i], p, 1 / (1 - p));
        y[i] = beta == 0 ? value : philox_blend(beta, y[i], value);
    }
}

#define ENTRY(name, prototype, arguments, work) .name = ref_##name,
#define REF_TABLE                                                                                  \
    {                                                                                              \
        .variant = "plain", KERNEL_LIST(ENTRY)                                                     \
    }

const Kernels kernels_ref = REF_TABLE;

// The table in use is ref's from the first instruction on: nothing has to run to make it so.
Kernels kernels = REF_TABLE;
