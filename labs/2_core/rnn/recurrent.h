/* recurrent.h -- recurrent layers and what goes with them as ops on the tape, time first.
 *
 *     Recurrent lstm = recurrent_new(params, "lstm", CELL_LSTM, 64, 128, &rng);
 *     Tensor *h = recurrent_run(tape, &lstm, x, NULL);    // [T,B,64] -> [T,B,128]
 *
 * Arithmetic is the exercises', in the host's memory (host.h), on any device; an LSTM's and a GRU's the kernel table's
 * where `fast` is set.
 */
#pragma once
#include "common/params.h"
#include "common/recurrent.h"
#include "common/tape.h"
#include "labs/2_core/rnn/rnn.h"

typedef enum CellKind { CELL_ELMAN, CELL_LSTM, CELL_GRU, CELL_KINDS } CellKind;

extern const char *const cell_names[CELL_KINDS];    // "Elman", "LSTM", "GRU"

typedef struct Recurrent {
    CellKind kind;
    int in, hidden;
    bool fast;            // common/recurrent.h computes; false: the exercises do
    Tensor *w, *u, *b;    // [G H,I], [G H,H], [G H]
    Tensor *c;            // [H] of a GRU; else NULL
} Recurrent;

// NAME.weight_ih, .weight_hh and .bias, and a GRU's .bias_hn, each from U(-a, a), a = 1 / sqrt(H), as in PyTorch;
// an LSTM's forget gate begins with a bias of 1 (Jozefowicz et al. 2015).
Recurrent recurrent_new(Params *params, const char *name, CellKind kind, int in, int hidden,
                        Rng *rng);

// x [T,B,I] -> h [T,B,H]. state: where the run begins and, overwritten, where it ends; NULL: at zeros. No gradient
// reaches it.
Tensor *recurrent_run(Tape *tape, const Recurrent *layer, Tensor *x, RecurrentState *state);

// Two Elman layers, from both ends: x [T,B,I] -> [T,B,2H], zeros at padding. length: [B] on the host, which lives
// until the tape is reset; NULL: full length.
Tensor *bidirectional_run(Tape *tape, const Recurrent layers[2], Tensor *x, const int *length);
// q [T,B,H], e [S,B,H] -> [T,B,H]; alpha: NULL, or where the weights [T,B,S] go.
Tensor *op_look(Tape *tape, Tensor *q, Tensor *e, const int *length, Tensor **alpha);

// Mean cross-entropy of logits [T,B,V] for the tokens that follow: tokens [T+1,B].
Tensor *op_sequence_loss(Tape *tape, Tensor *logits, Tensor *tokens);
