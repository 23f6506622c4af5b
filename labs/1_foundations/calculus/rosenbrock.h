/* rosenbrock.h -- Rosenbrock's function of n > 1 numbers: sum_i (1 - x[i])^2 + 100 (x[i+1] - x[i]^2)^2. */
#pragma once
#include "labs/1_foundations/calculus/graph.h"

Value *rosenbrock_graph(Arena *arena, Value *const *x, int n);
double rosenbrock_value(const double *x, int n, const void *context);    // a Field
