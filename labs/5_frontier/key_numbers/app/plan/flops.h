/* flops.h -- the arithmetic of one token: forward, training, and what papers' conventions make of it.
 *
 *     flops_token(model, 4096, POSITIONS_CAUSAL, PHASE_BOTH).head
 *     Flops flops = flops_plan(model, 4096);    // flops.forward, .training, .six_n, ...
 *
 * A product of a matrix with a vector is 2 FLOPs for each of the matrix's numbers. What is only looked
 * up (an untied embedding, positions) is not counted, nor a vision tower, a pooler or anything
 * element-wise, such as the update of a state by linear attention or Mamba. An encoder-decoder: one token in and one out. An indexer (DeepSeek V3.2) picks positions
 * to look at: all are counted, which is more than it takes at long contexts.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

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
// (PaLM's convention; windows are ignored); or of the last token, which sees all that its window
// holds: decoding, where a latent head scores the latent itself, 2 a (2 r_kv + d_r) for each position
// (DeepSeek-AI 2024, section 2.1: the up-projections are absorbed).
TokenFlops flops_token(const Model *model, uint64_t sequence, Positions positions, Phase phase);
double flops_sum(const TokenFlops *flops);

// A token in one layer of a kind, with a causal mask.
typedef struct KindFlops {
    double matrices, attention;    // of its matrices; of attention, for one position
    double positions;              // on the average
} KindFlops;

typedef struct Flops {
    uint64_t sequence;
    KindFlops kinds[KINDS_MAX];
    TokenFlops causal, full;    // one token's forward pass, with a mask and over the full square
    double forward;             // of `causal`
    double training;            // and backward, which is twice that
    double recomputed;    // with every layer's forward pass done again in backward, logits not
    // 6 N: what training one token takes, attention left out. N is active without what is not counted
    // here.
    double six_n, six_n_all;    // ..._all: of all active parameters, as papers quote it
    // As papers count: training a token with attention over the full square (Chowdhery et al. 2022), and
    // with all of forward computed again; with layers computed again (Narayanan et al. 2021); forward
    // without the head (Kaplan et al. 2020).
    double palm, palm_recomputed, narayanan, kaplan_forward;
} Flops;

Flops flops_plan(const Model *model, uint64_t sequence);
