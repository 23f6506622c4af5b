/* checkpoint.c -- a model from its safetensors files: by the config.json beside them, or by the names
 * of its tensors alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/model/published.h"
#include "labs/5_frontier/key_numbers/app/model/reconcile.h"
#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"

enum { MOST_NAMES = 2000 };

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
    cJSON *config = json_load_python(shards->config, err);
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

// Integers are packed, or count something; F8_E8M0 is for scales.
static bool is_number(DType type)
{
    return dtype_info[type].kind == DTYPE_KIND_FLOAT;
}

typedef struct Rest {
    uint64_t elements, bytes;
} Rest;

typedef struct Naming {
    Model *model;
    Arena *arena;
    Rest packed, beside;    // tensors that are not weights
    const char *unclear;    // the first name that is not recognized
} Naming;

// The tensors of one name and shape are one weight, as often as they come.
static bool add_weight(Naming *n, const SafetensorsEntry *entry, const char *plain)
{
    uint64_t rows = 1, cols = 1, copies = 1, bytes = entry->end - entry->begin;
    for (int d = 0; d < entry->dims; d++) {
        uint64_t size = entry->shape[d];
        if (d == entry->dims - 1) cols = size;
        else if (d == entry->dims - 2) rows = size;
        else copies *= size;
    }
    for (int i = 0; i < n->model->weight_count; i++) {
        Weight *w = &n->model->weights[i];
        if (w->rows != rows || w->cols != cols || strcmp(w->name, plain) != 0) continue;
        w->copies += copies;
        w->stored_bytes += bytes;
        return true;
    }
    if (n->model->weight_count == MOST_NAMES) return false;
    Component component;
    Role role;
    plain = build_name(n->model, "%s", plain);
    if (!tensor_name_classify(plain, &component, &role) && n->unclear == NULL) n->unclear = plain;
    Weight *w = build_weight(n->model, OUTSIDE, component, role, plain, rows, cols);
    w->copies = copies, w->stored_bytes = bytes;
    return true;
}

static bool add_tensor(Naming *n, const SafetensorsEntry *entry)
{
    TensorName name;
    const char *instead;
    tensor_name_read(&name, entry->name);
    bool packed = tensor_name_packed(name.plain, &instead) != NULL;
    bool bias = entry->dims == 1 && strcmp(name.plain, "attn.bias") == 0;    // and no causal mask
    bool beside = !is_number(entry->type) || (tensor_name_beside(name.plain) != NULL && !bias);
    if (!packed && !beside) return entry->count == 0 || add_weight(n, entry, name.plain);
    Rest *rest = packed ? &n->packed : &n->beside;
    rest->elements += entry->count;
    rest->bytes += entry->end - entry->begin;
    return true;
}

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

static Model *by_names(const Shards *shards, Arena *arena, const char *path, Error *err)
{
    if (is_adapter(shards, path, err)) return NULL;
    Naming n = {.model = build_model(arena, "unknown", path), .arena = arena};
    bool ok = true;
    n.model->source = "safetensors";
    for (int i = 0; i < shards->count && ok; i++) ok = add_tensor(&n, shards->tensors[i].entry);
    if (!ok) error_set(err, "%s: has tensors of over %d names", path, MOST_NAMES);
    else if (n.model->weight_count == 0)
        error_set(err, "%s: holds no tensor that may be a parameter", path);
    if (!ok || n.model->weight_count == 0) return NULL;
    if (n.beside.elements > 0)
        build_extra(n.model, n.beside.elements, n.beside.bytes,
                    "masks, scales and the like, by their names and types");
    if (n.packed.elements > 0)
        build_extra(
            n.model, n.packed.elements, n.packed.bytes,
            "integers that hold packed matrices: a config.json would tell of how many parameters");
    build_note(n.model,
               "no config.json is beside the files: parameters are counted by the names and "
               "types of tensors; what the layers do, the cache and FLOPs with it, cannot "
               "be told");
    if (n.unclear != NULL)
        build_note(n.model, "some names say nothing, as %s: they are counted as MLP", n.unclear);
    count_types(n.model, shards, arena);
    n.model->published = format_of(&n.model->stored[0]);
    build_finish(n.model);
    return n.model;
}

Model *checkpoint_model(Arena *arena, const char *path, Error *err)
{
    Shards shards;
    path = arena_print(arena, "%s", path);
    if (!shards_open_headers(&shards, arena, path, err)) return NULL;
    Model *model = shards.config != NULL ? by_config(&shards, arena, path, err)
                                         : by_names(&shards, arena, path, err);
    shards_close(&shards);
    return model;
}
