/* config_json.h -- Hugging Face's config.json: GPT-2, LLaMA, Mistral, Qwen2 and Qwen3.
 *
 *     cJSON *tree = json_load("model/config.json", &err);
 *     ModelConfig config;
 *     if (!config_json_read(&config, arena, tree, "model/config.json", &err)) ...
 *
 * What changes the result and is not built here is refused by its field: a window, packed weights, other
 * rotary positions. All spellings of rope settings are read: "rope_parameters" of transformers 5,
 * "rope_scaling" and "rope_theta" of those before, theta within either.
 */
#pragma once
#include "common/arena.h"
#include "kernels/dtype.h"
#include "labs/3_language/transformer/files/pieces.h"

typedef struct cJSON cJSON;

bool config_json_read(ModelConfig *config, Arena *arena, const cJSON *tree, const char *where,
                      Error *err);

// The class that computes what the config says: its model_type ("llama") and its names of tensors. False
// where there is none, with the switches that no class has together.
typedef struct ModelFamily {
    const char *type, *architecture;    // "llama", "LlamaForCausalLM"
    Format format, gguf;
} ModelFamily;
const ModelFamily *config_json_family(const ModelConfig *config, Error *err);    // NULL and why

// Of a config that has a family; the caller's to delete. type: of the weights beside it.
cJSON *config_json_write(const ModelConfig *config, const ModelFamily *family, DType type);
