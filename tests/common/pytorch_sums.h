/* pytorch_sums.h -- results held against PyTorch's by one weighted sum of each (pytorch_sums.py).
 *
 *     Tensor *x = input(SHAPE(2, 3), 1);                          // as the script's filled((2, 3), 1)
 *     hold_output("y", number, op_relu(tape, x), want[0]);        // and runs backward
 *     hold_gradient("dx", number, x, want[1]);
 *
 * For one test program, which includes it once, with tape_fixture.h.
 */
#pragma once
#include "common/ops.h"
#include "tests/facts.h"
#include "tests/tape_fixture.h"

// filled() of the script, number by number.
static float value(size_t i, int seed)
{
    return (float)((int)((i * 37 + (size_t)seed * 101) % 97) - 48) / 32;
}

static Tensor *filled(Shape shape, int seed)
{
    const size_t n = shape_count(shape);
    float *values = arena_alloc(keep, n * sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = value(i, seed);
    return tensor_from(keep, shape, values);
}

static Tensor *input(Shape shape, int seed)
{
    Tensor *x = filled(shape, seed);
    tensor_want_grad(keep, x);
    return x;
}

enum { WEIGHTS = 9 };    // the seed

static void hold(const char *what, int number, const float *x, size_t n, double want)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        const double term = (double)value(i, WEIGHTS) * (double)x[i];
        sum += term;
        size += fabs(term);
    }
    assert_that(fabs(sum - want) <= 1e-6 * size, "%s of case %d: %.9g; expected %.9g within %.3g",
                what, number, sum, want, 1e-6 * size);
}

// Holds y, and runs backward from the weights.
static void hold_output(const char *what, int number, Tensor *y, double want)
{
    const int n = (int)tensor_count(y);
    hold(what, number, values_of(y), (size_t)n, want);
    Tensor *weights = filled(SHAPE(n, 1), WEIGHTS);
    tape_backward(tape, op_matmul(tape, tensor_view(tape->arena, y, SHAPE(1, n)), weights));
}

static void hold_gradient(const char *what, int number, const Tensor *x, double want)
{
    hold(what, number, grad_of(x), tensor_count(x), want);
}
