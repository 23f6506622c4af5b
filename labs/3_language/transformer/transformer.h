/* transformer.h -- what you write in this lab: the parts of a GPT and of a LLaMA.
 *
 * Arrays are dense, row-major floats: element (i,j) of [n,d] is x[i * d + j].
 *     B, T, N    sequences; tokens of each; rows, one for each token: N = B T
 *     C          the model's width: floats of a token between the layers
 *     H, KV, D   query heads; key and value heads, of which H is a multiple; width of a head
 *     F, V       width of a feed-forward block; vocabulary
 * All sizes are 1 or more; no array has 2^31 elements or more. An output never overlaps an input unless it is said. Inputs are not
 * modified. A NaN in an input propagates to every output that depends on it. The same arrays may be
 * passed again with other contents.
 *
 * "y  =" : y is overwritten; its old value does not matter.
 * "dx +=": the gradient is accumulated into dx, since a tensor may be used more than once.
 * dx stands for d(loss)/dx. Dot products, sums over a row, exponentials and roots are in double, and are
 * rounded to float when they are written. "room" is memory to use as you like. An exercise may call
 * the earlier ones, and the matrix products of kernels/kernels.h, which sum in float.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- tokens and positions ----

// 1. y[b,t] = tokens[ids[b,t]] + positions[t]     ids [B,T], tokens [V,C], positions [T,C], y [B,T,C]
//    positions may be NULL: nothing is added.
void tf_embedding(float *y, const int32_t *ids, const float *tokens, const float *positions, int B,
                  int T, int C);

// 2. dtokens[ids[b,t]] += dy[b,t], for every token of the batch;  dpositions[t] += sum_b dy[b,t],
//    skipped when dpositions is NULL.
void tf_embedding_backward(float *dtokens, float *dpositions, const float *dy, const int32_t *ids,
                           int B, int T, int C);

// ---- attention, one head ----

typedef struct TfAttention {
    int T, S, D;    // q, y [T,D]; k, v [S,D], S >= T: the queries are those of the last T tokens
} TfAttention;

// 3. Query i is at position S - T + i and sees the keys j <= S - T + i: causal.
//    p[i,j] = softmax over those j of q[i] . k[j] / sqrt(D), and 0 for the others    p [T,S]
//    y[i] = sum_j p[i,j] v[j]
//    Finite scores have finite p: the largest of a row is subtracted first. (They may be kept in p, as
//    floats.) What the mask hides does not reach y, not even a NaN.
void tf_attention(float *y, float *p, const float *q, const float *k, const float *v,
                  TfAttention s);

// 4. The gradients of 3, given dy and what 3 wrote to p. With dp[i,j] = dy[i] . v[j] and
//    dz[i,j] = p[i,j] (dp[i,j] - sum_l p[i,l] dp[i,l]) / sqrt(D), over what query i sees alone:
//    dq[i] += sum_j dz[i,j] k[j],   dk[j] += sum_i dz[i,j] q[i],   dv[j] += sum_i p[i,j] dy[i]
void tf_attention_backward(float *dq, float *dk, float *dv, const float *dy, const float *p,
                           const float *q, const float *k, const float *v, TfAttention s);

// ---- many heads ----

// 5. heads[h,t,i] = x[t row + h D + i]     heads [H,T,D]; x: T rows that start `row` floats apart,
//    row >= H D: heads may be a part of a longer row.
void tf_split_heads(float *heads, const float *x, int T, int H, int D, int row);

// 6. The way back: x[t row + h D + i] = heads[h,t,i], and the rest of each row is left alone.
void tf_merge_heads(float *x, const float *heads, int T, int H, int D, int row);

typedef struct TfHeads {
    int T, H, KV, D;    // one sequence; H / KV query heads share a key and value head
} TfHeads;

// 7. Self-attention of one sequence. Each row of qkv [T,(H + 2 KV) D] holds the H query heads, the KV
//    key heads, the KV value heads. Query head h attends by key and value head h / (H / KV):
//    p[h] [T,T] and head h of y [T,H D] are those of 3, with S = T.
//    room: (2 H + 2 KV) T D floats.
void tf_multi_head(float *y, float *p, const float *qkv, float *room, TfHeads s);

// ---- normalization ----

// 8. Each row x[n] of [N,C] by itself:
//    mean = 1/C sum_c x[c],   variance = 1/C sum_c (x[c] - mean)^2,   rstd = 1 / sqrt(variance + eps)
//    y[n,c] = gamma[c] (x[n,c] - mean) rstd + shift[c].   mean, rstd [N] are written. y may be x.
void tf_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                   const float *shift, int N, int C, float eps);

// 9. The gradients of 8, given dy and what 8 wrote. With x^ = (x - mean) rstd and g = gamma dy:
//    dshift[c] += sum_n dy[n,c],   dgamma[c] += sum_n dy[n,c] x^[n,c]
//    dx[n] += rstd (g - 1/C sum_c g - x^ 1/C sum_c g x^)
void tf_layer_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                            const float *x, const float *mean, const float *rstd,
                            const float *gamma, int N, int C);

// 10. rstd = 1 / sqrt(1/C sum_c x[c]^2 + eps),   y[n,c] = gamma[c] x[n,c] rstd   rstd [N]. y may be x.
void tf_rms_norm(float *y, float *rstd, const float *x, const float *gamma, int N, int C,
                 float eps);

// 11. The gradients of 10, with x^ = x rstd and g = gamma dy:
//    dgamma[c] += sum_n dy[n,c] x^[n,c],   dx[n] += rstd (g - x^ 1/C sum_c g x^)
void tf_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *x,
                          const float *rstd, const float *gamma, int N, int C);

// ---- positions without a table of parameters ----

// 12. table[t,2i] = sin(t / 10000^(2i/C)),   table[t,2i+1] = cos(t / 10000^(2i/C))   [T,C], C even
void tf_sinusoidal(float *table, int T, int C);

typedef enum TfLayout {
    TF_INTERLEAVED,    // pair i of a head is (x[2i], x[2i+1]): the paper's, llama2.c, GGUF
    TF_HALVES,         // pair i of a head is (x[i], x[i + D/2]): Hugging Face
} TfLayout;

typedef struct TfRope {
    int T, H, D, row;    // the first H heads of T rows that start `row` floats apart; D is even
    float theta;         // 10000 in most models
    TfLayout layout;
} TfRope;

// 13. In place: pair i of each head of row t turns by the angle a = positions[t] / theta^(2i/D),
//    (x, x') -> (x cos a - x' sin a,  x sin a + x' cos a). The rest of each row is left alone.
//    A negative position turns back: the gradient of a rotation.   positions [T]
void tf_rope(float *x, const int32_t *positions, TfRope s);

// ---- the feed-forward block ----

// 14. GELU in its tanh form: y[i] = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), x = x[i]. y may be x.
void tf_gelu(float *y, const float *x, size_t n);

// 15. dx[i] += dy[i] dgelu(x[i])/dx: the derivative of that formula
void tf_gelu_backward(float *dx, const float *dy, const float *x, size_t n);

// 16. y[n,f] = silu(gate[n,f]) up[n,f],   silu(z) = z / (1 + exp(-z)): finite for any finite z.
//    A row of gate_up [N,2F] holds its F gates, then its F ups.   y [N,F]
void tf_swiglu(float *y, const float *gate_up, int N, int F);

// 17. The gradients of 16: dgate += dy up dsilu(gate)/dgate,   dup += dy silu(gate)   both in [N,2F]
void tf_swiglu_backward(float *dgate_up, const float *dy, const float *gate_up, int N, int F);

typedef struct TfFeedForward {
    int C, F;
    bool gated;                       // SwiGLU (LLaMA) in place of GELU (GPT-2)
    const float *up, *up_bias;        // [F,C] [F]; gated: [2F,C] [2F], the gates first
    const float *down, *down_bias;    // [C,F] [C];   a NULL bias is 0
} TfFeedForward;

// 18. y = activation(x up^T + up_bias) down^T + down_bias, row by row    x, y [N,C]
//    room: 3 N F floats.
void tf_feed_forward(float *y, const float *x, float *room, int N, const TfFeedForward *w);

// ---- a layer of the model ----

typedef struct TfBlock {
    TfHeads heads;    // T: the tokens of the sequence; they are at the positions 0 .. T-1
    float eps;
    float theta;                     // RoPE on query and key heads; 0: none
    TfLayout layout;                 // of RoPE
    const float *gamma1, *shift1;    // [C]; a NULL shift: RMSNorm in place of LayerNorm
    const float *qkv, *qkv_bias;     // [(H + 2 KV) D,C] [(H + 2 KV) D]
    const float *out, *out_bias;     // [C,H D] [C];   a NULL bias is 0
    const float *gamma2, *shift2;    // as gamma1, shift1
    TfFeedForward feed_forward;      // its C is the model's
} TfBlock;

static inline size_t tf_block_room(const TfBlock *w)
{
    size_t T = (size_t)w->heads.T, H = (size_t)w->heads.H, KV = (size_t)w->heads.KV;
    size_t D = (size_t)w->heads.D, C = (size_t)w->feed_forward.C, F = (size_t)w->feed_forward.F;
    return T * (4 * C + 4 * (H + KV) * D + H * T + 3 * F + 4);
}

// 19. A pre-norm block, of one sequence:
//    h = x + out(multi_head(rope(qkv(norm1(x))))),   y = h + feed_forward(norm2(h))    x, y [T,C]
//    room: tf_block_room(w) floats.
void tf_block(float *y, const float *x, float *room, const TfBlock *w);

// ---- training ----

// 20. Returns the cross-entropy of p = softmax(z) with the labels, averaged over the M rows whose label
//    is not negative: L = -1/M sum_n log p[n, label[n]], and writes dz[n,k] = (p[n,k] - [k is the
//    label]) / M, and 0 in the other rows, whatever their z is. M = 0: L is 0.   z, dz [N,V]
//    Any finite logits have a finite loss. A logit of -infinity has the probability 0.
float tf_cross_entropy(float *dz, const float *z, const int32_t *labels, int N, int V);

typedef struct TfAdamW {
    float rate, beta1, beta2, eps, decay;
    int64_t step;    // 1 in the first call for these parameters
} TfAdamW;

// 21. One AdamW step, for each i:
//    m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
//    p -= rate (m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps) + decay p)
//    p on the right is the old one. n may be 0.
void tf_adamw(float *p, float *m, float *v, const float *g, size_t n, TfAdamW s);

typedef struct TfSchedule {
    float peak, floor;
    int64_t warmup, total;    // floor <= peak, 0 <= warmup < total
} TfSchedule;

// 22. The learning rate of a step, counted from 0: it climbs by peak / warmup a step and is peak in
//    step warmup - 1 (the last of the warm-up), then falls along half a cosine from peak in step
//    warmup to floor in step total, and stays there.
float tf_schedule(int64_t step, TfSchedule s);

// ---- sampling ----

// 23. p = softmax(z / temperature)    z, p [V]. Temperature 0: 1 for the largest logit, 0 for the
//    others; of several, the first. Logits are finite or -infinity, which has the probability 0; at
//    least one is finite. p is finite for every finite temperature from 0 on.
void tf_temperature(float *p, const float *z, int V, float temperature);

// 24. In place: keeps the k most probable tokens and sets the others to 0; of equal ones, those with
//    the lower ids are kept. What is kept is divided by its sum. k < 1 or k >= V: nothing changes.
void tf_top_k(float *p, int V, int k);

// 25. In place: keeps the fewest tokens, in the order of 24, whose sum is at least `mass`, so that the
//    one that reaches it is kept; all of them if none does. What is kept is divided by its sum.
//    0 < mass; 1 or more: nothing changes.
void tf_top_p(float *p, int V, float mass);

// 26. The first token i with p[0] + .. + p[i] > u, 0 <= u < 1. Where rounding leaves none, the last
//    one with p[i] > 0.
int tf_sample(const float *p, int V, float u);

// ---- the key-value cache ----

// 27. One more token of a sequence of which `past` are in the caches, [context,KV D], past < context.
//    Its keys and values are written to row `past` of both; y [H D] is then the last row of what 7
//    gives for all past + 1 tokens. qkv [(H + 2 KV) D]: a row as in 7. s.T is not used. Rows above
//    `past` are neither read nor written.
//    room: past + 1 floats.
void tf_cache_step(float *y, float *k_cache, float *v_cache, const float *qkv, float *room,
                   int past, TfHeads s);
