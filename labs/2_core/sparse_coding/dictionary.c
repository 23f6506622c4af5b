#include "labs/2_core/sparse_coding/dictionary.h"
#include <math.h>
#include <string.h>
#include "labs/2_core/sparse_coding/sparse_coding.h"

double *doubles(Arena *arena, size_t n)
{
    return arena_zeros(arena, n * sizeof(double));
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void to_length_1(double *d, int P)
{
    double length = sqrt(dot(d, d, P));
    for (int i = 0; i < P; i++) d[i] /= length;
}

double *random_atoms(Arena *arena, int K, int P, Rng *rng)
{
    double *d = doubles(arena, (size_t)K * (size_t)P);
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < P; i++) d[k * P + i] = (double)rng_normal(rng);
        to_length_1(d + (size_t)k * (size_t)P, P);
    }
    return d;
}

double *first_atoms(Arena *arena, const Learning *learning, Rng *rng)
{
    size_t P = (size_t)learning->P;
    double *d = doubles(arena, (size_t)learning->K * P);
    for (size_t k = 0; k < (size_t)learning->K; k++) {
        size_t n = rng_below(rng, (uint32_t)learning->count);
        memcpy(d + k * P, learning->x + n * P, P * sizeof *d);
        to_length_1(d + k * P, learning->P);
    }
    return d;
}

Epoch dictionary_epoch(const Learning *learning, Arena *step)
{
    ArenaMark mark = arena_mark(step);
    int K = learning->K, P = learning->P, count = learning->count;
    size_t k2 = (size_t)K * (size_t)K, kp = (size_t)K * (size_t)P;
    Dictionary dict = {K, P, learning->d};
    double *A = doubles(step, k2), *B = doubles(step, kp), *a = doubles(step, (size_t)K),
           *work = doubles(step, (size_t)(P + 2 * K) + kp + k2);
    Epoch mean = {0};
    for (int n = 0; n < count; n++) {
        const double *x = learning->x + (size_t)n * (size_t)P;
        memset(a, 0, (size_t)K * sizeof *a);
        if (learning->atoms > 0) sc_omp(a, x, &dict, learning->atoms, work);
        else sc_coordinate_descent(a, x, &dict, learning->lambda, learning->tolerance, 1000, work);
        mean.objective += sc_objective(a, x, &dict, learning->lambda) / count;
        for (int k = 0; k < K; k++) {
            if (a[k] == 0) continue;
            mean.used += 1.0 / count;
            for (int j = 0; j < K; j++) A[k * K + j] += a[k] * a[j];
            for (int i = 0; i < P; i++) B[k * P + i] += a[k] * x[i];
        }
    }
    sc_update(learning->d, A, B, K, P, work);
    arena_rewind(step, mark);
    return mean;
}

double *planted_signals(Arena *arena, const double *atoms, Planted planted, Rng *rng)
{
    int P = planted.P;
    double *signals = doubles(arena, (size_t)planted.count * (size_t)P);
    for (int n = 0; n < planted.count; n++) {
        double *x = signals + (size_t)n * (size_t)P;
        for (int t = 0; t < planted.of; t++) {
            const double *d = atoms + (size_t)rng_below(rng, (uint32_t)planted.K) * (size_t)P;
            double a = 2 * (double)rng_uniform(rng) - 1;
            for (int i = 0; i < P; i++) x[i] += a * d[i];
        }
        double noise = 0.1 * sqrt(dot(x, x, P) / P);
        for (int i = 0; i < P; i++) x[i] += noise * (double)rng_normal(rng);
    }
    return signals;
}

double recovered_share(const double *d, const double *truth, int K, int P)
{
    int recovered = 0;
    for (int k = 0; k < K; k++) {
        double best = 0;
        for (int j = 0; j < K; j++)
            best =
                fmax(best, fabs(dot(truth + (size_t)k * (size_t)P, d + (size_t)j * (size_t)P, P)));
        recovered += 1 - best < 0.01;
    }
    return (double)recovered / K;
}
