/* family_llama.c -- decoders in the line of LLaMA: RMSNorms, a gated MLP, grouped heads. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// LlamaForCausalLM, models/llama/modeling_llama.py: LLaMA 1 to 3, CodeLlama, Yi, TinyLlama, SmolLM2.
void family_llama(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 32000, .heads = 32, .ffn = 11008, .positions = 2048});
    KnBlock *b = &d.block;
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    b->mlp_bias = config_flag(s, "mlp_bias", false);
    decoder_lay(s, &d);
}

// MistralForCausalLM, models/mistral/modeling_mistral.py: every layer slides, or none.
void family_mistral(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 32000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 131072});
    d.window = decoder_window(s, 4096);
    decoder_lay(s, &d);
}

// Phi3ForCausalLM, models/phi3/modeling_phi3.py: Phi-3, 3.5 and 4. Every layer slides, or none.
void family_phi3(ConfigFields *s, Head head)
{
    Decoder d =
        decoder_read(s, head, (Usual){.vocab = 32064, .heads = 32, .ffn = 8192, .positions = 4096});
    d.names.qkv = "self_attn.qkv_proj";
    d.names.mlp = (MlpNames){.both = "mlp.gate_up_proj", .down = "mlp.down_proj"};
    d.window = decoder_window(s, 0);
    decoder_lay(s, &d);
}

// BaichuanForCausalLM, remote code of baichuan-inc/Baichuan2-7B-Base and 13B-Chat.
void family_baichuan(ConfigFields *s, Head head)
{
    Decoder d = {.head = head, .names = names_llama};
    KnBlock *b = &d.block;
    d.names.qkv = "self_attn.W_pack";
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = b->kv_heads = config_size(s, "num_attention_heads", 32);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->gated = true;
    b->ffn = config_size(s, "intermediate_size", 11008);
    d.vocab = config_size(s, "vocab_size", 125696);
    d.max_context = config_size(s, "model_max_length|max_position_embeddings", 4096);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    decoder_lay(s, &d);
}

// InternLM2ForCausalLM, remote code of internlm/internlm2-chat-20b.
void family_internlm2(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head, (Usual){.vocab = 103168, .heads = 32, .ffn = 11008, .positions = 2048});
    d.names = (Names){
        .embed = "tok_embeddings",
        .final_norm = "norm",
        .head = "output",
        .qkv = "attention.wqkv",
        .o = "attention.wo",
        .norms = {"attention_norm", "ffn_norm"},
        .mlp = {.gate = "feed_forward.w1", .up = "feed_forward.w3", .down = "feed_forward.w2"},
    };
    // The class would take true, and each published file says false.
    if (!config_has(s, "bias"))
        build_note(s->model, "bias is missing: false, as in all published models");
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "bias", false);
    decoder_lay(s, &d);
}

// OlmoForCausalLM, models/olmo/modeling_olmo.py: norms without weights.
void family_olmo(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 50304, .heads = 32, .ffn = 11008, .positions = 2048});
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.names.norms[0] = d.names.norms[1] = d.names.final_norm = NULL;
    decoder_lay(s, &d);
}

static Decoder read_olmo2(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 50304, .heads = 32, .ffn = 11008, .positions = 2048});
    KnBlock *b = &d.block;
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    d.q_norm = b->heads * b->head_dim;
    d.k_norm = b->kv_heads * b->head_dim;
    d.names.norms[0] = "post_attention_layernorm";
    d.names.norms[1] = "post_feedforward_layernorm";
    return d;
}

// Olmo2ForCausalLM, models/olmo2/modeling_olmo2.py. Norms behind attention and MLP; one over all queries,
// one over all keys.
void family_olmo2(ConfigFields *s, Head head)
{
    Decoder d = read_olmo2(s, head);
    decoder_lay(s, &d);
}

// Olmo3ForCausalLM, models/olmo3/modeling_olmo3.py: three layers of four slide.
void family_olmo3(ConfigFields *s, Head head)
{
    Decoder d = read_olmo2(s, head);
    d.window = decoder_window(s, 4096);
    d.slides = decoder_slides(s, d.layers, 4, NULL);
    decoder_lay(s, &d);
}
