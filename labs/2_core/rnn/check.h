/* check.h -- the cases of each part of the lab, and the oracles they share. */
#pragma once
#include <math.h>
#include <string.h>
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/2_core/rnn/rnn.h"

extern const struct CMUnitTest elman_cases[];        // elman .. clip
extern const struct CMUnitTest gate_cases[];         // lstm .. gru_backward
extern const struct CMUnitTest sequence_cases[];     // reverse .. loss
extern const struct CMUnitTest attention_cases[];    // attention .. sample

typedef enum Kind { ELMAN, LSTM, GRU } Kind;

// A layer, its input, and a loss L = sum dh h + sum dc c, all in double; each number is that of a float.
typedef struct Problem {
    Kind kind;
    int T, B, I, H, K;    // K: gradients are cut into chunks; 0: not
    double *x, *w, *u, *b, *n;
    double *h0, *c0;            // NULL: zeros
    double *dh, *dc;            // [T,B,H]
    double *kick_h, *kick_c;    // [T,B,H] added to h[t] and c[t] on the way: 0, but for dL/dh[t]
} Problem;

double *normal(uint64_t seed, size_t n);     // guarded, from N(0,1), each that of a float
double *waves(size_t n, double first);       // sin(first), sin(first + 1), ... each that of a float
float *narrow(const double *x, size_t n);    // guarded floats; NULL stays NULL
Problem problem_random(Kind kind, int T, int B, int I, int H, uint64_t seed, bool state);
// The inputs of check_values.py: T 3, B 2, I 2, H 2.
Problem problem_waves(Kind kind);
void problem_run(const Problem *p, double *h, double *c,
                 double *gates);    // c, gates: as the kind needs

// Runs the exercise of this kind and holds what it writes against problem_run.
void check_forward(const Problem *p);
// The same for its backward (of an Elman cell with K, rn_truncated), against finite differences. Each gradient held
// `held` before; wants: which of dx, dh0 and dc0 are asked for.
enum { WANT_X = 1, WANT_H0 = 2, WANT_C0 = 4, WANT_ALL = 7 };
void check_backward(const Problem *p, float held, unsigned wants);
// Without one or more of dx, dh0 and dc0.
void check_unwanted(Problem p);
// A NaN in each of the arrays that the forward pass reads.
void check_nan_inputs(Kind kind, uint64_t seed);
// Gradients of dh and dc are `p`'s, scaled by what those are scaled by: no gradient is too large or too small.
void check_linear(const Problem *p);
// By name of its arrays: what a forward or backward has left.
typedef struct Outcome {
    float *h, *c, *gates;                                   // of the forward
    float *dh, *dc, *dx, *dh0, *dc0, *dw, *du, *db, *dn;    // of the backward
} Outcome;
Outcome run_forward(const Problem *p);
Outcome run_backward(const Problem *p, float held, unsigned wants);

// check_cells.c: check_forward, or check_backward, of every size with and without a state.
void check_forwards(Kind kind, uint64_t seed);
void check_backwards(Kind kind, uint64_t seed);
// Inputs of 1e4 and 1e30.
void check_extremes(Kind kind, uint64_t seed);
void check_saturated(Kind kind);       // backward, too
void check_nan_forward(Kind kind);     // in x of one step of one sequence
void check_nan_backward(Kind kind);    // in dh of one step of one sequence
