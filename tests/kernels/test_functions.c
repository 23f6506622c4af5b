// exp, sigmoid and tanh of every variant over the whole range of floats, in ulp against double.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"

typedef void Kernel(float *y, const float *x, size_t n);
typedef double Truth(double x);

static double true_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// How many floats apart got is from the truth, counted in the spacing of floats at the truth.
static double ulps(float got, double truth)
{
    if (isnan(truth)) return isnan(got) ? 0 : INFINITY;
    if (fabs(truth) >= 0x1.ffffffp127) return isinf(got) && (got > 0) == (truth > 0) ? 0 : INFINITY;
    if (!isfinite(got)) return INFINITY;
    double spacing = ldexp(1, fmax(ilogb(truth), FLT_MIN_EXP - 1) - (FLT_MANT_DIG - 1));
    return truth == 0 ? (got == 0 ? 0 : INFINITY) : fabs(got - truth) / spacing;
}

// All signs and exponents, with every 2^10-th mantissa; every float would take minutes.
enum { STEP = 1024 + 1, BATCH = 1000 };

static void sweep(const char *what, Kernel *kernel, Truth *truth, double allowed)
{
    float x[BATCH], y[BATCH];
    double worst = 0;
    float worst_at = 0;
    uint64_t bits = 0;
    while (bits <= UINT32_MAX) {
        size_t n = 0;
        for (; n < BATCH && bits <= UINT32_MAX; n++, bits += STEP) {
            uint32_t narrow = (uint32_t)bits;
            memcpy(&x[n], &narrow, sizeof narrow);
        }
        kernel(y, x, n);
        for (size_t i = 0; i < n; i++) {
            double error = ulps(y[i], truth((double)x[i]));
            if (error > worst) {
                worst = error;
                worst_at = x[i];
            }
        }
    }
    if (!(worst <= allowed))
        fail_msg("%s(%a) is %g ulp from the truth, allowed %g", what, (double)worst_at, worst,
                 allowed);
}

static void exp_is_within_1_ulp(void **state)
{
    sweep("exp", ((const Kernels *)*state)->exp, exp, 1);
}

static void sigmoid_is_within_3_ulp(void **state)
{
    sweep("sigmoid", ((const Kernels *)*state)->sigmoid, true_sigmoid, 3);
}

static void tanh_is_within_3_ulp(void **state)
{
    sweep("tanh", ((const Kernels *)*state)->tanh, tanh, 3);
}

// log1p is inside bce_logits only: with t = 0 and z <= 0 the loss is log1p(exp(z)).
static void softplus(float *y, const float *x, size_t n, const Kernels *table)
{
    const float zero = 0;
    for (size_t i = 0; i < n; i++) table->bce_logits(&y[i], &x[i], &zero, 1);
}

static void bce_of_one_logit_is_within_4_ulp(void **state)
{
    for (float z = -80; z <= 0; z += 0.0137f) {
        float y;
        softplus(&y, &z, 1, *state);
        double error = ulps(y, log1p(exp((double)z)));
        if (!(error <= 4)) fail_msg("bce_logits(%a, 0) is %g ulp from the truth", (double)z, error);
    }
}

static void special_values_have_their_limits(void **state)
{
    const Kernels *table = *state;
    const float x[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
    float y[5];

    table->exp(y, x, 5);
    assert_true(isnan(y[0]) && isinf(y[1]) && y[2] == 0 && y[3] == 1 && y[4] == 1);
    table->sigmoid(y, x, 5);
    assert_true(isnan(y[0]) && y[1] == 1 && y[2] == 0 && y[3] == 0.5f && y[4] == 0.5f);
    table->tanh(y, x, 5);
    assert_true(isnan(y[0]) && y[1] == 1 && y[2] == -1);
    assert_true(y[3] == 0 && !signbit(y[3]) && y[4] == 0 && signbit(y[4]));
    table->relu(y, x, 5);
    assert_true(isnan(y[0]) && isinf(y[1]) && y[2] == 0 && y[3] == 0);
}

int main(void)
{
    int failed = 0;
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        Kernels table = kernels_complete(cpu_variants[v].table);
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(exp_is_within_1_ulp, &table),
            cmocka_unit_test_prestate(sigmoid_is_within_3_ulp, &table),
            cmocka_unit_test_prestate(tanh_is_within_3_ulp, &table),
            cmocka_unit_test_prestate(bce_of_one_logit_is_within_4_ulp, &table),
            cmocka_unit_test_prestate(special_values_have_their_limits, &table),
        };
        failed += cmocka_run_group_tests_name(table.variant, tests, NULL, NULL);
    }
    return failed;
}
