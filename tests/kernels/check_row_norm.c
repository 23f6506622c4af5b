// Layer and RMS normalisation, from one number a row on; also of numbers whose mean is far from 0, and of constant
// ones, whose variance is 0. What lies between the parts of a row is neither read nor written.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"
#include <math.h>

static const NormRows shapes[] = {
    {0, 1, 4, 4},       {1, 1, 1, 1},     {3, 1, 1, 1},     {1, 1, 4, 4},       {7, 1, 15, 15},
    {2, 3, 16, 48},     {5, 2, 17, 40},   {33, 1, 31, 31},  {4, 1, 128, 128},   {3, 4, 64, 300},
    {211, 1, 97, 97},   {9, 1, 257, 257}, {2, 1, 768, 768}, {301, 1, 384, 384}, {1, 1, 5003, 5003},
    {67, 12, 64, 1800}, {1000, 1, 3, 3},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

#define EPS 1e-5f

typedef enum Kind { ORDINARY, FAR_MEAN, CONSTANT, WITH_NAN, KINDS } Kind;

// Numbers of x: the last row ends with its last part.
static size_t numbers_of(NormRows s)
{
    return s.rows == 0 ? 0 : (size_t)(s.rows - 1) * s.row + (size_t)s.parts * (size_t)s.cols;
}

typedef struct Given {
    const float *x, *dy, *gamma, *shift;
    float *mean, *rstd;    // of x, as layer_norm leaves them
} Given;

static Given given_new(Kind kind, NormRows s)
{
    const size_t n = numbers_of(s), cols = (size_t)s.cols;
    float *x = numbers_new(n, NORMAL);
    for (size_t i = 0; i < n && kind == FAR_MEAN; i++) x[i] += 1e4f;
    for (size_t i = 0; i < n && kind == CONSTANT; i++) x[i] = 3;
    if (kind == WITH_NAN && n > 0) x[n / 2] = NAN;
    Given g = {.x = x, .dy = numbers_new(n, NORMAL)};
    g.gamma = numbers_new(cols, NORMAL);
    g.shift = numbers_new(cols, NORMAL);
    g.mean = numbers_new(norm_parts(s), NANS);
    g.rstd = numbers_new(norm_parts(s), NANS);
    kernels_ref.layer_norm(numbers_new(n, NANS), g.mean, g.rstd, x, g.gamma, g.shift, EPS, s);
    return g;
}

void check_layer_norm(const Kernels *table)
{
    for (int i = 0; i < 2 * KINDS * SHAPES; i++, numbers_free()) {
        const NormRows s = shapes[i / 2 / KINDS];
        if ((double)numbers_of(s) > numbers_most) continue;
        const Given g = given_new((Kind)(i / 2 % KINDS), s);
        const float *shift = i % 2 ? g.shift : NULL;
        Pair y = pair_new(numbers_of(s), NANS), mean = pair_new(norm_parts(s), NANS),
             rstd = pair_new(norm_parts(s), NANS);
        kernels_ref.layer_norm(y.want, mean.want, rstd.want, g.x, g.gamma, shift, EPS, s);
        table->layer_norm(y.got, mean.got, rstd.got, g.x, g.gamma, shift, EPS, s);
        pair_check("layer_norm: mean", mean, 16 * ROUNDING);
        pair_check("layer_norm: rstd", rstd, 8 * ROUNDING);
        pair_check("layer_norm", y, 32 * ROUNDING);
    }
}

void check_rms_norm(const Kernels *table)
{
    for (int i = 0; i < KINDS * SHAPES; i++, numbers_free()) {
        const NormRows s = shapes[i / KINDS];
        if ((double)numbers_of(s) > numbers_most) continue;
        const Given g = given_new((Kind)(i % KINDS), s);
        Pair y = pair_new(numbers_of(s), NANS), rstd = pair_new(norm_parts(s), NANS);
        kernels_ref.rms_norm(y.want, rstd.want, g.x, g.gamma, EPS, s);
        table->rms_norm(y.got, rstd.got, g.x, g.gamma, EPS, s);
        pair_check("rms_norm: rstd", rstd, 8 * ROUNDING);
        pair_check("rms_norm", y, 32 * ROUNDING);
    }
}

// What a sum over all parts may be off where its terms are about 1: of the sum of their sizes.
static double sum_rounding(NormRows s)
{
    return 8 * ROUNDING * (1 + sqrt((double)norm_parts(s)));
}

// A row without a variance to speak of divides what rounding leaves of dy by sqrt(eps).
static double dx_rounding(Kind kind, NormRows s)
{
    return (kind == CONSTANT || s.cols < 8 ? 316 : 1) * 64 * ROUNDING;
}

// dx with each beta; then without dx, and without dshift.
static void check_layer_norm_case(const Kernels *table, Kind kind, NormRows s)
{
    if ((double)numbers_of(s) > numbers_most) return;
    const Given g = given_new(kind, s);
    for (int j = 0; j < NUMBERS_BETAS + 2; j++) {
        const float beta = numbers_betas[j % NUMBERS_BETAS];
        const size_t cols = (size_t)s.cols;
        Pair dx = pair_before(numbers_of(s), beta), dgamma = pair_new(cols, NANS),
             dshift = pair_new(cols, NANS);
        const bool no_dx = j == NUMBERS_BETAS, no_dshift = j == NUMBERS_BETAS + 1;
        kernels_ref.layer_norm_backward(no_dx ? NULL : dx.want, dgamma.want,
                                        no_dshift ? NULL : dshift.want, g.dy, g.x, g.gamma, g.mean,
                                        g.rstd, beta, s);
        table->layer_norm_backward(no_dx ? NULL : dx.got, dgamma.got, no_dshift ? NULL : dshift.got,
                                   g.dy, g.x, g.gamma, g.mean, g.rstd, beta, s);
        // 1e4 less its mean has three digits fewer, and without a variance they are multiplied
        pair_check("layer_norm_backward: dgamma", dgamma,
                   (kind == ORDINARY || kind == WITH_NAN ? 1 : 316) * sum_rounding(s));
        pair_check("layer_norm_backward: dshift", dshift, sum_rounding(s));
        pair_check("layer_norm_backward", dx, dx_rounding(kind, s));
    }
    numbers_free();
}

void check_layer_norm_backward(const Kernels *table)
{
    for (int i = 0; i < KINDS * SHAPES; i++)
        check_layer_norm_case(table, (Kind)(i % KINDS), shapes[i / KINDS]);
}

void check_rms_norm_backward(const Kernels *table)
{
    for (int i = 0; i < KINDS * SHAPES; i++, numbers_free()) {
        const NormRows s = shapes[i / KINDS];
        if ((double)numbers_of(s) > numbers_most) continue;
        const Kind kind = (Kind)(i % KINDS);
        const Given g = given_new(kind, s);
        kernels_ref.rms_norm(numbers_new(numbers_of(s), NANS), g.rstd, g.x, g.gamma, EPS, s);
        for (int j = 0; j <= NUMBERS_BETAS; j++) {    // and once without dx
            const float beta = numbers_betas[j % NUMBERS_BETAS];
            Pair dx = pair_before(numbers_of(s), beta), dgamma = pair_new((size_t)s.cols, NANS);
            const bool wanted = j < NUMBERS_BETAS;
            kernels_ref.rms_norm_backward(wanted ? dx.want : NULL, dgamma.want, g.dy, g.x, g.gamma,
                                          g.rstd, beta, s);
            table->rms_norm_backward(wanted ? dx.got : NULL, dgamma.got, g.dy, g.x, g.gamma, g.rstd,
                                     beta, s);
            pair_check("rms_norm_backward: dgamma", dgamma, sum_rounding(s));
            pair_check("rms_norm_backward", dx, dx_rounding(kind, s));
        }
    }
}
