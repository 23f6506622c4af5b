/* engine.h -- automatic differentiation of a whole graph by your functions, backward or forward.
 *
 *     Engine *engine = engine_new(keep);
 *     Value  *x = value_input(step, 3), *z = value_of(step, OP_MUL, x, x);
 *     engine_gradient(engine, z);                  // x->grad = 6, as is that of every other input
 *     double derivative = engine_forward(engine, x);    // 6 again, by dual numbers
 *
 * A graph is walked once: its nodes are marked as seen.
 */
#pragma once
#include "labs/1_foundations/calculus/calculus.h"

typedef struct Engine {
    Value **order;    // operands first; the result last
    int count;
} Engine;

Engine *engine_new(Arena *keep);

// Every node's grad becomes d(result)/d(node).
void engine_gradient(Engine *engine, Value *result);

// d(result)/d(input) of the graph that engine_gradient() walked last.
double engine_forward(Engine *engine, const Value *input);
