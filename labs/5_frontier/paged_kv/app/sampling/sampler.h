/* sampler.h -- the next token of a request, from its logits and the tokens so far.
 *
 *     Sampler *sampler = sampler_new(vocabulary);    // work memory, one for each thread
 *     SamplerOptions options = {.temperature = .8f, .top_p = .95f, .seed = 42, .log_probabilities = -1};
 *     if (!sampler_check(&options, vocabulary, &err)) ...
 *     Sampled next;
 *     SamplerContext context = {.logits = row, .tokens = tokens, .prompt = 12, .count = 20};
 *     if (!sampler_step(sampler, &options, &context, &next, &err)) ...
 *     sampler_close(sampler);
 *
 * Nothing is remembered between calls: a token is a function of its logits, the tokens before it, the options
 * and its position, so that it does not depend on other requests, on preemption or on who runs the step. The
 * random number of a position is computed from (seed, sample, position) by Philox (kernels/philox.h).
 *
 * In this order, that of vLLM's V1 sampler:
 *     allowed             tokens outside the mask get -infinity
 *     bias                is added
 *     repetition penalty  of tokens of prompt and output: a logit above 0 is divided by it, another multiplied
 *                         (Keskar et al. 2019, CTRL)
 *     frequency penalty   times the number of times in the output, and
 *     presence penalty    once for a token of the output, are subtracted (the OpenAI API's definition)
 *     temperature         divides; 0 takes the largest logit, of equals the first, and ends here
 *     min_p               keeps probabilities of at least min_p times the largest (Nguyen et al. 2024)
 *     top_k               keeps the k largest, of equals the first
 *     top_p               keeps the fewest of the largest that have this share together (Holtzman et al. 2020)
 * llama.cpp has bias, penalties, top_k, top_p, min_p and the temperature last: there a temperature above 1
 * does not bring back what top_p has cut off.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/sampling/token_mask.h"

enum { LIKELIEST_MAX = 20, BIASES_MAX = 1024 };

typedef struct LogitBias {
    int token;
    float bias;    // -INFINITY forbids the token
} LogitBias;

// Of one request. All zero is greedy, but log_probabilities 0, which asks for those of the tokens.
typedef struct SamplerOptions {
    float temperature;
    int top_k;                   // 0: all
    float top_p;                 // 0 and 1: all
    float min_p;                 // 0: all
    float repetition_penalty;    // 0 and 1: none
    float presence_penalty, frequency_penalty;
    const LogitBias *bias;
    int bias_count;
    uint64_t seed;
    int log_probabilities;    // of how many of the likeliest tokens; -1: not even of the sampled one
} SamplerOptions;

// What is out of range, in one sentence.
bool sampler_check(const SamplerOptions *options, int vocabulary, Error *err);

// Where a request stands.
typedef struct SamplerContext {
    const float *logits;    // [V], on the host
    const int32_t *tokens;
    int prompt, count;           // the first `prompt` of `count` tokens are the prompt's
    const TokenMask *allowed;    // NULL: all
    int sample;                  // of a request with several: 0, 1, ...
} SamplerContext;

typedef struct TokenLogProbability {
    int token;
    float log_probability;
} TokenLogProbability;

// The log-probabilities are the model's own, before bias, penalties and temperature.
typedef struct Sampled {
    int token;
    float log_probability;
    int likeliest_count;
    TokenLogProbability likeliest[LIKELIEST_MAX];
} Sampled;

typedef struct Sampler Sampler;
Sampler *sampler_new(int vocabulary);    // NULL: no memory
void sampler_close(Sampler *sampler);    // NULL is fine

// False where a logit is NaN, or no token is left.
bool sampler_step(Sampler *sampler, const SamplerOptions *options, const SamplerContext *context,
                  Sampled *out, Error *err);

// The k likeliest tokens by the model's own probabilities, the likeliest first, k at most V: a beam's step.
// Of equals the first is first.
bool sampler_likeliest(Sampler *sampler, const float *logits, int k, TokenLogProbability *out,
                       Error *err);

// ---- the parts of a step, for speculation ----

typedef struct TokenWeight {
    int token;
    float weight;
} TokenWeight;

// What a token is drawn from: its probability is its weight over the sum.
typedef struct Distribution {
    const TokenWeight
        *list;    // each token once, weights above 0; the sampler's until its next call
    int count;
    double sum;
} Distribution;

// The logits after mask, bias and penalties; the sampler's until its next call, or the caller's own.
const float *sampler_logits(Sampler *sampler, const SamplerOptions *options,
                            const SamplerContext *context);

bool sampler_distribution(Sampler *sampler, const SamplerOptions *options,
                          const SamplerContext *context, Distribution *out, Error *err);
// What is asked for of a token that was chosen: its log-probabilities.
bool sampler_report(Sampler *sampler, const SamplerOptions *options, const SamplerContext *context,
                    int token, Sampled *out, Error *err);
int sampler_vocabulary(const Sampler *sampler);
double *sampler_scratch(Sampler *sampler);    // [V] zeros, to be left so

int distribution_draw(const Distribution *distribution, double u);    // u in [0,1)
double distribution_probability(const Distribution *distribution, int token);

// What a random number is for: those of one position are independent.
typedef enum DrawPurpose { DRAW_TOKEN, DRAW_DRAFT, DRAW_ACCEPT, DRAW_RESIDUAL } DrawPurpose;
// [0,1), in steps of 2^-53.
double sampler_uniform(const SamplerOptions *options, int sample, int position,
                       DrawPurpose purpose);
