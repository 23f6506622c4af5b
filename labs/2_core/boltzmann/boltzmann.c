/* boltzmann.c -- the mathematics of the lab; boltzmann.h says what each function promises. */
#include "labs/2_core/boltzmann/boltzmann.h"
#include <math.h>
#include <string.h>
#include "kernels/kernels.h"

// ---- a few units, every state of them ----

double bm_softplus(double x)
{
    // solution softplus
    return fmax(x, 0) + log1p(exp(-fabs(x)));    // the exponent is never above 0
    // end softplus
}

double bm_log_sum_exp(const double *x, size_t n)
{
    // solution log_sum_exp
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] > most) most = x[i];
    double shift = isinf(most) ? 0 : most;
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - shift);
    return shift + log(sum);
    // end log_sum_exp
}

double bm_energy(const int *s, const double *w, const double *b, int n)
{
    // solution energy
    double energy = 0;
    for (int i = 0; i < n; i++) {
        energy -= b[i] * s[i];
        for (int j = i + 1; j < n; j++)
            energy -= w[(size_t)i * (size_t)n + (size_t)j] * s[i] * s[j];
    }
    return energy;
    // end energy
}

double bm_probabilities(double *p, const double *w, const double *b, int n)
{
    // solution probabilities
    // -E of every state first. Bit i on top of the bits below it adds b[i] and the weights to those
    // that are 1.
    p[0] = 0;
    for (int i = 0; i < n; i++)
        for (size_t k = (size_t)1 << i; k < (size_t)2 << i; k++) {
            p[k] = p[k ^ (size_t)1 << i] + b[i];
            for (int j = 0; j < i; j++)
                if (k >> j & 1) p[k] += w[i * n + j];
        }
    double log_z = bm_log_sum_exp(p, (size_t)1 << n);
    for (size_t k = 0; k < (size_t)1 << n; k++) p[k] = exp(p[k] - log_z);
    return log_z;
    // end probabilities
}

void bm_gibbs(int *s, const double *w, const double *b, int n, Rng *rng)
{
    // solution gibbs
    for (int i = 0; i < n; i++) {
        double input = b[i];
        for (int j = 0; j < n; j++)
            if (j != i) input += w[(size_t)i * (size_t)n + (size_t)j] * s[j];
        s[i] = (double)rng_uniform(rng) < 1 / (1 + exp(-input));
    }
    // end gibbs
}

void bm_hopfield_store(double *w, const int *x, int count, int n)
{
    // solution hopfield_store
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int p = 0; p < count; p++) sum += x[p * n + i] * x[p * n + j];
            w[(size_t)i * (size_t)n + (size_t)j] = i == j ? 0 : sum / n;
        }
    // end hopfield_store
}

int bm_hopfield_recall(int *s, const double *w, int n, int most)
{
    // solution hopfield_recall
    for (int sweep = 1; sweep <= most; sweep++) {
        int changes = 0;
        for (int i = 0; i < n; i++) {
            double h = 0;
            for (int j = 0; j < n; j++)
                if (j != i) h += w[(size_t)i * (size_t)n + (size_t)j] * s[j];
            int state = h > 1e-9 ? 1 : h < -1e-9 ? -1 : s[i];
            changes += state != s[i];
            s[i] = state;
        }
        if (changes == 0) return sweep;
    }
    return 0;
    // end hopfield_recall
}

int bm_ising(int *s, int L, double T, Rng *rng)
{
    // solution ising
    int flips = 0;
    for (int r = 0; r < L; r++) {
        const int *above = s + (r + L - 1) % L * L, *below = s + (r + 1) % L * L;
        int *row = s + r * L;
        for (int c = 0; c < L; c++) {
            int left = row[c > 0 ? c - 1 : L - 1], right = row[c + 1 < L ? c + 1 : 0];
            int dE = 2 * row[c] * (above[c] + below[c] + left + right);
            if (dE <= 0 || (double)rng_uniform(rng) < exp(-dE / T)) {
                row[c] = -row[c];
                flips++;
            }
        }
    }
    return flips;
    // end ising
}

// ---- the restricted Boltzmann machine ----

void bm_hidden(float *h, const float *v, const Rbm *rbm, int B)
{
    // solution hidden
    matmul_nt(h, v, rbm->w, B, rbm->H, rbm->V, 0.0f);
    kernels.add_row(h, h, rbm->c, B, rbm->H);
    kernels.sigmoid(h, h, (size_t)B * (size_t)rbm->H);
    // end hidden
}

void bm_visible(float *v, const float *h, const Rbm *rbm, int B)
{
    // solution visible
    matmul(v, h, rbm->w, B, rbm->V, rbm->H, 0.0f);
    kernels.add_row(v, v, rbm->b, B, rbm->V);
    kernels.sigmoid(v, v, (size_t)B * (size_t)rbm->V);
    // end visible
}

void bm_sample(float *s, const float *p, size_t n, Draw draw)
{
    // solution sample
    kernels.random_uniform(s, draw, n);
    for (size_t i = 0; i < n; i++) {
        float state = s[i] < p[i] ? 1 : 0;
        s[i] = isnan(p[i]) ? p[i] : state;
    }
    // end sample
}

// w[j,:].v of one hidden unit, in double.
static double dot(const float *w, const float *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)w[i] * (double)v[i];
    return sum;
}

void bm_free_energy(double *f, const float *v, const Rbm *rbm, int B)
{
    // solution free_energy
    for (int r = 0; r < B; r++, v += rbm->V) {
        f[r] = -dot(rbm->b, v, rbm->V);
        for (int j = 0; j < rbm->H; j++)
            f[r] -= bm_softplus((double)rbm->c[j] +
                                dot(rbm->w + (size_t)j * (size_t)rbm->V, v, rbm->V));
    }
    // end free_energy
}

double bm_log_partition(const Rbm *rbm, double *work)
{
    // solution log_partition
    // Gray code: from one state to the next a single hidden unit flips, and moves the inputs of the visible
    // units by its weights.
    double *terms = work, *input = work + ((size_t)1 << rbm->H), off = 0;
    size_t state = 0;
    for (int i = 0; i < rbm->V; i++) input[i] = (double)rbm->b[i];
    for (size_t k = 0; k < (size_t)1 << rbm->H; k++) {
        size_t flipped = state ^ k ^ k >> 1;
        for (int j = 0; j < rbm->H; j++)
            if (flipped >> j & 1) {
                double sign = state >> j & 1 ? -1 : 1;
                off += sign * (double)rbm->c[j];
                for (int i = 0; i < rbm->V; i++)
                    input[i] += sign * (double)rbm->w[(size_t)j * (size_t)rbm->V + (size_t)i];
            }
        state ^= flipped;
        terms[k] = off;
        for (int i = 0; i < rbm->V; i++) terms[k] += bm_softplus(input[i]);
    }
    return bm_log_sum_exp(terms, (size_t)1 << rbm->H);
    // end log_partition
}

void bm_pseudo_likelihood(double *total, const float *v, const Rbm *rbm, int B, double *work)
{
    // solution pseudo_likelihood
    // work[i] becomes F(v with unit i flipped) - F(v): the flip moves the input of hidden unit j by +- w[j,i].
    for (int r = 0; r < B; r++, v += rbm->V) {
        for (int i = 0; i < rbm->V; i++) work[i] = (2 * (double)v[i] - 1) * (double)rbm->b[i];
        for (int j = 0; j < rbm->H; j++) {
            const float *w = rbm->w + (size_t)j * (size_t)rbm->V;
            double x = (double)rbm->c[j] + dot(w, v, rbm->V), unflipped = bm_softplus(x);
            for (int i = 0; i < rbm->V; i++)
                work[i] += unflipped - bm_softplus(x + (1 - 2 * (double)v[i]) * (double)w[i]);
        }
        total[r] = 0;
        for (int i = 0; i < rbm->V; i++) total[r] -= bm_softplus(-work[i]);
    }
    // end pseudo_likelihood
}

void bm_gradient(RbmGradient g, const Rbm *rbm, const float *v0, const float *h0, int B,
                 const float *vk, const float *hk, int P)
{
    // solution gradient
    // The model's sums first, which the data's then take away: (data - B/P model) / B.
    int V = rbm->V, H = rbm->H;
    float minus = -(float)B / (float)P, mean = 1 / (float)B;
    matmul_tn(g.w, hk, vk, H, V, P, 0.0f);
    matmul_tn(g.w, h0, v0, H, V, B, minus);
    kernels.axpby(g.w, g.w, mean, 0.0f, (size_t)H * (size_t)V);
    kernels.sum_rows(g.b, vk, P, V, 0.0f);
    kernels.sum_rows(g.b, v0, B, V, minus);
    kernels.axpby(g.b, g.b, mean, 0.0f, (size_t)V);
    kernels.sum_rows(g.c, hk, P, H, 0.0f);
    kernels.sum_rows(g.c, h0, B, H, minus);
    kernels.axpby(g.c, g.c, mean, 0.0f, (size_t)H);
    // end gradient
}

// The draw of the next stream.
static Draw stream_after(Draw draw, uint64_t further)
{
    draw.stream += further;
    return draw;
}

void bm_cd(RbmGradient g, const Rbm *rbm, const float *v0, int B, int k, Draw draw, CdWork work)
{
    // solution cd
    size_t hidden = (size_t)B * (size_t)rbm->H, visible = (size_t)B * (size_t)rbm->V;
    bm_hidden(work.h0, v0, rbm, B);
    for (int t = 0; t < k; t++) {
        bm_sample(work.hs, t == 0 ? work.h0 : work.hk, hidden, stream_after(draw, 2 * (uint64_t)t));
        bm_visible(work.v, work.hs, rbm, B);
        bm_sample(work.vk, work.v, visible, stream_after(draw, 2 * (uint64_t)t + 1));
        bm_hidden(work.hk, work.vk, rbm, B);
    }
    bm_gradient(g, rbm, v0, work.h0, B, work.vk, work.hk, B);
    // end cd
}

void bm_pcd(RbmGradient g, const Rbm *rbm, const float *v0, int B, float *chains, int P, int k,
            Draw draw, CdWork work)
{
    // solution pcd
    size_t hidden = (size_t)P * (size_t)rbm->H, visible = (size_t)P * (size_t)rbm->V;
    bm_hidden(work.h0, v0, rbm, B);
    bm_hidden(work.hk, chains, rbm, P);
    for (int t = 0; t < k; t++) {
        bm_sample(work.hs, work.hk, hidden, stream_after(draw, 2 * (uint64_t)t));
        bm_visible(work.v, work.hs, rbm, P);
        bm_sample(chains, work.v, visible, stream_after(draw, 2 * (uint64_t)t + 1));
        bm_hidden(work.hk, chains, rbm, P);
    }
    bm_gradient(g, rbm, v0, work.h0, B, chains, work.hk, P);
    // end pcd
}

void bm_ais(double *log_z, const Rbm *rbm, const AisPath *path, Draw draw)
{
    // solution ais
    int V = rbm->V, H = rbm->H, runs = path->runs;
    double log_z0 = H * log(2);
    for (int i = 0; i < V; i++) log_z0 += bm_softplus((double)path->a[i]);
    for (int r = 0; r < runs; r++) {
        log_z[r] = log_z0;
        memcpy(path->y + (size_t)r * (size_t)V, path->a, (size_t)V * sizeof *path->a);
    }
    kernels.sigmoid(path->y, path->y, (size_t)runs * (size_t)V);
    bm_sample(path->v, path->y, (size_t)runs * (size_t)V, draw);
    for (int k = 1; k <= path->steps; k++) {
        double beta = path->beta[k], before = path->beta[k - 1];
        matmul_nt(path->x, path->v, rbm->w, runs, H, V, 0.0f);
        kernels.add_row(path->x, path->x, rbm->c, runs, H);
        for (int r = 0; r < runs; r++) {
            const float *v = path->v + (size_t)r * (size_t)V, *x = path->x + (size_t)r * (size_t)H;
            log_z[r] += (beta - before) * (dot(rbm->b, v, V) - dot(path->a, v, V));
            for (int j = 0; j < H; j++)
                log_z[r] += bm_softplus(beta * (double)x[j]) - bm_softplus(before * (double)x[j]);
        }
        if (k == path->steps) break;
        // (1-beta) a + beta (b + h w), with beta h in place of h.
        size_t hidden = (size_t)runs * (size_t)H, visible = (size_t)runs * (size_t)V;
        kernels.axpby(path->x, path->x, (float)beta, 0.0f, hidden);
        kernels.sigmoid(path->x, path->x, hidden);
        bm_sample(path->h, path->x, hidden, stream_after(draw, 2 * (uint64_t)k - 1));
        kernels.axpby(path->h, path->h, (float)beta, 0.0f, hidden);
        for (int i = 0; i < V; i++)
            path->y[i] = (float)((1 - beta) * (double)path->a[i] + beta * (double)rbm->b[i]);
        for (int r = 1; r < runs; r++)
            memcpy(path->y + (size_t)r * (size_t)V, path->y, (size_t)V * sizeof *path->y);
        matmul(path->y, path->h, rbm->w, runs, V, H, 1.0f);
        kernels.sigmoid(path->y, path->y, visible);
        bm_sample(path->v, path->y, visible, stream_after(draw, 2 * (uint64_t)k));
    }
    // end ais
}

double bm_ais_estimate(double *error, const double *log_z, int runs)
{
    // solution ais_estimate
    double log_mean = bm_log_sum_exp(log_z, (size_t)runs) - log(runs), squares = 0;
    for (int r = 0; r < runs; r++) {
        double excess = expm1(log_z[r] - log_mean);    // z / mean - 1
        squares += excess * excess;
    }
    *error = runs > 1 ? sqrt(squares / (runs - 1) / runs) : INFINITY;
    return log_mean;
    // end ais_estimate
}

void bm_dbn(float *y, const Rbm *layers, int depth, const float *v, int B, float *work)
{
    // solution dbn
    int widest = 0;
    for (int l = 0; l < depth; l++) widest = layers[l].H > widest ? layers[l].H : widest;
    for (int l = 0; l < depth; l++) {
        float *h = l == depth - 1 ? y : work + (size_t)(l % 2) * (size_t)B * (size_t)widest;
        bm_hidden(h, v, &layers[l], B);
        v = h;
    }
    // end dbn
}
