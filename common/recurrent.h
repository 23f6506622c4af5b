/* recurrent.h -- an LSTM and a GRU over a batch of sequences, time first.
 *
 *     Tensor *h = op_lstm(tape, x, w, u, b, NULL);    // [T,B,I] -> [T,B,H]
 *
 * Forms, orders of gates and sizes are PyTorch's: an LSTM's blocks of H rows are i f g o, a GRU's r z n with the
 * reset gate after the product. The input's products of all steps are one matrix product; a step is a product with the
 * state and one kernel for its gates.
 */
#pragma once
#include "common/tape.h"

// The state before the first step, [B,H] each, overwritten by that after the last; no gradient reaches it. c: an LSTM's
typedef struct RecurrentState {
    Tensor *h, *c;
} RecurrentState;

// state: NULL: begins at zeros.
// w [4H,I], u [4H,H], b [4H]
Tensor *op_lstm(Tape *tape, Tensor *x, Tensor *w, Tensor *u, Tensor *b, RecurrentState *state);
// w [3H,I], u [3H,H], b [3H], c [H]: the candidate's bias inside the reset
Tensor *op_gru(Tape *tape, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Tensor *c,
               RecurrentState *state);
