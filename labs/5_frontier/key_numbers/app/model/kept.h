/* kept.h -- modules that a quantised file leaves in 16 bits, by the lists of its configuration.
 *
 *     const char *const list[] = {"lm_head", "model.layers.*.self_attn*", "re:.*mlp[.]gate$"};
 *     kept_mark(arena, model, list, 3, true);    // NULL, or the first that is not understood
 *     if (weight_kept(weight, layer)) ...        // its own bits in that layer
 *
 * A list holds names of modules, of which each one within counts ("model.layers.0"; also without what
 * stands before or behind), patterns with *, or regular expressions of Python's after "re:".
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

// Of what is in the list, or (`listed` false) of all else.
const char *kept_mark(Arena *arena, Model *model, const char *const *list, int count, bool listed);
// A module, named in full, has a format of its own; so has all that is within it.
void kept_as(Arena *arena, Model *model, const char *module, const char *format);
const char *weight_format(const Weight *weight, int layer);    // NULL: the model's
bool weight_kept(const Weight *weight, int layer);             // layer: OUTSIDE, or from 0
uint64_t weight_kept_layers(const Model *model, const Weight *weight);    // of weight_layers()
