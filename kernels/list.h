/* list.h -- every kernel, once: name, prototype, the arguments' names, and the work of a call.
 *
 *     #define X(name, prototype, arguments, work) void (*name) prototype;
 *     KERNEL_LIST(X)
 *
 * The table (kernels.h), the reference's and the far device's entries, the profiler, the tests and
 * the error messages are made from these lists, a family each. Arrays are dense, row-major and lie
 * where the device keeps its numbers; so does every number that is behind a pointer. Kernels trust
 * their arguments: shapes are checked once, by the op that calls (common/ops.c). Any size may be 0.
 * An output never overlaps an input unless the line says "in place".
 *
 * beta scales what the output held, and beta = 0 never reads it: a gradient's first use writes
 * (beta 0), the further ones add (beta 1).
 *
 * The work of a call (KernelCost, kernels.h): OUT(y, n, k) writes n numbers at y and moves k floats for
 * each of them.
 */
#pragma once

// clang-format off
#define PRODUCT_KERNELS(X)    /* strided and batched; matmul(), matmul_nt(), matmul_tn() in kernels.h are dense forms */ \
    /* c[b,i,j] = beta c[b,i,j] + sum_p a[b,i,p] b[b,p,j]; c's rows are c_row apart, its matrices c_batch */      \
    X(matmul, (float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n, int k,              \
               float beta),                                                                                       \
      (c, c_row, c_batch, a, b, batch, m, n, k, beta),                                                            \
      ((KernelCost){.out = c, .batch = (size_t)batch, .rows = (size_t)m, .cols = (size_t)n, .row = c_row,         \
                    .stride = c_batch, .flops = 2.0 * batch * m * n * k,                                          \
                    .bytes = sizeof(float) * (double)batch * ((double)m * k + (double)k * n + (double)m * n)}))

#define ELEMENT_KERNELS(X)    /* element by element; y may be a or x, in place */                               \
    /* y[i] = value */                                                                                          \
    X(fill, (float *y, float value, size_t n),                                                                  \
      (y, value, n), OUT(y, n, 1))                                                                              \
    /* y[i] = a[i] + b[i] */                                                                                    \
    X(add, (float *y, const float *a, const float *b, size_t n),                                                \
      (y, a, b, n), OUT(y, n, 3))                                                                               \
    /* y[i] = beta y[i] + a[i] b[i] */                                                                          \
    X(mul, (float *y, const float *a, const float *b, float beta, size_t n),                                    \
      (y, a, b, beta, n), OUT(y, n, 3))                                                                         \
    /* y[i] = beta y[i] + alpha x[i] */                                                                         \
    X(axpby, (float *y, const float *x, float alpha, float beta, size_t n),                                     \
      (y, x, alpha, beta, n), OUT(y, n, 3))                                                                     \
    /* y[i] = beta y[i] + alpha[0] x[i] */                                                                      \
    X(axpby_scalar, (float *y, const float *x, const float *alpha, float beta, size_t n),                       \
      (y, x, alpha, beta, n), OUT(y, n, 3))                                                                     \
    /* y[i] = exp(x[i]) */                                                                                      \
    X(exp, (float *y, const float *x, size_t n),                                                                \
      (y, x, n), OUT(y, n, 2))                                                                                  \
    /* y[i] = max(x[i], 0); NaN stays NaN */                                                                    \
    X(relu, (float *y, const float *x, size_t n),                                                               \
      (y, x, n), OUT(y, n, 2))                                                                                  \
    /* y[i] = 1 / (1 + exp(-x[i])) */                                                                           \
    X(sigmoid, (float *y, const float *x, size_t n),                                                            \
      (y, x, n), OUT(y, n, 2))                                                                                  \
    /* y[i] = tanh(x[i]) */                                                                                     \
    X(tanh, (float *y, const float *x, size_t n),                                                               \
      (y, x, n), OUT(y, n, 2))                                                                                  \
    /* backward, from the output y: dx[i] = beta dx[i] + dy[i] dy/dx; dx may be dy, in place, when beta is 0 */ \
    /* dy/dx = y[i] > 0 ? 1 : 0 */                                                                              \
    X(relu_backward, (float *dx, const float *dy, const float *y, float beta, size_t n),                        \
      (dx, dy, y, beta, n), OUT(dx, n, 3))                                                                      \
    /* dy/dx = y[i] (1 - y[i]) */                                                                               \
    X(sigmoid_backward, (float *dx, const float *dy, const float *y, float beta, size_t n),                     \
      (dx, dy, y, beta, n), OUT(dx, n, 3))                                                                      \
    /* dy/dx = 1 - y[i]^2 */                                                                                    \
    X(tanh_backward, (float *dx, const float *dy, const float *y, float beta, size_t n),                        \
      (dx, dy, y, beta, n), OUT(dx, n, 3))

#define ROW_KERNELS(X)    /* matrices as rows and columns */                   \
    /* y[r,c] = x[r,c] + b[c], in place */                                     \
    X(add_row, (float *y, const float *x, const float *b, int rows, int cols), \
      (y, x, b, rows, cols), OUT(y, (size_t)rows * (size_t)cols, 2))           \
    /* y[c] = beta y[c] + sum_r x[r,c] */                                      \
    X(sum_rows, (float *y, const float *x, int rows, int cols, float beta),    \
      (y, x, rows, cols, beta), OUT(y, (size_t)cols, 2.0 + rows))              \
    /* y[r,:] = softmax(x[r,:]), in place */                                   \
    X(softmax_rows, (float *y, const float *x, int rows, int cols),            \
      (y, x, rows, cols), OUT(y, (size_t)rows * (size_t)cols, 2))              \
    /* y[c,r] = x[r,c]; y's rows are y_row apart, what lies between is kept */ \
    X(transpose, (float *y, size_t y_row, const float *x, int rows, int cols), \
      (y, y_row, x, rows, cols), \
      ((KernelCost){.out = y, .batch = 1, .rows = (size_t)cols, .cols = (size_t)rows, .row = y_row, \
                    .bytes = 2 * sizeof(float) * (double)rows * cols}))

#define SUM_KERNELS(X)    /* reductions to one number, accumulated in double */ \
    /* y[0] = sum_i x[i] */                                                     \
    X(sum, (float *y, const float *x, size_t n),                                \
      (y, x, n), OUT(y, 1, n))                                                  \
    /* y[0] = sum_i x[i]^2 */                                                   \
    X(sum_squares, (float *y, const float *x, size_t n),                        \
      (y, x, n), OUT(y, 1, n))                                                  \
    /* y[0] = sum_i (x[i] - t[i])^2 */                                          \
    X(squared_error, (float *y, const float *x, const float *t, size_t n),      \
      (y, x, t, n), OUT(y, 1, 2.0 * n))

#define LOSS_KERNELS(X)    /* over logits; backward's dloss[0] is d(total)/d(loss), factor the loss's own */ \
    /* y[0] = -sum t log s + (1-t) log(1-s), s = sigmoid(z[i]) */                                            \
    X(bce_logits, (float *y, const float *z, const float *t, size_t n),                                      \
      (y, z, t, n), OUT(y, 1, 2.0 * n))                                                                      \
    /* y[0] = -sum_r log p[r, label[r]] over the labels that are not negative; p[r,:] = softmax(z[r,:]), in place */ \
    X(cross_entropy, (float *y, float *p, const float *z, const int32_t *label, int rows, int cols),         \
      (y, p, z, label, rows, cols), OUT(y, 1, 2.0 * rows * cols))                                            \
    /* dx[i] = beta dx[i] + 2 s (x[i] - t[i]), s = factor dloss[0] */                                        \
    X(squared_error_backward, (float *dx, const float *dloss, float factor, const float *x,                  \
                               const float *t, float beta, size_t n),                                        \
      (dx, dloss, factor, x, t, beta, n), OUT(dx, n, 3))                                                     \
    /* dz[i] = beta dz[i] + s (sigmoid(z[i]) - t[i]) */                                                      \
    X(bce_logits_backward, (float *dz, const float *dloss, float factor, const float *z, const float *t,     \
                            float beta, size_t n),                                                           \
      (dz, dloss, factor, z, t, beta, n), OUT(dz, n, 3))                                                     \
    /* dz[r,c] = beta dz[r,c] + s (p[r,c] - [c == label[r]]), in place when beta is 0; 0 where label[r] < 0 */  \
    X(cross_entropy_backward, (float *dz, const float *dloss, float factor, const float *p,                  \
                               const int32_t *label, int rows, int cols, float beta),                        \
      (dz, dloss, factor, p, label, rows, cols, beta), OUT(dz, (size_t)rows * (size_t)cols, 2))

#define OPTIMIZER_KERNELS(X)    /* one step on a block of n parameters p, in place, by their gradient g */ \
    /* clip[1] = |g|, clip[0] = min(1, max_norm / |g|): Pascanu et al. 2013. The squares of 3e20 are no */ \
    /* floats: |g| stays in double until both are written, so that a scale of 0 means infinity in g */     \
    X(clip_scale, (float *clip, const float *g, size_t n, float max_norm),                                 \
      (clip, g, n, max_norm), OUT(clip, 2, 0.5 * (double)n))                                               \
    /* scale[0] multiplies every gradient, NULL is 1; spans: rate and decay, part by part of the block */  \
    /* momentum v */                                                                                       \
    X(sgd_step, (float *p, float *v, const float *g, const float *scale, const Span *spans, int count,     \
                 size_t n, SgdStep step),                                                                  \
      (p, v, g, scale, spans, count, n, step), OUT(p, n, 5))                                               \
    /* first moment m, second v */                                                                         \
    X(adam_step, (float *p, float *m, float *v, const float *g, const float *scale, const Span *spans,     \
                  int count, size_t n, AdamStep step),                                                     \
      (p, m, v, g, scale, spans, count, n, step), OUT(p, n, 7))

#define RANDOM_KERNELS(X)    /* by position, from a draw: the same bits on every device (philox.h) */       \
    /* y[i] uniform in [0,1), of 24 bits */                                                                 \
    X(random_uniform, (float *y, Draw draw, size_t n),                                                      \
      (y, draw, n), OUT(y, n, 1))                                                                           \
    /* y[i] ~ N(0,1), |y[i]| < 6.8 */                                                                       \
    X(random_normal, (float *y, Draw draw, size_t n),                                                       \
      (y, draw, n), OUT(y, n, 1))                                                                           \
    /* y[i] = beta y[i] + (u[i] >= p ? x[i] / (1 - p) : 0), u uniform; y may be x, in place. p = 0 keeps */ \
    /* all, p = 1 nothing; a dropped NaN becomes 0. Backward: the same call on dx and dy, the same mask */  \
    X(dropout, (float *y, const float *x, float p, Draw draw, float beta, size_t n),                        \
      (y, x, p, draw, beta, n), OUT(y, n, 2))

#define CONVOLUTION_KERNELS(X)    /* images as [batch,channel,row,column]; shapes in conv.h */               \
    /* y = x * w, and where bias is not NULL, + bias[o] */                                                   \
    X(conv2d, (float *y, const float *x, const float *w, const float *bias, ConvShape s),                    \
      (y, x, w, bias, s), CONV(y, s.batch * (size_t)s.out, conv_out_pixels(s), s))                           \
    /* dx = beta dx + dy's share: where the kernel lay on x[b,c,i,j], w times dy */                          \
    X(conv2d_backward_input, (float *dx, const float *dy, const float *w, float beta, ConvShape s),          \
      (dx, dy, w, beta, s), CONV(dx, s.batch * (size_t)s.in, (size_t)s.height * (size_t)s.width, s))         \
    /* dw = beta dw + sum over the batch and the output's pixels of x times dy */                            \
    X(conv2d_backward_weight, (float *dw, const float *dy, const float *x, float beta, ConvShape s),         \
      (dw, dy, x, beta, s), CONV(dw, 1, conv_weights(s), s))                                                 \
    /* y[c] = beta y[c] + sum of x[:,c,:]; a bias' gradient */                                               \
    X(sum_channels, (float *y, const float *x, int batch, int channels, int pixels, float beta),             \
      (y, x, batch, channels, pixels, beta), OUT(y, (size_t)channels, 2.0 + (double)batch * pixels))

#define POOLING_KERNELS(X)    /* over the planes of x [B,C,H,W]; what a size is, and how many: pool.h */              \
    /* y = the largest of each window, at = its place in the plane: the first of several, of a NaN if there is one */ \
    X(max_pool, (float *y, int32_t *at, const float *x, PoolShape s),                                                 \
      (y, at, x, s), OUT(y, pool_out(s), 2.0 + POOL_RATIO(s)))                                                        \
    /* dx = beta dx + the sum of dy of the windows whose largest it was */                                            \
    X(max_pool_backward, (float *dx, const float *dy, const int32_t *at, float beta, PoolShape s),                    \
      (dx, dy, at, beta, s), OUT(dx, pool_in(s), 1.0 + 2.0 / POOL_RATIO(s)))                                          \
    /* y = the mean of each window, in which the padding counts as zeros */                                           \
    X(avg_pool, (float *y, const float *x, PoolShape s),                                                              \
      (y, x, s), OUT(y, pool_out(s), 1.0 + POOL_RATIO(s)))                                                            \
    X(avg_pool_backward, (float *dx, const float *dy, float beta, PoolShape s),                                       \
      (dx, dy, beta, s), OUT(dx, pool_in(s), 1.0 + 1.0 / POOL_RATIO(s)))

#define NORM_KERNELS(X)    /* over all of a channel's values; sums in double of x - mean: norm.h */               \
    /* y = gamma (x - mean) / sqrt(var + eps) + shift; mean and var [C] of x are written, var divided by n */     \
    X(batch_norm, (float *y, float *mean, float *var, const float *x, const float *gamma, const float *shift,     \
                   float eps, NormShape s),                                                                       \
      (y, mean, var, x, gamma, shift, eps, s), OUT(y, norm_total(s), 2))                                          \
    /* the same by a mean and var that are given */                                                               \
    X(batch_norm_inference, (float *y, const float *x, const float *gamma, const float *shift, const float *mean, \
                             const float *var, float eps, NormShape s),                                           \
      (y, x, gamma, shift, mean, var, eps, s), OUT(y, norm_total(s), 2))                                          \
    /* backward: dgamma = sum dy (x - mean) / sqrt(var + eps), dshift = sum dy, both written; and with h = that   \
       quotient, dx = beta dx + gamma (dy - (dshift + h dgamma) / n) / sqrt(var + eps) unless dx is NULL */       \
    X(batch_norm_backward, (float *dx, float *dgamma, float *dshift, const float *dy, const float *x,             \
                            const float *gamma, const float *mean, const float *var, float eps, float beta,       \
                            NormShape s),                                                                         \
      (dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s), NORM_OUT(dx, dgamma, s))                       \
    /* dx = beta dx + gamma dy / sqrt(var + eps): mean and var were given */                                      \
    X(batch_norm_inference_backward, (float *dx, float *dgamma, float *dshift, const float *dy, const float *x,   \
                                      const float *gamma, const float *mean, const float *var, float eps,         \
                                      float beta, NormShape s),                                                   \
      (dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s), NORM_OUT(dx, dgamma, s))

#define ATTENTION_KERNELS(X)    /* over heads of rows that may be parts of wider ones; without a [T,T] matrix: attention.h */ \
    /* y = softmax(scale q k^T) v, 0 where a query sees no key; lse [batch,heads,queries] = log sum exp of the         \
       scores, for backward, unless it is NULL */                                                                      \
    X(attention, (float *y, float *lse, const float *q, const float *k, const float *v, AttentionShape s),             \
      (y, lse, q, k, v, s), ATTENTION(y, s.y_row, attention_flops(s), 1, s))                                      \
    /* dq = beta dq + ..., dk and dv likewise, in rows as wide as those of q, k and v; dy in rows as wide as y's */    \
    X(attention_backward, (float *dq, float *dk, float *dv, const float *dy, const float *y, const float *lse,         \
                           const float *q, const float *k, const float *v, float beta, AttentionShape s),              \
      (dq, dk, dv, dy, y, lse, q, k, v, beta, s),                                                                      \
      ATTENTION(dq, s.q_row, attention_backward_flops(s), 2, s))

#define ROW_NORM_KERNELS(X)    /* over each part of a row: norm.h; mean and rstd are [rows,parts]; sums in double */ \
    /* y = gamma (x - mean) rstd + shift, rstd = 1 / sqrt(var + eps), both written; shift may be NULL */            \
    X(layer_norm, (float *y, float *mean, float *rstd, const float *x, const float *gamma, const float *shift,      \
                   float eps, NormRows s),                                                                          \
      (y, mean, rstd, x, gamma, shift, eps, s), NORM_ROWS_OUT(y, s, 2))                                             \
    /* with h = (x - mean) rstd and g = gamma dy: dgamma = sum of dy h over rows and parts, dshift = sum of dy, both \
       written (dshift may be NULL), dx = beta dx + rstd (g - mean of g - h mean of g h) */                         \
    X(layer_norm_backward, (float *dx, float *dgamma, float *dshift, const float *dy, const float *x,               \
                            const float *gamma, const float *mean, const float *rstd, float beta, NormRows s),      \
      (dx, dgamma, dshift, dy, x, gamma, mean, rstd, beta, s), NORM_ROWS_OUT(dx, s, 3))                             \
    /* y = gamma x rstd, rstd = 1 / sqrt(mean of x^2 + eps), written */                                             \
    X(rms_norm, (float *y, float *rstd, const float *x, const float *gamma, float eps, NormRows s),                 \
      (y, rstd, x, gamma, eps, s), NORM_ROWS_OUT(y, s, 2))                                                          \
    /* with h = x rstd and g = gamma dy: dgamma = sum of dy h, written; dx = beta dx + rstd (g - h mean of g h) */  \
    X(rms_norm_backward, (float *dx, float *dgamma, const float *dy, const float *x, const float *gamma,            \
                          const float *rstd, float beta, NormRows s),                                               \
      (dx, dgamma, dy, x, gamma, rstd, beta, s), NORM_ROWS_OUT(dx, s, 3))

#define GATE_KERNELS(X)    /* element by element; backward from the input x: dx[i] = beta dx[i] + dy[i] dy/dx */ \
    /* y[i] = x[i] / 2 (1 + tanh(sqrt(2/pi) (x[i] + 0.044715 x[i]^3))): Hendrycks & Gimpel 2016, GPT-2's */      \
    X(gelu, (float *y, const float *x, size_t n),                                                                \
      (y, x, n), OUT(y, n, 2))                                                                                   \
    X(gelu_backward, (float *dx, const float *dy, const float *x, float beta, size_t n),                         \
      (dx, dy, x, beta, n), OUT(dx, n, 3))                                                                       \
    /* y[i] = x[i] Phi(x[i]), Phi the normal distribution's */                                                   \
    X(gelu_erf, (float *y, const float *x, size_t n),                                                            \
      (y, x, n), OUT(y, n, 2))                                                                                   \
    X(gelu_erf_backward, (float *dx, const float *dy, const float *x, float beta, size_t n),                     \
      (dx, dy, x, beta, n), OUT(dx, n, 3))                                                                       \
    /* y[i] = x[i] sigmoid(x[i]) */                                                                              \
    X(silu, (float *y, const float *x, size_t n),                                                                \
      (y, x, n), OUT(y, n, 2))                                                                                   \
    X(silu_backward, (float *dx, const float *dy, const float *x, float beta, size_t n),                         \
      (dx, dy, x, beta, n), OUT(dx, n, 3))                                                                       \
    /* y[r,c] = silu(x[r,c]) x[r,cols+c]: of x [rows,2 cols], the gate first; Shazeer 2020 */                    \
    X(swiglu, (float *y, const float *x, int rows, int cols),                                                    \
      (y, x, rows, cols), OUT(y, (size_t)rows * (size_t)cols, 3))                                                \
    X(swiglu_backward, (float *dx, const float *dy, const float *x, float beta, int rows, int cols),             \
      (dx, dy, x, beta, rows, cols), OUT(dx, 2 * (size_t)rows * (size_t)cols, 2.5))

#define RECURRENT_KERNELS(X)    /* one step of a recurrent layer; rows of gates are four blocks of `cols` numbers */     \
    /* LSTM. gates: i f g o before their functions, w x + u h of this step; b [4 cols] is added, then i f o = sigmoid,  \
       g = tanh, in place; c = f c_before + i g, h = o tanh(c). c_before NULL: zeros */                                \
    X(lstm_gates, (float *h, float *c, float *gates, const float *b, const float *c_before, int rows, int cols),       \
      (h, c, gates, b, c_before, rows, cols), OUT(h, (size_t)rows * (size_t)cols, 11))                                 \
    /* da: the gates' gradient before their functions, [rows,4 cols]. dc, in place: holds what arrives at c, then what \
       c_before gets. dh is all of dL/dh */                                                                            \
    X(lstm_gates_backward, (float *da, float *dc, const float *dh, const float *gates, const float *c,                 \
                            const float *c_before, int rows, int cols),                                                \
      (da, dc, dh, gates, c, c_before, rows, cols), OUT(da, 4 * (size_t)rows * (size_t)cols, 3.25))                    \
    /* GRU, the reset after the product. gates: r z of w x + u h, n of w x alone, q of u h alone; b [3 cols] is added to \
       r z n, c [cols] to q, then r z = sigmoid, n = tanh(n + r q), in place; h = (1-z) n + z h_before.                \
       h_before NULL: zeros, and q is not read */                                                                      \
    X(gru_gates, (float *h, float *gates, const float *b, const float *c, const float *h_before, int rows, int cols),  \
      (h, gates, b, c, h_before, rows, cols), OUT(h, (size_t)rows * (size_t)cols, 10))                                 \
    /* da: of r z n and q before their functions, [rows,4 cols]; dh_before += z dh, NULL: not wanted */                \
    X(gru_gates_backward, (float *da, float *dh_before, const float *dh, const float *gates, const float *h_before,    \
                           int rows, int cols),                                                                        \
      (da, dh_before, dh, gates, h_before, rows, cols), OUT(da, 4 * (size_t)rows * (size_t)cols, 3))

#define TOKEN_KERNELS(X)    /* over a sequence's tokens */                                                       \
    /* y[i,:] = table[id[i],:] */                                                                                \
    X(embedding, (float *y, const int32_t *id, const float *table, size_t n, int cols),                          \
      (y, id, table, n, cols), OUT(y, n * (size_t)cols, 2))                                                      \
    /* dtable[id[i],:] += dy[i,:], in the order of i; the table has `rows` rows */                               \
    X(embedding_backward, (float *dtable, const int32_t *id, const float *dy, size_t n, int rows, int cols),     \
      (dtable, id, dy, n, rows, cols), OUT(dtable, (size_t)rows * (size_t)cols, 3.0 * (double)n / (rows + 1)))   \
    /* rotates pairs of numbers by the position's angles, in place: rope.h; cosine and sine [period,rotated/2] */ \
    X(rope, (float *x, const float *cosine, const float *sine, RopeShape s),                                     \
      (x, cosine, sine, s), ROPE_OUT(x, s))                                                                      \
    /* y[0] = 1 / the number of labels that are not negative, 0 where there is none: a mean's factor */          \
    X(label_factor, (float *y, const int32_t *label, size_t n),                                                  \
      (y, label, n), OUT(y, 1, n))

#define ROW_PRODUCT_KERNELS(X)    /* over rows of weights in a file's types: row_product.h */                    \
    /* y[i,r] = sum_c x[i,c] w[r,c] for i < m; rows of y and x are y_row and x_row apart */                    \
    X(row_product, (float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,                 \
                    Activations activations),                                                                  \
      (y, y_row, x, x_row, m, w, activations), ROW_PRODUCT(y, y_row, m, w))                                    \
    /* y[i,:] = w[index[i],:] as floats: an embedding's look-up */                                             \
    X(rows_read, (float *y, WeightRows w, const int32_t *index, int count),                                    \
      (y, w, index, count), OUT(y, (size_t)count * (size_t)w.cols, 1 + dtype_info[w.type].bytes / 4.0 / dtype_info[w.type].block)) \
    /* out = x [rows,cols] in a type that dtype_from_floats writes */                                          \
    X(rows_write, (void *out, DType type, const float *x, int rows, int cols),                                 \
      (out, type, x, rows, cols), ROWS_WRITTEN(type, rows, cols))

#define PAGED_KERNELS(X)    /* a KV cache in blocks: paged.h */                                                      \
    /* the keys and values of tokens, in rows k_row and v_row floats apart, into their slots: no two into one */    \
    X(paged_write, (PagedKv kv, const float *k, size_t k_row, const float *v, size_t v_row, const int64_t *slot,    \
                    int tokens),                                                                                    \
      (kv, k, k_row, v, v_row, slot, tokens), PAGED_MOVED(kv, tokens, sizeof(float) * (kv).kv_heads * (kv).head))   \
    /* block `to` becomes a copy of block `from` */                                                                 \
    X(paged_copy, (PagedKv kv, int from, int to),                                                                   \
      (kv, from, to), PAGED_MOVED(kv, (kv).block_size, (double)paged_slot_bytes(kv)))                               \
    /* y = softmax(scale q k^T) v over what each query sees, 0 where that is nothing; heads is a multiple of        \
       kv_heads, rows of y and q are y_row and q_row floats apart. Queries of one sequence stand together */        \
    X(paged_attention, (float *y, size_t y_row, const float *q, size_t q_row, PagedKv kv, const int32_t *tables,    \
                        const PagedQuery *query, int queries, int heads, float scale),                              \
      (y, y_row, q, q_row, kv, tables, query, queries, heads, scale), PAGED_ROWS(y, y_row, kv, queries, heads))

#define PLANNING_KERNELS(X)    /* over a Markov decision process whose states are packed in slices: value_sweep.h */    \
    /* to[s] = max over the rows r of its slice of reward[r] + sum of weight[c] from[next[c]] over the columns c of r, \
       each of s's lane, products rounded before they are added; change[0] = max |to - from| */                       \
    X(value_sweep, (double *to, double *change, const double *from, const int32_t *rows, const uint64_t *columns,      \
                    const double *reward, const double *weight, const int32_t *next, int slices),                      \
      (to, change, from, rows, columns, reward, weight, next, slices), VALUES_SWEPT(slices))

#define KERNEL_LIST(X)                                                                    \
    PRODUCT_KERNELS(X) ELEMENT_KERNELS(X) ROW_KERNELS(X) SUM_KERNELS(X) LOSS_KERNELS(X)  \
    OPTIMIZER_KERNELS(X) RANDOM_KERNELS(X) CONVOLUTION_KERNELS(X) POOLING_KERNELS(X)     \
    NORM_KERNELS(X) ATTENTION_KERNELS(X) ROW_NORM_KERNELS(X) GATE_KERNELS(X) RECURRENT_KERNELS(X) \
    TOKEN_KERNELS(X) ROW_PRODUCT_KERNELS(X) PAGED_KERNELS(X) PLANNING_KERNELS(X)
// clang-format on
