#include "labs/5_frontier/paged_kv/app/engine.h"
#include <stdlib.h>
#include <time.h>
#include "labs/5_frontier/paged_kv/app/choice.h"

struct Engine {
    const Weights *weights;
    const Tokenizer *tokenizer;
    EngineOptions options;
    Arena *arena;
    BlockPool pool;
    Scheduler *scheduler;
    Runner *runner;
    Sampler *sampler;
    Choice **choices;    // that have not been freed
    int count, room;
    int next_id;
    EngineStatistics statistics;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- opening ----

static int smaller(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

static int blocks_of(const ModelConfig *c, const EngineOptions *o)
{
    const int64_t entries = (c->context + o->block_size - 1) / o->block_size;
    const size_t bytes = runner_token_bytes(c, o->cache) * (size_t)o->block_size;
    const int blocks = smaller(entries * o->sequences, (int64_t)(o->cache_bytes / bytes));
    return blocks > 0 ? blocks : 1;
}

static EngineOptions with_defaults(const ModelConfig *c, EngineOptions o)
{
    if (o.block_size == 0) o.block_size = 16;
    if (o.cache_bytes == 0) o.cache_bytes = (size_t)1 << 30;
    if (o.sequences == 0) o.sequences = 64;
    if (o.budget == 0) o.budget = 256;
    if (o.budget < o.sequences) o.budget = o.sequences;
    if (o.patience == 0) o.patience = 8;
    if (o.prefix == NULL) o.prefix = &radix_tree;
    if (o.no_prefix_cache) o.prefix = NULL;
    if (o.drafts > DRAFT_MAX) o.drafts = DRAFT_MAX;
    if (o.blocks == 0) o.blocks = blocks_of(c, &o);
    if (o.verify == NULL) o.verify = speculation_verify;
    return o;
}

Engine *engine_open(const Weights *weights, const Tokenizer *tokenizer, EngineOptions options,
                    Error *err)
{
    const ModelConfig *c = &weights->config;
    Arena *arena = arena_new("engine", (size_t)1 << 36);
    Engine *e = arena_zeros(arena, sizeof *e);
    e->arena = arena;
    e->weights = weights;
    e->tokenizer = tokenizer;
    const EngineOptions o = e->options = with_defaults(c, options);
    e->pool = block_pool_new(arena, o.blocks, o.block_size, o.prefix);
    e->scheduler = scheduler_open(&e->pool, (SchedulerOptions){.budget = o.budget,
                                                               .max_running = o.sequences,
                                                               .chunk = o.chunk,
                                                               .patience = o.patience,
                                                               .worst_case = o.worst_case});
    e->runner = runner_open(weights, &e->pool,
                            (RunnerOptions){.rows = o.budget,
                                            .sequences = o.sequences,
                                            .drafts = o.drafts,
                                            .cache = o.cache,
                                            .activations = o.activations},
                            err);
    e->sampler = sampler_new(c->vocabulary);
    if (e->scheduler != NULL && o.planner != NULL)
        e->scheduler->planner = o.planner(arena, &e->pool, o.sequences);
    if (e->runner != NULL && e->scheduler != NULL) return e;
    if (e->scheduler == NULL) error_set(err, "no memory for %d sequences", o.sequences);
    engine_close(e);
    return NULL;
}

// ---- choices ----

static bool reserve_choice(Engine *e)
{
    if (e->count < e->room) return true;
    const int room = e->room > 0 ? 2 * e->room : 16;
    Choice **more = realloc(e->choices, (size_t)room * sizeof(Choice *));
    if (more == NULL) return false;
    e->choices = more;
    e->room = room;
    return true;
}

// NULL: no memory.
static Choice *add_choice(Engine *e, Group *group, int index, const int32_t *prompt)
{
    if (!reserve_choice(e)) return NULL;
    Choice *choice = choice_new(group, index, prompt, e->options.block_size, e->tokenizer);
    if (choice != NULL) e->choices[e->count++] = choice;
    return choice;
}

// Its last event. It is freed when the step is over.
static void finish(Engine *e, Choice *choice, FinishReason why, const char *error)
{
    if (choice->finish != FINISH_NONE) return;
    choice->finish = why;
    e->statistics.finished++;
    EngineEvent event = {.finish = why, .error = error};
    if (choice->output != NULL && why != FINISH_CANCELLED)
        event.text = output_end(choice->output, &event.bytes);
    choice_send(choice, event);
}

static void free_finished(Engine *e)
{
    int kept = 0;
    for (int i = 0; i < e->count; i++)
        if (e->choices[i]->finish == FINISH_NONE) e->choices[kept++] = e->choices[i];
        else {
            if (e->choices[i]->index == 0)
                e->statistics.hit_tokens += e->choices[i]->sequence->hits;
            scheduler_finish(e->scheduler, e->choices[i]->sequence);
            choice_free(e->choices[i]);
        }
    e->count = kept;
}

void engine_close(Engine *e)
{
    if (e == NULL) return;
    for (int i = 0; i < e->count; i++) {
        scheduler_cancel(e->scheduler, e->choices[i]->sequence);
        choice_free(e->choices[i]);
    }
    free(e->choices);
    scheduler_close(e->scheduler);
    runner_close(e->runner);
    sampler_close(e->sampler);
    arena_free(e->arena);
}

// ---- submit and cancel ----

static bool check(const Engine *e, const Request *r, Error *err)
{
    const ModelConfig *c = &e->weights->config;
    if (r->prompt_count < 1) return error_set(err, "the prompt is empty");
    if (r->max_tokens < 0 || r->choices < 0)
        return error_set(err, "%d tokens of %d choices, expected positive numbers", r->max_tokens,
                         r->choices);
    for (int i = 0; i < r->prompt_count; i++)
        if (r->prompt[i] < 0 || r->prompt[i] >= c->vocabulary)
            return error_set(err, "token %d of the prompt is %d, expected 0 to %d", i, r->prompt[i],
                             c->vocabulary - 1);
    if (r->prompt_count >= c->context || r->max_tokens > c->context - r->prompt_count)
        return error_set(err, "a prompt of %d tokens and %d more, and the context has room for %d",
                         r->prompt_count, r->max_tokens > 0 ? r->max_tokens : 1, c->context);
    return sampler_check(&r->sampling, c->vocabulary, err);
}

int engine_submit(Engine *e, const Request *request, Error *err)
{
    if (!check(e, request, err)) return -1;
    Group *group = group_new(request, e->next_id, e->weights->config.context);
    Choice *choice = group != NULL ? add_choice(e, group, 0, request->prompt) : NULL;
    if (choice == NULL) {
        group_free(group);
        error_set(err, "no memory for a request of %d tokens", request->prompt_count);
        return -1;
    }
    if (!scheduler_submit(e->scheduler, choice->sequence, err)) {
        e->count--;
        choice_free(choice);
        return -1;
    }
    e->statistics.prompt_tokens += request->prompt_count;
    return e->next_id++;
}

void engine_cancel(Engine *e, int id)
{
    for (int i = 0; i < e->count; i++) {
        Choice *choice = e->choices[i];
        if (choice->group->id != id || choice->finish != FINISH_NONE) continue;
        scheduler_cancel(e->scheduler, choice->sequence);
        finish(e, choice, FINISH_CANCELLED, NULL);
    }
}

// ---- a token ----

static bool is_stop_token(const Engine *e, const Request *r, int token)
{
    const ModelConfig *c = &e->weights->config;
    for (int i = 0; i < c->stop_count && !r->ignore_stop_tokens; i++)
        if (c->stops[i] == token) return true;
    for (int i = 0; i < r->stop_token_count && !r->ignore_stop_tokens; i++)
        if (r->stop_tokens[i] == token) return true;
    return false;
}

// Sends a token, the choice's `count`-th with the prompt. True: the choice has ended, and its event was sent.
static bool deliver(Engine *e, Choice *choice, const Sampled *sampled, int count)
{
    if (choice->finish != FINISH_NONE) return true;    // cancelled in on_event()
    e->statistics.output_tokens++;
    if (is_stop_token(e, &choice->group->request, sampled->token)) {
        finish(e, choice, FINISH_STOP, NULL);
        return true;
    }
    Constraint *constraint = choice->group->request.constraint;
    if (constraint != NULL)
        choice->state = constraint_next(constraint, choice->state, sampled->token);
    EngineEvent event = {.sampled = sampled};
    if (choice->output != NULL)
        event.text = output_step(choice->output, sampled->token, &event.bytes);
    choice_send(choice, event);
    if (choice->output != NULL && output_stopped(choice->output))
        finish(e, choice, FINISH_STOP, NULL);
    else if (count == choice->sequence->max_count) finish(e, choice, FINISH_LENGTH, NULL);
    return choice->finish != FINISH_NONE;
}

static SamplerContext context_of(const Choice *choice)
{
    const Sequence *s = choice->sequence;
    return (SamplerContext){
        .tokens = s->tokens, .prompt = s->prompt, .count = s->count, .sample = choice->index};
}

// The rows of logits: after what is known, and after each draft. A draft that is not allowed is the last one.
static void list_rows(const Choice *choice, const float *logits, int vocabulary,
                      SpeculationRow *rows)
{
    const Sequence *s = choice->sequence;
    Constraint *constraint = choice->group->request.constraint;
    int state = choice->state;
    for (int i = 0; i <= s->drafts; i++) {
        if (i > 0 && constraint != NULL && state >= 0)
            state = constraint_next(constraint, state, s->tokens[s->count + i - 1]);
        const bool free = constraint == NULL || state < 0;
        rows[i] = (SpeculationRow){logits + (size_t)i * (size_t)vocabulary,
                                   free ? NULL : constraint_mask(constraint, state)};
    }
}

// The entry's rows of logits, the first for the token after the last that is known, the others for drafts.
static void sample(Engine *e, const Scheduled *entry, const float *logits)
{
    Choice *choice = entry->sequence->owner;
    const Sequence *s = entry->sequence;
    const SamplerContext context = context_of(choice);
    SpeculationRow rows[DRAFT_MAX + 1];
    Speculated out;
    Error err;
    if (choice->finish != FINISH_NONE) return;    // cancelled in on_event()
    list_rows(choice, logits, e->weights->config.vocabulary, rows);
    if (!e->options.verify(e->sampler, &choice->group->request.sampling, &context, rows, s->drafts,
                           NULL, &out, &err)) {
        finish(e, choice, FINISH_ERROR, err.message);
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
    e->statistics.accepted += kept - 1;
    scheduler_done(e->scheduler, entry, tokens, kept);
}

// ---- further choices ----

// The prompt is computed: each further choice draws its own first token from the same logits.
static void begin_choices(Engine *e, const Choice *first, const float *logits)
{
    Group *group = first->group;
    SpeculationRow row;
    list_rows(first, logits, e->weights->config.vocabulary, &row);
    group->forked = true;
    for (int k = 1; k < group->request.choices && first->finish == FINISH_NONE; k++) {
        Choice *choice = add_choice(e, group, k, first->sequence->tokens);
        if (choice == NULL) {
            choice_send(&(Choice){.group = group, .index = k},
                        (EngineEvent){.finish = FINISH_ERROR, .error = "no memory for a choice"});
            continue;
        }
        Sequence *s = choice->sequence;
        const SamplerContext context = context_of(choice);
        Speculated out;
        Error err;
        if (!e->options.verify(e->sampler, &group->request.sampling, &context, &row, 0, NULL, &out,
                               &err))
            finish(e, choice, FINISH_ERROR, err.message);
        else if (!deliver(e, choice, &out.tokens[0], s->count + 1)) {
            s->tokens[s->count++] = out.tokens[0].token;
            choice->forks = true;
        }
    }
}

// After the step: those that have not ended share the blocks of the group's first.
static void fork_choices(Engine *e)
{
    for (int i = 0; i < e->count; i++) {
        Choice *choice = e->choices[i], *first = NULL;
        if (!choice->forks || choice->finish != FINISH_NONE) continue;
        choice->forks = false;
        for (int k = 0; k < i; k++)
            if (e->choices[k]->group == choice->group && e->choices[k]->index == 0)
                first = e->choices[k];
        if (!scheduler_fork(e->scheduler, first->sequence, choice->sequence))
            finish(e, choice, FINISH_ERROR, "no memory for another sequence");
    }
}

// ---- a step ----

static void draft(const Engine *e, Sequence *s)
{
    const int room = s->max_count - s->count - 1, most = smaller(e->options.drafts, room);
    const Choice *choice = s->owner;
    if (most < 1 || s->computed != s->count - 1 || !choice->group->forked) return;
    s->drafts = ngram_draft(s->tokens, s->count, (NgramOptions){.longest = 3, .shortest = 1},
                            s->tokens + s->count, most);
}

bool engine_step(Engine *e)
{
    Scheduler *s = e->scheduler;
    const Scheduled *list;
    if (scheduler_is_idle(s)) {
        free_finished(e);
        return false;
    }
    const double begun = now();
    for (int i = 0; i < s->running_count; i++) draft(e, s->running[i]);
    const int count = scheduler_step(s, &list);
    REQUIRE(count > 0, "%d sequences wait, %d run, and none has blocks", s->waiting.count,
            s->running_count);
    const float *logits = runner_step(e->runner, list, count, &s->copies);
    for (int i = 0; i < count; i++) {
        const Choice *choice = list[i].sequence->owner;
        const int rows = list[i].samples ? 1 + list[i].sequence->drafts : 0;
        e->statistics.computed_tokens += list[i].count;
        if (rows == 0) scheduler_done(s, &list[i], NULL, 0);
        else {
            if (!choice->group->forked) begin_choices(e, choice, logits);
            sample(e, &list[i], logits);
        }
        logits += (size_t)rows * (size_t)e->weights->config.vocabulary;
    }
    fork_choices(e);
    free_finished(e);
    e->statistics.steps++;
    e->statistics.seconds += now() - begun;
    return true;
}

// ---- what one may look at ----

EngineStatistics engine_statistics(const Engine *e)
{
    EngineStatistics s = e->statistics;
    s.preemptions = e->scheduler->preemptions;
    s.running = e->scheduler->running_count;
    s.waiting = e->scheduler->waiting.count;
    s.blocks = e->pool.blocks;
    s.held = e->pool.blocks - e->pool.idle;
    s.cached_idle = block_pool_cached_idle(&e->pool);
    return s;
}

const EngineOptions *engine_options(const Engine *e)
{
    return &e->options;
}

const Scheduler *engine_scheduler(const Engine *e)
{
    return e->scheduler;
}

void engine_watch(Engine *e, void (*on_event)(void *context, const SchedulerEvent *event),
                  void *context)
{
    e->scheduler->on_event = on_event;
    e->scheduler->context = context;
}
