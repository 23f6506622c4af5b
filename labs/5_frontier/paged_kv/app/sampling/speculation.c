#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"
#include <string.h>

// ---- drafts from the text itself ----

// Where the last n tokens stand before, latest first; -1: nowhere.
static int find_earlier(const int32_t *tokens, int count, int n)
{
    const int32_t *last = tokens + count - n;
    for (int i = count - n - 1; i >= 0; i--)
        if (memcmp(tokens + i, last, (size_t)n * sizeof *last) == 0) return i;
    return -1;
}

int ngram_draft(const int32_t *tokens, int count, NgramOptions options, int32_t *draft, int most)
{
    for (int n = options.longest; n >= options.shortest && n > 0; n--) {
        const int at = n < count ? find_earlier(tokens, count, n) : -1;
        if (at < 0) continue;
        int drafted = count - (at + n) < most ? count - (at + n) : most;
        memmove(draft, tokens + at + n, (size_t)drafted * sizeof *draft);
        return drafted;
    }
    return 0;
}

// ---- acceptance ----

// p's probability of entry i beyond q's, which is in scratch.
static double residual(const Distribution *p, int i, const double *scratch)
{
    const double rest = (double)p->list[i].weight / p->sum - scratch[p->list[i].token];
    return rest > 0 ? rest : 0;
}

static int draw_residual(const Distribution *p, const Distribution *q, double v, double *scratch)
{
    double left = 0;
    int token = -1;
    for (int i = 0; i < q->count; i++)
        scratch[q->list[i].token] = (double)q->list[i].weight / q->sum;
    for (int i = 0; i < p->count; i++) left += residual(p, i, scratch);
    left *= v;
    for (int i = 0; i < p->count && left >= 0; i++) {
        const double rest = residual(p, i, scratch);
        if (rest == 0) continue;
        token = p->list[i].token;
        left -= rest;
    }
    for (int i = 0; i < q->count; i++) scratch[q->list[i].token] = 0;
    return token >= 0 ? token : distribution_draw(p, v);    // p is q but for rounding
}

bool speculation_accept(const Distribution *p, const Distribution *q, int drafted, double u,
                        double v, double *scratch, int *token)
{
    const double proposed = distribution_probability(q, drafted);
    REQUIRE(proposed > 0, "token %d was not drawn from its draft", drafted);
    *token = drafted;
    if (u * proposed < distribution_probability(p, drafted)) return true;
    *token = draw_residual(p, q, v, scratch);
    return false;
}

// ---- verification ----

// Behind the last draft: as the next step would draw it.
static int draft_of(const SamplerOptions *o, const SamplerContext *c, const Distribution *q)
{
    return distribution_draw(q, sampler_uniform(o, c->sample, c->count - c->prompt, DRAW_DRAFT));
}

// Whether the drafted token of this row is kept; *token is the row's in any case.
static bool verify_one(Sampler *sampler, const SamplerOptions *o, const SamplerContext *c,
                       const Distribution *q, int drafted, int *token, Error *err)
{
    const int position = c->count - c->prompt;
    Distribution p;
    *token = -1;
    if (!sampler_distribution(sampler, o, c, &p, err)) return false;
    if (q != NULL)
        return speculation_accept(&p, q, drafted,
                                  sampler_uniform(o, c->sample, position, DRAW_ACCEPT),
                                  sampler_uniform(o, c->sample, position, DRAW_RESIDUAL),
                                  sampler_scratch(sampler), token);
    *token = distribution_draw(&p, sampler_uniform(o, c->sample, position, DRAW_TOKEN));
    return *token == drafted;
}

bool speculation_verify(Sampler *sampler, const SamplerOptions *o, const SamplerContext *context,
                        const SpeculationRow *rows, int drafted, const Distribution *q,
                        Speculated *out, Error *err)
{
    REQUIRE(drafted >= 0 && drafted <= DRAFT_MAX, "%d drafted tokens, expected at most %d", drafted,
            DRAFT_MAX);
    SamplerContext c = *context;
    out->count = 0;
    for (bool kept = true; kept && out->count <= drafted;) {
        const int i = out->count;
        const Distribution *from = q != NULL && q[i].count > 0 ? &q[i] : NULL;
        int token;
        c.logits = rows[i].logits;
        c.allowed = rows[i].allowed;
        c.count = context->count + i;
        const int wanted = i < drafted    ? context->tokens[c.count]
                           : from != NULL ? draft_of(o, &c, from)
                                          : -1;
        kept = verify_one(sampler, o, &c, from, wanted, &token, err);
        // What was kept before counts: without drafts it would have come, too.
        if (token < 0 || !sampler_report(sampler, o, &c, token, &out->tokens[i], err)) return i > 0;
        out->count++;
    }
    return true;
}
