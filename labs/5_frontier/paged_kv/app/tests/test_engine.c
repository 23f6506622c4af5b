/* The engine: what a request becomes depends on nothing but the request; nothing is lost, and every block comes
 * back.
 */
#include "labs/5_frontier/paged_kv/app/engine.h"
#include <math.h>
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "tests/facts.h"
#include "tests/skip.h"

enum { CHOICES_MAX = 3, TOKENS_MAX = 32, REQUESTS = 12 };

// ---- what was received of a request ----

typedef struct Received {
    int count[CHOICES_MAX], ends[CHOICES_MAX];
    int32_t tokens[CHOICES_MAX][TOKENS_MAX];
    float log_probability[CHOICES_MAX][TOKENS_MAX];
    FinishReason finish[CHOICES_MAX];
    char text[CHOICES_MAX][2000], error[sizeof(Error)];
    Engine *cancel;    // the request after its second token
} Received;

static void receive(void *context, const EngineEvent *event)
{
    Received *h = context;
    const int k = event->choice;
    assert_that(h->ends[k] == 0, "choice %d goes on after its end", k);
    strncat(h->text[k], event->text, event->bytes);
    if (event->error != NULL) snprintf(h->error, sizeof h->error, "%s", event->error);
    if (event->sampled == NULL) {
        assert_that(event->finish != FINISH_NONE, "an event without token and end");
        h->ends[k]++;
        h->finish[k] = event->finish;
        return;
    }
    if (h->count[k] < TOKENS_MAX) {
        h->tokens[k][h->count[k]] = event->sampled->token;
        h->log_probability[k][h->count[k]] = event->sampled->log_probability;
    }
    h->count[k]++;
    if (h->cancel != NULL && h->count[k] == 2) engine_cancel(h->cancel, event->id);
}

static void assert_received(const char *what, int request, const Received *got,
                            const Received *want)
{
    for (int k = 0; k < CHOICES_MAX; k++) {
        assert_that(got->finish[k] == want->finish[k], "%s: request %d.%d ended by %d, expected %d",
                    what, request, k, (int)got->finish[k], (int)want->finish[k]);
        assert_that(got->count[k] == want->count[k], "%s: request %d.%d has %d tokens, expected %d",
                    what, request, k, got->count[k], want->count[k]);
        for (int t = 0; t < got->count[k]; t++) {
            assert_that(got->tokens[k][t] == want->tokens[k][t],
                        "%s: request %d.%d, token %d is %d, expected %d", what, request, k, t,
                        got->tokens[k][t], want->tokens[k][t]);
            const float a = got->log_probability[k][t], b = want->log_probability[k][t];
            assert_that(memcmp(&a, &b, sizeof a) == 0,
                        "%s: request %d.%d, log-probability %d is %.9g, expected %.9g", what,
                        request, k, t, (double)a, (double)b);
        }
    }
}

// ---- requests ----

typedef struct Asked {
    Request request;
    int32_t prompt[TOKENS_MAX];
} Asked;

// Of few tokens, so that n-grams repeat, and many begin alike.
static void make_requests(Asked *list, const ModelConfig *c, Rng *rng)
{
    for (int i = 0; i < REQUESTS; i++) {
        Request *r = &list[i].request;
        *r = (Request){.prompt = list[i].prompt,
                       .prompt_count = 1 + (int)rng_below(rng, 14),
                       .choices = 1 + (int)rng_below(rng, CHOICES_MAX),
                       .priority = (int)rng_below(rng, 3),
                       .ignore_stop_tokens = rng_below(rng, 2) == 0,
                       .sampling = {.temperature = rng_below(rng, 3) == 0 ? 0 : 0.7f,
                                    .top_p = 0.95f,
                                    .presence_penalty = 0.1f,
                                    .seed = 100 + (uint64_t)i}};
        r->max_tokens = 1 + (int)rng_below(rng, (uint64_t)(c->context - r->prompt_count) * 2 / 3);
        for (int t = 0; t < r->prompt_count; t++)
            list[i].prompt[t] = t < 8 && i % 3 > 0 ? 3 + t : 3 + (int)rng_below(rng, 6);
    }
}

static Engine *open_engine(const Weights *w, EngineOptions options)
{
    Error err = {""};
    Engine *e = engine_open(w, NULL, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    return e;
}

static int submit(Engine *e, const Asked *asked, Received *received)
{
    Error err = {""};
    Request r = asked->request;
    r.on_event = receive;
    r.context = received;
    const int id = engine_submit(e, &r, &err);
    if (id < 0) fail_msg("%s", err.message);
    return id;
}

static void assert_all_idle(const Engine *e)
{
    const EngineStatistics s = engine_statistics(e);
    assert_int_equal(s.held, 0);
    assert_int_equal(s.running + s.waiting, 0);
}

static void run_alone(const Weights *w, const Asked *asked, EngineOptions options,
                      Received *received)
{
    options.no_prefix_cache = true;
    Engine *e = open_engine(w, options);
    memset(received, 0, sizeof *received);
    submit(e, asked, received);
    while (engine_step(e)) continue;
    assert_all_idle(e);
    engine_close(e);
}

static Weights *open_weights(const char *name)
{
    Error err = {""};
    Weights *w = weights_open(fixture_path(name), (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}

// ---- the cases ----

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

// A model that drafts for itself is always right, with a temperature too.
static void a_models_own_drafts_are_accepted(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Asked asked = {.request = {.prompt = asked.prompt,
                               .prompt_count = 3,
                               .max_tokens = 26,
                               .choices = 2,
                               .ignore_stop_tokens = true},
                   .prompt = {4, 9, 17}};
    for (int t = 0; t < 2; t++) {
        Received received = {0};
        asked.request.sampling.temperature = (float)t;
        Engine *e = open_engine(w, (EngineOptions){.draft = w, .drafts = 4});
        submit(e, &asked, &received);
        while (engine_step(e)) continue;
        const EngineStatistics s = engine_statistics(e);
        assert_int_equal(s.accepted, s.drafted);
        assert_int_equal(s.steps, 1 + 5);    // 1 token and then 5 at a time
        engine_close(e);
    }
    weights_close(w);
}

// ---- the distribution with a draft model ----

enum { TOP = 12, WIDE = 40 };

// The `TOP` likeliest after these tokens, by the transformer lab's own model.
static void top_of(Opened *opened, const int32_t *tokens, int count, double temperature, int *top,
                   double *p)
{
    Tensor *ids = tensor_from_ints(opened->tape->arena, SHAPE(1, count), tokens);
    const Tensor *logits = model_logits(opened->tape, &opened->model, ids);
    const int v = opened->model.config.vocabulary;
    const float *z = values_of(logits) + (size_t)(count - 1) * (size_t)v;
    double sum = 0;
    for (int k = 0; k < TOP; k++) {
        top[k] = -1;
        for (int i = 0; i < v; i++) {
            bool used = false;
            for (int j = 0; j < k; j++) used = used || top[j] == i;
            if (!used && (top[k] < 0 || z[i] > z[top[k]])) top[k] = i;
        }
        sum += p[k] = exp((double)(z[top[k]] - z[top[0]]) / temperature);
    }
    for (int k = 0; k < TOP; k++) p[k] /= sum;
    tape_reset(opened->tape);
}

// The second and the third token: want[second][third], summed over the first.
static void expect_pairs(double want[WIDE][WIDE], double temperature)
{
    Opened *opened = open_fixture("llama");
    int32_t tokens[5] = {4, 9, 17};
    int top[3][TOP];
    double p[3][TOP];
    top_of(opened, tokens, 3, temperature, top[0], p[0]);
    for (int i = 0; i < TOP; i++) {
        tokens[3] = top[0][i];
        top_of(opened, tokens, 4, temperature, top[1], p[1]);
        for (int j = 0; j < TOP; j++) {
            tokens[4] = top[1][j];
            top_of(opened, tokens, 5, temperature, top[2], p[2]);
            for (int k = 0; k < TOP; k++) want[top[1][j]][top[2][k]] += p[0][i] * p[1][j] * p[2][k];
        }
    }
    close_opened(opened);
}

static void tokens_with_a_draft_model_have_the_models_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    static double want[WIDE][WIDE];
    static Received received[DRAWS];
    static int counts[WIDE][WIDE];
    expect_pairs(want, 3);
    Weights *w = open_weights("llama"), *draft = open_weights("gpt2");
    Asked asked = {
        .request = {.prompt = asked.prompt,
                    .prompt_count = 3,
                    .max_tokens = 5,
                    .ignore_stop_tokens = true,
                    .sampling = {.temperature = 3, .top_k = TOP, .log_probabilities = -1}},
        .prompt = {4, 9, 17}};
    Engine *e = open_engine(w, (EngineOptions){.draft = draft, .drafts = 3});
    for (int i = 0; i < DRAWS; i++) {
        asked.request.sampling.seed = (uint64_t)i;
        submit(e, &asked, &received[i]);
        while (i % 64 == 63 && engine_step(e)) continue;
    }
    while (engine_step(e)) continue;
    const EngineStatistics s = engine_statistics(e);
    assert_that(s.accepted > s.drafted / 10 && s.accepted < s.drafted, "%d of %d drafts accepted",
                (int)s.accepted, (int)s.drafted);
    for (int i = 0; i < DRAWS; i++) counts[received[i].tokens[0][1]][received[i].tokens[0][2]]++;
    double chi = 0, rare = 0;
    int cells = 1, rarely = 0;
    for (int i = 0; i < WIDE * WIDE; i++) {
        const double expected = DRAWS * want[i / WIDE][i % WIDE];
        const int count = counts[i / WIDE][i % WIDE];
        if (expected < 5) rare += expected, rarely += count;
        else chi += pow(count - expected, 2) / expected, cells++;
    }
    chi += pow(rarely - rare, 2) / fmax(rare, 1);
    // Wilson & Hilferty 1931: above this with a probability of about 1e-5.
    const double df = cells - 1, spread = 2 / (9 * df),
                 limit = df * pow(1 - spread + 4.26 * sqrt(spread), 3);
    assert_that(chi < limit && cells > 100, "chi-square is %.1f of %d cells, expected at most %.1f",
                chi, cells, limit);
    engine_close(e);
    weights_close(draft);
    weights_close(w);
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

// ---- real models ----

static const char *data_file(const char *name)
{
    char data[PATH_MAX];
    root_data_dir(data);
    const char *path = arena_print(names, "%s/%s", data, name);
    if (access(path, R_OK) == 0) return path;
    path = arena_print(names, "%s/../shared/data/%s", root_dir(), name);
    return access(path, R_OK) == 0 ? path : NULL;
}

// llama2.c, test_all.py: ./run stories260K.bin -z tok512.bin -t 0.0 -n 200
static const char STORY[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One "
    "day, she saw a big, red ball. She wanted to play with it, but it was too high.\nLily's mom "
    "said, "
    "\"Lily, let's go to the park.\" Lily was sad and didn't know what to do. She said, \"I want "
    "to play "
    "with your ball, but I can't find it.\"\nLily was sad and didn't know what to do. She said, "
    "\"I'm "
    "sorry, Lily. I didn't know what to do.\"\nLily didn't want to help her mom, so she";

static void run_request(const Weights *w, const Tokenizer *t, EngineOptions options,
                        Request request, Received *received)
{
    Error err = {""};
    Engine *e = engine_open(w, t, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    memset(received, 0, sizeof *received);
    request.on_event = receive;
    request.context = received;
    if (engine_submit(e, &request, &err) < 0) fail_msg("%s", err.message);
    while (engine_step(e)) continue;
    engine_close(e);
}

static void stories260k_continues_to_the_text_of_llama2_c(void **state)
{
    (void)state;
    const char *path = data_file("stories260k/stories260K.bin"),
               *vocabulary = data_file("stories260k/tok512.bin");
    if (path == NULL) SKIP("no stories260k in the data folder", "LAB_DATA=... ./lab test");
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){0}, &err);
    Tokenizer *t = tokenizer_open(vocabulary, &err);
    if (w == NULL || t == NULL) fail_msg("%s", err.message);
    static Received received;
    const int32_t begin = w->config.bos;
    for (int drafts = 0; drafts <= 4; drafts += 2)
        for (int size = 1; size <= 256; size *= 16) {
            run_request(w, t, (EngineOptions){.block_size = size, .drafts = drafts},
                        (Request){.prompt = &begin, .prompt_count = 1, .max_tokens = 200},
                        &received);
            assert_string_equal(received.text[0] + (received.text[0][0] == ' '), STORY);
        }
    // A stop string over several tokens: nothing of it is shown.
    const char *stops[] = {"big, red b", "nowhere"};
    run_request(w, t, (EngineOptions){0},
                (Request){.prompt = &begin,
                          .prompt_count = 1,
                          .max_tokens = 200,
                          .stop_strings = stops,
                          .stop_string_count = 2},
                &received);
    assert_int_equal(received.finish[0], FINISH_STOP);
    const char *end = strstr(STORY, stops[0]);
    assert_int_equal(strlen(received.text[0] + (received.text[0][0] == ' ')), end - STORY);
    tokenizer_close(t);
    weights_close(w);
}

// ---- a model that answers ----

static void answer(const Weights *w, const Tokenizer *t, const ChatTemplate *template,
                   EngineOptions options, const char *question, Constraint *constraint,
                   Received *received)
{
    Error err = {""};
    const ChatMessage message = {.role = "user", .content = question};
    const Chat chat = {.messages = &message, .count = 1};
    TokenIds ids = {0};
    if (!chat_encode(template, t, &chat, &ids, &err)) fail_msg("%s", err.message);
    const int32_t end = tokenizer_token(t, chat_template_end(template));
    run_request(w, t, options,
                (Request){.prompt = ids.ids,
                          .prompt_count = (int)ids.count,
                          .max_tokens = 24,
                          .stop_tokens = &end,
                          .stop_token_count = 1,
                          .constraint = constraint},
                received);
    free(ids.ids);
}

static void smollm2_knows_the_capital_of_france(void **state)
{
    (void)state;
    const char *path = data_file("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    if (path == NULL) SKIP("no SmolLM2 in the data folder", "./lab data get smollm2");
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){0}, &err);
    Tokenizer *t = tokenizer_open(path, &err);
    ChatTemplate *template = chat_template_open(path, &err);
    if (w == NULL || t == NULL || template == NULL) fail_msg("%s", err.message);
    static Received received;
    answer(w, t, template, (EngineOptions){0}, "What is the capital of France?", NULL, &received);
    assert_string_equal(received.text[0], "The capital of France is Paris.");
    assert_int_equal(received.finish[0], FINISH_STOP);
    // As JSON: every token is one that the schema allows, with and without drafts.
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"capital\":{\"enum\":[\"Paris\",\"Rome\"]}},"
        "\"required\":[\"capital\"],\"additionalProperties\":false}";
    TokenIndex *index = token_index_new(t, w->config.stops, w->config.stop_count);
    for (int drafts = 0; drafts <= 4; drafts += 4) {
        Grammar *grammar = json_schema_compile(schema, strlen(schema), &err);
        if (grammar == NULL) fail_msg("%s", err.message);
        Constraint *constraint = constraint_new(grammar, index);
        answer(w, t, template, (EngineOptions){.drafts = drafts},
               "What is the capital of France? Answer in JSON.", constraint, &received);
        constraint_close(constraint);
        assert_int_equal(received.finish[0], FINISH_STOP);
        assert_non_null(strstr(received.text[0], "\"Paris\""));
    }
    token_index_free(index);
    chat_template_close(template);
    tokenizer_close(t);
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_request_becomes_the_same_among_any_others),
        cmocka_unit_test(the_labs_own_schedule_makes_no_difference),
        cmocka_unit_test(a_draft_model_makes_no_difference_in_company),
        cmocka_unit_test(a_models_own_drafts_are_accepted),
        cmocka_unit_test(tokens_with_a_draft_model_have_the_models_distribution),
        cmocka_unit_test(quantized_weights_and_caches_make_no_difference),
        cmocka_unit_test(greedy_tokens_are_those_of_the_transformer),
        cmocka_unit_test(a_request_ends_by_its_tokens_its_count_or_cancelled),
        cmocka_unit_test(choices_are_drawn_independently),
        cmocka_unit_test(a_request_that_cannot_be_is_refused),
        cmocka_unit_test(stories260k_continues_to_the_text_of_llama2_c),
        cmocka_unit_test(smollm2_knows_the_capital_of_france),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
