/* moons.h -- two half moons of points, and a small network that tells them apart, made twice: of
 * single numbers for your engine, and of tensors for the course's tape.
 *
 *     Moons   moons  = moons_draw(keep, 400, 0.15, &rng);
 *     Value **weight = values_new(step, weights, NET_WEIGHTS);
 *     Value  *loss   = net_loss(step, weight, &moons, chosen, 32);
 *
 * The network is 2-12-12-1 with tanh. Its weights lie in one row: for each layer [out,in], then the
 * biases [out]. A score above 0 means class 1.
 */
#pragma once
#include "common/rng.h"
#include "labs/1_foundations/calculus/graph.h"

enum {
    NET_HIDDEN = 12,
    NET_WEIGHTS = 3 * NET_HIDDEN + (NET_HIDDEN + 1) * NET_HIDDEN + NET_HIDDEN + 1
};

typedef struct Moons {
    int count;
    double *x;         // [count,2]
    double *target;    // [count], 0 or 1
} Moons;

Moons moons_draw(Arena *arena, int count, double noise, Rng *rng);
void net_init(double *weights, Rng *rng);                      // Glorot & Bengio 2010, eq. 16
double net_plain(const double *weights, const double x[2]);    // the score, with no graph

Value **values_new(Arena *arena, const double *x, int n);    // inputs
Value *net_score(Arena *arena, Value *const *weights, double x0, double x1);

// The mean of ln(1 + e^s) - target s over n chosen points: cross-entropy of the class that the
// sigmoid of the score s gives.
Value *net_loss(Arena *arena, Value *const *weights, const Moons *moons, const int *chosen, int n);

// The same loss by the course's tensors, in float, and its gradient [NET_WEIGHTS]. Tensors go into
// `keep`; the tape uses `step` from its start.
double net_loss_tensors(Arena *keep, Arena *step, const double *weights, const Moons *moons,
                        const int *chosen, int n, double *gradient);
