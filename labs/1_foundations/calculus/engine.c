#include "labs/1_foundations/calculus/engine.h"
#include "common/error.h"

enum { ROOM = 1 << 20 };    // nodes; a page of it is memory only once it is used

Engine *engine_new(Arena *keep)
{
    Engine *engine = arena_zeros(keep, sizeof *engine);
    engine->order = arena_alloc(keep, ROOM * sizeof(Value *));
    return engine;
}

void engine_gradient(Engine *engine, Value *result)
{
    engine->count = calc_order(engine->order, 0, result);
    REQUIRE(engine->count <= ROOM, "a graph of %d nodes; room is for %d", engine->count, ROOM);
    calc_backward(engine->order, engine->count, calc_push);
}

double engine_forward(Engine *engine, const Value *input)
{
    for (int i = 0; i < engine->count; i++) {
        Value *node = engine->order[i];
        Dual a = {0}, b = {0};
        if (node->a != NULL) a = (Dual){node->a->data, node->a->tangent};
        if (node->b != NULL) b = (Dual){node->b->data, node->b->tangent};
        if (node->op == OP_INPUT) a = (Dual){node->data, node == input ? 1 : 0};
        node->tangent = calc_dual(node->op, a, b).derivative;
    }
    return engine->count > 0 ? engine->order[engine->count - 1]->tangent : 0;
}
