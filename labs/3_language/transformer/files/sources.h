/* sources.h -- the formats behind model_file.h: each fills a ModelFile's config, family and stored. */
#pragma once
#include "labs/3_language/transformer/files/model_file.h"

// A tensor by its name, in whatever format.
typedef struct Found {
    DType type;
    int dims;
    uint64_t shape[SAFETENSORS_MAX_DIMS];    // outermost first
    const void *data;
    int index;    // in the file
} Found;

typedef struct Source {
    const char *path;    // for messages
    int count;           // tensors
    bool (*find)(const ModelFile *file, const char *name, Found *found);
    const char *(*name)(const ModelFile *file, int index);
    bool (*needless)(const char *name);    // one that no model needs: constants
} Source;

// Finds every piece, of its shape and of a type that can be read, and nothing else but what is needless.
bool source_bind(ModelFile *file, const Source *source, Error *err);

bool source_open_folder(ModelFile *file, Error *err);
bool source_open_gguf(ModelFile *file, Error *err);
bool source_open_llama2c(ModelFile *file, Error *err);
