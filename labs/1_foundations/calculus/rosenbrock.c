#include "labs/1_foundations/calculus/rosenbrock.h"

Value *rosenbrock_graph(Arena *arena, Value *const *x, int n)
{
    Value **terms = arena_alloc(arena, sizeof *terms * (size_t)n);
    for (int i = 0; i + 1 < n; i++) {
        Value *flat = value_of(arena, OP_SUB, value_input(arena, 1), x[i]);
        Value *steep = value_of(arena, OP_SUB, x[i + 1], value_of(arena, OP_MUL, x[i], x[i]));
        Value *wall =
            value_of(arena, OP_MUL, value_input(arena, 100), value_of(arena, OP_MUL, steep, steep));
        terms[i] = value_of(arena, OP_ADD, value_of(arena, OP_MUL, flat, flat), wall);
    }
    return value_sum(arena, terms, n - 1);
}

double rosenbrock_value(const double *x, int n, const void *context)
{
    (void)context;
    double sum = 0;
    for (int i = 0; i + 1 < n; i++) {
        double flat = 1 - x[i], steep = x[i + 1] - x[i] * x[i];
        sum += flat * flat + 100 * steep * steep;
    }
    return sum;
}
