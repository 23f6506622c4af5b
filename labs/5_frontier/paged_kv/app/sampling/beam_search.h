/* beam_search.h -- the best continuations of a prompt instead of drawn ones: which beams go on with which tokens.
 *
 *     BeamSearch *b = beam_search_new((BeamOptions){.beams = 4, .length_penalty = 1}, 100, stops, stop_count);
 *     while (!beam_search_ended(b)) {
 *         for (each running beam)    // beam 0 at first, then all
 *             sampler_likeliest(sampler, logits[beam], beam_search_candidates(b), beam_search_offer(b, beam), &err);
 *         const int count = beam_search_step(b, moves);
 *         for (int i = 0; i < count; i++) ...    // beam moves[i].to becomes beam moves[i].from and a token
 *     }
 *     const BeamText *best = beam_search_text(b, 0);
 *     beam_search_free(b);
 *
 * A beam's score is the sum of its log-probabilities. In each step all running beams are continued by all tokens,
 * and the best of these are kept. Those that end here are set aside with their score / count^length_penalty: a
 * penalty above 0 prefers long texts, one below 0 short ones. Tokens and scores are those of
 * transformers.generate(num_beams=...) for one prompt, with its three rules for an early stop.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"

enum { BEAMS_MAX = 64 };

typedef enum EarlyStopping {
    EARLY_STOPPING_HEURISTIC,    // once the best running beam, as short as it is, is worse than all texts set aside
    EARLY_STOPPING_FIRST,    // once there are as many texts as beams
    EARLY_STOPPING_NEVER     // only when no running beam can become better than them
} EarlyStopping;

typedef struct BeamOptions {
    int beams;    // 0 and 1: no beam search
    float length_penalty;
    EarlyStopping early_stopping;
} BeamOptions;

typedef struct BeamText {
    int32_t *tokens;    // without the one that ends it
    float *log_probabilities;
    int count;
    float score;
    bool stopped;    // by a token that ends a text, not by its length
} BeamText;

// Beam `to` is from now on what beam `from` was, and a token.
typedef struct BeamMove {
    int from, to;
    int32_t token;
} BeamMove;

typedef struct BeamSearch BeamSearch;

// NULL: no memory. All that it will need. The stop tokens are borrowed.
BeamSearch *beam_search_new(BeamOptions options, int max_tokens, const int32_t *stops,
                            int stop_count);
void beam_search_free(BeamSearch *b);    // NULL is fine

int beam_search_candidates(const BeamSearch *b);    // a beam needs so many likeliest next tokens
TokenLogProbability *beam_search_offer(BeamSearch *b, int beam);    // where to put them
bool beam_search_ready(const BeamSearch *b);    // every running beam has candidates

// moves [beams]: those that change beams come first. 0 at the end.
int beam_search_step(BeamSearch *b, BeamMove *moves);
bool beam_search_ended(const BeamSearch *b);

const BeamText *beam_search_text(const BeamSearch *b, int i);    // the best first
