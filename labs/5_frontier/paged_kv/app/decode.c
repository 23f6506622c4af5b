#include "labs/5_frontier/paged_kv/app/engine_parts.h"
#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"

static const char NO_MEMORY[] = "no memory for the texts of the schema";

// ---- a token ----

static bool ends_text(const Request *r, int token)
{
    for (int i = 0; i < r->stop_token_count; i++)
        if (r->stop_tokens[i] == token) return true;
    return false;
}

// Sends a token, the choice's `count`-th with the prompt. True: the choice has ended, and its event was sent.
static bool deliver(Engine *e, Choice *choice, const Sampled *sampled, int count)
{
    if (choice->finish != FINISH_NONE) return true;    // cancelled in on_event()
    e->statistics.output_tokens++;
    if (ends_text(&choice->group->request, sampled->token)) {
        engine_finish(e, choice, FINISH_STOP, NULL);
        return true;
    }
    Constraint *constraint = choice->group->request.constraint;
    if (constraint != NULL)
        choice->state = constraint_next(constraint, choice->state, sampled->token);
    if (choice->state == GRAMMAR_NO_MEMORY) {
        engine_finish(e, choice, FINISH_ERROR, NO_MEMORY);
        return true;
    }
    EngineEvent event = {.sampled = sampled};
    if (choice->output != NULL)
        event.text = output_step(choice->output, sampled->token, &event.bytes);
    choice_send(choice, event);
    if (choice->output != NULL && output_stopped(choice->output))
        engine_finish(e, choice, FINISH_STOP, NULL);
    else if (count == choice->sequence->max_count) engine_finish(e, choice, FINISH_LENGTH, NULL);
    return choice->finish != FINISH_NONE;
}

static SamplerContext context_of(const Choice *choice)
{
    const Sequence *s = choice->sequence;
    return (SamplerContext){
        .tokens = s->tokens, .prompt = s->prompt, .count = s->count, .sample = choice->index};
}

// The rows of logits: after what is known, and after each draft. A draft that is not allowed is the last one.
// False: no memory for what is allowed.
static bool list_rows(const Choice *choice, const float *logits, int vocabulary,
                      SpeculationRow *rows)
{
    const Sequence *s = choice->sequence;
    Constraint *constraint = choice->group->request.constraint;
    int state = choice->state;
    for (int i = 0; i <= s->drafts; i++) {
        rows[i] = (SpeculationRow){.logits = logits + (size_t)i * (size_t)vocabulary};
        if (constraint == NULL) continue;
        if (i > 0) state = constraint_next(constraint, state, s->tokens[s->count + i - 1]);
        if (state >= 0) rows[i].allowed = constraint_mask(constraint, state);
        if (state == GRAMMAR_NO_MEMORY || (state >= 0 && rows[i].allowed == NULL)) return false;
    }
    return true;
}

// The entry's rows of logits, the first for the token after the last that is known, the others for drafts.
static void sample(Engine *e, const Scheduled *entry, const float *logits, const Distribution *q)
{
    Choice *choice = entry->sequence->owner;
    const Sequence *s = entry->sequence;
    const SamplerContext context = context_of(choice);
    SpeculationRow rows[DRAFT_MAX + 1];
    Speculated out;
    Error err;
    if (choice->finish != FINISH_NONE) return;    // cancelled in on_event()
    if (!list_rows(choice, logits, e->weights->config.vocabulary, rows)) {
        engine_finish(e, choice, FINISH_ERROR, NO_MEMORY);
        return;
    }
    if (!e->options.verify(e->sampler, &choice->group->request.sampling, &context, rows, s->drafts,
                           q, &out, &err)) {
        engine_finish(e, choice, FINISH_ERROR, err.message);
        return;
    }
    int32_t tokens[DRAFT_MAX + 1];
    int kept = 0;
    bool last = false;
    while (kept < out.count && !last) {
        tokens[kept] = out.tokens[kept].token;
        last = deliver(e, choice, &out.tokens[kept], s->count + kept + 1);
        kept++;
    }
    e->statistics.drafted += s->drafts;
    e->statistics.accepted += out.count - 1;
    scheduler_done(e->scheduler, entry, tokens, kept);
}

// ---- further choices ----

// The prompt is computed, without drafts: each further choice draws its own first token from the same logits.
static void begin_choices(Engine *e, Choice *first, const float *logits, const Distribution *q)
{
    Group *group = first->group;
    SpeculationRow row;
    if (!list_rows(first, logits, e->weights->config.vocabulary, &row))
        engine_finish(e, first, FINISH_ERROR, NO_MEMORY);
    while (group->begun < group->request.choices && first->finish == FINISH_NONE) {
        const int k = group->begun++;
        Choice *choice = engine_add_choice(e, group, k, first->sequence->tokens);
        if (choice == NULL) {
            choice_send(&(Choice){.group = group, .index = k},
                        (EngineEvent){.finish = FINISH_ERROR, .error = "no memory for a choice"});
            continue;
        }
        Sequence *s = choice->sequence;
        const SamplerContext context = context_of(choice);
        Speculated out;
        Error err;
        if (!e->options.verify(e->sampler, &group->request.sampling, &context, &row, 0, q, &out,
                               &err))
            engine_finish(e, choice, FINISH_ERROR, err.message);
        else if (!deliver(e, choice, &out.tokens[0], s->count + 1)) {
            s->tokens[s->count++] = out.tokens[0].token;
            choice->forks = true;
        }
    }
}

// After the step: those that have not ended share the blocks of the group's first.
void decode_fork_choices(Engine *e)
{
    for (int i = 0; i < e->count; i++) {
        Choice *choice = e->choices[i], *first = NULL;
        if (!choice->forks || choice->finish != FINISH_NONE) continue;
        choice->forks = false;
        for (int k = 0; k < i; k++)
            if (e->choices[k]->group == choice->group && e->choices[k]->index == 0)
                first = e->choices[k];
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the first choice stands before the others
        if (!scheduler_fork(e->scheduler, first->sequence, choice->sequence))
            engine_finish(e, choice, FINISH_ERROR, "no memory for another sequence");
    }
}

void decode_entry(Engine *e, const Scheduled *entry, const float *logits, const Distribution *q)
{
    Choice *choice = entry->sequence->owner;
    if (choice->group->begun < choice->group->request.choices) begin_choices(e, choice, logits, q);
    sample(e, entry, logits, q);
}
