/* Beam search: tokens and scores of transformers' generate(num_beams=...), in any company. */
#include "common/json.h"
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/engine.h"
#include "labs/5_frontier/paged_kv/app/tests/audit.h"

enum { CASES_MAX = 96, TEXTS_MAX = 5, TOKENS_MAX = 32 };

typedef struct Text {
    int32_t tokens[TOKENS_MAX];
    float log_probabilities[TOKENS_MAX];
    int count, ends;
    float score;
    FinishReason finish;
} Text;

typedef struct Case {
    const char *model;
    Request request;
    int32_t prompt[8], stops[8];
    Text want[TEXTS_MAX], got[TEXTS_MAX], first[TEXTS_MAX];
} Case;

static Case cases[CASES_MAX];
static int case_count;

static int read_ints(int32_t *out, const cJSON *list)
{
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) out[count++] = item->valueint;
    return count;
}

static EarlyStopping stopping_named(const char *name)
{
    return name[0] == 'h'   ? EARLY_STOPPING_HEURISTIC
           : name[0] == 'f' ? EARLY_STOPPING_FIRST
                            : EARLY_STOPPING_NEVER;
}

static void receive(void *context, const EngineEvent *event)
{
    Text *text = &((Case *)context)->got[event->choice];
    assert_that(event->choice < TEXTS_MAX && text->ends == 0, "an event of choice %d",
                event->choice);
    if (event->sampled == NULL) {
        text->ends++;
        text->finish = event->finish;
        text->score = event->score;
        return;
    }
    text->tokens[text->count] = event->sampled->token;
    text->log_probabilities[text->count++] = event->sampled->log_probability;
}

static void read_case(Case *c, const cJSON *item)
{
    const cJSON *text;
    int texts = 0;
    c->model = arena_print(names, "%s", cJSON_GetObjectItem(item, "model")->valuestring);
    c->request = (Request){
        .prompt = c->prompt,
        .prompt_count = read_ints(c->prompt, cJSON_GetObjectItem(item, "prompt")),
        .max_tokens = cJSON_GetObjectItem(item, "max_tokens")->valueint,
        .beams = {.beams = cJSON_GetObjectItem(item, "beams")->valueint,
                  .length_penalty = (float)cJSON_GetObjectItem(item, "length_penalty")->valuedouble,
                  .early_stopping =
                      stopping_named(cJSON_GetObjectItem(item, "early_stopping")->valuestring)},
        .stop_tokens = c->stops,
        .stop_token_count = read_ints(c->stops, cJSON_GetObjectItem(item, "stops")),
        .sampling = {.log_probabilities = -1},
        .on_event = receive,
        .context = c};
    c->request.choices = c->request.beams.beams;
    cJSON_ArrayForEach(text, cJSON_GetObjectItem(item, "texts"))
    {
        Text *want = &c->want[texts++];
        want->count = read_ints(want->tokens, cJSON_GetObjectItem(text, "tokens"));
        want->score = (float)cJSON_GetObjectItem(text, "score")->valuedouble;
    }
}

static int open_cases(void **state)
{
    if (begin(state) != 0) return -1;
    FILE *stream = fopen(FIXTURES "/beams.json", "rb");
    static char bytes[1 << 17];
    Error err = {""};
    if (stream == NULL) return -1;
    cJSON *tree = json_parse(bytes, fread(bytes, 1, sizeof bytes - 1, stream), "beams.json", &err),
          *item;
    fclose(stream);
    cJSON_ArrayForEach(item, tree) read_case(&cases[case_count++], item);
    cJSON_Delete(tree);
    return case_count > 0 ? 0 : -1;
}

static Weights *open_weights(const char *name)
{
    Error err = {""};
    Weights *w = weights_open(fixture_path(name), (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}

static void audit_engine(const Engine *e, const BlockTable *const *tables, int count)
{
    audit(engine_scheduler(e)->pool, tables, count);
}

// All cases of a model at once, or one after the other.
static EngineStatistics run(const Weights *w, const char *model, EngineOptions options,
                            bool at_once)
{
    Error err = {""};
    Engine *e = engine_open(w, NULL, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    for (int i = 0; i < case_count; i++) {
        if (strcmp(cases[i].model, model) != 0) continue;
        memset(cases[i].got, 0, sizeof cases[i].got);
        if (engine_submit(e, &cases[i].request, &err) < 0) fail_msg("case %d: %s", i, err.message);
        while (!at_once && engine_step(e)) continue;
    }
    while (engine_step(e)) {
        const Scheduler *s = engine_scheduler(e);
        const BlockTable *tables[64];
        for (int i = 0; i < s->running_count; i++) tables[i] = &s->running[i]->table;
        audit_engine(e, tables, s->running_count);
    }
    const EngineStatistics statistics = engine_statistics(e);
    assert_int_equal(statistics.held, 0);
    engine_close(e);
    return statistics;
}

static const char *const MODELS[] = {"gpt2", "llama", "qwen2", "qwen3"};

static void texts_and_scores_are_those_of_transformers(void **state)
{
    (void)state;
    int stopped = 0;
    for (int m = 0; m < 4; m++) {
        Weights *w = open_weights(MODELS[m]);
        run(w, MODELS[m], (EngineOptions){0}, false);
        weights_close(w);
    }
    for (int i = 0; i < case_count; i++) {
        Case *c = &cases[i];
        for (int k = 0; k < c->request.beams.beams; k++) {
            const Text *got = &c->got[k], *want = &c->want[k];
            assert_that(
                got->count == want->count &&
                    memcmp(got->tokens, want->tokens, (size_t)got->count * sizeof(int32_t)) == 0,
                "case %d, text %d: %d tokens, expected %d, or other ones", i, k, got->count,
                want->count);
            assert_that(fabsf(got->score - want->score) <= 2e-5f * fabsf(want->score) + 2e-6f,
                        "case %d, text %d: score %.7g, expected %.7g", i, k, (double)got->score,
                        (double)want->score);
            assert_int_equal(got->ends, 1);
            stopped += got->finish == FINISH_STOP;
        }
        memcpy(c->first, c->got, sizeof c->first);
    }
    assert_that(stopped > 20, "only %d texts end by a token", stopped);
}

// Any blocks, neighbours, chunks; pools that hold one request's beams, so that beams are preempted.
static void texts_and_scores_are_the_same_in_any_company(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(77);
    int64_t preemptions = 0;
    for (int round = 0; round < 240; round++) {
        const char *model = MODELS[round % 4];
        Weights *w = open_weights(model);
        EngineOptions o = {.block_size = 1 + (int)rng_below(&rng, 9),
                           .sequences = 5 + (int)rng_below(&rng, 8),
                           .chunk = (int)rng_below(&rng, 4),
                           .prefix = rng_below(&rng, 2) ? &hash_chain : &radix_tree,
                           .no_prefix_cache = rng_below(&rng, 3) == 0,
                           .worst_case = rng_below(&rng, 4) == 0};
        o.budget = o.sequences + (int)rng_below(&rng, 9);
        o.blocks = 5 * ((32 + o.block_size - 1) / o.block_size);
        preemptions += run(w, model, o, true).preemptions;
        weights_close(w);
        for (int i = 0; i < case_count; i++)
            for (int k = 0; k < cases[i].request.beams.beams && strcmp(cases[i].model, model) == 0;
                 k++)
                assert_that(memcmp(&cases[i].got[k], &cases[i].first[k], sizeof(Text)) == 0,
                            "round %d, case %d, text %d differs", round, i, k);
    }
    assert_that(preemptions > 100, "only %d preemptions", (int)preemptions);
}

static void beams_share_their_prompt(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Error err = {""};
    Engine *e = engine_open(w, NULL, (EngineOptions){.block_size = 4}, &err);
    int32_t prompt[20];
    for (int i = 0; i < 20; i++) prompt[i] = 3 + i;
    const Request request = {
        .prompt = prompt, .prompt_count = 20, .max_tokens = 8, .beams = {.beams = 5}};
    assert_int_equal(engine_submit(e, &request, &err), 0);
    engine_step(e);
    assert_int_equal(engine_statistics(e).held, 5);
    engine_step(e);
    // Each has a block of its own now, until a beam ends that has no continuation among the best.
    const int held = engine_statistics(e).held;
    assert_that(held > 5 && held <= 10, "5 beams of 21 tokens hold %d blocks", held);
    engine_cancel(e, 0);
    assert_false(engine_step(e));
    assert_int_equal(engine_statistics(e).held, 0);
    engine_close(e);
    weights_close(w);
}

// At any step, also before the first and as the texts are sent: each choice ends once.
static void a_cancelled_search_ends_each_choice(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Error err = {""};
    Case *c = &cases[0];
    for (int steps = 0; steps < 24; steps++) {
        Engine *e = engine_open(w, NULL, (EngineOptions){.block_size = 4}, &err);
        Request request = c->request;
        request.beams.beams = 4;
        request.choices = 3;
        memset(c->got, 0, sizeof c->got);
        assert_int_equal(engine_submit(e, &request, &err), 0);
        for (int i = 0; i < steps; i++) engine_step(e);
        engine_cancel(e, 0);
        assert_false(engine_step(e));
        for (int k = 0; k < 3; k++) {
            assert_int_equal(c->got[k].ends, 1);
            assert_int_equal(c->got[k].finish, steps < 20 ? FINISH_CANCELLED : FINISH_LENGTH);
        }
        assert_int_equal(engine_statistics(e).held, 0);
        engine_close(e);
    }
    weights_close(w);
}

static void what_goes_with_no_beams_is_refused(void **state)
{
    (void)state;
    Weights *w = open_weights("llama");
    Error err = {""};
    Engine *e = engine_open(w, NULL, (EngineOptions){.sequences = 8, .blocks = 10}, &err);
    const int32_t prompt[3] = {4, 9, 17};
    const char *stop = "x";
    const struct {
        Request request;
        const char *why;
    } refused[] = {
        {{.beams = {.beams = -1}}, "-1 beams"},
        {{.beams = {.beams = 9}}, "9 beams, and 8 can run at once"},
        {{.beams = {.beams = 2}, .choices = 3}, "3 choices of 2 beams"},
        {{.beams = {.beams = 2}, .sampling = {.temperature = 1}}, "no temperature"},
        {{.beams = {.beams = 2}, .stop_strings = &stop, .stop_string_count = 1}, "no stop strings"},
        {{.beams = {.beams = 2, .length_penalty = NAN}}, "length_penalty is nan"},
        {{.beams = {.beams = 8}}, "need 16 blocks of 16, and the cache has 10"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Request r = refused[i].request;
        r.prompt = prompt;
        r.prompt_count = 3;
        assert_int_equal(engine_submit(e, &r, &err), -1);
        if (strstr(err.message, refused[i].why) == NULL)
            fail_msg("got:      %s\nexpected: ... %s ...", err.message, refused[i].why);
    }
    engine_close(e);
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_scores_are_those_of_transformers),
        cmocka_unit_test(texts_and_scores_are_the_same_in_any_company),
        cmocka_unit_test(beams_share_their_prompt),
        cmocka_unit_test(a_cancelled_search_ends_each_choice),
        cmocka_unit_test(what_goes_with_no_beams_is_refused),
    };
    return cmocka_run_group_tests(tests, open_cases, end);
}
