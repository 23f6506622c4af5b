/* rnn.h -- what you write in this lab: fourteen functions of a few lines each.
 *
 * Arrays are dense, row-major floats, time first, as PyTorch has them unless told batch_first:
 *     T, B       steps of time, sequences in the batch
 *     I, H       numbers that enter a cell at each step, numbers of its state
 *     S, V       steps of the source (encoder), size of the vocabulary
 * Any size may be 1. A function overwrites its outputs unless its line says "+=": what they held before does
 * not matter. An output never overlaps an input. Inputs are not modified. The same arrays may be passed again
 * with other contents. A NaN in an input propagates to every output that depends on it. kernels/kernels.h has
 * matrix products, sigmoid and tanh to build on; loops are fine too.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

// The weights of a recurrent layer. G blocks of H rows, one below the other: G = 1 in an Elman cell; 4 in an
// LSTM, for the gates i f g o; 3 in a GRU, for r z n. That is PyTorch's order.
typedef struct Cell {
    int I, H;
    const float *w;    // [G H,I] for the input x: weight_ih
    const float *u;    // [G H,H] for the state before: weight_hh
    const float *b;    // [G H] one bias for the two of PyTorch, which are only ever added
    const float *c;    // [H] a GRU's bias of n inside the reset, PyTorch's bias_hh of n; else NULL
} Cell;

// One run over a batch of sequences.
typedef struct Sequence {
    int T, B;
    const float *x;     // [T,B,I]
    const float *h0;    // [B,H] the state before the first step; NULL: zeros
    const float *c0;    // [B,H] an LSTM's memory before the first step; NULL: zeros
    float *h;           // [T,B,H]   forward writes these; backward reads them
    float *c;           // [T,B,H]   an LSTM's memory; else NULL
    float *gates;       // [T,B,4,H] LSTM: i f g o; GRU: r z n q; else NULL
} Sequence;

// Gradients of a loss L.
typedef struct Gradient {
    float *
        h;    // [T,B,H] holds what arrives at h[t] from outside the layer; backward adds what arrives from
    // step t+1, so that it ends as dL/dh[t]
    float *c;        // [T,B,H] the same for an LSTM's memory; else NULL
    float *x;        // [T,B,I] += dL/dx; NULL: not wanted
    float *h0;       // [B,H]   += dL/dh0; NULL: not wanted
    float *c0;       // [B,H]   += dL/dc0; NULL: not wanted
    float *w, *u;    // [G H,I], [G H,H] += the cell's
    float *b;        // [G H] +=
    float *n;        // [H] += of a GRU's c; else NULL
    float *work;     // [T,B,4,H] for whatever you like
} Gradient;

// ---- the Elman cell ----

// 1. h[t] = tanh(w x[t] + u h[t-1] + b), t = 0..T-1, with h[-1] = h0.
void rn_elman(const Cell *cell, const Sequence *s);

// 2. Backpropagation through time, from t = T-1 down to 0, with da the gradient before the tanh:
//      da[t] = dh[t] (1 - h[t]^2),  dh[t-1] += u^T da[t],  dx[t] += w^T da[t],
//      dw += sum_t da[t] x[t]^T,  du += sum_t da[t] h[t-1]^T,  db += sum_t da[t]
void rn_elman_backward(const Gradient *g, const Cell *cell, const Sequence *s);

// 3. The same, truncated: steps are taken in chunks of K, the last one maybe shorter, and no gradient passes from
//    a chunk to the one before. dh0 is of the first chunk alone. The states run on: only the gradient is cut. K >= 1
void rn_truncated(const Gradient *g, const Cell *cell, const Sequence *s, int K);

// 4. Clips gradients by their global norm, |g| = sqrt of the sum of squares over all arrays: where |g| is more than
//    max_norm each number is multiplied by max_norm / |g|, else nothing changes. Returns the |g| of before. Sums in
//    double. An infinite or NaN |g| changes nothing and is returned. g: [count] arrays of n[k] floats each
double rn_clip(float *const *g, const size_t *n, int count, double max_norm);

// ---- gates ----

// 5. The LSTM with a forget gate. The four blocks of w x[t] + u h[t-1] + b become
//      i, f, o by the sigmoid, g by tanh;  c[t] = f c[t-1] + i g,  h[t] = o tanh(c[t]).
void rn_lstm(const Cell *cell, const Sequence *s);

// 6. From t = T-1 down to 0: dc[t] += dh[t] o (1 - tanh(c[t])^2), and
//      before the functions: da_i = dc g i (1-i), da_f = dc c[t-1] f (1-f), da_g = dc i (1-g^2),
//      da_o = dh tanh(c) o (1-o);  dc[t-1] += dc[t] f,  dh[t-1] += u^T da, and the weights' as in 2.
void rn_lstm_backward(const Gradient *g, const Cell *cell, const Sequence *s);

// 7. The GRU, with the reset gate after the product, as PyTorch and cuDNN have it:
//      r, z = sigmoid of their blocks of w x[t] + u h[t-1] + b,   q = u_n h[t-1] + c,
//      n = tanh(w_n x[t] + b_n + r q),   h[t] = (1-z) n + z h[t-1].
void rn_gru(const Cell *cell, const Sequence *s);

// 8. From t = T-1 down to 0:  da_n = dh (1-z) (1-n^2),  dq = da_n r,  da_r = da_n q r (1-r),
//      da_z = dh (h[t-1] - n) z (1-z);  dh[t-1] += dh z + u_r^T da_r + u_z^T da_z + u_n^T dq;
//      u's gradient: of da_r, da_z and dq with h[t-1];  w's and b's: of da_r, da_z and da_n;  c's: dq.
void rn_gru_backward(const Gradient *g, const Cell *cell, const Sequence *s);

// ---- sequences ----

// 9. Each sequence backwards within its length: y[t] = x[length-1-t] for t < length[b], and y[t] = x[t] behind it.
//    x, y: [T,B,D], length: [B], 0..T; NULL: T for all
void rn_reverse(float *y, const float *x, const int *length, int T, int B, int D);

// 10. Two Elman cells of the same sizes, one from the left and one from the right: y[t] = (h of cells[0] after
//     x[0..t], h of cells[1] after x[length-1] .. x[t]); zeros where t is not below the length. Padding changes
//     nothing. y: [T,B,2,H], x: [T,B,I], length as above; work: T B (I + 3 H) floats, for whatever you like
void rn_bidirectional(float *y, const float *x, const int *length, const Cell cells[2], int T,
                      int B, float *work);

// 11. Teacher forcing: the logits z[t], made of the true tokens 0..t, predict token t+1. The mean of
//     -log softmax(z[t,b])[tokens[t+1,b]] over the tokens t+1 that are not negative (padding is -1), and dz, its
//     gradient, 0 at padding. No token at all: 0.   z, dz: [T,B,V], tokens: [T+1,B]
float rn_loss(float *dz, const float *z, const int32_t *tokens, int T, int B, int V);

// 12. Attention (Luong et al. 2015, "dot"): each step t of the decoder, whose query is q[t], looks at the encoder's
//     states e:  alpha[t,b,s] = softmax over s < length[b] of q[t,b].e[s,b], and 0 elsewhere;
//     y[t,b] = sum_s alpha[t,b,s] e[s,b]. The e behind a length are not read.
//     q, y: [T,B,H], e: [S,B,H], alpha: [T,B,S], length: [B], 1..S; NULL: S for all
void rn_attention(float *y, float *alpha, const float *q, const float *e, const int *length, int T,
                  int S, int B, int H);

// 13. With dalpha[t,b,s] = dy[t,b].e[s,b] and ds = alpha (dalpha - sum_s alpha dalpha):
//       dq[t,b] += sum_s ds e[s,b],   de[s,b] += sum_t (ds q[t,b] + alpha dy[t,b]).      work: [T,B,S]
void rn_attention_backward(float *dq, float *de, const float *dy, const float *alpha,
                           const float *q, const float *e, const int *length, int T, int S, int B,
                           int H, float *work);

// 14. Draws a token from softmax(z / temperature) with the uniform number u of [0,1): the first k whose
//     p[0] + .. + p[k] is above u, in double. A temperature of 0 takes the first of the largest. Logits may be beyond
//     +-1000, also -infinity; one is finite. Where one is NaN: -1.   z: [V]
int rn_sample(const float *z, int V, float temperature, float u);
