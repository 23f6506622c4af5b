/* given.h -- what a user states about a model beside its files.
 *
 *     const Model *text = model_given(arena, model, &(ModelGiven){.towers = false}, &err);
 *
 * 0 where nothing is said. Key/value heads, a window and the experts of a token are asked of a model whose family
 * is not known: elsewhere its configuration tells them.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

typedef struct ModelGiven {
    bool towers;    // counted, where the model has any
    uint64_t kv_heads, window, active_experts;
} ModelGiven;

// The model itself where nothing changes; NULL where it cannot be so.
const Model *model_given(Arena *arena, const Model *model, const ModelGiven *given, Error *err);
