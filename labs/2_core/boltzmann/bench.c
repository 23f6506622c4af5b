/* bench.c -- what the exercises are called with in the lab: an RBM of 784 and 500 units, batch 100.
 *
 *     ./lab bench boltzmann --mine
 */
#include "labs/2_core/boltzmann/boltzmann.h"
#include "bench/exercises.h"

enum {
    B = 100,
    V = 784,
    H = 500,
    FEW = 10,
    UNITS = 16,
    N = 400,
    L = 64,
    SWEEPS = 100,
    N_SUMS = 100000
};

// What the calls work on besides their floats; as it is made at the start, all calls see the same.
static double few_w[UNITS * UNITS], few_b[UNITS], states[1 << UNITS], sums[N_SUMS], work[V],
    more_work[V + (1 << FEW)], w_hopfield[N * N];
static int patterns[10 * N], spins[L * L];

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < UNITS; i++)
        for (int j = 0; j <= i; j++)
            few_w[i * UNITS + j] = few_w[j * UNITS + i] = (double)rng_normal(&rng) / 2;
    for (int i = 0; i < N_SUMS; i++) sums[i] = (double)rng_normal(&rng);
    for (int i = 0; i < 10 * N; i++) patterns[i] = rng_uniform(&rng) < 0.5f ? -1 : 1;
}

static Rbm rbm(const float *w, const float *b, const float *c, int hidden)
{
    return (Rbm){V, hidden, w, b, c};
}

// ---- a few units: each leaves a number to be compared ----

static void softplus(Solution *solution, float *const *a)
{
    double sum = 0;
    for (int i = 0; i < N_SUMS; i++) sum += AS(bm_softplus, solution)(sums[i]);
    a[0][0] = (float)sum;
}

static void log_sum_exp(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(bm_log_sum_exp, solution)(sums, N_SUMS);
}

static void energy(Solution *solution, float *const *a)
{
    double sum = 0;
    for (int k = 0; k < 1000; k++) {
        int s[UNITS];
        for (int i = 0; i < UNITS; i++) s[i] = k >> i & 1;
        sum += AS(bm_energy, solution)(s, few_w, few_b, UNITS);
    }
    a[0][0] = (float)sum;
}

static void probabilities(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(bm_probabilities, solution)(states, few_w, few_b, UNITS);
}

static void gibbs(Solution *solution, float *const *a)
{
    Rng rng = rng_from_seed(2);
    int s[UNITS] = {0}, on = 0;
    for (int t = 0; t < SWEEPS; t++) {
        AS(bm_gibbs, solution)(s, few_w, few_b, UNITS, &rng);
        on += s[t % UNITS];
    }
    a[0][0] = (float)on;
}

static void hopfield_store(Solution *solution, float *const *a)
{
    AS(bm_hopfield_store, solution)(w_hopfield, patterns, 10, N);
    a[0][0] = (float)w_hopfield[1];
}

static void hopfield_recall(Solution *solution, float *const *a)
{
    int s[N];
    for (int i = 0; i < N; i++) {
        s[i] = i % 7 == 0 ? -patterns[i] : patterns[i];
        for (int j = 0; j < N; j++) w_hopfield[i * N + j] = i == j ? 0 : patterns[i] * patterns[j];
    }
    a[0][0] = (float)AS(bm_hopfield_recall, solution)(s, w_hopfield, N, 100);
}

static void ising(Solution *solution, float *const *a)
{
    Rng rng = rng_from_seed(3);
    int flips = 0;
    for (int i = 0; i < L * L; i++) spins[i] = 1;
    for (int t = 0; t < SWEEPS; t++) flips += AS(bm_ising, solution)(spins, L, 2.269, &rng);
    a[0][0] = (float)flips;
}

// ---- the RBM ----

static void hidden(Solution *solution, float *const *a)
{
    Rbm model = rbm(a[2], a[3], a[4], H);
    AS(bm_hidden, solution)(a[0], a[1], &model, B);
}

static void visible(Solution *solution, float *const *a)
{
    Rbm model = rbm(a[2], a[3], a[4], H);
    AS(bm_visible, solution)(a[0], a[1], &model, B);
}

static void sample(Solution *solution, float *const *a)
{
    AS(bm_sample, solution)(a[0], a[1], B * V, (Draw){1, 2});
}

static void free_energy(Solution *solution, float *const *a)
{
    double f[FEW];
    Rbm model = rbm(a[2], a[3], a[4], H);
    AS(bm_free_energy, solution)(f, a[1], &model, FEW);
    for (int r = 0; r < FEW; r++) a[0][r] = (float)f[r];
}

static void log_partition(Solution *solution, float *const *a)
{
    Rbm model = rbm(a[1], a[2], a[3], FEW);
    a[0][0] = (float)AS(bm_log_partition, solution)(&model, more_work);
}

static void pseudo_likelihood(Solution *solution, float *const *a)
{
    double total;
    Rbm model = rbm(a[2], a[3], a[4], H);
    AS(bm_pseudo_likelihood, solution)(&total, a[1], &model, 1, work);
    a[0][0] = (float)total;
}

static void gradient(Solution *solution, float *const *a)
{
    Rbm model = {.V = V, .H = H};
    AS(bm_gradient, solution)
    ((RbmGradient){a[0], a[1], a[2]}, &model, a[3], a[4], B, a[5], a[6], B);
}

static float h0[B * H], hk[B * H], hs[B * H], recon[B * V], vk[B * V];
static const CdWork cd_work = {h0, hk, hs, recon, vk};

static void cd(Solution *solution, float *const *a)
{
    Rbm model = rbm(a[4], a[5], a[6], H);
    AS(bm_cd, solution)((RbmGradient){a[0], a[1], a[2]}, &model, a[3], B, 1, (Draw){1, 2}, cd_work);
}

static void pcd(Solution *solution, float *const *a)
{
    static float chains[B * V];
    Rbm model = rbm(a[4], a[5], a[6], H);
    for (int i = 0; i < B * V; i++) chains[i] = 0;
    AS(bm_pcd, solution)
    ((RbmGradient){a[0], a[1], a[2]}, &model, a[3], B, chains, B, 1, (Draw){1, 2}, cd_work);
}

// ---- the partition function, and stacks ----

static void ais(Solution *solution, float *const *a)
{
    static const double beta[] = {0, 0.2, 0.4, 0.6, 0.8, 1};
    double log_z[FEW];
    Rbm model = rbm(a[1], a[2], a[3], H);
    const AisPath path = {a[4], beta, 5, FEW, recon, vk, h0, hk};
    AS(bm_ais, solution)(log_z, &model, &path, (Draw){1, 2});
    for (int r = 0; r < FEW; r++) a[0][r] = (float)log_z[r];
}

static void ais_estimate(Solution *solution, float *const *a)
{
    double error;
    a[0][0] = (float)AS(bm_ais_estimate, solution)(&error, sums, N_SUMS);
    a[0][1] = (float)error;
}

static void dbn(Solution *solution, float *const *a)
{
    Rbm layers[2] = {rbm(a[2], a[3], a[4], H), {H, H, a[2], a[3], a[4]}};
    AS(bm_dbn, solution)(a[0], layers, 2, a[1], B, recon);
}

// clang-format off
#define MODEL READS(H * V), READS(V), READS(H)    // w b c
static const Workload workloads[] = {
    {"softplus", "bm_softplus", "100,000 numbers", softplus, .arrays = {WRITES(1)}},
    {"log_sum_exp", "bm_log_sum_exp", "100,000 numbers", log_sum_exp, .arrays = {WRITES(1)}},
    {"energy", "bm_energy", "1000 states of 16", energy, .arrays = {WRITES(1)}},
    {"probabilities", "bm_probabilities", "16 units", probabilities, .arrays = {WRITES(1)}},
    {"gibbs", "bm_gibbs", "100 sweeps of 16", gibbs, .arrays = {WRITES(1)}},
    {"hopfield_store", "bm_hopfield_store", "10 of 400 units", hopfield_store, .arrays = {WRITES(1)}},
    {"hopfield_recall", "bm_hopfield_recall", "400 units", hopfield_recall, .arrays = {WRITES(1)}},
    {"ising", "bm_ising", "100 sweeps, 64 x 64", ising, .arrays = {WRITES(1)}},
    {"hidden", "bm_hidden", "100 x 784 -> 500", hidden, .kernels = true,
     .arrays = {WRITES(B * H), READS(B * V), MODEL},
     .products = {{PRODUCT_NT, B, H, V, .c = 0, .a = 1, .b = 2}}},
    {"visible", "bm_visible", "100 x 500 -> 784", visible, .kernels = true,
     .arrays = {WRITES(B * V), READS(B * H), MODEL},
     .products = {{PRODUCT_NN, B, V, H, .c = 0, .a = 1, .b = 2}}},
    {"sample", "bm_sample", "100 x 784", sample, .kernels = true,
     .arrays = {WRITES(B * V), READS(B * V)}},
    {"free_energy", "bm_free_energy", "10 images", free_energy,
     .arrays = {WRITES(FEW), READS(FEW * V), MODEL}},
    {"log_partition", "bm_log_partition", "784 x 10", log_partition,
     .arrays = {WRITES(1), READS(FEW * V), READS(V), READS(FEW)}},
    {"pseudo_likelihood", "bm_pseudo_likelihood", "1 image", pseudo_likelihood,
     .arrays = {WRITES(1), READS(V), MODEL}},
    {"gradient", "bm_gradient", "100 rows", gradient, .kernels = true,
     .arrays = {WRITES(H * V), WRITES(V), WRITES(H),                       // g
                READS(B * V), READS(B * H), READS(B * V), READS(B * H)},   // v0 h0 vk hk
     .products = {{PRODUCT_TN, H, V, B, .c = 0, .a = 4, .b = 3},
                  {PRODUCT_TN, H, V, B, .c = 0, .a = 6, .b = 5}}},
    {"cd", "bm_cd", "CD-1, 100 rows", cd, .kernels = true,
     .arrays = {WRITES(H * V), WRITES(V), WRITES(H), READS(B * V), MODEL}},
    {"pcd", "bm_pcd", "PCD-1, 100 rows", pcd, .kernels = true,
     .arrays = {WRITES(H * V), WRITES(V), WRITES(H), READS(B * V), MODEL}},
    {"ais", "bm_ais", "10 runs, 5 steps", ais, .kernels = true,
     .arrays = {WRITES(FEW), MODEL, READS(V)}},                            // w b c a
    {"ais_estimate", "bm_ais_estimate", "100,000 runs", ais_estimate, .arrays = {WRITES(2)}},
    {"dbn", "bm_dbn", "784-500-500", dbn, .kernels = true,
     .arrays = {WRITES(B * H), READS(B * V), MODEL}},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
    return exercises_main("boltzmann", workloads, argc, argv);
}
