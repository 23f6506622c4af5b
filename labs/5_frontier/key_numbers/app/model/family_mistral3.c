/* family_mistral3.c -- Mistral Small 3.1 and Ministral 3: LLaMA's layers, with Pixtral's vision transformer. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// Ministral3ForCausalLM, models/ministral3/modeling_ministral3.py.
static Decoder read_ministral3(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 131072,
                                     .heads = 32,
                                     .kv_heads = 8,
                                     .head_dim = 128,
                                     .ffn = 14336,
                                     .positions = 262144});
    d.window = decoder_window(s, 0);
    return d;
}

static Decoder read_mistral(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 32000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 131072});
    d.window = decoder_window(s, 4096);
    return d;
}

void family_ministral3(ConfigFields *s, Head head)
{
    Decoder d = read_ministral3(s, head);
    decoder_lay(s, &d);
}

// MinistralForCausalLM, models/ministral/modeling_ministral.py: Ministral 8B; some layers slide.
void family_ministral(ConfigFields *s, Head head)
{
    Decoder d = read_mistral(s, head);
    d.slides = decoder_slides(s, d.layers, 0, NULL);
    decoder_lay(s, &d);
}

// PixtralVisionModel, models/pixtral/modeling_pixtral.py, and Mistral3MultiModalProjector.
static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "PixtralVisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 1024),
             f = config_size(&v, "intermediate_size", 4096);
    uint64_t patch = config_size(&v, "patch_size", 16);
    uint64_t merge = config_size(s, "spatial_merge_size", 2);
    bool bias = config_flag(s, "multimodal_projector_bias", false);
    const TowerPart around[] = {
        {"patch_conv", h, config_size(&v, "num_channels", 3) * patch * patch, ROLE_OTHER, false},
        {"ln_pre", 1, h, ROLE_NORM, false},
    };
    const TowerPart block[] = {
        {"attention_norm", 1, h, ROLE_NORM, false},
        {"ffn_norm", 1, h, ROLE_NORM, false},
        {"attention.q_proj", h, h, ROLE_Q, false},
        {"attention.k_proj", h, h, ROLE_K, false},
        {"attention.v_proj", h, h, ROLE_V, false},
        {"attention.o_proj", h, h, ROLE_O, false},
        {"feed_forward.gate_proj", f, h, ROLE_GATE, false},
        {"feed_forward.up_proj", f, h, ROLE_UP, false},
        {"feed_forward.down_proj", h, f, ROLE_DOWN, false},
    };
    const TowerPart projector[] = {
        {"norm", 1, h, ROLE_NORM, false},
        {"patch_merger.merging_layer", h, merge * merge * h, ROLE_OTHER, false},
        {"linear_1", width, h, ROLE_UP, bias},
        {"linear_2", width, width, ROLE_DOWN, bias},
    };
    uint64_t layers = config_size(&v, "num_hidden_layers", 24);
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "vision_tower", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_tower.transformer.layers", layers, block);
    TOWER(s, COMPONENT_VISION, "multi_modal_projector", 1, projector);
}

// Mistral3ForConditionalGeneration. Published files have a head of their own, whatever the class's default.
void family_mistral3(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "MistralConfig");
    const char *type = config_text(&text, "model_type", "mistral");
    Decoder d =
        strcmp(type, "ministral3") == 0 ? read_ministral3(&text, head) : read_mistral(&text, head);
    if (strcmp(type, "ministral3") != 0 && strcmp(type, "mistral") != 0)
        config_fail(&text, "\"model_type\" is \"%.40s\", expected mistral or ministral3", type);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (!s->failed) lay_tower(s, d.block.width);
}
