/* family_kin.c -- decoders that differ from LLaMA's in a detail or two. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

static void norm_heads(Decoder *d)
{
    d->block.qk_norm = true;
    d->q_norm = d->k_norm = d->block.head_dim;
}

static Decoder read_biased(ConfigFields *s, Head head, Usual usual)
{
    Decoder d = decoder_read(s, head, usual);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.mlp_bias = config_flag(s, "mlp_bias", false);
    return d;
}

// SmolLM3ForCausalLM, models/smollm3/modeling_smollm3.py: every fourth layer knows no positions.
void family_smollm3(ConfigFields *s, Head head)
{
    Decoder d = read_biased(s, head,
                            (Usual){.vocab = 128256,
                                    .heads = 16,
                                    .kv_heads = 4,
                                    .ffn = 11008,
                                    .positions = 32768,
                                    .tied = true});
    if (config_flag(s, "use_sliding_window", false)) {
        d.window = decoder_window(s, 0);
        d.slides = decoder_slides(s, d.layers, 0, NULL);
    }
    decoder_lay(s, &d);
}

// Exaone4ForCausalLM, models/exaone4/modeling_exaone4.py: norms behind attention and MLP; where there is a
// window, three layers of four have it.
void family_exaone4(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 102400, .heads = 32, .kv_heads = 32, .ffn = 16384, .positions = 2048});
    norm_heads(&d);
    d.names.norms[0] = "post_attention_layernorm", d.names.norms[1] = "post_feedforward_layernorm";
    d.window = decoder_window(s, 4096);
    uint64_t period = 4;
    const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(s->object, "sliding_window_pattern");
    if (cJSON_IsNumber(pattern)) period = config_size(s, "sliding_window_pattern", 4);
    d.slides = decoder_slides(s, d.layers, period, NULL);
    decoder_lay(s, &d);
}

// HunYuanDenseV1ForCausalLM and HunYuanMoEV1ForCausalLM, models/hunyuan_v1_*: norms behind the rotation.
static Decoder read_hunyuan(ConfigFields *s, Head head)
{
    Decoder d = read_biased(s, head,
                            (Usual){.vocab = 290943, .heads = 32, .ffn = 11008, .positions = 2048});
    if (config_flag(s, "use_qk_norm", true)) norm_heads(&d);
    d.names.q_norm = "self_attn.query_layernorm", d.names.k_norm = "self_attn.key_layernorm";
    d.block.mlp_bias = false;
    return d;
}

void family_hunyuan_dense(ConfigFields *s, Head head)
{
    Decoder d = read_hunyuan(s, head);
    decoder_lay(s, &d);
}

// A number, or a list of one for each layer, all alike.
static uint64_t first_of(ConfigFields *s, const char *name, uint64_t fallback)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(s->object, name);
    if (!cJSON_IsArray(node)) return config_size(s, name, fallback);
    const cJSON *first = cJSON_GetArrayItem(node, 0), *each;
    cJSON_ArrayForEach(each, node)
    {
        if (!cJSON_IsNumber(each) || each->valuedouble != first->valuedouble ||
            each->valuedouble < 1 || each->valuedouble > CONFIG_MOST)
            config_fail(s, "\"%s\" is a list of different numbers", name);
    }
    return first != NULL && !s->failed ? (uint64_t)first->valuedouble : 1;
}

void family_hunyuan_moe(ConfigFields *s, Head head)
{
    Decoder d = read_hunyuan(s, head);
    KnBlock *b = &d.block;
    b->experts = config_size(s, "num_experts", 1);
    b->active_experts = first_of(s, "moe_topk", 1);
    b->expert_ffn = config_has(s, "moe_intermediate_size")
                        ? first_of(s, "moe_intermediate_size", b->ffn)
                        : b->ffn;
    uint64_t shared = config_has(s, "num_shared_expert") ? first_of(s, "num_shared_expert", 1) : 1;
    b->shared_ffn = shared * b->ffn;
    d.names.router = "mlp.gate.wg";
    d.names.shared = (MlpNames){.gate = "mlp.shared_mlp.gate_proj",
                                .up = "mlp.shared_mlp.up_proj",
                                .down = "mlp.shared_mlp.down_proj"};
    decoder_lay(s, &d);
}

// Ernie4_5ForCausalLM, models/ernie4_5/modeling_ernie4_5.py.
static Decoder read_ernie(ConfigFields *s, Head head, Usual usual)
{
    Decoder d = decoder_read(s, head, usual);
    d.block.qkv_bias = d.block.out_bias = d.block.mlp_bias = config_flag(s, "use_bias", false);
    return d;
}

void family_ernie4_5(ConfigFields *s, Head head)
{
    Decoder d = read_ernie(s, head,
                           (Usual){.vocab = 103424,
                                   .heads = 16,
                                   .kv_heads = 2,
                                   .head_dim = 128,
                                   .ffn = 3072,
                                   .positions = 131072,
                                   .tied = true});
    decoder_lay(s, &d);
}

// Ernie4_5_MoeForCausalLM, models/ernie4_5_moe/modeling_ernie4_5_moe.py: the first layers are dense.
void family_ernie4_5_moe(ConfigFields *s, Head head)
{
    Decoder d = read_ernie(s, head,
                           (Usual){.vocab = 103424,
                                   .heads = 20,
                                   .kv_heads = 4,
                                   .ffn = 12288,
                                   .positions = 131072,
                                   .tied = true});
    KnBlock *b = &d.block;
    b->experts = config_size(s, "moe_num_experts", 64);
    b->active_experts = config_size(s, "moe_k", 6);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 1536);
    b->shared_ffn = config_count(s, "moe_num_shared_experts", 2) * b->expert_ffn;
    uint64_t from = config_count(s, "moe_layer_start_index", 1);
    uint64_t to = d.layers, step = 1;
    if (config_has(s, "moe_layer_end_index")) {
        const cJSON *end = cJSON_GetObjectItemCaseSensitive(s->object, "moe_layer_end_index");
        if (end->valuedouble >= 0) to = config_count(s, "moe_layer_end_index", 0) + 1;
    }
    if (config_has(s, "moe_layer_interval")) step = config_size(s, "moe_layer_interval", 1);
    bool *routed = decoder_flags(s, d.layers);
    for (uint64_t i = from; i < to && i < d.layers; i++) routed[i] = (i + 1) % step == 0;
    d.routed = routed;
    b->router_bias = true;
    d.names.router_bias = "mlp.moe_statics.e_score_correction_bias";
    decoder_lay(s, &d);
}

// SeedOssForCausalLM, models/seed_oss/modeling_seed_oss.py.
void family_seed_oss(ConfigFields *s, Head head)
{
    Decoder d = read_biased(s, head,
                            (Usual){.vocab = 155136,
                                    .heads = 80,
                                    .kv_heads = 8,
                                    .head_dim = 128,
                                    .ffn = 27648,
                                    .positions = 524288});
    d.block.qkv_bias = config_flag(s, "attention_bias", true);
    d.block.out_bias = config_flag(s, "attention_out_bias", false);
    decoder_lay(s, &d);
}

// ArceeForCausalLM, models/arcee/modeling_arcee.py: an MLP of squared ReLU.
void family_arcee(ConfigFields *s, Head head)
{
    Decoder d =
        read_biased(s, head, (Usual){.vocab = 32000, .heads = 32, .ffn = 18432, .positions = 4096});
    d.block.gated = false;
    d.names.mlp.gate = NULL;
    decoder_lay(s, &d);
}

// ApertusForCausalLM, models/apertus/modeling_apertus.py: norms of the heads, and an MLP without a gate whose
// activation, xIELU, has two numbers of its own.
void family_apertus(ConfigFields *s, Head head)
{
    Decoder d = read_biased(
        s, head, (Usual){.vocab = 131072, .heads = 32, .ffn = 14336, .positions = 65536});
    norm_heads(&d);
    d.block.gated = false;
    d.names.mlp.gate = NULL;
    d.names.norms[0] = "attention_layernorm";
    d.names.norms[1] = "feedforward_layernorm";
    decoder_part(&d, LAYER_ANY, COMPONENT_MLP, ROLE_OTHER, "mlp.act_fn.alpha_p", 1, 1);
    decoder_part(&d, LAYER_ANY, COMPONENT_MLP, ROLE_OTHER, "mlp.act_fn.alpha_n", 1, 1);
    decoder_lay(s, &d);
}

// MiMoForCausalLM, remote code of XiaomiMiMo/MiMo-7B-Base: Qwen2's layers; its MTP modules are like them.
void family_mimo(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 151680, .heads = 32, .kv_heads = 8, .ffn = 11008, .positions = 32768});
    d.block.qkv_bias = config_flag(s, "attention_bias", true);
    decoder_lay(s, &d);
}

// CohereForCausalLM, models/cohere/modeling_cohere.py: one norm for attention and MLP side by side.
static Decoder read_cohere(ConfigFields *s, Head head)
{
    Decoder d = read_biased(
        s, head,
        (Usual){.vocab = 256000, .heads = 64, .ffn = 22528, .positions = 8192, .tied = true});
    d.names.norms[1] = NULL;
    d.block.mlp_bias = false;
    return d;
}

// Command R: norms on queries and keys have numbers for each head.
void family_cohere(ConfigFields *s, Head head)
{
    Decoder d = read_cohere(s, head);
    const Component at = COMPONENT_ATTN;
    const KnBlock *b = &d.block;
    if (config_flag(s, "use_qk_norm", false)) {
        decoder_part(&d, LAYER_ANY, at, ROLE_NORM, "self_attn.q_norm.weight", b->heads,
                     b->head_dim);
        decoder_part(&d, LAYER_ANY, at, ROLE_NORM, "self_attn.k_norm.weight", b->kv_heads,
                     b->head_dim);
    }
    decoder_lay(s, &d);
}

// Cohere2ForCausalLM, models/cohere2/modeling_cohere2.py: Command R7B and A; three layers of four slide.
void family_cohere2(ConfigFields *s, Head head)
{
    Decoder d = read_cohere(s, head);
    d.window = decoder_window(s, 4096);
    uint64_t period = 4;
    if (config_has(s, "sliding_window_pattern"))
        period = config_size(s, "sliding_window_pattern", 4);
    d.slides = decoder_slides(s, d.layers, period, NULL);
    decoder_lay(s, &d);
}

// Dots1ForCausalLM, models/dots1/modeling_dots1.py.
void family_dots1(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 152064, .heads = 32, .kv_heads = 32, .ffn = 10944, .positions = 2048});
    KnBlock *b = &d.block;
    norm_heads(&d);
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    b->experts = config_need(s, "n_routed_experts");
    b->active_experts = config_need(s, "num_experts_per_tok");
    b->expert_ffn = config_size(s, "moe_intermediate_size", 1408);
    b->shared_ffn = config_count(s, "n_shared_experts", 0) * b->expert_ffn;
    b->router_bias = true;
    d.names.router_bias = "mlp.gate.e_score_correction_bias";
    bool *routed = decoder_flags(s, d.layers);
    for (uint64_t i = config_count(s, "first_k_dense_replace", 0); i < d.layers; i++)
        routed[i] = true;
    d.routed = routed;
    d.window = decoder_window(s, 4096);
    d.slides = decoder_slides(s, d.layers, 0, decoder_flags(s, d.layers));
    decoder_lay(s, &d);
}

// MiMoV2FlashForCausalLM, models/mimo_v2_flash/modeling_mimo_v2_flash.py: keys longer than values, and
// more of both in layers that slide, whose heads may look at nothing.
static void shape_mimo(const Decoder *d, unsigned has, KnBlock *block)
{
    if (has & LAYER_SLIDES) block->kv_heads = d->full_kv;
}

void family_mimo_v2_flash(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 152576,
                                     .heads = 64,
                                     .kv_heads = 4,
                                     .head_dim = 192,
                                     .ffn = 16384,
                                     .positions = 262144});
    KnBlock *b = &d.block;
    uint64_t h = b->width, a = b->heads, k = b->head_dim, v = config_size(s, "v_head_dim", 128);
    const Component at = COMPONENT_ATTN;
    d.full_kv = config_size(s, "swa_num_key_value_heads", 8);
    // What is summed is as if both had the mean of the two.
    if ((k + v) % 2 != 0 || config_size(s, "swa_head_dim", k) != k ||
        config_size(s, "swa_v_head_dim", v) != v ||
        config_size(s, "swa_num_attention_heads", a) != a)
        config_fail(s, "its layers have heads of sizes that are not known here");
    b->head_dim = (k + v) / 2;
    d.value_dim = k != v ? v : 0;
    d.names.o = NULL;
    d.shape = shape_mimo;
    decoder_part(&d, LAYER_ANY, at, ROLE_Q, "self_attn.q_proj.weight", a * k, h);
    decoder_part(&d, LAYER_FULL, at, ROLE_K, "self_attn.k_proj.weight", b->kv_heads * k, h);
    decoder_part(&d, LAYER_FULL, at, ROLE_V, "self_attn.v_proj.weight", b->kv_heads * v, h);
    decoder_part(&d, LAYER_SLIDES, at, ROLE_K, "self_attn.k_proj.weight", d.full_kv * k, h);
    decoder_part(&d, LAYER_SLIDES, at, ROLE_V, "self_attn.v_proj.weight", d.full_kv * v, h);
    decoder_part(&d, LAYER_ANY, at, ROLE_O, "self_attn.o_proj.weight", h, a * v);
    if (config_flag(s, "add_swa_attention_sink_bias", true))
        decoder_part(&d, LAYER_SLIDES, at, ROLE_OTHER, "self_attn.attention_sink_bias", 1, a);
    if (config_flag(s, "add_full_attention_sink_bias", false))
        decoder_part(&d, LAYER_FULL, at, ROLE_OTHER, "self_attn.attention_sink_bias", 1, a);
    b->experts = config_size(s, "n_routed_experts", 256);
    b->active_experts = config_size(s, "num_experts_per_tok", 8);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 2048);
    b->router_bias = true;
    d.names.router_bias = "mlp.gate.e_score_correction_bias";
    d.window = config_size(s, "sliding_window", 128);
    d.slides = decoder_typed(s, "hybrid_layer_pattern", d.layers, "");
    d.routed = decoder_typed(s, "moe_layer_freq", d.layers, "");
    if (d.slides == NULL) d.slides = decoder_slides(s, d.layers, 0, NULL);
    if (d.slides == NULL || d.routed == NULL)
        config_fail(s, "\"hybrid_layer_pattern\" or \"moe_layer_freq\" is missing");
    decoder_lay(s, &d);
}
