/* The sampler: against transformers' logits processors, against its definitions computed plainly, and by the
 * frequencies of its draws. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "common/rng.h"
#include "kernels/philox.h"
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"
#include "tests/facts.h"

static int distribution_of(double *out, int n, const SamplerOptions *o, const SamplerContext *c)
{
    Sampler *sampler = sampler_new(n);
    Distribution d;
    Error err = {""};
    if (!sampler_distribution(sampler, o, c, &d, &err)) fail_msg("%s", err.message);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int i = 0; i < d.count; i++) {
        assert_that(out[d.list[i].token] == 0, "token %d is there twice", d.list[i].token);
        out[d.list[i].token] = (double)d.list[i].weight / d.sum;
    }
    sampler_close(sampler);
    return d.count;
}

// ---- against transformers ----

static double option(const cJSON *options, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(options, name);
    return item != NULL ? item->valuedouble : 0;
}

static void probabilities_are_those_of_transformers(void **state)
{
    (void)state;
    FILE *stream = fopen(FIXTURES "/sampler.json", "rb");
    assert_non_null(stream);
    static char text[1 << 16];
    const size_t bytes = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    Error err = {""};
    cJSON *tree = json_parse(text, bytes, "sampler.json", &err), *one;
    if (tree == NULL) fail_msg("%s", err.message);
    int cases = 0;
    cJSON_ArrayForEach(one, tree)
    {
        enum { MOST = 64 };
        float logits[MOST];
        int32_t tokens[MOST];
        double got[MOST] = {0};
        const cJSON *item, *options = cJSON_GetObjectItem(one, "options");
        int n = 0, count = 0;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(one, "logits")) logits[n++] =
            (float)item->valuedouble;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(one, "tokens")) tokens[count++] =
            item->valueint;
        const SamplerOptions o = {.temperature = (float)option(options, "temperature"),
                                  .top_k = (int)option(options, "top_k"),
                                  .top_p = (float)option(options, "top_p"),
                                  .min_p = (float)option(options, "min_p"),
                                  .repetition_penalty =
                                      (float)option(options, "repetition_penalty")};
        // Where the prompt ends makes no difference to these options.
        distribution_of(
            got, n, &o,
            &(SamplerContext){
                .logits = logits, .tokens = tokens, .prompt = count / 2, .count = count});
        int i = 0;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(one, "probabilities"))
        {
            if (!(fabs(got[i] - item->valuedouble) <= 2e-7))
                fail_msg("case %d, token %d: %.9f, expected %.9f", cases, i, got[i],
                         item->valuedouble);
            i++;
        }
        assert_int_equal(i, n);
        cases++;
    }
    assert_int_equal(cases, 11);
    cJSON_Delete(tree);
}

// ---- against the definitions ----

// The probabilities by the definitions of sampler.h, one at a time, in double, with sorted copies.
typedef struct Plain {
    int n;
    double x[512], p[512];
    int order[512];    // the likeliest first
} Plain;

static Plain *plain_now;    // for qsort

static int by_logit(const void *a, const void *b)
{
    const int i = *(const int *)a, j = *(const int *)b;
    const double x = plain_now->x[i], y = plain_now->x[j];
    return x > y ? -1 : x < y ? 1 : i - j;
}

static void plain(Plain *t, int n, const SamplerOptions *o, const SamplerContext *c)
{
    t->n = n;
    for (int i = 0; i < n; i++) {
        double x = (double)c->logits[i];
        if (c->allowed != NULL && !token_mask_has(c->allowed, i)) x = -INFINITY;
        for (int k = 0; k < o->bias_count; k++)
            if (o->bias[k].token == i) x += (double)o->bias[k].bias;
        int prompt = 0, output = 0;
        for (int k = 0; k < c->count; k++)
            if (c->tokens[k] == i) *(k < c->prompt ? &prompt : &output) += 1;
        if (prompt + output > 0 && o->repetition_penalty > 0)
            x = x > 0 ? x / (double)o->repetition_penalty : x * (double)o->repetition_penalty;
        x -= output * (double)o->frequency_penalty;
        if (output > 0) x -= (double)o->presence_penalty;
        t->x[i] = x / (double)o->temperature;
        t->order[i] = i;
    }
    plain_now = t;
    qsort(t->order, (size_t)n, sizeof *t->order, by_logit);
    double sum = 0, so_far = 0;
    for (int r = 0; r < n; r++) {
        const int i = t->order[r];
        t->p[i] = exp(t->x[i] - t->x[t->order[0]]);    // over the largest
        if (t->p[i] < (double)o->min_p || (o->top_k > 0 && r >= o->top_k)) t->p[i] = 0;
        sum += t->p[i];
    }
    const double share = o->top_p > 0 ? (double)o->top_p : 1;
    for (int r = 0; r < n; r++) {
        const int i = t->order[r];
        if (share < 1 && so_far >= share * sum) t->p[i] = 0;
        so_far += t->p[i];
    }
    for (int i = 0; i < n; i++) t->p[i] /= so_far;
}

static float within(Rng *rng, float low, float high)
{
    return low + (high - low) * rng_uniform(rng);
}

static void random_requests_have_the_probabilities_of_the_definitions(void **state)
{
    (void)state;
    enum { CASES = 3000, TOKENS = 24, BIASES = 6 };
    static Plain want;
    Rng rng = rng_from_seed(1606);
    int kept = 0, whole = 0;
    for (int k = 0; k < CASES; k++) {
        const int n = 1 + (int)rng_below(&rng, 500);
        float logits[512];
        double got[512];
        int32_t tokens[TOKENS];
        LogitBias biases[BIASES];
        const float spread = within(&rng, .5f, 6);
        for (int i = 0; i < n; i++) logits[i] = spread * rng_normal(&rng);
        for (int i = 0; i < TOKENS; i++) tokens[i] = (int32_t)rng_below(&rng, (uint32_t)n);
        const int bias_count = (int)rng_below(&rng, BIASES + 1);
        int used = 0;
        for (int i = 0; i < bias_count && i < n; i++)    // each token once
            biases[used++] = (LogitBias){i * n / (bias_count + 1) + (i > 0), 4 * rng_normal(&rng)};
        for (int i = 1; i < used; i++)
            if (biases[i].token <= biases[i - 1].token || biases[i].token >= n) used = i;
        TokenMask mask = token_mask_new(n);
        for (int i = 0; i < n; i++)
            if (i == n / 2 || rng_below(&rng, 4) > 0) token_mask_add(&mask, i);
        const bool masked = rng_below(&rng, 3) == 0;
        SamplerOptions o = {
            .temperature = within(&rng, .2f, 2.5f), .bias = biases, .bias_count = used};
        if (rng_below(&rng, 2)) o.top_k = 1 + (int)rng_below(&rng, 120);
        if (rng_below(&rng, 2)) o.top_p = within(&rng, .05f, 1);
        if (rng_below(&rng, 2)) o.min_p = within(&rng, 0, .3f);
        if (rng_below(&rng, 2)) o.repetition_penalty = within(&rng, .7f, 1.6f);
        if (rng_below(&rng, 2)) o.presence_penalty = within(&rng, -2, 2);
        if (rng_below(&rng, 2)) o.frequency_penalty = within(&rng, -2, 2);
        const int count = (int)rng_below(&rng, TOKENS + 1);
        const SamplerContext c = {.logits = logits,
                                  .tokens = tokens,
                                  .prompt = (int)rng_below(&rng, (uint32_t)count + 1),
                                  .count = count,
                                  .allowed = masked ? &mask : NULL};
        plain(&want, n, &o, &c);
        kept += distribution_of(got, n, &o, &c);
        whole += n;
        // At the very boundary of min_p or top_p float may decide otherwise: by one token of small weight.
        double difference = 0;
        int others = 0;
        for (int i = 0; i < n; i++) {
            if ((got[i] > 0) != (want.p[i] > 0)) others += got[i] + want.p[i] > 1e-25;
            else difference = fmax(difference, fabs(got[i] - want.p[i]));
        }
        if (others > 1 || (others == 0 && !(difference <= 2e-6)))
            fail_msg("case %d of %d: %d tokens other than expected, difference %g", k, CASES,
                     others, difference);
        token_mask_free(&mask);
    }
    assert_that(kept < whole / 2, "%d of %d tokens are kept", kept, whole);
}

static void a_large_vocabulary_is_cut_as_a_sorted_one(void **state)
{
    (void)state;
    enum { N = 49152, TOP = 1000 };
    float *logits = malloc(N * sizeof *logits);
    double *got = malloc(N * sizeof *got);
    assert_true(logits != NULL && got != NULL);
    Rng rng = rng_from_seed(3);
    for (int i = 0; i < N; i++) logits[i] = (float)rng_below(&rng, 3000) / 300;    // many are equal
    const SamplerOptions o = {.temperature = 1, .top_k = TOP};
    const int kept = distribution_of(got, N, &o, &(SamplerContext){.logits = logits});
    assert_int_equal(kept, TOP);
    // Whoever is left out comes after each that is kept.
    int last = -1;
    for (int i = 0; i < N; i++)
        if (got[i] > 0 && (last < 0 || logits[i] <= logits[last])) last = i;
    for (int i = 0; i < N; i++)
        if (got[i] == 0)
            assert_that(logits[i] < logits[last] || (logits[i] == logits[last] && i > last),
                        "token %d of %g is left out, and %d of %g is kept", i, (double)logits[i],
                        last, (double)logits[last]);
    // A nucleus that is longer than the first heads that are sorted.
    const SamplerOptions p = {.temperature = 5, .top_p = .9f};
    const int nucleus = distribution_of(got, N, &p, &(SamplerContext){.logits = logits});
    double all = 0, head = 0;
    float least = INFINITY;
    for (int i = 0; i < N; i++) all += exp((double)logits[i] / 5);
    for (int i = 0; i < N; i++)
        if (got[i] > 0) {
            head += exp((double)logits[i] / 5);
            least = fminf(least, logits[i]);
        }
    assert_that(nucleus > 8 * 64 * 8, "the nucleus has %d tokens", nucleus);
    assert_that(head >= (double)p.top_p * all * (1 - 1e-6) &&
                    head - exp((double)least / 5) < (double)p.top_p * all * (1 + 1e-6),
                "the nucleus has %.9f of the probability", head / all);
    free(logits);
    free(got);
}

// ---- draws ----

// Of 4 degrees of freedom: above 23.5 with a probability of 1e-4.
static void assert_chi_square(const int *counts, const double *want, int n, int draws, double most)
{
    double chi = 0;
    for (int i = 0; i < n; i++) {
        if (want[i] == 0) assert_int_equal(counts[i], 0);
        else chi += pow(counts[i] - draws * want[i], 2) / (draws * want[i]);
    }
    if (!(chi <= most)) fail_msg("chi-square is %.1f, expected at most %.1f", chi, most);
}

static const double PROBABILITIES[5] = {.1, .4, .05, .3, .15};

static void draws_follow_the_probabilities(void **state)
{
    (void)state;
    enum { DRAWS = 100000 };
    float logits[5];
    int counts[5] = {0};
    int32_t *tokens = calloc(DRAWS, sizeof *tokens);
    assert_non_null(tokens);
    for (int i = 0; i < 5; i++) logits[i] = 3 + (float)log(PROBABILITIES[i]);
    Sampler *sampler = sampler_new(5);
    Error err = {""};
    const SamplerOptions o = {.temperature = 1, .seed = 7, .log_probabilities = -1};
    // Positions of one request, then requests of one position.
    for (int i = 0; i < DRAWS; i++) {
        Sampled next;
        const SamplerContext c = {
            .logits = logits, .tokens = tokens, .prompt = 3, .count = 3 + i % (DRAWS - 3)};
        assert_true(sampler_step(sampler, &o, &c, &next, &err));
        counts[next.token]++;
    }
    assert_chi_square(counts, PROBABILITIES, 5, DRAWS, 23.5);
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < DRAWS; i++) {
        Sampled next;
        SamplerOptions one = o;
        one.seed = (uint64_t)i;
        assert_true(sampler_step(sampler, &one, &(SamplerContext){.logits = logits}, &next, &err));
        counts[next.token]++;
    }
    assert_chi_square(counts, PROBABILITIES, 5, DRAWS, 23.5);
    // Samples of one request are independent: pairs of neighbours follow the products.
    int pairs[25] = {0};
    double products[25];
    for (int i = 0; i < 25; i++) products[i] = PROBABILITIES[i / 5] * PROBABILITIES[i % 5];
    for (int i = 0; i < DRAWS; i++) {
        Sampled next[2];
        for (int k = 0; k < 2; k++)
            assert_true(sampler_step(
                sampler, &o,
                &(SamplerContext){
                    .logits = logits, .tokens = tokens, .count = i % 1000, .sample = i / 1000 + k},
                &next[k], &err));
        pairs[next[0].token * 5 + next[1].token]++;
    }
    // Each sample is in two pairs, which doubles the variance: 24 degrees of freedom, 58.6 at 1e-4.
    assert_chi_square(pairs, products, 25, DRAWS, 2 * 58.6);
    sampler_close(sampler);
    free(tokens);
}

static void uniform_numbers_are_philox_words_of_seed_sample_and_position(void **state)
{
    (void)state;
    const SamplerOptions o = {.seed = 0x123456789abcdef};
    const PhiloxBlock block = philox((Draw){0x123456789abcdef, 5 << 8 | DRAW_ACCEPT}, 77);
    const double want =
        ((double)block.word[0] * 0x1p-32) + floor((double)block.word[1] / 2048) * 0x1p-53;
    assert_close(sampler_uniform(&o, 5, 77, DRAW_ACCEPT), want, 0);
    assert_that(sampler_uniform(&o, 5, 77, DRAW_TOKEN) != want, "the purpose makes no difference");
}

static void a_token_depends_on_nothing_but_its_context(void **state)
{
    (void)state;
    enum { N = 300, ROWS = 40 };
    static float logits[ROWS][N];
    int32_t tokens[ROWS];
    int first[ROWS];
    Rng rng = rng_from_seed(12);
    for (int r = 0; r < ROWS; r++) {
        tokens[r] = (int32_t)rng_below(&rng, N);
        for (int i = 0; i < N; i++) logits[r][i] = 2 * rng_normal(&rng);
    }
    SamplerOptions o = {.temperature = 1.2f,
                        .top_p = .9f,
                        .repetition_penalty = 1.2f,
                        .frequency_penalty = .5f,
                        .log_probabilities = 3};
    Error err = {""};
    for (int turn = 0; turn < 2; turn++) {
        Sampler *sampler = sampler_new(N);
        for (int i = 0; i < ROWS; i++) {
            const int r = turn == 0 ? i : ROWS - 1 - i;
            Sampled next;
            o.seed = (uint64_t)r;
            const SamplerContext c = {
                .logits = logits[r], .tokens = tokens, .prompt = r / 2, .count = r};
            assert_true(sampler_step(sampler, &o, &c, &next, &err));
            if (turn == 0) first[r] = next.token;
            else assert_integer("token", next.token, first[r]);
        }
        sampler_close(sampler);
    }
}

// ---- greedy, and what cannot be sampled ----

static int greedy(const float *logits, int n, SamplerOptions o, const TokenMask *allowed)
{
    Sampler *sampler = sampler_new(n);
    Sampled next;
    Error err = {""};
    const SamplerContext c = {.logits = logits,
                              .tokens = (int32_t[]){1, 1, 4},
                              .prompt = 1,
                              .count = 3,
                              .allowed = allowed};
    o.log_probabilities = -1;
    if (!sampler_step(sampler, &o, &c, &next, &err)) fail_msg("%s", err.message);
    sampler_close(sampler);
    return next.token;
}

static void temperature_zero_takes_the_first_of_the_largest(void **state)
{
    (void)state;
    const float logits[] = {1, 5, -3, 5, 4.9f};
    assert_int_equal(greedy(logits, 5, (SamplerOptions){0}, NULL), 1);
    assert_int_equal(greedy(logits, 5, (SamplerOptions){.temperature = 1e-30f}, NULL), 1);
    // What changes logits changes the choice; what cuts off does not.
    assert_int_equal(greedy(logits, 5, (SamplerOptions){.presence_penalty = .05f}, NULL), 3);
    assert_int_equal(greedy(logits, 5, (SamplerOptions){.repetition_penalty = 1.01f}, NULL), 3);
    const LogitBias bias[] = {{2, 8.5f}, {3, -INFINITY}};
    assert_int_equal(greedy(logits, 5, (SamplerOptions){.bias = bias, .bias_count = 2}, NULL), 2);
    assert_int_equal(greedy(logits, 5, (SamplerOptions){.top_k = 1, .top_p = .1f}, NULL), 1);
    TokenMask mask = token_mask_new(5);
    token_mask_add(&mask, 0);
    token_mask_add(&mask, 4);
    assert_int_equal(greedy(logits, 5, (SamplerOptions){0}, &mask), 4);
    token_mask_free(&mask);
}

static void assert_no_token(const float *logits, int n, const TokenMask *allowed, const char *why)
{
    Sampler *sampler = sampler_new(n);
    for (int t = 0; t < 2; t++) {
        Sampled next;
        Error err = {""};
        const SamplerOptions o = {.temperature = (float)t, .log_probabilities = 0};
        const SamplerContext c = {.logits = logits, .allowed = allowed};
        assert_false(sampler_step(sampler, &o, &c, &next, &err));
        if (strstr(err.message, why) == NULL) fail_msg("got \"%s\"", err.message);
    }
    sampler_close(sampler);
}

static void nan_logits_and_an_empty_choice_are_refused(void **state)
{
    (void)state;
    assert_no_token((float[]){1, NAN, 2}, 3, NULL, "token 1 is not a number");
    assert_no_token((float[]){NAN, 1}, 2, NULL, "token 0 is not a number");
    assert_no_token((float[]){-INFINITY, -INFINITY}, 2, NULL, "no token is left");
    TokenMask none = token_mask_new(3);
    assert_no_token((float[]){1, 2, 3}, 3, &none, "no token is left");
    token_mask_free(&none);
}

static void minus_infinity_is_never_drawn(void **state)
{
    (void)state;
    const float logits[] = {-INFINITY, -40, -INFINITY};
    for (uint64_t seed = 0; seed < 2000; seed++)
        assert_int_equal(
            greedy(logits, 3, (SamplerOptions){.temperature = 100, .seed = seed}, NULL), 1);
    const float infinite[] = {3, INFINITY};
    assert_int_equal(greedy(infinite, 2, (SamplerOptions){.temperature = 1}, NULL), 1);
}

// ---- log-probabilities ----

static void log_probabilities_are_the_models_own(void **state)
{
    (void)state;
    const float logits[] = {1, 5, -3, 5, 2};
    double sum = 0;
    for (int i = 0; i < 5; i++) sum += exp((double)logits[i]);
    Sampler *sampler = sampler_new(5);
    const LogitBias bias = {1, -100};
    const SamplerOptions o = {.temperature = .5f,
                              .top_k = 1,
                              .repetition_penalty = 2,
                              .bias = &bias,
                              .bias_count = 1,
                              .log_probabilities = 3};
    Sampled next;
    Error err = {""};
    assert_true(sampler_step(
        sampler, &o,
        &(SamplerContext){.logits = logits, .tokens = (int32_t[]){4}, .prompt = 1, .count = 1},
        &next, &err));
    assert_int_equal(next.token, 3);
    assert_close((double)next.log_probability, 5 - log(sum), 1e-6);
    assert_int_equal(next.likeliest_count, 3);
    const int want[] = {1, 3, 4};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(next.likeliest[i].token, want[i]);
        assert_close((double)next.likeliest[i].log_probability, (double)logits[want[i]] - log(sum),
                     1e-6);
    }
    TokenLogProbability all[5];
    assert_true(sampler_likeliest(sampler, logits, 5, all, &err));
    const int order[] = {1, 3, 4, 0, 2};
    for (int i = 0; i < 5; i++) assert_int_equal(all[i].token, order[i]);
    assert_false(sampler_likeliest(sampler, (float[]){1, NAN, 1, 1, 1}, 2, all, &err));
    sampler_close(sampler);
}

// ---- options ----

static void options_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    const LogitBias far = {9, 1}, nan = {1, NAN}, endless = {1, INFINITY};
    const struct {
        SamplerOptions options;
        const char *why;
    } cases[] = {{{.temperature = -1}, "temperature is -1"},
                 {{.temperature = NAN}, "temperature is nan"},
                 {{.temperature = INFINITY}, "temperature is inf"},
                 {{.top_k = -2}, "top_k is -2"},
                 {{.top_p = 1.5f}, "top_p is 1.5"},
                 {{.top_p = NAN}, "top_p is nan"},
                 {{.min_p = -.5f}, "min_p is -0.5"},
                 {{.repetition_penalty = -1}, "repetition_penalty is -1"},
                 {{.repetition_penalty = INFINITY}, "repetition_penalty is inf"},
                 {{.presence_penalty = 2.5f}, "presence_penalty is 2.5"},
                 {{.frequency_penalty = NAN}, "frequency_penalty is nan"},
                 {{.log_probabilities = 21}, "21 log-probabilities"},
                 {{.bias = &far, .bias_count = 1}, "token 9, expected 0 to 8"},
                 {{.bias = &nan, .bias_count = 1}, "token 1 is nan"},
                 {{.bias = &endless, .bias_count = 1}, "token 1 is inf"},
                 {{.bias_count = 1025}, "logit_bias has 1025 tokens"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        assert_false(sampler_check(&cases[i].options, 9, &err));
        if (strstr(err.message, cases[i].why) == NULL)
            fail_msg("got \"%s\", expected \"%s\"", err.message, cases[i].why);
    }
    const LogitBias last = {8, -INFINITY};
    assert_true(sampler_check(&(SamplerOptions){.temperature = .8f,
                                                .top_k = 40,
                                                .top_p = 1,
                                                .min_p = 1,
                                                .repetition_penalty = 1.1f,
                                                .presence_penalty = -2,
                                                .frequency_penalty = 2,
                                                .bias = &last,
                                                .bias_count = 1,
                                                .log_probabilities = 20},
                              9, NULL));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(probabilities_are_those_of_transformers),
        cmocka_unit_test(random_requests_have_the_probabilities_of_the_definitions),
        cmocka_unit_test(a_large_vocabulary_is_cut_as_a_sorted_one),
        cmocka_unit_test(draws_follow_the_probabilities),
        cmocka_unit_test(uniform_numbers_are_philox_words_of_seed_sample_and_position),
        cmocka_unit_test(a_token_depends_on_nothing_but_its_context),
        cmocka_unit_test(temperature_zero_takes_the_first_of_the_largest),
        cmocka_unit_test(nan_logits_and_an_empty_choice_are_refused),
        cmocka_unit_test(minus_infinity_is_never_drawn),
        cmocka_unit_test(log_probabilities_are_the_models_own),
        cmocka_unit_test(options_out_of_range_are_refused_by_name),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
