/* shards.h -- the safetensors files of one checkpoint: a single one, a folder's, or all of an index.
 *
 *     Shards shards;
 *     if (!shards_open(&shards, arena, "~/models/Qwen3-0.6B", &err)) ...        // a folder
 *     shards_open(&shards, arena, "model.safetensors.index.json", &err);        // all of an index
 *     shards_open(&shards, arena, "model-00001-of-00004.safetensors", &err);    // all four
 *     for (int i = 0; i < shards.count; i++) shards.tensors[i].entry->name ...
 *     shards_close(&shards);
 *
 * Refused: an index that names an absent file or another than the one that holds the tensor, and a
 * tensor that two files hold.
 */
#pragma once
#include "common/arena.h"
#include "common/safetensors.h"

typedef struct ShardTensor {
    const SafetensorsEntry *entry;
    int file;
} ShardTensor;

typedef struct Shards {
    const char *config;     // the config.json beside the files; NULL: there is none
    const char *adapter;    // the adapter_config.json beside them; NULL: there is none
    const char *index;      // NULL: there is none
    int file_count;         // 0 when a folder has a config.json alone
    const char **paths;     // [file_count]
    Safetensors **files;
    int count;
    ShardTensor *tensors;    // [count], sorted by name, each once
} Shards;

bool shards_open(Shards *shards, Arena *arena, const char *path, Error *err);
// The same for files that may end anywhere after their headers: every entry's data is NULL.
bool shards_open_headers(Shards *shards, Arena *arena, const char *path, Error *err);
void shards_close(Shards *shards);

const ShardTensor *shards_find(const Shards *shards, const char *name);    // NULL if there is none
