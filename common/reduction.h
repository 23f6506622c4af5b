/* reduction.h -- the gradients of a model, summed over the ranks while backward still runs.
 *
 *     Reduction *reduction = reduction_new(keep, params);
 *     reduction_follow(reduction, tape);    // for the last backward before the step
 *     tape_backward(tape, loss);
 *     if (!reduction_finish(reduction)) ...    // a rank is gone; else the step may follow
 *
 * The gradients lie in one block in the order in which the layers were made, and backward finishes
 * them from its end. The block is cut into buckets; a bucket is sent when the op that was the first to use
 * one of its parameters has run backward, and backward goes on while it travels (Li et al., "PyTorch
 * Distributed", 2020, section 3.2). The cut depends on the parameters alone, so that all ranks send the
 * same; a rank without rows sends zeros. On a device with memory of its own the device sums there (kernels/device.h).
 */
#pragma once
#include "common/params.h"
#include "common/tape.h"

typedef struct Reduction Reduction;

Reduction *reduction_new(Arena *keep, Params *params);
void reduction_follow(Reduction *reduction, Tape *tape);
bool reduction_finish(Reduction *reduction);
