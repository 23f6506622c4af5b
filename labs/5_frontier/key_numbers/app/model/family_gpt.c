/* family_gpt.c -- decoders in the line of GPT: LayerNorms, biases, an MLP of two matrices. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// Full attention: as many heads for keys and values as for queries.
static KnBlock read_block(ConfigFields *s, uint64_t width, uint64_t heads)
{
    return (KnBlock){.width = width,
                     .heads = heads,
                     .kv_heads = heads,
                     .head_dim = decoder_head_dim(s, width, heads, 0)};
}

static void set_biases(KnBlock *b, bool biases)
{
    b->qkv_bias = b->out_bias = b->mlp_bias = biases;
}

// GPT2LMHeadModel, models/gpt2/modeling_gpt2.py. GPT-3 has the same layers (Brown et al. 2020).
void family_gpt2(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "wte",
        .positions = "wpe",
        .final_norm = "ln_f",
        .head = "lm_head",
        .qkv = "attn.c_attn",
        .o = "attn.c_proj",
        .norms = {"ln_1", "ln_2"},
        .mlp = {.up = "mlp.c_fc", .down = "mlp.c_proj"},
    };
    uint64_t h = config_need(s, "n_embd|hidden_size");
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    d.layers = decoder_layers(s, "n_layer|num_hidden_layers");
    d.block = read_block(s, h, config_size(s, "n_head|num_attention_heads", 12));
    set_biases(&d.block, true);
    d.block.ffn = config_has(s, "n_inner") ? config_size(s, "n_inner", 1) : 4 * h;
    d.vocab = config_size(s, "vocab_size", 50257);
    d.max_context = d.positions = config_size(s, "n_positions|max_position_embeddings", 1024);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
}

// OPTForCausalLM, models/opt/modeling_opt.py. Positions are counted from 2. The embedding of OPT-350m is
// narrower than its layers, and its norms stand after what they follow, so that none is last.
void family_opt(ConfigFields *s, Head head)
{
    Names names = {
        .embed = "decoder.embed_tokens",
        .positions = "decoder.embed_positions",
        .final_norm = "decoder.final_layer_norm",
        .head = "lm_head",
        .q = "self_attn.q_proj",
        .k = "self_attn.k_proj",
        .v = "self_attn.v_proj",
        .o = "self_attn.out_proj",
        .norms = {"self_attn_layer_norm", "final_layer_norm"},
        .mlp = {.up = "fc1", .down = "fc2"},
    };
    uint64_t h = config_need(s, "hidden_size"), offset = 2;
    if (!config_flag(s, "layer_norm_elementwise_affine", true))
        names.norms[0] = names.norms[1] = names.final_norm = NULL;
    if (!config_flag(s, "do_layer_norm_before", true) ||
        config_flag(s, "_remove_final_layer_norm", false))
        names.final_norm = NULL;
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    d.layers = decoder_layers(s, "num_hidden_layers");
    d.block = read_block(s, h, config_size(s, "num_attention_heads", 12));
    set_biases(&d.block, config_flag(s, "enable_bias", true));
    d.block.ffn = config_size(s, "ffn_dim", 3072);
    d.vocab = config_size(s, "vocab_size", 50272);
    d.max_context = config_size(s, "max_position_embeddings", 2048);
    d.positions = d.max_context + offset;
    // OPTConfig: the width, where there is none.
    d.embed_width =
        config_has(s, "word_embed_proj_dim") ? config_size(s, "word_embed_proj_dim", 1) : h;
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
    if (d.embed_width == h) return;
    lay_linear(s->model, OUTSIDE, COMPONENT_EMBED, ROLE_OTHER, "decoder.project_in", h,
               d.embed_width, false);
    lay_linear(s->model, OUTSIDE, COMPONENT_EMBED, ROLE_OTHER, "decoder.project_out", d.embed_width,
               h, false);
}

// BloomForCausalLM, models/bloom/modeling_bloom.py. Distances are a slope on the scores (ALiBi).
void family_bloom(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "word_embeddings",
        .embed_norm = "word_embeddings_layernorm",
        .final_norm = "ln_f",
        .head = "lm_head",
        .qkv = "self_attention.query_key_value",
        .o = "self_attention.dense",
        .norms = {"input_layernorm", "post_attention_layernorm"},
        .mlp = {.up = "mlp.dense_h_to_4h", .down = "mlp.dense_4h_to_h"},
    };
    uint64_t h = config_need(s, "n_embed|hidden_size");
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    d.layers = decoder_layers(s, "n_layer|num_hidden_layers");
    d.block = read_block(s, h, config_size(s, "n_head|num_attention_heads", 8));
    set_biases(&d.block, true);
    d.block.ffn = 4 * h;
    d.vocab = config_size(s, "vocab_size", 250880);
    d.max_context = config_count(s, "seq_length", 0);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
}

// GPTNeoXForCausalLM, models/gpt_neox/modeling_gpt_neox.py: GPT-NeoX and Pythia.
void family_gpt_neox(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "embed_in",
        .final_norm = "final_layer_norm",
        .head = "embed_out",
        .qkv = "attention.query_key_value",
        .o = "attention.dense",
        .norms = {"input_layernorm", "post_attention_layernorm"},
        .mlp = {.up = "mlp.dense_h_to_4h", .down = "mlp.dense_4h_to_h"},
    };
    uint64_t h = config_need(s, "hidden_size");
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    d.layers = decoder_layers(s, "num_hidden_layers");
    d.block = read_block(s, h, config_size(s, "num_attention_heads", 64));
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", true);
    d.block.mlp_bias = true;
    d.block.ffn = config_size(s, "intermediate_size", 24576);
    d.vocab = config_size(s, "vocab_size", 50432);
    d.max_context = config_size(s, "max_position_embeddings", 2048);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    decoder_lay(s, &d);
}

// Norms of a layer: attention and MLP side by side share one, or (40B, 180B) have one each.
static void name_falcon_norms(ConfigFields *s, Names *names, bool grouped)
{
    bool parallel = config_flag(s, "parallel_attn", true);
    if (!parallel) {
        names->norms[1] = "post_attention_layernorm";
    } else if (config_count(s, "num_ln_in_parallel_attn", grouped ? 2 : 1) == 2) {
        names->norms[0] = "ln_attn";
        names->norms[1] = "ln_mlp";
    }
}

// FalconForCausalLM, models/falcon/modeling_falcon.py; RW in the first files of 7B and 40B, with other names.
void family_falcon(ConfigFields *s, Head head)
{
    Names names = {
        .embed = "word_embeddings",
        .final_norm = "ln_f",
        .head = "lm_head",
        .qkv = "self_attention.query_key_value",
        .o = "self_attention.dense",
        .norms = {"input_layernorm"},
        .mlp = {.up = "mlp.dense_h_to_4h", .down = "mlp.dense_4h_to_h"},
    };
    uint64_t h = config_need(s, "hidden_size|n_embed");
    bool grouped = config_flag(s, "new_decoder_architecture", config_has(s, "n_head_kv"));
    name_falcon_norms(s, &names, grouped);
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    KnBlock *b = &d.block;
    d.layers = decoder_layers(s, "num_hidden_layers|n_layer");
    *b = read_block(s, h, config_size(s, "num_attention_heads|n_head", 71));
    if (grouped) b->kv_heads = config_size(s, "num_kv_heads|n_head_kv", b->heads);
    else if (config_flag(s, "multi_query", true)) b->kv_heads = 1;
    set_biases(b, config_flag(s, "bias", false));
    b->ffn = config_has(s, "ffn_hidden_size") ? config_size(s, "ffn_hidden_size", 1) : 4 * h;
    d.vocab = config_size(s, "vocab_size", 65024);
    d.max_context = config_size(s, "max_position_embeddings", 2048);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
}

// PhiForCausalLM, models/phi/modeling_phi.py: Phi-1, 1.5 and 2. One norm for attention and MLP side by side.
void family_phi(ConfigFields *s, Head head)
{
    Decoder d =
        decoder_read(s, head, (Usual){.vocab = 51200, .heads = 32, .ffn = 8192, .positions = 2048});
    KnBlock *b = &d.block;
    d.names = (Names){
        .embed = "embed_tokens",
        .final_norm = "final_layernorm",
        .head = "lm_head",
        .q = "self_attn.q_proj",
        .k = "self_attn.k_proj",
        .v = "self_attn.v_proj",
        .o = "self_attn.dense",
        .q_norm = "self_attn.q_layernorm",
        .k_norm = "self_attn.k_layernorm",
        .norms = {"input_layernorm"},
        .mlp = {.up = "mlp.fc1", .down = "mlp.fc2"},
    };
    b->gated = false;
    set_biases(b, true);
    b->qk_norm = config_flag(s, "qk_layernorm", false);
    if (b->qk_norm) d.q_norm = d.k_norm = b->head_dim;
    d.norm_bias = d.head_bias = true;
    decoder_lay(s, &d);
}
