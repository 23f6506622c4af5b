/* sequence.h -- one text on its way through the engine: its tokens, its blocks, how far it is.
 *
 *     Sequence *s = sequence_new(id, prompt, prompt_count, prompt_count + 100);
 *     s->priority = 1;
 *     ...                  // a scheduler's: waiting, running, perhaps preempted, finished
 *     sequence_free(s);    // once it is finished
 *
 * tokens[0 .. count) are known: the prompt and what was sampled. Keys and values of the first `computed`
 * are in its blocks. The model is to be run for the rest; of a sequence that generates, that is one: the
 * last that was sampled. `drafts` further tokens may follow as guesses (speculative decoding).
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/block_table.h"

typedef enum SequenceState {
    SEQUENCE_NEW,
    SEQUENCE_WAITING,      // not computed yet, or to be computed again
    SEQUENCE_RUNNING,      // has blocks
    SEQUENCE_PREEMPTED,    // waiting, after its blocks were taken away
    SEQUENCE_FINISHED      // has none
} SequenceState;

typedef struct Sequence {
    int id;
    int32_t *tokens;    // [most]
    int prompt, count, most;
    int computed;
    int drafts;      // tokens[count .. count + drafts)
    int domain;      // equal tokens of different domains share nothing (prefix_cache.h)
    int priority;    // how many places of waiting it is worth: see scheduler.h
    SequenceState state;
    BlockTable table;
    void *owner;    // the caller's
    // The scheduler's:
    int64_t rank;    // less is served first
    int place;       // in the heap of those that wait
    bool ordered;    // has its rank
    // What happened to it:
    int hits;    // prompt tokens that were in the cache when it was first admitted
    int preemptions;
} Sequence;

// NULL: no memory. The prompt is copied.
Sequence *sequence_new(int id, const int32_t *prompt, int count, int most, int block_size);
void sequence_free(Sequence *sequence);    // NULL is fine
