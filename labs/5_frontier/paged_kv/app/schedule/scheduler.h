/* scheduler.h -- continuous batching: which tokens of which sequences the next step computes.
 *
 *     Scheduler *s = scheduler_open(&pool, (SchedulerOptions){.budget = 512, .max_running = 64});
 *     if (!scheduler_submit(s, sequence, &err)) ...    // it can never fit
 *     const Scheduled *list;
 *     while ((count = scheduler_step(s, &list)) > 0) {
 *         // copy the blocks of s->copies, run the model on the list, sample where `samples` is true
 *         for (int i = 0; i < count; i++) scheduler_done(s, &list[i], sampled[i], sampled_count[i]);
 *     }
 *     scheduler_close(s);
 *
 * Each step has a token budget. Decodes come first, then prefills in progress continue in chunks, then
 * waiting sequences are admitted. So a prompt, however long, never delays the next token of the others
 * (Sarathi-Serve). Sequences are served by rank: the n-th arrival has rank n - priority * patience. A
 * priority is worth a number of places in the queue, and no sequence starves.
 *
 * Optimistic admission admits a sequence when its known tokens fit, and expects others to finish before
 * it grows. When no block is left, the running sequence with the highest rank is preempted, if that
 * frees a block: it loses its blocks and is recomputed later, mostly from the prefix cache. Worst-case
 * admission admits a sequence when its longest form fits, and never preempts.
 *
 * Everything is deterministic. A step allocates no memory.
 */
#pragma once
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/schedule/waiting.h"

typedef struct SchedulerOptions {
    int budget;         // tokens per step; at least max_running
    int max_running;    // sequences at the same time
    int chunk;          // most prefill tokens of one sequence per step; 0: no limit but the budget
    int watermark;      // blocks that optimistic admission leaves idle
    int patience;       // places in the queue that a priority of 1 is worth
    bool worst_case;    // worst-case instead of optimistic admission
} SchedulerOptions;

// Compute the tokens [first, first + count) of a sequence. Write keys and values from token `write` on:
// those before it already exist, in blocks that others read. If `samples`, sample the next token after
// the last known one, and verify the draft tokens; if not, the prefill continues in another step.
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
    EVENT_PREEMPTED,    // count: blocks it freed
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

typedef struct Scheduler Scheduler;

// Another one who manages the blocks and plans the steps: a learner's functions (mine/). The sequences, who
// runs and who waits are the scheduler's all the same.
typedef struct Planner {
    void *context;
    void (*step)(void *context, Scheduler *s);    // admits, preempts, lists: see below
    void (*done)(void *context, const Scheduled *entry, const int32_t *sampled, int count);
    void (*fork)(void *context, const Sequence *parent, Sequence *child);
    void (*leave)(void *context, Sequence *sequence, bool for_good);    // gives up its blocks
} Planner;

struct Scheduler {
    SchedulerOptions options;
    const Planner *planner;    // or NULL
    BlockPool *pool;
    Waiting waiting;
    Sequence **running;    // by rank
    int running_count;
    Scheduled *list;    // of this step
    int list_count;
    int left;              // of this step's budget
    BlockCopies copies;    // to be made, in order, before this step computes anything
    int64_t step, arrived, preemptions;
    void (*on_event)(void *context, const SchedulerEvent *event);    // or NULL
    void *context;
};

// NULL: out of memory. The pool is borrowed.
Scheduler *scheduler_open(BlockPool *pool, SchedulerOptions options);
void scheduler_close(Scheduler *s);    // NULL is fine; cancels all sequences, does not free them

// False: the sequence does not even fit into an empty pool, or memory is out.
bool scheduler_submit(Scheduler *s, Sequence *sequence, Error *err);

// Returns the number of entries. They are computed together: a layer writes all keys and values before
// it reads any, because an entry may read blocks that another entry of the list fills.
int scheduler_step(Scheduler *s, const Scheduled **list);

// Reports that an entry was computed. sampled[0..count): if it `samples`, the accepted draft tokens and
// one more token; else none. A sequence that reaches max_count is finished. If it samples and there is none
// either, the sequence has nothing to compute until its caller appends a token: a beam that waits for others.
void scheduler_done(Scheduler *s, const Scheduled *entry, const int32_t *sampled, int count);

// A sequence that begins with the parent's computed tokens shares the parent's blocks, in place of its own if
// it has some: parallel sampling and beam search. Between scheduler_done() and the next step. Where no more
// sequences can run, or the parent has no blocks, it waits. It is served with its parent. False: out of memory.
bool scheduler_fork(Scheduler *s, const Sequence *parent, Sequence *child);

// In any state, at any time; frees the blocks at once. If the sequence is in the current list, compute
// its entry all the same, since others may read its blocks, and free it after scheduler_done().
void scheduler_finish(Scheduler *s, Sequence *sequence);
void scheduler_cancel(Scheduler *s, Sequence *sequence);

// Preempts a running sequence: for tests.
void scheduler_preempt(Scheduler *s, Sequence *sequence);

bool scheduler_is_idle(const Scheduler *s);    // no sequence is running or waiting
int scheduler_reserved(const Scheduler *s);    // blocks that running sequences will still need

// For a planner, in a step: a waiting sequence runs from here on; the entry is a part of the step.
// The planner preempts by scheduler_preempt().
void scheduler_admit(Scheduler *s, Sequence *sequence);
void scheduler_list(Scheduler *s, Scheduled entry);
void scheduler_copy(Scheduler *s, const Sequence *sequence, BlockCopy copy);
