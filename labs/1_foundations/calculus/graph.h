/* graph.h -- a computational graph: numbers, and the ops that produced them.
 *
 *     Value *x = value_input(arena, 3), *y = value_input(arena, 2);
 *     Value *z = value_of(arena, OP_MUL, x, value_of(arena, OP_SIN, y, NULL));    // x sin y
 *     printf("%g\n", z->data);
 *
 * A node's data is computed when the node is made. grad, tangent and seen are for traversals of the
 * graph. Nodes live in the arena; a graph has no cycles, as an operand is older.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"

typedef enum Op {
    OP_INPUT,    // a number from outside, no operands
    OP_ADD,      // a + b
    OP_SUB,      // a - b
    OP_MUL,      // a b
    OP_DIV,      // a / b
    OP_EXP,      // e^a
    OP_LOG,      // ln a
    OP_SIN,      // sin a
    OP_TANH,     // tanh a
    OP_COUNT
} Op;

typedef struct Value {
    double data;       // the number
    double grad;       // d(result)/d(node): backward mode
    double tangent;    // d(node)/d(input): forward mode
    Op op;
    bool seen;              // false at first
    struct Value *a, *b;    // operands; NULL where there is none
} Value;

Value *value_input(Arena *arena, double data);
Value *value_of(Arena *arena, Op op, Value *a, Value *b);

// The sum of n > 0 terms as a tree of about log2(n) levels: a chain would be n deep, and so would
// be the recursion that walks it. Overwrites terms.
Value *value_sum(Arena *arena, Value **terms, int n);

const char *op_name(Op op);    // "mul"
