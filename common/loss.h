/* loss.h -- what training makes small: each is one number, [], with its gradient on the tape.
 *
 *     Tensor *loss = loss_cross_entropy(tape, logits, labels);    // [B,C] and B class numbers
 *
 * "Per row" means: summed over a row's elements, averaged over the B rows of the batch. Targets
 * get no gradient; they and labels are borrowed until the tape is reset. Losses over logits take
 * the values before the sigmoid or softmax, since log(sigmoid(z)) computed in two steps loses all
 * its digits for large |z|.
 */
#pragma once
#include "common/tape.h"

Tensor *loss_mse(Tape *tape, Tensor *x, const Tensor *target);              // mean over all elements
Tensor *loss_squared_error(Tape *tape, Tensor *x, const Tensor *target);    // per row
Tensor *loss_bce_logits(Tape *tape, Tensor *z, const Tensor *target);       // per row; target in [0,1]
Tensor *loss_cross_entropy(Tape *tape, Tensor *z, const int *labels);       // mean over rows; labels in 0..C-1
