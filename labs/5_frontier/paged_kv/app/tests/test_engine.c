/* The engine: what a request becomes depends on nothing but the request; nothing is lost, and every block comes
 * back.
 */
#include <math.h>
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/tests/asked.h"

static EngineOptions random_options(const ModelConfig *c, Rng *rng)
{
    EngineOptions o = {.block_size = 1 + (int)rng_below(rng, 20),
                       .sequences = 1 + (int)rng_below(rng, 12),
                       .chunk = (int)rng_below(rng, 4) * 3,
                       .prefix = rng_below(rng, 2) ? &hash_chain : &radix_tree,
                       .no_prefix_cache = rng_below(rng, 4) == 0,
                       .worst_case = rng_below(rng, 4) == 0,
                       .drafts = (int)rng_below(rng, 2) * (int)rng_below(rng, 5)};
    o.budget = o.sequences + (int)rng_below(rng, 20);
    // From room for one sequence to plenty.
    o.blocks = (c->context + o.block_size - 1) / o.block_size * (1 + (int)rng_below(rng, 4));
    return o;
}

// Everything that must not make a difference, and how often it happened.
typedef struct Tally {
    int64_t preemptions, hits, accepted;
} Tally;

static void run_round(const Weights *w, const Asked *asked, const Received *alone, int requests,
                      EngineOptions options, Rng *rng, const char *what, Tally *tally)
{
    static Received received[REQUESTS];
    Engine *e = open_engine(w, options);
    bool cancelled[REQUESTS] = {false};
    memset(received, 0, sizeof received);
    for (int next = 0; next < requests || engine_step(e);) {
        if (next < requests && rng_below(rng, 3) > 0) {
            assert_int_equal(submit(e, &asked[next], &received[next]), next);
            next++;
        } else if (next < requests) engine_step(e);
        if (rng_below(rng, 100) == 0 && next > 0) {
            const int id = (int)rng_below(rng, (uint32_t)next);
            for (int k = 0; k < CHOICES_MAX; k++)
                cancelled[id] |= k < asked[id].request.choices && received[id].ends[k] == 0;
            engine_cancel(e, id);
        }
    }
    assert_all_idle(e);
    for (int i = 0; i < requests; i++)
        if (!cancelled[i]) assert_received(what, i, &received[i], &alone[i]);
    const EngineStatistics s = engine_statistics(e);
    tally->preemptions += s.preemptions, tally->hits += s.hit_tokens, tally->accepted += s.accepted;
    engine_close(e);
}

static void a_request_becomes_the_same_among_any_others(void **state)
{
    (void)state;
    static const char *const fixtures[] = {"gpt2", "llama", "qwen2_bf16", "qwen3"};
    static Asked asked[REQUESTS];
    static Received alone[REQUESTS];
    Tally tally = {0};
    for (int f = 0; f < 4; f++) {
        Weights *w = open_weights(fixtures[f]);
        Rng rng = rng_from_seed(40 + (uint64_t)f);
        make_requests(asked, &w->config, &rng);
        for (int i = 0; i < REQUESTS; i++) run_alone(w, &asked[i], (EngineOptions){0}, &alone[i]);
        for (int round = 0; round < 60; round++) {
            const char *what =
                arena_print(names, "%s, round %d, seed %d", fixtures[f], round, 40 + f);
            run_round(w, asked, alone, REQUESTS, random_options(&w->config, &rng), &rng, what,
                      &tally);
        }
        weights_close(w);
    }
    assert_that(tally.preemptions > 100 && tally.hits > 1000 && tally.accepted > 100,
                "%d preemptions, %d hits, %d accepted: too few to show anything",
                (int)tally.preemptions, (int)tally.hits, (int)tally.accepted);
}

// The exercises' memory and schedule, in the place of scheduler.c's (mine/planner.c).
static void the_labs_own_schedule_makes_no_difference(void **state)
{
    (void)state;
    static const char *const fixtures[] = {"gpt2", "llama"};
    static Asked asked[REQUESTS];
    static Received alone[REQUESTS];
    Tally tally = {0};
    for (int f = 0; f < 2; f++) {
        Weights *w = open_weights(fixtures[f]);
        Rng rng = rng_from_seed(60 + (uint64_t)f);
        make_requests(asked, &w->config, &rng);
        for (int i = 0; i < REQUESTS; i++) run_alone(w, &asked[i], (EngineOptions){0}, &alone[i]);
        for (int round = 0; round < 60; round++) {
            EngineOptions options = random_options(&w->config, &rng);
            options.planner = mine_planner;
            options.worst_case = false;
            run_round(w, asked, alone, REQUESTS, options, &rng,
                      arena_print(names, "%s, round %d, seed %d", fixtures[f], round, 60 + f),
                      &tally);
        }
        weights_close(w);
    }
    assert_that(tally.preemptions > 50 && tally.hits > 500 && tally.accepted > 50,
                "%d preemptions, %d hits, %d accepted: too few to show anything",
                (int)tally.preemptions, (int)tally.hits, (int)tally.accepted);
}

// Greedy requests become what they become without, the others the same whatever is drafted at a time.
static void a_draft_model_makes_no_difference_in_company(void **state)
{
    (void)state;
    static const char *const fixtures[] = {"gpt2", "llama", "qwen2_bf16", "qwen3"};
    static Asked asked[REQUESTS];
    static Received plain[REQUESTS], alone[REQUESTS];
    Tally tally = {0};
    for (int f = 0; f < 4; f++) {
        Weights *w = open_weights(fixtures[f]), *draft = open_weights(fixtures[(f + 1) % 4]);
        Rng rng = rng_from_seed(60 + (uint64_t)f);
        make_requests(asked, &w->config, &rng);
        for (int i = 0; i < REQUESTS; i++) {
            run_alone(w, &asked[i], (EngineOptions){0}, &plain[i]);
            run_alone(w, &asked[i], (EngineOptions){.draft = draft, .drafts = 3}, &alone[i]);
            if (asked[i].request.sampling.temperature == 0)
                assert_received("greedy with a draft model", i, &alone[i], &plain[i]);
        }
        for (int round = 0; round < 30; round++) {
            const char *what =
                arena_print(names, "%s, round %d, seed %d", fixtures[f], round, 60 + f);
            EngineOptions options = random_options(&w->config, &rng);
            options.draft = draft;
            run_round(w, asked, alone, REQUESTS, options, &rng, what, &tally);
        }
        weights_close(draft);
        weights_close(w);
    }
    assert_that(tally.preemptions > 100 && tally.hits > 500 && tally.accepted > 100,
                "%d preemptions, %d hits, %d accepted: too few to show anything",
                (int)tally.preemptions, (int)tally.hits, (int)tally.accepted);
}

// Products of whole numbers, and keys and values of 16 and 8 bits.
static void quantized_weights_and_caches_make_no_difference(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        DType cache;
    } cases[] = {{"random:15m:Q4_0", DTYPE_F16},
                 {"random:15m:Q4_1", DTYPE_BF16},
                 {"random:42m:Q8_0", DTYPE_Q8_0}};
    enum { FEW = 5 };
    static Asked asked[REQUESTS];
    static Received alone[REQUESTS];
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Error err = {""};
        Weights *w = weights_open(cases[c].model, (WeightsOptions){0}, &err);
        if (w == NULL) fail_msg("%s", err.message);
        Rng rng = rng_from_seed(50 + (uint64_t)c);
        Tally tally = {0};
        ModelConfig few = w->config;
        few.context = 32;
        make_requests(asked, &few, &rng);
        for (int i = 0; i < FEW; i++)
            run_alone(w, &asked[i],
                      (EngineOptions){.cache = cases[c].cache, .activations = ACTIVATIONS_Q8},
                      &alone[i]);
        for (int round = 0; round < 3; round++) {
            EngineOptions options = random_options(&few, &rng);
            options.cache = cases[c].cache;
            options.activations = ACTIVATIONS_Q8;
            run_round(w, asked, alone, FEW, options, &rng, cases[c].model, &tally);
        }
        weights_close(w);
    }
}

static void greedy_tokens_are_those_of_the_transformer(void **state)
{
    (void)state;
    Opened *opened = open_fixture("llama");
    Weights *w = open_weights("llama");
    Asked asked = {
        .request = {.prompt = asked.prompt, .prompt_count = 3, .ignore_stop_tokens = true},
        .prompt = {4, 9, 17}};
    Received received;
    run_alone(w, &asked, (EngineOptions){0}, &received);
    assert_int_equal(received.count[0], w->config.context - 3);
    assert_int_equal(received.finish[0], FINISH_LENGTH);
    KvCache *cache = kv_cache_new(opened->keep, &opened->model, 32);
    int32_t tokens[TOKENS_MAX] = {4, 9, 17};
    for (int known = 3, computed = 0; known < 32; known++) {
        Tensor *ids =
            tensor_from_ints(opened->tape->arena, SHAPE(1, known - computed), tokens + computed);
        const float *z = values_of(model_extend(opened->tape, &opened->model, cache, ids));
        for (int v = 1; v < w->config.vocabulary; v++)
            if (z[v] > z[tokens[known]]) tokens[known] = v;
        assert_int_equal(received.tokens[0][known - 3], tokens[known]);
        computed = known;
        tape_reset(opened->tape);
    }
    weights_close(w);
    close_opened(opened);
}

static void a_request_ends_by_its_tokens_its_count_or_cancelled(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Asked asked = {
        .request = {.prompt = asked.prompt, .prompt_count = 3, .ignore_stop_tokens = true},
        .prompt = {4, 9, 17}};
    Received all, received;
    run_alone(w, &asked, (EngineOptions){0}, &all);
    asked.request.max_tokens = 1;
    asked.request.choices = 3;
    run_alone(w, &asked, (EngineOptions){0}, &received);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(received.count[k], 1);
        assert_int_equal(received.finish[k], FINISH_LENGTH);
    }
    int at = 1;
    while (all.tokens[0][at] == all.tokens[0][0]) at++;
    asked.request = (Request){.prompt = asked.prompt,
                              .prompt_count = 3,
                              .stop_tokens = &all.tokens[0][at],
                              .stop_token_count = 1};
    run_alone(w, &asked, (EngineOptions){0}, &received);
    assert_int_equal(received.count[0], at);
    assert_int_equal(received.finish[0], FINISH_STOP);
    // By itself, in the midst of a step, all choices of it.
    asked.request = (Request){
        .prompt = asked.prompt, .prompt_count = 3, .choices = 3, .ignore_stop_tokens = true};
    Engine *e = open_engine(w, (EngineOptions){0});
    memset(&received, 0, sizeof received);
    received.cancel = e;
    submit(e, &asked, &received);
    while (engine_step(e)) continue;
    assert_all_idle(e);
    for (int k = 0; k < 3; k++) assert_int_equal(received.finish[k], FINISH_CANCELLED);
    assert_int_equal(received.count[0] + received.count[1] + received.count[2], 4);
    engine_cancel(e, 0);
    // Before it begins: each choice ends once.
    memset(&received, 0, sizeof received);
    engine_cancel(e, submit(e, &asked, &received));
    for (int k = 0; k < 3; k++) {
        assert_int_equal(received.ends[k], 1);
        assert_int_equal(received.finish[k], FINISH_CANCELLED);
    }
    assert_false(engine_step(e));
    engine_cancel(e, 99);
    engine_close(e);
    weights_close(w);
}

// By the seed and the choice's number; the first is what a request of one choice gets.
static void choices_are_drawn_independently(void **state)
{
    (void)state;
    Weights *w = open_weights("gpt2");
    Asked asked = {.request = {.prompt = asked.prompt,
                               .prompt_count = 3,
                               .choices = 3,
                               .ignore_stop_tokens = true,
                               .sampling = {.temperature = 1.5f, .seed = 7}},
                   .prompt = {4, 9, 17}};
    Received received, one;
    run_alone(w, &asked, (EngineOptions){0}, &received);
    for (int k = 1; k < 3; k++)
        for (int j = 0; j < k; j++)
            assert_true(memcmp(received.tokens[k], received.tokens[j], 16 * sizeof(int32_t)) != 0);
    asked.request.choices = 1;
    run_alone(w, &asked, (EngineOptions){0}, &one);
    assert_memory_equal(one.tokens[0], received.tokens[0], (size_t)one.count[0] * sizeof(int32_t));
    asked.request.sampling.seed = 8;
    run_alone(w, &asked, (EngineOptions){0}, &received);
    assert_true(memcmp(one.tokens[0], received.tokens[0], 16 * sizeof(int32_t)) != 0);
    weights_close(w);
}

static void a_request_that_cannot_be_is_refused(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Engine *e = open_engine(w, (EngineOptions){.blocks = 3, .block_size = 4});
    int32_t prompt[40] = {4, 9, 17};
    const struct {
        Request request;
        const char *why;
    } cases[] = {
        {{.prompt = prompt}, "the prompt is empty"},
        {{.prompt = prompt, .prompt_count = 32},
         "a prompt of 32 tokens and 1 more, and the context has room for 32"},
        {{.prompt = prompt, .prompt_count = 3, .max_tokens = 30},
         "a prompt of 3 tokens and 30 more"},
        {{.prompt = prompt, .prompt_count = 3, .max_tokens = -1}, "-1 tokens"},
        {{.prompt = prompt, .prompt_count = 3, .max_tokens = 20}, "the cache has 3"},
        {{.prompt = (int32_t[]){40}, .prompt_count = 1},
         "token 0 of the prompt is 40, expected 0 to 39"},
        {{.prompt = prompt, .prompt_count = 3, .max_tokens = 1, .sampling = {.temperature = -1}},
         "temperature is -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        assert_int_equal(engine_submit(e, &cases[i].request, &err), -1);
        if (strstr(err.message, cases[i].why) == NULL)
            fail_msg("got:      %s\nexpected: ... %s ...", err.message, cases[i].why);
    }
    assert_all_idle(e);
    assert_false(engine_step(e));
    engine_close(e);
    Error err = {""};
    assert_null(engine_open(w, NULL, (EngineOptions){.cache = DTYPE_Q8_0}, &err));
    assert_non_null(strstr(err.message, "heads of a multiple of 32 numbers"));
    Weights *other = weights_open("random:15m", (WeightsOptions){0}, &err);
    assert_null(engine_open(w, NULL, (EngineOptions){.draft = other}, &err));
    assert_non_null(strstr(err.message, "the draft model has 32000 tokens"));
    weights_close(other);
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_request_becomes_the_same_among_any_others),
        cmocka_unit_test(the_labs_own_schedule_makes_no_difference),
        cmocka_unit_test(a_draft_model_makes_no_difference_in_company),
        cmocka_unit_test(quantized_weights_and_caches_make_no_difference),
        cmocka_unit_test(greedy_tokens_are_those_of_the_transformer),
        cmocka_unit_test(a_request_ends_by_its_tokens_its_count_or_cancelled),
        cmocka_unit_test(choices_are_drawn_independently),
        cmocka_unit_test(a_request_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
