#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels/cpu/functions.h"
#include "kernels/philox.h"

enum { BUCKETS = (0x3f800000 >> 20) + 1 };    // of cut_nucleus(): up to that of 1

struct Sampler {
    int vocabulary;
    float *logits;        // [V] adjusted
    float *weights;       // [V]
    int32_t *counts;      // [V], 0 between calls
    TokenWeight *list;    // [V]
    double *scratch;      // [V], 0 between calls
    double buckets[BUCKETS];
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

// ---- the likeliest ----

static bool before(TokenWeight a, TokenWeight b)
{
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
}

static int compare(const void *a, const void *b)
{
    const TokenWeight *x = a, *y = b;
    return before(*x, *y) ? -1 : before(*y, *x) ? 1 : 0;
}

static void swap(TokenWeight *a, TokenWeight *b)
{
    const TokenWeight kept = *a;
    *a = *b;
    *b = kept;
}

// The k that come before all others to the front, in no order (Hoare's quickselect: no two are equal, as each token
// is there once).
static void select_head(TokenWeight *list, int n, int k)
{
    int low = 0, high = n - 1;
    while (low < high && k < n) {
        const TokenWeight pivot = list[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (before(list[i], pivot)) i++;
            while (before(pivot, list[j])) j--;
            if (i <= j) swap(&list[i++], &list[j--]);
        }
        if (k - 1 <= j) high = j;
        else if (k - 1 >= i) low = i;
        else break;
    }
}

// The k largest of x, sorted. The list collects what is larger than the k-th largest so far. As soon as it has 2 k,
// the k largest stay: after some hundred numbers hardly any is added.
static void list_largest(TokenWeight *list, const float *x, int n, int k)
{
    float least = -INFINITY;
    int count = 0;
    for (int i = 0; i < n && k > 0; i++) {
        list[count] = (TokenWeight){i, x[i]};
        count += x[i] > least || count < k;
        if (count < 2 * k || count == n) continue;
        select_head(list, count, k);
        count = k;
        least = list[0].weight;
        for (int j = 1; j < k; j++) least = list[j].weight < least ? list[j].weight : least;
    }
    select_head(list, count, k);
    qsort(list, (size_t)k, sizeof *list, compare);
}

enum { LANES = 8, STRIDE = 256 };

// In 8 sums side by side, since each addition waits for the one before.
static double sum_of(const TokenWeight *list, int n)
{
    double sums[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) sums[k] += (double)list[i + k].weight;
    for (; i < n; i++) sums[0] += (double)list[i].weight;
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Weights of 0 to 1 by their exponent and 3 bits: a larger weight has no smaller bucket.
static int bucket_of(float weight)
{
    return (int)(bits_of_float(weight) >> 20);
}

// How many of the largest have this share together; they come to the front. Only one bucket is sorted: that in
// which the share is reached.
static int cut_nucleus(Sampler *s, int n, double share)
{
    TokenWeight *list = s->list;
    double *sums = s->buckets, so_far = 0;
    memset(sums, 0, BUCKETS * sizeof *sums);
    for (int i = 0; i < n; i++) sums[bucket_of(list[i].weight)] += (double)list[i].weight;
    for (int b = 0; b < BUCKETS; b++) so_far += sums[b];
    const double enough = share * so_far;
    int last = BUCKETS - 1, above = 0, kept = 0;
    for (so_far = 0; last > 0 && so_far + sums[last] < enough; last--) so_far += sums[last];
    for (int i = 0; i < n; i++) {
        list[kept] = list[i];
        kept += bucket_of(list[i].weight) >= last;
    }
    for (int i = 0; i < kept; i++)
        if (bucket_of(list[i].weight) > last) swap(&list[above++], &list[i]);
    qsort(list + above, (size_t)(kept - above), sizeof *list, compare);
    for (int i = above; i < kept; i++) {
        so_far += (double)list[i].weight;
        if (so_far >= enough) return i + 1;
    }
    return kept;    // the sum in another order may be less by its rounding
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
    list_largest(s->list, x, s->vocabulary, o->top_k);
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
    if (o->top_p > 0 && o->top_p < 1) kept = cut_nucleus(s, kept, (double)o->top_p);
    out->count = kept;
    out->sum = sum_of(s->list, kept);
    return true;
}

int distribution_draw(const Distribution *d, double u)
{
    double left = u * d->sum;
    int i = 0;
    for (double some; i + STRIDE < d->count && (some = sum_of(d->list + i, STRIDE)) <= left;
         i += STRIDE)
        left -= some;
    for (; i < d->count; i++) {
        left -= (double)d->list[i].weight;
        if (left < 0) return d->list[i].token;
    }
    return d->list[d->count - 1].token;    // rounding may leave a rest
}

double distribution_probability(const Distribution *d, int token)
{
    for (int i = 0; i < d->count; i++)
        if (d->list[i].token == token) return (double)d->list[i].weight / d->sum;
    return 0;
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
    list_largest(s->list, logits, s->vocabulary, k);
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
