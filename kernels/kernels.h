/* kernels.h -- the work itself: naked functions on pointers and sizes, one table per backend.
 *
 *     const char *why;
 *     if (!kernels_use("cpu", &why)) return fail(why);    // once, at start
 *     matmul(c, a, b, m, n, k, 0.0f);                     // then from anywhere
 *
 * Arrays are dense, row-major and owned by the caller. Kernels trust their arguments: shapes are
 * checked once, by the op that calls (common/ops.c). Any size may be 0. An output never overlaps
 * an input unless the line says "in place".  "+=" accumulates: that is how a gradient is summed
 * over all the uses of a tensor.
 *
 * `ref` is complete and the plainest; a faster backend fills in what it does better and inherits
 * the rest. To add a kernel: a line here, its loop in ref/ref.c, its op, its test.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One AdamW step's numbers (Loshchilov & Hutter 2019, Algorithm 2; Adam when decay is 0).
typedef struct AdamStep {
    float learning_rate, beta1, beta2, epsilon, decay;
    float correction1, correction2;    // 1 - beta1^t and 1 - beta2^t, for the step t = 1, 2, ...
    float grad_scale;                  // multiplies every gradient: the clip; 1 leaves them
} AdamStep;

// One SGD step's numbers (momentum as in Sutskever et al. 2013, without Nesterov).
typedef struct SgdStep {
    float learning_rate, momentum, decay;
    float grad_scale;
} SgdStep;

// A strided, batched matrix, borrowed: element (i,j) of matrix b is data[b * batch + i * row + j * col].
typedef struct Mat {
    const float *data;
    size_t row, col, batch;
} Mat;

// clang-format off
#define KERNEL_LIST(X)                                                                             \
  /* matrix products; c's elements of a row are adjacent; beta = 0 never reads c                */ \
  /* c[b,i,j] = beta c[b,i,j] + sum_k a[b,i,k] b[b,k,j] */ X(matmul, (float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n, int k, float beta)) \
  /* element by element; y may be a or x, in place                                              */ \
  /* y[i]   = value                        */ X(fill,      (float *y, float value, size_t n)) \
  /* y[i]   = a[i] + b[i]                  */ X(add,       (float *y, const float *a, const float *b, size_t n)) \
  /* y[i]   = a[i] * b[i]                  */ X(mul,       (float *y, const float *a, const float *b, size_t n)) \
  /* y[i]  += a[i] * b[i]                  */ X(mul_add,   (float *y, const float *a, const float *b, size_t n)) \
  /* y[i]   = alpha x[i]                   */ X(scale,     (float *y, const float *x, float alpha, size_t n)) \
  /* y[i]  += alpha x[i]                   */ X(axpy,      (float *y, const float *x, float alpha, size_t n)) \
  /* y[i]   = exp(x[i])                    */ X(exp,       (float *y, const float *x, size_t n)) \
  /* y[i]   = max(x[i], 0); NaN stays NaN  */ X(relu,      (float *y, const float *x, size_t n)) \
  /* y[i]   = 1 / (1 + exp(-x[i]))         */ X(sigmoid,   (float *y, const float *x, size_t n)) \
  /* y[i]   = tanh(x[i])                   */ X(tanh,      (float *y, const float *x, size_t n)) \
  /* activations' backward, from the output y; dx += dy * dy/dx                                 */ \
  /* dx[i] += y[i] > 0 ? dy[i] : 0         */ X(relu_backward,    (float *dx, const float *dy, const float *y, size_t n)) \
  /* dx[i] += dy[i] y[i] (1 - y[i])        */ X(sigmoid_backward, (float *dx, const float *dy, const float *y, size_t n)) \
  /* dx[i] += dy[i] (1 - y[i]^2)           */ X(tanh_backward,    (float *dx, const float *dy, const float *y, size_t n)) \
  /* rows and columns                                                                           */ \
  /* y[r,c] = x[r,c] + b[c], in place      */ X(add_row,   (float *y, const float *x, const float *b, int rows, int cols)) \
  /* y[c]  += sum_r x[r,c]                 */ X(sum_rows,  (float *y, const float *x, int rows, int cols)) \
  /* y[r,:] = softmax(x[r,:]), in place    */ X(softmax_rows, (float *y, const float *x, int rows, int cols)) \
  /* reductions to one number, accumulated in double                                            */ \
  /* y[0]   = sum_i x[i]                   */ X(sum,           (float *y, const float *x, size_t n)) \
  /* y[0]   = sum_i x[i]^2                 */ X(sum_squares,   (float *y, const float *x, size_t n)) \
  /* y[0]   = sum_i (x[i] - t[i])^2        */ X(squared_error, (float *y, const float *x, const float *t, size_t n)) \
  /* losses over logits                                                                         */ \
  /* y[0]   = -sum t log s + (1-t) log(1-s), s = sigmoid(z[i]) */ X(bce_logits, (float *y, const float *z, const float *t, size_t n)) \
  /* y[0]   = -sum_r log p[r, label[r]]; p[r,:] = softmax(z[r,:]) */ X(cross_entropy, (float *y, float *p, const float *z, const int32_t *label, int rows, int cols)) \
  /* backward of the losses; scale holds d(total)/d(loss) times the loss's own factor           */ \
  /* dx[i] += 2 scale (x[i] - t[i])        */ X(squared_error_backward, (float *dx, float scale, const float *x, const float *t, size_t n)) \
  /* dz[i] += scale (sigmoid(z[i]) - t[i]) */ X(bce_logits_backward,    (float *dz, float scale, const float *z, const float *t, size_t n)) \
  /* dz[r,c] += scale (p[r,c] - [c == label[r]]) */ X(cross_entropy_backward, (float *dz, float scale, const float *p, const int32_t *label, int rows, int cols)) \
  /* optimizers: one step on p; the gradient g is used up and left at 0                         */ \
  /* p, momentum v                         */ X(sgd_step,  (float *p, float *v, float *g, size_t n, SgdStep step)) \
  /* p, first moment m, second moment v    */ X(adam_step, (float *p, float *m, float *v, float *g, size_t n, AdamStep step))
// clang-format on

typedef struct Kernels {
    const char *backend;    // "ref", "cpu", later "cuda"
    const char *variant;    // the instruction set it was built for: "plain", "avx2", "avx512"
#define X(name, args) void (*name) args;
    KERNEL_LIST(X)
#undef X
} Kernels;

// The table in use. `ref` before kernels_use() is called.
extern Kernels kernels;

extern const Kernels kernels_ref;

// Dense products: c[m,n] = beta c + a b, where a is [m,k] and b [k,n], or one of them transposed.
static inline void matmul(float *c, const float *a, const float *b, int m, int n, int k, float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, (size_t)k, 1, 0}, (Mat){b, (size_t)n, 1, 0}, 1, m, n, k, beta);
}

static inline void matmul_nt(float *c, const float *a, const float *b, int m, int n, int k, float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, (size_t)k, 1, 0}, (Mat){b, 1, (size_t)k, 0}, 1, m, n, k, beta);
}

static inline void matmul_tn(float *c, const float *a, const float *b, int m, int n, int k, float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, 1, (size_t)m, 0}, (Mat){b, (size_t)n, 1, 0}, 1, m, n, k, beta);
}

// The fastest `cpu` table that this processor can run; entries it does not fill are NULL.
const Kernels *kernels_cpu(void);

// Points `kernels` at a backend: "ref", "cpu", or NULL for the best there is. False (and *why set
// to a static sentence) when the backend is unknown or cannot run here; the table is unchanged.
bool kernels_use(const char *backend, const char **why);

// A complete copy of a backend's table with `ref` in its empty entries; what tests and benches use.
Kernels kernels_complete(const Kernels *sparse);
