/* optimizer.h -- what training keeps for each parameter: gradient, optimizer's moments, fp32 copy.
 *
 *     KnRecipe recipe = optimizer_recipe(PRECISION_MIXED, 2);   // weights 2, gradients 2, copy 4
 *     optimizer_bytes(OPTIMIZER_ADAMW, 4096, 4096);             // 8 for each number
 *     optimizer_bytes(OPTIMIZER_ADAFACTOR, 4096, 14336);        // 4 (4096 + 14336): rows and columns
 *
 * Moments are counted tensor by tensor, because some optimizers look at a tensor's shape.
 */
#pragma once
#include "labs/5_frontier/key_numbers/key_numbers.h"

// In the order of question.h's choices.
typedef enum Optimizer {
    OPTIMIZER_ADAMW,
    OPTIMIZER_ADAMW_8BIT,
    OPTIMIZER_ADAMW_BF16,
    OPTIMIZER_MOMENTUM,
    OPTIMIZER_SGD,
    OPTIMIZER_LION,
    OPTIMIZER_ADAFACTOR,
    OPTIMIZER_PAGED_ADAMW,
    OPTIMIZER_PAGED_ADAMW_8BIT,
    OPTIMIZER_COUNT
} Optimizer;

typedef enum Precision { PRECISION_MIXED, PRECISION_FP32, PRECISION_BF16 } Precision;

// Bytes of the moments of one tensor [rows, cols]; a vector has rows = 1.
double optimizer_bytes(Optimizer optimizer, uint64_t rows, uint64_t cols);
bool optimizer_paged(Optimizer optimizer);    // its moments may be in the host's memory (QLoRA)
const char *optimizer_name(Optimizer optimizer);     // "adamw"
const char *optimizer_about(Optimizer optimizer);    // "two fp32 moments, 8 bytes a parameter"
// Bytes for each trained parameter, where `state` is the fp32 copy alone: the moments come on top. In
// fp32 gradients have 4 bytes, else as many as are asked for.
KnRecipe optimizer_recipe(Precision precision, int gradient_bytes);
