/* asked.h -- requests to an engine and what was received of them; for one test program.
 *
 *     Asked asked[REQUESTS];
 *     make_requests(asked, &weights->config, &rng);
 *     run_alone(weights, &asked[0], options, &received);
 *     assert_received("among others", 0, &got, &received);
 */
#pragma once
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/engine.h"
#include "tests/facts.h"

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

static inline void receive(void *context, const EngineEvent *event)
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

static inline void assert_received(const char *what, int request, const Received *got,
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
static inline void make_requests(Asked *list, const ModelConfig *c, Rng *rng)
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

static inline Engine *open_engine(const Weights *w, EngineOptions options)
{
    Error err = {""};
    Engine *e = engine_open(w, NULL, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    return e;
}

static inline int submit(Engine *e, const Asked *asked, Received *received)
{
    Error err = {""};
    Request r = asked->request;
    r.on_event = receive;
    r.context = received;
    const int id = engine_submit(e, &r, &err);
    if (id < 0) fail_msg("%s", err.message);
    return id;
}

static inline void assert_all_idle(const Engine *e)
{
    const EngineStatistics s = engine_statistics(e);
    assert_int_equal(s.held, 0);
    assert_int_equal(s.running + s.waiting, 0);
}

static inline void run_alone(const Weights *w, const Asked *asked, EngineOptions options,
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

static inline Weights *open_weights(const char *name)
{
    Error err = {""};
    Weights *w = weights_open(fixture_path(name), (WeightsOptions){0}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}
