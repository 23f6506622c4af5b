/* family_step.c -- Step 3.5 and 3.7 Flash: more query heads in layers with a window, a gate for each head, experts
 * after the first layers, and a vision transformer whose output two convolutions shrink. */
#include <stdlib.h>
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// "3,4,5": the layers with experts; missing: all from the fourth on.
static const bool *read_routed(ConfigFields *s, uint64_t layers)
{
    const bool *typed = decoder_typed(s, "mlp_layer_types", layers, "sparse");
    if (typed != NULL) return typed;
    bool *routed = decoder_flags(s, layers);
    const char *list = config_text(s, "moe_layers_enum", NULL);
    for (uint64_t i = 3; list == NULL && i < layers; i++) routed[i] = true;
    for (const char *at = list; at != NULL && *at != '\0' && !s->failed;) {
        char *end;
        unsigned long long layer = strtoull(at, &end, 10);
        if (end == at || (*end != ',' && *end != '\0'))
            config_fail(s, "\"moe_layers_enum\" is %.40s, expected numbers with commas between",
                        list);
        if (layer < layers) routed[layer] = true;    // those after the last predict further tokens
        at = *end == ',' ? end + 1 : end;
    }
    return routed;
}

static void shape(const Decoder *d, unsigned has, KnBlock *block)
{
    if (has & LAYER_SLIDES) block->heads = d->slide_heads;
}

// Step3p7TextModel, models/step3p7/modeling_step3p7.py, under its published names.
static Decoder read_text(ConfigFields *s, Head head)
{
    Decoder d = {.head = head, .names = names_llama, .shape = shape};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = d.slide_heads = config_size(s, "num_attention_heads", 64);
    b->kv_heads = config_size(s, "num_attention_groups|num_key_value_heads", 8);
    b->head_dim = config_size(s, "head_dim", 128);
    b->ffn = config_size(s, "intermediate_size", 11264);
    b->gated = b->qk_norm = true;
    d.q_norm = d.k_norm = b->head_dim;
    d.vocab = config_size(s, "vocab_size", 128815);
    d.max_context = config_size(s, "max_position_embeddings|max_seq_len", 128000);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    d.slides = decoder_typed(s, "layer_types", d.layers, "sliding_attention");
    d.window = d.slides != NULL ? decoder_window(s, 512) : 0;
    ConfigFields other = config_part(s, "attention_other_setting", "its layers with a window");
    d.slide_heads = config_size(&other, "num_attention_heads", b->heads);
    s->failed |= other.failed;

    b->experts = config_size(s, "moe_num_experts|n_routed_experts", 288);
    b->active_experts = config_size(s, "moe_top_k|num_experts_per_tok", 8);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 1280);
    b->shared_ffn = config_size(s, "share_expert_dim|share_expert_dims", 1280);
    b->router_bias = true;
    d.routed = read_routed(s, d.layers);
    d.names.router = "moe.gate";
    d.names.router_bias = "moe.router_bias";
    d.names.expert =
        (MlpNames){.gate = "moe.gate_proj", .up = "moe.up_proj", .down = "moe.down_proj"};
    d.names.shared = (MlpNames){.gate = "share_expert.gate_proj",
                                .up = "share_expert.up_proj",
                                .down = "share_expert.down_proj"};
    const char *gate = "self_attn.g_proj.weight";
    decoder_part(&d, LAYER_FULL, COMPONENT_ATTN, ROLE_OTHER, gate, b->heads, b->width);
    decoder_part(&d, LAYER_SLIDES, COMPONENT_ATTN, ROLE_OTHER, gate, d.slide_heads, b->width);
    s->model->odd_modules = true;
    return d;
}

// Step3p5ForCausalLM, remote code of stepfun-ai/Step-3.5-Flash: the same without a tower.
void family_step3p5(ConfigFields *s, Head head)
{
    Decoder d = read_text(s, head);
    decoder_lay(s, &d);
}

static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "Step3p7VisionConfig");
    uint64_t h = config_size(&v, "width|hidden_size", 1536);
    uint64_t f =
        (uint64_t)((double)h * config_real(&v, "mlp_ratio", 8960.0 / 1536, 1e-3, 1e3) + 1e-9);
    uint64_t layers = config_size(&v, "layers|num_hidden_layers", 47);
    uint64_t patch = config_size(&v, "patch_size", 14);
    uint64_t side = config_size(&v, "image_size", 728) / patch;
    const TowerPart around[] = {
        {"vision_model.conv1", h, config_size(&v, "num_channels", 3) * patch * patch, ROLE_OTHER,
         false},
        {"vision_model.positional_embedding*", side * side, h, ROLE_POSITION, false},
        {"vision_model.ln_pre", 1, h, ROLE_NORM, true},
        {"vision_model.vit_downsampler1", 2 * h, 9 * h, ROLE_OTHER, true},
        {"vision_model.vit_downsampler2", 4 * h, 9 * 2 * h, ROLE_OTHER, true},
        {"vit_large_projector", width, 4 * h, ROLE_UP, config_flag(s, "projector_bias", false)},
    };
    const TowerPart block[] = {
        {"attn.in_proj_weight*", 3 * h, h, ROLE_QKV, false},
        {"attn.in_proj_bias*", 1, 3 * h, ROLE_BIAS, false},
        {"attn.out_proj", h, h, ROLE_O, true},
        {"ln_1", 1, h, ROLE_NORM, true},
        {"ln_2", 1, h, ROLE_NORM, true},
        {"ls_1.gamma*", 1, h, ROLE_OTHER, false},
        {"ls_2.gamma*", 1, h, ROLE_OTHER, false},
        {"mlp.c_fc", f, h, ROLE_UP, true},
        {"mlp.c_proj", h, f, ROLE_DOWN, true},
    };
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_model.transformer.resblocks", layers, block);
}

// Step3p7ForConditionalGeneration, models/step3p7/modeling_step3p7.py.
void family_step3p7(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "Step3p7TextConfig");
    Decoder d = read_text(&text, head);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (!s->failed) lay_tower(s, d.block.width);
}
