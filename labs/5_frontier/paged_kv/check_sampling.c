/* Exercises 15 and 16: sampling and speculation. check.c says how cases are made. */
#include <math.h>
#include "labs/5_frontier/paged_kv/check.h"

// ---- 15: sampling ----

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

// ---- 16: speculation ----

static int accept_into(int32_t *next, const float *p, const float *q, const int32_t *draft,
                       int count, int V, const double *u)
{
    size_t n = (size_t)V * (size_t)(count + 1);
    float *kept = floats_copy(p, n);
    *next = -1;
    int accepted = kv_accept(next, p, q, draft, count, V, doubles_copy(u, (size_t)count + 1),
                             doubles_filled((size_t)V, NAN));
    assert_kept("p", p, kept, n);
    return accepted;
}

static void assert_accept(const float *p, const float *q, const int32_t *draft, int count, int V,
                          const double *u, int accepted, int32_t token)
{
    int32_t next;
    int got = accept_into(&next, p, q, draft, count, V, u);
    assert_that(got == accepted,
                "%d of %d drafts are accepted; expected %d: as long as u[i] q[i,x] < p[i,x]", got,
                count, accepted);
    assert_that(next == token, "next is %d; expected %d: drawn by u[count] = %g from %s", next,
                token, u[count], accepted < count ? "max(p - q, 0)" : "p[count]");
}

CASE(accept__takes_a_token_with_probability_p_over_q)
{
    float *p = FLOATS(0.25f, 0.5f, 0.25f, /**/ 0, 0, 1), *q = FLOATS(0.5f, 0.25f, 0.25f);
    int *draft = INTS(0);
    assert_accept(p, q, draft, 1, 3, (double[]){0.4999, 0.1}, 1, 2);
    assert_accept(p, q, draft, 1, 3, (double[]){0, 0.1}, 1, 2);
    assert_accept(p, q, draft, 1, 3, (double[]){0.5001, 0.1}, 0, 1);
    draft[0] = 1;    // more likely than the draft model believed
    assert_accept(p, q, draft, 1, 3, (double[]){0.9999, 0.1}, 1, 2);
    draft[0] = 2;    // just as likely
    assert_accept(p, q, draft, 1, 3, (double[]){0.9999, 0.1}, 1, 2);
}

CASE(accept__rejects_at_the_ratio_itself)
{
    float *p = FLOATS(0.25f, 0.75f, /**/ 1, 0), *q = FLOATS(0.5f, 0.5f);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){0.5, 0}, 0, 1);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){0.5 - 0x1p-50, 0}, 1, 0);
    float *never = FLOATS(0, 1, /**/ 1, 0);
    assert_accept(never, q, INTS(0), 1, 2, (double[]){0, 0}, 0, 1);
}

CASE(accept__draws_from_the_positive_differences_at_a_rejection)
{
    float *p = FLOATS(0.125f, 0.5f, 0.125f, 0.25f, /**/ 0.25f, 0.25f, 0.25f, 0.25f),
          *q = FLOATS(0.625f, 0.125f, 0.125f, 0.125f);
    // The differences are 0, 3/8, 0, 1/8.
    static const double us[] = {0, 0.5, 0.7499, 0.7501, 0.9999};
    static const int want[] = {1, 1, 1, 3, 3};
    for (int i = 0; i < 5; i++)
        assert_accept(p, q, INTS(0), 1, 4, (double[]){0.9, us[i]}, 0, want[i]);
}

CASE(accept__draws_one_more_where_all_are_accepted)
{
    float *p = FLOATS(0.5f, 0.5f, /**/ 0.5f, 0.5f, /**/ 0.25f, 0.75f),
          *q = FLOATS(0.5f, 0.5f, 0.5f, 0.5f);
    assert_accept(p, q, INTS(1, 0), 2, 2, (double[]){0.9, 0.9, 0.2499}, 2, 0);
    assert_accept(p, q, INTS(1, 0), 2, 2, (double[]){0.9, 0.9, 0.2501}, 2, 1);
    assert_accept(FLOATS(0.25f, 0.75f), NULL, NULL, 0, 2, (double[]){0.3}, 0, 1);    // no draft
}

CASE(accept__ends_at_the_first_rejection)
{
    float *p = FLOATS(1, 0, 0, /**/ 0, 0.5f, 0.5f, /**/ 0, 0, 1, /**/ 1, 0, 0);
    float *q = FLOATS(1, 0, 0, /**/ 1, 0, 0, /**/ 0, 0, 1);
    assert_accept(p, q, INTS(0, 0, 2), 3, 3, (double[]){0.5, 0.5, 0.5, 0.2}, 1, 1);
    assert_accept(p, q, INTS(0, 0, 2), 3, 3, (double[]){0.5, 0.5, 0.5, 0.7}, 1, 2);
}

CASE(accept__has_its_own_numbers_at_each_position)
{
    float *p = FLOATS(0.5f, 0.5f, /**/ 0.3f, 0.7f, /**/ 0.3f, 0.7f, /**/ 0, 1);
    float *q = FLOATS(0.5f, 0.5f, /**/ 0.25f, 0.75f, /**/ 0.5f, 0.5f);
    assert_accept(p, q, INTS(0, 0, 0), 3, 2, (double[]){0.9, 0.9, 0.5, 0}, 3, 1);
    assert_accept(p, q, INTS(0, 0, 0), 3, 2, (double[]){0.9, 0.9, 0.7, 0}, 2, 1);
}

CASE(accept__of_a_look_up_takes_q_for_1)
{
    float *p = FLOATS(0.25f, 0.5f, 0.25f, /**/ 0, 1, 0);
    assert_accept(p, NULL, INTS(1), 1, 3, (double[]){0.4999, 0}, 1, 1);
    assert_accept(p, NULL, INTS(1), 1, 3, (double[]){0.5, 0.4999}, 0, 0);
    assert_accept(p, NULL, INTS(1), 1, 3, (double[]){0.5, 0.5001}, 0, 2);
    assert_accept(p, NULL, INTS(0), 1, 3, (double[]){0.9, 0.6}, 0, 1);
}

CASE(accept__is_greedy_where_p_has_one_token)
{
    // p is 1 for the target's best token: the result is what greedy decoding gives.
    float *p = FLOATS(0, 1, 0, /**/ 1, 0, 0, /**/ 0, 0, 1);
    float *q = FLOATS(0.2f, 0.6f, 0.2f, /**/ 0.4f, 0.3f, 0.3f);
    static const double us[] = {0, 0.5, 0.999999};
    for (int i = 0; i < 3; i++) {
        double u[3] = {us[i], us[i], us[i]};
        assert_accept(p, q, INTS(1, 0), 2, 3, u, 2, 2);
        assert_accept(p, q, INTS(1, 2), 2, 3, u, 1, 0);
        assert_accept(p, q, INTS(2, 0), 2, 3, u, 0, 1);
        assert_accept(p, NULL, INTS(1, 0), 2, 3, u, 2, 2);
        assert_accept(p, NULL, INTS(0, 0), 2, 3, u, 0, 1);
    }
}

// The first token's distribution, over all drafts and a grid of u: it has to be p.
static void assert_distribution(const float *p, const float *q, int V, int looked_up)
{
    enum { N = 200 };
    double *share = doubles_zero((size_t)V), *room = doubles_zero((size_t)V);
    for (int x = 0; x < V; x++) {
        double proposed = q != NULL ? (double)q[x] : x == looked_up;
        for (int i = 0; i < N * N && proposed > 0; i++) {
            int32_t next = -1, draft = x;
            double u[2] = {(i / N + 0.5) / N, (i % N + 0.5) / N};
            int accepted = kv_accept(&next, p, q, &draft, 1, V, u, room);
            share[accepted == 1 ? x : next] += proposed / (N * N);
            if (accepted == 1) i += N - 1 - i % N, share[x] += proposed / (N * N) * (N - 1);
        }
    }
    assert_near(share, floats_wide(p, (size_t)V), SHAPE(V), .name = "share of each token",
                .atol = 1.0 / N,
                .formula = "drafted and accepted, or drawn: as if p alone had made it");
}

CASE(accept__does_not_change_the_distribution)
{
    assert_distribution(FLOATS(0.1f, 0.6f, 0.3f, /**/ 1, 0, 0), FLOATS(0.5f, 0.2f, 0.3f), 3, 0);
    assert_distribution(FLOATS(0.7f, 0.1f, 0.15f, 0.05f, /**/ 1, 0, 0, 0),
                        FLOATS(0.05f, 0.1f, 0.8f, 0.05f), 4, 0);
    for (int x = 0; x < 3; x++)
        assert_distribution(FLOATS(0.1f, 0.6f, 0.3f, /**/ 1, 0, 0), NULL, 3, x);
}

CASE(accept__draws_from_p_where_rounding_leaves_no_difference)
{
    // p is nowhere larger than q, whose sum is rounded to more than 1.
    float *p = FLOATS(0.25f, 0.75f, /**/ 1, 0), *q = FLOATS(0.5f, 0.75f);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){0.9, 0.2}, 0, 0);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){0.9, 0.3}, 0, 1);
}

CASE(accept__takes_a_large_vocabulary_and_many_drafts)
{
    enum { V = 5003, COUNT = 12 };
    float *p = floats_filled((size_t)V * (COUNT + 1), 0), *q = floats_filled((size_t)V * COUNT, 0);
    int *draft = ints_filled(COUNT, 0);
    double u[COUNT + 1];
    for (int i = 0; i < COUNT; i++) {
        draft[i] = (i * 997 + 41) % V;
        p[i * V + draft[i]] = 1;
        q[i * V + draft[i]] = 1;
        u[i] = 0.99;
    }
    p[COUNT * V + V - 1] = 1;
    u[COUNT] = 0.5;
    assert_accept(p, q, draft, COUNT, V, u, COUNT, V - 1);
    p[7 * V + draft[7]] = 0;
    p[7 * V + V - 2] = 1;
    assert_accept(p, q, draft, COUNT, V, u, 7, V - 2);
}

CASE(accept__takes_differences_in_double)
{
    // p / q is 1 - 2^-24, and these u are the same in float.
    float *p = FLOATS(0.5f - 0x1p-25f, 0.5f, /**/ 1, 0), *q = FLOATS(0.5f, 0.5f);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){1 - 0x1p-24 - 0x1p-30, 0}, 1, 0);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){1 - 0x1p-24 + 0x1p-30, 0.6}, 0, 1);
    // 1/2 - 2^-27 is 1/2 in float: its share of the differences is 2/3 then, and not less.
    float *r = FLOATS(0.5f, 0.25f, 0.25f, /**/ 1, 0, 0), *s = FLOATS(0x1p-27f, 0, 1);
    assert_accept(r, s, INTS(2), 1, 3, (double[]){0.9, 2 / 3.0 - 0x1p-29}, 0, 1);
}

CASE(accept__draws_from_differences_however_small)
{
    float *p = FLOATS(1 - 0x1p-24f, 0x1p-50f, /**/ 1, 0), *q = FLOATS(1, 0);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){1 - 0x1p-26, 0.1}, 0, 1);
    float *r = FLOATS(0.5f - 0x1p-25f, 0.5f, /**/ 1, 0), *s = FLOATS(0.5f, 0.5f - 0x1p-25f);
    assert_accept(r, s, INTS(0), 1, 2, (double[]){1 - 0x1p-26, 0.1}, 0, 1);
}

CASE(accept__takes_a_token_that_q_rounds_to_0)
{
    float *p = FLOATS(0.5f, 0.5f, /**/ 0, 1), *q = FLOATS(0, 1);
    assert_accept(p, q, INTS(0), 1, 2, (double[]){0.999, 0}, 1, 1);
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
    cmocka_unit_test(accept__takes_a_token_with_probability_p_over_q),
    cmocka_unit_test(accept__rejects_at_the_ratio_itself),
    cmocka_unit_test(accept__draws_from_the_positive_differences_at_a_rejection),
    cmocka_unit_test(accept__draws_one_more_where_all_are_accepted),
    cmocka_unit_test(accept__ends_at_the_first_rejection),
    cmocka_unit_test(accept__has_its_own_numbers_at_each_position),
    cmocka_unit_test(accept__of_a_look_up_takes_q_for_1),
    cmocka_unit_test(accept__is_greedy_where_p_has_one_token),
    cmocka_unit_test(accept__does_not_change_the_distribution),
    cmocka_unit_test(accept__draws_from_p_where_rounding_leaves_no_difference),
    cmocka_unit_test(accept__takes_a_large_vocabulary_and_many_drafts),
    cmocka_unit_test(accept__takes_differences_in_double),
    cmocka_unit_test(accept__draws_from_differences_however_small),
    cmocka_unit_test(accept__takes_a_token_that_q_rounds_to_0),
    {0},
};
