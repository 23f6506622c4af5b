/* replay.h -- training steps whose kernels a device launches again as it has recorded them (kernels/device.h).
 *
 *     Replay *replay = replay_new(keep, params);    // NULL: not on this device, or not asked for
 *     ... a step's batch is in the tape's arena ...
 *     if (replay_forward(replay, tape, rows, 1, rng, &value)) { // one launch in place of all
 *         replay_backward(replay);                              // another; the parameters have their gradients
 *     } else {                                                  // perhaps it records what follows
 *         Tensor *loss = ...;
 *         replay_end_forward(replay, loss, rng);
 *         value = tensor_item(loss);
 *         replay_begin_backward(replay);
 *         tape_backward(tape, loss);
 *         replay_end_backward(replay);
 *     }
 *
 * LAB_CUDA_GRAPHS=on asks for it. The first step takes its memory, the second one is recorded, further ones are
 * replayed: the batch lies where it lay, and what follows has the same addresses and numbers as its arguments. So
 * this is for losses that call the same kernels with the same arguments in each step (Training's `repeats`). One
 * that draws random numbers, or reads or writes the device's memory on the way, is found out and never recorded; a
 * step with another number of rows, or another factor before its loss, is computed directly. The optimizer's kernels
 * are not part of it: they get step and learning rate anew each time. With several ranks each replays its share, and
 * the gradients are summed behind it: what a graph holds is not interrupted for messages.
 */
#pragma once
#include "common/params.h"
#include "common/rng.h"
#include "common/tape.h"

typedef struct Replay Replay;

bool replay_asked(void);    // LAB_CUDA_GRAPHS=on
Replay *replay_new(Arena *keep, Params *params);
void replay_free(
    Replay *replay);    // what the device holds. NULL is fine here, and in all that follows

// scale: what the loss is multiplied by before backward. False: it is to be computed; else the loss was.
bool replay_forward(Replay *replay, const Tape *tape, int rows, float scale, const Rng *rng,
                    float *loss);
void replay_backward(Replay *replay);

void replay_end_forward(Replay *replay, const Tensor *loss, const Rng *rng);
void replay_begin_backward(Replay *replay);
void replay_end_backward(Replay *replay);

long replay_count(const Replay *replay);    // steps that were replayed
