#include "labs/5_frontier/paged_kv/app/draft_model.h"
#include <string.h>
#include "labs/5_frontier/paged_kv/app/choice.h"

struct DraftModel {
    Arena *arena;
    Runner *runner;
    Sampler *sampler;
    int vocabulary, most;    // drafts of a sequence
    Distribution *q;         // [sequences, most + 1], for each entry of the step
    TokenWeight *weights;    // [sequences, most + 1, V]; pages that are not touched take no memory
    // Of the step's entries:
    int *known, *state;    // tokens; the constraint's after the drafts so far
    // Of a round:
    Scheduled *list;
    int *entry;
};

DraftModel *draft_model_open(const Weights *weights, const ModelConfig *target,
                             const BlockPool *pool, RunnerOptions options, Error *err)
{
    const ModelConfig *c = &weights->config;
    if (c->vocabulary != target->vocabulary || c->context < target->context) {
        error_set(err,
                  "the draft model has %d tokens and a context of %d; expected %d, and at least %d",
                  c->vocabulary, c->context, target->vocabulary, target->context);
        return NULL;
    }
    const size_t n = (size_t)options.sequences, rows = n * (size_t)(options.drafts + 1),
                 numbers = rows * (size_t)c->vocabulary * sizeof(TokenWeight);
    Arena *arena =
        arena_new("draft model", numbers + rows * sizeof(Distribution) + n * 256 + (1 << 16));
    DraftModel *d = arena_zeros(arena, sizeof *d);
    *d = (DraftModel){.arena = arena, .vocabulary = c->vocabulary, .most = options.drafts};
    d->q = arena_zeros(arena, rows * sizeof *d->q);
    d->weights = arena_alloc(arena, numbers);
    d->known = arena_alloc(arena, n * sizeof *d->known);
    d->state = arena_alloc(arena, n * sizeof *d->state);
    d->list = arena_alloc(arena, n * sizeof *d->list);
    d->entry = arena_alloc(arena, n * sizeof *d->entry);
    options.drafts = 0;
    d->runner = runner_open(weights, pool, options, err);
    d->sampler = d->runner != NULL ? sampler_new(c->vocabulary) : NULL;
    if (d->sampler != NULL) return d;
    if (d->runner != NULL) error_set(err, "no memory for a sampler of %d tokens", c->vocabulary);
    draft_model_close(d);
    return NULL;
}

void draft_model_close(DraftModel *d)
{
    if (d == NULL) return;
    runner_close(d->runner);
    sampler_close(d->sampler);
    arena_free(d->arena);
}

const Distribution *draft_model_distributions(const DraftModel *d, int entry)
{
    return d->q + (size_t)entry * (size_t)(d->most + 1);
}

// What is allowed after the drafts so far. Where there is no memory for it the request ends: decode.c.
static const TokenMask *allowed(const DraftModel *d, int entry, Choice *choice)
{
    Constraint *constraint = choice->group->request.constraint;
    const int state = d->state[entry];
    if (constraint == NULL) return NULL;
    const TokenMask *mask = state >= 0 ? constraint_mask(constraint, state) : NULL;
    if (state == GRAMMAR_NO_MEMORY || (state >= 0 && mask == NULL))
        choice->state = GRAMMAR_NO_MEMORY;
    return mask;
}

// What the request would draw from, were this the model: masks and penalties are the same for both.
static void keep_distribution(DraftModel *d, int entry, int round, const Sequence *s,
                              const float *logits)
{
    Choice *choice = s->owner;
    const size_t place = (size_t)entry * (size_t)(d->most + 1) + (size_t)round;
    Distribution *q = &d->q[place];
    TokenWeight *kept = d->weights + place * (size_t)d->vocabulary;
    Error err;
    const SamplerContext context = {.logits = logits,
                                    .tokens = s->tokens,
                                    .prompt = s->prompt,
                                    .count = s->count,
                                    .sample = choice->index,
                                    .allowed = allowed(d, entry, choice)};
    if (!sampler_distribution(d->sampler, &choice->group->request.sampling, &context, q, &err))
        *q = (Distribution){0};
    if (q->count > 0) memcpy(kept, q->list, (size_t)q->count * sizeof *kept);
    q->list = kept;
}

// The draft of the next position, which the next round computes.
static void draw(DraftModel *d, int entry, int round, Sequence *s)
{
    const Choice *choice = s->owner;
    const Request *r = &choice->group->request;
    const Distribution *q = draft_model_distributions(d, entry) + round;
    const double u = sampler_uniform(&r->sampling, choice->index, s->count - s->prompt, DRAW_DRAFT);
    const int token = q->count > 0 ? distribution_draw(q, u) : 0;
    if (r->constraint != NULL)
        d->state[entry] = constraint_next(r->constraint, d->state[entry], token);
    s->tokens[s->count++] = token;
}

// Round 0 computes what is known, each other one a draft. The drafts count as known meanwhile.
static int list_round(DraftModel *d, const Scheduled *list, int count, int round)
{
    int listed = 0;
    for (int i = 0; i < count; i++) {
        const Scheduled *entry = &list[i];
        const Sequence *s = entry->sequence;
        Scheduled *mine = &d->list[listed];
        if (round > 0 && (!entry->samples || round > s->drafts)) continue;
        d->entry[listed++] = i;
        *mine = *entry;
        if (round > 0) mine->first = mine->write = s->count - 1;
        if (mine->first + mine->count > s->count) mine->count = s->count - mine->first;
    }
    return listed;
}

void draft_model_step(DraftModel *d, const Scheduled *list, int count, const BlockCopies *copies)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        const Sequence *s = list[i].sequence;
        d->known[i] = s->count;
        d->state[i] = ((const Choice *)s->owner)->state;
        if (list[i].samples && s->drafts > most) most = s->drafts;
    }
    for (int round = 0; round <= most; round++) {
        const int listed = list_round(d, list, count, round);
        const float *logits =
            runner_step(d->runner, d->list, listed, round == 0 ? copies : &(BlockCopies){0});
        for (int k = 0; k < listed; k++) {
            Sequence *s = d->list[k].sequence;
            const Choice *choice = s->owner;
            if (!d->list[k].samples) continue;
            if (choice->group->search == NULL) keep_distribution(d, d->entry[k], round, s, logits);
            if (round < s->drafts) draw(d, d->entry[k], round, s);
            logits += d->vocabulary;
        }
    }
    for (int i = 0; i < count; i++) list[i].sequence->count = d->known[i];
}
