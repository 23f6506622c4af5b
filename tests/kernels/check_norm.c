// Batch normalisation, from one value a channel on; also of numbers whose mean is far from 0, and of
// constant ones, whose variance is 0.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"
#include <math.h>

static const NormShape shapes[] = {
    {0, 3, 4},    {2, 0, 5},   {2, 3, 0},     {1, 1, 1},     {4, 1, 1},
    {1, 1, 4},    {3, 5, 7},   {10, 33, 1},   {7, 64, 1},    {2, 3, 257},
    {64, 2, 196}, {5, 17, 63}, {1, 3, 50000}, {301, 131, 1}, {129, 16, 49},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

#define EPS 1e-5f

typedef enum Kind { ORDINARY, FAR_MEAN, CONSTANT, WITH_NAN, KINDS } Kind;

static float *input_new(Kind kind, NormShape s)
{
    const size_t n = norm_total(s);
    float *x = numbers_new(n, kind == CONSTANT ? ZEROS : NORMAL);
    for (size_t i = 0; i < n && kind == FAR_MEAN; i++) x[i] += 1e4f;
    for (size_t i = 0; i < n && kind == CONSTANT; i++) x[i] = 3;
    if (kind == WITH_NAN && n > 0) x[n / 2] = NAN;
    return x;
}

typedef struct Given {
    const float *x, *dy, *gamma, *shift;
    float *mean, *var;    // of x
} Given;

static Given given_new(Kind kind, NormShape s)
{
    const size_t c = (size_t)s.channels;
    Given g = {.x = input_new(kind, s), .dy = numbers_new(norm_total(s), NORMAL)};
    g.gamma = numbers_new(c, NORMAL);
    g.shift = numbers_new(c, NORMAL);
    g.mean = numbers_new(c, NANS);
    g.var = numbers_new(c, NANS);
    kernels_ref.batch_norm(numbers_new(norm_total(s), NANS), g.mean, g.var, g.x, g.gamma, g.shift,
                           EPS, s);
    return g;
}

void check_batch_norm(const Kernels *table)
{
    for (int i = 0; i < KINDS * SHAPES; i++, numbers_free()) {
        const NormShape s = shapes[i / KINDS];
        if ((double)norm_total(s) > numbers_most) continue;
        const Given g = given_new((Kind)(i % KINDS), s);
        Pair y = pair_new(norm_total(s), NANS), mean = pair_new((size_t)s.channels, NANS),
             var = pair_new((size_t)s.channels, NANS);
        kernels_ref.batch_norm(y.want, mean.want, var.want, g.x, g.gamma, g.shift, EPS, s);
        table->batch_norm(y.got, mean.got, var.got, g.x, g.gamma, g.shift, EPS, s);
        pair_check("batch_norm: mean", mean, 4 * ROUNDING);
        pair_check("batch_norm: var", var, 8 * ROUNDING);
        pair_check("batch_norm", y, 32 * ROUNDING);
    }
}

void check_batch_norm_inference(const Kernels *table)
{
    for (int i = 0; i < KINDS * SHAPES; i++, numbers_free()) {
        const NormShape s = shapes[i / KINDS];
        if ((double)norm_total(s) > numbers_most) continue;
        const Given g = given_new((Kind)(i % KINDS), s);
        Pair y = pair_new(norm_total(s), NANS);
        kernels_ref.batch_norm_inference(y.want, g.x, g.gamma, g.shift, g.mean, g.var, EPS, s);
        table->batch_norm_inference(y.got, g.x, g.gamma, g.shift, g.mean, g.var, EPS, s);
        pair_check("batch_norm_inference", y, 32 * ROUNDING);
    }
}

// What a sum over n may be off where its terms are about 1: of the sum of their sizes.
static double sum_rounding(NormShape s)
{
    return 8 * ROUNDING * (1 + sqrt((double)norm_count(s)));
}

typedef void Backward(float *dx, float *dgamma, float *dshift, const float *dy, const float *x,
                      const float *gamma, const float *mean, const float *var, float eps,
                      float beta, NormShape s);

static void check_backward(const char *name, Backward *ref, Backward *fast)
{
    for (int i = 0; i < KINDS * SHAPES; i++, numbers_free()) {
        const NormShape s = shapes[i / KINDS];
        if ((double)norm_total(s) > numbers_most) continue;
        const Given g = given_new((Kind)(i % KINDS), s);
        const size_t c = (size_t)s.channels;
        for (int j = 0; j <= NUMBERS_BETAS; j++) {    // and once without dx
            const float beta = numbers_betas[j % NUMBERS_BETAS];
            Pair dx = pair_before(norm_total(s), beta), dgamma = pair_new(c, NANS),
                 dshift = pair_new(c, NANS);
            const bool wanted = j < NUMBERS_BETAS;
            ref(wanted ? dx.want : NULL, dgamma.want, dshift.want, g.dy, g.x, g.gamma, g.mean,
                g.var, EPS, beta, s);
            fast(wanted ? dx.got : NULL, dgamma.got, dshift.got, g.dy, g.x, g.gamma, g.mean, g.var,
                 EPS, beta, s);
            pair_check(name, dgamma, sum_rounding(s));
            pair_check(name, dshift, sum_rounding(s));
            // Without a variance what is left of dy is divided by sqrt(eps).
            const bool constant = i % KINDS == CONSTANT || norm_count(s) == 1;
            pair_check(name, dx, (constant ? 316 : 1) * 64 * ROUNDING);
        }
    }
}

void check_batch_norm_backward(const Kernels *table)
{
    check_backward("batch_norm_backward", kernels_ref.batch_norm_backward,
                   table->batch_norm_backward);
}

void check_batch_norm_inference_backward(const Kernels *table)
{
    check_backward("batch_norm_inference_backward", kernels_ref.batch_norm_inference_backward,
                   table->batch_norm_inference_backward);
}
