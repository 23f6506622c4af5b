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
 * takes part when it wants a gradient: parameters do, inputs and targets do not, and an op's output
 * does when one of its inputs does.
 *
 * Gradients of outputs get memory when backward first writes them and give it back once their op's
 * backward has used them: at any time only those live that are still needed.
 *
 * An op of your own is a forward and a backward. On any device its arithmetic is kernels; what must
 * run on the host goes through host.h.
 *
 *     static void square_backward(const TapeNode *node)
 *     {
 *         Tensor *x = node->in[0], *y = node->out[0];
 *         Grad    dx = tape_grad(node, x);
 *         if (dx.at == NULL) return;                                        // not wanted
 *         kernels.mul(dx.at, y->grad, x->data, dx.beta, tensor_count(x));   // twice: dx = 2 x dy
 *         kernels.mul(dx.at, y->grad, x->data, 1.0f, tensor_count(x));
 *     }
 *     Tensor *square(Tape *tape, Tensor *x)
 *     {
 *         Tensor *y = tensor_new(tape->arena, x->shape);
 *         kernels.mul(y->data, x->data, x->data, 0.0f, tensor_count(x));
 *         return tape_record(tape, y, square_backward, NULL, INPUTS(x));
 *     }
 */
#pragma once
#include "common/tensor.h"

typedef struct Tape Tape;

typedef struct TapeNode {
    void (*backward)(const struct TapeNode *node);
    const char *op;    // the function that recorded it
    Tape *tape;
    Tensor **in, **out;    // NULL where the op was given none
    int inputs, outputs;
    const void *saved;    // what else backward needs, in the tape's arena
    bool hides_inputs;    // parameters may come by the context too (tape_recompute)
    struct TapeNode *before;
} TapeNode;

enum { TAPE_POOL = 64 };

struct Tape {
    Arena *arena;    // holds outputs, their gradients and the nodes
    TapeNode *last;
    bool recording;     // false: ops compute and record nothing
    bool evaluating;    // dropout is off
    char *again;        // what lies in the arena behind this is being computed again; NULL outside
    struct {
        float *at;
        size_t bytes;
    } pool[TAPE_POOL];    // memory that gradients gave back
    int pooled;
    // In the next tape_backward(), after each node; NULL for none. Forgotten by tape_reset().
    void (*after)(void *context, const TapeNode *node);
    void *context;
};

typedef struct Tensors {
    Tensor *const *list;
    int count;
} Tensors;
#define TENSORS(...)                                                                               \
    ((Tensors){(Tensor *[]){__VA_ARGS__},                                                          \
               (int)(sizeof((Tensor *[]){__VA_ARGS__}) / sizeof(Tensor *))})
#define INPUTS(...)  TENSORS(__VA_ARGS__)
#define OUTPUTS(...) TENSORS(__VA_ARGS__)

Tape *tape_new(Arena *step);    // the tape uses the arena from its start, and resets it
void tape_reset(Tape *tape);

// Evaluating (true): ops record nothing and dropout is the identity, until false.
void tape_quiet(Tape *tape, bool quiet);

// Marks the outputs as wanting a gradient and records the node if an input wants one; tape_record takes
// and returns a single output. A node is not needed for a result that no gradient can reach, and is
// not made.
#define tape_record(tape, output, backward, saved, inputs)                                         \
    (tape_record_as(__func__, tape, OUTPUTS(output), backward, saved, inputs).list[0])
#define tape_record_all(tape, outputs, backward, saved, inputs)                                    \
    tape_record_as(__func__, tape, outputs, backward, saved, inputs)
Tensors tape_record_as(const char *op, Tape *tape, Tensors out,
                       void (*backward)(const TapeNode *node), const void *saved, Tensors in);

// Adds d(loss)/dx to the grad of every x that wants one and that loss was computed from. loss has one
// element. One tape may hold several losses.
void tape_backward(Tape *tape, Tensor *loss);

// With --check-numbers: stops the program where a kernel that `who`, which is no op, has called gave what is
// not finite.
void tape_require_finite(const char *who);

// Where a backward puts d(loss)/dx: at = beta at + ... . beta is 0 at the first use in a pass, when `at`
// holds nothing yet, and 1 later. `at` is NULL where no gradient is wanted, or x is NULL. Each call is a
// use. With several outputs a backward must ask which have a gradient: the others' grad is NULL.
typedef struct Grad {
    float *at;
    float beta;
} Grad;
Grad tape_grad(const TapeNode *node, Tensor *x);
float *tape_grad_sum(const TapeNode *node,
                     Tensor *x);    // the same with zeros in it at first: to add to

// A part of the graph that keeps only its inputs and its output [out]: what lies between is computed
// again by backward (Chen et al. 2016), which trades a second forward for the memory. `part` computes the
// same from the same inputs each time, in the tape's arena; `context` lives until backward. Parameters may
// come by the context, what an op computed must be among the inputs.
typedef Tensor *TapePart(Tape *tape, const void *context, Tensor *const in[]);
Tensor *tape_recompute(Tape *tape, TapePart *part, const void *context, Shape out, Tensors in);
