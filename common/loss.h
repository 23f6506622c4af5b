/* loss.h -- what training makes small: each is one number, [], with its gradient on the tape.
 *
 *     Tensor *labels = tensor_from_ints(tape->arena, SHAPE(B), y);    // class numbers
 *     Tensor *loss   = loss_cross_entropy(tape, logits, labels);      // [B,C] [B] -> []
 *
 * "Per row" means: summed over a row's elements, averaged over the B rows of the batch. Targets
 * get no gradient; they and labels must live until the tape is reset. Losses over logits take the
 * values before the sigmoid or softmax, since log(sigmoid(z)) computed in two steps loses all its
 * digits for large |z|.
 */
#pragma once
#include "common/tape.h"

Tensor *loss_mse(Tape *tape, Tensor *x, Tensor *target);              // mean over all elements
Tensor *loss_squared_error(Tape *tape, Tensor *x, Tensor *target);    // per row
Tensor *loss_bce_logits(Tape *tape, Tensor *z, Tensor *target);       // per row; target in [0,1]

// Mean over the rows whose label is not negative, 0 where there is none: [...,C] [...] -> []. Labels are I32 below C,
// which is checked where the host can read them.
Tensor *loss_cross_entropy(Tape *tape, Tensor *z, Tensor *labels);

// The same of the logits x w^T, of which no more are in memory at a time than fit in 64 MB or in w's own size:
// [...,d] [V,d] [...] -> [], with a label for each row of x. Backward runs once.
Tensor *loss_linear_cross_entropy(Tape *tape, Tensor *x, Tensor *w, Tensor *labels);
