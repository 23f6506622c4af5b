/* family_qwen_vl.c -- Qwen's models that see: one of its decoders, and a vision transformer. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// Four neighbours are merged, and projected to the decoder's width (models/qwen3_vl: PatchMerger).
static void lay_merger(ConfigFields *s, const char *prefix, uint64_t h, uint64_t out, uint64_t norm,
                       uint64_t copies)
{
    const TowerPart parts[] = {
        {"norm", 1, norm, ROLE_NORM, true},
        {"linear_fc1", 4 * h, 4 * h, ROLE_UP, true},
        {"linear_fc2", out, 4 * h, ROLE_DOWN, true},
    };
    if (copies > 0) TOWER(s, COMPONENT_VISION, prefix, copies, parts);
}

// Qwen3VLVisionModel and Qwen3_5VisionModel.
static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "Qwen3VLVisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 1152),
             f = config_size(&v, "intermediate_size", 4304);
    uint64_t patch = config_size(&v, "patch_size", 16), deep = 0;
    uint64_t pixels = config_size(&v, "in_channels", 3) * patch * patch *
                      config_size(&v, "temporal_patch_size", 2);
    const TowerPart around[] = {
        {"patch_embed.proj", h, pixels, ROLE_OTHER, true},
        {"pos_embed", config_size(&v, "num_position_embeddings", 2304), h, ROLE_POSITION, false},
    };
    const TowerPart block[] = {
        {"norm1", 1, h, ROLE_NORM, true},        {"norm2", 1, h, ROLE_NORM, true},
        {"attn.qkv", 3 * h, h, ROLE_QKV, true},  {"attn.proj", h, h, ROLE_O, true},
        {"mlp.linear_fc1", f, h, ROLE_UP, true}, {"mlp.linear_fc2", h, f, ROLE_DOWN, true},
    };
    uint64_t layers = config_size(&v, "depth", 27);
    uint64_t out = config_size(&v, "out_hidden_size", width);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(v.object, "deepstack_visual_indexes");
    deep = cJSON_IsArray(list) ? (uint64_t)cJSON_GetArraySize(list) : 0;
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "visual", 1, around);
    TOWER(s, COMPONENT_VISION, "visual.blocks", layers, block);
    lay_merger(s, "visual.merger", h, out, h, 1);
    lay_merger(s, "visual.deepstack_merger_list", h, out, 4 * h, deep);
}

// Qwen2VisionTransformer and its successor; the second has gated MLPs and RMSNorms.
static void lay_tower_2(ConfigFields *s, uint64_t width, bool gated)
{
    ConfigFields v = config_part(s, "vision_config", "Qwen2VLVisionConfig");
    uint64_t h = gated ? config_size(&v, "hidden_size", 3584) : config_size(&v, "embed_dim", 1280);
    uint64_t f =
        gated ? config_size(&v, "intermediate_size", 3420) : config_size(&v, "mlp_ratio", 4) * h;
    uint64_t patch = config_size(&v, "patch_size", 14), layers = config_size(&v, "depth", 32);
    uint64_t pixels = config_size(&v, "in_channels|in_chans", 3) * patch * patch *
                      config_size(&v, "temporal_patch_size", 2);
    const TowerPart around[] = {
        {"patch_embed.proj", h, pixels, ROLE_OTHER, false},
        {"merger.ln_q", 1, h, ROLE_NORM, !gated},
        {"merger.mlp", 4 * h, 4 * h, ROLE_UP, true},
        {"merger.mlp", width, 4 * h, ROLE_DOWN, true},
    };
    const TowerPart block[] = {
        {"norm1", 1, h, ROLE_NORM, !gated},
        {"norm2", 1, h, ROLE_NORM, !gated},
        {"attn.qkv", 3 * h, h, ROLE_QKV, true},
        {"attn.proj", h, h, ROLE_O, true},
    };
    const TowerPart plain[] = {{"fc1", f, h, ROLE_UP, true}, {"fc2", h, f, ROLE_DOWN, true}};
    const TowerPart gate[] = {{"gate_proj", f, h, ROLE_GATE, true},
                              {"up_proj", f, h, ROLE_UP, true},
                              {"down_proj", h, f, ROLE_DOWN, true}};
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "visual", 1, around);
    TOWER(s, COMPONENT_VISION, "visual.blocks", layers, block);
    if (gated) TOWER(s, COMPONENT_VISION, "visual.blocks.mlp", layers, gate);
    else TOWER(s, COMPONENT_VISION, "visual.blocks.mlp", layers, plain);
}

// Files of before have the decoder's fields at the top.
static ConfigFields text_of(ConfigFields *s, const char *owner)
{
    return config_has(s, "text_config") ? config_part(s, "text_config", owner) : *s;
}

static void lay_text(ConfigFields *s, ConfigFields *text, Decoder *d)
{
    d->tied = config_flag(s, "tie_word_embeddings", d->tied);
    decoder_lay(text, d);
    s->failed |= text->failed;
}

#define SEES(name, read, owner, tower)                                                             \
    void family_##name(ConfigFields *s, Head head)                                                 \
    {                                                                                              \
        ConfigFields text = text_of(s, owner);                                                     \
        Decoder d = read(&text, head);                                                             \
        lay_text(s, &text, &d);                                                                    \
        if (!s->failed) tower;                                                                     \
    }

SEES(qwen3_vl, qwen3_read, "Qwen3VLTextConfig", lay_tower(s, d.block.width))
SEES(qwen3_5, qwen3_5_read, "Qwen3_5TextConfig", lay_tower(s, d.block.width))
SEES(qwen3_5_moe, qwen3_5_moe_read, "Qwen3_5MoeTextConfig", lay_tower(s, d.block.width))
SEES(qwen2_vl, qwen2_read, "Qwen2VLTextConfig", lay_tower_2(s, d.block.width, false))
SEES(qwen2_5_vl, qwen2_read, "Qwen2_5_VLTextConfig", lay_tower_2(s, d.block.width, true))

// Its file has a layer's experts in two tensors.
static Decoder read_stacked(ConfigFields *s, Head head)
{
    Decoder d = qwen3_moe_read(s, head);
    d.stacked = true;
    d.names.expert =
        (MlpNames){.both = "mlp.experts.gate_up_proj", .down = "mlp.experts.down_proj"};
    return d;
}

SEES(qwen3_vl_moe, read_stacked, "Qwen3VLMoeTextConfig", lay_tower(s, d.block.width))
