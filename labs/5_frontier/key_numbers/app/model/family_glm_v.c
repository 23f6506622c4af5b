/* family_glm_v.c -- GLM-4.5V and 4.6V: GLM-4.5's layers, and a vision transformer. GLM-4.7-Flash: latent ones. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// Glm4vMoeVisionModel, models/glm4v_moe/modeling_glm4v_moe.py. Its MLPs are as wide as its output.
static void lay_tower(ConfigFields *s)
{
    ConfigFields v = config_part(s, "vision_config", "Glm4vMoeVisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 1536),
             f = config_size(&v, "intermediate_size", 13696);
    uint64_t out = config_size(&v, "out_hidden_size", 4096),
             patch = config_size(&v, "patch_size", 14);
    uint64_t side = config_size(&v, "image_size", 336) / patch;
    uint64_t merge = config_size(&v, "spatial_merge_size", 2);
    uint64_t pixels = config_size(&v, "in_channels", 3) * patch * patch *
                      config_size(&v, "temporal_patch_size", 2);
    bool bias = config_flag(&v, "attention_bias", false);
    const TowerPart around[] = {
        {"patch_embed.proj", h, pixels, ROLE_OTHER, true},
        {"embeddings.position_embedding", side * side, h, ROLE_POSITION, false},
        {"post_conv_layernorm", 1, h, ROLE_NORM, false},
        {"post_layernorm", 1, h, ROLE_NORM, false},
        {"downsample", out, merge * merge * h, ROLE_OTHER, true},
        {"merger.proj", out, out, ROLE_OTHER, false},
        {"merger.post_projection_norm", 1, out, ROLE_NORM, true},
        {"merger.gate_proj", f, out, ROLE_GATE, false},
        {"merger.up_proj", f, out, ROLE_UP, false},
        {"merger.down_proj", out, f, ROLE_DOWN, false},
    };
    const TowerPart block[] = {
        {"norm1", 1, h, ROLE_NORM, false},           {"norm2", 1, h, ROLE_NORM, false},
        {"attn.qkv", 3 * h, h, ROLE_QKV, bias},      {"attn.proj", h, h, ROLE_O, false},
        {"mlp.gate_proj", out, h, ROLE_GATE, false}, {"mlp.up_proj", out, h, ROLE_UP, false},
        {"mlp.down_proj", h, out, ROLE_DOWN, false},
    };
    uint64_t layers = config_size(&v, "depth", 24);
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "visual", 1, around);
    TOWER(s, COMPONENT_VISION, "visual.blocks", layers, block);
}

// Glm4vMoeForConditionalGeneration.
void family_glm4v_moe(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "Glm4vMoeTextConfig");
    Decoder d = glm4_moe_read(&text, head);
    d.block.qkv_bias = config_flag(&text, "attention_bias", true);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (!s->failed) lay_tower(s);
}
