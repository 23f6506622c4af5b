/* checkpoint.c -- a model from its safetensors files: by the config.json beside them, or by the names
 * of its tensors alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/named.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/model/published.h"
#include "labs/5_frontier/key_numbers/app/model/repeats.h"
#include "labs/5_frontier/key_numbers/app/model/reconcile.h"

static int compare_types(const void *a, const void *b)
{
    const StoredType *x = a, *y = b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

// What stands in the files, by type, the most bytes first.
static void count_types(Model *model, const Shards *shards, Arena *arena)
{
    StoredType *types = arena_zeros(arena, DTYPE_COUNT * sizeof *types);
    for (int i = 0; i < shards->count; i++) {
        const SafetensorsEntry *entry = shards->tensors[i].entry;
        StoredType *type = &types[entry->type];
        type->name = dtype_name(entry->type);
        type->elements += entry->count;
        type->bytes += entry->end - entry->begin;
    }
    qsort(types, DTYPE_COUNT, sizeof *types, compare_types);
    model->stored = types;
    while (model->stored_count < DTYPE_COUNT && types[model->stored_count].bytes > 0)
        model->stored_count++;
}

// ---- by the configuration ----

static Model *by_config(const Shards *shards, Arena *arena, const char *path, Error *err)
{
    cJSON *config = json_load_edited(shards->config, repeats_drop, err);
    if (config == NULL) return NULL;
    Model *model = published_beside(arena, config, shards->config, err)
                       ? config_model(arena, config, path, shards->config, err)
                       : NULL;
    cJSON_Delete(config);
    if (model == NULL || shards->file_count == 0) return model;    // a configuration alone
    model->source = "safetensors";
    if (!reconcile(model, shards, arena, err)) return NULL;
    count_types(model, shards, arena);
    return model;
}

// ---- by names alone ----

// As formats/format.c names the formats.
static const char *format_of(const StoredType *most)
{
    static const char *const FORMATS[][2] = {{"F32", "fp32"}, {"F16", "fp16"}, {"BF16", "bf16"}};
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (strcmp(most->name, FORMATS[i][0]) == 0) return FORMATS[i][1];
    return most->name;
}

// peft, LoraConfig: an adapter without its base model.
static bool is_adapter(const Shards *shards, const char *path, Error *err)
{
    bool named = shards->count > 0;
    for (int i = 0; i < shards->count && named; i++)
        named = strstr(shards->tensors[i].entry->name, "lora_") != NULL;
    if (shards->adapter == NULL && !named) return false;
    cJSON *tree = shards->adapter != NULL ? json_load(shards->adapter, err) : NULL;
    if (tree == NULL && shards->adapter != NULL) return true;
    const cJSON *rank = cJSON_GetObjectItemCaseSensitive(tree, "r");
    const char *base =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "base_model_name_or_path"));
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "peft_type"));
    const char *what = "LoRA", *method = ", with --method lora";
    char of_rank[32] = "", option[32] = "";
    if (base == NULL || *base == '\0') base = "a base model that it does not name";
    if (kind != NULL && strcmp(kind, "LORA") != 0) what = kind, method = "";
    else if (cJSON_IsNumber(rank)) {
        snprintf(of_rank, sizeof of_rank, " of rank %.0f", rank->valuedouble);
        snprintf(option, sizeof option, " --rank %.0f", rank->valuedouble);
    }
    error_set(err, "%s: is a %.20s adapter%s for %.100s, not a model: ask about the base model%s%s",
              path, what, of_rank, base, method, option);
    cJSON_Delete(tree);
    return true;
}

static Model *by_names(const Shards *shards, Arena *arena, const char *path, const cJSON *config,
                       Error *err)
{
    if (config == NULL && is_adapter(shards, path, err)) return NULL;
    Model *model = named_model(shards, arena, path, config, err);
    if (model == NULL) return NULL;
    count_types(model, shards, arena);
    model->published = format_of(&model->stored[0]);
    build_finish(model);
    return model;
}

// A configuration that is not understood is no hindrance where the tensors themselves are there.
static Model *without_family(const Shards *shards, Arena *arena, const char *path, Error *err)
{
    Error why = *err;
    cJSON *config = json_load_edited(shards->config, repeats_drop, err);
    if (config == NULL || shards->file_count == 0 || shards->count == 0) {
        cJSON_Delete(config);
        *err = why;
        return NULL;
    }
    Model *model = by_names(shards, arena, path, config, err);
    cJSON_Delete(config);
    if (model != NULL) build_warning(model, "counted from the tensors: %s", why.message);
    return model;
}

Model *checkpoint_model(Arena *arena, const char *path, Error *err)
{
    Shards shards;
    path = arena_print(arena, "%s", path);
    if (!shards_open_headers(&shards, arena, path, err)) return NULL;
    Model *model = shards.config != NULL ? by_config(&shards, arena, path, err)
                                         : by_names(&shards, arena, path, NULL, err);
    if (model == NULL && shards.config != NULL) model = without_family(&shards, arena, path, err);
    shards_close(&shards);
    return model;
}
