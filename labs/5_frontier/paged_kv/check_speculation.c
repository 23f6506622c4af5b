/* Exercise 16: speculation. check.c says how cases are made. */
#include <math.h>
#include "labs/5_frontier/paged_kv/check.h"

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

const struct CMUnitTest speculation_cases[] = {
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
