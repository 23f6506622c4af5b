/* boltzmann.h -- what you write in this lab: twenty functions of a few lines each.
 *
 * Arrays are dense and row-major. The first part is about machines of a few units, in double:
 *     n            units
 *     s [n]        their states, 0 or 1; -1 or +1 in a Hopfield network and the Ising model
 *     w [n,n]      weights, symmetric; the diagonal is ignored
 *     b [n]        biases
 * The second is about restricted Boltzmann machines (RBM), in float; a row is one image or one chain:
 *     B, P         rows: a batch of images, or chains
 *     V, H         visible and hidden units
 * Any size may be 1. "=" overwrites: what an output held before does not matter. An output never
 * overlaps an input. Inputs are not modified. The same arrays may be passed again with other contents.
 * A NaN in an input propagates to every output that depends on it and can hold one. kernels/kernels.h has matrix
 * products, the sigmoid and random numbers to build on; loops are fine too.
 */
#pragma once
#include <stddef.h>
#include "common/rng.h"
#include "kernels/draw.h"

// ---- a few units, every state of them ----

// 1. log(1 + e^x). e^800 is no double, but softplus(800) = 800; softplus(-800) is not below 0, and
//    softplus(-40) = e^-40 keeps all its digits.
double bm_softplus(double x);

// 2. log sum_i e^x[i], also where x[i] is 1000 or -1000. -infinity is an e^x of 0; where all are, and for
//    n = 0, the result is -infinity. Where one is +infinity, the result is.
double bm_log_sum_exp(const double *x, size_t n);

// 3. The energy of a state:  E(s) = -sum_i b[i] s[i] - sum_{i<j} w[i,j] s[i] s[j].  Each pair counts once.
double bm_energy(const int *s, const double *w, const double *b, int n);

// 4. The probability of every state, p[k] = exp(-E(s)) / Z, where unit i of state k is bit i of k:
//    s[i] = k >> i & 1. Returns log Z, the logarithm of Z = sum_k exp(-E). Energies may be beyond +-1000.
//    p: [2^n], n = 1..24
double bm_probabilities(double *p, const double *w, const double *b, int n);

// 5. One sweep of Gibbs sampling: each unit in turn, 0 to n-1, becomes 1 where rng_uniform() is below
//    P(s[i] = 1 | the others) = sigmoid(b[i] + sum_{j != i} w[i,j] s[j]), else 0. The others are those of
//    now: units before i have moved already. One draw for each unit.
void bm_gibbs(int *s, const double *w, const double *b, int n, Rng *rng);

// 6. Hebb's rule stores patterns of -1 and +1:  w[i,j] = 1/n sum_p x[p,i] x[p,j],  w[i,i] = 0.
//    x: [count,n], count >= 0
void bm_hopfield_store(double *w, const int *x, int count, int n);

// 7. Recall: sweeps over the units, 0 to n-1, until one changes nothing. With h = sum_{j != i} w[i,j] s[j],
//    unit i becomes +1 where h > 1e-9, -1 where h < -1e-9, and else stays. Returns the number of sweeps,
//    the last included; 0 where even sweep number `most` changed something.
int bm_hopfield_recall(int *s, const double *w, int n, int most);

// 8. One Metropolis sweep of the Ising model, E = -sum of s s' over neighbours, on an L x L lattice whose
//    edges meet (the left neighbour of column 0 is column L-1). For each site, row by row: a flip costs
//    dE = 2 s (sum of its four neighbours). It is done where dE <= 0, and else where rng_uniform() is
//    below exp(-dE / T); nothing is drawn where dE <= 0. Returns the number of flips.  s: [L,L], L >= 2, T > 0
int bm_ising(int *s, int L, double T, Rng *rng);

// ---- the restricted Boltzmann machine ----

// E(v,h) = -b.v - c.h - sum_ji h[j] w[j,i] v[i]. Units are 0 or 1; v may also hold probabilities.
typedef struct Rbm {
    int V, H;
    const float *w;    // [H,V]: row j is the filter of hidden unit j
    const float *b;    // [V] biases of the visible units
    const float *c;    // [H] biases of the hidden units
} Rbm;

// 9. h[r,j] = P(h = 1 | v) = sigmoid(c[j] + sum_i w[j,i] v[r,i])      v: [B,V], h: [B,H]
void bm_hidden(float *h, const float *v, const Rbm *rbm, int B);

// 10. v[r,i] = P(v = 1 | h) = sigmoid(b[i] + sum_j h[r,j] w[j,i])
void bm_visible(float *v, const float *h, const Rbm *rbm, int B);

// 11. s[i] = 1 with probability p[i], else 0: 1 where u[i] < p[i], with the uniform numbers u of
//     kernels.random_uniform(u, draw, n), whose place decides and not the order. A NaN stays NaN.
void bm_sample(float *s, const float *p, size_t n, Draw draw);

// 12. The free energy, in which the hidden units are summed out, exp(-F(v)) = sum_h exp(-E(v,h)):
//     f[r] = -sum_i b[i] v[r,i] - sum_j softplus(c[j] + sum_i w[j,i] v[r,i]).   Sums in double.   f: [B]
void bm_free_energy(double *f, const float *v, const Rbm *rbm, int B);

// 13. The exact log Z, over all states of the hidden layer, H = 1..24; for each the visible units are
//     summed out:  Z = sum_h exp(c.h) prod_i (1 + exp(b[i] + sum_j h[j] w[j,i])).
//     In double. work: [2^H + V], for whatever you like
double bm_log_partition(const Rbm *rbm, double *work);

// 14. The log pseudo-likelihood of binary rows, summed over the units: total[r] = sum_i log P(v[i] | the other
//     units) = -sum_i softplus(F(v) - F(v with unit i flipped)). In double; work: [V], for whatever you like.
//     (Per unit, to compare images of different sizes, it is total / V.)     total: [B]
void bm_pseudo_likelihood(double *total, const float *v, const Rbm *rbm, int B, double *work);

// A gradient of the log-likelihood: its shape is that of the RBM's w, b and c.
typedef struct RbmGradient {
    float *w, *b, *c;
} RbmGradient;

// 15. The data's statistics less the model's:
//       g.w[j,i] = 1/B sum_r h0[r,j] v0[r,i] - 1/P sum_r hk[r,j] vk[r,i]
//       g.b[i]   = 1/B sum_r v0[r,i]         - 1/P sum_r vk[r,i]
//       g.c[j]   = 1/B sum_r h0[r,j]         - 1/P sum_r hk[r,j]
//     v0: [B,V], h0: [B,H], vk: [P,V], hk: [P,H]
void bm_gradient(RbmGradient g, const Rbm *rbm, const float *v0, const float *h0, int B,
                 const float *vk, const float *hk, int P);

// What contrastive divergence needs and leaves. All are overwritten.
typedef struct CdWork {
    float *h0;    // [B,H] P(h | data)
    float *hk;    // [B,H] P(h | vk); with chains of their own [P,H]
    float *hs;    // [B,H] sampled hidden states; [P,H]
    float *v;     // [B,V] P(v | hs); [P,V]
    float *vk;    // [B,V] sampled visible states; not used by bm_pcd
} CdWork;

// 16. Contrastive divergence, CD-k: chains that begin at the data. h0 = hk = P(h | v0); then k times, for
//     t = 0..k-1:  hs ~ hk,  v = P(v | hs),  vk ~ v,  hk = P(h | vk);  and the gradient of (v0,h0) less
//     (vk,hk). The samples of step t: hs by the draw's stream + 2t, vk by its stream + 2t + 1.   k >= 1
void bm_cd(RbmGradient g, const Rbm *rbm, const float *v0, int B, int k, Draw draw, CdWork work);

// 17. Persistent contrastive divergence, PCD-k: the P chains go on from where the last call left them.
//     h0 = P(h | v0). k times, for t = 0..k-1:  hk = P(h | chains), hs ~ hk, v = P(v | hs), chains ~ v,
//     with the draws of bm_cd. Then hk = P(h | chains), and the gradient of (v0,h0) less (chains,hk).
//     v0: [B,V], chains: [P,V]
void bm_pcd(RbmGradient g, const Rbm *rbm, const float *v0, int B, float *chains, int P, int k,
            Draw draw, CdWork work);

// Annealed importance sampling, from units that are independent (beta = 0) to the RBM (beta = 1).
typedef struct AisPath {
    const float *a;        // [V] biases of the visible units at beta = 0
    const double *beta;    // [steps + 1], from 0 to 1, growing
    int steps, runs;
    float *v, *y;    // [runs,V] to work with
    float *h, *x;    // [runs,H]
} AisPath;

// 18. Each run estimates Z (Salakhutdinov & Murray 2008, with one hidden layer for both ends): with
//       log f_beta(v) = (1-beta) a.v + beta b.v + sum_j softplus(beta (c[j] + sum_i w[j,i] v[i]))
//     it begins at log_z[r] = log Z_0 = H log 2 + sum_i softplus(a[i]) and v ~ sigmoid(a), by the draw's
//     stream. For k = 1..steps it adds log f_beta[k](v) - log f_beta[k-1](v), in double; and but after the
//     last, moves:  h ~ sigmoid(beta[k] (c + w v)) by stream + 2k - 1,  v ~ sigmoid((1-beta[k]) a +
//     beta[k] (b + h w)) by stream + 2k.     log_z: [runs]
void bm_ais(double *log_z, const Rbm *rbm, const AisPath *path, Draw draw);

// 19. Of the runs' log_z, the estimate log(1/runs sum_r exp(log_z[r])), returned, and its standard error: that
//     of the mean of z[r] = exp(log_z[r]), divided by the mean: sqrt(sum (z - mean)^2 / (runs - 1) / runs) / mean.
//     For one run it is infinity. log_z may be beyond +-1000, and equal ones have an error of 0.
double bm_ais_estimate(double *error, const double *log_z, int runs);

// 20. Features of a deep belief network, layer upon layer: y = P(h | v) of the first, which is the v of the
//     second, and so on; layer l+1 has as many visible units as layer l has hidden ones.
//     v: [B,V of the first], y: [B,H of the last], depth >= 1; work: [2,B,most hidden units of any layer]
void bm_dbn(float *y, const Rbm *layers, int depth, const float *v, int B, float *work);
