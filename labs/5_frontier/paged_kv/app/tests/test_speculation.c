/* Speculation changes no distribution, and the n-gram's not even a bit. */
#include <stdlib.h>
#include <string.h>
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"
#include "tests/facts.h"

// ---- the acceptance rule ----

enum { V = 6 };

static Distribution distribution_of(TokenWeight list[V], const double weights[V])
{
    Distribution d = {.list = list};
    for (int i = 0; i < V; i++)
        if (weights[i] > 0) list[d.count++] = (TokenWeight){i, (float)weights[i]};
    for (int i = 0; i < d.count; i++) d.sum += (double)list[i].weight;
    return d;
}

// chi-square of the cells that are expected; the others are empty.
static double chi_square(const int *counts, const double *want, int n, int draws, int *cells)
{
    double chi = 0;
    *cells = 0;
    for (int i = 0; i < n; i++) {
        if (want[i] == 0) assert_int_equal(counts[i], 0);
        if (want[i] == 0) continue;
        chi += pow(counts[i] - draws * want[i], 2) / (draws * want[i]);
        ++*cells;
    }
    return chi;
}

// Wilson & Hilferty 1931: above this with a probability of about 1e-5 (a normal number above 4.26).
static double chi_square_limit(int cells)
{
    const double df = cells > 1 ? cells - 1 : 1, spread = 2 / (9 * df);
    return df * pow(1 - spread + 4.26 * sqrt(spread), 3);
}

static void accepted_and_replaced_tokens_have_the_models_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 200000, CASES = 8 };
    static const double cases[CASES][2][V] = {
        {{.1, .2, .3, .2, .1, .1}, {.3, .1, .1, .2, .2, .1}},
        {{.1, .2, .3, .2, .1, .1}, {.1, .2, .3, .2, .1, .1}},    // the same
        {{.5, .5, 0, 0, 0, 0}, {0, 0, .2, .3, .5, 0}},           // nothing in common
        {{0, .5, .5, 0, 0, 0}, {1, 1, 1, 1, 1, 1}},              // a wider draft
        {{1, 1, 1, 1, 1, 1}, {0, 0, 1, 0, 0, 0}},                // a greedy draft
        {{0, 0, 0, 1, 0, 0}, {.2, .2, .2, .2, .1, .1}},          // a greedy model
        {{.9, .02, .02, .02, .02, .02}, {.02, .9, .02, .02, .02, .02}},
        {{3, 1, 4, 1, 5, 9}, {2, 7, 1, 8, 2, 8}}};
    Rng rng = rng_from_seed(161);
    for (int k = 0; k < CASES; k++) {
        TokenWeight lists[2][V];
        const Distribution p = distribution_of(lists[0], cases[k][0]);
        const Distribution q = distribution_of(lists[1], cases[k][1]);
        double want[V], scratch[V] = {0}, overlap = 0;
        int counts[V] = {0}, accepted = 0, cells;
        for (int i = 0; i < V; i++) {
            want[i] = distribution_probability(&p, i);
            overlap += fmin(want[i], distribution_probability(&q, i));
        }
        for (int i = 0; i < DRAWS; i++) {
            const int drafted = distribution_draw(&q, (double)rng_uniform(&rng));
            int token;
            const double u = (double)rng_uniform(&rng), v = (double)rng_uniform(&rng);
            const bool kept = speculation_accept(&p, &q, drafted, u, v, scratch, &token);
            assert_that(!kept || token == drafted, "another token than the drafted one is kept");
            accepted += kept;
            counts[token]++;
        }
        const double chi = chi_square(counts, want, V, DRAWS, &cells);
        assert_that(chi <= chi_square_limit(cells), "case %d: chi-square is %.1f of %d cells", k,
                    chi, cells);
        // Kept with a probability of 1 - (total variation distance).
        assert_close(accepted / (double)DRAWS, overlap,
                     4.5 * sqrt(overlap * (1 - overlap) / DRAWS) + 1e-9);
        for (int i = 0; i < V; i++) assert_close(scratch[i], 0, 0);
    }
}

// ---- whole sequences ----

// A model of 3 tokens: logits by the last token alone.
static const float MODEL[3][3] = {{0, 1, -1}, {2, 0, .5f}, {-.5f, .5f, 0}};
static const float DRAFT[3][3] = {{1, 0, 0}, {0, 0, 0}, {0, 2, -1}};

static void chains_of_a_draft_model_have_the_models_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 100000, LENGTH = 4, CELLS = 81 };
    Sampler *sampler = sampler_new(3), *drafter = sampler_new(3);
    static int counts[CELLS];
    double want[CELLS];
    long accepted = 0, rounds = 0;
    Error err = {""};
    for (int cell = 0; cell < CELLS; cell++) {
        want[cell] = 1;
        for (int i = LENGTH - 1, last = 0; i >= 0; i--) {
            const int token = cell / (int)pow(3, i) % 3;
            double sum = 0;
            for (int j = 0; j < 3; j++) sum += exp((double)MODEL[last][j] / .8);
            want[cell] *= exp((double)MODEL[last][token] / .8) / sum;
            last = token;
        }
    }
    for (int k = 0; k < DRAWS; k++) {
        const SamplerOptions o = {.temperature = .8f, .seed = (uint64_t)k, .log_probabilities = -1};
        int32_t tokens[32] = {0};
        SamplerContext c = {.tokens = tokens, .prompt = 1, .count = 1};
        while (c.count < 1 + LENGTH) {
            enum { DRAFTED = 3 };
            TokenWeight lists[DRAFTED][3];
            Distribution q[DRAFTED + 1] = {{0}};
            SpeculationRow rows[DRAFTED + 1] = {{.logits = MODEL[tokens[c.count - 1]]}};
            for (int i = 0; i < DRAFTED; i++) {
                SamplerContext at = c;
                at.count += i;
                at.logits = DRAFT[tokens[at.count - 1]];
                assert_true(sampler_distribution(drafter, &o, &at, &q[i], &err));
                memcpy(lists[i], q[i].list, (size_t)q[i].count * sizeof **lists);
                q[i].list = lists[i];
                tokens[at.count] = distribution_draw(
                    &q[i], sampler_uniform(&o, 0, at.count - at.prompt, DRAW_DRAFT));
                rows[i + 1].logits = MODEL[tokens[at.count]];
            }
            Speculated out;
            assert_true(speculation_verify(sampler, &o, &c, rows, DRAFTED, q, &out, &err));
            for (int i = 0; i < out.count; i++) tokens[c.count + i] = out.tokens[i].token;
            c.count += out.count;
            accepted += out.count - 1;
            rounds++;
        }
        int cell = 0;
        for (int i = 1; i <= LENGTH; i++) cell = 3 * cell + tokens[i];
        counts[cell]++;
    }
    int cells;
    const double chi = chi_square(counts, want, CELLS, DRAWS, &cells);
    assert_that(chi <= chi_square_limit(cells), "chi-square is %.1f of %d cells", chi, cells);
    assert_that(accepted > rounds / 2 && accepted < 3 * rounds, "%ld accepted in %ld rounds",
                accepted, rounds);
    sampler_close(sampler);
    sampler_close(drafter);
}

// ---- the same bits ----

enum { WIDE = 40, TOKENS = 160, PROMPT = 8 };

// Logits that depend on the last token, so that texts repeat themselves.
static void logits_of(float *logits, const int32_t *tokens, int count)
{
    uint64_t hash = 1469598103934665603u;
    for (int i = count > 1 ? count - 1 : 0; i < count; i++)
        hash = (hash ^ (uint64_t)tokens[i]) * 1099511628211u;
    Rng rng = rng_from_seed(hash);
    for (int i = 0; i < WIDE; i++) logits[i] = 2.5f * rng_normal(&rng);
}

static int speculated(int32_t *tokens, const SamplerOptions *o, NgramOptions ngram, int most,
                      int *steps)
{
    static float logits[DRAFT_MAX + 1][WIDE];
    Sampler *sampler = sampler_new(WIDE);
    SamplerContext c = {.tokens = tokens, .prompt = PROMPT, .count = PROMPT};
    Error err = {""};
    for (*steps = 0; c.count < TOKENS; ++*steps) {
        const int drafted =
            most > 0 ? ngram_draft(tokens, c.count, ngram, tokens + c.count, most) : 0;
        SpeculationRow rows[DRAFT_MAX + 1] = {{0}};
        for (int i = 0; i <= drafted; i++) {
            logits_of(logits[i], tokens, c.count + i);
            rows[i].logits = logits[i];
        }
        Speculated out;
        assert_true(speculation_verify(sampler, o, &c, rows, drafted, NULL, &out, &err));
        for (int i = 0; i < out.count; i++) tokens[c.count++] = out.tokens[i].token;
    }
    sampler_close(sampler);
    return c.count;
}

static void ngram_drafts_change_no_token(void **state)
{
    (void)state;
    static const SamplerOptions cases[] = {
        {.log_probabilities = -1},
        {.temperature = .6f, .top_p = .9f, .seed = 5, .log_probabilities = -1},
        {.temperature = .3f, .seed = 6, .log_probabilities = -1},
        {.temperature = .7f,
         .seed = 7,
         .repetition_penalty = 1.05f,
         .frequency_penalty = .05f,
         .log_probabilities = -1}};
    int saved = 0;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int most = 1; most <= DRAFT_MAX; most += 5) {
            int32_t plain[TOKENS + DRAFT_MAX + 1] = {3, 1, 4, 1, 5, 9, 2, 6},
                                               fast[TOKENS + DRAFT_MAX + 1];
            int steps;
            memcpy(fast, plain, sizeof fast);
            speculated(plain, &cases[k], (NgramOptions){0}, 0, &steps);
            assert_int_equal(steps, TOKENS - PROMPT);
            speculated(fast, &cases[k], (NgramOptions){3, 1}, most, &steps);
            for (int i = 0; i < TOKENS; i++)
                if (fast[i] != plain[i])
                    fail_msg("case %zu, %d drafted: token %d is %d, expected %d", k, most, i,
                             fast[i], plain[i]);
            saved += TOKENS - PROMPT - steps;
        }
    assert_that(saved > 100, "speculation saved %d steps", saved);
}

// A row without a token ends the draft; the tokens before it are as good as without.
static void tokens_before_a_row_of_nan_are_kept(void **state)
{
    (void)state;
    float logits[3][4] = {{0, 9, 1, 0}, {9, 0, 1, 0}, {0, NAN, 1, 0}};
    const int32_t tokens[] = {3, 1, 0, 2};
    const SpeculationRow rows[] = {
        {.logits = logits[0]}, {.logits = logits[1]}, {.logits = logits[2]}};
    const SamplerOptions o = {.log_probabilities = -1};
    Sampler *sampler = sampler_new(4);
    SamplerContext c = {.tokens = tokens, .prompt = 1, .count = 1};
    Speculated out;
    Error err = {""};
    assert_true(speculation_verify(sampler, &o, &c, rows, 2, NULL, &out, &err));
    assert_int_equal(out.count, 2);
    assert_int_equal(out.tokens[1].token, 0);
    c.count = 3;
    assert_false(speculation_verify(sampler, &o, &c, rows + 2, 0, NULL, &out, &err));
    assert_non_null(strstr(err.message, "token 1 is not a number"));
    sampler_close(sampler);
}

static void ngram_drafts_follow_the_latest_of_the_longest(void **state)
{
    (void)state;
    int32_t draft[8];
    const int32_t tokens[] = {1, 2, 3, 9, 1, 2, 3, 7, 8, 2, 3};
    // "2 3" stands before twice; the latest is followed by 7 8 2 3.
    assert_int_equal(ngram_draft(tokens, 11, (NgramOptions){3, 1}, draft, 8), 4);
    assert_memory_equal(draft, ((int32_t[]){7, 8, 2, 3}), 16);
    assert_int_equal(ngram_draft(tokens, 11, (NgramOptions){3, 1}, draft, 2), 2);
    assert_int_equal(ngram_draft(tokens, 11, (NgramOptions){5, 3}, draft, 8), 0);
    // "1 2 3" goes before "3".
    const int32_t more[] = {1, 2, 3, 9, 3, 4, 1, 2, 3};
    assert_int_equal(ngram_draft(more, 9, (NgramOptions){3, 1}, draft, 8), 6);
    assert_int_equal(draft[0], 9);
    // A run repeats itself: the draft may only take what is there.
    const int32_t run[] = {5, 5, 5, 5};
    assert_int_equal(ngram_draft(run, 4, (NgramOptions){2, 1}, draft, 8), 1);
    assert_int_equal(draft[0], 5);
    assert_int_equal(ngram_draft(run, 1, (NgramOptions){3, 1}, draft, 8), 0);
    assert_int_equal(ngram_draft(run, 0, (NgramOptions){3, 1}, draft, 8), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(accepted_and_replaced_tokens_have_the_models_distribution),
        cmocka_unit_test(chains_of_a_draft_model_have_the_models_distribution),
        cmocka_unit_test(ngram_drafts_change_no_token),
        cmocka_unit_test(tokens_before_a_row_of_nan_are_kept),
        cmocka_unit_test(ngram_drafts_follow_the_latest_of_the_longest),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
