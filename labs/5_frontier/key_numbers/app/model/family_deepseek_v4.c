/* family_deepseek_v4.c -- DeepSeek V4: one key and value for all heads, of the last 128 tokens, and rows that
 * stand for 4 or 128 tokens each beside them; several residual streams; experts everywhere. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// A matrix for keys, one for gates, positions within the block, a norm.
static void add_compressor(ConfigFields *s, Decoder *d, const char *prefix, uint64_t every,
                           uint64_t dim, uint64_t times)
{
    const struct {
        const char *name;
        Role role;
        uint64_t rows, cols;
    } parts[] = {{"wkv.weight", ROLE_OTHER, times * dim, d->block.width},
                 {"wgate.weight", ROLE_OTHER, times * dim, d->block.width},
                 {"ape", ROLE_OTHER, every, times * dim},
                 {"norm.weight", ROLE_NORM, 1, dim}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        decoder_part(d, LAYER_ANY, COMPONENT_ATTN, parts[i].role,
                     build_name(s->model, "%s.%s", prefix, parts[i].name), parts[i].rows,
                     parts[i].cols);
        d->parts[d->part_count - 1].compress = every;
    }
}

static void add_attention(ConfigFields *s, Decoder *d, uint64_t dim)
{
    const Component at = COMPONENT_ATTN;
    KnBlock *b = &d->block;
    uint64_t groups = config_size(s, "o_groups", 8),
             rank = groups * config_size(s, "o_lora_rank", 1024);
    uint64_t heads = config_size(s, "index_n_heads", 64);
    d->index_dim = config_size(s, "index_head_dim", 128);
    d->indexed = 4;
    decoder_part(d, LAYER_ANY, at, ROLE_Q_A, "attn.wq_a.weight", b->q_rank, b->width);
    decoder_part(d, LAYER_ANY, at, ROLE_NORM, "attn.q_norm.weight", 1, b->q_rank);
    decoder_part(d, LAYER_ANY, at, ROLE_Q_B, "attn.wq_b.weight", b->heads * dim, b->q_rank);
    decoder_part(d, LAYER_ANY, at, ROLE_KV_A, "attn.wkv.weight", dim, b->width);
    decoder_part(d, LAYER_ANY, at, ROLE_NORM, "attn.norm.weight", 1, dim);
    decoder_part(d, LAYER_ANY, at, ROLE_O, "attn.wo_a.weight", rank, b->heads * dim / groups);
    decoder_part(d, LAYER_ANY, at, ROLE_O, "attn.wo_b.weight", b->width, rank);
    decoder_part(d, LAYER_ANY, at, ROLE_OTHER, "attn.attn_sink", 1, b->heads);
    add_compressor(s, d, "attn.compressor", 4, dim, 2);
    add_compressor(s, d, "attn.compressor", 128, dim, 1);
    add_compressor(s, d, "attn.indexer.compressor", 4, d->index_dim, 2);
    decoder_part(d, LAYER_ANY, at, ROLE_OTHER, "attn.indexer.weights_proj.weight", heads, b->width);
    d->parts[d->part_count - 1].compress = 4;
    decoder_part(d, LAYER_ANY, at, ROLE_OTHER, "attn.indexer.wq_b.weight", heads * d->index_dim,
                 b->q_rank);
    d->parts[d->part_count - 1].compress = 4;
}

static const uint64_t *read_ratios(ConfigFields *s, uint64_t layers)
{
    uint64_t *ratios = arena_zeros(s->arena, layers * sizeof *ratios);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "compress_ratios");
    const bool *few = decoder_typed(s, "layer_types", layers, "compressed_sparse_attention");
    const bool *many = decoder_typed(s, "layer_types", layers, "heavily_compressed_attention");
    for (uint64_t i = 0; i < layers; i++) {
        const cJSON *node = cJSON_GetArrayItem(list, (int)i);
        if (few != NULL) ratios[i] = few[i] ? 4 : many[i] ? 128 : 0;
        else if (cJSON_IsNumber(node)) ratios[i] = (uint64_t)node->valueint;
        else config_fail(s, "\"compress_ratios\" is missing, or shorter than the layers");
        if (ratios[i] != 0 && ratios[i] != 4 && ratios[i] != 128)
            config_fail(s, "\"compress_ratios\" has a ratio that is not 0, 4 or 128");
    }
    return ratios;
}

// DeepseekV4ForCausalLM, models/deepseek_v4/modeling_deepseek_v4.py, and the names of its published file.
void family_deepseek_v4(ConfigFields *s, Head head)
{
    Decoder d = {.head = head};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = config_size(s, "num_attention_heads", 64);
    b->kv_heads = config_size(s, "num_key_value_heads", 1);
    uint64_t dim = config_size(s, "head_dim", 512), n = config_size(s, "hc_mult", 4);
    // A key is its value too, as a latent is.
    b->kv_rank = b->nope_dim = b->value_dim = dim;
    b->q_rank = config_size(s, "q_lora_rank", 1024);
    b->gated = true;
    b->experts = config_size(s, "n_routed_experts", 256);
    b->active_experts = config_size(s, "num_experts_per_tok", 6);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 2048);
    b->shared_ffn = config_count(s, "n_shared_experts", 1) * b->expert_ffn;
    d.vocab = config_size(s, "vocab_size", 129280);
    d.max_context = config_size(s, "max_position_embeddings", 1048576);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    d.window = decoder_window(s, 128);
    d.compress = read_ratios(s, d.layers);
    d.names = (Names){.embed = "embed",
                      .final_norm = "norm",
                      .head = "head",
                      .norms = {"attn_norm", "ffn_norm"},
                      .router = "ffn.gate",
                      .expert = {"ffn.experts.w1", "ffn.experts.w3", NULL, "ffn.experts.w2"},
                      .shared = {"ffn.shared_experts.w1", "ffn.shared_experts.w3", NULL,
                                 "ffn.shared_experts.w2"}};
    bool *marked = decoder_flags(s, d.layers);    // a table of words routes them, not a bias
    const bool *hashed = decoder_typed(s, "mlp_layer_types", d.layers, "hash_moe");
    uint64_t first = config_count(s, "num_hash_layers", 3);
    for (uint64_t i = 0; i < d.layers; i++) marked[i] = hashed != NULL ? hashed[i] : i < first;
    d.marked = marked;
    decoder_part(&d, LAYER_UNMARKED, COMPONENT_ROUTER, ROLE_BIAS, "ffn.gate.bias", 1, b->experts);
    add_attention(s, &d, dim);
    static const char *const streams[] = {"hc_attn", "hc_ffn"};
    for (int i = 0; i < 2; i++) {
        const Component at = i == 0 ? COMPONENT_ATTN : COMPONENT_SHARED;
        decoder_part(&d, LAYER_ANY, at, ROLE_OTHER, build_name(s->model, "%s_fn", streams[i]),
                     n * (n + 2), n * b->width);
        decoder_part(&d, LAYER_ANY, at, ROLE_OTHER, build_name(s->model, "%s_base", streams[i]), 1,
                     n * (n + 2));
        decoder_part(&d, LAYER_ANY, at, ROLE_OTHER, build_name(s->model, "%s_scale", streams[i]), 1,
                     3);
    }
    s->model->odd_modules = true;
    decoder_lay(s, &d);
    if (s->failed) return;
    build_weight(s->model, OUTSIDE, COMPONENT_NORM, ROLE_OTHER, "hc_head_fn", n, n * b->width);
    build_vector(s->model, OUTSIDE, COMPONENT_NORM, ROLE_OTHER, "hc_head_base", n);
    build_vector(s->model, OUTSIDE, COMPONENT_NORM, ROLE_OTHER, "hc_head_scale", 1);
}
