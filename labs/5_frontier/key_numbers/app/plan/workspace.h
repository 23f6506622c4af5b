/* workspace.h -- the work space of a forward pass on one GPU: an estimate from its largest buffers.
 *
 *     Workspace work = workspace_of(model, split, 16);
 *     workspace_bytes(&work, 2048, 16);    // a step of 2048 tokens, the last ones of 16 requests sampled
 *
 * Buffers that are there at the same time, of each token of the step:
 *     the residual stream and a layer's input, 2 h, and the larger of
 *     attention   q, k, v and its output, (2 a + 2 k) d / tp;
 *                 latent: queries and keys a (d_n + d_r), keys' and values' up-projections
 *                 a (d_n + d_v), output a d_v, all / tp, and the down-projections r_q + r_kv + d_r
 *     the MLP     up (gated: and gate), and their product: (3 or 2) f / tp
 *                 experts: for each of those a token is sent to, the larger of gate and up together and
 *                 the expert's output h, and their product (vLLM, fused_moe.py); and a shared one's h
 * or, when those are gone, of each request the logits over V words, in 16 bits and as floats.
 *
 * Attention's scores are never stored (flash). Not in it: copies that sampling makes (top-p sorts the
 * words), a vision tower's pass, weights that are unpacked before a product, the allocator's cracks.
 * Llama-3.1-8B, 2048 tokens a step: 0.20 GiB, where vLLM 0.7 profiled 0.22. What a runtime adds, its
 * sampler above all, is runtime.h's.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/split.h"

typedef struct Workspace {
    uint64_t number;    // bytes of a number: 2, or 4 in fp32
    uint64_t hidden, attention,
        mlp;                   // numbers for each token; those of the kind of layer that has most
    uint64_t vocab;            // logits for each request; 0 without a head
    uint64_t heads;            // query heads on the GPU,
    uint64_t queries, keys;    // and numbers in those of a token, and in its keys
} Workspace;

Workspace workspace_of(const Model *model, Split split,
                       int compute_bits);    // of the weights' format
double workspace_bytes(const Workspace *work, double tokens, double requests);
