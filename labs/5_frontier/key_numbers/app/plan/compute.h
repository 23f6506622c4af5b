/* compute.h -- FLOPs, the roofline, and what training costs: compute.* of the report.
 *
 *     compute_forward(model, 4096, POSITIONS_CAUSAL)    // FLOPs of one token, the head included
 *     Speed speed;
 *     if (!compute_speed(arena, model, &question, &speed, &err)) ...
 *
 * A product of a matrix with a vector is 2 FLOPs for each of the matrix's numbers. What is only looked
 * up (an untied embedding, positions) is not counted, nor a vision tower, a pooler or anything
 * element-wise. An encoder-decoder: one token in and one out. An indexer (DeepSeek V3.2) picks positions
 * to look at: all are counted, which is more than it takes at long contexts.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

typedef enum Positions { POSITIONS_CAUSAL, POSITIONS_FULL, POSITIONS_LAST } Positions;

// A prompt goes through an encoder-decoder's encoder, a new token through its decoder.
typedef enum Phase { PHASE_BOTH, PHASE_PREFILL, PHASE_DECODE } Phase;

// Of one token's forward pass.
typedef struct TokenFlops {
    double matrices;     // of the layers
    double attention;    // scores, and the sum of the values
    double head;
} TokenFlops;

// Within a sequence of so many tokens. On the average with a causal mask: s/2 positions, of a window w
// that is full w - w^2/(2 s) (both leave out half a position, the diagonal); over the full square, s
// (PaLM's convention; windows are not looked at); or of the last token, which sees all that its window
// holds: decoding, where a latent head scores the latent itself, 2 a (2 r_kv + d_r) for each position
// (DeepSeek-AI 2024, section 2.1: the up-projections are absorbed).
TokenFlops compute_token(const Model *model, uint64_t sequence, Positions positions, Phase phase);
// Their sum, of both phases.
double compute_forward(const Model *model, uint64_t sequence, Positions positions);

// 6 N: what training one token takes, attention left out. N is active without what is not counted here.
double compute_six_n(const Model *model);
// Training one token: forward, and backward which is twice that.
double compute_training(const Model *model, uint64_t sequence);
// The same with every layer's forward pass done again in backward; logits are not.
double compute_recomputed(const Model *model, uint64_t sequence, Positions positions);

// Of each GPU; stages of a pipeline follow one another and are added up. speed.h says more.
typedef struct Speed {
    double prefill_seconds;      // time to first token of one prompt of `context` tokens
    double decode_seconds;       // time per output token at this batch
    double tokens_per_second;    // of all requests together
    double prefill_flops, prefill_bytes, decode_flops, decode_bytes;
    double prefill_link,
        decode_link;    // seconds of all-reduces, not in those above; 0: none, or unknown
    bool prefill_memory_bound, decode_memory_bound;
    double experts_touched;    // of each layer's, expected at this batch; 0 without experts
    double peak, bandwidth;    // of the GPU, before u_compute and u_memory
    double ridge;              // FLOP/byte
    bool decodes;              // false of an encoder: what is of decoding is 0
} Speed;

bool compute_speed(Arena *arena, const Model *model, const Question *question, Speed *speed,
                   Error *err);

// compute.*: FLOPs for each token; then speed_tell()'s and training_run_tell()'s part of it.
bool compute_tell(Rows *rows, const Model *model, const Question *question, Error *err);
bool speed_tell(Rows *rows, const Model *model, const Question *question, Error *err);
