/* Sampling by its definitions: frequencies of draws against probabilities, and what is cut off; and the loop
 * of generation: what ends it, and what it refuses. */
#include <math.h>
#include "labs/3_language/transformer/model/generate.h"
#include "labs/3_language/transformer/tests/opened.h"

static Arena *work;

static int setup(void **state)
{
    (void)state;
    work = arena_new("work", 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(work);
    return 0;
}

// ---- one token ----

// Probabilities .4 .3 .15 .1 .05, not in this order.
enum { N = 5, DRAWS = 40000 };
static const double PROBABILITIES[N] = {.1, .4, .05, .3, .15};

static void assert_frequencies(Sampling sampling, const double want[N])
{
    float logits[N];
    int counts[N] = {0};
    Rng rng = rng_from_seed(99);
    for (int i = 0; i < N; i++) logits[i] = 7 + (float)log(PROBABILITIES[i]);
    for (int i = 0; i < DRAWS; i++) {
        const int token = sample_token(logits, N, sampling, &rng, work);
        assert_true(token >= 0 && token < N);
        counts[token]++;
    }
    for (int i = 0; i < N; i++) {
        // Five standard deviations; what is cut off never comes.
        const double allowed = 5 * sqrt(want[i] * (1 - want[i]) / DRAWS);
        if (fabs(counts[i] / (double)DRAWS - want[i]) > allowed)
            fail_msg("token %d: %d of %d draws, expected %g", i, counts[i], DRAWS, want[i]);
    }
    assert_int_equal(arena_used(work), 0);
}

static void draws_follow_the_probabilities(void **state)
{
    (void)state;
    assert_frequencies((Sampling){.temperature = 1}, PROBABILITIES);
    assert_frequencies((Sampling){.temperature = 1, .top_p = 1}, PROBABILITIES);
    assert_frequencies((Sampling){.temperature = 1, .top_k = N + 3}, PROBABILITIES);
}

static void temperature_raises_probabilities_to_a_power(void **state)
{
    (void)state;
    double want[N], sum = 0;
    for (int i = 0; i < N; i++) sum += want[i] = pow(PROBABILITIES[i], 2);
    for (int i = 0; i < N; i++) want[i] /= sum;
    assert_frequencies((Sampling){.temperature = .5f}, want);
    assert_frequencies((Sampling){.temperature = 1e-30f}, (double[]){0, 1, 0, 0, 0});
}

static void top_k_keeps_the_k_largest(void **state)
{
    (void)state;
    assert_frequencies((Sampling){.temperature = 1, .top_k = 2},
                       (double[]){0, 4 / 7., 0, 3 / 7., 0});
    assert_frequencies((Sampling){.temperature = 1, .top_k = 1}, (double[]){0, 1, 0, 0, 0});
}

static void top_p_keeps_the_fewest_that_reach_it(void **state)
{
    (void)state;
    assert_frequencies((Sampling){.temperature = 1, .top_p = .69f},
                       (double[]){0, 4 / 7., 0, 3 / 7., 0});
    assert_frequencies((Sampling){.temperature = 1, .top_p = .71f},
                       (double[]){0, .4 / .85, 0, .3 / .85, .15 / .85});
    assert_frequencies((Sampling){.temperature = 1, .top_p = 1e-9f}, (double[]){0, 1, 0, 0, 0});
    // Of the two that top-k leaves the first has 4/7.
    assert_frequencies((Sampling){.temperature = 1, .top_k = 2, .top_p = .5f},
                       (double[]){0, 1, 0, 0, 0});
}

static void temperature_zero_takes_the_first_of_the_largest(void **state)
{
    (void)state;
    const float logits[] = {1, 5, -3, 5, 2};
    assert_int_equal(sample_token(logits, N, (Sampling){0}, NULL, work), 1);
    assert_int_equal(sample_token(logits, 1, (Sampling){0}, NULL, work), 0);
}

static void logits_that_are_no_numbers_are_refused_and_minus_infinity_is_never_drawn(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(1);
    const Sampling sampling = {.temperature = 1};
    assert_int_equal(sample_token((float[]){1, NAN, 2}, 3, sampling, &rng, work), -1);
    assert_int_equal(sample_token((float[]){1, NAN, 2}, 3, (Sampling){0}, &rng, work), -1);
    assert_int_equal(sample_token((float[]){-INFINITY, -INFINITY}, 2, sampling, &rng, work), -1);
    assert_int_equal(sample_token((float[]){3, INFINITY}, 2, sampling, &rng, work), 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(
            sample_token((float[]){-INFINITY, -40, -INFINITY}, 3, sampling, &rng, work), 1);
}

static void sampling_settings_are_checked(void **state)
{
    (void)state;
    static const struct {
        Sampling sampling;
        const char *why;
    } cases[] = {{{-1, 0, 0}, "the temperature is -1"},
                 {{NAN, 0, 0}, "the temperature is nan"},
                 {{INFINITY, 0, 0}, "the temperature is inf"},
                 {{1, -2, 0}, "top-k is -2"},
                 {{1, 0, 1.5f}, "top-p is 1.5"},
                 {{1, 0, -.1f}, "top-p is -0.1"}};
    Error err = {""};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(sampling_check(cases[i].sampling, &err));
        assert_non_null(strstr(err.message, cases[i].why));
    }
    assert_true(sampling_check((Sampling){.8f, 40, .95f}, &err));
}

// ---- the loop ----

typedef struct Heard {
    int tokens[64], count, most;
} Heard;

static bool hear(void *context, int token)
{
    Heard *heard = context;
    heard->tokens[heard->count++] = token;
    return heard->count < heard->most;
}

static int run(Opened *opened, Generation generation, const int *prompt, int count, Heard *heard,
               Error *err)
{
    Rng rng = rng_from_seed(5);
    generation.model = &opened->model;
    generation.tape = opened->tape;
    if (generation.rng == NULL) generation.rng = &rng;
    if (generation.cache == NULL) generation.cache = kv_cache_new(opened->keep, &opened->model, 32);
    *heard = (Heard){.most = 64};
    return generate(&generation, prompt, count, hear, heard, err);
}

// By the whole sequence at every token.
static int most_likely(Opened *opened, const int *tokens, int count)
{
    const int V = opened->model.config.vocabulary;
    Tensor *ids = tensor_from_ints(opened->tape->arena, SHAPE(1, count), tokens);
    const float *z = values_of(model_logits(opened->tape, &opened->model, ids));
    const int best = sample_token(z + (count - 1) * V, V, (Sampling){0}, NULL, work);
    tape_reset(opened->tape);
    return best;
}

static void greedy_text_is_the_most_likely_token_each_time(void **state)
{
    (void)state;
    Opened *opened = open_fixture("llama");
    opened->model.config.stop_count = 0;
    Error err = {""};
    Heard heard;
    int all[32] = {4, 9, 17};
    assert_int_equal(run(opened, (Generation){.most = 20}, all, 3, &heard, &err), 20);
    assert_int_equal(heard.count, 20);
    for (int i = 0; i < 20; i++) {
        all[3 + i] = most_likely(opened, all, 3 + i);
        assert_int_equal(heard.tokens[i], all[3 + i]);
    }
    close_opened(opened);
}

static void generation_ends_by_its_count_a_stop_the_caller_or_a_full_cache(void **state)
{
    (void)state;
    Opened *opened = open_fixture("llama");
    opened->model.config.stop_count = 0;
    Error err = {""};
    Heard heard, all;
    const int prompt[] = {4, 9, 17};
    assert_int_equal(run(opened, (Generation){.most = 0}, prompt, 3, &heard, &err), 0);
    // 32 places, 3 of the prompt; the last token needs none.
    assert_int_equal(run(opened, (Generation){.most = 60}, prompt, 3, &all, &err), 30);
    // The first token whose like has not come before.
    int at = 1;
    while (all.tokens[at] == all.tokens[0]) at++;
    opened->model.config.stops[0] = all.tokens[at];
    opened->model.config.stop_count = 1;
    assert_int_equal(run(opened, (Generation){.most = 60}, prompt, 3, &heard, &err), at);
    opened->model.config.stop_count = 0;

    Generation generation = {.most = 60};
    Rng rng = rng_from_seed(5);
    generation.rng = &rng;
    generation.model = &opened->model;
    generation.tape = opened->tape;
    generation.cache = kv_cache_new(opened->keep, &opened->model, 32);
    heard = (Heard){.most = 4};
    assert_int_equal(generate(&generation, prompt, 3, hear, &heard, &err), 4);
    // And goes on from there: the cache lacks the last one.
    const int last = heard.tokens[3];
    heard = (Heard){.most = 4};
    assert_int_equal(generate(&generation, &last, 1, hear, &heard, &err), 4);
    assert_memory_equal(heard.tokens, all.tokens + 4, 4 * sizeof(int));
    close_opened(opened);
}

static void the_same_seed_draws_the_same_text(void **state)
{
    (void)state;
    Opened *opened = open_fixture("gpt2");
    opened->model.config.stop_count = 0;
    Error err = {""};
    Heard a, b, c;
    const Generation generation = {.most = 20, .sampling = {.temperature = 1.5f}};
    const int prompt[] = {4};
    Rng other = rng_from_seed(6);
    assert_int_equal(run(opened, generation, prompt, 1, &a, &err), 20);
    assert_int_equal(run(opened, generation, prompt, 1, &b, &err), 20);
    Generation third = generation;
    third.rng = &other;
    assert_int_equal(run(opened, third, prompt, 1, &c, &err), 20);
    assert_memory_equal(a.tokens, b.tokens, 20 * sizeof(int));
    assert_true(memcmp(a.tokens, c.tokens, 20 * sizeof(int)) != 0);
    close_opened(opened);
}

static void prompts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    Opened *opened = open_fixture("llama");
    Error err = {""};
    Heard heard;
    int prompt[33] = {4, 40};
    assert_int_equal(run(opened, (Generation){.most = 1}, prompt, 0, &heard, &err), -1);
    assert_non_null(strstr(err.message, "the prompt is empty"));
    assert_int_equal(run(opened, (Generation){.most = 1}, prompt, 2, &heard, &err), -1);
    assert_non_null(strstr(err.message, "token 1 of the prompt is 40, expected 0 to 39"));
    prompt[1] = 4;
    assert_int_equal(run(opened, (Generation){.most = 1}, prompt, 33, &heard, &err), -1);
    assert_non_null(
        strstr(err.message, "the prompt has 33 tokens, and the context has room for 32"));
    assert_int_equal(run(opened, (Generation){.most = 1}, prompt, 32, &heard, &err), 1);

    float *nan = arena_alloc(work, 16 * sizeof *nan);
    for (int i = 0; i < 16; i++) nan[i] = NAN;
    tensor_write(opened->model.norm.weight, nan);
    assert_int_equal(run(opened, (Generation){.most = 1}, prompt, 2, &heard, &err), -1);
    assert_non_null(strstr(err.message, "a logit after 2 tokens is not a number"));
    close_opened(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(draws_follow_the_probabilities, setup, teardown),
        cmocka_unit_test_setup_teardown(temperature_raises_probabilities_to_a_power, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(top_k_keeps_the_k_largest, setup, teardown),
        cmocka_unit_test_setup_teardown(top_p_keeps_the_fewest_that_reach_it, setup, teardown),
        cmocka_unit_test_setup_teardown(temperature_zero_takes_the_first_of_the_largest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            logits_that_are_no_numbers_are_refused_and_minus_infinity_is_never_drawn, setup,
            teardown),
        cmocka_unit_test_setup_teardown(sampling_settings_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(greedy_text_is_the_most_likely_token_each_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            generation_ends_by_its_count_a_stop_the_caller_or_a_full_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_seed_draws_the_same_text, setup, teardown),
        cmocka_unit_test_setup_teardown(prompts_that_cannot_be_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
