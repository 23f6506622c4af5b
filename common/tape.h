/* tape.h -- reverse-mode automatic differentiation: ops run at once and record their backward.
 *
 *     Tape *tape = tape_new(step);
 *     for (...) {
 *         Tensor *y    = op_linear(tape, x, w, b);
 *         Tensor *loss = loss_mse(tape, y, target);
 *         tape_backward(tape, loss);    // adds d(loss)/dw to w->grad, d(loss)/db to b->grad
 *         optimizer_step(adam);         // uses the gradients up
 *         tape_reset(tape);             // forgets the graph; its tensors' memory is used again
 *     }
 *
 * A tape is a list of nodes in the order they ran; walking it backwards visits every op after all
 * its uses, which is all that reverse mode needs (Griewank & Walther 2008, chapter 3). A tensor
 * takes part when it has a grad: parameters do, inputs and targets do not, and an op's output does
 * when one of its inputs does.
 *
 * An op of your own is a forward and a backward:
 *
 *     static void square_backward(const TapeNode *node)
 *     {
 *         Tensor *x = node->in[0], *y = node->out;
 *         for (size_t i = 0; i < tensor_count(x); i++) x->grad[i] += 2 * x->data[i] * y->grad[i];
 *     }
 *     Tensor *square(Tape *tape, Tensor *x)
 *     {
 *         Tensor *y = tensor_new(tape->arena, x->shape);
 *         for (size_t i = 0; i < tensor_count(x); i++) y->data[i] = x->data[i] * x->data[i];
 *         return tape_record(tape, y, square_backward, NULL, INPUTS(x));
 *     }
 *
 * backward adds to the grad of each input that has one; with several inputs it must ask.
 */
#pragma once
#include "common/tensor.h"

enum { TAPE_MAX_INPUTS = 4 };

typedef struct TapeNode {
    void (*backward)(const struct TapeNode *node);
    Tensor          *out;
    Tensor          *in[TAPE_MAX_INPUTS];    // NULL after the last
    const void      *saved;                  // what else backward needs, in the tape's arena
    struct TapeNode *before;
} TapeNode;

typedef struct Tape {
    Arena    *arena;        // holds outputs, their gradients and the nodes
    TapeNode *last;
    bool      recording;    // false while evaluating: ops compute and record nothing
} Tape;

#define INPUTS(...) ((Tensor *[]){__VA_ARGS__, NULL})

Tape *tape_new(Arena *step);      // the tape uses the arena from its start, and resets it
void  tape_reset(Tape *tape);

// Gives out a grad and records the node if an input has a grad; returns out. `inputs` ends
// with NULL. A node is not needed for a result that no gradient can reach, and is not made.
Tensor *tape_record(Tape *tape, Tensor *out, void (*backward)(const TapeNode *node),
                    const void *saved, Tensor *const inputs[]);

// Adds d(loss)/dx to x->grad for every parameter x that loss was computed from; an op's output has
// its own in grad until the next pass. loss has one element. One tape may hold several losses.
void tape_backward(Tape *tape, Tensor *loss);
