/* engine_parts.h -- the engine's own: its state, and what its files share.
 *
 *     engine.c     opens, submits, steps
 *     decode.c     from a row of logits to events: a token, drafts, further choices
 *     beams.c      beam search
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/choice.h"
#include "labs/5_frontier/paged_kv/app/draft_model.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

struct Engine {
    const Weights *weights;
    const Tokenizer *tokenizer;
    EngineOptions options;
    Arena *arena;
    BlockPool pool;
    Scheduler *scheduler;
    Runner *runner;
    DraftModel *draft;    // NULL without
    Sampler *sampler;
    Choice **choices;    // that have not been freed
    int count, room;
    int next_id;
    EngineStatistics statistics;
};

// NULL: no memory.
Choice *engine_add_choice(Engine *e, Group *group, int index, const int32_t *prompt);

// Its last event. It is freed when the step is over.
void engine_finish(Engine *e, Choice *choice, FinishReason why, const char *error);

// ---- decode.c ----

// An entry of the step that samples: its rows of logits, after the last known token and after each draft, and what
// the draft model's were drawn from.
void decode_entry(Engine *e, const Scheduled *entry, const float *logits, const Distribution *q);

// After the step: further choices share the blocks of their group's first.
void decode_fork_choices(Engine *e);

// ---- beams.c ----

// The likeliest next tokens of a beam. It waits for the others of its group.
void beams_offer(Engine *e, const Scheduled *entry, const float *logits);

// After the step: the groups whose beams all have theirs go on.
void beams_step(Engine *e);
