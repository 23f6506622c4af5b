/* Tokens that a draft model proposes: how many are accepted, and that their distribution is the large model's. */
#include <math.h>
#include "labs/5_frontier/paged_kv/app/tests/asked.h"

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

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_models_own_drafts_are_accepted),
        cmocka_unit_test(tokens_with_a_draft_model_have_the_models_distribution),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
