/* scheduler.h -- which tokens of which sequences the next step computes (continuous batching).
 *
 *     Scheduler *s = scheduler_open(&pool, (SchedulerOptions){.budget = 512, .most_running = 64});
 *     if (!scheduler_submit(s, sequence, &err)) ...          // it can never fit
 *     const Scheduled *list;
 *     while ((count = scheduler_step(s, &list)) > 0) {
 *         // copy s->copies; run the model on the list; sample from each that `samples`; then
 *         for (int i = 0; i < count; i++) scheduler_done(s, &list[i], sampled[i], sampled_count[i]);
 *     }
 *     scheduler_close(s);
 *
 * A step has a budget of tokens. First every sequence that generates gets its token, then prompts that
 * were begun go on in chunks, then others are admitted: so no prompt, however long, delays the others'
 * next token (Sarathi-Serve). Sequences are served by rank: that of the n-th to arrive is n, less its
 * priority times `patience`. So a priority is worth a number of places, and nobody waits for ever.
 *
 * Optimistic admission takes a sequence in once the tokens it has fit, and hopes that others finish
 * before it grows. When a block is missing, the sequence of the highest rank whose blocks help is
 * preempted: it loses them, waits, and is computed again later (mostly from the prefix cache). Worst-case
 * admission waits until a sequence fits at its longest, and never preempts.
 *
 * Everything is deterministic, and a step allocates no memory.
 */
#pragma once
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/schedule/waiting.h"

typedef struct SchedulerOptions {
    int budget;          // tokens in a step, at most; no less than most_running
    int most_running;    // sequences at once
    int chunk;           // of a prompt's tokens in a step, at most; 0: as the budget allows
    int watermark;       // blocks that optimistic admission leaves idle
    int patience;        // places that a priority of 1 is worth
    bool worst_case;     // admission
} SchedulerOptions;

// The tokens [first, first + count) of a sequence. Keys and values are to be written from token `write`
// on: those before it are in the cache, in a block that others read. After the last one comes a
// sample, or as many as there are drafts and one more; unless the prompt goes on in the next step.
typedef struct Scheduled {
    Sequence *sequence;
    int first, count, write;
    bool samples;
} Scheduled;

typedef enum SchedulerEventKind {
    EVENT_SUBMITTED,
    EVENT_ADMITTED,     // count: tokens found in the prefix cache
    EVENT_SCHEDULED,    // first, count: tokens
    EVENT_COPIED,       // first, count: blocks, from and to
    EVENT_PREEMPTED,    // count: blocks that became idle
    EVENT_FORKED,       // first: the parent's id
    EVENT_FINISHED,
    EVENT_CANCELLED
} SchedulerEventKind;

typedef struct SchedulerEvent {
    SchedulerEventKind kind;
    int64_t step;
    const Sequence *sequence;
    int first, count;
} SchedulerEvent;

typedef struct Scheduler {
    SchedulerOptions options;
    BlockPool *pool;
    Waiting waiting;
    Sequence **running;    // by rank
    int running_count;
    Scheduled *list;         // of this step
    int list_count, left;    // of the budget
    BlockCopies copies;      // to be made before this step computes anything
    int64_t step, arrived, preemptions;
    void (*on_event)(void *context, const SchedulerEvent *event);    // or NULL
    void *context;
} Scheduler;

// NULL: no memory. The pool is borrowed.
Scheduler *scheduler_open(BlockPool *pool, SchedulerOptions options);
void scheduler_close(Scheduler *s);    // NULL is fine; sequences that it holds are finished

// False: it would not fit into an empty pool, and `err` says so; or there is no memory.
bool scheduler_submit(Scheduler *s, Sequence *sequence, Error *err);

// How many entries the list has. All of them are to be computed in one step: an entry may read what
// another one writes. 0 with sequences waiting or running: a pool with `refuse` said no to all.
int scheduler_step(Scheduler *s, const Scheduled **list);

// An entry was computed, and these tokens were sampled: one, or with drafts the accepted ones and one
// more; none where it does not sample. A sequence at its `most` tokens is finished.
void scheduler_done(Scheduler *s, const Scheduled *entry, const int32_t *sampled, int count);

// The child, new, with the parent's tokens, shares the parent's blocks: for several samples of a prompt
// and for beams. Between steps. Where no more can run, it waits. False: no memory, and nothing changed.
bool scheduler_fork(Scheduler *s, const Sequence *parent, Sequence *child);

// In any state, at any time. Its blocks are free at once; an entry in the step's list is computed
// nevertheless, and scheduler_done() ignores it.
void scheduler_finish(Scheduler *s, Sequence *sequence);
void scheduler_cancel(Scheduler *s, Sequence *sequence);

// Takes the blocks of a running one away, as a step does where they are missing. For tests.
void scheduler_preempt(Scheduler *s, Sequence *sequence);

bool scheduler_is_idle(const Scheduler *s);    // nothing runs or waits
int scheduler_promised(const Scheduler *s);    // blocks that running sequences will still need
