/* check.h -- the cases of each part of the lab, in the exercises' order, and the oracles they share. */
#pragma once
#include <math.h>
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/2_core/boltzmann/boltzmann.h"

extern const struct CMUnitTest sum_cases[];         // softplus, log_sum_exp
extern const struct CMUnitTest machine_cases[];     // energy .. gibbs
extern const struct CMUnitTest network_cases[];     // hopfield_store .. ising
extern const struct CMUnitTest layer_cases[];       // hidden .. sample
extern const struct CMUnitTest energy_cases[];      // free_energy .. pseudo_likelihood
extern const struct CMUnitTest gradient_cases[];    // gradient .. pcd
extern const struct CMUnitTest ais_cases[];         // ais .. dbn

// Sums of a few hundred float products of size 1, in any order, and what a sigmoid makes of them.
#define SUM_TOLERANCE .atol = 2e-5, .rtol = 2e-5

// Both generators must have made the same number of draws.
#define assert_drawn(rng, same, times)                                                             \
    assert_that((rng)->state == (same)->state, "expected %s; got more draws or fewer", times)

// ---- a few units: plain loops in double, over all pairs ----

typedef struct Machine {
    int n;
    double *w, *b;    // guarded; the diagonal holds NAN, since it is ignored
} Machine;

Machine machine_random(uint64_t seed, int n, double scale);
double energy_of(const Machine *m, const int *s);
// The probabilities of all states by the definition; returns log Z.
double enumerate(const Machine *m, double *p);

// ---- restricted machines ----

Rbm rbm_random(uint64_t seed, int V, int H, double scale);    // guarded
Rbm rbm_of(int V, int H, const float *w, const float *b, const float *c);
Rbm rbm_copy(const Rbm *rbm);
void assert_rbm_kept(const Rbm *rbm, const Rbm *before);
float *rows_random(uint64_t seed, int rows, int columns);    // of 0 and 1, guarded

double input_of(const Rbm *rbm, const double *v, int j);    // c[j] + w[j,:].v
double *hidden_of(const Rbm *rbm, const double *v, int B);
double *visible_of(const Rbm *rbm, const double *h, int B);
double free_energy_of(const Rbm *rbm, const double *v);
double exact_log_z(const Rbm *rbm);    // over all visible states

double *sample_of(const double *p, size_t n, Draw draw);    // by philox.h, not by a kernel
Draw stream_of(Draw draw, uint64_t further);
