/* Attention by hand, its mask, its cache, its weights as pictures, and what it refuses. */
#include "common/attention.h"
#include "common/ops.h"
#include "kernels/kernels.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

static Tensor *normal(Shape shape, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    const size_t n = shape_count(shape);
    float *values = arena_alloc(keep, n * sizeof *values);
    rng_fill_normal(&rng, values, n);
    return tensor_from(keep, shape, values);
}

// One head of one number: scores are q k. Token 0 sees itself; token 1 weighs the values 3 and 7 by
// softmax(0, log 3) = 1/4, 3/4.
static void attention_weighs_values_by_the_softmax_of_scores(void **state)
{
    (void)state;
    const float log3 = logf(3);
    Tensor *qkv = tensor_from(keep, SHAPE(1, 2, 3), (float[]){5, 0, 3, 1, log3, 7});
    Tensor *y = op_attention(tape, qkv, 1, 1);
    assert_near(values_of(y), ((double[]){3, 6}), SHAPE(1, 2, 1), .name = "y");
    assert_string_equal(TENSOR_TEXT(y), "[1,2,1]");
}

static void scores_are_scaled_by_the_root_of_the_heads_size(void **state)
{
    (void)state;
    const float score = 2 * logf(3);    // of token 1 to itself, before it is divided by sqrt(4)
    Tensor *qkv =
        tensor_from(keep, SHAPE(1, 2, 12), (float[]){0, 0, 0, 0, 0,     0, 0, 0, 4, 4, 4, 4,    //
                                                     1, 0, 0, 0, score, 9, 9, 9, 8, 8, 8, 8});
    Tensor *y = op_attention(tape, qkv, 1, 1);
    assert_near(values_of(y), ((double[]){4, 4, 4, 4, 7, 7, 7, 7}), SHAPE(1, 2, 4), .name = "y");
}

static void a_token_does_not_see_the_future(void **state)
{
    (void)state;
    enum { TOKENS = 80, CUT = 41, COLS = 24 };
    Tensor *qkv = normal(SHAPE(1, TOKENS, COLS), 1);
    float *values = tensor_values(keep, qkv);
    const float *before = values_of(op_attention(tape, qkv, 4, 1));
    for (int i = CUT * COLS; i < TOKENS * COLS; i++) values[i] = i % 2 ? NAN : INFINITY;
    const float *after =
        values_of(op_attention(tape, tensor_from(keep, SHAPE(1, TOKENS, COLS), values), 4, 1));
    assert_memory_equal(before, after, CUT * 16 * sizeof *before);
    assert_true(isnan(after[CUT * 16]));
}

// Grouped queries are the same as groups of equal key and value heads.
static void a_group_shares_its_key_and_value_head(void **state)
{
    (void)state;
    enum { TOKENS = 19, HEAD = 3, ROW = 8 * HEAD, WIDE = 12 * HEAD };
    Tensor *few = normal(SHAPE(1, TOKENS, ROW), 2);
    const float *values = tensor_values(keep, few);
    float *wide = arena_alloc(keep, TOKENS * WIDE * sizeof *wide);
    for (int t = 0; t < TOKENS; t++)
        for (int part = 0; part < 12; part++) {
            const int from =
                part < 4 ? part : 4 + (part - 4) / 2;    // key and value heads are doubled
            for (int d = 0; d < HEAD; d++)
                wide[t * WIDE + part * HEAD + d] = values[t * ROW + from * HEAD + d];
        }
    Tensor *many = tensor_from(keep, SHAPE(1, TOKENS, WIDE), wide);
    const float *y = values_of(op_attention(tape, few, 4, 2));
    assert_memory_equal(y, values_of(op_attention(tape, many, 4, 4)),
                        TOKENS * 4 * HEAD * sizeof *y);
}

static void a_cache_gives_what_the_whole_sequence_gives(void **state)
{
    (void)state;
    enum {
        TOKENS = 90,
        HEADS = 6,
        KV = 2,
        HEAD = 8,
        COLS = (HEADS + 2 * KV) * HEAD,
        OUT = HEADS * HEAD
    };
    static const int pieces[] = {1, 30, 1, 1, 40, 17};
    Tensor *qkv = normal(SHAPE(1, TOKENS, COLS), 3);
    const float *whole = values_of(op_attention(tape, qkv, HEADS, KV)),
                *values = tensor_values(keep, qkv);
    Tensor *k = tensor_zeros(keep, SHAPE(TOKENS, KV * HEAD)),
           *v = tensor_zeros(keep, SHAPE(TOKENS, KV * HEAD));
    tape_quiet(tape, true);
    for (int i = 0, past = 0; i < 6; past += pieces[i++]) {
        Tensor *piece = tensor_from(keep, SHAPE(1, pieces[i], COLS), values + past * COLS);
        Tensor *y = op_attention_cached(tape, piece, k, v, past, HEADS, KV);
        assert_string_equal(TENSOR_TEXT(y), SHAPE_TEXT(SHAPE(1, pieces[i], OUT)));
        const float *got = values_of(y);
        for (int n = 0; n < pieces[i] * OUT; n++) assert_close(got[n], whole[past * OUT + n], 2e-6);
    }
}

static void weights_are_what_attention_multiplies_values_by(void **state)
{
    (void)state;
    enum { BATCH = 2, TOKENS = 11, HEADS = 4, KV = 2, HEAD = 3, COLS = (HEADS + 2 * KV) * HEAD };
    Tensor *qkv = normal(SHAPE(BATCH, TOKENS, COLS), 4);
    const float *values = tensor_values(keep, qkv),
                *y = values_of(op_attention(tape, qkv, HEADS, KV));
    for (int b = 0; b < BATCH; b++) {
        const float *weights = attention_weights(keep, qkv, b, HEADS, KV);
        for (int h = 0; h < HEADS; h++)
            for (int i = 0; i < TOKENS; i++) {
                const float *row = weights + (h * TOKENS + i) * TOKENS;
                double sum = 0;
                for (int j = 0; j < TOKENS; j++) sum += row[j];
                assert_close(sum, 1, 1e-6);
                for (int j = i + 1; j < TOKENS; j++) assert_true(row[j] == 0);
                for (int d = 0; d < HEAD; d++) {
                    double want = 0;
                    for (int j = 0; j < TOKENS; j++)
                        want += row[j] *
                                values[(b * TOKENS + j) * COLS + (HEADS + KV + h / 2) * HEAD + d];
                    assert_close(y[((b * TOKENS + i) * HEADS + h) * HEAD + d], want, 1e-5);
                }
            }
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    Tensor *qkv = tensor_zeros(keep, SHAPE(1, 4, 24)), *two = tensor_zeros(keep, SHAPE(2, 4, 24));
    Tensor *cache = tensor_zeros(keep, SHAPE(6, 8)), *narrow = tensor_zeros(keep, SHAPE(6, 4));
    stops_with(
        "op_attention: qkv is [1,4,24]; expected [B,T,7 D] for 5 heads and 1 key and value heads",
        op_attention(tape, qkv, 5, 1));
    stops_with("op_attention: 3 heads and 2 key and value heads; expected a multiple of them",
               op_attention(tape, qkv, 3, 2));
    stops_with("op_attention: 1 heads and 0 key and value heads", op_attention(tape, qkv, 1, 0));
    stops_with("the tape records", op_attention_cached(tape, qkv, cache, cache, 0, 1, 1));
    tape_quiet(tape, true);
    stops_with("qkv is [2,4,24]; expected one sequence",
               op_attention_cached(tape, two, cache, cache, 0, 1, 1));
    stops_with("the caches are [6,8] and [6,4]; expected [context,8] for qkv [1,4,24]",
               op_attention_cached(tape, qkv, cache, narrow, 0, 1, 1));
    stops_with("4 tokens behind 3; expected at most 6 in all",
               op_attention_cached(tape, qkv, cache, cache, 3, 1, 1));
    stops_with("sequence 1 of 1", attention_weights(keep, qkv, 1, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(attention_weighs_values_by_the_softmax_of_scores),
        EACH_DEVICE(scores_are_scaled_by_the_root_of_the_heads_size),
        EACH_DEVICE(a_token_does_not_see_the_future),
        EACH_DEVICE(a_group_shares_its_key_and_value_head),
        EACH_DEVICE(a_cache_gives_what_the_whole_sequence_gives),
        EACH_DEVICE(weights_are_what_attention_multiplies_values_by),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
