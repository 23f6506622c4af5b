#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels/cpu/functions.h"
#include "kernels/philox.h"

struct Sampler {
    int vocabulary;
    float *logits;        // [V] adjusted
    float *weights;       // [V]
    int32_t *counts;      // [V], 0 between calls
    TokenWeight *list;    // [V]
    double *scratch;      // [V], 0 between calls
};

Sampler *sampler_new(int vocabulary)
{
    REQUIRE(vocabulary > 0, "a vocabulary of %d tokens", vocabulary);
    const size_t n = (size_t)vocabulary;
    Sampler *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    *s = (Sampler){.vocabulary = vocabulary,
                   .logits = malloc(n * sizeof *s->logits),
                   .weights = malloc(n * sizeof *s->weights),
                   .counts = calloc(n, sizeof *s->counts),
                   .list = malloc(n * sizeof *s->list),
                   .scratch = calloc(n, sizeof *s->scratch)};
    if (s->logits != NULL && s->weights != NULL && s->counts != NULL && s->list != NULL &&
        s->scratch != NULL)
        return s;
    sampler_close(s);
    return NULL;
}

void sampler_close(Sampler *s)
{
    if (s == NULL) return;
    free(s->logits);
    free(s->weights);
    free(s->counts);
    free(s->list);
    free(s->scratch);
    free(s);
}

int sampler_vocabulary(const Sampler *s)
{
    return s->vocabulary;
}

double *sampler_scratch(Sampler *s)
{
    return s->scratch;
}

// ---- options ----

static bool penalty_fits(const char *name, float penalty, Error *err)
{
    return (penalty >= -2 && penalty <= 2) ||
           error_set(err, "%s is %g, expected -2 to 2", name, (double)penalty);
}

bool sampler_check(const SamplerOptions *o, int vocabulary, Error *err)
{
    if (!(o->temperature >= 0) || isinf(o->temperature))
        return error_set(err, "temperature is %g, expected a number from 0",
                         (double)o->temperature);
    if (o->top_k < 0) return error_set(err, "top_k is %d, expected 0 (all) or more", o->top_k);
    if (!(o->top_p >= 0 && o->top_p <= 1))
        return error_set(err, "top_p is %g, expected 0 (all) to 1", (double)o->top_p);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return error_set(err, "min_p is %g, expected 0 (all) to 1", (double)o->min_p);
    if (!(o->repetition_penalty >= 0) || isinf(o->repetition_penalty))
        return error_set(err, "repetition_penalty is %g, expected a number above 0 (1: none)",
                         (double)o->repetition_penalty);
    if (!penalty_fits("presence_penalty", o->presence_penalty, err) ||
        !penalty_fits("frequency_penalty", o->frequency_penalty, err))
        return false;
    if (o->log_probabilities < -1 || o->log_probabilities > LIKELIEST_MAX)
        return error_set(err, "%d log-probabilities are asked for, expected at most %d",
                         o->log_probabilities, LIKELIEST_MAX);
    if (o->bias_count < 0 || o->bias_count > BIASES_MAX)
        return error_set(err, "logit_bias has %d tokens, expected at most %d", o->bias_count,
                         BIASES_MAX);
    for (int i = 0; i < o->bias_count; i++) {
        const LogitBias *b = &o->bias[i];
        if (b->token < 0 || b->token >= vocabulary)
            return error_set(err, "logit_bias has token %d, expected 0 to %d", b->token,
                             vocabulary - 1);
        if (!(b->bias < INFINITY))
            return error_set(err, "the logit_bias of token %d is %g, expected a finite number",
                             b->token, (double)b->bias);
    }
    return true;
}

// ---- logits ----

static void apply_mask(float *x, int n, const TokenMask *allowed)
{
    for (int i = 0; i < n; i++)
        if (!token_mask_has(allowed, i)) x[i] = -INFINITY;
}

// Each token once: those of the output by their counts, then those of the prompt alone. Leaves counts at 0.
static void apply_penalties(Sampler *s, const SamplerOptions *o, const SamplerContext *c)
{
    const float repetition = o->repetition_penalty > 0 ? o->repetition_penalty : 1;
    for (int i = 0; i < c->count; i++) {
        const int token = c->tokens[i];
        REQUIRE(token >= 0 && token < s->vocabulary, "token %d, expected 0 to %d", token,
                s->vocabulary - 1);
        s->counts[token] += i < c->prompt ? 0 : 1;
    }
    // A count below 0 marks a token that has been dealt with.
    for (int i = 0; i < c->count; i++) {
        const int token = c->tokens[i], count = s->counts[token];
        if (count < 0) continue;
        float *x = &s->logits[token];
        if (repetition != 1) *x = *x > 0 ? *x / repetition : *x * repetition;
        if (count > 0) *x -= o->frequency_penalty * (float)count + o->presence_penalty;
        s->counts[token] = -1;
    }
    for (int i = 0; i < c->count; i++) s->counts[c->tokens[i]] = 0;
}

const float *sampler_logits(Sampler *s, const SamplerOptions *o, const SamplerContext *c)
{
    const bool penalties = (o->repetition_penalty > 0 && o->repetition_penalty != 1) ||
                           o->presence_penalty != 0 || o->frequency_penalty != 0;
    if (!penalties && o->bias_count == 0 && c->allowed == NULL) return c->logits;
    memcpy(s->logits, c->logits, (size_t)s->vocabulary * sizeof *s->logits);
    if (c->allowed != NULL) apply_mask(s->logits, s->vocabulary, c->allowed);
    for (int i = 0; i < o->bias_count; i++) s->logits[o->bias[i].token] += o->bias[i].bias;
    if (penalties) apply_penalties(s, o, c);
    return s->logits;
}

// The first of the largest; -1 where a logit is NaN or all are -infinity.
static int largest(const float *x, int n)
{
    int best = 0, bad = 0;
    for (int i = 0; i < n; i++) {
        bad |= isnan(x[i]);
        best = x[i] > x[best] ? i : best;
    }
    return bad || x[best] == -INFINITY ? -1 : best;
}

static int largest_of(const float *x, int n, Error *err)
{
    const int best = largest(x, n);
    if (best >= 0) return best;
    for (int i = 0; i < n; i++)
        if (isnan(x[i])) {
            error_set(err, "the logit of token %d is not a number", i);
            return -1;
        }
    error_set(err, "no token is left to sample from");
    return -1;
}

// ---- the distribution ----

// Logits become exp((x - largest) / temperature), 1 for the largest.
static void weigh(float *x, int n, float most, float temperature)
{
#pragma omp simd
    for (int i = 0; i < n; i++) x[i] = fast_exp((x[i] - most) / temperature);
}

// Those that min_p keeps, and whose weight is above 0. What is far below is passed over without its exponential.
static int list_likely(Sampler *s, const float *x, float most, const SamplerOptions *o)
{
    const float depth = o->min_p > 0 ? 0.01f - logf(o->min_p) : 105,
                least = nextafterf(most - depth * o->temperature, -INFINITY);
    int near = 0, kept = 0;
    for (int i = 0; i < s->vocabulary; i++) {
        s->list[near].token = i;
        s->weights[near] = x[i];
        near += x[i] >= least;
    }
    weigh(s->weights, near, most, o->temperature);
    for (int i = 0; i < near; i++) {
        s->list[kept] = (TokenWeight){s->list[i].token, s->weights[i]};
        kept += s->weights[i] > 0 && s->weights[i] >= o->min_p;
    }
    return kept;
}

// The same of the k largest, sorted.
static int list_top(Sampler *s, const float *x, float most, const SamplerOptions *o)
{
    int kept = 0;
    distribution_largest(s->list, x, s->vocabulary, o->top_k);
    for (; kept < o->top_k; kept++) {
        const float weight = fast_exp((s->list[kept].weight - most) / o->temperature);
        if (!(weight > 0 && weight >= o->min_p)) break;
        s->list[kept].weight = weight;
    }
    return kept;
}

bool sampler_distribution(Sampler *s, const SamplerOptions *o, const SamplerContext *c,
                          Distribution *out, Error *err)
{
    const int n = s->vocabulary;
    const float *x = sampler_logits(s, o, c);
    const int best = largest_of(x, n, err);
    if (best < 0) return false;
    *out = (Distribution){.list = s->list, .count = 1, .sum = 1};
    s->list[0] = (TokenWeight){best, 1};
    if (o->temperature == 0 || isinf(x[best])) return true;
    const bool top = o->top_k > 0 && o->top_k < n;
    int kept = top ? list_top(s, x, x[best], o) : list_likely(s, x, x[best], o);
    if (o->top_p > 0 && o->top_p < 1) kept = distribution_nucleus(s->list, kept, (double)o->top_p);
    out->count = kept;
    out->sum = distribution_sum(s->list, kept);
    return true;
}

double sampler_uniform(const SamplerOptions *o, int sample, int position, DrawPurpose purpose)
{
    const Draw draw = {o->seed, (uint64_t)sample << 8 | purpose};
    const PhiloxBlock block = philox(draw, (uint64_t)position);
    return (double)(((uint64_t)block.word[0] << 32 | block.word[1]) >> 11) * 0x1p-53;
}

// ---- log-probabilities ----

static double log_sum_exp(Sampler *s, const float *logits, float most)
{
    memcpy(s->weights, logits, (size_t)s->vocabulary * sizeof *logits);
    weigh(s->weights, s->vocabulary, most, 1);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < s->vocabulary; i++) sum += (double)s->weights[i];
    return (double)most + log(sum);
}

static void likeliest(Sampler *s, const float *logits, double total, int k,
                      TokenLogProbability *out)
{
    distribution_largest(s->list, logits, s->vocabulary, k);
    for (int i = 0; i < k; i++)
        out[i] =
            (TokenLogProbability){s->list[i].token, (float)((double)s->list[i].weight - total)};
}

bool sampler_likeliest(Sampler *s, const float *logits, int k, TokenLogProbability *out, Error *err)
{
    REQUIRE(k >= 0 && k <= s->vocabulary, "%d of %d tokens", k, s->vocabulary);
    const int best = largest_of(logits, s->vocabulary, err);
    if (best < 0) return false;
    likeliest(s, logits, log_sum_exp(s, logits, logits[best]), k, out);
    return true;
}

bool sampler_report(Sampler *s, const SamplerOptions *o, const SamplerContext *c, int token,
                    Sampled *out, Error *err)
{
    *out = (Sampled){.token = token};
    if (o->log_probabilities < 0) return true;
    const int best = largest_of(c->logits, s->vocabulary, err);
    if (best < 0) return false;
    const double total = log_sum_exp(s, c->logits, c->logits[best]);
    const int most = s->vocabulary;
    out->log_probability = (float)((double)c->logits[token] - total);
    out->likeliest_count = o->log_probabilities < most ? o->log_probabilities : most;
    likeliest(s, c->logits, total, out->likeliest_count, out->likeliest);
    return true;
}

bool sampler_step(Sampler *s, const SamplerOptions *o, const SamplerContext *c, Sampled *out,
                  Error *err)
{
    Distribution distribution;
    if (!sampler_distribution(s, o, c, &distribution, err)) return false;
    const double u = sampler_uniform(o, c->sample, c->count - c->prompt, DRAW_TOKEN);
    return sampler_report(s, o, c, distribution_draw(&distribution, u), out, err);
}
