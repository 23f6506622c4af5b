/* chain.h -- Rosenbrock's function of n > 1 numbers: sum_i (1 - x[i])^2 + 100 (x[i+1] - x[i]^2)^2. */
#pragma once
#include "labs/1_foundations/calculus/graph.h"

Value *chain_graph(Arena *arena, Value *const *x, int n);
double chain_height(const double *x, int n, const void *context);    // a Field
