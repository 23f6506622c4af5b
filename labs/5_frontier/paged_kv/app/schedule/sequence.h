/* sequence.h -- one request in the engine: its tokens, its blocks, its progress.
 *
 *     Sequence *s = sequence_new(id, prompt, prompt_count, prompt_count + 100, pool.block_size);
 *     s->priority = 1;
 *     ...                  // scheduler_submit() and steps, until it is finished
 *     sequence_free(s);
 *
 * tokens[0 .. count) are known: the prompt and the sampled tokens. Keys and values of the first
 * `computed` tokens are in the KV cache. The rest is to be computed: in prefill a part of the prompt, in
 * decode one token, the last one sampled. For speculative decoding, `drafts` draft tokens may follow.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/block_table.h"

typedef enum SequenceState {
    SEQUENCE_NEW,
    SEQUENCE_WAITING,
    SEQUENCE_RUNNING,      // the only state with blocks
    SEQUENCE_PREEMPTED,    // waiting again, to be recomputed
    SEQUENCE_FINISHED
} SequenceState;

typedef struct Sequence {
    int id;
    int32_t *tokens;    // [max_count]
    int prompt, count, max_count;
    int computed;
    int drafts;      // tokens[count .. count + drafts)
    int domain;      // of the prefix cache: prefix_cache.h
    int priority;    // higher is served earlier: scheduler.h
    SequenceState state;
    BlockTable table;
    void *owner;    // for the caller
    void *plan;     // a planner's own (scheduler.h)
    // For the scheduler:
    int64_t rank;    // lower is served first
    int place;       // in the heap of waiting sequences
    // Statistics:
    int hits;    // prompt tokens found in the prefix cache at the first admission
    int preemptions;
} Sequence;

// NULL: no memory. The prompt is copied.
Sequence *sequence_new(int id, const int32_t *prompt, int count, int max_count, int block_size);
void sequence_free(Sequence *sequence);    // NULL is fine
