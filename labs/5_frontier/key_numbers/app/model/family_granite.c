/* family_granite.c -- Granite 3 and 4: LLaMA's layers, experts in two tensors, and Mamba in most layers. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/mixer.h"

static const Usual usual = {.vocab = 32000, .heads = 32, .ffn = 11008, .positions = 2048};

static Decoder read_granite(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head, usual);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    return d;
}

// GraniteForCausalLM, models/granite/modeling_granite.py.
void family_granite(ConfigFields *s, Head head)
{
    Decoder d = read_granite(s, head);
    d.block.mlp_bias = config_flag(s, "mlp_bias", false);
    decoder_lay(s, &d);
}

static void read_experts(ConfigFields *s, Decoder *d)
{
    d->block.experts = config_size(s, "num_local_experts", 8);
    d->block.active_experts = config_size(s, "num_experts_per_tok", 2);
    d->block.expert_ffn = d->block.ffn;
    d->stacked = true;
    d->names.router = "block_sparse_moe.router.layer";
    d->names.expert = (MlpNames){.both = "block_sparse_moe.input_linear.weight",
                                 .down = "block_sparse_moe.output_linear.weight"};
}

// GraniteMoeForCausalLM, models/granitemoe/modeling_granitemoe.py.
void family_granitemoe(ConfigFields *s, Head head)
{
    Decoder d = read_granite(s, head);
    read_experts(s, &d);
    decoder_lay(s, &d);
}

// GraniteMoeHybridForCausalLM, models/granitemoehybrid/modeling_granitemoehybrid.py: Granite 4. Each layer
// has a shared MLP; without experts it is the only one.
void family_granitemoehybrid(ConfigFields *s, Head head)
{
    Decoder d = read_granite(s, head);
    KnBlock *b = &d.block;
    uint64_t shared = config_size(s, "shared_intermediate_size", 1024);
    bool routed = config_count(s, "num_local_experts", 8) > 0;
    d.names.mlp = d.names.shared =
        (MlpNames){.both = "shared_mlp.input_linear", .down = "shared_mlp.output_linear"};
    if (routed) read_experts(s, &d), b->shared_ffn = shared;
    else b->ffn = shared;
    const char *list = config_has(s, "layer_types") ? "layer_types" : "layers_block_type";
    Mamba m = mixer_read_mamba2(s, b->width, 128, 256);
    d.mixes = decoder_typed(s, list, d.layers, "mamba|mamba2|linear_attention");
    if (d.mixes == NULL) d.mixes = memset(decoder_flags(s, d.layers), 1, d.layers);
    mixer_mamba2(s, &d, &m);
    decoder_lay(s, &d);
}
