/* optimizer.h -- what training keeps for each parameter: gradient, optimizer's moments, fp32 copy.
 *
 *     KnRecipe recipe = optimizer_recipe(&question);            // mixed: weights 2, gradients 2, copy 4
 *     optimizer_bytes("adamw", 4096, 4096);                     // 8 for each number
 *     optimizer_bytes("adafactor", 4096, 14336);                // 4 (4096 + 14336): rows and columns
 *
 * Moments are counted tensor by tensor, because some optimizers look at a tensor's shape.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"

// Bytes of the moments of one tensor [rows, cols]; a vector has rows = 1. The name is one of
// question.h's.
double optimizer_bytes(const char *optimizer, uint64_t rows, uint64_t cols);
// What they are, for people: "two fp32 moments, 8 bytes a parameter".
const char *optimizer_about(const char *optimizer);
// Bytes for each trained parameter, where `state` is the fp32 copy alone: the moments come on top.
KnRecipe optimizer_recipe(const Question *question);
