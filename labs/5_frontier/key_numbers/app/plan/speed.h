/* speed.h -- how fast a GPU can answer at best: the roofline of a prompt's pass and of a new token's.
 *
 *     Load load;
 *     if (!load_of(&load, arena, &basis, &question, split, &err)) ...    // what the model asks of a GPU
 *     Step step = load_decode(&load, 64);                                // one token for each of 64 requests
 *     step.bounds.seconds, step.bounds.memory_bound
 *
 * A step is shared by the tp x ep GPUs of a stage, and the stages of a pipeline follow one another: their
 * times add up to what is told here. (While one stage works on a batch, the others can work on further
 * ones: pp of them give pp times the tokens.) All products count at the format's peak.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/inference.h"

// What the model asks of one GPU.
typedef struct Load {
    const Model *model;
    const Question *question;
    Split split;
    double peak, bandwidth;     // of the GPU
    double prompt_weights;      // bytes that a step of a prompt reads, routed experts left out
    double token_weights;       // the same of a new token
    double experts;             // bytes of all routed ones that the GPU has
    uint64_t routed, active;    // of the whole model, in a layer
    double cache_token;         // bytes that a token leaves
    double cache_request;       // bytes that a request's next token reads
    double prompt_flops;        // of a whole prompt, on all GPUs together
    double token_flops;         // of one new token, the same
    bool decodes;               // false of an encoder
} Load;

// False, and why, where the GPU's peak or bandwidth is not known.
bool load_of(Load *load, Arena *arena, const ServingBasis *basis, const Question *question,
             Split split, Error *err);

typedef struct Step {
    double flops, bytes;    // of each GPU
    KnBounds bounds;
    double link;    // seconds of all-reduces, not in the bounds; 0: none, or not known
} Step;

// Of the prompts of question->context tokens, one in each expert-parallel group: they are worked on in
// steps of step_tokens, and each reads the weights again. The cache is written once.
Step load_prefill(const Load *load);
double load_prefill_steps(const Load *load);
// Of one new token for each of `batch` requests.
Step load_decode(const Load *load, uint64_t batch);
double load_requests(const Load *load, uint64_t batch);    // of those, in each group
// The share of a layer's experts that at least one of so many tokens is sent to, when they are sent
// evenly: 1 - (1 - k/E)^tokens.
double load_touched(const Load *load, double tokens);
// The least batch whose step is bound by compute; 0: none.
uint64_t load_compute_bound_batch(const Load *load);
