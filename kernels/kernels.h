/* kernels.h -- the work itself: naked functions on pointers and sizes, one table per device.
 *
 *     kernels.relu(y, x, n);                       // from anywhere, on the numbers of the device
 *     matmul_nt(y, x, w, batch, out, in, 0.0f);    // dense forms of kernels.matmul
 *
 * list.h has every kernel with what it computes; device.h chooses whose are in use. `ref` is complete
 * and the plainest; a faster backend fills in what it does better.
 * To add a kernel: a line in list.h, its loop in ref/, its op, its test.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/draw.h"
#include "kernels/list.h"
#include "kernels/mat.h"
#include "kernels/norm.h"
#include "kernels/paged.h"
#include "kernels/pool.h"
#include "kernels/rope.h"
#include "kernels/row_product.h"
#include "kernels/value_sweep.h"

// A part of a parameter block, up to element `end`, from where the one before it ends.
typedef struct Span {
    uint64_t end;
    float rate;     // multiplies the step's learning rate
    float decay;    // of these parameters
} Span;

// One AdamW step's numbers (Loshchilov & Hutter 2019, Algorithm 2; Adam where a span's decay is 0).
typedef struct AdamStep {
    float learning_rate, beta1, beta2, epsilon;
    float correction1, correction2;    // 1 - beta1^t and 1 - beta2^t, for the step t = 1, 2, ...
} AdamStep;

// One SGD step's numbers (momentum as in Sutskever et al. 2013, without Nesterov).
typedef struct SgdStep {
    float learning_rate, momentum;
} SgdStep;

// What a call costs, and the numbers that it writes.
typedef struct KernelCost {
    double flops;        // of products, 2 for a multiply-add; 0 where memory is the limit
    double bytes;        // read and written, each operand once
    const float *out;    // element (i,j) of matrix b: out[b * stride + i * row + j]
    size_t batch, rows, cols, row, stride;
} KernelCost;

#define OUT(y, n, floats)                                                                          \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = 1,                                                                      \
                  .rows = 1,                                                                       \
                  .cols = (n),                                                                     \
                  .bytes = sizeof(float) * (double)(n) * (floats)})

#define CONV(y, rows_, cols_, s)                                                                   \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = 1,                                                                      \
                  .rows = (rows_),                                                                 \
                  .cols = (cols_),                                                                 \
                  .row = (cols_),                                                                  \
                  .flops = conv_flops(s),                                                          \
                  .bytes = conv_bytes(s)})

// Elements of x for each of y.
#define POOL_RATIO(s) ((double)pool_in(s) / (double)(pool_out(s) > 0 ? pool_out(s) : 1))

// Of a backward whose dx may be NULL.
#define NORM_OUT(dx, dgamma, s)                                                                    \
    ((dx) != NULL ? OUT(dx, norm_total(s), 3)                                                      \
                  : OUT(dgamma, (size_t)(s).channels, 2.0 * (double)norm_count(s)))

// Of the heads of each token's row.
#define ATTENTION(y, row_, flops_, times, s)                                                       \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = 1,                                                                      \
                  .rows = (size_t)(s).batch * (size_t)(s).queries,                                 \
                  .cols = (size_t)(s).heads * (size_t)(s).head,                                    \
                  .row = (row_),                                                                   \
                  .flops = (flops_),                                                               \
                  .bytes = (times)*attention_bytes(s)})

// A part is a matrix of one row.
#define NORM_ROWS_OUT(y, s, floats)                                                                \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = (size_t)(s).rows,                                                       \
                  .rows = (size_t)(s).parts,                                                       \
                  .cols = (size_t)(s).cols,                                                        \
                  .row = (size_t)(s).cols,                                                         \
                  .stride = (s).row,                                                               \
                  .bytes = sizeof(float) * (floats) * (double)norm_parts(s) * (s).cols})

#define ROPE_OUT(x, s)                                                                             \
    ((KernelCost){.out = (x),                                                                      \
                  .batch = (size_t)(s).rows,                                                       \
                  .rows = (size_t)(s).heads,                                                       \
                  .cols = (size_t)(s).rotated,                                                     \
                  .row = (size_t)(s).head,                                                         \
                  .stride = (s).row,                                                               \
                  .bytes = sizeof(float) * 2.0 * (s).rows * (s).heads * (s).rotated})

#define ROW_PRODUCT(y, row_, m, w)                                                                 \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = 1,                                                                      \
                  .rows = (size_t)(m),                                                             \
                  .cols = (size_t)(w).rows,                                                        \
                  .row = (row_),                                                                   \
                  .flops = 2.0 * (m) * (w).rows * (w).cols,                                        \
                  .bytes = weight_rows_bytes(w) +                                                  \
                           sizeof(float) * (double)(m) * ((double)(w).rows + (w).cols)})

// No floats are written.
#define ROWS_WRITTEN(type, rows_, cols_)                                                           \
    ((KernelCost){.bytes = weight_rows_bytes((WeightRows){NULL, type, rows_, cols_}) +             \
                           sizeof(float) * (double)(rows_) * (cols_)})

// So many tokens' keys and values, read from `from` bytes of a row each and written; no floats are written.
#define PAGED_MOVED(kv, tokens, from)                                                              \
    ((KernelCost){.bytes = 2.0 * (tokens) * ((double)paged_slot_bytes(kv) + (from))})

// How much of the cache the queries see is on the device: q and y alone are counted.
#define PAGED_ROWS(y, row_, kv, queries, heads)                                                    \
    ((KernelCost){.out = (y),                                                                      \
                  .batch = 1,                                                                      \
                  .rows = (size_t)(queries),                                                       \
                  .cols = (size_t)(heads) * (size_t)(kv).head,                                     \
                  .row = (row_),                                                                   \
                  .bytes = 2.0 * sizeof(float) * (queries) * (heads) * (kv).head})

// How many outcomes there are is on the device: values alone are counted, and no floats are written.
#define VALUES_SWEPT(slices) ((KernelCost){.bytes = 2.0 * sizeof(double) * (slices)*VALUE_SLICE})

typedef struct Kernels {
    const char *variant;    // the instruction set it was built for: "plain", "avx2", "avx512"
#define X(name, prototype, arguments, work) void(*name) prototype;
    KERNEL_LIST(X)
#undef X
} Kernels;

// The table in use: the device's, and `ref` before one is chosen.
extern Kernels kernels;

extern const Kernels kernels_ref;

// The fastest `cpu` table that this processor can run; entries that it does not fill are NULL.
const Kernels *kernels_cpu(void);

// A copy with `ref` in the empty entries: for a backend whose numbers lie in the host's memory.
Kernels kernels_complete(const Kernels *sparse);

// ---- products of dense matrices

// c[m,n] = beta c + sum_p a[m,p] b[p,n]
static inline void matmul(float *c, const float *a, const float *b, int m, int n, int k, float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, (size_t)k, 1, 0}, (Mat){b, (size_t)n, 1, 0}, 1, m, n,
                   k, beta);
}

// c[m,n] = beta c + sum_p a[m,p] b[n,p]
static inline void matmul_nt(float *c, const float *a, const float *b, int m, int n, int k,
                             float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, (size_t)k, 1, 0}, (Mat){b, 1, (size_t)k, 0}, 1, m, n,
                   k, beta);
}

// c[m,n] = beta c + sum_p a[p,m] b[p,n]
static inline void matmul_tn(float *c, const float *a, const float *b, int m, int n, int k,
                             float beta)
{
    kernels.matmul(c, (size_t)n, 0, (Mat){a, 1, (size_t)m, 0}, (Mat){b, (size_t)n, 1, 0}, 1, m, n,
                   k, beta);
}
