/* Memory that is out: whichever allocation fails, a sentence says so, the other requests become what they become
 * without, and every block comes back. And a step that is warm allocates nothing.
 */
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/engine.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "labs/5_frontier/paged_kv/app/tests/faults.h"
#include "tests/facts.h"

enum { CHOICES_MAX = 3, TOKENS_MAX = 32, REQUESTS = 6 };

typedef struct Received {
    int count[CHOICES_MAX], ends[CHOICES_MAX];
    int32_t tokens[CHOICES_MAX][TOKENS_MAX];
    char text[CHOICES_MAX][200];
    FinishReason finish[CHOICES_MAX];
} Received;

static void receive(void *context, const EngineEvent *event)
{
    Received *h = context;
    const int k = event->choice;
    assert_that(k < CHOICES_MAX && h->ends[k] == 0, "an event of choice %d after its end", k);
    strncat(h->text[k], event->text, event->bytes);
    if (event->sampled != NULL) h->tokens[k][h->count[k]++] = event->sampled->token;
    else {
        h->ends[k]++;
        h->finish[k] = event->finish;
        assert_that((event->finish == FINISH_ERROR) == (event->error != NULL),
                    "an error without a sentence");
        assert_that(event->error == NULL || strstr(event->error, "no memory") != NULL, "%s",
                    event->error);
    }
}

// Of the tokens below 40, which are bytes here: a text in quotes.
static const char SCHEMA[] = "{\"type\":\"object\",\"properties\":{\"\":{\"enum\":[\"!\",\"$\"]}}}",
                  TEXT[] = "{\"type\":\"string\",\"minLength\":1,\"maxLength\":4}";

static void make_request(Request *r, int i, Constraint *constraint)
{
    static const int32_t prompt[2][20] = {{3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                                          {3, 4, 5, 6, 13, 14, 15}};
    static const char *const stops[] = {"\x1f\x1f\x1f", "\x07\x08\x09\x0a"};
    static const LogitBias bias[] = {{3, 1}, {9, -2}};
    *r = (Request){.prompt = prompt[i % 2],
                   .prompt_count = 10 - 3 * (i % 2),
                   .max_tokens = 12,
                   .choices = 1 + i % 3,
                   .ignore_stop_tokens = i != 3,
                   .stop_strings = stops,
                   .stop_string_count = i == 4 ? 0 : i % 3,
                   .on_event = receive,
                   .sampling = {.temperature = i == 4 ? 0 : .9f,
                                .seed = (uint64_t)i,
                                .bias = bias,
                                .bias_count = i % 2 * 2,
                                .repetition_penalty = i == 2 ? 1.1f : 0,
                                .log_probabilities = i == 4 ? 0 : i % 3 - 1}};
    if (i == 3) r->constraint = constraint;
    if (i == 4) r->beams = (BeamOptions){.beams = 3, .length_penalty = 1};
}

// False: an allocation failed. The engine's requests, as far as they were accepted, are done.
static bool serve(const Weights *w, const Weights *draft, const Tokenizer *t,
                  Constraint *constraint, Received *received, bool *accepted)
{
    Error err = {""};
    Engine *e = engine_open(w, t,
                            (EngineOptions){.block_size = 4,
                                            .blocks = 20,
                                            .sequences = 6,
                                            .budget = 12,
                                            .draft = draft,
                                            .drafts = 2},
                            &err);
    if (e == NULL) {
        assert_that(strstr(err.message, "no memory") != NULL, "\"%s\"", err.message);
        return false;
    }
    for (int i = 0; i < REQUESTS; i++) {
        Request r;
        make_request(&r, i, constraint);
        r.context = &received[i];
        err.message[0] = '\0';
        accepted[i] = (i != 3 || constraint != NULL) && engine_submit(e, &r, &err) >= 0;
        assert_that(accepted[i] || i == 3 || strstr(err.message, "no memory") != NULL,
                    "request %d: \"%s\"", i, err.message);
    }
    while (engine_step(e)) continue;
    const EngineStatistics s = engine_statistics(e);
    assert_int_equal(s.held, 0);
    assert_int_equal(s.running + s.waiting, 0);
    engine_close(e);
    return true;
}

static bool all(const Weights *w, const Weights *draft, const Tokenizer *t, Received *received,
                bool *accepted)
{
    Error err = {""};
    TokenIndex *index = token_index_new(t, w->config.stops, w->config.stop_count);
    Grammar *grammar = index != NULL ? json_schema_compile(TEXT, strlen(TEXT), &err) : NULL;
    assert_that(index == NULL || grammar != NULL || err.message[0] != '\0',
                "a schema is refused without a sentence");
    Constraint *constraint = grammar != NULL ? constraint_new(grammar, index) : NULL;
    if (constraint == NULL) grammar_free(grammar);
    const bool good = serve(w, draft, t, constraint, received, accepted);
    constraint_close(constraint);
    token_index_free(index);
    return good;
}

static Weights *open_weights(const char *name)
{
    Error err = {""};
    Weights *w = weights_open(fixture_path(name), (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    static Received want[REQUESTS], got[REQUESTS];
    bool accepted[REQUESTS];
    for (int d = 0; d < 2; d++) {
        Weights *w = open_weights("llama"), *draft = d > 0 ? open_weights("gpt2") : NULL;
        Tokenizer *t = tokenizer_bytes();
        memset(want, 0, sizeof want);
        faults_begin(0);
        assert_true(all(w, draft, t, want, accepted));
        const int count = faults_end();
        int refused = 0, errors = 0;
        for (int at = 1; at <= count; at++) {
            memset(got, 0, sizeof got);
            memset(accepted, 0, sizeof accepted);
            faults_begin(at);
            const bool served = all(w, draft, t, got, accepted);
            faults_end();
            for (int i = 0; i < REQUESTS && served; i++) {
                Request r;
                make_request(&r, i, NULL);
                refused += !accepted[i];
                for (int k = 0; k < r.choices; k++) {
                    assert_that(got[i].ends[k] == accepted[i],
                                "allocation %d: request %d.%d has %d ends", at, i, k,
                                got[i].ends[k]);
                    errors += got[i].finish[k] == FINISH_ERROR;
                    if (!accepted[i] || got[i].finish[k] == FINISH_ERROR) continue;
                    assert_that(got[i].finish[k] == want[i].finish[k] &&
                                    got[i].count[k] == want[i].count[k] &&
                                    memcmp(got[i].tokens[k], want[i].tokens[k],
                                           sizeof want[i].tokens[k]) == 0 &&
                                    strcmp(got[i].text[k], want[i].text[k]) == 0,
                                "allocation %d: request %d.%d becomes another text", at, i, k);
                }
            }
        }
        print_message("%d allocations, %d requests refused, %d choices ended by an error\n", count,
                      refused, errors);
        assert_that(count > 100 && refused > 10 && errors > 10, "too few to show anything");
        tokenizer_close(t);
        weights_close(draft);
        weights_close(w);
    }
}

static void a_schema_may_run_out_of_memory(void **state)
{
    (void)state;
    for (int at = 1, failed = 1; failed; at++) {
        Error err = {""};
        faults_begin(at);
        Grammar *g = json_schema_compile(SCHEMA, strlen(SCHEMA), &err);
        int s = g != NULL ? grammar_begin(g) : -1;
        const char *text = "{\"\": \"!\"}";
        bool lost = g == NULL || s == GRAMMAR_NO_MEMORY;
        for (; *text != '\0' && !lost; text++) {
            const int next = grammar_step(g, s, (uint8_t)*text);
            lost = next == GRAMMAR_NO_MEMORY;
            // It is not remembered as a dead end.
            s = lost ? grammar_step(g, s, (uint8_t)*text) : next;
            assert_that(s >= 0, "allocation %d: the text ends before %s", at, text);
        }
        failed = faults_end() >= at;
        assert_that(g == NULL ? err.message[0] != '\0' : lost || grammar_ends(g, s),
                    "allocation %d", at);
        grammar_free(g);
    }
}

// ---- steps ----

static void a_warm_step_allocates_nothing(void **state)
{
    (void)state;
    Weights *w = open_weights("llama"), *draft = open_weights("gpt2");
    Tokenizer *t = tokenizer_bytes();
    Error err = {""};
    for (int d = 0; d < 3; d++) {    // no drafts, n-grams, a draft model
        static Received received[2 * REQUESTS];
        TokenIndex *index = token_index_new(t, w->config.stops, w->config.stop_count);
        Constraint *constraint =
            constraint_new(json_schema_compile(TEXT, strlen(TEXT), &err), index);
        Engine *e = engine_open(w, t,
                                (EngineOptions){.block_size = 4,
                                                .blocks = 24,
                                                .sequences = 16,
                                                .budget = 40,
                                                .draft = d == 2 ? draft : NULL,
                                                .drafts = 2 * (d > 0)},
                                &err);
        assert_non_null(e);
        memset(received, 0, sizeof received);
        int steps = 0;
        for (int turn = 0; turn < 2;
             turn++) {    // in the second, all states of the schema are known
            for (int i = 0; i < REQUESTS; i++) {
                Request r;
                make_request(&r, i, constraint);
                r.context = &received[turn * REQUESTS + i];
                assert_true(engine_submit(e, &r, &err) >= 0);
            }
            // Until all have begun: each choice allocates its tokens and its text.
            int begun = 0;
            while (begun < 2 * REQUESTS && engine_step(e)) {
                begun = 0;
                for (int i = 0; i < REQUESTS; i++)
                    for (int k = 0; k < CHOICES_MAX; k++)
                        begun += received[turn * REQUESTS + i].count[k] > 0;
                begun += 2;    // the beams' texts come at the end
            }
            faults_begin(0);
            while (engine_step(e)) steps += turn;
            const int count = faults_end();
            assert_that(turn == 0 || count == 0, "%d allocations in %d warm steps", count, steps);
        }
        assert_that(engine_statistics(e).preemptions > 0, "no preemption among the steps");
        print_message("%d steps\n", steps);
        engine_close(e);
        constraint_close(constraint);
        token_index_free(index);
    }
    tokenizer_close(t);
    weights_close(draft);
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(a_schema_may_run_out_of_memory),
        cmocka_unit_test(a_warm_step_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
