/* open.h -- a model from whatever names it.
 *
 *     Model *model = model_open(arena, "llama-3.1-8b", &err);          // a catalogue name, or most of it
 *     model_open(arena, "~/models/Qwen3-0.6B/config.json", &err);      // a Hugging Face configuration
 *     model_open(arena, "~/models/Qwen3-0.6B", &err);                  // a folder: config and safetensors
 *     model_open(arena, "model.safetensors", &err);                    // one file; header only
 *     model_open(arena, "model.safetensors.index.json", &err);         // all shards of an index
 *     model_open(arena, "model-Q4_K_M.gguf", &err);                    // header only
 *
 * NULL and one sentence when there is no such thing, it is damaged, or its family is unknown.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

typedef struct cJSON cJSON;

Model *model_open(Arena *arena, const char *what, Error *err);

// config.c: a Hugging Face configuration. `where` opens every message. A family that is unknown is
// refused by its name; a field that is missing is named, and where the family's class has a default
// that is used and noted.
Model *config_model(Arena *arena, const cJSON *config, const char *name, const char *where,
                    Error *err);

// catalogue.c: published configurations, and what their files hold beside the parameters.
typedef struct CatalogueEntry {
    const char *name, *family;
} CatalogueEntry;
Model *catalogue_model(Arena *arena, const char *name,
                       Error *err);    // any case; without its owner; an unambiguous beginning
int catalogue_list(Arena *arena, const CatalogueEntry **entries, Error *err);    // -1 upon failure
int catalogue_all(Arena *arena, const Model ***models, Error *err);              // the same, built
// Adds what the published file of the catalogue's model with the same fields is known to store.
bool catalogue_recognise(Model *model, const cJSON *config, Error *err);

// checkpoint.c
Model *checkpoint_model(Arena *arena, const char *path,
                        Error *err);    // safetensors: file, index or folder
Model *gguf_model(Arena *arena, const char *path, Error *err);
