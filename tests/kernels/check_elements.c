// Element by element, on every size, in place where the list says so, and on NaN and infinities.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

// A product and a sum may be one rounding (fused) or two; a function of ours may be 3 ulp from the
// truth and libm's 1.
#define FUSED    (2 * ROUNDING)
#define FUNCTION (8 * ROUNDING)

enum { CASES = 2 * NUMBERS_SIZES };
static const Fill plain[] = {NORMAL, SPECIAL}, wide[] = {WIDE, SPECIAL};

typedef void Unary(float *y, const float *x, size_t n);
typedef void Binary(float *y, const float *a, const float *b, size_t n);

static void check_unary(const char *name, Unary *got, Unary *want, const Fill fills[2],
                        double tolerance)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = fills[i % 2];
        const float *x  = numbers_new(n, fill);
        Pair y = pair_new(n, NANS), in_place = {numbers_copy(x, n), y.want, n};
        want(y.want, x, n);
        got(y.got, x, n);
        got(in_place.got, in_place.got, n);
        pair_check(name, y, tolerance);
        pair_check(name, in_place, tolerance);
    }
}

static void check_binary(const char *name, Binary *got, Binary *want)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        const float *a = numbers_new(n, fill), *b = numbers_new(n, NORMAL);
        Pair y = pair_new(n, NANS), in_place = {numbers_copy(a, n), y.want, n};
        want(y.want, a, b, n);
        got(y.got, a, b, n);
        got(in_place.got, in_place.got, b, n);
        pair_check(name, y, 0);
        pair_check(name, in_place, 0);
    }
}

static void check_adding(const char *name, Binary *got, Binary *want, double tolerance)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        const float *a = numbers_new(n, NORMAL), *b = numbers_new(n, fill);
        Pair y = pair_new(n, NORMAL);
        want(y.want, a, b, n);
        got(y.got, a, b, n);
        pair_check(name, y, tolerance);
    }
}

#define UNARY(name, fills, tolerance)                                                              \
    void check_##name(const Kernels *table)                                                        \
    {                                                                                              \
        check_unary(#name, table->name, kernels_ref.name, fills, tolerance);                       \
    }
#define BINARY(name)                                                                               \
    void check_##name(const Kernels *table)                                                        \
    {                                                                                              \
        check_binary(#name, table->name, kernels_ref.name);                                        \
    }
#define ADDING(name, tolerance)                                                                    \
    void check_##name(const Kernels *table)                                                        \
    {                                                                                              \
        check_adding(#name, table->name, kernels_ref.name, tolerance);                             \
    }

BINARY(add)
BINARY(mul)
UNARY(relu, plain, 0)
UNARY(exp, wide, FUNCTION)
UNARY(sigmoid, wide, FUNCTION)
UNARY(tanh, wide, FUNCTION)
ADDING(mul_add, 4 * FUSED)
ADDING(relu_backward, 0)
ADDING(sigmoid_backward, 32 * FUSED)    // terms up to about 10 in size that may cancel
ADDING(tanh_backward, 32 * FUSED)

void check_fill(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n    = numbers_sizes[i / 2];
        const Fill fill   = plain[i % 2];
        const float value = fill == NORMAL ? 1.5f : -0.0f;
        Pair y            = pair_new(n, NANS);
        kernels_ref.fill(y.want, value, n);
        table->fill(y.got, value, n);
        pair_check("fill", y, 0);
    }
}

void check_scale(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        const float *x  = numbers_new(n, fill);
        Pair y = pair_new(n, NANS), in_place = {numbers_copy(x, n), y.want, n};
        kernels_ref.scale(y.want, x, -1.7f, n);
        table->scale(y.got, x, -1.7f, n);
        table->scale(in_place.got, in_place.got, -1.7f, n);
        pair_check("scale", y, 0);
        pair_check("scale in place", in_place, 0);
    }
}

void check_axpy(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        const float *x  = numbers_new(n, fill);
        Pair y          = pair_new(n, NORMAL);
        kernels_ref.axpy(y.want, x, -1.7f, n);
        table->axpy(y.got, x, -1.7f, n);
        pair_check("axpy", y, 4 * FUSED);
    }
}

void check_squared_error_backward(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        const float *x = numbers_new(n, fill), *t = numbers_new(n, NORMAL);
        Pair dx = pair_new(n, NORMAL);
        kernels_ref.squared_error_backward(dx.want, 0.3f, x, t, n);
        table->squared_error_backward(dx.got, 0.3f, x, t, n);
        pair_check("squared_error_backward", dx, 4 * FUSED);
    }
}

void check_bce_logits_backward(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = wide[i % 2];
        const float *z = numbers_new(n, fill), *t = numbers_new(n, UNIT);
        Pair dz = pair_new(n, NORMAL);
        kernels_ref.bce_logits_backward(dz.want, 0.3f, z, t, n);
        table->bce_logits_backward(dz.got, 0.3f, z, t, n);
        pair_check("bce_logits_backward", dz, FUNCTION);
    }
}

void check_sgd_step(const Kernels *table)
{
    const SgdStep step = {
        .learning_rate = 0.1f, .momentum = 0.9f, .decay = 0.01f, .grad_scale = 0.5f};
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        Pair p = pair_new(n, NORMAL), v = pair_new(n, NORMAL), g = pair_new(n, fill);
        kernels_ref.sgd_step(p.want, v.want, g.want, n, step);
        table->sgd_step(p.got, v.got, g.got, n, step);
        pair_check("sgd_step: p", p, 8 * FUSED);
        pair_check("sgd_step: v", v, 8 * FUSED);
        pair_check("sgd_step: g", g, 0);
    }
}

void check_adam_step(const Kernels *table)
{
    const AdamStep step = {.learning_rate = 0.1f,
                           .beta1         = 0.9f,
                           .beta2         = 0.99f,
                           .epsilon       = 1e-6f,
                           .decay         = 0.01f,
                           .correction1   = 0.271f,
                           .correction2   = 0.029701f,
                           .grad_scale    = 0.5f};
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = plain[i % 2];
        Pair p = pair_new(n, NORMAL), m = pair_new(n, NORMAL), v = pair_new(n, UNIT);
        Pair g = pair_new(n, fill);
        kernels_ref.adam_step(p.want, m.want, v.want, g.want, n, step);
        table->adam_step(p.got, m.got, v.got, g.got, n, step);
        pair_check("adam_step: p", p, 32 * FUSED);
        pair_check("adam_step: m", m, 4 * FUSED);
        pair_check("adam_step: v", v, 4 * FUSED);
        pair_check("adam_step: g", g, 0);
    }
}
