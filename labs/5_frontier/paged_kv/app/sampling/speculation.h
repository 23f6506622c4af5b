/* speculation.h -- several tokens from one step of the model: drafted cheaply, kept where the model agrees.
 *
 *     int32_t *draft = tokens + count;    // behind the tokens so far
 *     int drafted = ngram_draft(tokens, count, (NgramOptions){.longest = 3, .shortest = 1}, draft, 4);
 *     // The model computes the last token and the drafted ones in one step: drafted + 1 rows of logits.
 *     SpeculationRow rows[5] = {{.logits = row0}, {.logits = row1}, ...};
 *     Speculated out;
 *     if (!speculation_verify(sampler, &options, &context, rows, drafted, NULL, &out, &err)) ...
 *     // out.count of 1 to drafted + 1 tokens; all but the last were drafted
 *
 * A draft without probabilities (an n-gram's) is checked by sampling: each position draws its token as it would
 * without speculation, and as long as that is the drafted one, the next row is valid. So the output is the same
 * bits with and without speculation, greedy or not.
 *
 * A draft model's token x comes with the distribution q that it was drawn from. It is kept with probability
 * min(1, p(x) / q(x)), p the model's own; else the token is drawn from max(0, p - q), scaled to 1. What comes out
 * has the distribution p (Leviathan, Kalman & Matias 2023, appendix A.1; Chen et al. 2023, theorem 1), in other
 * bits than without a draft model; where it is greedy, the same. With a q for each position it is the same bits
 * however many are drafted at a time.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"

enum { DRAFT_MAX = 16 };

// ---- drafts from the text itself ----

typedef struct NgramOptions {
    int longest, shortest;    // tokens that must be repeated, at least 1
} NgramOptions;

// The tokens that followed the latest earlier place where the last n tokens stand, n as large as can be
// (Saxena 2023, prompt lookup decoding). How many, at most `most`; 0 where nothing is repeated.
int ngram_draft(const int32_t *tokens, int count, NgramOptions options, int32_t *draft, int most);

// ---- verification ----

// The logits after the tokens so far, after these and the first drafted one, ... and what is allowed there.
typedef struct SpeculationRow {
    const float *logits;
    const TokenMask *allowed;    // NULL: all
} SpeculationRow;

typedef struct Speculated {
    int count;
    Sampled tokens[DRAFT_MAX + 1];
} Speculated;

// context: where the request stands before the draft, whose tokens follow the first context->count in
// context->tokens; its logits and allowed are not read. rows [drafted + 1]. q [drafted + 1]: the distributions that
// the tokens were drawn from by DRAW_DRAFT, and that of one behind them, which is drawn here; NULL, or without
// entries: none.
// False: there is no token for the first row.
bool speculation_verify(Sampler *sampler, const SamplerOptions *options,
                        const SamplerContext *context, const SpeculationRow *rows, int drafted,
                        const Distribution *q, Speculated *out, Error *err);

// One drafted token: true to keep it, else *token is the one in its place. u and v are random numbers of [0,1).
// scratch: [V] zeros, which they are again afterwards.
bool speculation_accept(const Distribution *p, const Distribution *q, int drafted, double u,
                        double v, double *scratch, int *token);
