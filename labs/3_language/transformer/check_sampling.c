/* Exercises 23 to 26: sampling. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char temperature_formula[] = "p = softmax(z / temperature)";
static const char top_k_formula[] = "the k largest are kept and divided by their sum";
static const char top_p_formula[] = "as few as reach the mass are kept and divided by their sum";

// ---- 23: temperature ----

static void assert_temperature(const float *z, int V, float temperature)
{
    size_t n = (size_t)V;
    float *p = floats_filled(n, 7), *before = floats_copy(p, n), *kept = floats_copy(z, n);
    double *scaled = floats_wide(z, n), *want = doubles_zero(n), most = largest_of(scaled, V);
    int best = 0;
    while ((double)z[best] < most) best++;
    want[best] = 1;
    for (int i = 0; i < V; i++) scaled[i] = (scaled[i] - most) / (double)temperature;
    if (temperature > 0) softmax_of(want, scaled, V, V);
    tf_temperature(p, z, V, temperature);
    assert_near(p, want, SHAPE(V), .name = "p", .replaces = before, .atol = 1e-12, .rtol = 1e-6,
                .formula = temperature_formula);
    assert_kept("z", z, kept, n);
}

CASE(temperature__matches_hugging_face)
{
    // TemperatureLogitsWarper(0.5) and softmax of 2 sin(0), 2 sin(1), ..
    float *p = floats_filled(6, NAN);
    tf_temperature(p, waves(6, 0, 2, 0), 6, 0.5f);
    assert_near(p,
                ((double[]){0.0143322754, 0.415049567, 0.544410588, 0.0252037815, 0.00069440774,
                            0.000309380587}),
                SHAPE(6), .name = "p", .rtol = 2e-6, .formula = temperature_formula);
}

CASE(temperature__matches_the_formula_in_double)
{
    const float temperatures[] = {1, 0.7f, 2, 0.1f, 100, 0.01f};
    const int sizes[] = {1, 2, 7, 1003};
    Rng rng = rng_from_seed(1000);
    for (int i = 0; i < 4; i++)
        for (int t = 0; t < 6; t++)
            assert_temperature(floats_normal(&rng, (size_t)sizes[i]), sizes[i], temperatures[t]);
}

CASE(temperature__of_0_chooses_the_largest_and_of_several_the_first)
{
    assert_temperature(FLOATS(1, 3, 2, 3, 3), 5, 0);
    assert_temperature(FLOATS(-5, -7, -6), 3, 0);
    assert_temperature(FLOATS(1, 2, 3), 3, 0);
    assert_temperature(FLOATS(0, 0), 2, 0);
    assert_temperature(FLOATS(4), 1, 0);
    assert_temperature(FLOATS(-INFINITY, -INFINITY, -3e38f), 3, 0);
}

CASE(temperature__is_finite_for_large_logits_and_tiny_temperatures)
{
    assert_temperature(FLOATS(1000, 999, -1000), 3, 1);
    assert_temperature(FLOATS(3e38f, -3e38f, 3e38f), 3, 1e-30f);
    assert_temperature(FLOATS(1, 1, 0.5f), 3, 1e-40f);
    assert_temperature(FLOATS(0, 1e-6f, 3e-6f), 3, 1e-6f);    // softmax of 0, 1, 3
    assert_temperature(FLOATS(0, 1e-20f, 3e-20f), 3, 1e-20f);
    assert_temperature(FLOATS(-1000, -1001, -1003), 3, 0.5f);
    assert_temperature(FLOATS(5, 6), 2, 3e38f);
}

CASE(temperature__gives_minus_infinity_no_probability)
{
    assert_temperature(FLOATS(-INFINITY, 1, 2, -INFINITY), 4, 1);
    assert_temperature(FLOATS(-INFINITY, 1, 2, -INFINITY), 4, 0.01f);
}

CASE(temperature__sums_many_exponentials_in_double)
{
    float *z = floats_filled(60011, -5.125f);
    z[0] = 0;
    assert_temperature(z, 60011, 1);
}

CASE(temperature__takes_the_same_arrays_again_with_other_contents)
{
    float *z = FLOATS(1, 2, 3), *other = FLOATS(3, 2, 1);
    for (int i = 0; i < 2; i++) {
        assert_temperature(z, 3, (float)i);
        z[0] = 7;
        assert_temperature(z, 3, (float)i);
        assert_temperature(other, 3, (float)i);
        assert_temperature(z, 3, (float)i);
        z[0] = 1;
    }
}

// ---- 24 and 25: the truncations ----

// The tokens by falling probability, of equal ones the lower id first.
static int *ranking_of(const float *p, int V)
{
    int *order = ints_filled((size_t)V, 0);
    for (int i = 0; i < V; i++) {
        int rank = 0;
        for (int j = 0; j < V; j++) rank += p[j] > p[i] || (p[j] == p[i] && j < i);
        order[rank] = i;
    }
    return order;
}

// Those of the first `count` of the ranking, divided by their sum.
static double *kept_of(const float *p, int V, int count)
{
    int *order = ranking_of(p, V);
    double *want = doubles_zero((size_t)V), sum = 0;
    for (int i = 0; i < count; i++) sum += (double)p[order[i]];
    for (int i = 0; i < count; i++) want[order[i]] = (double)p[order[i]] / sum;
    return want;
}

static void assert_kept_tokens(const float *p, const double *want, int V, const char *formula)
{
    for (int i = 0; i < V; i++)
        assert_that((p[i] == 0) == (want[i] == 0), "%s\np[%d] is %g; expected %g", formula, i,
                    (double)p[i], want[i]);
    assert_near(p, want, SHAPE(V), .name = "p", .rtol = 1e-6, .formula = formula);
}

static void assert_top_k(const float *p, int V, int k)
{
    float *q = floats_copy(p, (size_t)V);
    bool all = k < 1 || k >= V;
    double *want = all ? floats_wide(p, (size_t)V) : kept_of(p, V, k);
    tf_top_k(q, V, k);
    assert_kept_tokens(q, want, V, top_k_formula);
    if (all)
        assert_near(q, want, SHAPE(V), .name = "p", .exact = true, .formula = "nothing changes");
}

// Positive numbers with the sum 1, some of them equal.
static float *probabilities(int V, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    float *p = floats_filled((size_t)V, 0);
    double sum = 0;
    for (int i = 0; i < V; i++) sum += p[i] = 1 + (float)rng_below(&rng, (uint32_t)V / 2 + 2);
    for (int i = 0; i < V; i++) p[i] = (float)((double)p[i] / sum);
    return p;
}

CASE(top_k__matches_hugging_face)
{
    // TopKLogitsWarper(3) after TemperatureLogitsWarper(0.5)
    float *p = FLOATS(0.0143322754f, 0.415049567f, 0.544410588f, 0.0252037815f, 0.00069440774f,
                      0.000309380587f);
    tf_top_k(p, 6, 3);
    assert_near(p, ((double[]){0, 0.421513931, 0.55288974, 0.0255963285, 0, 0}), SHAPE(6),
                .name = "p", .rtol = 1e-6, .atol = 1e-12, .formula = top_k_formula);
}

CASE(top_k__keeps_the_lower_ids_of_equal_tokens)
{
    assert_top_k(FLOATS(0.25f, 0.125f, 0.125f, 0.25f, 0.125f, 0.125f), 6, 1);
    assert_top_k(FLOATS(0.25f, 0.125f, 0.125f, 0.25f, 0.125f, 0.125f), 6, 3);
    assert_top_k(FLOATS(0.25f, 0.125f, 0.125f, 0.25f, 0.125f, 0.125f), 6, 5);
    assert_top_k(FLOATS(0.25f, 0.25f, 0.25f, 0.25f), 4, 2);
}

CASE(top_k__matches_a_ranking_by_counting)
{
    const int sizes[] = {2, 3, 7, 101};
    for (int i = 0; i < 4; i++)
        for (int k = 1; k < sizes[i]; k += 1 + k / 3)
            assert_top_k(probabilities(sizes[i], 1010 + (uint64_t)(i + k)), sizes[i], k);
}

CASE(top_k__changes_nothing_without_a_limit)
{
    const int ks[] = {0, -1, 4, 5, INT32_MAX};
    for (int i = 0; i < 5; i++) assert_top_k(FLOATS(0.4f, 0.3f, 0.2f, 0.1f), 4, ks[i]);
    assert_top_k(FLOATS(1), 1, 1);
}

CASE(top_k__takes_tokens_without_probability)
{
    assert_top_k(FLOATS(0, 0.5f, 0, 0.5f, 0), 5, 4);
    assert_top_k(FLOATS(0, 1, 0), 3, 2);
    assert_top_k(FLOATS(1e-30f, 1, 1e-38f, 1e-30f), 4, 3);
}

CASE(top_k__sums_many_tokens_in_double)
{
    float *p = floats_filled(3011, 0.7f / 3011);
    p[3000] = 0.3f;
    assert_top_k(p, 3011, 3001);
}

CASE(top_k__takes_the_same_array_again_with_other_contents)
{
    float *p = FLOATS(0.5f, 0.25f, 0.125f, 0.125f);
    tf_top_k(p, 4, 2);
    assert_kept_tokens(p, ((double[]){2 / 3.0, 1 / 3.0, 0, 0}), 4, top_k_formula);
    for (int i = 0; i < 4; i++) p[i] = ((float[]){0.125f, 0.125f, 0.25f, 0.5f})[i];
    tf_top_k(p, 4, 2);
    assert_kept_tokens(p, ((double[]){0, 0, 1 / 3.0, 2 / 3.0}), 4, top_k_formula);
}

static void assert_top_p(const float *p, int V, float mass)
{
    float *q = floats_copy(p, (size_t)V);
    int *order = ranking_of(p, V), count = 0;
    double sum = 0;
    while (count < V && sum < (double)mass) sum += (double)p[order[count++]];
    double *want = mass >= 1 ? floats_wide(p, (size_t)V) : kept_of(p, V, count);
    tf_top_p(q, V, mass);
    assert_kept_tokens(q, want, V, top_p_formula);
    if (mass >= 1)
        assert_near(q, want, SHAPE(V), .name = "p", .exact = true, .formula = "nothing changes");
}

CASE(top_p__matches_hugging_face)
{
    // TopPLogitsWarper(0.8) after TemperatureLogitsWarper(0.5)
    float *p = FLOATS(0.0143322754f, 0.415049567f, 0.544410588f, 0.0252037815f, 0.00069440774f,
                      0.000309380587f);
    tf_top_p(p, 6, 0.8f);
    assert_near(p, ((double[]){0, 0.432586559, 0.567413441, 0, 0, 0}), SHAPE(6), .name = "p",
                .rtol = 1e-6, .atol = 1e-12, .formula = top_p_formula);
}

CASE(top_p__stops_at_the_token_that_reaches_the_mass_exactly)
{
    float *p = FLOATS(0.125f, 0.5f, 0.25f, 0.125f), *q = floats_copy(p, 4);
    tf_top_p(q, 4, 0.75f);
    assert_kept_tokens(q, ((double[]){0, 2 / 3.0, 1 / 3.0, 0}), 4, top_p_formula);
    const float masses[] = {0.5f, 0.5001f, 0.7499f, 0.7501f, 0.875f, 0.9f, 0.4999f, 1e-30f};
    for (int i = 0; i < 8; i++) assert_top_p(p, 4, masses[i]);
}

CASE(top_p__keeps_the_lower_ids_of_equal_tokens)
{
    assert_top_p(FLOATS(0.25f, 0.25f, 0.25f, 0.25f), 4, 0.5f);
    assert_top_p(FLOATS(0.125f, 0.25f, 0.125f, 0.25f, 0.125f, 0.125f), 6, 0.7f);
}

CASE(top_p__matches_a_ranking_by_counting)
{
    const int sizes[] = {1, 2, 3, 7, 101};
    const float masses[] = {0.01f, 0.3f, 0.513f, 0.9f, 0.999f};
    for (int i = 0; i < 5; i++)
        for (int m = 0; m < 5; m++)
            assert_top_p(probabilities(sizes[i], 1020 + (uint64_t)(5 * i + m)), sizes[i],
                         masses[m]);
}

CASE(top_p__changes_nothing_from_1_on)
{
    assert_top_p(FLOATS(0.4f, 0.3f, 0.2f, 0.1f), 4, 1);
    assert_top_p(FLOATS(0.4f, 0.3f, 0.2f, 0.01f), 4, 1);
    assert_top_p(FLOATS(0.4f, 0.3f, 0.2f, 0.01f), 4, 2);
    assert_top_p(FLOATS(0.7f, 0, 0.2f), 3, INFINITY);
}

CASE(top_p__keeps_all_where_rounding_leaves_less_than_the_mass)
{
    assert_top_p(FLOATS(0.5f, 0, 0.25f, 0.125f), 4, 0.9999f);
    assert_top_p(FLOATS(0, 1e-30f, 1e-38f), 3, 0.5f);
}

CASE(top_p__sums_many_tokens_in_double)
{
    // float sums of 4000 equal numbers cross 3/4 at another token
    float *p = floats_filled(4001, 0.9f / 4001);
    assert_top_p(p, 4001, 0.75f);
}

CASE(top_p__takes_the_same_array_again_with_other_contents)
{
    float *p = FLOATS(0.5f, 0.25f, 0.125f, 0.125f);
    tf_top_p(p, 4, 0.7f);
    assert_kept_tokens(p, ((double[]){2 / 3.0, 1 / 3.0, 0, 0}), 4, top_p_formula);
    for (int i = 0; i < 4; i++) p[i] = ((float[]){0.125f, 0.125f, 0.25f, 0.5f})[i];
    tf_top_p(p, 4, 0.7f);
    assert_kept_tokens(p, ((double[]){0, 0, 1 / 3.0, 2 / 3.0}), 4, top_p_formula);
}

// ---- 26: the draw ----

static void assert_sample(const float *p, int V, float u, int want)
{
    float *kept = floats_copy(p, (size_t)V);
    assert_integer("the token", tf_sample(p, V, u), want);
    assert_kept("p", p, kept, (size_t)V);
}

CASE(sample__takes_the_first_token_whose_cumulative_sum_exceeds_u)
{
    float *p = FLOATS(0.25f, 0.125f, 0.5f, 0.125f);
    const float us[] = {0, 0.1f, 0.2499f, 0.26f, 0.374f, 0.376f, 0.8749f, 0.876f, 0.9999f};
    const int want[] = {0, 0, 0, 1, 1, 2, 2, 3, 3};
    for (int i = 0; i < 9; i++) assert_sample(p, 4, us[i], want[i]);
}

CASE(sample__goes_on_where_the_sum_equals_u)
{
    float *p = FLOATS(0.25f, 0.125f, 0.5f, 0.125f);
    assert_sample(p, 4, 0.25f, 1);
    assert_sample(p, 4, 0.375f, 2);
    assert_sample(p, 4, 0.875f, 3);
}

CASE(sample__never_takes_a_token_without_probability)
{
    assert_sample(FLOATS(0, 0, 1, 0), 4, 0, 2);
    assert_sample(FLOATS(0, 0, 1, 0), 4, 0x1.fffffep-1f, 2);
    assert_sample(FLOATS(0.5f, 0, 0.5f), 3, 0.5f, 2);
    assert_sample(FLOATS(1), 1, 0.5f, 0);
}

CASE(sample__takes_the_last_possible_token_where_rounding_leaves_none)
{
    assert_sample(FLOATS(0.5f, 0.4999f, 0, 0), 4, 0x1.fffffep-1f, 1);
    assert_sample(FLOATS(0, 1e-30f, 1e-38f, 0), 4, 0.5f, 2);
}

CASE(sample__draws_in_proportion_to_the_probabilities)
{
    float *p = FLOATS(0.1f, 0.2f, 0, 0.3f, 0.4f);
    int counts[5] = {0};
    for (int i = 0; i < 1000; i++) counts[tf_sample(p, 5, ((float)i + 0.5f) / 1000)]++;
    assert_integer("token 0 of 1000 draws", counts[0], 100);
    assert_integer("token 1 of 1000 draws", counts[1], 200);
    assert_integer("token 2 of 1000 draws", counts[2], 0);
    assert_integer("token 3 of 1000 draws", counts[3], 300);
    assert_integer("token 4 of 1000 draws", counts[4], 400);
}

CASE(sample__sums_many_tokens_in_double)
{
    // 2^-24 is lost beside 1/2 in float
    float *p = floats_filled(100001, 0x1p-26f);
    p[0] = 0.5f;
    assert_sample(p, 100001, 0.5f + 0x1p-13f, 8193);
}

CASE(sample__depends_on_its_arguments_alone)
{
    float *p = FLOATS(0.5f, 0.5f);
    assert_sample(p, 2, 0.25f, 0);
    assert_sample(p, 2, 0.75f, 1);
    p[0] = 0.125f, p[1] = 0.875f;
    assert_sample(p, 2, 0.25f, 1);
    assert_sample(FLOATS(1, 0), 2, 0.25f, 0);
    assert_sample(p, 2, 0.25f, 1);
}

const struct CMUnitTest sampling_cases[] = {
    cmocka_unit_test(temperature__matches_hugging_face),
    cmocka_unit_test(temperature__matches_the_formula_in_double),
    cmocka_unit_test(temperature__of_0_chooses_the_largest_and_of_several_the_first),
    cmocka_unit_test(temperature__is_finite_for_large_logits_and_tiny_temperatures),
    cmocka_unit_test(temperature__gives_minus_infinity_no_probability),
    cmocka_unit_test(temperature__sums_many_exponentials_in_double),
    cmocka_unit_test(temperature__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(top_k__matches_hugging_face),
    cmocka_unit_test(top_k__keeps_the_lower_ids_of_equal_tokens),
    cmocka_unit_test(top_k__matches_a_ranking_by_counting),
    cmocka_unit_test(top_k__changes_nothing_without_a_limit),
    cmocka_unit_test(top_k__takes_tokens_without_probability),
    cmocka_unit_test(top_k__sums_many_tokens_in_double),
    cmocka_unit_test(top_k__takes_the_same_array_again_with_other_contents),
    cmocka_unit_test(top_p__matches_hugging_face),
    cmocka_unit_test(top_p__stops_at_the_token_that_reaches_the_mass_exactly),
    cmocka_unit_test(top_p__keeps_the_lower_ids_of_equal_tokens),
    cmocka_unit_test(top_p__matches_a_ranking_by_counting),
    cmocka_unit_test(top_p__changes_nothing_from_1_on),
    cmocka_unit_test(top_p__keeps_all_where_rounding_leaves_less_than_the_mass),
    cmocka_unit_test(top_p__sums_many_tokens_in_double),
    cmocka_unit_test(top_p__takes_the_same_array_again_with_other_contents),
    cmocka_unit_test(sample__takes_the_first_token_whose_cumulative_sum_exceeds_u),
    cmocka_unit_test(sample__goes_on_where_the_sum_equals_u),
    cmocka_unit_test(sample__never_takes_a_token_without_probability),
    cmocka_unit_test(sample__takes_the_last_possible_token_where_rounding_leaves_none),
    cmocka_unit_test(sample__draws_in_proportion_to_the_probabilities),
    cmocka_unit_test(sample__sums_many_tokens_in_double),
    cmocka_unit_test(sample__depends_on_its_arguments_alone),
    {0},
};
