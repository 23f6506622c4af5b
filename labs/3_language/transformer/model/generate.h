/* generate.h -- text token by token: the choice of the next one, and the loop.
 *
 *     Sampling sampling = {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f};
 *     Rng rng = rng_from_seed(42);
 *     int count = generate(&generation, prompt, prompt_count, print_token, &screen);
 */
#pragma once
#include "common/rng.h"
#include "labs/3_language/transformer/model/model.h"

typedef struct Sampling {
    float temperature;    // divides the logits; 0: the largest logit, the first of equals
    int top_k;            // only the k largest; 0: all
    float top_p;    // only the most likely ones that together have this probability; 0 and 1: all
} Sampling;

bool sampling_check(Sampling sampling,
                    Error *err);    // temperature >= 0, top_k >= 0, 0 <= top_p <= 1

// One token of the n logits. Those that are cut off have probability 0; the most likely one never is.
// Work: room for n numbers and their places.
int sample_token(const float *logits, int n, Sampling sampling, Rng *rng, Arena *work);

typedef struct Generation {
    const Model *model;
    KvCache *cache;
    Tape *tape;    // reset after each token
    Sampling sampling;
    Rng *rng;
    int most;    // tokens to generate
    int stop;    // a token that ends the text, and is not passed on; -1: none
} Generation;

// Called with each token as it is chosen; false ends the generation.
typedef bool OnToken(void *context, int token);

// Goes on from the cache by the prompt's tokens (at least one, each below the vocabulary), then token by
// token until `most`, `stop`, a full cache, or on_token says so. Returns the number of tokens passed on.
int generate(const Generation *generation, const int *prompt, int count, OnToken *on_token,
             void *context);
