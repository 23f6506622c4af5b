/* build.h -- how a Model is put together, whoever describes it: a config.json, a GGUF, a checkpoint.
 *
 *     Model *model = build_model(arena, "llama", name);
 *     build_weight(model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, "embed_tokens.weight", V, h);
 *     int kind = build_kind(model, (LayerKind){.name = "full attention", .count = L, .block = block,
 *                                              .caches = true, .causal = true});
 *     build_weight(model, kind, COMPONENT_ATTN, ROLE_Q, "self_attn.q_proj.weight", a * d, h);
 *     build_vector(model, kind, COMPONENT_NORM, ROLE_NORM, "input_layernorm.weight", h);
 *     build_note(model, "num_key_value_heads is missing: LlamaConfig's default, all %d heads", a);
 *     build_finish(model);    // counts `other`, `vectors`; kind_of where the order was not set
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

Model *build_model(Arena *arena, const char *family, const char *name);
int build_kind(Model *model, LayerKind kind);    // its number
Weight *build_weight(Model *model, int kind, Component component, Role role, const char *name,
                     uint64_t rows, uint64_t cols);
Weight *build_vector(Model *model, int kind, Component component, Role role, const char *name,
                     uint64_t size);
// A text that lives as long as the model.
const char *build_name(Model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
void build_note(Model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A note without which a number would mislead: it stands beside every output.
void build_warning(Model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
void build_extra(Model *model, uint64_t elements, uint64_t bytes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void build_finish(Model *model);
