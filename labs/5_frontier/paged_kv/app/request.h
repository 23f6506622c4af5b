/* request.h -- what is asked of the engine, and what it answers.
 *
 *     Request request = {.prompt = ids, .prompt_count = 12, .max_tokens = 100, .on_event = print_event};
 *
 * A request has one or more choices: continuations of its prompt, drawn independently, or the best that a beam
 * search finds. Each token of each choice is an event, and so is each choice's end.
 */
#pragma once
#include "labs/3_language/transformer/model/config.h"
#include "labs/5_frontier/paged_kv/app/memory/block_table.h"
#include "labs/5_frontier/paged_kv/app/sampling/beam_search.h"
#include "labs/5_frontier/paged_kv/app/sampling/constraint.h"
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"

typedef enum FinishReason {
    FINISH_NONE,      // it goes on
    FINISH_STOP,      // a token that ends a text, or a stop string
    FINISH_LENGTH,    // `max_tokens`
    FINISH_CANCELLED,
    FINISH_ERROR
} FinishReason;

// A token, or the end. What it points to lives until on_event() returns.
typedef struct EngineEvent {
    int id, choice;
    int cached;                // tokens of the prompt that were found in the prefix cache
    const Sampled *sampled;    // NULL at the end
    const char *text;          // valid UTF-8 to be shown now; "" without a tokenizer
    size_t bytes;
    FinishReason finish;
    float score;          // of beam search, at the end: the higher the better
    const char *error;    // FINISH_ERROR: a sentence
} EngineEvent;

enum { REQUEST_CHOICES_MAX = 1024 };

typedef struct Request {
    const int32_t *prompt;
    int prompt_count;
    int max_tokens;    // of each choice; 0: as many as the context holds
    int choices;       // 0: one
    SamplerOptions sampling;
    BeamOptions
        beams;    // instead of sampling: the choices are the best texts, and come at the end
    const char *const *stop_strings;    // none is empty
    int stop_string_count;
    const int32_t *stop_tokens;    // in addition to the model's own
    int stop_token_count;
    bool ignore_stop_tokens;    // for benchmarks
    int priority, domain;       // sequence.h
    Constraint *constraint;     // of its texts, or NULL; borrowed until the request has ended
    void (*on_event)(void *context, const EngineEvent *event);    // or NULL
    void *context;
} Request;

// What can never be served by this model with these blocks and so many sequences at once, in one sentence.
bool request_check(const Request *request, const ModelConfig *config, const BlockPool *pool,
                   int sequences, Error *err);
