/* world.h -- a scheduler, its pool and a model that only counts, with what holds after every event and every step.
 *
 *     World w;
 *     open_world(&w, 12, 4, &radix_tree, (SchedulerOptions){.budget = 16, .max_running = 4});
 *     Sequence *s = submit(&w, prompt, 5, 20);
 *     run(&w, 100);
 *     expect_finished(&w);    // with the tokens that each would generate alone
 *     close_world(&w);
 */
#pragma once
#include <string.h>
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/tests/audit.h"
#include "labs/5_frontier/paged_kv/app/tests/fake_model.h"

enum { MAX_SEQUENCES = 100, MAX_RUNNING = 8, ENTRIES = 112 };

typedef struct World {
    Arena *arena;
    BlockPool pool;
    Scheduler *scheduler;
    FakeModel model;
    Sequence *all[MAX_SEQUENCES];
    struct Before {
        int32_t blocks[ENTRIES];
        int cached, preemptions;
    } before[MAX_SEQUENCES];    // tables at the event before
    int held[MAX_SEQUENCES];    // a beam that waits: its next token and 1; else 0
    int count, at_once;         // at_once: the most that ran at the same time
    bool holds;                 // some wait
    int64_t events;
    bool refuses;       // some allocations fail
    bool artificial;    // the test preempts
    bool sharing;       // tables may share blocks
    Rng rng;
} World;

// ---- what holds after every event ----

// Cached entries of a running sequence stay as they are.
static inline void audit_table(const Sequence *s, struct Before *before)
{
    if (s->preemptions > before->preemptions || s->state != SEQUENCE_RUNNING) before->cached = 0;
    for (int i = 0; i < before->cached; i++)
        assert_that(s->table.blocks[i] == before->blocks[i], "entry %d of sequence %d has changed",
                    i, s->id);
    assert_true(s->table.count <= ENTRIES);
    memcpy(before->blocks, s->table.blocks, (size_t)s->table.count * sizeof(int32_t));
    before->cached = s->table.cached;
    before->preemptions = s->preemptions;
}

static inline void audit_all(World *w)
{
    for (int i = 0; i < w->count; i++) audit_table(w->all[i], &w->before[i]);
    const BlockTable *tables[MAX_SEQUENCES];
    for (int i = 0; i < w->count; i++) tables[i] = &w->all[i]->table;
    audit(&w->pool, tables, w->count);
    for (int i = 0; i < w->count; i++)
        if (w->all[i]->state != SEQUENCE_RUNNING)
            assert_integer("blocks of a sequence that is not running", w->all[i]->table.count, 0);
}

static inline void on_event(void *context, const SchedulerEvent *e)
{
    World *w = context;
    w->events++;
    audit_all(w);
    if (e->kind == EVENT_ADMITTED) {
        for (int i = 0; i < w->scheduler->waiting.count; i++)
            assert_that(!sequence_before(w->scheduler->waiting.heap[i], e->sequence),
                        "sequence %d is admitted before sequence %d", e->sequence->id,
                        w->scheduler->waiting.heap[i]->id);
        assert_that(e->count < e->sequence->count, "all %d tokens of sequence %d are hits",
                    e->count, e->sequence->id);
    }
    if (e->kind == EVENT_PREEMPTED && !w->artificial) {
        assert_that(!w->scheduler->options.worst_case || w->refuses,
                    "worst-case admission preempts sequence %d", e->sequence->id);
        assert_that(e->count > 0 || w->sharing || w->refuses,
                    "sequence %d was preempted and freed nothing", e->sequence->id);
    }
}

static inline bool refuses(void *context)
{
    World *w = context;
    return w->refuses && rng_below(&w->rng, 4) == 0;
}

static inline void open_world(World *w, int blocks, int size, const PrefixKind *kind,
                              SchedulerOptions options)
{
    *w = (World){.arena = arena_new("world", 16u << 20), .sharing = kind != NULL};
    w->pool = block_pool_new(w->arena, blocks, size, kind);
    w->pool.refuse = refuses;
    w->pool.context = w;
    w->scheduler = scheduler_open(&w->pool, options);
    w->scheduler->on_event = on_event;
    w->scheduler->context = w;
    w->model = fake_model_new(&w->pool);
}

static inline void close_world(World *w)
{
    scheduler_close(w->scheduler);
    assert_integer("idle blocks at the end", w->pool.idle, w->pool.blocks);
    for (int i = 0; i < w->count; i++) sequence_free(w->all[i]);
    free(w->model.slots);
    arena_free(w->arena);
}

static inline Sequence *add(World *w, const int32_t *prompt, int count, int most)
{
    Sequence *s = sequence_new(w->count, prompt, count, most, w->pool.block_size);
    return w->all[w->count++] = s;
}

static inline Sequence *submit(World *w, const int32_t *prompt, int count, int most)
{
    Error err;
    Sequence *s = add(w, prompt, count, most);
    assert_that(scheduler_submit(w->scheduler, s, &err), "%s", err.message);
    return s;
}

// A step, with the properties of every step. Returns the number of entries.
static inline int step(World *w, const Scheduled **list)
{
    Scheduler *s = w->scheduler;
    int generating = 0, budget = 0, served = 0;
    const Sequence *before[MAX_RUNNING];
    for (int i = 0; i < s->running_count; i++)
        if (s->running[i]->computed == s->running[i]->count - 1)
            before[generating++] = s->running[i];
    const int64_t preempted = s->preemptions;
    const int count = scheduler_step(s, list);
    bool waits = false;
    for (int i = 0; i < s->running_count; i++) waits = waits || w->held[s->running[i]->id] > 0;
    assert_that(count > 0 || w->refuses || waits || scheduler_is_idle(s) ||
                    s->preemptions > preempted,
                "nothing is computed, and %d sequences run", s->running_count);
    if (s->running_count > w->at_once) w->at_once = s->running_count;
    for (int e = 0; e < count; e++) {
        budget += (*list)[e].count;
        assert_that((*list)[e].count > 0, "no token of sequence %d", (*list)[e].sequence->id);
        for (int f = 0; f < e; f++)
            assert_that((*list)[e].sequence != (*list)[f].sequence, "sequence %d is there twice",
                        (*list)[e].sequence->id);
    }
    assert_that(budget <= s->options.budget, "%d tokens of a budget of %d", budget,
                s->options.budget);
    for (int i = 0; i < generating; i++) {
        bool there = before[i]->state == SEQUENCE_PREEMPTED;
        for (int e = 0; e < count; e++) there = there || (*list)[e].sequence == before[i];
        served += there;
    }
    assert_integer("generating sequences that were served", served, generating);
    if (s->options.worst_case)
        assert_that(scheduler_reserved(s) <= w->pool.idle, "%d blocks are reserved and %d idle",
                    scheduler_reserved(s), w->pool.idle);
    return count;
}

static inline void compute(World *w, const Scheduled *list, int count)
{
    int32_t sampled[MAX_RUNNING][8];
    int counts[MAX_RUNNING];
    fake_model_copy(&w->model, &w->scheduler->copies);
    fake_model_run(&w->model, list, count, sampled, counts);
    for (int e = 0; e < count; e++) {
        const Sequence *s = list[e].sequence;
        int *held = &w->held[s->id];
        // A beam that was preempted while it waited is computed again, and goes on waiting.
        if (list[e].samples && s->drafts == 0 && s->state == SEQUENCE_RUNNING && w->holds &&
            (*held > 0 || rng_below(&w->rng, 8) == 0)) {
            *held = sampled[e][0] + 1;
            counts[e] = 0;
        }
        scheduler_done(w->scheduler, &list[e], sampled[e], counts[e]);
        if (s->state == SEQUENCE_RUNNING)
            assert_integer("blocks, for what is computed", s->table.count,
                           blocks_for_tokens(&w->pool, s->computed));
    }
}

// Until all are finished, or for `most` steps.
static inline int run(World *w, int most)
{
    const Scheduled *list;
    int steps = 0;
    for (; steps < most && !scheduler_is_idle(w->scheduler); steps++) {
        const int count = step(w, &list);
        compute(w, list, count);
    }
    return steps;
}

static inline void expect_own_tokens(const Sequence *s)
{
    uint64_t print = fingerprint_of(s, s->prompt);
    for (int i = s->prompt; i < s->count; i++) {
        assert_that(s->tokens[i] == next_token(print),
                    "token %d of sequence %d is %d, alone it is %d", i, s->id, s->tokens[i],
                    next_token(print));
        print = fingerprint(print, s->tokens[i]);
    }
}

static inline void expect_finished(const World *w)
{
    for (int i = 0; i < w->count; i++) {
        assert_integer("tokens", w->all[i]->count, w->all[i]->max_count);
        expect_own_tokens(w->all[i]);
    }
}
