/* Exercise 15: sampling. check.c says how cases are made. */
#include <math.h>
#include "labs/5_frontier/paged_kv/check.h"

static int sample(const float *logits, int V, float temperature, float top_p, double u)
{
    float *mine = floats_copy(logits, (size_t)V);
    int token =
        kv_sample(mine, V, (KvSampling){temperature, top_p, u}, doubles_filled((size_t)V, NAN));
    assert_kept("logits", mine, logits, (size_t)V);
    return token;
}

// How often each token comes for u = .5 / N, 1.5 / N, ..: N times its probability, to within 1.
static void assert_shares(const float *logits, int V, float temperature, float top_p,
                          const double *p)
{
    enum { N = 2000 };
    double *count = doubles_zero((size_t)V), *want = doubles_zero((size_t)V),
           *room = doubles_filled((size_t)V, NAN);
    float *mine = floats_copy(logits, (size_t)V);
    for (int i = 0; i < N; i++) {
        int token = kv_sample(mine, V, (KvSampling){temperature, top_p, (i + 0.5) / N}, room);
        assert_that(token >= 0 && token < V, "the token is %d, of a vocabulary of %d", token, V);
        count[token]++;
    }
    assert_kept("logits", mine, logits, (size_t)V);
    for (int t = 0; t < V; t++) {
        want[t] = p[t] * N;
        assert_that(p[t] > 0 || count[t] == 0, "token %d was drawn; its probability is 0", t);
    }
    assert_near(count, want, SHAPE(V), .name = "draws of each token", .atol = 1.01,
                .formula =
                    "kept: the fewest of the most probable tokens whose sum is at least top_p");
}

// What is kept of softmax(logits / temperature), by a ranking, and divided by its sum.
static double *nucleus(const float *logits, int V, double temperature, double top_p)
{
    double *p = doubles_zero((size_t)V), *kept = doubles_zero((size_t)V);
    double most = -INFINITY, total = 0, sum = 0;
    for (int i = 0; i < V; i++) most = fmax(most, (double)logits[i]);
    for (int i = 0; i < V; i++) total += p[i] = exp(((double)logits[i] - most) / temperature);
    for (int rank = 0; rank < V && (sum < top_p || top_p >= 1); rank++)
        for (int i = 0; i < V; i++) {
            int above = 0;
            for (int j = 0; j < V; j++) above += p[j] > p[i] || (p[j] == p[i] && j < i);
            if (above == rank) sum += kept[i] = p[i] / total;
        }
    for (int i = 0; i < V; i++) kept[i] /= sum;
    return kept;
}

CASE(sample__keeps_what_transformers_keeps)
{
    // 2 sin(0), 2 sin(1), ..; check_values.py
    float *logits = floats_filled(9, 0);
    for (int i = 0; i < 9; i++) logits[i] = (float)(2 * sin(i));
    assert_shares(logits, 9, 1, 0.7f,
                  (double[]){0, 0.2865780054, 0.328213284, 0, 0, 0, 0, 0, 0.3852087106});
    assert_shares(
        logits, 9, 0.5f, 0.9f,
        (double[]){0, 0.2175539932, 0.2853603684, 0, 0, 0, 0, 0.1040123373, 0.3930733011});
}

CASE(sample__draws_in_proportion_to_the_probabilities)
{
    static const int sizes[] = {1, 2, 3, 8, 33};
    static const float temperatures[] = {1, 0.7f, 2, 0.25f}, shares[] = {1, 0.9f, 0.513f, 0.05f};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 4; k++) {
            Rng rng = rng_from_seed(1650 + (uint64_t)i);
            float *logits = floats_normal(&rng, (size_t)sizes[i]);
            assert_shares(
                logits, sizes[i], temperatures[k], shares[(i + k) % 4],
                nucleus(logits, sizes[i], (double)temperatures[k], (double)shares[(i + k) % 4]));
        }
}

CASE(sample__of_temperature_0_takes_the_first_of_the_largest)
{
    static const double us[] = {0, 0.3, 0.999999};
    for (int i = 0; i < 3; i++) {
        assert_integer("token", sample(FLOATS(1, 3, 2, 3, 3), 5, 0, 0.5f, us[i]), 1);
        assert_integer("token", sample(FLOATS(-5, -7, -4), 3, 0, 1, us[i]), 2);
        assert_integer("token", sample(FLOATS(4), 1, 0, 0.1f, us[i]), 0);
        assert_integer("token", sample(FLOATS(-INFINITY, -3e38f), 2, 0, 1, us[i]), 1);
    }
}

CASE(sample__stops_at_the_token_that_reaches_top_p)
{
    // Four equal tokens have 1/4 each, exactly.
    float *logits = FLOATS(2, -INFINITY, 2, 2, 2);
    assert_shares(logits, 5, 1, 0.5f, (double[]){0.5, 0, 0.5, 0, 0});
    assert_shares(logits, 5, 1, 0.500001f, (double[]){1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 0});
    assert_shares(logits, 5, 1, 0.25f, (double[]){1, 0, 0, 0, 0});
    assert_shares(logits, 5, 1, 1e-30f, (double[]){1, 0, 0, 0, 0});
    assert_shares(logits, 5, 1, 0.75f, (double[]){1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 0});
    assert_shares(logits, 5, 1, 0.76f, (double[]){0.25, 0, 0.25, 0.25, 0.25});
}

CASE(sample__draws_in_the_order_of_the_ids)
{
    // 1/8, 1/2, 1/4, 1/8, of which the first three reach 7/8.
    const float half = 0.693147181f;
    float *logits = FLOATS(0, 2 * half, half, 0);
    static const double us[] = {0.01, 0.13, 0.15, 0.7, 0.72, 0.99};
    static const int want[] = {0, 0, 1, 1, 2, 2};
    for (int i = 0; i < 6; i++)
        assert_that(sample(logits, 4, 1, 0.8f, us[i]) == want[i],
                    "u = %g draws token %d; expected %d, for kv_draw() takes them in the order of "
                    "their ids",
                    us[i], sample(logits, 4, 1, 0.8f, us[i]), want[i]);
}

CASE(sample__of_top_p_0_takes_the_first_of_the_largest)
{
    static const double us[] = {0, 0.3, 0.999999};
    for (int i = 0; i < 3; i++) {
        assert_integer("token", sample(FLOATS(1, 3, 2, 3), 4, 1, 0, us[i]), 1);
        assert_integer("token", sample(FLOATS(1, 3, 2, 3), 4, 2, -0.5f, us[i]), 1);
    }
}

CASE(sample__takes_small_temperatures_and_shares_as_they_are)
{
    float *logits = FLOATS(0.01f, 0, 0.02f);
    assert_shares(logits, 3, 0.01f, 1, nucleus(logits, 3, (double)0.01f, 1));
    float *many = floats_filled(100, 0);
    for (int i = 0; i < 100; i++) many[i] = (float)i * 1e-3f;
    assert_shares(many, 100, 1, 0.02f, nucleus(many, 100, 1, (double)0.02f));
}

CASE(sample__applies_the_temperature_before_top_p)
{
    float *logits = FLOATS(0, 1, 2, 3);
    assert_shares(logits, 4, 4, 0.6f, nucleus(logits, 4, 4, 0.6));
    assert_shares(logits, 4, 0.3f, 0.6f, nucleus(logits, 4, 0.3, 0.6));
}

CASE(sample__keeps_all_from_1_on)
{
    float *logits = FLOATS(0, 3, -2, 1);
    assert_shares(logits, 4, 1, 1, nucleus(logits, 4, 1, 1));
    assert_shares(logits, 4, 1, 2, nucleus(logits, 4, 1, 1));
    assert_integer("token", sample(FLOATS(0, -30), 2, 1, 1, 1 - 0x1p-50), 1);
    assert_integer("token", sample(FLOATS(0, -30), 2, 1, 0.999f, 1 - 0x1p-50), 0);
}

CASE(sample__is_finite_for_large_logits_and_tiny_temperatures)
{
    assert_shares(FLOATS(1000, 999, -1000), 3, 1, 1, nucleus(FLOATS(1000, 999, -1000), 3, 1, 1));
    assert_shares(FLOATS(3e38f, -3e38f, 3e38f), 3, 1e-40f, 0.9f, (double[]){0.5, 0, 0.5});
    assert_shares(FLOATS(-1000, -1001, -1003), 3, 0.5f, 0.99f,
                  nucleus(FLOATS(-1000, -1001, -1003), 3, 0.5, 0.99));
    assert_shares(FLOATS(5, 6), 2, 3e38f, 1, (double[]){0.5, 0.5});
}

CASE(sample__never_takes_a_token_of_minus_infinity)
{
    const float none = -INFINITY;
    assert_shares(FLOATS(none, 1, none, 2, none), 5, 1, 1,
                  nucleus(FLOATS(none, 1, none, 2, none), 5, 1, 1));
    assert_shares(FLOATS(none, 1, none), 3, 1, 0.9f, (double[]){0, 1, 0});
    assert_integer("token", sample(FLOATS(none, none, 0), 3, 1, 1, 0), 2);
    assert_integer("token", sample(FLOATS(0, none, none), 3, 1, 1, 1 - 0x1p-53), 0);
}

CASE(sample__sums_a_large_vocabulary_in_double)
{
    // 1, and 100000 tokens of e^-18 each: a float u is the same for four of them.
    float *logits = floats_filled(100001, -18);
    logits[0] = 0;
    double each = exp(-18), total = 1 + 1e5 * each;
    for (int i = 54321; i < 54326; i++)
        assert_integer("token", sample(logits, 100001, 1, 1, (1 + (i + 0.5) * each) / total),
                       i + 1);
}

CASE(sample__depends_on_its_arguments_alone)
{
    float *logits = FLOATS(1, 2, 3), *other = FLOATS(3, 2, 1);
    for (int i = 0; i < 3; i++) {
        logits[0] = (float)(4 * i);
        assert_shares(logits, 3, 1, 0.8f, nucleus(logits, 3, 1, 0.8));
        assert_shares(other, 3, 1, 0.8f, nucleus(other, 3, 1, 0.8));
    }
    double *room = doubles_zero(3);
    for (int i = 0; i < 3; i++) {    // the same array
        for (int k = 0; k < 3; k++) logits[k] = k == i ? 9 : 0;
        assert_integer("token", kv_sample(logits, 3, (KvSampling){0, 1, 0.5}, room), i);
    }
}

const struct CMUnitTest sampling_cases[] = {
    cmocka_unit_test(sample__keeps_what_transformers_keeps),
    cmocka_unit_test(sample__draws_in_proportion_to_the_probabilities),
    cmocka_unit_test(sample__of_temperature_0_takes_the_first_of_the_largest),
    cmocka_unit_test(sample__stops_at_the_token_that_reaches_top_p),
    cmocka_unit_test(sample__draws_in_the_order_of_the_ids),
    cmocka_unit_test(sample__of_top_p_0_takes_the_first_of_the_largest),
    cmocka_unit_test(sample__takes_small_temperatures_and_shares_as_they_are),
    cmocka_unit_test(sample__applies_the_temperature_before_top_p),
    cmocka_unit_test(sample__keeps_all_from_1_on),
    cmocka_unit_test(sample__is_finite_for_large_logits_and_tiny_temperatures),
    cmocka_unit_test(sample__never_takes_a_token_of_minus_infinity),
    cmocka_unit_test(sample__sums_a_large_vocabulary_in_double),
    cmocka_unit_test(sample__depends_on_its_arguments_alone),
    {0},
};
