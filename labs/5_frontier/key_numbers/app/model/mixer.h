/* mixer.h -- what stands in a layer in place of attention and keeps a state of one size.
 *
 *     Decoder d = decoder_read(s, head, usual);
 *     d.mixes   = decoder_typed(s, d.layers, "linear_attention", by_period);
 *     mixer_delta_net(s, &d, true);      // its tensors, and the numbers of its state
 *     decoder_lay(s, &d);
 *
 * A convolution over the last K tokens keeps K - 1 inputs, in 16 bits; what recurs is kept in 32, as
 * vLLM does for the models that say so (mamba_ssm_dtype).
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/family.h"

// Gated DeltaNet (Yang et al. 2024) as Qwen3-Next has it; `joined`: its inputs are two matrices, not four.
void mixer_delta_net(ConfigFields *s, Decoder *d, bool joined);

typedef struct Mamba {
    const char *prefix;    // "mixer": its tensors are mixer.in_proj.weight and so on
    uint64_t inner, state, kernel;
    uint64_t rank;             // of Mamba 1: the step size's
    uint64_t heads, groups;    // of Mamba 2
    bool bias, conv_bias,
        norm;    // of the projections; norm: of the output, or (Mamba 1) of B, C and steps
} Mamba;

void mixer_mamba(ConfigFields *s, Decoder *d, const Mamba *m);     // Gu and Dao 2023
void mixer_mamba2(ConfigFields *s, Decoder *d, const Mamba *m);    // Dao and Gu 2024
// The sizes of Mamba 2 under the names of Bamba, Granite 4 and Falcon-H1.
Mamba mixer_read_mamba2(ConfigFields *s, uint64_t width, uint64_t heads, uint64_t state);
