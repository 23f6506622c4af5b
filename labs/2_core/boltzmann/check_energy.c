/* Exercises 12 to 14: free energy, partition function, pseudo-likelihood. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

static const double not_a_number = (double)NAN;

// W of two visible and two hidden units, whose figures are known to eight digits.
static Rbm small(void)
{
    return rbm_of(2, 2, (float[]){1, 0.5f, -2, 3}, (float[]){0.1f, -0.2f}, (float[]){0.3f, -0.4f});
}

static const float all_states[] = {0, 0, 0, 1, 1, 0, 1, 1};

// ---- 12: the free energy ----

static const char free_formula[] = "f = -b.v - sum_j softplus(c[j] + sum_i w[j,i] v[i])";

CASE(free_energy__matches_known_figures)
{
    Rbm rbm = small();
    double *f = doubles_filled(4, not_a_number);
    bm_free_energy(f, floats_copy(all_states, 8), &rbm, 4);
    assert_near(f, ((double[]){-1.3673705, -3.6427454, -1.7278446, -2.8904656}), SHAPE(4),
                .name = "f", .formula = free_formula, .atol = 1e-6);
}

CASE(free_energy__sums_the_hidden_units_out)
{
    // exp(-F(v)) = sum_h exp(-E(v,h)), over all 2^H states of h.
    Rbm rbm = rbm_random(700, 3, 4, 1);
    for (int k = 0; k < 8; k++) {
        double v[3], f = not_a_number, sum = 0;
        for (int i = 0; i < 3; i++) v[i] = k >> i & 1;
        for (int h = 0; h < 16; h++) {
            double log_weight = 0;
            for (int i = 0; i < 3; i++) log_weight += (double)rbm.b[i] * v[i];
            for (int j = 0; j < 4; j++) log_weight += (h >> j & 1) * input_of(&rbm, v, j);
            sum += exp(log_weight);
        }
        bm_free_energy(&f, FLOATS((float)v[0], (float)v[1], (float)v[2]), &rbm, 1);
        assert_number(f, -log(sum), .name = "f", .formula = free_formula, .atol = 1e-10);
    }
}

CASE(free_energy__handles_one_and_many_rows_and_units)
{
    static const int sizes[][3] = {{1, 1, 1}, {1, 4, 7}, {3, 9, 2}, {5, 40, 33}, {2, 1, 6}};
    for (int k = 0; k < 5; k++) {
        int B = sizes[k][0], V = sizes[k][1], H = sizes[k][2];
        size_t n = (size_t)B * (size_t)V;
        Rbm rbm = rbm_random(710 + (uint64_t)k, V, H, 1), before = rbm_copy(&rbm);
        float *v = rows_random(720 + (uint64_t)k, B, V), *kept = floats_copy(v, n);
        double *f = doubles_filled((size_t)B, 5), *wide = floats_wide(v, n), want[5];
        for (int r = 0; r < B; r++) want[r] = free_energy_of(&rbm, wide + (size_t)r * (size_t)V);
        bm_free_energy(f, v, &rbm, B);
        assert_near(f, want, SHAPE(B), .name = "f", .formula = free_formula, .atol = 1e-10,
                    .rtol = 1e-10);
        assert_kept("v", v, kept, n);
        assert_rbm_kept(&rbm, &before);
    }
}

CASE(free_energy__takes_probabilities)
{
    Rbm rbm = small();
    double v[] = {0.25, 0.5}, f = not_a_number;
    bm_free_energy(&f, FLOATS(0.25f, 0.5f), &rbm, 1);
    assert_number(f, free_energy_of(&rbm, v), .name = "f", .formula = free_formula, .atol = 1e-10);
}

CASE(free_energy__does_not_overflow)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        Rbm rbm = rbm_of(1, 1, (float[]){200.0f * (float)sign}, (float[]){0}, (float[]){0});
        double *f = doubles_filled(2, not_a_number);
        bm_free_energy(f, FLOATS(1, 0), &rbm, 2);
        assert_near(f, ((double[]){sign > 0 ? -200 : 0, -log(2)}), SHAPE(2), .name = "f",
                    .formula = free_formula);
        Rbm huge = rbm_of(1, 1, (float[]){1e5f * (float)sign}, (float[]){1e6f}, (float[]){0});
        bm_free_energy(f, FLOATS(1, 0), &huge, 2);
        assert_near(f, ((double[]){sign > 0 ? -1.1e6 : -1e6, -log(2)}), SHAPE(2), .name = "f",
                    .formula = free_formula);
    }
}

CASE(free_energy__propagates_nan)
{
    Rbm rbm = small();
    double *f = doubles_filled(2, 1);
    bm_free_energy(f, FLOATS(NAN, 1, 0, 0), &rbm, 2);
    assert_near(f, ((double[]){not_a_number, -1.3673705}), SHAPE(2), .name = "f", .atol = 1e-6);
    Rbm bad = rbm_of(1, 2, (float[]){1, 1}, (float[]){0}, (float[]){NAN, 0});
    bm_free_energy(f, FLOATS(0, 1), &bad, 2);
    assert_near(f, ((double[]){not_a_number, not_a_number}), SHAPE(2), .name = "f");
}

CASE(free_energy__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {1}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *v = FLOATS(1);
    double *f = doubles_filled(1, not_a_number);
    bm_free_energy(f, v, &rbm, 1);
    b[0] = 3, w[0] = 1;
    bm_free_energy(f, v, &rbm, 1);
    assert_number(f[0], -3 - log1p(exp(1)), .name = "f of the second call", .rtol = 1e-10);
}

// ---- 13: the partition function ----

static const char z_formula[] = "Z = sum_h exp(c.h) prod_i (1 + exp(b[i] + sum_j h[j] w[j,i]))";

static void expect_log_z(const Rbm *rbm, double want)
{
    double *work = doubles_filled(((size_t)1 << rbm->H) + (size_t)rbm->V, not_a_number);
    Rbm before = rbm_copy(rbm);
    assert_number(bm_log_partition(rbm, work), want, .name = "log Z", .formula = z_formula,
                  .atol = 1e-10, .rtol = 1e-10);
    assert_rbm_kept(rbm, &before);
}

CASE(log_partition__matches_known_figures)
{
    Rbm rbm = small();
    double *work = doubles_filled(6, not_a_number);
    assert_number(bm_log_partition(&rbm, work), 4.1858866, .name = "log Z", .formula = z_formula,
                  .atol = 1e-6);
    Rbm flat = rbm_of(3, 2, (float[]){0, 0, 0, 0, 0, 0}, (float[]){0, 0, 0}, (float[]){0, 0});
    expect_log_z(&flat, 5 * log(2));
}

CASE(log_partition__matches_the_sum_over_visible_states)
{
    static const int sizes[][2] = {{1, 1}, {5, 1}, {1, 6}, {7, 4}, {4, 9}, {12, 5}};
    for (int k = 0; k < 6; k++) {
        Rbm rbm = rbm_random(730 + (uint64_t)k, sizes[k][0], sizes[k][1], 1);
        expect_log_z(&rbm, exact_log_z(&rbm));
    }
}

CASE(log_partition__handles_many_visible_units)
{
    // Hidden units that are independent of them: a product of sums.
    enum { V = 300 };
    Rng rng = rng_from_seed(740);
    float *w = floats_filled(3 * V, 0), *b = floats_normal(&rng, V);
    Rbm rbm = {V, 3, w, b, FLOATS(1, -2, 0.5f)};
    double want = log1p(exp(1)) + log1p(exp(-2)) + log1p(exp(0.5));
    for (int i = 0; i < V; i++) want += log1p(exp((double)b[i]));
    expect_log_z(&rbm, want);
}

CASE(log_partition__does_not_overflow)
{
    Rbm rbm = rbm_of(2, 2, (float[]){1000, 1000, 0, 0}, (float[]){0, 0}, (float[]){500, -1000});
    expect_log_z(&rbm, 2500);
    Rbm low = rbm_of(1, 1, (float[]){-1e4f}, (float[]){-1e4f}, (float[]){-1e4f});
    expect_log_z(&low, 0);
}

CASE(log_partition__keeps_its_digits_over_many_states)
{
    Rbm rbm = rbm_random(741, 6, 14, 2);
    expect_log_z(&rbm, exact_log_z(&rbm));
}

CASE(log_partition__propagates_nan)
{
    Rbm rbm = rbm_of(2, 1, (float[]){1, 1}, (float[]){NAN, 0}, (float[]){0});
    expect_log_z(&rbm, not_a_number);
    Rbm weight = rbm_of(1, 2, (float[]){1, NAN}, (float[]){0}, (float[]){0, 0});
    expect_log_z(&weight, not_a_number);
}

CASE(log_partition__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    double *work = doubles_filled(3, not_a_number);
    bm_log_partition(&rbm, work);
    c[0] = logf(3);
    assert_number(bm_log_partition(&rbm, work), log(8), .name = "log Z of the second call",
                  .rtol = 1e-6);
}

// ---- 14: the pseudo-likelihood ----

static const char pl_formula[] =
    "total = sum_i log P(v[i] | the others) = -sum_i softplus(F(v) - F(v with i flipped))";

CASE(pseudo_likelihood__matches_known_figures)
{
    Rbm rbm = small();
    double *total = doubles_filled(4, not_a_number);
    bm_pseudo_likelihood(total, floats_copy(all_states, 8), &rbm, 4,
                         doubles_filled(2, not_a_number));
    assert_near(total, ((double[]){-3.2627293, -0.4839548, -1.9637465, -1.4104799}), SHAPE(4),
                .name = "total", .formula = pl_formula, .atol = 1e-6);
}

CASE(pseudo_likelihood__matches_conditional_probabilities_by_enumeration)
{
    static const int sizes[][3] = {{1, 1, 1}, {2, 6, 3}, {4, 3, 8}, {3, 9, 1}, {2, 31, 17}};
    for (int k = 0; k < 5; k++) {
        int B = sizes[k][0], V = sizes[k][1], H = sizes[k][2];
        size_t n = (size_t)B * (size_t)V;
        Rbm rbm = rbm_random(750 + (uint64_t)k, V, H, 1), before = rbm_copy(&rbm);
        float *v = rows_random(760 + (uint64_t)k, B, V), *kept = floats_copy(v, n);
        double *total = doubles_filled((size_t)B, 3), *wide = floats_wide(v, n), want[5];
        for (int r = 0; r < B; r++) {
            double *row = wide + (size_t)r * (size_t)V, f = free_energy_of(&rbm, row);
            want[r] = 0;
            for (int i = 0; i < V; i++) {
                row[i] = 1 - row[i];
                want[r] -= log1p(exp(f - free_energy_of(&rbm, row)));
                row[i] = 1 - row[i];
            }
        }
        bm_pseudo_likelihood(total, v, &rbm, B, doubles_filled((size_t)V, not_a_number));
        assert_near(total, want, SHAPE(B), .name = "total", .formula = pl_formula, .atol = 1e-9,
                    .rtol = 1e-9);
        assert_kept("v", v, kept, n);
        assert_rbm_kept(&rbm, &before);
    }
}

CASE(pseudo_likelihood__of_independent_units_is_the_likelihood)
{
    Rbm rbm = rbm_of(3, 2, (float[]){0, 0, 0, 0, 0, 0}, (float[]){1, -2, 0}, (float[]){5, -5});
    double total = not_a_number;
    bm_pseudo_likelihood(&total, FLOATS(1, 0, 1), &rbm, 1, doubles_filled(3, 0));
    assert_number(total, -log1p(exp(-1)) - log1p(exp(-2)) - log(2), .name = "total",
                  .formula = pl_formula, .atol = 1e-9);
}

CASE(pseudo_likelihood__does_not_overflow)
{
    Rbm rbm = rbm_of(1, 1, (float[]){0}, (float[]){2000}, (float[]){0});
    double *total = doubles_filled(2, not_a_number);
    bm_pseudo_likelihood(total, FLOATS(1, 0), &rbm, 2, doubles_filled(1, 0));
    assert_near(total, ((double[]){0, -2000}), SHAPE(2), .name = "total", .formula = pl_formula);
    Rbm steep = rbm_of(1, 1, (float[]){900}, (float[]){0}, (float[]){0});
    bm_pseudo_likelihood(total, FLOATS(1, 0), &steep, 2, doubles_filled(1, 0));
    assert_near(total, ((double[]){0, -900 + log(2)}), SHAPE(2), .name = "total",
                .formula = pl_formula);
}

CASE(pseudo_likelihood__propagates_nan)
{
    Rbm rbm = rbm_of(2, 1, (float[]){1, NAN}, (float[]){0, 0}, (float[]){0});
    double total = 1;
    bm_pseudo_likelihood(&total, FLOATS(1, 1), &rbm, 1, doubles_filled(2, 0));
    assert_number(total, not_a_number, .name = "total", .formula = pl_formula);
}

CASE(pseudo_likelihood__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *v = FLOATS(1);
    double *work = doubles_filled(1, 0), total = not_a_number;
    bm_pseudo_likelihood(&total, v, &rbm, 1, work);
    c[0] = 1, w[0] = 2, b[0] = 1;
    bm_pseudo_likelihood(&total, v, &rbm, 1, work);
    double rise = 1 + log1p(exp(3)) - log1p(exp(1));    // F(0) - F(1)
    assert_number(total, -log1p(exp(-rise)), .name = "total of the second call", .atol = 1e-9);
}

const struct CMUnitTest energy_cases[] = {
    cmocka_unit_test(free_energy__matches_known_figures),
    cmocka_unit_test(free_energy__sums_the_hidden_units_out),
    cmocka_unit_test(free_energy__handles_one_and_many_rows_and_units),
    cmocka_unit_test(free_energy__takes_probabilities),
    cmocka_unit_test(free_energy__does_not_overflow),
    cmocka_unit_test(free_energy__propagates_nan),
    cmocka_unit_test(free_energy__takes_the_same_arrays_again),
    cmocka_unit_test(log_partition__matches_known_figures),
    cmocka_unit_test(log_partition__matches_the_sum_over_visible_states),
    cmocka_unit_test(log_partition__handles_many_visible_units),
    cmocka_unit_test(log_partition__does_not_overflow),
    cmocka_unit_test(log_partition__keeps_its_digits_over_many_states),
    cmocka_unit_test(log_partition__propagates_nan),
    cmocka_unit_test(log_partition__takes_the_same_arrays_again),
    cmocka_unit_test(pseudo_likelihood__matches_known_figures),
    cmocka_unit_test(pseudo_likelihood__matches_conditional_probabilities_by_enumeration),
    cmocka_unit_test(pseudo_likelihood__of_independent_units_is_the_likelihood),
    cmocka_unit_test(pseudo_likelihood__does_not_overflow),
    cmocka_unit_test(pseudo_likelihood__propagates_nan),
    cmocka_unit_test(pseudo_likelihood__takes_the_same_arrays_again),
    {0},
};
