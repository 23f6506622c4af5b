/* activations.h -- what a forward pass keeps for the backward pass, on one GPU.
 *
 *     KnPass pass = {.sequence = 4096, .batch = 1, .tensor_parallel = 1, .flash = true};
 *     LayerActivations kept = activations_layer(model, 0, &pass, 2);    // of one layer of kinds[0]
 *     kept.total
 *
 * kn_activation_bytes() is the formula of a block; what some models have beside it is counted here.
 * It is what a framework with fused kernels keeps (Megatron, FlashAttention, Liger). The modules of
 * transformers keep more, activations_plain(): measured tensor by tensor, tests/measure_activations.py.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/adapters.h"
#include "labs/5_frontier/key_numbers/app/plan/runtime.h"

typedef struct LayerActivations {
    double block;     // kn_activation_bytes()
    double norms;     // inputs of more than two norms of the residual stream (Gemma 2 and 3: four)
    double router;    // the experts' probabilities, a float for each
    double cross;     // the second attention of an encoder-decoder's decoder
    double total;
} LayerActivations;

// The families that are trained with dropout as their configurations have it.
bool activations_dropout(const Model *model);
// Bytes of one layer of model->kinds[kind] and one micro-batch, in numbers of 2 or 4 bytes.
LayerActivations activations_layer(const Model *model, int kind, const KnPass *pass, int number);
// What transformers' own modules keep beside that, in 16 bits and of a token: RMSNorm its input as floats
// and what it has normed, 8 h; silu its result, 2 f; GPT-2's GELU, written in steps, 6 f at most. Without
// flash attention the softmax is kept as floats and in 16 bits, 4 a s, and keys and values are
// repeated for all heads. High, as version 4.29 has it (2023, measured as well): a norm's input a second
// time, 4 h, cosines and sines, 4 d, the scores before the softmax, 2 a s; and the cache that it fills while
// it trains, 4 k d, whose keys and values are not those that autograd saves once a batch has two sequences.
Range activations_plain(const Model *model, int kind, const KnPass *pass, int number);
// What the adapters of one layer add to it: LoRA's first matrix makes `rank` numbers of a token.
double activations_adapters(const Model *model, int kind, LoraTargets targets, uint64_t rank,
                            const KnPass *pass, int number);
// Numbers that the layer's MLP computes inside, for a token: dense, shared and active routed ones.
uint64_t activations_ffn(const KnBlock *block);
