/* bench.c -- what the exercises are called with in the lab: patches of 8 x 8, 128 atoms.
 *
 *     ./lab bench sparse_coding --mine
 */
#include "labs/2_core/sparse_coding/sparse_coding.h"
#include "bench/exercises.h"
#include "common/rng.h"

enum { K = 128, P = 64, N = 100000, SWEEPS = 10, ATOMS = 10, LAYERS = 8 };
static const double LAMBDA = 0.2, L = 8;

// What the calls work on; as it is made at the start, all calls see the same.
static double atoms[K * P], signal[P], numbers[N], W[K * P], S[K * K], threshold[K], A[K * K],
    B[K * P];
static const Dictionary dict = {K, P, atoms};
static const Encoder encoder = {K, P, LAYERS, W, S, threshold};
static double code[K], work[P + 2 * K + K * P + K * K], d[K * P], codes[LAYERS * K];

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < K * P; i++) atoms[i] = (double)rng_normal(&rng) / 8;    // about 1 long
    for (int i = 0; i < P; i++) signal[i] = (double)rng_normal(&rng) / 4;
    for (int i = 0; i < N; i++) numbers[i] = (double)rng_normal(&rng);
    for (int i = 0; i < K * P; i++) W[i] = atoms[i] / L, B[i] = atoms[i];
    for (int i = 0; i < K * K; i++) S[i] = (double)rng_normal(&rng) / K;
    for (int k = 0; k < K; k++) threshold[k] = LAMBDA / L, A[k * K + k] = 1;
}

// Each leaves numbers to be compared.
static void leave(float *to, const double *from, int count)
{
    for (int i = 0; i < count; i++) to[i] = (float)from[i];
}

static double *code_of_zeros(void)
{
    for (int k = 0; k < K; k++) code[k] = 0;
    return code;
}

static void soft(Solution *solution, float *const *a)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += AS(sc_soft, solution)(numbers[i], LAMBDA);
    a[0][0] = (float)sum;
}

static void objective(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(sc_objective, solution)(atoms, signal, &dict, LAMBDA);
}

static void spectral_norm(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(sc_spectral_norm, solution)(&dict, 50, work);
}

static void ista(Solution *solution, float *const *a)
{
    AS(sc_ista, solution)(code_of_zeros(), signal, &dict, LAMBDA, L, 100, work);
    leave(a[0], code, K);
}

static void fista(Solution *solution, float *const *a)
{
    AS(sc_fista, solution)(code_of_zeros(), signal, &dict, LAMBDA, L, 100, work);
    leave(a[0], code, K);
}

static void coordinate_descent(Solution *solution, float *const *a)
{
    AS(sc_coordinate_descent, solution)(code_of_zeros(), signal, &dict, LAMBDA, 0, SWEEPS, work);
    leave(a[0], code, K);
}

static void omp(Solution *solution, float *const *a)
{
    AS(sc_omp, solution)(code, signal, &dict, ATOMS, work);
    leave(a[0], code, K);
}

static void update(Solution *solution, float *const *a)
{
    for (int i = 0; i < K * P; i++) d[i] = atoms[i];
    AS(sc_update, solution)(d, A, B, K, P, work);
    leave(a[0], d, K * P);
}

static void lista(Solution *solution, float *const *a)
{
    AS(sc_lista, solution)(codes, signal, &encoder, work);
    leave(a[0], codes, LAYERS * K);
}

static void lista_backward(Solution *solution, float *const *a)
{
    static double g_W[K * P], g_S[K * K], g_threshold[K];
    for (int i = 0; i < K * P; i++) g_W[i] = 0;
    for (int i = 0; i < K * K; i++) g_S[i] = 0;
    for (int i = 0; i < K; i++) g_threshold[i] = 0;
    for (int i = 0; i < LAYERS * K; i++) codes[i] = i % 10 == 0 ? numbers[i] : 0;
    AS(sc_lista_backward, solution)
    ((EncoderGradient){g_W, g_S, g_threshold}, numbers, codes, signal, &encoder, work);
    leave(a[0], g_W, K * P);
}

// clang-format off
static const Workload workloads[] = {
    {"soft", "sc_soft", "100,000 numbers", soft, .arrays = {WRITES(1)}},
    {"objective", "sc_objective", "128 atoms", objective, .arrays = {WRITES(1)}},
    {"spectral_norm", "sc_spectral_norm", "50 iterations", spectral_norm, .arrays = {WRITES(1)},
     .double_flops = 50 * 4.0 * K * P},
    {"ista", "sc_ista", "100 iterations", ista, .arrays = {WRITES(K)}, .double_flops = 100 * 4.0 * K * P},
    {"fista", "sc_fista", "100 iterations", fista, .arrays = {WRITES(K)}, .double_flops = 100 * 4.0 * K * P},
    {"coordinate_descent", "sc_coordinate_descent", "10 sweeps", coordinate_descent, .arrays = {WRITES(K)}},
    {"omp", "sc_omp", "10 of 128", omp, .arrays = {WRITES(K)}},
    {"update", "sc_update", "128 atoms", update, .arrays = {WRITES(K * P)},
     .double_flops = 2.0 * K * K * P},
    {"lista", "sc_lista", "8 layers", lista, .arrays = {WRITES(LAYERS * K)},
     .double_flops = 2.0 * K * (P + (LAYERS - 1) * K)},
    {"lista_backward", "sc_lista_backward", "8 layers", lista_backward, .arrays = {WRITES(K * P)}},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
    return exercises_main("sparse_coding", workloads, argc, argv);
}
