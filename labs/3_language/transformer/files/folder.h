/* folder.h -- a model written as a folder that Hugging Face's transformers opens.
 *
 *     if (!folder_write("out/model", &model.config, params, (FolderOptions){0}, &err)) ...
 *     // out/model/config.json and out/model/model.safetensors; tokenizer.json is the tokenizer's to save
 *
 * Each file appears whole or not at all, config.json last. Reading: model_file.h.
 */
#pragma once
#include "common/params.h"
#include "kernels/dtype.h"
#include "labs/3_language/transformer/model/config.h"

typedef struct FolderOptions {
    DType type;              // F32, F16 or BF16
    uint64_t shard_bytes;    // the most in one file, but at least a tensor each; 0: all in one
} FolderOptions;

bool folder_write(const char *folder, const ModelConfig *config, const Params *params,
                  FolderOptions options, Error *err);
