/* model_file.h -- a trained model, from whatever holds it, checked whole before a number is read.
 *
 *     ModelFile *file = model_file_open("~/models/Qwen3-0.6B", &err);    // a Hugging Face folder
 *     model_file_open("model.gguf", &err);                               // GGUF: llama, gpt2, qwen2, qwen3
 *     model_file_open("stories260K.bin", &err);                          // llama2.c
 *     if (file == NULL) ...
 *     params->frozen = true;                              // unless it is trained further
 *     Model model = model_file_read(file, params);        // all of it, as floats
 *     model_file_close(file);
 *
 * Each tensor that the configuration asks for is there, of its shape and of a type that can be read, and
 * no other is: what a wrong configuration would leave out is named. The weights are mapped: `pieces`
 * and `stored` are for who computes on them as they lie there.
 */
#pragma once
#include "common/arena.h"
#include "common/gguf.h"
#include "common/shards.h"
#include "labs/3_language/transformer/files/config_json.h"
#include "labs/3_language/transformer/model/model.h"

// A tensor where it lies.
typedef struct Stored {
    DType type;
    const void *data;    // of piece_count() numbers; perhaps not aligned
} Stored;

typedef struct ModelFile {
    const char *path;
    const char *format;    // "safetensors", "GGUF", "llama2.c"
    ModelConfig config;
    const ModelFamily *family;
    Pieces pieces;
    Stored *stored;    // [pieces.count]
    // What is open.
    Arena *arena;
    Shards shards;
    Gguf *gguf;    // its vocabulary is the tokenizer's to read; NULL in other formats
    FileView view;
} ModelFile;

ModelFile *model_file_open(const char *path, Error *err);    // NULL and why
void model_file_close(ModelFile *file);                      // NULL is fine

// Adds the parameters to params, whose arena has model_config_room(). Where positions are rotary,
// file->config.context may be lowered before, and the tables of angles are as much smaller.
Model model_file_read(const ModelFile *file, Params *params);
