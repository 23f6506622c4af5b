#include "labs/5_frontier/paged_kv/app/request.h"
#include <math.h>

// Beam search draws nothing, and its texts come at the end. All beams must fit at once.
static bool check_beams(const Request *r, const ModelConfig *c, const BlockPool *pool,
                        int sequences, Error *err)
{
    const int beams = r->beams.beams,
              most = r->max_tokens > 0 ? r->prompt_count + r->max_tokens : c->context;
    const SamplerOptions *o = &r->sampling;
    const int64_t blocks = (int64_t)beams * blocks_for_tokens(pool, most - 1);
    if (beams < 0 || beams > BEAMS_MAX || beams > sequences)
        return error_set(err, "%d beams, and %d can run at once", beams,
                         sequences < BEAMS_MAX ? sequences : BEAMS_MAX);
    if (beams < 2) return true;
    if (r->choices > beams) return error_set(err, "%d choices of %d beams", r->choices, beams);
    if (o->temperature > 0 || o->bias_count > 0 || o->presence_penalty != 0 ||
        o->frequency_penalty != 0 || (o->repetition_penalty != 0 && o->repetition_penalty != 1))
        return error_set(err, "beam search goes with no temperature, penalty or bias");
    if (o->log_probabilities > 0 || r->constraint != NULL || r->stop_string_count > 0)
        return error_set(err,
                         "beam search goes with no stop strings, schema or alternative tokens");
    if (!(fabsf(r->beams.length_penalty) <= 100))
        return error_set(err, "length_penalty is %g, expected -100 to 100",
                         (double)r->beams.length_penalty);
    if (beams + c->stop_count + r->stop_token_count > c->vocabulary)
        return error_set(err, "%d beams of a vocabulary of %d tokens", beams, c->vocabulary);
    return blocks <= pool->blocks ||
           error_set(err,
                     "%d beams of %d tokens need %lld blocks of %d, and the cache has %d: ask for "
                     "fewer tokens, or give it more memory",
                     beams, most, (long long)blocks, pool->block_size, pool->blocks);
}

bool request_check(const Request *r, const ModelConfig *c, const BlockPool *pool, int sequences,
                   Error *err)
{
    if (r->prompt_count < 1) return error_set(err, "the prompt is empty");
    if (r->max_tokens < 0 || r->choices < 0 || r->choices > REQUEST_CHOICES_MAX)
        return error_set(
            err, "%d tokens of %d choices, expected positive numbers and at most %d choices",
            r->max_tokens, r->choices, REQUEST_CHOICES_MAX);
    for (int i = 0; i < r->stop_string_count; i++)
        if (r->stop_strings[i] == NULL || r->stop_strings[i][0] == '\0')
            return error_set(err, "stop string %d is empty", i);
    for (int i = 0; i < r->prompt_count; i++)
        if (r->prompt[i] < 0 || r->prompt[i] >= c->vocabulary)
            return error_set(err, "token %d of the prompt is %d, expected 0 to %d", i, r->prompt[i],
                             c->vocabulary - 1);
    if (r->prompt_count >= c->context || r->max_tokens > c->context - r->prompt_count)
        return error_set(err, "a prompt of %d tokens and %d more, and the context has room for %d",
                         r->prompt_count, r->max_tokens > 0 ? r->max_tokens : 1, c->context);
    return sampler_check(&r->sampling, c->vocabulary, err) &&
           check_beams(r, c, pool, sequences, err);
}
