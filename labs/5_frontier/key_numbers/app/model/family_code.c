/* family_code.c -- decoders in the line of GPT that came later: StarCoder, GPT-J, StableLM. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// Starcoder2ForCausalLM, models/starcoder2/modeling_starcoder2.py.
void family_starcoder2(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 49152,
                                     .heads = 24,
                                     .kv_heads = 2,
                                     .ffn = 12288,
                                     .positions = 4096,
                                     .tied = true});
    KnBlock *b = &d.block;
    b->gated = false;
    b->qkv_bias = b->out_bias = b->mlp_bias = config_flag(s, "use_bias", true);
    d.names.mlp = (MlpNames){.up = "mlp.c_fc", .down = "mlp.c_proj"};
    d.norm_bias = true;
    d.window = decoder_window(s, 0);
    decoder_lay(s, &d);
}

// GPTBigCodeForCausalLM, models/gpt_bigcode/modeling_gpt_bigcode.py: StarCoder 1, SantaCoder.
void family_gpt_bigcode(ConfigFields *s, Head head)
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
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    KnBlock *b = &d.block;
    b->width = config_need(s, "n_embd|hidden_size");
    d.layers = decoder_layers(s, "n_layer|num_hidden_layers");
    b->heads = config_size(s, "n_head|num_attention_heads", 12);
    b->kv_heads = config_flag(s, "multi_query", true) ? 1 : b->heads;
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->ffn = config_has(s, "n_inner") ? config_size(s, "n_inner", 1) : 4 * b->width;
    b->qkv_bias = b->out_bias = b->mlp_bias = true;
    d.vocab = config_size(s, "vocab_size", 50257);
    d.max_context = d.positions = config_size(s, "n_positions|max_position_embeddings", 1024);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
}

// GPTJForCausalLM, models/gptj/modeling_gptj.py: attention and MLP side by side.
void family_gptj(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "wte",
        .final_norm = "ln_f",
        .head = "lm_head",
        .q = "attn.q_proj",
        .k = "attn.k_proj",
        .v = "attn.v_proj",
        .o = "attn.out_proj",
        .norms = {"ln_1"},
        .mlp = {.up = "mlp.fc_in", .down = "mlp.fc_out"},
    };
    Decoder d = {.head = head, .names = names, .norm_bias = true};
    KnBlock *b = &d.block;
    b->width = config_need(s, "n_embd|hidden_size");
    d.layers = decoder_layers(s, "n_layer|num_hidden_layers");
    b->heads = b->kv_heads = config_size(s, "n_head|num_attention_heads", 16);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->ffn = config_has(s, "n_inner") ? config_size(s, "n_inner", 1) : 4 * b->width;
    b->mlp_bias = true;
    d.vocab = config_size(s, "vocab_size", 50400);
    d.max_context = config_size(s, "n_positions|max_position_embeddings", 2048);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    d.head_bias = true;
    decoder_lay(s, &d);
}

// StableLmForCausalLM, models/stablelm/modeling_stablelm.py.
void family_stablelm(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 50304, .heads = 32, .kv_heads = 32, .ffn = 6912, .positions = 4096});
    d.block.qkv_bias = config_flag(s, "use_qkv_bias", false);
    d.norm_bias = true;
    if (config_flag(s, "use_parallel_residual", false)) d.names.norms[1] = NULL;
    if (config_flag(s, "qk_layernorm", false))
        config_fail(s, "\"qk_layernorm\" is true, and such a StableLM is not known here");
    decoder_lay(s, &d);
}
