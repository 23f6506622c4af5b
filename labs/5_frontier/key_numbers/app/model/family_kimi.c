/* family_kimi.c -- Kimi K2.5: DeepSeek V3's layers, and MoonViT to see. Kimi Linear and K3: delta attention in
 * three layers of four, latent attention in the others. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// What a class takes for the fields of MoonViT. K3's has RMS norms, is narrower than its heads, has no biases, and
// its projector's norm comes last.
typedef struct MoonVit {
    uint64_t width, ffn, heads;    // heads: of all, together; 0: as wide as the rest
    bool bias, layer_norm, norm_first;
} MoonVit;

// Under the names of the published files, or of transformers' class.
static void lay_tower(ConfigFields *s, const char *class, uint64_t width, MoonVit usual)
{
    ConfigFields v = config_part(s, "vision_config", class);
    uint64_t h = config_size(&v, "vt_hidden_size|hidden_size", usual.width);
    uint64_t f = config_size(&v, "vt_intermediate_size|intermediate_size", usual.ffn);
    uint64_t layers = config_size(&v, "vt_num_hidden_layers|num_hidden_layers", 27);
    uint64_t q = usual.heads > 0 ? config_size(&v, "qkv_hidden_size", usual.heads) : h;
    uint64_t patch = config_size(&v, "patch_size", 14);
    uint64_t places = config_size(&v, "init_pos_emb_height|pos_emb_height", 64) *
                      config_size(&v, "init_pos_emb_width|pos_emb_width", 64);
    bool bias = config_flag(&v, "attn_bias", usual.bias),
         linear = config_flag(&v, "linear_bias", usual.bias),
         embeds = config_flag(&v, "patch_embed_proj_bias", usual.bias);
    const char *norm = config_text(&v, "norm_type", usual.layer_norm ? "layernorm" : "rmsnorm");
    bool layer_norm = strcmp(norm, "layernorm") == 0, first = usual.norm_first;
    const TowerPart around[] = {
        {"vision_tower.patch_embed.proj", h, 3 * patch * patch, ROLE_OTHER, embeds},
        {"vision_tower.patch_embed.pos_emb", places, h, ROLE_POSITION, false},
        {"vision_tower.encoder.final_layernorm", 1, h, ROLE_NORM, layer_norm},
        {first ? "mm_projector.pre_norm" : "mm_projector.post_norm", 1, first ? h : width,
         ROLE_NORM, first},
        {"mm_projector.proj", 4 * h, 4 * h, ROLE_UP, usual.bias},
        {"mm_projector.proj", width, 4 * h, ROLE_DOWN, usual.bias},
    };
    const TowerPart block[] = {
        {"norm0", 1, h, ROLE_NORM, layer_norm}, {"norm1", 1, h, ROLE_NORM, layer_norm},
        {"wqkv", 3 * q, h, ROLE_QKV, bias},     {"wo", h, q, ROLE_O, bias},
        {"mlp.fc0", f, h, ROLE_UP, linear},     {"mlp.fc1", h, f, ROLE_DOWN, linear},
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
    if (!s->failed)
        lay_tower(
            s, "KimiK25VisionConfig", d.block.width,
            (MoonVit){
                .width = 1152, .ffn = 4304, .bias = true, .layer_norm = true, .norm_first = true});
}

// ---- Kimi Delta Attention ----

// A mixer in the layers whose numbers, from 1, are in a list.
static const bool *read_listed(ConfigFields *s, ConfigFields *part, const char *field,
                               uint64_t layers)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(part->object, field), *node;
    bool *flags = decoder_flags(s, layers);
    if (!cJSON_IsArray(list)) {
        for (uint64_t i = 0; i < layers; i++) flags[i] = i == 0 || i % 4 != 0;
        return flags;
    }
    cJSON_ArrayForEach(node, list)
    {
        double layer = cJSON_IsNumber(node) ? node->valuedouble : 0;
        if (layer >= 1 && layer <= (double)layers) flags[(uint64_t)layer - 1] = true;
        else config_fail(s, "\"%s\" names a layer that is not one of %d", field, (int)layers);
    }
    return flags;
}

static void mix(Decoder *d, Role role, const char *name, uint64_t rows, uint64_t cols)
{
    decoder_part(d, LAYER_STATE, COMPONENT_LINEAR, role, name, rows, cols);
}

// Kimi Team 2025 (Kimi Linear), section 3: a delta rule with a decay for each channel.
static void mixer_kda(ConfigFields *s, Decoder *d)
{
    ConfigFields part = config_part(s, "linear_attn_config", "KimiLinearConfig");
    uint64_t h = d->block.width, dim = config_size(&part, "head_dim", 128);
    uint64_t heads = config_size(&part, "num_heads", 32), all = heads * dim;
    uint64_t kernel = config_size(&part, "short_conv_kernel_size", 4);
    d->mixer = "linear attention";
    d->mixes = read_listed(s, &part, "kda_layers", d->layers);
    d->conv = 3 * all * (kernel - 1);
    d->state = all * dim;
    mix(d, ROLE_UP, "self_attn.q_proj.weight", all, h);
    mix(d, ROLE_UP, "self_attn.k_proj.weight", all, h);
    mix(d, ROLE_UP, "self_attn.v_proj.weight", all, h);
    mix(d, ROLE_OTHER, "self_attn.q_conv1d.weight", all, kernel);
    mix(d, ROLE_OTHER, "self_attn.k_conv1d.weight", all, kernel);
    mix(d, ROLE_OTHER, "self_attn.v_conv1d.weight", all, kernel);
    mix(d, ROLE_OTHER, "self_attn.A_log", 1, heads);
    mix(d, ROLE_OTHER, "self_attn.dt_bias", 1, all);
    mix(d, ROLE_OTHER, "self_attn.f_a_proj.weight", dim, h);
    mix(d, ROLE_OTHER, "self_attn.f_b_proj.weight", all, dim);
    mix(d, ROLE_OTHER, "self_attn.b_proj.weight", heads, h);
    if (config_flag(&part, "use_full_rank_gate", false)) {
        mix(d, ROLE_UP, "self_attn.g_proj.weight", all, h);
    } else {
        mix(d, ROLE_OTHER, "self_attn.g_a_proj.weight", dim, h);
        mix(d, ROLE_OTHER, "self_attn.g_b_proj.weight", all, dim);
    }
    mix(d, ROLE_NORM, "self_attn.o_norm.weight", 1, dim);
    mix(d, ROLE_DOWN, "self_attn.o_proj.weight", h, all);
    s->failed |= part.failed;
}

static void read_experts(ConfigFields *s, Decoder *d)
{
    KnBlock *b = &d->block;
    b->experts = config_size(s, "num_experts", 256);
    b->active_experts = config_size(s, "num_experts_per_token|num_experts_per_tok", 8);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 1024);
    b->shared_ffn = config_count(s, "num_shared_experts", 1) * b->expert_ffn;
    b->router_bias = true;
    d->routed = deepseek_routed(s, d->layers, 1);
    d->names.router = "block_sparse_moe.gate";
    d->names.router_bias = "block_sparse_moe.gate.e_score_correction_bias";
    d->names.expert = (MlpNames){.gate = "block_sparse_moe.experts.w1",
                                 .up = "block_sparse_moe.experts.w3",
                                 .down = "block_sparse_moe.experts.w2"};
    d->names.shared = (MlpNames){.gate = "block_sparse_moe.shared_experts.gate_proj",
                                 .up = "block_sparse_moe.shared_experts.up_proj",
                                 .down = "block_sparse_moe.shared_experts.down_proj"};
}

// KimiLinearForCausalLM, models/kimi_linear/modeling_kimi_linear.py, under its published names.
static Decoder read_linear(ConfigFields *s, Head head)
{
    Decoder d = {.head = head, .names = names_llama};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = b->kv_heads = config_size(s, "num_attention_heads", 32);
    b->ffn = config_size(s, "intermediate_size", 9216);
    b->gated = true;
    deepseek_latent(s, b, (Latent){1536, 512, 128, 64, 128});
    if (!config_has(s, "q_lora_rank")) b->q_rank = 0;
    d.vocab = config_size(s, "vocab_size", 163840);
    d.max_context = config_size(s, "model_max_length|max_position_embeddings", 1048576);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    read_experts(s, &d);
    mixer_kda(s, &d);
    return d;
}

// What Kimi K3 has beside it: a gate on latent attention, experts that see half of the width, and residuals
// that attend to the beginnings of earlier blocks (attn_res).
static void read_k3(ConfigFields *s, Decoder *d)
{
    const KnBlock *b = &d->block;
    uint64_t h = b->width, latent = config_count(s, "routed_expert_hidden_size", 0);
    if (config_flag(s, "mla_use_output_gate", false))
        decoder_part(d, LAYER_FULL, COMPONENT_ATTN, ROLE_UP, "self_attn.g_proj.weight",
                     b->heads * b->value_dim, h);
    if (latent > 0) {
        const Component at = COMPONENT_EXPERTS;
        d->expert_width = latent;
        decoder_part(d, LAYER_ROUTED, at, ROLE_UP,
                     "block_sparse_moe.routed_expert_down_proj.weight", latent, h);
        decoder_part(d, LAYER_ROUTED, at, ROLE_DOWN,
                     "block_sparse_moe.routed_expert_up_proj.weight", h, latent);
        if (config_flag(s, "latent_moe_use_norm", false))
            decoder_part(d, LAYER_ROUTED, at, ROLE_NORM,
                         "block_sparse_moe.routed_expert_norm.weight", 1, latent);
    }
    if (!config_has(s, "attn_res_block_size")) return;
    static const char *const names[] = {"self_attention_res", "mlp_res"};
    for (int i = 0; i < 2; i++) {
        decoder_part(d, LAYER_ANY, COMPONENT_NORM, ROLE_NORM,
                     build_name(s->model, "%s_norm.weight", names[i]), 1, h);
        decoder_part(d, LAYER_ANY, COMPONENT_NORM, ROLE_OTHER,
                     build_name(s->model, "%s_proj.weight", names[i]), 1, h);
    }
}

static void lay_linear_text(ConfigFields *s, Decoder *d)
{
    decoder_lay(s, d);
    if (s->failed || !config_has(s, "attn_res_block_size")) return;
    lay_norm(s->model, OUTSIDE, COMPONENT_NORM, "output_attn_res_norm", d->block.width, false);
    lay_norm(s->model, OUTSIDE, COMPONENT_NORM, "output_attn_res_proj", d->block.width, false);
}

void family_kimi_linear(ConfigFields *s, Head head)
{
    Decoder d = read_linear(s, head);
    read_k3(s, &d);
    lay_linear_text(s, &d);
}

// KimiK3ForConditionalGeneration, remote code of moonshotai/Kimi-K3, as NVIDIA's NeMo AutoModel has it.
void family_kimi_k3(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "KimiK3TextConfig");
    Decoder d = read_linear(&text, head);
    read_k3(&text, &d);
    lay_linear_text(&text, &d);
    s->failed |= text.failed;
    if (!s->failed)
        lay_tower(s, "KimiK3VisionConfig", d.block.width,
                  (MoonVit){.width = 1024, .ffn = 4096, .heads = 1536});
}
