/* check_attention.c -- cases of flash_attention and paged_attention. */
#include "labs/2_core/gpu_kernels/check.h"

enum { QUERIES = 4, KEYS = 32, KV_BLOCK = 16 };    // of a block, of a tile, of a block of the cache

// out[D] = softmax(q . key(t) / sqrt(D)) value(t) over 0 <= t < count; tokens are `stride` floats apart.
static void attend(double *out, const float *q, const float *keys, const float *values,
                   const size_t *at, int count, int D)
{
    double largest = -INFINITY, sum = 0;
    double *score = expected((size_t)count);
    for (int t = 0; t < count; t++) {
        for (int d = 0; d < D; d++)
            score[t] += (double)q[d] * (double)keys[at[t] + (size_t)d] / sqrt(D);
        largest = fmax(largest, score[t]);
    }
    for (int t = 0; t < count; t++) sum += exp(score[t] - largest);
    for (int t = 0; t < count; t++)
        for (int d = 0; d < D; d++)
            out[d] += exp(score[t] - largest) / sum * (double)values[at[t] + (size_t)d];
}

// A key whose score with the query q is `score`.
static void key_of_score(float *key, const float *q, double score, int D)
{
    double square = 0;
    for (int d = 0; d < D; d++) square += (double)q[d] * (double)q[d];
    for (int d = 0; d < D; d++) key[d] = (float)(score * sqrt(D) / square * (double)q[d]);
}

// All scores lie around -100, but for the leader's of 100: more than exp() of a float can span.
static double score_of(int t, int leader)
{
    return t == leader ? 100 : -100 + 0.02 * t;
}

// ---- flash_attention ----

static void attend_causally_to(const float *q, const float *k, int heads, int T, int D)
{
    size_t n = (size_t)heads * (size_t)T * (size_t)D, at[256];
    float *v = numbers(n, 43), *out = blank(n);
    double *want = expected(n);
    for (int h = 0; h < heads; h++)
        for (int t = 0; t < T; t++) {
            for (int s = 0; s <= t; s++) at[s] = (size_t)((h * T + s) * D);
            attend(want + at[t], q + at[t], k, v, at, t + 1, D);
        }
    emulator_clear();
    run_flash_attention(out, q, k, v, heads, T, D);
    expect_clean();
    assert_near(out, want, SHAPE(heads, T, D), .name = "out",
                .formula = "out[t] = sum_s softmax_s(q[t] . k[s] / sqrt(D)) v[s] over s <= t",
                .atol = 1e-4, .rtol = 1e-3);
}

static void attend_causally(int heads, int T, int D, float scale)
{
    size_t n = (size_t)heads * (size_t)T * (size_t)D;
    float *q = numbers(n, 41), *k = numbers(n, 42);
    for (size_t i = 0; i < n; i++) q[i] *= scale;
    attend_causally_to(q, k, heads, T, D);
}

CASE(flash_attention__attends_within_one_tile)
{
    attend_causally(1, 7, 20, 1);
}

CASE(flash_attention__attends_across_tiles)
{
    attend_causally(1, 75, 24, 4);
}

CASE(flash_attention__attends_across_many_tiles)
{
    attend_causally(1, 131, 4, 2);
}

CASE(flash_attention__attends_in_each_head)
{
    attend_causally(3, 37, 12, 1);
}

CASE(flash_attention__takes_widths_up_to_64)
{
    attend_causally(2, 35, 64, 1);
    attend_causally(1, 33, 41, 1);
}

CASE(flash_attention__gives_the_value_of_a_single_token)
{
    attend_causally(2, 1, 9, 1);
    attend_causally(2, 1, 9, 1e5f);
    attend_causally(2, 1, 9, -1e5f);
}

// Scores of some thousands: the maximum rises from tile to tile, and falls.
CASE(flash_attention__is_stable_for_large_scores)
{
    attend_causally(1, 70, 16, 500);
}

// In the first tile, in the last, and in lanes of all halves.
CASE(flash_attention__follows_one_score_far_above_the_rest)
{
    enum { T = 70, D = 4 };
    static const int leaders[] = {0, 47, 69};
    for (size_t i = 0; i < sizeof leaders / sizeof *leaders; i++) {
        float *q = numbers(T * D, 41), *k = blank(T * D);
        for (int t = 0; t < T; t++) {
            for (int d = 0; d < D; d++) q[t * D + d] = q[d];
            key_of_score(k + t * D, q, score_of(t, leaders[i]), D);
        }
        attend_causally_to(q, k, 1, T, D);
    }
}

CASE(flash_attention__reads_each_key_and_value_once_for_a_block)
{
    enum { T = 75, D = 24 };
    attend_causally(1, T, D, 1);
    double rows = T;    // of q; then of k and v, for the tiles up to a block's last query
    for (int t = 0; t < T; t += QUERIES) {
        int last = t + QUERIES < T ? t + QUERIES : T, tiles = (last + KEYS - 1) / KEYS * KEYS;
        rows += 2 * (tiles < T ? tiles : T);
    }
    expect_at_most(traffic_of(emulator_report(), SPACE_GLOBAL, false).lanes, rows * D, 1.0,
                   "reads from global memory for each number that a block needs");
    assert_that(shared_of(emulator_report()) <= 24 << 10,
                "%zu bytes of shared memory, expected at most 24 KB: two tiles and the queries",
                shared_of(emulator_report()));
}

CASE(flash_attention__reads_full_sectors)
{
    attend_causally(1, 41, 32, 1);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(flash_attention__shares_out_the_queries)
{
    attend_causally(1, 92, 32, 1);
    // Lanes whose key is in the future may skip it; the last block has twice the average number of keys.
    expect_shared_out(1.4, 2.2);
    expect_written_once(92 * 32);
}

// ---- paged_attention ----

// Sequences lie in blocks in no order; entries behind the last are invalid, and other blocks' numbers huge.
static void attend_in_pages_to(int sequences, int heads, int D, const int *lengths, float scale,
                               int leader)    // of each sequence; none where it is negative
{
    int width = 1, blocks = 3, used = 0;
    for (int s = 0; s < sequences; s++) {
        int own = (lengths[s] + KV_BLOCK - 1) / KV_BLOCK;
        width = own > width ? own : width;
        blocks += own;
    }
    size_t one = (size_t)(heads * D), cached = (size_t)blocks * KV_BLOCK * one;
    size_t n = (size_t)sequences * one, at[256];
    int table[256];
    float *keys = numbers(cached, 44), *values = numbers(cached, 45), *q = numbers(n, 46);
    float *out = blank(n);
    double *want = expected(n);
    for (size_t i = 0; i < n; i++) q[i] *= scale;
    // 1, 4, 7, ...: a step of 3 or 5 reaches all blocks but those whose number it divides.
    int step = blocks % 3 != 0 ? 3 : blocks % 5 != 0 ? 5 : 7;
    for (int s = 0; s < sequences; s++)
        for (int i = 0; i < width; i++)
            table[s * width + i] = i * KV_BLOCK < lengths[s] ? (1 + step * used++) % blocks : -77;
    for (int s = 0; s < sequences; s++)
        for (int h = 0; h < heads; h++) {
            for (int t = 0; t < lengths[s]; t++)
                at[t] = (size_t)(table[s * width + t / KV_BLOCK] * KV_BLOCK + t % KV_BLOCK) * one +
                        (size_t)(h * D);
            size_t own = (size_t)(s * heads + h) * (size_t)D;
            for (int t = 0; t < lengths[s] && leader >= 0; t++)
                key_of_score(keys + at[t], q + own, score_of(t, leader), D);
            attend(want + own, q + own, keys, values, at, lengths[s], D);
        }
    const PagedCache cache = {.keys = keys,
                              .values = values,
                              .table = table,
                              .lengths = lengths,
                              .blocks = blocks,
                              .sequences = sequences,
                              .heads = heads,
                              .table_width = width,
                              .D = D};
    emulator_clear();
    run_paged_attention(out, q, &cache);
    expect_clean();
    assert_near(out, want, SHAPE(sequences, heads, D), .name = "out",
                .formula = "out[s,h] = sum_t softmax_t(q[s,h] . key(t) / sqrt(D)) value(t)",
                .atol = 1e-4, .rtol = 1e-3);
}

static void attend_in_pages(int sequences, int heads, int D, const int *lengths, float scale)
{
    attend_in_pages_to(sequences, heads, D, lengths, scale, -1);
}

CASE(paged_attention__attends_in_one_block)
{
    attend_in_pages(1, 1, 20, (int[]){11}, 1);
}

CASE(paged_attention__follows_the_block_table)
{
    attend_in_pages(1, 1, 24, (int[]){75}, 1);
}

CASE(paged_attention__follows_a_long_table)
{
    attend_in_pages(1, 1, 8, (int[]){203}, 2);
}

CASE(paged_attention__keeps_sequences_apart)
{
    attend_in_pages(5, 1, 12, (int[]){37, 2, 16, 33, 64}, 1);
}

CASE(paged_attention__attends_in_each_head)
{
    attend_in_pages(2, 3, 10, (int[]){21, 49}, 1);
}

CASE(paged_attention__takes_widths_up_to_64)
{
    attend_in_pages(2, 2, 64, (int[]){35, 18}, 1);
    attend_in_pages(1, 2, 41, (int[]){35}, 1);
}

CASE(paged_attention__attends_to_fewer_tokens_than_warps)
{
    attend_in_pages(3, 2, 9, (int[]){1, 3, 2}, 1);
}

CASE(paged_attention__is_stable_for_large_scores)
{
    attend_in_pages(2, 1, 16, (int[]){70, 5}, 500);
}

// Each warp has it in its turn, whichever way the tokens are shared out.
CASE(paged_attention__follows_one_score_far_above_the_rest)
{
    for (int leader = 0; leader < 4; leader++) attend_in_pages_to(1, 2, 8, (int[]){37}, 1, leader);
    for (int leader = 12; leader < 37; leader += 12)
        attend_in_pages_to(1, 1, 8, (int[]){37}, 1, leader);
}

CASE(paged_attention__reads_full_sectors_once)
{
    enum { LENGTH = 61, D = 32 };
    attend_in_pages(1, 1, D, (int[]){LENGTH}, 1);
    expect_coalesced_reads(1.1);
    const EmulatorReport *report = emulator_report();
    double wide = 0;    // of keys and values; the query is read again, the table by all lanes
    for (size_t i = 0; i < report->lines; i++)
        if (report->line[i].space == SPACE_GLOBAL && !report->line[i].writes)
            wide += (double)report->line[i].transactions;
    expect_at_most(wide, LENGTH * D * sizeof(float) / 32, 4.5, "sectors for each of the keys");
}

CASE(paged_attention__shares_out_the_tokens)
{
    attend_in_pages(3, 2, 32, (int[]){61, 60, 59}, 1);
    expect_shared_out(1.5, 1.2);
    expect_written_once(3 * 2 * 32);
}

// ----

const struct CMUnitTest attention_cases[] = {
    cmocka_unit_test(flash_attention__attends_within_one_tile),
    cmocka_unit_test(flash_attention__attends_across_tiles),
    cmocka_unit_test(flash_attention__attends_across_many_tiles),
    cmocka_unit_test(flash_attention__attends_in_each_head),
    cmocka_unit_test(flash_attention__takes_widths_up_to_64),
    cmocka_unit_test(flash_attention__gives_the_value_of_a_single_token),
    cmocka_unit_test(flash_attention__is_stable_for_large_scores),
    cmocka_unit_test(flash_attention__follows_one_score_far_above_the_rest),
    cmocka_unit_test(flash_attention__reads_each_key_and_value_once_for_a_block),
    cmocka_unit_test(flash_attention__reads_full_sectors),
    cmocka_unit_test(flash_attention__shares_out_the_queries),
    cmocka_unit_test(paged_attention__attends_in_one_block),
    cmocka_unit_test(paged_attention__follows_the_block_table),
    cmocka_unit_test(paged_attention__follows_a_long_table),
    cmocka_unit_test(paged_attention__keeps_sequences_apart),
    cmocka_unit_test(paged_attention__attends_in_each_head),
    cmocka_unit_test(paged_attention__takes_widths_up_to_64),
    cmocka_unit_test(paged_attention__attends_to_fewer_tokens_than_warps),
    cmocka_unit_test(paged_attention__is_stable_for_large_scores),
    cmocka_unit_test(paged_attention__follows_one_score_far_above_the_rest),
    cmocka_unit_test(paged_attention__reads_full_sectors_once),
    cmocka_unit_test(paged_attention__shares_out_the_tokens),
    {0}};
