/* dictionary.h -- atoms learned from signals, by turns: codes for these atoms, then atoms for these codes.
 *
 *     Learning learning = {.K = 128, .P = 64, .count = n, .x = x, .d = d, .lambda = 0.2, .tolerance = 1e-4};
 *     for (int e = 0; e < epochs; e++) objective[e] = dictionary_epoch(&learning, step).objective;
 *
 * The arrays are the caller's; an epoch changes d.
 */
#pragma once
#include "common/arena.h"
#include "common/rng.h"

typedef struct Learning {
    int K, P, count;
    const double *x;             // [count,P]
    double *d;                   // [K,P], of length 1
    double lambda, tolerance;    // codes by coordinate descent,
    int atoms;                   // or, unless it is 0, by matching pursuit with so many atoms
} Learning;

// Means over the signals, with the atoms of before the update.
typedef struct Epoch {
    double objective;    // of the lasso
    double used;         // atoms of a signal
} Epoch;

Epoch dictionary_epoch(const Learning *learning, Arena *step);

double *doubles(Arena *arena, size_t n);                       // zeros
double *random_atoms(Arena *arena, int K, int P, Rng *rng);    // of length 1

// As first atoms: signals drawn at random, scaled to length 1.
double *first_atoms(Arena *arena, const Learning *learning, Rng *rng);

// Signals that are sums of `of` random atoms, with coefficients of U(-1, 1), and noise of 20 dB.
typedef struct Planted {
    int K, P, count, of;
} Planted;
double *planted_signals(Arena *arena, const double *atoms, Planted planted,
                        Rng *rng);    // [count,P]

// The share of the K true atoms that an atom of d matches, whatever its sign: 1 - |product| below 0.01
// (Aharon, Elad & Bruckstein 2006, section V.A).
double recovered_share(const double *d, const double *truth, int K, int P);
