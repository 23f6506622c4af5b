#include "labs/5_frontier/paged_kv/app/engine.h"
#include <stdlib.h>
#include <time.h>
#include "labs/5_frontier/paged_kv/app/engine_parts.h"
#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"

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
    const size_t token = runner_token_bytes(c, o->cache) +
                         (o->draft != NULL ? runner_token_bytes(&o->draft->config, o->cache) : 0);
    const size_t bytes = token * (size_t)o->block_size;
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
    if (o.drafts == 0 && o.draft != NULL) o.drafts = 4;
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
    const RunnerOptions run = {.rows = o.budget,
                               .sequences = o.sequences,
                               .drafts = o.drafts,
                               .cache = o.cache,
                               .activations = o.activations};
    e->sampler = sampler_new(c->vocabulary);
    if (e->scheduler == NULL || e->sampler == NULL)
        error_set(err, "no memory for %d sequences", o.sequences);
    else e->runner = runner_open(weights, &e->pool, run, err);
    if (e->runner != NULL && o.draft != NULL)
        e->draft = draft_model_open(o.draft, c, &e->pool, run, err);
    if (e->scheduler != NULL && o.planner != NULL)
        e->scheduler->planner = o.planner(arena, &e->pool, o.sequences);
    if (e->runner != NULL && (e->draft != NULL || o.draft == NULL)) return e;
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

Choice *engine_add_choice(Engine *e, Group *group, int index, const int32_t *prompt)
{
    if (!reserve_choice(e)) return NULL;
    Choice *choice = choice_new(group, index, prompt, e->options.block_size, e->tokenizer);
    if (choice != NULL) e->choices[e->count++] = choice;
    return choice;
}

void engine_finish(Engine *e, Choice *choice, FinishReason why, const char *error)
{
    if (choice->finish != FINISH_NONE) return;
    choice->finish = why;
    e->statistics.finished++;
    EngineEvent event = {.finish = why, .score = choice->score, .error = error};
    if (choice->output != NULL && why != FINISH_CANCELLED)
        event.text = output_end(choice->output, &event.bytes);
    choice_send(choice, event);
    // Choices that have not begun end with the first.
    Group *group = choice->group;
    while (choice->index == 0 && group->begun < group->request.choices)
        choice_send(&(Choice){.group = group, .index = group->begun++},
                    (EngineEvent){.finish = why, .error = error});
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
    draft_model_close(e->draft);
    sampler_close(e->sampler);
    arena_free(e->arena);
}

// ---- submit and cancel ----

int engine_submit(Engine *e, const Request *request, Error *err)
{
    if (!request_check(request, &e->weights->config, &e->pool, e->options.sequences, err))
        return -1;
    Group *group = group_new(request, e->next_id, &e->weights->config);
    Choice *choice = group != NULL ? engine_add_choice(e, group, 0, request->prompt) : NULL;
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
        engine_finish(e, choice, FINISH_CANCELLED, NULL);
    }
}

// ---- a step ----

// Of sequences that decode. The draft model's tokens come once it is known how many fit.
static void draft(const Engine *e, Sequence *s)
{
    const int room = s->max_count - s->count - 1, most = smaller(e->options.drafts, room);
    const Group *group = ((const Choice *)s->owner)->group;
    if (most < 1 || s->computed != s->count - 1 || group->begun < group->request.choices ||
        group->search != NULL)
        return;
    s->drafts = e->draft != NULL
                    ? most
                    : ngram_draft(s->tokens, s->count, (NgramOptions){.longest = 3, .shortest = 1},
                                  s->tokens + s->count, most);
}

// Where all that runs are beams that wait for others, and these have no blocks, the last one gives up its own.
static int next_step(Scheduler *s, const Scheduled **list)
{
    int count;
    while ((count = scheduler_step(s, list)) == 0) {
        REQUIRE(s->running_count > 0 || s->waiting.count > 0, "a step of no sequence");
        if (s->running_count > 0) scheduler_preempt(s, s->running[s->running_count - 1]);
    }
    return count;
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
    const int count = next_step(s, &list);
    if (e->draft != NULL) draft_model_step(e->draft, list, count, &s->copies);
    const float *logits = runner_step(e->runner, list, count, &s->copies);
    for (int i = 0; i < count; i++) {
        const Choice *choice = list[i].sequence->owner;
        const int rows = list[i].samples ? 1 + list[i].sequence->drafts : 0;
        e->statistics.computed_tokens += list[i].count;
        if (rows == 0) scheduler_done(s, &list[i], NULL, 0);
        else if (choice->group->search != NULL) beams_offer(e, &list[i], logits);
        else
            decode_entry(e, &list[i], logits,
                         e->draft != NULL ? draft_model_distributions(e->draft, i) : NULL);
        logits += (size_t)rows * (size_t)e->weights->config.vocabulary;
    }
    decode_fork_choices(e);
    beams_step(e);
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
