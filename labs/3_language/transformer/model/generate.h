/* generate.h -- text token by token: the choice of the next one, and the loop.
 *
 *     Rng rng = rng_from_seed(42);
 *     Generation generation = {.model = &model, .cache = cache, .tape = tape, .rng = &rng, .most = 100,
 *                              .sampling = {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f}};
 *     if (generate(&generation, prompt, count, print_token, &screen, &err) < 0) ...
 */
#pragma once
#include "common/rng.h"
#include "labs/3_language/transformer/model/model.h"

typedef struct Sampling {
    float temperature;    // divides the logits; 0: the largest logit, the first of equals
    int top_k;            // only the k largest; 0: all
    float top_p;          // of those, the most likely that together have this probability; 0: all
} Sampling;

bool sampling_check(Sampling sampling, Error *err);    // what is negative, above 1 or no number

// One token of the n logits; -1 where one is NaN, or none is above -infinity. Of equal logits the first is
// kept first, and the most likely one always is. The arena holds the work, and is taken back.
int sample_token(const float *logits, int n, Sampling sampling, Rng *rng, Arena *work);

// Called with each token as it is chosen; false ends the generation.
typedef bool OnToken(void *context, int token);

typedef struct Generation {
    const Model *model;
    KvCache *cache;    // of the tokens before the prompt, if there are any
    Tape *tape;        // quiet from here on; reset before each token
    Sampling sampling;
    Rng *rng;
    int most;    // tokens to choose
} Generation;

// Goes on from the cache by the prompt, at least one token, then by one token after the other: until `most`,
// one of the config's stops (which is not passed on), a full cache, or on_token() says so. The number of
// tokens passed on; -1 and a message when the prompt does not fit or a logit is not a number.
int generate(const Generation *generation, const int *prompt, int count, OnToken *on_token,
             void *context, Error *err);
