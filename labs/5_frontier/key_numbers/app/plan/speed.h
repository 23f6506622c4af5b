/* speed.h -- how fast a GPU can answer at best: the roofline of a prompt's pass and of a new token's.
 *
 *     Speed speed;
 *     if (!speed_plan(arena, &deployment, &gpu_spec, efficiency, drafting, price, &speed, &err)) ...
 *     speed.prefill.bounds.seconds                // time to first token
 *     speed.decode.bounds.seconds                 // time for an output token
 *
 * A step is shared by the tp x ep GPUs of a stage, and the stages of a pipeline follow one another: their
 * times are added up here. (While one stage works on a batch, the others can work on further
 * ones: pp of them give pp times the tokens.) All products count at the format's peak.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"

typedef struct Efficiency {
    double compute, memory;    // the shares of the peak and of the bandwidth that are reached
    double host;               // bytes/s of the host's memory, for what stays there
} Efficiency;

// Speculative decoding (Leviathan et al. 2023): a small model drafts tokens one by one, the model checks all
// of them in one step, and those before the first that it rejects are kept, with one of its own.
typedef struct Drafting {
    uint64_t tokens;      // drafted in a step
    double acceptance;    // of each, by itself
} Drafting;

// What the model asks of one GPU.
typedef struct Load {
    const Model *model;
    Split split;
    Efficiency efficiency;
    double peak, bandwidth;     // of the GPU, before efficiency
    double link;                // bytes/s to its neighbours; 0: not known
    uint64_t context;           // tokens of a prompt
    double steps;               // that it is worked on in; each reads the weights again
    double step_tokens;         // the most that one of them works on
    double prompt_weights;      // bytes that a step of a prompt reads, routed experts left out
    double token_weights;       // the same of a new token
    double experts;             // bytes of all routed ones that the GPU has
    uint64_t routed, active;    // of the whole model, in a layer
    double cache_token;         // bytes that a token leaves
    double cache_request;       // bytes that a request's next token reads
    double prompt_flops;        // of a whole prompt, on all GPUs together
    double token_flops;         // of one new token, the same
    bool decodes;               // false of an encoder
    HostBytes host;             // of the weights above, what stays in the host's memory
    double prefix_flops;        // of prompt_flops, what a cached prefix saves
    double prefix_steps;
} Load;

typedef struct StepTime {
    double flops, bytes;    // of each GPU
    KnBounds bounds;
    double tokens;    // that it works on, in each expert-parallel group: decoding, one of a request
    double touched;    // the share of a layer's experts that a token is sent to, expected
    double host;       // seconds, in the bounds: what the host's memory is read for
    double link;       // seconds of all-reduces, not in the bounds; 0: none, or not known
} StepTime;

enum { SPEED_BATCHES = 9 };    // 1, 2, 4, ... 256

typedef struct Speed {
    const char
        *unknown;    // why nothing below is known: the GPU's peak or bandwidth is not; else NULL
    Load load;
    StepTime cached;     // the same with the common prefix in the cache
    StepTime prefill;    // prompts of `context` tokens, one in each expert-parallel group
    // Of decoding; 0 of an encoder.
    uint64_t batch;    // requests at the same time
    StepTime decode;
    double tokens_per_second;    // of all requests together
    StepTime batches[SPEED_BATCHES];
    bool fits[SPEED_BATCHES];                // whether memory has room for that batch
    uint64_t compute_bound_batch;            // the least that is bound by compute; 0: none
    Drafting drafting;                       // where the deployment has a model that drafts:
    double draft_seconds, verify_seconds;    // of a step: drafting all tokens; checking them
    double draft_kept;                       // tokens that a step yields, (1 - a^(k+1)) / (1 - a)
    double draft_rate;                       // tokens/s of all requests
    double price;                            // dollars for a GPU and hour; 0: none is given
    double prompt_dollars, token_dollars;    // for a million tokens, read and written at this batch
} Speed;

bool speed_plan(Arena *arena, const Deployment *deployment, const GpuSpec *gpu,
                Efficiency efficiency, Drafting drafting, double price, Speed *speed, Error *err);
