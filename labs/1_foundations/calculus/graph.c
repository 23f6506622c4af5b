#include "labs/1_foundations/calculus/graph.h"
#include <math.h>

static double compute(Op op, double a, double b)
{
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    case OP_EXP: return exp(a);
    case OP_LOG: return log(a);
    case OP_SIN: return sin(a);
    case OP_TANH: return tanh(a);
    default: return a;
    }
}

Value *value_input(Arena *arena, double data)
{
    Value *value = arena_alloc(arena, sizeof *value);
    *value = (Value){.data = data, .op = OP_INPUT};
    return value;
}

Value *value_of(Arena *arena, Op op, Value *a, Value *b)
{
    Value *value = arena_alloc(arena, sizeof *value);
    *value = (Value){.data = compute(op, a->data, b ? b->data : 0), .op = op, .a = a, .b = b};
    return value;
}

Value *value_sum(Arena *arena, Value **terms, int n)
{
    for (; n > 1; n = (n + 1) / 2) {
        for (int i = 0; i < n / 2; i++)
            terms[i] = value_of(arena, OP_ADD, terms[2 * i], terms[2 * i + 1]);
        if (n % 2 == 1) terms[n / 2] = terms[n - 1];
    }
    return terms[0];
}

const char *op_name(Op op)
{
    static const char *const names[OP_COUNT] = {"input", "add", "sub", "mul", "div",
                                                "exp",   "log", "sin", "tanh"};
    return names[op];
}
