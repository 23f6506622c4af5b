/* ops.h -- what networks are made of: each op checks shapes, computes, and records its backward.
 *
 *     Tensor *hidden = op_relu(tape, op_linear(tape, x, w, b));    // [B,I] [O,I] [O] -> [B,O]
 *
 * Results live in the tape's arena. An op with wrong shapes stops the program and says both.
 */
#pragma once
#include "common/tape.h"

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b);    // x w' + b: [B,I] [O,I] [O] -> [B,O]; b may be NULL
Tensor *op_matmul(Tape *tape, Tensor *a, Tensor *b);               // [m,k] [k,n] -> [m,n]

Tensor *op_add(Tape *tape, Tensor *a, Tensor *b);                  // same shapes
Tensor *op_mul(Tape *tape, Tensor *a, Tensor *b);                  // same shapes, element by element
Tensor *op_scale(Tape *tape, Tensor *x, float alpha);              // alpha x
Tensor *op_exp(Tape *tape, Tensor *x);

Tensor *op_relu(Tape *tape, Tensor *x);                            // max(x, 0); derivative 0 at 0
Tensor *op_sigmoid(Tape *tape, Tensor *x);
Tensor *op_tanh(Tape *tape, Tensor *x);
