/* family_gemma4.c -- Gemma 3n and 4: an embedding of each layer's own, late layers that read earlier keys and
 * values, heads of two sizes, experts beside the MLP; and towers for images and sound. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"

static const Usual usual = {.vocab = 262144,
                            .heads = 8,
                            .kv_heads = 4,
                            .head_dim = 256,
                            .ffn = 9216,
                            .positions = 131072,
                            .tied = true};

// Norms around attention and MLP, and norms on queries and keys.
static Decoder read_layers(ConfigFields *s, Head head, Usual fallback, uint64_t period)
{
    Decoder d = decoder_read(s, head, fallback);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.qk_norm = true;
    d.q_norm = d.k_norm = d.block.head_dim;
    d.names.norms[2] = "pre_feedforward_layernorm";
    d.names.norms[3] = "post_feedforward_layernorm";
    d.window = decoder_window(s, 512);
    d.slides = decoder_slides(s, d.layers, period, NULL);
    return d;
}

// The last `shared` layers keep nothing of their own.
static void borrow(ConfigFields *s, Decoder *d, uint64_t shared)
{
    bool *borrows = decoder_flags(s, d->layers);
    for (uint64_t i = shared < d->layers ? d->layers - shared : 0; i < d->layers; i++)
        borrows[i] = shared > 0;
    d->borrows = borrows;
}

static void per_layer_inputs(ConfigFields *s, Decoder *d, uint64_t width)
{
    uint64_t h = d->block.width;
    const Component mlp = COMPONENT_MLP;
    if (width == 0) return;
    decoder_part(d, LAYER_ANY, mlp, ROLE_OTHER, "per_layer_input_gate.weight", width, h);
    decoder_part(d, LAYER_ANY, mlp, ROLE_OTHER, "per_layer_projection.weight", h, width);
    decoder_part(d, LAYER_ANY, COMPONENT_NORM, ROLE_NORM, "post_per_layer_input_norm.weight", 1, h);
    lay_linear(s->model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, "embed_tokens_per_layer",
               config_size(s, "vocab_size_per_layer_input", 262144), d->layers * width, false);
    lay_linear(s->model, OUTSIDE, COMPONENT_EMBED, ROLE_OTHER, "per_layer_model_projection",
               d->layers * width, h, false);
    lay_norm(s->model, OUTSIDE, COMPONENT_NORM, "per_layer_projection_norm", width, false);
}

// ---- Gemma 4 ----

static void shape(const Decoder *d, unsigned has, KnBlock *block)
{
    if (has & LAYER_FULL) block->head_dim = d->full_dim, block->kv_heads = d->full_kv;
    if (has & LAYER_BORROWS) block->kv_heads = 0;
}

static void read_experts(ConfigFields *s, Decoder *d)
{
    KnBlock *b = &d->block;
    b->experts = config_need(s, "num_experts");
    b->active_experts = config_need(s, "top_k_experts");
    b->expert_ffn = config_need(s, "moe_intermediate_size");
    b->shared_ffn = b->ffn;    // each token goes through the MLP too
    d->names.shared = d->names.mlp;
    d->stacked = true;
    d->names.router = "router.proj";
    d->names.expert = (MlpNames){.both = "experts.gate_up_proj", .down = "experts.down_proj"};
    const Component router = COMPONENT_ROUTER, norm = COMPONENT_NORM;
    decoder_part(d, LAYER_ANY, router, ROLE_OTHER, "router.scale", 1, b->width);
    decoder_part(d, LAYER_ANY, router, ROLE_OTHER, "router.per_expert_scale", 1, b->experts);
    decoder_part(d, LAYER_ANY, norm, ROLE_NORM, "post_feedforward_layernorm_1.weight", 1, b->width);
    decoder_part(d, LAYER_ANY, norm, ROLE_NORM, "post_feedforward_layernorm_2.weight", 1, b->width);
    decoder_part(d, LAYER_ANY, norm, ROLE_NORM, "pre_feedforward_layernorm_2.weight", 1, b->width);
}

// Gemma4TextModel, models/gemma4/modeling_gemma4.py.
static Decoder read_gemma4(ConfigFields *s, Head head)
{
    Decoder d = read_layers(s, head, usual, 6);
    uint64_t shared = config_count(s, "num_kv_shared_layers", 0);
    if (!config_has(s, "layer_types")) {
        bool *slides = decoder_flags(s, d.layers);    // the last layer sees all
        for (uint64_t i = 0; i + 1 < d.layers; i++) slides[i] = (i + 1) % 6 != 0;
        d.slides = slides;
    }
    borrow(s, &d, shared);
    d.shape = shape;
    d.full_dim = config_size(s, "global_head_dim", 512);
    d.k_is_v = config_flag(s, "attention_k_eq_v", false);
    d.full_kv = d.block.kv_heads;
    if (d.k_is_v && config_has(s, "num_global_key_value_heads"))
        d.full_kv = config_size(s, "num_global_key_value_heads", 1);
    if (config_flag(s, "use_double_wide_mlp", false) && shared > 0) {
        uint64_t *ffns = arena_zeros(s->arena, d.layers * sizeof *ffns);
        for (uint64_t i = 0; i < d.layers; i++) ffns[i] = d.block.ffn * (d.borrows[i] ? 2 : 1);
        d.ffns = ffns;
    }
    if (config_flag(s, "enable_moe_block", false)) read_experts(s, &d);
    per_layer_inputs(s, &d, config_count(s, "hidden_size_per_layer_input", 256));
    return d;
}

void family_gemma4_text(ConfigFields *s, Head head)
{
    Decoder d = read_gemma4(s, head);
    decoder_lay(s, &d);
}

static void lay_vision(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "Gemma4VisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 768),
             f = config_size(&v, "intermediate_size", 3072);
    uint64_t d = config_size(&v, "head_dim", 64), patch = config_size(&v, "patch_size", 16);
    uint64_t q = config_size(&v, "num_attention_heads", 12) * d;
    uint64_t k = config_size(&v, "num_key_value_heads", 12) * d;
    const TowerPart around[] = {
        {"vision_tower.patch_embedder.input_proj", h, 3 * patch * patch, ROLE_OTHER, false},
        {"vision_tower.patch_embedder.position_embedding_table*",
         2 * config_size(&v, "position_embedding_size", 10240), h, ROLE_POSITION, false},
        {"embed_vision.embedding_projection", width, h, ROLE_OTHER, false},
    };
    const TowerPart block[] = {
        {"input_layernorm", 1, h, ROLE_NORM, false},
        {"post_attention_layernorm", 1, h, ROLE_NORM, false},
        {"pre_feedforward_layernorm", 1, h, ROLE_NORM, false},
        {"post_feedforward_layernorm", 1, h, ROLE_NORM, false},
        {"self_attn.q_proj.linear", q, h, ROLE_Q, false},
        {"self_attn.k_proj.linear", k, h, ROLE_K, false},
        {"self_attn.v_proj.linear", k, h, ROLE_V, false},
        {"self_attn.o_proj.linear", h, q, ROLE_O, false},
        {"self_attn.q_norm", 1, d, ROLE_NORM, false},
        {"self_attn.k_norm", 1, d, ROLE_NORM, false},
        {"mlp.gate_proj.linear", f, h, ROLE_GATE, false},
        {"mlp.up_proj.linear", f, h, ROLE_UP, false},
        {"mlp.down_proj.linear", h, f, ROLE_DOWN, false},
    };
    uint64_t layers = config_size(&v, "num_hidden_layers", 16);
    s->failed |= v.failed;
    TOWER(s, COMPONENT_VISION, "", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_tower.encoder.layers", layers, block);
}

// A conformer: two MLPs around attention and a convolution, behind two convolutions that shorten the sound.
static void lay_audio(ConfigFields *s, uint64_t width)
{
    ConfigFields a = config_part(s, "audio_config", "Gemma4AudioConfig");
    uint64_t h = config_size(&a, "hidden_size", 1024);
    uint64_t heads = config_size(&a, "num_attention_heads", 8), kernel = 5;
    kernel = config_size(&a, "conv_kernel_size", 5);
    uint64_t out = config_size(&a, "output_proj_dims", 1536), first = 128, second = 32, bands = 32;
    const TowerPart around[] = {
        {"audio_tower.output_proj", out, h, ROLE_OTHER, true},
        {"audio_tower.subsample_conv_projection.input_proj_linear", h, bands * second, ROLE_OTHER,
         false},
        {"audio_tower.subsample_conv_projection.layer0.conv", first, 9, ROLE_OTHER, false},
        {"audio_tower.subsample_conv_projection.layer0.norm", 1, first, ROLE_NORM, false},
        {"audio_tower.subsample_conv_projection.layer1.conv", second, 9 * first, ROLE_OTHER, false},
        {"audio_tower.subsample_conv_projection.layer1.norm", 1, second, ROLE_NORM, false},
        {"embed_audio.embedding_projection", width, out, ROLE_OTHER, false},
    };
    const TowerPart block[] = {
        {"feed_forward1.ffw_layer_1.linear", 4 * h, h, ROLE_UP, false},
        {"feed_forward1.ffw_layer_2.linear", h, 4 * h, ROLE_DOWN, false},
        {"feed_forward1.pre_layer_norm", 1, h, ROLE_NORM, false},
        {"feed_forward1.post_layer_norm", 1, h, ROLE_NORM, false},
        {"feed_forward2.ffw_layer_1.linear", 4 * h, h, ROLE_UP, false},
        {"feed_forward2.ffw_layer_2.linear", h, 4 * h, ROLE_DOWN, false},
        {"feed_forward2.pre_layer_norm", 1, h, ROLE_NORM, false},
        {"feed_forward2.post_layer_norm", 1, h, ROLE_NORM, false},
        {"lconv1d.conv_norm", 1, h, ROLE_NORM, false},
        {"lconv1d.depthwise_conv1d", h, kernel, ROLE_OTHER, false},
        {"lconv1d.linear_start.linear", 2 * h, h, ROLE_UP, false},
        {"lconv1d.linear_end.linear", h, h, ROLE_DOWN, false},
        {"lconv1d.pre_layer_norm", 1, h, ROLE_NORM, false},
        {"norm_out", 1, h, ROLE_NORM, false},
        {"norm_post_attn", 1, h, ROLE_NORM, false},
        {"norm_pre_attn", 1, h, ROLE_NORM, false},
        {"self_attn.q_proj.linear", h, h, ROLE_Q, false},
        {"self_attn.k_proj.linear", h, h, ROLE_K, false},
        {"self_attn.v_proj.linear", h, h, ROLE_V, false},
        {"self_attn.post.linear", h, h, ROLE_O, false},
        {"self_attn.relative_k_proj", h, h, ROLE_OTHER, false},
        {"self_attn.per_dim_scale*", 1, h / heads, ROLE_OTHER, false},
    };
    uint64_t layers = config_size(&a, "num_hidden_layers", 12);
    s->failed |= a.failed;
    TOWER(s, COMPONENT_AUDIO, "", 1, around);
    TOWER(s, COMPONENT_AUDIO, "audio_tower.layers", layers, block);
}

// Gemma4ForConditionalGeneration.
void family_gemma4(ConfigFields *s, Head head)
{
    ConfigFields text = config_part(s, "text_config", "Gemma4TextConfig");
    Decoder d = read_gemma4(&text, head);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    decoder_lay(&text, &d);
    s->failed |= text.failed;
    if (!s->failed && config_has(s, "vision_config")) lay_vision(s, d.block.width);
    if (!s->failed && config_has(s, "audio_config")) lay_audio(s, d.block.width);
}

// ---- Gemma 3n ----

static void shape_3n(const Decoder *d, unsigned has, KnBlock *block)
{
    (void)d;
    if (has & LAYER_BORROWS) block->kv_heads = 0;
}

// Gemma3nTextModel, models/gemma3n/modeling_gemma3n.py. AltUp (Baykal et al. 2023) keeps several residual
// streams; LAuReL (Menghani et al. 2024) adds a low-rank path.
void family_gemma3n_text(ConfigFields *s, Head head)
{
    Usual smaller = usual;
    smaller.vocab = 262400, smaller.kv_heads = 2, smaller.ffn = 16384, smaller.positions = 32768;
    ConfigFields each = *s;
    const cJSON *ffn = cJSON_GetObjectItemCaseSensitive(s->object, "intermediate_size");
    if (cJSON_IsArray(ffn)) {
        // One for each layer, all alike in the published files.
        cJSON *one = cJSON_Duplicate(s->object, true);
        cJSON_ReplaceItemInObjectCaseSensitive(one, "intermediate_size",
                                               cJSON_Duplicate(cJSON_GetArrayItem(ffn, 0), true));
        each.object = one;
    }
    Decoder d = read_layers(&each, head, smaller, 5);
    if (each.object != s->object) cJSON_Delete((cJSON *)each.object);
    s->failed |= each.failed;
    uint64_t h = d.block.width, n = config_size(s, "altup_num_inputs", 4);
    uint64_t rank = config_size(s, "laurel_rank", 64);
    const Component mlp = COMPONENT_MLP, norm = COMPONENT_NORM;
    borrow(s, &d, config_count(s, "num_kv_shared_layers", 15));
    d.shape = shape_3n;
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "altup.correct_output_scale", 1, h);
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "altup.correction_coefs.weight", n, n);
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "altup.modality_router.weight", n, h);
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "altup.prediction_coefs.weight", n * n, n);
    decoder_part(&d, LAYER_ANY, norm, ROLE_NORM, "altup.router_norm.weight", 1, h);
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "laurel.linear_left.weight", rank, h);
    decoder_part(&d, LAYER_ANY, mlp, ROLE_OTHER, "laurel.linear_right.weight", h, rank);
    decoder_part(&d, LAYER_ANY, norm, ROLE_NORM, "laurel.post_laurel_norm.weight", 1, h);
    per_layer_inputs(s, &d, config_count(s, "hidden_size_per_layer_input", 256));
    if (n > 1) {
        build_weight(s->model, OUTSIDE, mlp, ROLE_OTHER, "altup_projections.weight", h, h)->copies =
            n - 1;
        build_weight(s->model, OUTSIDE, mlp, ROLE_OTHER, "altup_unembed_projections.weight", h, h)
            ->copies = n - 1;
    }
    decoder_lay(s, &d);
}
