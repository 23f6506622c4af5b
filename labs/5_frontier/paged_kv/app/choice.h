/* choice.h -- the engine's own: a choice of a request on its way, and what was copied of its request.
 *
 * The choices of a request are a group. It is freed with the last of them. With beam search they are its beams.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/request.h"
#include "labs/5_frontier/paged_kv/app/sampling/output.h"
#include "labs/5_frontier/paged_kv/app/schedule/sequence.h"

typedef struct Group {
    Request request;    // its prompt is in the sequences
    int id;
    int live;              // choices that have not been freed
    int begun;             // choices that have begun
    BeamSearch *search;    // NULL without
    char *memory;
} Group;

typedef struct Choice {
    Group *group;
    int index;
    Sequence *sequence;    // its id is the request's
    Output *output;        // NULL without a tokenizer
    bool
        forks;    // has its first token, and shares the first choice's blocks from the next step on
    int state;    // of the constraint
    float score;    // of the beam's text
    FinishReason finish;
} Choice;

// NULL: no memory. max_tokens 0 becomes what the context has room for, and stop_tokens all that end a text.
Group *group_new(const Request *request, int id, const ModelConfig *config);
void group_free(Group *group);    // one without choices; NULL is fine

// NULL: no memory.
Choice *choice_new(Group *group, int index, const int32_t *prompt, int block_size,
                   const Tokenizer *tokenizer);
void choice_free(Choice *choice);    // its sequence is finished

// Calls on_event() with this choice's id and number.
void choice_send(const Choice *choice, EngineEvent event);
