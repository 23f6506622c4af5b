#include "tests/gradcheck.h"
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

// What gradients hold before backward adds to them.
static const double grad_start = 0.25;

typedef struct Check {
    const char    *name;
    GradFunction  *f;
    const void    *context;
    Tensor *const *in;
    Tape          *tape;
    double         size;    // sum of |w y|: what the rounding of the total is measured by
} Check;

Tensor *gradcheck_input(Arena *keep, Shape shape, Rng *rng)
{
    Tensor *x = tensor_new(keep, shape);
    rng_fill_normal(rng, x->data, tensor_count(x));
    x->grad = tensor_zeros(keep, shape)->data;
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
    for (size_t i = 0; i < tensor_count(y); i++) y->grad[i] += weight_of(i) * node->out->grad[0];
}

static Tensor *weighted_sum(Check *check)
{
    tape_reset(check->tape);
    Tensor *y      = check->f(check->tape, check->in, check->context);
    Tensor *total  = tensor_zeros(check->tape->arena, SCALAR);
    check->size    = 0;
    for (size_t i = 0; i < tensor_count(y); i++) {
        total->data[0] += weight_of(i) * y->data[i];
        check->size += fabs(weight_of(i) * y->data[i]);
    }
    return tape_record(check->tape, total, weighted_sum_backward, NULL, INPUTS(y));
}

static double difference_quotient(Check *check, Tensor *x, size_t i)
{
    double at = x->data[i], h = cbrt(DBL_EPSILON) * fmax(1.0, fabs(at));
    double above = at + h, below = at - h;
    x->data[i]  = above;
    double up   = tensor_item(weighted_sum(check));
    x->data[i]  = below;
    double down = tensor_item(weighted_sum(check));
    x->data[i]  = at;
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

static bool input_holds(Check *check, int number, Error *err)
{
    Tensor *x     = check->in[number];
    size_t  wrong = 0;
    char    first[256];
    for (size_t i = 0; i < tensor_count(x); i++) {
        double analytic = x->grad[i] - grad_start, numeric = difference_quotient(check, x, i);
        double allowed  = relative_bound * fmax(fabs(analytic), fabs(numeric)) +
                         rounding_floor * check->size;
        // Written so that NaN does not pass.
        if (!(fabs(analytic - numeric) <= allowed) && wrong++ == 0)
            snprintf(first, sizeof first, "%s: analytic %.12g, numeric %.12g, allowed difference %.2g",
                     index_text((char[64]){0}, x->shape, i), analytic, numeric, allowed);
    }
    if (wrong == 0) return true;
    return error_set(err, "%s: gradient of input %d %s: %zu of %zu elements are wrong, the first at %s",
                     check->name, number, TENSOR_TEXT(x), wrong, tensor_count(x), first);
}

static bool check_run(Check *check, Error *err)
{
    for (int k = 0; check->in[k] != NULL; k++) {
        Tensor *x = check->in[k];
        for (size_t i = 0; x->grad && i < tensor_count(x); i++) x->grad[i] = grad_start;
    }
    Tensor *total = weighted_sum(check);
    if (total->grad == NULL)
        return error_set(err, "%s: the result was not recorded as depending on an input", check->name);
    tape_backward(check->tape, total);

    check->tape->recording = false;
    for (int k = 0; check->in[k] != NULL; k++)
        if (check->in[k]->grad && !input_holds(check, k, err)) return false;
    return true;
}

bool gradcheck_holds(const char *name, GradFunction *f, const void *context, Tensor *const in[],
                     Error *err)
{
    Arena *arena = arena_new("gradcheck", 16u << 20);
    Check  check = {.name = name, .f = f, .context = context, .in = in, .tape = tape_new(arena)};
    bool   holds = check_run(&check, err);
    arena_free(arena);
    return holds;
}

void gradcheck_assert(const char *file, int line, const char *name, GradFunction *f,
                      const void *context, Tensor *const in[])
{
    Error err;
    if (gradcheck_holds(name, f, context, in, &err)) return;
    print_error("%s\n", err.message);
    _fail(file, line);
}
