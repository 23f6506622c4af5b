/* tower.h -- a vision or audio encoder beside a decoder, as a list of its tensors.
 *
 *     const TowerPart block[] = {{"norm1", 1, h, ROLE_NORM, true}, {"attn.qkv", 3 * h, h, ROLE_QKV, true}, ...};
 *     TOWER(s, COMPONENT_VISION, "visual.blocks", layers, block);    // visual.blocks.attn.qkv.weight, ...
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/family.h"

typedef struct TowerPart {
    const char *name;       // without ".weight"; in full where it ends in "*"
    uint64_t rows, cols;    // a vector has one row
    Role role;
    bool bias;
} TowerPart;

void tower_lay(ConfigFields *s, Component component, const char *prefix, uint64_t copies,
               const TowerPart *parts, int count);
#define TOWER(s, component, prefix, copies, parts)                                                 \
    tower_lay(s, component, prefix, copies, parts, (int)(sizeof(parts) / sizeof *(parts)))

// family_qwen_vl.c and others: the parts of models that are laid out together with a tower.
Decoder qwen2_read(ConfigFields *s, Head head);
Decoder qwen3_read(ConfigFields *s, Head head);
Decoder qwen3_moe_read(ConfigFields *s, Head head);
void qwen_read_experts(ConfigFields *s, Decoder *d, uint64_t experts, uint64_t active,
                       uint64_t ffn);
void qwen_share_expert(ConfigFields *s, Decoder *d, uint64_t ffn);
Decoder qwen3_5_read(ConfigFields *s, Head head);
Decoder qwen3_5_moe_read(ConfigFields *s, Head head);
Decoder deepseek_v3_read(ConfigFields *s, Head head);
// What a class takes for the fields of latent attention; and the layers with experts, which are dense before
// the first of them.
typedef struct Latent {
    uint64_t q_rank, kv_rank, nope_dim, rope_dim, value_dim;
} Latent;
void deepseek_latent(ConfigFields *s, KnBlock *b, Latent usual);
const bool *deepseek_routed(ConfigFields *s, uint64_t layers, uint64_t usual);
Decoder glm4_moe_read(ConfigFields *s, Head head);
