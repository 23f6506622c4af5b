#include "labs/3_language/transformer/model/generate.h"
#include <math.h>
#include <stdlib.h>
#include "common/error.h"

// ---- the next token ----

bool sampling_check(Sampling s, Error *err)
{
    if (!(s.temperature >= 0) || isinf(s.temperature))
        return error_set(err, "the temperature is %g, expected a number from 0",
                         (double)s.temperature);
    if (s.top_k < 0) return error_set(err, "top-k is %d, expected 0 (all) or more", s.top_k);
    if (!(s.top_p >= 0 && s.top_p <= 1))
        return error_set(err, "top-p is %g, expected 0 (all) to 1", (double)s.top_p);
    return true;
}

typedef struct Candidate {
    float logit;
    int token;
    double weight;    // exp((logit - largest) / temperature)
} Candidate;

static int compare(const void *a, const void *b)    // the likeliest first
{
    const Candidate *x = a, *y = b;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return x->token - y->token;
}

// -1 where a logit is not a number, or all are -infinity.
static int largest(const float *logits, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        if (isnan(logits[i])) return -1;
        if (logits[i] > (best < 0 ? -INFINITY : logits[best])) best = i;
    }
    return best;
}

// How many of the sorted candidates have the probability top_p together.
static int nucleus(const Candidate *list, int n, double top_p)
{
    double sum = 0, so_far = 0;
    for (int i = 0; i < n; i++) sum += list[i].weight;
    for (int i = 0; i < n; i++) {
        so_far += list[i].weight;
        if (so_far >= top_p * sum) return i + 1;
    }
    return n;
}

static int draw(const Candidate *list, int n, Rng *rng)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += list[i].weight;
    double left = (double)rng_uniform(rng) * sum;
    int last = 0;    // rounding may leave a rest behind the last one
    for (int i = 0; i < n; i++) {
        if (list[i].weight == 0) continue;
        last = i;
        left -= list[i].weight;
        if (left < 0) break;
    }
    return list[last].token;
}

int sample_token(const float *logits, int n, Sampling s, Rng *rng, Arena *work)
{
    const int best = largest(logits, n);
    if (best < 0 || s.temperature == 0 || isinf(logits[best])) return best;
    const ArenaMark mark = arena_mark(work);
    Candidate *list = arena_alloc(work, (size_t)n * sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] =
            (Candidate){logits[i], i, exp(((double)logits[i] - logits[best]) / s.temperature)};
    const bool some = s.top_k > 0 && s.top_k<n, likely = s.top_p> 0 && s.top_p < 1;
    if (some || likely) qsort(list, (size_t)n, sizeof *list, compare);
    if (some) n = s.top_k;
    if (likely) n = nucleus(list, n, s.top_p);
    const int token = draw(list, n, rng);
    arena_rewind(work, mark);
    return token;
}

// ---- the loop ----

enum { CHUNK = 256 };    // tokens of a prompt that are computed at once: what bounds the memory

// The logits that follow the tokens, in the tape's arena.
static const float *extend(const Generation *g, const int *tokens, int count)
{
    const float *logits = NULL;
    for (int i = 0; i < count; i += CHUNK) {
        const int n = count - i < CHUNK ? count - i : CHUNK;
        tape_reset(g->tape);
        Tensor *ids = tensor_from_ints(g->tape->arena, SHAPE(1, n), tokens + i);
        logits = tensor_values(g->tape->arena, model_extend(g->tape, g->model, g->cache, ids));
    }
    return logits;
}

static bool check(const Generation *g, const int *prompt, int count, Error *err)
{
    const int vocabulary = g->model->config.vocabulary, room = g->cache->context - g->cache->used;
    if (!sampling_check(g->sampling, err)) return false;
    if (count < 1) return error_set(err, "the prompt is empty, expected at least one token");
    if (count > room)
        return error_set(err, "the prompt has %d tokens, and the context has room for %d", count,
                         room);
    for (int i = 0; i < count; i++)
        if (prompt[i] < 0 || prompt[i] >= vocabulary)
            return error_set(err, "token %d of the prompt is %d, expected 0 to %d", i, prompt[i],
                             vocabulary - 1);
    return true;
}

static bool stops(const ModelConfig *config, int token)
{
    for (int i = 0; i < config->stop_count; i++)
        if (config->stops[i] == token) return true;
    return false;
}

int generate(const Generation *g, const int *prompt, int count, OnToken *on_token, void *context,
             Error *err)
{
    if (!check(g, prompt, count, err)) return -1;
    tape_quiet(g->tape, true);
    const float *logits = extend(g, prompt, count);
    int passed = 0;
    while (passed < g->most) {
        const int token =
            sample_token(logits, g->model->config.vocabulary, g->sampling, g->rng, g->tape->arena);
        if (token < 0) {
            error_set(err, "a logit after %d tokens is not a number", g->cache->used);
            return -1;
        }
        if (stops(&g->model->config, token)) break;
        passed++;
        if (!on_token(context, token) || passed == g->most) break;
        if (g->cache->used == g->cache->context) break;
        logits = extend(g, &token, 1);
    }
    return passed;
}
