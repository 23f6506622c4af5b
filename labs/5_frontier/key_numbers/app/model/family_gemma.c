/* family_gemma.c -- Gemma 1 to 3, and the SigLIP tower that looks at images for the third. */
#include "labs/5_frontier/key_numbers/app/model/family.h"
#include <inttypes.h>

static void read_biases(ConfigFields *s, KnBlock *b)
{
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
}

// GemmaForCausalLM, models/gemma/modeling_gemma.py.
void family_gemma(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 256000,
                                     .heads = 16,
                                     .kv_heads = 16,
                                     .head_dim = 256,
                                     .ffn = 24576,
                                     .positions = 8192,
                                     .tied = true});
    read_biases(s, &d.block);
    decoder_lay(s, &d);
}

static void name_norms(Names *names)
{
    names->norms[2] = "pre_feedforward_layernorm";
    names->norms[3] = "post_feedforward_layernorm";
}

// Gemma2ForCausalLM, models/gemma2/modeling_gemma2.py: four norms, and every other layer slides.
void family_gemma2(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 256000,
                                     .heads = 8,
                                     .kv_heads = 4,
                                     .head_dim = 256,
                                     .ffn = 9216,
                                     .positions = 8192,
                                     .tied = true});
    read_biases(s, &d.block);
    name_norms(&d.names);
    d.window = decoder_window(s, 4096);
    d.slides = decoder_slides(s, d.layers, 2, NULL);
    decoder_lay(s, &d);
}

// Gemma3TextModel, models/gemma3/modeling_gemma3.py: norms on queries and keys; five layers of six slide.
static Decoder read_gemma3(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 262208,
                                     .heads = 8,
                                     .kv_heads = 4,
                                     .head_dim = 256,
                                     .ffn = 9216,
                                     .positions = 131072,
                                     .tied = true});
    read_biases(s, &d.block);
    name_norms(&d.names);
    d.block.qk_norm = true;
    d.q_norm = d.k_norm = d.block.head_dim;
    d.window = decoder_window(s, 4096);
    uint64_t period = config_has(s, "layer_types")
                          ? 1
                          : config_size(s, "sliding_window_pattern|_sliding_window_pattern", 6);
    d.slides = decoder_slides(s, d.layers, period, NULL);
    return d;
}

void family_gemma3_text(ConfigFields *s, Head head)
{
    Decoder d = read_gemma3(s, head);
    decoder_lay(s, &d);
}

// ---- the tower ----

enum { IMAGE_MOST = 1 << 15 };

#define TOWER "vision_tower.vision_model."
#define LAYER TOWER "encoder.layers."

static void lay_tower_layers(Model *model, uint64_t h, uint64_t ffn, uint64_t layers)
{
    const Component vision = COMPONENT_VISION;
    const int first = model->weight_count;
    lay_norm(model, OUTSIDE, vision, LAYER "layer_norm1", h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_Q, LAYER "self_attn.q_proj", h, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_K, LAYER "self_attn.k_proj", h, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_V, LAYER "self_attn.v_proj", h, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_O, LAYER "self_attn.out_proj", h, h, true);
    lay_norm(model, OUTSIDE, vision, LAYER "layer_norm2", h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_UP, LAYER "mlp.fc1", ffn, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_DOWN, LAYER "mlp.fc2", h, ffn, true);
    for (int i = first; i < model->weight_count; i++) model->weights[i].copies = layers;
}

// One query of its own gathers the image: attention, a norm and an MLP.
static void lay_tower_head(Model *model, uint64_t h, uint64_t ffn)
{
    const Component vision = COMPONENT_VISION;
    build_vector(model, OUTSIDE, vision, ROLE_OTHER, TOWER "head.probe", h);
    build_weight(model, OUTSIDE, vision, ROLE_QKV, TOWER "head.attention.in_proj_weight", 3 * h, h);
    build_vector(model, OUTSIDE, vision, ROLE_BIAS, TOWER "head.attention.in_proj_bias", 3 * h);
    lay_linear(model, OUTSIDE, vision, ROLE_O, TOWER "head.attention.out_proj", h, h, true);
    lay_norm(model, OUTSIDE, vision, TOWER "head.layernorm", h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_UP, TOWER "head.mlp.fc1", ffn, h, true);
    lay_linear(model, OUTSIDE, vision, ROLE_DOWN, TOWER "head.mlp.fc2", h, ffn, true);
}

// SiglipVisionModel, models/siglip/modeling_siglip.py, and Gemma3MultiModalProjector.
static void lay_tower(ConfigFields *s, uint64_t text_width)
{
    ConfigFields v = config_part(s, "vision_config", "SiglipVisionConfig");
    Model *model = s->model;
    const Component vision = COMPONENT_VISION;
    uint64_t h = config_size(&v, "hidden_size", 768),
             ffn = config_size(&v, "intermediate_size", 3072);
    uint64_t layers = config_size(&v, "num_hidden_layers", 12);
    uint64_t image = config_size(&v, "image_size", 224), patch = config_size(&v, "patch_size", 16);
    uint64_t channels = config_count(&v, "num_channels", 3), side = image / patch;
    if (patch > image || image > IMAGE_MOST || channels > IMAGE_MOST)
        config_fail(&v,
                    "\"image_size\" is %" PRIu64 " and \"patch_size\" %" PRIu64
                    ", expected up to %d and a part of that",
                    image, patch, IMAGE_MOST);
    bool has_head = config_flag(&v, "vision_use_head", true);
    s->failed = v.failed;
    if (s->failed) return;
    lay_linear(model, OUTSIDE, vision, ROLE_OTHER, TOWER "embeddings.patch_embedding", h,
               channels * patch * patch, true);
    build_weight(model, OUTSIDE, vision, ROLE_POSITION,
                 TOWER "embeddings.position_embedding.weight", side * side, h);
    lay_tower_layers(model, h, ffn, layers);
    lay_norm(model, OUTSIDE, vision, TOWER "post_layernorm", h, true);
    if (has_head) lay_tower_head(model, h, ffn);
    build_weight(model, OUTSIDE, vision, ROLE_OTHER,
                 "multi_modal_projector.mm_input_projection_weight", text_width, h);
    lay_norm(model, OUTSIDE, vision, "multi_modal_projector.mm_soft_emb_norm", h, false);
}

// Gemma3ForConditionalGeneration, models/gemma3/modeling_gemma3.py. Files leave out what equals the defaults.
void family_gemma3(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "Gemma3TextConfig");
    Decoder d = read_gemma3(&text, head);
    d.names.embed = "language_model.embed_tokens";
    d.names.final_norm = "language_model.norm";
    decoder_lay(&text, &d);
    s->failed = text.failed;
    if (!s->failed) lay_tower(s, d.block.width);
}
