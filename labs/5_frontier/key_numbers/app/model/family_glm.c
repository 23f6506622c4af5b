/* family_glm.c -- GLM with dense MLPs. Those with experts are DeepSeek's kind. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// The first ChatGLM-6B (its remote code): a GPT whose MLP is named by its inner size.
static void lay_chatglm_6b(ConfigFields *s)
{
    static const Names names = {
        .embed = "word_embeddings",
        .final_norm = "final_layernorm",
        .head = "lm_head",
        .qkv = "attention.query_key_value",
        .o = "attention.dense",
        .norms = {"input_layernorm", "post_attention_layernorm"},
        .mlp = {.up = "mlp.dense_h_to_4h", .down = "mlp.dense_4h_to_h"},
    };
    Decoder d = {.head = HEAD_WORDS, .names = names, .norm_bias = true};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_layers");
    b->heads = b->kv_heads = config_size(s, "num_attention_heads", 32);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, 0);
    b->ffn = config_size(s, "inner_hidden_size", 16384);
    b->qkv_bias = b->out_bias = b->mlp_bias = true;
    d.vocab = config_size(s, "vocab_size", 130528);
    d.max_context = config_size(s, "max_sequence_length", 2048);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    decoder_lay(s, &d);
}

// ---- the tower of GLM-4V ----

#define LAYER "vision.transformer.layers."

// EVA2CLIPModel, visual.py of THUDM/glm-4v-9b: a ViT, a convolution that joins 2 x 2 places, and a gated MLP
// as wide as the text's.
static void lay_tower(ConfigFields *s, uint64_t width, uint64_t text_ffn)
{
    ConfigFields v = config_part(s, "vision_config", "glm-4v-9b");
    Model *model = s->model;
    const Component vision = COMPONENT_VISION;
    uint64_t h = config_need(&v, "hidden_size"), ffn = config_need(&v, "intermediate_size");
    uint64_t layers = config_need(&v, "num_hidden_layers"), patch = config_need(&v, "patch_size");
    uint64_t channels = config_size(&v, "in_channels", 3),
             places = config_need(&v, "num_positions");
    s->failed |= v.failed;
    if (s->failed) return;
    lay_linear(model, OUTSIDE, vision, ROLE_OTHER, "vision.patch_embedding.proj", h,
               channels * patch * patch, true);
    build_vector(model, OUTSIDE, vision, ROLE_OTHER, "vision.patch_embedding.cls_embedding", h);
    lay_linear(model, OUTSIDE, vision, ROLE_OTHER, "vision.patch_embedding.position_embedding",
               places, h, false);
    int first = model->weight_count;
    lay_norm(model, OUTSIDE, vision, LAYER "input_layernorm", h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_QKV, LAYER "attention.query_key_value", 3 * h, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_O, LAYER "attention.dense", h, h, true);
    lay_norm(model, OUTSIDE, vision, LAYER "post_attention_layernorm", h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_UP, LAYER "mlp.fc1", ffn, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_DOWN, LAYER "mlp.fc2", h, ffn, true);
    for (int i = first; i < model->weight_count; i++) model->weights[i].copies = layers;
    lay_linear(model, OUTSIDE, vision, ROLE_OTHER, "vision.conv", width, 4 * h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_OTHER, "vision.linear_proj.linear_proj", width, width,
               false);
    lay_norm(model, OUTSIDE, vision, "vision.linear_proj.norm1", width, true);
    lay_mlp(model, OUTSIDE, vision,
            &(MlpNames){.gate = "vision.linear_proj.gate_proj",
                        .up = "vision.linear_proj.dense_h_to_4h",
                        .down = "vision.linear_proj.dense_4h_to_h"},
            width, text_ffn, false);
    build_vector(model, OUTSIDE, vision, ROLE_OTHER, "vision.boi", width);
    build_vector(model, OUTSIDE, vision, ROLE_OTHER, "vision.eoi", width);
}

// ---- ChatGLM ----

// ChatGLMForConditionalGeneration, remote code of THUDM/chatglm3-6b and glm-4-9b; their files call it
// ChatGLMModel, but hold the head.
void family_chatglm(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "embedding.word_embeddings",
        .final_norm = "encoder.final_layernorm",
        .head = "output_layer",
        .qkv = "self_attention.query_key_value",
        .o = "self_attention.dense",
        .norms = {"input_layernorm", "post_attention_layernorm"},
        .mlp = {.both = "mlp.dense_h_to_4h", .down = "mlp.dense_4h_to_h"},
    };
    if (config_has(s, "inner_hidden_size")) return lay_chatglm_6b(s);
    Decoder d = {.head = head == HEAD_NONE ? HEAD_WORDS : head, .names = names};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_layers|num_hidden_layers");
    b->heads = config_size(s, "num_attention_heads", 32);
    b->kv_heads = config_flag(s, "multi_query_attention", false)
                      ? config_size(s, "multi_query_group_num", 1)
                      : b->heads;
    b->head_dim = config_size(s, "kv_channels", 128);
    b->gated = true;
    b->ffn = config_size(s, "ffn_hidden_size", 13696);
    b->out_bias = b->mlp_bias = config_flag(s, "add_bias_linear", false);
    b->qkv_bias = b->out_bias || config_flag(s, "add_qkv_bias", false);
    d.norm_bias = !config_flag(s, "rmsnorm", true);
    d.vocab = config_size(s, "padded_vocab_size|vocab_size", 65024);
    d.max_context = config_size(s, "seq_length", 2048);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    if (!config_flag(s, "post_layer_norm", true)) d.names.final_norm = NULL;
    decoder_lay(s, &d);
    if (!s->failed && config_has(s, "vision_config")) lay_tower(s, b->width, b->ffn);
}

static Decoder read_glm(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 151552,
                                     .heads = 32,
                                     .kv_heads = 2,
                                     .head_dim = 128,
                                     .ffn = 13696,
                                     .positions = 131072});
    d.names.mlp = (MlpNames){.both = "mlp.gate_up_proj", .down = "mlp.down_proj"};
    d.block.qkv_bias = config_flag(s, "attention_bias", true);
    return d;
}

// GlmForCausalLM, models/glm/modeling_glm.py: GLM-4 and GLM-Edge as transformers has them.
void family_glm(ConfigFields *s, Head head)
{
    Decoder d = read_glm(s, head);
    decoder_lay(s, &d);
}

// Glm4ForCausalLM, models/glm4/modeling_glm4.py: GLM-4-0414, with norms behind attention and MLP too.
void family_glm4(ConfigFields *s, Head head)
{
    Decoder d = read_glm(s, head);
    d.names.norms[2] = "post_self_attn_layernorm";
    d.names.norms[3] = "post_mlp_layernorm";
    decoder_lay(s, &d);
}
