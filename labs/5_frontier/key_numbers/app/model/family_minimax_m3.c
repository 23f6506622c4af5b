/* family_minimax_m3.c -- MiniMax-M3: grouped heads, of which an indexer picks blocks in most layers, experts
 * in all but the first, and a CLIP-like vision transformer. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/tower.h"

// MiniMaxM3VLTextModel, models/minimax_m3_vl/modeling_minimax_m3_vl.py, under its published names.
static Decoder read_text(ConfigFields *s, Head head, uint64_t *index_dim)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 200064,
                                     .heads = 64,
                                     .kv_heads = 4,
                                     .head_dim = 128,
                                     .ffn = 3072,
                                     .positions = 524288});
    KnBlock *b = &d.block;
    ConfigFields sparse = config_part(s, "sparse_attention_config", "MiniMaxM3VLTextConfig");
    uint64_t heads = config_size(&sparse, "sparse_num_index_heads", 4), h = b->width;
    *index_dim = config_size(&sparse, "sparse_index_dim", 128);
    b->qk_norm = true, d.q_norm = d.k_norm = b->head_dim;
    b->experts = config_size(s, "num_local_experts", 128);
    b->active_experts = config_size(s, "num_experts_per_tok", 4);
    b->expert_ffn = b->ffn;
    b->ffn = config_size(s, "dense_intermediate_size", 12288);
    b->shared_ffn = config_size(s, "shared_intermediate_size", 3072);
    b->router_bias = true;
    d.names.router = "block_sparse_moe.gate";
    d.names.router_bias = "block_sparse_moe.e_score_correction_bias";
    d.names.expert = (MlpNames){.gate = "block_sparse_moe.experts.w1",
                                .up = "block_sparse_moe.experts.w3",
                                .down = "block_sparse_moe.experts.w2"};
    d.names.shared = (MlpNames){.gate = "block_sparse_moe.shared_experts.gate_proj",
                                .up = "block_sparse_moe.shared_experts.up_proj",
                                .down = "block_sparse_moe.shared_experts.down_proj"};
    d.routed = decoder_typed(s, "moe_layer_freq", d.layers, "");
    d.marked = decoder_typed(&sparse, "sparse_attention_freq", d.layers, "");
    if (d.marked == NULL) d.marked = decoder_flags(s, d.layers);
    const Component at = COMPONENT_ATTN;
    decoder_part(&d, LAYER_MARKED, at, ROLE_OTHER, "self_attn.index_q_proj.weight",
                 heads * *index_dim, h);
    decoder_part(&d, LAYER_MARKED, at, ROLE_OTHER, "self_attn.index_k_proj.weight", *index_dim, h);
    decoder_part(&d, LAYER_MARKED, at, ROLE_NORM, "self_attn.index_q_norm.weight", 1, *index_dim);
    decoder_part(&d, LAYER_MARKED, at, ROLE_NORM, "self_attn.index_k_norm.weight", 1, *index_dim);
    s->failed |= sparse.failed;
    s->model->odd_modules = true;
    return d;
}

static void lay_text(ConfigFields *s, Decoder *d, uint64_t index_dim)
{
    Model *model = s->model;
    decoder_lay(s, d);
    for (int i = 0; i < model->weight_count && !s->failed; i++)
        if (strcmp(model->weights[i].name, "self_attn.index_k_proj.weight") == 0)
            model->kinds[model->weights[i].kind].index_dim = index_dim;
    build_note(model, "the indexer's keys are counted in 8 bits with a scale, as DeepSeek's are");
}

void family_minimax_m3(ConfigFields *s, Head head)
{
    uint64_t index_dim;
    Decoder d = read_text(s, head, &index_dim);
    lay_text(s, &d, index_dim);
}

static void lay_tower(ConfigFields *s, uint64_t width)
{
    ConfigFields v = config_part(s, "vision_config", "MiniMaxM3VLVisionConfig");
    uint64_t h = config_size(&v, "hidden_size", 1280),
             f = config_size(&v, "intermediate_size", 5120);
    uint64_t patch = config_size(&v, "patch_size", 14), times = 2, merge = 2;
    ConfigFields few = config_part(&v, "img_token_compression_config", "its vision_config");
    times = config_size(&few, "temporal_patch_size", times);
    merge = config_size(&few, "spatial_merge_size", merge);
    uint64_t inner = config_size(s, "projector_hidden_size", width);
    const TowerPart around[] = {
        {"vision_tower.vision_model.embeddings.patch_embedding", h,
         config_size(&v, "num_channels", 3) * times * patch * patch, ROLE_OTHER, false},
        {"vision_tower.vision_model.pre_layrnorm", 1, h, ROLE_NORM, true},
        {"multi_modal_projector.linear_1", inner, h, ROLE_UP, true},
        {"multi_modal_projector.linear_2", width, inner, ROLE_DOWN, true},
        {"patch_merge_mlp.linear_1", inner, merge * merge * width, ROLE_UP, true},
        {"patch_merge_mlp.linear_2", width, inner, ROLE_DOWN, true},
    };
    const TowerPart block[] = {
        {"layer_norm1", 1, h, ROLE_NORM, true},   {"layer_norm2", 1, h, ROLE_NORM, true},
        {"self_attn.q_proj", h, h, ROLE_Q, true}, {"self_attn.k_proj", h, h, ROLE_K, true},
        {"self_attn.v_proj", h, h, ROLE_V, true}, {"self_attn.out_proj", h, h, ROLE_O, true},
        {"mlp.fc1", f, h, ROLE_UP, true},         {"mlp.fc2", h, f, ROLE_DOWN, true},
    };
    uint64_t layers = config_size(&v, "num_hidden_layers", 32);
    s->failed |= v.failed || few.failed;
    TOWER(s, COMPONENT_VISION, "", 1, around);
    TOWER(s, COMPONENT_VISION, "vision_tower.vision_model.encoder.layers", layers, block);
}

void family_minimax_m3_vl(ConfigFields *s, Head head)
{
    uint64_t index_dim;
    ConfigFields text = config_part(s, "text_config", "MiniMaxM3VLTextConfig");
    Decoder d = read_text(&text, head, &index_dim);
    d.tied = config_flag(s, "tie_word_embeddings", d.tied);
    lay_text(&text, &d, index_dim);
    s->failed |= text.failed;
    if (!s->failed) lay_tower(s, d.block.width);
}
