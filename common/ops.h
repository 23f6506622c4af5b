/* ops.h -- what networks are made of: each op checks shapes, computes, and records its backward.
 *
 *     Tensor *hidden = op_linear_relu(tape, x, w, b);    // [B,I] [O,I] [O] -> [B,O]
 *
 * Results live in the tape's arena. An op with wrong shapes stops the program and says both.
 */
#pragma once
#include "common/tape.h"
#include "kernels/draw.h"

typedef enum Activation {
    ACTIVATION_NONE,
    ACTIVATION_RELU,
    ACTIVATION_SIGMOID,
    ACTIVATION_TANH
} Activation;

// activation(x w^T + b): [...,I] [O,I] [O] -> [...,O]; b may be NULL. The activation works in place, so
// that one tensor is kept for backward instead of two.
Tensor *op_linear_activated(Tape *tape, Tensor *x, Tensor *w, Tensor *b, Activation activation);
Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b);
Tensor *op_linear_relu(Tape *tape, Tensor *x, Tensor *w, Tensor *b);

Tensor *op_matmul(Tape *tape, Tensor *a, Tensor *b);    // [...,m,k] [...,k,n] -> [...,m,n]

Tensor *op_add(Tape *tape, Tensor *a, Tensor *b);        // same shapes
Tensor *op_mul(Tape *tape, Tensor *a, Tensor *b);        // same shapes, element by element
Tensor *op_scale(Tape *tape, Tensor *x, float alpha);    // alpha x
Tensor *op_exp(Tape *tape, Tensor *x);

Tensor *op_activation(Tape *tape, Tensor *x, Activation activation);
Tensor *op_relu(Tape *tape, Tensor *x);    // max(x, 0); derivative 0 at 0
Tensor *op_sigmoid(Tape *tape, Tensor *x);
Tensor *op_tanh(Tape *tape, Tensor *x);

// x / 2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), as GPT-2 has it; x Phi(x); x sigmoid(x).
Tensor *op_gelu(Tape *tape, Tensor *x);
Tensor *op_gelu_erf(Tape *tape, Tensor *x);
Tensor *op_silu(Tape *tape, Tensor *x);
Tensor *op_swiglu(Tape *tape,
                  Tensor *gate_up);    // silu(gate) up: [...,2F], the gate first -> [...,F]

// Training: x / (1 - p) where a uniform number of the draw is at least p, else 0 (Srivastava et al. 2014).
// Evaluating (tape_quiet): x itself. 0 <= p <= 1; the draw is new at each step (draw_at).
Tensor *op_dropout(Tape *tape, Tensor *x, float p, Draw draw);
