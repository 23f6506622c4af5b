/* gguf_model.h -- a model written as a GGUF file (F32) that llama.cpp opens.
 *
 *     if (!gguf_model_write("out/model.gguf", &model.config, params, NULL, &err)) ...
 *
 *     gguf_model_settings(out, family, &config);    // for who writes the tensors, pieces_of(family->gguf)
 *
 * The architectures are gpt2, llama, qwen2 and qwen3; llama's rows of q and k alternate there. Reading:
 * model_file.h.
 */
#pragma once
#include "common/gguf_writer.h"
#include "common/params.h"
#include "labs/3_language/transformer/files/config_json.h"
#include "labs/3_language/transformer/model/config.h"

// What llama.cpp needs to make tokens of text; without one it takes and gives token ids alone.
typedef struct GgufVocabulary {
    const char *model;    // "gpt2": byte-level BPE; "llama": SentencePiece
    const char *split;    // BPE: the pattern's name ("gpt-2", "llama-bpe", "qwen2"); else NULL
    const char *const *tokens;    // [V], as the format writes them
    const size_t *lengths;
    const float *scores;          // [V]: SentencePiece; else NULL
    const int32_t *types;         // [V]: 1 normal, 2 unknown, 3 control, 6 byte; or NULL
    const char *const *merges;    // BPE: "a b"; else NULL
    const size_t *merge_lengths;
    size_t merge_count;
} GgufVocabulary;

bool gguf_model_write(const char *path, const ModelConfig *config, const Params *params,
                      const GgufVocabulary *vocabulary, Error *err);

// NULL, and what of the config GGUF has no words for.
const ModelFamily *gguf_model_family(const ModelConfig *config, const char *path, Error *err);

// All but the vocabulary and general.file_type. Where positions are scaled as llama3's, the factors [D/2] of
// rope_factors_of() are the first tensor, of this name.
void gguf_model_settings(GgufWriter *out, const ModelFamily *family, const ModelConfig *config);
extern const char gguf_model_factors[];
