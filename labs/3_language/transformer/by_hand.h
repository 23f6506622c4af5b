/* by_hand.h -- the model's ops as calls of the functions of transformer.h: what you write.
 *
 *     model.ops = &exercise_ops;    // --mine; model_ops is the kernel table
 *
 * What is no exercise (linear layers, residual sums, Qwen3's norms of heads, GELU by erf, scaled or partial
 * RoPE) stays with the kernel table.
 */
#pragma once
#include "common/run.h"
#include "labs/3_language/transformer/model/model.h"

extern const BlockOps exercise_ops;

// All exercises beside the kernel table, by one table of differences and times; `scratch` is reset.
bool by_hand_compare(Run *run, Arena *keep, Arena *scratch, Error *err);
