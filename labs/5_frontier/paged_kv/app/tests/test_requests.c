/* Requests at the edges: kinds of faults that users of vLLM, SGLang and llama.cpp have reported, each with what is
 * right here.
 */
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/engine.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "labs/5_frontier/paged_kv/app/tests/audit.h"

enum { CHOICES_MAX = 3, TOKENS_MAX = 32 };

typedef struct Received {
    int count[CHOICES_MAX], ends[CHOICES_MAX], events;
    Sampled sampled[CHOICES_MAX][TOKENS_MAX];
    char text[CHOICES_MAX][TOKENS_MAX + 8];
    FinishReason finish[CHOICES_MAX];
    // What on_event() does at its n-th call.
    Engine *engine;
    int cancel_at, cancel_id, submit_at;
    const Request *submit;
} Received;

static void receive(void *context, const EngineEvent *event)
{
    Received *h = context;
    const int k = event->choice;
    assert_that(k < CHOICES_MAX && h->ends[k] == 0, "an event of choice %d after its end", k);
    h->events++;
    strncat(h->text[k], event->text, event->bytes);
    if (event->sampled != NULL) h->sampled[k][h->count[k]++] = *event->sampled;
    else h->ends[k]++, h->finish[k] = event->finish;
    Error err = {""};
    if (h->cancel_at == h->events) engine_cancel(h->engine, h->cancel_id);
    if (h->submit_at == h->events && engine_submit(h->engine, h->submit, &err) < 0)
        fail_msg("%s", err.message);
}

static Weights *weights, *draft;
static Tokenizer *tokenizer;
static const int32_t PROMPT[3] = {4, 9, 17};

static Weights *open_weights(const char *name)
{
    Error err = {""};
    Weights *w = weights_open(fixture_path(name), (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}

static int open_all(void **state)
{
    if (begin(state) != 0) return -1;
    weights = open_weights("llama");
    draft = open_weights("gpt2");
    tokenizer = tokenizer_bytes();
    return 0;
}

static int close_all(void **state)
{
    tokenizer_close(tokenizer);
    weights_close(draft);
    weights_close(weights);
    return end(state);
}

static Engine *open_engine(EngineOptions options)
{
    Error err = {""};
    Engine *e = engine_open(weights, tokenizer, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    return e;
}

static Request request_of(int max_tokens)
{
    return (Request){.prompt = PROMPT,
                     .prompt_count = 3,
                     .max_tokens = max_tokens,
                     .ignore_stop_tokens = true,
                     .sampling = {.log_probabilities = -1}};
}

static int submit(Engine *e, Request r, Received *received)
{
    Error err = {""};
    r.on_event = receive;
    r.context = received;
    const int id = engine_submit(e, &r, &err);
    if (id < 0) fail_msg("%s", err.message);
    return id;
}

static void finish(Engine *e)
{
    while (engine_step(e)) {
        const Scheduler *s = engine_scheduler(e);
        const BlockTable *tables[128];
        for (int i = 0; i < s->running_count; i++) tables[i] = &s->running[i]->table;
        audit(s->pool, tables, s->running_count);
    }
    assert_int_equal(engine_statistics(e).held, 0);
}

static void run(EngineOptions options, Request r, Received *received)
{
    Engine *e = open_engine(options);
    memset(received, 0, sizeof *received);
    submit(e, r, received);
    finish(e);
    engine_close(e);
}

static void assert_same(const char *what, const Received *got, const Received *want)
{
    for (int k = 0; k < CHOICES_MAX; k++)
        assert_that(
            got->count[k] == want->count[k] && got->finish[k] == want->finish[k] &&
                memcmp(got->sampled[k], want->sampled[k],
                       (size_t)got->count[k] * sizeof **got->sampled) == 0 &&
                strcmp(got->text[k], want->text[k]) == 0,
            "%s: choice %d has %d tokens and ends by %d, expected %d and %d, or another text", what,
            k, got->count[k], (int)got->finish[k], want->count[k], (int)want->finish[k]);
}

// None, n-grams, a draft model, the model itself.
static EngineOptions drafting(int kind)
{
    return (EngineOptions){.drafts = kind > 0 ? 5 : 0,
                           .draft = kind == 2   ? draft
                                    : kind == 3 ? weights
                                                : NULL};
}

// vLLM PR #47616, SGLang PR #33758, ArcticInference #161: what was accepted behind the stop is neither sent nor
// counted, and a stop within the limit is no end by length.
static void a_stop_inside_the_drafts_ends_the_text(void **state)
{
    (void)state;
    Received all, got, want;
    run(drafting(0), request_of(20), &all);
    for (int at = 0; at < 20; at++)
        for (int kind = 0; kind < 4; kind++) {
            Request r = request_of(at == 19 ? 20 : 0);
            const int32_t end = all.sampled[0][at].token;
            int first = 0;
            while (all.sampled[0][first].token != end) first++;
            r.ignore_stop_tokens = false;
            r.stop_tokens = &end;
            r.stop_token_count = 1;
            run(drafting(kind), r, &got);
            assert_int_equal(got.count[0], first);
            assert_int_equal(got.finish[0], FINISH_STOP);
            // The same by two bytes of text, which two tokens have.
            if (at == 0) continue;
            const char stop[] = {(char)all.sampled[0][at - 1].token, (char)end, '\0'};
            const char *stops[] = {stop};
            Request s = request_of(20);
            s.stop_strings = stops;
            s.stop_string_count = 1;
            run(drafting(kind), s, &got);
            if (kind == 0) want = got;
            assert_same("a stop string", &got, &want);
            assert_int_equal(got.finish[0], FINISH_STOP);
            assert_that(strstr(got.text[0], stop) == NULL, "the stop string is shown");
            assert_int_equal(strlen(got.text[0]) + 2, got.count[0]);
        }
}

// E18: one token, the context's last one; more is refused by its numbers.
static void a_prompt_may_leave_room_for_one_token(void **state)
{
    (void)state;
    int32_t prompt[40];
    const int context = weights->config.context;
    for (int i = 0; i < 40; i++) prompt[i] = 3 + i % 30;
    for (int kind = 0; kind < 4; kind++) {
        Received got;
        Request r = request_of(0);
        r.prompt = prompt;
        r.prompt_count = context - 1;
        r.choices = 2;
        run(drafting(kind), r, &got);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(got.count[k], 1);
            assert_int_equal(got.finish[k], FINISH_LENGTH);
        }
        Error err;
        Engine *e = open_engine(drafting(kind));
        r.prompt_count = context;
        assert_int_equal(engine_submit(e, &r, &err), -1);
        assert_non_null(strstr(err.message, "a prompt of 32 tokens and 1 more"));
        engine_close(e);
    }
}

// Each event of a request may cancel it, or another one; the others go on as if nothing had happened.
static void any_event_may_cancel_any_request(void **state)
{
    (void)state;
    Request requests[3];
    static Received want[3], got[3];
    for (int i = 0; i < 3; i++) {
        requests[i] = request_of(12);
        requests[i].prompt_count = 1 + i;
        requests[i].choices = 1 + i;
        requests[i].sampling.temperature = .8f;
        requests[i].sampling.seed = 3 + (uint64_t)i;
    }
    for (int kind = 0; kind < 4; kind++) {
        EngineOptions options = drafting(kind);
        options.block_size = 4;
        options.blocks = 12;    // some are preempted
        for (int i = 0; i < 3; i++) run(options, requests[i], &want[i]);
        for (int at = 1; at < 30; at++)
            for (int id = 0; id < 3; id++) {
                Engine *e = open_engine(options);
                memset(got, 0, sizeof got);
                got[2] = (Received){.engine = e, .cancel_at = at, .cancel_id = id};
                for (int i = 0; i < 3; i++) submit(e, requests[i], &got[i]);
                finish(e);
                for (int i = 0; i < 3; i++)
                    for (int k = 0; k < requests[i].choices; k++)
                        assert_int_equal(got[i].ends[k], 1);
                for (int i = 0; i < 3; i++)
                    if (i != id) assert_same("beside a cancelled one", &got[i], &want[i]);
                engine_close(e);
            }
    }
}

static void an_event_may_submit_a_request(void **state)
{
    (void)state;
    static Received want, first, second;
    run((EngineOptions){0}, request_of(9), &want);
    for (int at = 1; at <= 10; at++) {    // the last one is the end
        Engine *e = open_engine((EngineOptions){.sequences = 2});
        memset(&second, 0, sizeof second);
        Request again = request_of(9);
        again.on_event = receive;
        again.context = &second;
        first = (Received){.engine = e, .submit_at = at, .submit = &again};
        submit(e, request_of(9), &first);
        finish(e);
        assert_same("the first", &first, &want);
        assert_same("the one that it brought", &second, &want);
        engine_close(e);
    }
}

// Whatever of its prompt was computed may stay in the prefix cache; what was not may not.
static void a_cancelled_prompt_leaves_nothing_wrong_in_the_prefix_cache(void **state)
{
    (void)state;
    int32_t prompt[24];
    for (int i = 0; i < 24; i++) prompt[i] = 3 + i * 7 % 31;
    Request r = request_of(6);
    r.prompt = prompt;
    r.prompt_count = 24;
    static Received want, got, gone;
    run((EngineOptions){.no_prefix_cache = true}, r, &want);
    for (int kind = 0; kind < 4; kind += 2)
        for (int steps = 0; steps < 14; steps++)
            for (int size = 1; size <= 8; size *= 2) {
                EngineOptions options = drafting(kind);
                options.block_size = size;
                options.chunk = 3;
                Engine *e = open_engine(options);
                memset(&got, 0, sizeof got);
                memset(&gone, 0, sizeof gone);
                const int id = submit(e, r, &gone);
                for (int i = 0; i < steps; i++) engine_step(e);
                if (steps % 2) submit(e, r, &got);    // while the other one runs
                engine_cancel(e, id);
                if (steps % 2 == 0) submit(e, r, &got);
                finish(e);
                assert_same("after a cancelled one", &got, &want);
                const int hits = (int)engine_statistics(e).hit_tokens;
                assert_that(steps < 5 || hits > 0, "no token is found after %d steps", steps);
                engine_close(e);
            }
}

// vLLM #16832: counts of tokens before a preemption, and of drafts that were not accepted.
static void penalties_and_log_probabilities_are_the_same_with_drafts_and_preemptions(void **state)
{
    (void)state;
    Request r = request_of(24);
    r.choices = 3;
    r.sampling = (SamplerOptions){.temperature = .7f,
                                  .seed = 5,
                                  .frequency_penalty = .6f,
                                  .presence_penalty = .4f,
                                  .repetition_penalty = 1.2f,
                                  .log_probabilities = 5};
    static Received want, got, other;
    for (int kind = 0; kind < 4; kind++) {
        EngineOptions options = drafting(kind);
        options.no_prefix_cache = true;
        run(options, r, &want);
        // Three choices in the blocks of two, and another request.
        options.block_size = 4;
        options.blocks = 15;
        Engine *e = open_engine(options);
        memset(&got, 0, sizeof got);
        memset(&other, 0, sizeof other);
        submit(e, r, &got);
        submit(e, r, &other);
        finish(e);
        assert_that(engine_statistics(e).preemptions > 0, "no preemption");
        assert_same("the first", &got, &want);
        assert_same("the second", &other, &want);
        engine_close(e);
        for (int i = 0; i < got.count[0]; i++)
            assert_int_equal(got.sampled[0][i].likeliest_count, 5);
    }
    // n-grams change no bit.
    run((EngineOptions){.drafts = 4}, r, &got);
    run((EngineOptions){0}, r, &want);
    assert_same("n-grams", &got, &want);
}

// A choice's blocks are gone between its first token and its fork, its parent's too.
static void choices_may_be_preempted_as_they_fork(void **state)
{
    (void)state;
    Request r = request_of(10);
    r.choices = 3;
    r.sampling.temperature = 1;
    static Received want, got, more[3];
    for (int kind = 0; kind < 4; kind++)
        for (int blocks = 3; blocks < 9; blocks++)
            for (int worst = 0; worst < 2; worst++) {
                EngineOptions options = drafting(kind);
                run(options, r, &want);
                options.block_size = 4;
                options.blocks = blocks;
                options.sequences = 1 + blocks / 2;
                options.worst_case = worst;
                Engine *e = open_engine(options);
                memset(&got, 0, sizeof got);
                memset(more, 0, sizeof more);
                submit(e, r, &more[0]);
                submit(e, r, &got);
                submit(e, r, &more[1]);
                finish(e);
                assert_same("forked", &got, &want);
                assert_same("forked", &more[0], &want);
                assert_same("forked", &more[1], &want);
                engine_close(e);
            }
}

static void options_at_their_ends_mean_what_they_say(void **state)
{
    (void)state;
    static Received greedy, got;
    run((EngineOptions){0}, request_of(16), &greedy);
    const SamplerOptions same[] = {{.temperature = 1, .min_p = 1},
                                   {.temperature = 1e-9f},
                                   {.temperature = 1e-38f, .top_p = 1e-9f},
                                   {.temperature = 5, .top_k = 1},
                                   {.temperature = 5, .top_p = 1e-9f}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        Request r = request_of(16);
        r.sampling = same[i];
        r.sampling.log_probabilities = -1;
        run((EngineOptions){0}, r, &got);
        assert_same("as greedy", &got, &greedy);
    }
    Request all = request_of(16), more = request_of(16);
    all.sampling = more.sampling =
        (SamplerOptions){.temperature = 1, .seed = 9, .log_probabilities = -1};
    more.sampling.top_k = 1 << 30;
    static Received want;
    run((EngineOptions){0}, all, &want);
    run((EngineOptions){0}, more, &got);
    assert_same("top_k beyond the vocabulary", &got, &want);
    // The OpenAI API's ends of logit_bias: never, and nothing else.
    for (int kind = 0; kind < 4; kind++)
        for (int t = 0; t < 2; t++) {
            const LogitBias never = {greedy.sampled[0][0].token, -100}, only = {30, 100};
            Request r = request_of(16);
            r.sampling.temperature = (float)t;
            r.sampling.bias_count = 1;
            r.sampling.bias = &only;
            run(drafting(kind), r, &got);
            for (int i = 0; i < 16; i++) assert_int_equal(got.sampled[0][i].token, 30);
            r.sampling.bias = &never;
            run(drafting(kind), r, &got);
            for (int i = 0; i < 16; i++) assert_int_not_equal(got.sampled[0][i].token, never.token);
        }
}

// vLLM PR #16529: a bias beyond the vocabulary stopped the engine.
static void what_cannot_be_is_refused_and_nothing_else_happens(void **state)
{
    (void)state;
    const LogitBias far = {40, -100}, below = {-1, 5};
    const char *empty[] = {"a", ""};
    Request r[4];
    for (int i = 0; i < 4; i++) r[i] = request_of(8);
    r[0].sampling.bias = &far, r[0].sampling.bias_count = 1;
    r[1].sampling.bias = &below, r[1].sampling.bias_count = 1;
    r[2].stop_strings = empty, r[2].stop_string_count = 2;
    r[3].choices = 1 << 30;
    static const char *const why[] = {"token 40", "token -1", "stop string 1 is empty",
                                      "1073741824 choices"};
    Engine *e = open_engine((EngineOptions){0});
    for (int i = 0; i < 4; i++) {
        Error err = {""};
        assert_int_equal(engine_submit(e, &r[i], &err), -1);
        if (strstr(err.message, why[i]) == NULL)
            fail_msg("got: %s\nexpected: ... %s ...", err.message, why[i]);
    }
    assert_false(engine_step(e));
    engine_close(e);
}

// vLLM #9423, PR #36138: a grammar that ends, or goes on, within the drafts.
static void a_schema_holds_for_drafts(void **state)
{
    (void)state;
    static const char schema[] = "{\"type\":\"string\",\"minLength\":2,\"maxLength\":9}";
    static Received want[3], got;
    for (int kind = 0; kind < 4; kind++)
        for (int t = 0; t < 3; t++) {
            Error err = {""};
            const int32_t stop = 2;
            TokenIndex *index = token_index_new(tokenizer, &stop, 1);
            Constraint *constraint =
                constraint_new(json_schema_compile(schema, strlen(schema), &err), index);
            Request r = request_of(24);
            r.ignore_stop_tokens = false;
            r.constraint = constraint;
            r.choices = 2;
            r.sampling.temperature = (float)t;
            run(drafting(kind), r, &got);
            for (int k = 0; k < 2; k++) {
                const size_t bytes = strlen(got.text[k]);
                assert_that(got.finish[k] == FINISH_STOP && bytes >= 4 && bytes <= 11 &&
                                got.text[k][0] == '"' && got.text[k][bytes - 1] == '"',
                            "ended by %d: %s", (int)got.finish[k], got.text[k]);
            }
            if (kind == 0) want[t] = got;
            if (kind < 2 || t == 0) assert_same("a schema", &got, &want[t]);
            constraint_close(constraint);
            token_index_free(index);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_inside_the_drafts_ends_the_text),
        cmocka_unit_test(a_prompt_may_leave_room_for_one_token),
        cmocka_unit_test(any_event_may_cancel_any_request),
        cmocka_unit_test(an_event_may_submit_a_request),
        cmocka_unit_test(a_cancelled_prompt_leaves_nothing_wrong_in_the_prefix_cache),
        cmocka_unit_test(penalties_and_log_probabilities_are_the_same_with_drafts_and_preemptions),
        cmocka_unit_test(choices_may_be_preempted_as_they_fork),
        cmocka_unit_test(options_at_their_ends_mean_what_they_say),
        cmocka_unit_test(what_cannot_be_is_refused_and_nothing_else_happens),
        cmocka_unit_test(a_schema_holds_for_drafts),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
