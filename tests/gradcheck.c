#include "tests/gradcheck.h"
#include "kernels/kernels.h"
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

// The central difference (f(x+h) - f(x-h)) / 2h is off by h^2/6 f''' for the curve and about
// DBL_EPSILON |f| / h for the rounding of f. h = cbrt(DBL_EPSILON) = 6e-6 balances them: 6e-12 f'''
// and 4e-11 |f|. A relative error of 1e-7 leaves room for curved functions, and a wrong formula is
// wrong by far more; the floor, 25 times the rounding, is for derivatives that are nearly 0.
static const double relative_bound = 1e-7, rounding_floor = 1e-9;

// What a gradient holds before backward: nothing yet, where it must be written; or a number to add to.
static const double grad_starts[] = {NAN, 0.25};
enum { PASSES = 2 };

typedef struct Check {
    const char *name;
    GradFunction *f;
    const void *context;
    Tensors in;
    Tape *tape;
    double size;    // sum of |w y|: what the rounding of the total is measured by
} Check;

Tensor *gradcheck_input(Arena *keep, Shape shape, Rng *rng)
{
    Tensor *x = tensor_new(keep, shape);
    rng_fill_normal(rng, x->data, tensor_count(x));
    tensor_want_grad(keep, x);
    return x;
}

static double weight_of(size_t i)
{
    return 1.5 + cos((double)i);
}

// total = sum_i w_i y_i   =>   dy_i += w_i d(total)
static void weighted_sum_backward(const TapeNode *node)
{
    Tensor *y = node->in[0];
    const Tensor *w = node->in[1];
    Grad d = tape_grad(node, y);
    kernels.axpby_scalar(d.at, w->data, node->out[0]->grad, d.beta, tensor_count(y));
}

static Tensor *weighted_sum(Check *check)
{
    tape_reset(check->tape);
    Tensor *y = check->f(check->tape, check->in.list, check->context);
    Tensor *total = tensor_zeros(check->tape->arena, SCALAR),
           *w = tensor_new(check->tape->arena, y->shape);
    double *values = tensor_floats(y), *weights = tensor_floats(w), *sum = tensor_floats(total);
    check->size = 0;
    for (size_t i = 0; i < tensor_count(y); i++) {
        weights[i] = weight_of(i);
        *sum += weights[i] * values[i];
        check->size += fabs(weights[i] * values[i]);
    }
    return tape_record(check->tape, total, weighted_sum_backward, NULL, INPUTS(y, w));
}

static double difference_quotient(Check *check, Tensor *x, size_t i)
{
    double *data = tensor_floats(x), at = data[i], h = cbrt(DBL_EPSILON) * fmax(1.0, fabs(at));
    double above = at + h, below = at - h;
    data[i] = above;
    double up = tensor_item(weighted_sum(check));
    data[i] = below;
    double down = tensor_item(weighted_sum(check));
    data[i] = at;
    return (up - down) / (above - below);
}

// "[1,2]" for element 5 of a [2,3].
static char *index_text(char buffer[64], Shape shape, size_t i)
{
    Shape index = shape;
    for (int d = shape.dims - 1; d >= 0; d--) {
        index.size[d] = (int)(i % (size_t)shape.size[d]);
        i /= (size_t)shape.size[d];
    }
    return shape_text(buffer, index);
}

static bool input_holds(Check *check, int number, const double *grads[PASSES], Error *err)
{
    Tensor *x = check->in.list[number];
    size_t wrong = 0;
    char first[256];
    for (size_t i = 0; i < tensor_count(x); i++) {
        double numeric = difference_quotient(check, x, i), analytic = 0;
        bool right = true;
        for (int pass = 0; right && pass < PASSES; pass++) {
            analytic = grads[pass][i];
            double allowed =
                relative_bound * fmax(fabs(analytic), fabs(numeric)) + rounding_floor * check->size;
            right = fabs(analytic - numeric) <= allowed;    // so that NaN does not pass
        }
        if (!right && wrong++ == 0)
            snprintf(first, sizeof first, "%s: analytic %.12g, numeric %.12g",
                     index_text((char[64]){0}, x->shape, i), analytic, numeric);
    }
    if (wrong == 0) return true;
    return error_set(err,
                     "%s: gradient of input %d %s: %zu of %zu elements are wrong, the first at %s",
                     check->name, number, TENSOR_TEXT(x), wrong, tensor_count(x), first);
}

static bool wants_grad(const Tensor *x)
{
    return x != NULL && x->wants_grad;
}

static bool check_run(Check *check, Arena *keep, Error *err)
{
    const Tensors in = check->in;
    const double *(*grads)[PASSES] =
        arena_alloc(keep, (size_t)in.count * sizeof *grads);    // of each input
    for (int pass = 0; pass < PASSES; pass++) {
        for (int k = 0; k < in.count; k++) {
            if (!wants_grad(in.list[k])) continue;
            kernels.fill(in.list[k]->grad, grad_starts[pass], tensor_count(in.list[k]));
            in.list[k]->has_grad = !isnan(grad_starts[pass]);
        }
        Tensor *total = weighted_sum(check);
        if (!total->wants_grad)
            return error_set(err, "%s: the result was not recorded as depending on an input",
                             check->name);
        tape_backward(check->tape, total);
        for (int k = 0; k < in.count; k++) {
            if (!wants_grad(in.list[k])) continue;
            if (!in.list[k]->has_grad)
                kernels.fill(in.list[k]->grad, 0, tensor_count(in.list[k]));    // not used
            double *grad = tensor_values(
                keep, &(Tensor){.data = in.list[k]->grad, .shape = in.list[k]->shape});
            grads[k][pass] = grad;
            for (size_t i = 0; pass > 0 && i < tensor_count(in.list[k]); i++)
                grad[i] -= grad_starts[pass];
        }
    }
    check->tape->recording = false;    // not tape_quiet: dropout stays on
    for (int k = 0; k < in.count; k++)
        if (wants_grad(in.list[k]) && !input_holds(check, k, grads[k], err)) return false;
    return true;
}

bool gradcheck_holds(const char *name, GradFunction *f, const void *context, Tensors in, Error *err)
{
    Arena *arena = arena_new("gradcheck", 16u << 20), *keep = arena_new("gradients", 16u << 20);
    Check check = {.name = name, .f = f, .context = context, .in = in, .tape = tape_new(arena)};
    bool holds = check_run(&check, keep, err);
    arena_free(keep);
    arena_free(arena);
    return holds;
}

void gradcheck_assert(const char *file, int line, const char *name, GradFunction *f,
                      const void *context, Tensors in)
{
    Error err;
    if (gradcheck_holds(name, f, context, in, &err)) return;
    print_error("%s\n", err.message);
    _fail(file, line);
}
