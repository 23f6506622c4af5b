/* family_deepseek.c -- experts as DeepSeek routes them: the first layers are dense, some experts are
 * shared by all tokens. Attention is latent (DeepSeek-AI 2024) but for GLM-4.5. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/tower.h"

void deepseek_latent(ConfigFields *s, KnBlock *b, Latent usual)
{
    if (!config_null(s, "q_lora_rank")) b->q_rank = config_size(s, "q_lora_rank", usual.q_rank);
    b->kv_rank = config_size(s, "kv_lora_rank", usual.kv_rank);
    b->nope_dim = config_size(s, "qk_nope_head_dim", usual.nope_dim);
    b->rope_dim = config_size(s, "qk_rope_head_dim", usual.rope_dim);
    b->value_dim = config_size(s, "v_head_dim", usual.value_dim);
}

const bool *deepseek_routed(ConfigFields *s, uint64_t layers, uint64_t usual)
{
    uint64_t dense = config_count(s, "first_k_dense_replace", usual);
    uint64_t step = config_has(s, "moe_layer_freq") ? config_size(s, "moe_layer_freq", 1) : 1;
    bool *routed = decoder_flags(s, layers);
    for (uint64_t i = dense; i < layers; i++) routed[i] = i % step == 0;
    return routed;
}

// What a class takes for the fields of experts; active 0: the file has to say.
typedef struct Routing {
    uint64_t dense_layers, experts, active, shared, ffn;
} Routing;

static void read_experts(ConfigFields *s, Decoder *d, Routing usual)
{
    KnBlock *b = &d->block;
    if (config_null(s, "n_routed_experts")) return;
    b->experts = config_size(s, "n_routed_experts|num_local_experts|num_experts", usual.experts);
    b->active_experts = usual.active > 0 ? config_size(s, "num_experts_per_tok", usual.active)
                                         : config_need(s, "num_experts_per_tok");
    b->expert_ffn = config_size(s, "moe_intermediate_size", usual.ffn);
    uint64_t shared =
        config_null(s, "n_shared_experts") ? 0 : config_count(s, "n_shared_experts", usual.shared);
    b->shared_ffn = shared * b->expert_ffn;

    d->routed = deepseek_routed(s, d->layers, usual.dense_layers);
    // DeepSeek-V3 (2024), section 2.1.2: a number per expert balances the load, in place of a loss.
    b->router_bias = strcmp(config_text(s, "topk_method", "noaux_tc"), "noaux_tc") == 0;
    d->names.router_bias = "mlp.gate.e_score_correction_bias";
}

// The usual fields, but those of grouped heads, which latent ones do not have.
static Decoder read_decoder(ConfigFields *s, Head head, Usual usual)
{
    Decoder d = {.head = head, .names = names_llama};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = config_size(s, "num_attention_heads", usual.heads);
    b->kv_heads = b->heads;
    b->ffn = config_size(s, "intermediate_size", usual.ffn);
    b->gated = true;
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", false);
    d.vocab = config_size(s, "vocab_size", usual.vocab);
    d.max_context = config_size(s, "max_position_embeddings", usual.positions);
    d.tied = config_flag(s, "tie_word_embeddings", usual.tied);
    return d;
}

// DeepseekV2ForCausalLM, models/deepseek_v2/modeling_deepseek_v2.py.
void family_deepseek_v2(ConfigFields *s, Head head)
{
    Decoder d = read_decoder(s, head,
                             (Usual){.vocab = 32000, .heads = 32, .ffn = 11008, .positions = 2048});
    deepseek_latent(
        s, &d.block,
        (Latent){
            .q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128});
    read_experts(s, &d, (Routing){.dense_layers = 0, .experts = 64, .shared = 2, .ffn = 1407});
    d.block.router_bias = false;
    decoder_lay(s, &d);
}

Decoder deepseek_v3_read(ConfigFields *s, Head head)
{
    Decoder d = read_decoder(
        s, head, (Usual){.vocab = 129280, .heads = 128, .ffn = 18432, .positions = 4096});
    deepseek_latent(
        s, &d.block,
        (Latent){
            .q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128});
    read_experts(
        s, &d, (Routing){.dense_layers = 3, .experts = 256, .active = 8, .shared = 1, .ffn = 2048});
    return d;
}

// DeepseekV3ForCausalLM, models/deepseek_v3/modeling_deepseek_v3.py: DeepSeek-V3 and R1, Kimi K2, Moonlight.
void family_deepseek_v3(ConfigFields *s, Head head)
{
    Decoder d = deepseek_v3_read(s, head);
    decoder_lay(s, &d);
}

static void read_indexer(ConfigFields *s, Decoder *d, uint64_t heads)
{
    d->index_heads = config_size(s, "index_n_heads", heads);
    d->index_dim = config_size(s, "index_head_dim", 128);
    if (d->block.q_rank == 0)
        config_fail(s, "\"q_lora_rank\" is null, and an indexer needs the queries' latent");
}

// DeepSeek-V3.2 (its inference/model.py): V3 with an indexer in each layer.
void family_deepseek_v32(ConfigFields *s, Head head)
{
    Decoder d = deepseek_v3_read(s, head);
    read_indexer(s, &d, 64);
    decoder_lay(s, &d);
}

// From GLM-5.2 on most layers look where an earlier one's indexer said.
static const bool *read_indexing(ConfigFields *s, uint64_t layers)
{
    const bool *given = decoder_typed(s, "indexer_types", layers, "full");
    if (given != NULL) return given;
    bool *indexes = decoder_flags(s, layers);
    uint64_t every = config_has(s, "index_topk_freq") ? config_size(s, "index_topk_freq", 1) : 1;
    uint64_t offset = config_count(s, "index_skip_topk_offset", 2);
    for (uint64_t i = 0; i < layers; i++)
        indexes[i] = i + 1 < offset || (i + 1 - offset) % every == 0;
    return indexes;
}

// GlmMoeDsaForCausalLM: GLM-5, which is DeepSeek-V3.2 in other sizes.
void family_glm_moe_dsa(ConfigFields *s, Head head)
{
    Decoder d = read_decoder(
        s, head, (Usual){.vocab = 154880, .heads = 64, .ffn = 12288, .positions = 202752});
    deepseek_latent(
        s, &d.block,
        (Latent){
            .q_rank = 2048, .kv_rank = 512, .nope_dim = 192, .rope_dim = 64, .value_dim = 256});
    read_experts(
        s, &d, (Routing){.dense_layers = 3, .experts = 256, .active = 8, .shared = 1, .ffn = 2048});
    read_indexer(s, &d, 32);
    d.marked = read_indexing(s, d.layers);
    decoder_lay(s, &d);
}

// Glm4MoeForCausalLM, models/glm4_moe/modeling_glm4_moe.py: GLM-4.5, with grouped heads.
Decoder glm4_moe_read(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 151552, .heads = 96, .kv_heads = 8, .ffn = 10944, .positions = 131072});
    read_experts(
        s, &d, (Routing){.dense_layers = 1, .experts = 128, .active = 8, .shared = 1, .ffn = 1408});
    d.block.qkv_bias = config_flag(s, "attention_bias", false);
    d.block.qk_norm = config_flag(s, "use_qk_norm", false);
    if (d.block.qk_norm) d.q_norm = d.k_norm = d.block.head_dim;
    s->model->ends_again = true;
    return d;
}

// Glm4MoeLiteForCausalLM, models/glm4_moe_lite/modeling_glm4_moe_lite.py: GLM-4.7-Flash.
void family_glm4_moe_lite(ConfigFields *s, Head head)
{
    Decoder d = read_decoder(
        s, head, (Usual){.vocab = 154880, .heads = 20, .ffn = 10240, .positions = 202752});
    deepseek_latent(
        s, &d.block,
        (Latent){.q_rank = 768, .kv_rank = 512, .nope_dim = 192, .rope_dim = 64, .value_dim = 256});
    read_experts(
        s, &d, (Routing){.dense_layers = 1, .experts = 64, .active = 4, .shared = 1, .ffn = 1536});
    const bool *sparse = decoder_typed(s, "mlp_layer_types", d.layers, "sparse");
    if (sparse != NULL) d.routed = sparse;
    decoder_lay(s, &d);
}

void family_glm4_moe(ConfigFields *s, Head head)
{
    Decoder d = glm4_moe_read(s, head);
    decoder_lay(s, &d);
}
