/* family_kimi.c -- Kimi K2.5: DeepSeek V3's layers, and MoonViT to see. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// Under the names of the published files, or of transformers' class.
static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "KimiK25VisionConfig");
    uint64_t h = config_size(&v, "vt_hidden_size|hidden_size", 1152);
    uint64_t f = config_size(&v, "vt_intermediate_size|intermediate_size", 4304);
    uint64_t layers = config_size(&v, "vt_num_hidden_layers|num_hidden_layers", 27);
    uint64_t patch = config_size(&v, "patch_size", 14);
    uint64_t places = config_size(&v, "init_pos_emb_height|pos_emb_height", 64) *
                      config_size(&v, "init_pos_emb_width|pos_emb_width", 64);
    const TowerPart around[] = {
        {"vision_tower.patch_embed.proj", h, 3 * patch * patch, ROLE_OTHER, true},
        {"vision_tower.patch_embed.pos_emb", places, h, ROLE_POSITION, false},
        {"vision_tower.encoder.final_layernorm", 1, h, ROLE_NORM, true},
        {"mm_projector.pre_norm", 1, h, ROLE_NORM, true},
        {"mm_projector.proj", 4 * h, 4 * h, ROLE_UP, true},
        {"mm_projector.proj", width, 4 * h, ROLE_DOWN, true},
    };
    const TowerPart block[] = {
        {"norm0", 1, h, ROLE_NORM, true},   {"norm1", 1, h, ROLE_NORM, true},
        {"wqkv", 3 * h, h, ROLE_QKV, true}, {"wo", h, h, ROLE_O, true},
        {"mlp.fc0", f, h, ROLE_UP, true},   {"mlp.fc1", h, f, ROLE_DOWN, true},
    };
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_tower.encoder.blocks", layers, block);
}

// KimiK25ForConditionalGeneration, remote code of moonshotai/Kimi-K2.5; models/kimi_k25.
void family_kimi_k25(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "DeepseekV3Config");
    Decoder d = deepseek_v3_read(&text, head);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (!s->failed) lay_tower(s, d.block.width);
}
