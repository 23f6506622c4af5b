/* checkpoint.c -- a model from its safetensors files: by the config.json beside them, or by the names
 * of its tensors alone. */
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/model/build.h"
#include "labs/5_frontier/key_numbers/model/open.h"
#include "labs/5_frontier/key_numbers/model/reconcile.h"
#include "labs/5_frontier/key_numbers/model/tensor_name.h"

typedef unsigned long long Digits;    // what %llu takes

enum { TYPES = 32, MOST_NAMES = 2000 };

static int compare_types(const void *a, const void *b)
{
    const StoredType *x = a, *y = b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

// What stands in the files, by type, the most bytes first.
static void count_types(Model *model, const Shards *shards, Arena *arena)
{
    StoredType *types = arena_zeros(arena, TYPES * sizeof *types);
    for (int i = 0; i < shards->count; i++) {
        const SafetensorsEntry *entry = shards->tensors[i].entry;
        StoredType             *type  = &types[entry->type];
        type->name                    = safetensors_type_name(entry->type);
        type->elements += entry->count;
        type->bytes += entry->end - entry->begin;
    }
    qsort(types, TYPES, sizeof *types, compare_types);
    model->stored = types;
    while (model->stored_count < TYPES && types[model->stored_count].bytes > 0) model->stored_count++;
}

// ---- by the configuration ----

static Model *by_config(const Shards *shards, Arena *arena, const char *path, Error *err)
{
    cJSON *config = json_load(shards->config, err);
    if (config == NULL) return NULL;
    Model *model = config_model(arena, config, path, shards->config, err);
    cJSON_Delete(config);
    if (model == NULL || shards->file_count == 0) return model;    // a configuration alone
    model->source = "safetensors";
    if (!reconcile(model, shards, arena, err)) return NULL;
    count_types(model, shards, arena);
    return model;
}

// ---- by names alone ----

static bool is_number(SafetensorsType type)
{
    switch (type) {
    case SAFETENSORS_F4: case SAFETENSORS_F6_E2M3: case SAFETENSORS_F6_E3M2: case SAFETENSORS_F8_E5M2:
    case SAFETENSORS_F8_E4M3: case SAFETENSORS_F8_E4M3FNUZ: case SAFETENSORS_F8_E5M2FNUZ: case SAFETENSORS_F16:
    case SAFETENSORS_BF16: case SAFETENSORS_F32: case SAFETENSORS_F64: return true;
    default: return false;    // integers are packed, or count something; F8_E8M0 is for scales
    }
}

// The tensors of one name and shape are one weight, as often as they come.
static bool add_weight(Model *model, const SafetensorsEntry *entry, const TensorName *name, Arena *arena, int *unclear)
{
    uint64_t rows = 1, cols = 1, copies = 1;
    for (int d = 0; d < entry->dims; d++) {
        uint64_t size = entry->shape[d];
        if (d == entry->dims - 1) cols = size;
        else if (d == entry->dims - 2) rows = size;
        else copies *= size;
    }
    for (int i = 0; i < model->weight_count; i++) {
        Weight *w = &model->weights[i];
        if (w->rows != rows || w->cols != cols || strcmp(w->name, name->plain) != 0) continue;
        w->copies += copies;
        w->stored_bytes += entry->end - entry->begin;
        return true;
    }
    if (model->weight_count == MOST_NAMES) return false;
    Component component;
    Role      role;
    *unclear += !tensor_name_classify(name->plain, &component, &role);
    Weight *w = build_weight(model, OUTSIDE, component, role, arena_print(arena, "%s", name->plain), rows, cols);
    w->copies = copies, w->stored_bytes = entry->end - entry->begin;
    return true;
}

static Model *by_names(const Shards *shards, Arena *arena, const char *path, Error *err)
{
    Model   *model = build_model(arena, "unknown", path);
    uint64_t beside = 0, beside_bytes = 0, packed = 0, packed_bytes = 0;
    int      unclear = 0;
    model->source    = "safetensors";
    for (int i = 0; i < shards->count; i++) {
        const SafetensorsEntry *entry = shards->tensors[i].entry;
        TensorName              name;
        const char             *instead;
        tensor_name_read(&name, entry->name);
        uint64_t bytes   = entry->end - entry->begin;
        bool     is_bias = entry->dims == 1 && strcmp(name.plain, "attn.bias") == 0;    // and no causal mask
        if (tensor_name_packed(name.plain, &instead) != NULL)
            packed += entry->count, packed_bytes += bytes;
        else if (!is_number(entry->type) || (tensor_name_beside(name.plain) != NULL && !is_bias))
            beside += entry->count, beside_bytes += bytes;
        else if (entry->count > 0 && !add_weight(model, entry, &name, arena, &unclear)) {
            error_set(err, "%s: has tensors of over %d names", path, MOST_NAMES);
            return NULL;
        }
    }
    if (beside > 0) build_extra(model, beside, beside_bytes, "masks, scales and the like, by their names and types");
    if (packed > 0)
        build_extra(model, packed, packed_bytes, "integers that hold packed matrices; how many parameters those have, "
                    "a config.json would tell");
    build_note(model, "no config.json is beside the files: parameters are counted by the names and types of tensors, "
               "and what the layers do, the cache and FLOPs with it, cannot be told");
    if (unclear > 0)
        build_note(model, "%d names say nothing: counted as MLP", unclear);
    count_types(model, shards, arena);
    build_finish(model);
    return model;
}

Model *checkpoint_model(Arena *arena, const char *path, Error *err)
{
    Shards shards;
    path = arena_print(arena, "%s", path);
    if (!shards_open(&shards, arena, path, err)) return NULL;
    Model *model = shards.config != NULL ? by_config(&shards, arena, path, err)
                                         : by_names(&shards, arena, path, err);
    shards_close(&shards);
    return model;
}
