/* gradcheck.h -- holds a backward against finite differences, in double precision.
 *
 *     static Tensor *layer(Tape *tape, Tensor *const in[], const void *context)
 *     {
 *         (void)context;                                     // or what else the function needs
 *         return op_tanh(tape, op_linear(tape, in[0], in[1], in[2]));
 *     }
 *     static void layer_has_its_gradient(void **state)       // a cmocka case
 *     {
 *         Arena  *keep = arena_new("keep", 1u << 20);
 *         Rng     rng  = rng_from_seed(1);
 *         Tensor *x = gradcheck_input(keep, SHAPE(2, 5), &rng), *w = ..., *b = ...;
 *         gradcheck(layer, NULL, x, w, b);
 *         arena_free(keep);
 *     }
 *
 * In CMake: add_unit_test(check_layer check.c layer.c LIBS core_double). core_double is the core
 * with every float read as a double (tests/double.h), and so is all that links it: layer.c is the
 * same file that trains in float.
 *
 * The function runs on a tape and returns a tensor of any shape; its elements are summed with fixed,
 * unequal weights, so that an error in one cannot hide behind another. Every element of every input
 * that wants a gradient is moved up and down. Backward runs twice, with gradients that hold nothing yet
 * and with some that hold a value: one that adds where it should write is found, and one that overwrites
 * where it should add. A failure tells the function, the input, how many of its elements are wrong, and
 * the first of them with the analytic and the numeric derivative.
 *
 * The function must be smooth around its inputs: random ones stay away from the kink of a ReLU. It
 * must give the same result each time: one that draws noise copies its Rng from the context.
 */
#pragma once
#include "common/error.h"
#include "common/rng.h"
#include "common/tape.h"

typedef Tensor *GradFunction(Tape *tape, Tensor *const in[], const void *context);

// A tensor of N(0,1) values that wants its gradient. Set wants_grad to false for a constant.
Tensor *gradcheck_input(Arena *keep, Shape shape, Rng *rng);

// Fails the running cmocka case unless f has the gradient that it says. Inputs may be NULL.
#define gradcheck(f, context, ...)                                                                 \
    gradcheck_assert(__FILE__, __LINE__, #f, f, context, INPUTS(__VA_ARGS__))

void gradcheck_assert(const char *file, int line, const char *name, GradFunction *f, const void *context,
                      Tensors in);

// The same as a value.
bool gradcheck_holds(const char *name, GradFunction *f, const void *context, Tensors in, Error *err);
