// choose.c -- the learner's kv_sample() and kv_accept() in the place of speculation_verify().
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/mine/guard.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/mine/reference.h"

typedef struct Row {
    SamplerContext context;
    int position;    // of the token, after the prompt
} Row;

static Row row_of(const SamplerContext *context, const SpeculationRow *rows, int i)
{
    Row row = {*context, context->count + i - context->prompt};
    row.context.logits = rows[i].logits;
    row.context.allowed = rows[i].allowed;
    row.context.count += i;
    return row;
}

// What top_k and min_p leave, as logits: the others are -infinity.
static void cut(float *logits, const float *x, int n, const Distribution *kept)
{
    for (int i = 0; i < n; i++) logits[i] = -INFINITY;
    for (int i = 0; i < kept->count; i++) logits[kept->list[i].token] = x[kept->list[i].token];
}

// The token of one row, by kv_sample(). -1 and why: there is none.
static int sample(Sampler *sampler, const SamplerOptions *o, const Row *row, Error *err)
{
    const int n = sampler_vocabulary(sampler);
    const KvSampling how = {o->temperature, o->top_p > 0 ? o->top_p : 1,
                            sampler_uniform(o, row->context.sample, row->position, DRAW_TOKEN)};
    SamplerOptions all = *o;
    Distribution kept;
    int token;
    all.top_p = 1;
    if (!sampler_distribution(sampler, &all, &row->context, &kept, err)) return -1;
    double *room = malloc((size_t)n * (sizeof(double) + sizeof(float)));
    REQUIRE(room != NULL, "no memory for %d tokens", n);
    float *cut_logits = (void *)(room + n);
    const float *logits = sampler_logits(sampler, o, &row->context);
    if (o->temperature > 0 && (o->top_k > 0 || o->min_p > 0)) {
        cut(cut_logits, logits, n, &kept);
        logits = cut_logits;
    }
    GUARDED("sample", token = kv_sample(logits, n, how, room));
    const int right = reference_sample(logits, n, how, room);
    if (token != right)
        guard_wrong("sample", "temperature %g, top_p %g, u %.17g: token %d, expected %d",
                    (double)how.temperature, (double)how.top_p, how.u, token, right);
    free(room);
    return token;
}

// ---- drafts ----

static void spread(float *p, int n, const Distribution *d)
{
    memset(p, 0, (size_t)n * sizeof *p);
    for (int i = 0; i < d->count; i++)
        p[d->list[i].token] = (float)((double)d->list[i].weight / d->sum);
}

// How many drafts are accepted, and the token after them, by kv_accept(). -1 and why.
static int accept(Sampler *sampler, const SamplerOptions *o, const SamplerContext *context,
                  const SpeculationRow *rows, int drafted, const Distribution *q, int32_t *next,
                  Error *err)
{
    const size_t n = (size_t)sampler_vocabulary(sampler), count = (size_t)drafted;
    const int32_t *draft = context->tokens + context->count;
    double *room = malloc(n * sizeof(double) + (2 * count + 1) * n * sizeof(float)),
           u[DRAFT_MAX + 1];
    REQUIRE(room != NULL, "no memory for %d drafts", drafted);
    float *p = (void *)(room + n), *own = q != NULL ? p + (count + 1) * n : NULL;
    int accepted = -1;
    int32_t right_next;
    for (int i = 0; i <= drafted; i++) {
        const Row row = row_of(context, rows, i);
        Distribution d;
        if (!sampler_distribution(sampler, o, &row.context, &d, err)) goto end;
        spread(p + (size_t)i * n, (int)n, &d);
        if (q != NULL && i < drafted) spread(own + (size_t)i * n, (int)n, &q[i]);
        u[i] = sampler_uniform(o, context->sample, row.position,
                               i < drafted ? DRAW_ACCEPT : DRAW_RESIDUAL);
    }
    GUARDED("accept", accepted = kv_accept(next, p, own, draft, drafted, (int)n, u, room));
    const int right = reference_accept(&right_next, p, own, draft, drafted, (int)n, u, room);
    if (accepted != right || *next != right_next)
        guard_wrong("accept", "%d of %d drafts, then token %d; expected %d, then token %d",
                    accepted, drafted, *next, right, right_next);
end:
    free(room);
    return accepted;
}

bool mine_verify(Sampler *sampler, const SamplerOptions *o, const SamplerContext *context,
                 const SpeculationRow *rows, int drafted, const Distribution *q, Speculated *out,
                 Error *err)
{
    const bool accepts = drafted > 0 && mine_has("accept");
    if (!accepts && (q != NULL || !mine_has("sample")))
        return speculation_verify(sampler, o, context, rows, drafted, q, out, err);
    int32_t next = -1;
    const int accepted =
        accepts ? accept(sampler, o, context, rows, drafted, q, &next, err) : drafted;
    if (accepted < 0) return false;
    out->count = 0;
    for (bool kept = true; kept && out->count <= accepted; out->count++) {
        const Row row = row_of(context, rows, out->count);
        const int wanted = out->count < drafted ? context->tokens[context->count + out->count] : -1;
        const int token = !accepts                ? sample(sampler, o, &row, err)
                          : out->count < accepted ? wanted
                                                  : next;
        kept = token == wanted;
        if (token < 0 ||
            !sampler_report(sampler, o, &row.context, token, &out->tokens[out->count], err))
            return false;
    }
    return true;
}
