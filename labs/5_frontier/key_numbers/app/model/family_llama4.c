/* family_llama4.c -- Llama 4: experts in some layers, attention within chunks in three layers of four, and a
 * vision transformer. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"

static const bool *read_routed(ConfigFields *s, uint64_t layers)
{
    bool *routed = decoder_flags(s, layers);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "moe_layers"), *node;
    uint64_t step = config_has(s, "interleave_moe_layer_step")
                        ? config_size(s, "interleave_moe_layer_step", 1)
                        : 1;
    for (uint64_t i = 0; i < layers && !cJSON_IsArray(list); i++) routed[i] = (i + 1) % step == 0;
    cJSON_ArrayForEach(node, list)
    {
        if (cJSON_IsNumber(node) && node->valuedouble >= 0 && node->valuedouble < (double)layers)
            routed[(uint64_t)node->valuedouble] = true;
        else config_fail(s, "\"moe_layers\" names a layer that is not there");
    }
    return routed;
}

// Llama4TextModel, models/llama4/modeling_llama4.py. A chunk bounds the cache as a window does.
static Decoder read_text(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 202048,
                                     .heads = 40,
                                     .kv_heads = 8,
                                     .head_dim = 128,
                                     .ffn = 8192,
                                     .positions = 131072});
    KnBlock *b = &d.block;
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    b->experts = config_size(s, "num_local_experts", 16);
    b->active_experts = config_size(s, "num_experts_per_tok", 1);
    b->expert_ffn = b->shared_ffn = b->ffn;
    b->ffn = config_size(s, "intermediate_size_mlp", 16384);
    d.stacked = true;
    d.names.router = "feed_forward.router";
    d.names.mlp = (MlpNames){.gate = "feed_forward.gate_proj",
                             .up = "feed_forward.up_proj",
                             .down = "feed_forward.down_proj"};
    d.names.shared = (MlpNames){.gate = "feed_forward.shared_expert.gate_proj",
                                .up = "feed_forward.shared_expert.up_proj",
                                .down = "feed_forward.shared_expert.down_proj"};
    d.names.expert = (MlpNames){.both = "feed_forward.experts.gate_up_proj",
                                .down = "feed_forward.experts.down_proj"};
    d.routed = read_routed(s, d.layers);
    d.window =
        config_null(s, "attention_chunk_size") ? 0 : config_size(s, "attention_chunk_size", 8192);
    d.slides = decoder_typed(s, "layer_types", d.layers, "chunked_attention");
    if (d.slides == NULL) {
        bool *slides = decoder_flags(s, d.layers);
        for (uint64_t i = 0; i < d.layers; i++) slides[i] = (i + 1) % 4 != 0;
        d.slides = slides;
    }
    return d;
}

void family_llama4_text(ConfigFields *s, Head head)
{
    Decoder d = read_text(s, head);
    decoder_lay(s, &d);
}

// Llama4VisionModel.
static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "Llama4VisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 768),
             f = config_size(&v, "intermediate_size", 5632);
    uint64_t patch = config_size(&v, "patch_size", 14);
    uint64_t side = config_size(&v, "image_size", 448) / patch;
    uint64_t in = config_size(&v, "projector_input_dim", 4096);
    uint64_t out = config_size(&v, "projector_output_dim", 4096);
    const TowerPart around[] = {
        {"class_embedding*", 1, h, ROLE_OTHER, false},
        {"positional_embedding_vlm*", side * side + 1, h, ROLE_POSITION, false},
        {"patch_embedding.linear", h, config_size(&v, "num_channels", 3) * patch * patch,
         ROLE_OTHER, false},
        {"layernorm_pre", 1, h, ROLE_NORM, true},
        {"layernorm_post", 1, h, ROLE_NORM, true},
        {"vision_adapter.mlp.fc1", in, f, ROLE_UP, false},
        {"vision_adapter.mlp.fc2", out, out, ROLE_DOWN, false},
    };
    const TowerPart block[] = {
        {"input_layernorm", 1, h, ROLE_NORM, true},
        {"self_attn.q_proj", h, h, ROLE_Q, true},
        {"self_attn.k_proj", h, h, ROLE_K, true},
        {"self_attn.v_proj", h, h, ROLE_V, true},
        {"self_attn.o_proj", h, h, ROLE_O, true},
        {"post_attention_layernorm", 1, h, ROLE_NORM, true},
        {"mlp.fc1", f, h, ROLE_UP, true},
        {"mlp.fc2", h, f, ROLE_DOWN, true},
    };
    const TowerPart projector[] = {
        {"linear_1", width, config_size(&v, "vision_output_dim", 4096), ROLE_OTHER, false}};
    uint64_t layers = config_size(&v, "num_hidden_layers", 34);
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "vision_model", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_model.layers", layers, block);
    TOWER(s, COMPONENT_VISION, "multi_modal_projector", 1, projector);
}

void family_llama4(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "Llama4TextConfig");
    Decoder d = read_text(&text, head);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (s->failed) return;
    if (config_has(s, "vision_config")) lay_tower(s, d.block.width);
    else build_warning(s->model, "vision_config is missing: the vision tower is not counted");
}
