#include "labs/5_frontier/key_numbers/app/model/published.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/app/model/kept.h"
#include "labs/5_frontier/key_numbers/app/model/quant_method.h"

enum {
    LIST_MAX = 1 << 16
};    // published lists have some hundred, and 20,000 where they name experts

// ---- numbers as they were trained ----

static const char *read_dtype(ConfigFields *s)
{
    static const char *const names[][2] = {{"float32", "fp32"},
                                           {"float16", "fp16"},
                                           {"bfloat16", "bf16"},
                                           {"float", "fp32"},
                                           {"half", "fp16"}};
    static const char *const before[] = {"gpt2", "bert", "t5", "mt5"};
    const char *type = config_text(s, "dtype", config_text(s, "torch_dtype", NULL));
    if (type == NULL) {
        // The text part of a model that sees has its own.
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(s->object, "text_config");
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(part, "torch_dtype");
        if (node == NULL) node = cJSON_GetObjectItemCaseSensitive(part, "dtype");
        type = cJSON_GetStringValue(node);
    }
    for (size_t i = 0; type != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(strncmp(type, "torch.", 6) == 0 ? type + 6 : type, names[i][0]) == 0)
            return names[i][1];
    const char *format = "bf16";
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (strcmp(s->model->family, before[i]) == 0) format = "fp32";
    if (type != NULL)
        build_warning(s->model, "torch_dtype is %.40s, which is not known here: %s is taken", type,
                      format);
    else build_note(s->model, "torch_dtype is missing: %s is taken", format);
    return format;
}

// ---- which modules ----

static void add_texts(ConfigFields *q, const char *name, const char **list, int *count)
{
    const cJSON *node;
    cJSON_ArrayForEach(node, quant_child(q->object, name))
    {
        if (cJSON_IsString(node) && *count < LIST_MAX) list[(*count)++] = node->valuestring;
    }
}

static bool is_wide(const cJSON *entry)
{
    return cJSON_IsFalse(entry) || (cJSON_IsObject(entry) && quant_number(entry, "bits", 0) >= 16);
}

static void add_wide(const cJSON *object, const char **list, int *count)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, object)
    {
        if (is_wide(entry) && entry->string != NULL && *count < LIST_MAX)
            list[(*count)++] = entry->string;
    }
}

// GPTQModel: "-:" before an expression leaves out what it matches.
static void add_dynamic(ConfigFields *q, const char **list, int *count)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, quant_child(q->object, "dynamic"))
    {
        if (entry->string == NULL) continue;    // a list
        if (strncmp(entry->string, "-:", 2) == 0 && *count < LIST_MAX)
            list[(*count)++] = arena_print(q->arena, "re:%s", entry->string + 2);
    }
}

static void warn_of(Model *model, const char *pattern)
{
    if (pattern != NULL)
        build_warning(model,
                      "the pattern '%.60s' for modules that are not quantized is not supported",
                      pattern);
}

// What of compressed-tensors is quantised, where it is not each nn.Linear.
static void keep_others(ConfigFields *q, const char **list)
{
    const cJSON *group, *target;
    int count = 0;
    cJSON_ArrayForEach(group, quant_child(q->object, "config_groups"))
    {
        cJSON_ArrayForEach(target, quant_child(group, "targets"))
        {
            if (quant_is(target, "Linear")) return;
            if (cJSON_IsString(target) && count < LIST_MAX) list[count++] = target->valuestring;
        }
    }
    if (count > 0) warn_of(q->model, kept_mark(q->arena, q->model, list, count, false));
}

static void keep(ConfigFields *q, bool mlx)
{
    static const char *const names[] = {
        "modules_to_not_convert", "llm_int8_skip_modules", "ignore",
        "exclude_modules",        "skip_modules",          "ignored_layers"};
    const char **list = arena_alloc(q->arena, LIST_MAX * sizeof *list);
    int count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) add_texts(q, names[i], list, &count);
    for (int i = 0; i < count; i++) {
        const char *at = strstr(list[i], "experts.");
        if (at == NULL || strspn(at + strlen("experts."), "0123456789") == 0) continue;
        build_warning(q->model,
                      "single experts that stay unquantized (%.60s) are counted as quantized",
                      list[i]);
        break;
    }
    if (mlx) add_wide(q->object, list, &count);
    add_wide(quant_child(q->object, "extra_config"), list, &count);
    add_dynamic(q, list, &count);
    if (count > 0) warn_of(q->model, kept_mark(q->arena, q->model, list, count, true));
    keep_others(q, list);
}

// ---- all of it ----

static void experts_as(ConfigFields *q, const char *format)
{
    Model *model = q->model;
    for (int i = 0; i < model->weight_count; i++) {
        Weight *w = &model->weights[i];
        if (w->component != COMPONENT_EXPERTS || w->kind == OUTSIDE) continue;
        w->as = arena_alloc(q->arena, (size_t)model->layers * sizeof *w->as);
        for (int l = 0; l < model->layers; l++) w->as[l] = format;
    }
}

static const char *read_cache(ConfigFields *q)
{
    const cJSON *scheme = quant_child(q->object, "kv_cache_scheme");
    bool eight = quant_is(quant_child(q->object, "kv_cache_quant_algo"), "FP8") ||
                 quant_is(scheme, "FP8") ||
                 (quant_number(scheme, "num_bits", 0) == 8 &&
                  quant_is(quant_child(scheme, "type"), "float"));
    return eight ? "fp8" : NULL;
}

void published_read(ConfigFields *s)
{
    // mlx writes the first, and the second for others to see.
    const char *name =
        config_has(s, "quantization_config") ? "quantization_config" : "quantization";
    s->model->published = "bf16";
    // The text part of a model that sees may have its own.
    ConfigFields text = config_part(s, "text_config", "its text part"), *of = s;
    if (!config_has(s, name) && config_has(&text, "quantization_config"))
        of = &text, name = "quantization_config";
    if (!config_has(of, name)) {
        s->model->published = read_dtype(s);
        return;
    }
    ConfigFields q = config_part(of, name, "its method");
    const char *method = config_text(&q, "quant_method", "");
    if (*method == '\0' && config_has(&q, "desc_act")) method = "gptq";
    if (config_has(&q, "quant_algo")) method = "modelopt";
    bool mlx = *method == '\0' && config_has(&q, "bits") && config_has(&q, "group_size");
    const char *format = quant_format(&q, mlx ? "mlx" : method);
    s->failed |= q.failed;
    if (s->failed) return;
    if (format != NULL) {
        s->model->published = format;
        s->model->cache = read_cache(&q);
        // auto-round: without mixed precision, on a CPU, what it leaves alone is saved as floats.
        s->model->rest_in_floats = cJSON_IsFalse(quant_child(q.object, "amp"));
        keep(&q, mlx);
        // DeepSeek V4, config.json: its experts are in 4 bits.
        if (strcmp(config_text(s, "expert_dtype", ""), "fp4") == 0 && strcmp(format, "fp8") == 0)
            experts_as(&q, "mxfp4");
        return;
    }
    build_warning(
        s->model,
        "quantization_config (%.40s) is not known here: weights are counted as without it", method);
    s->model->published = read_dtype(s);
}

// `part` NULL: the file is what quantization_config would hold.
typedef struct Beside {
    const char *file, *part, *method;
} Beside;

static bool read_beside(cJSON *config, const char *path, const Beside *beside, Error *err)
{
    cJSON *tree = json_load(path, err), *found = tree;
    if (tree == NULL) return false;
    if (beside->part != NULL) {
        found = cJSON_DetachItemFromObjectCaseSensitive(tree, beside->part);
        cJSON_Delete(tree);
    }
    if (!cJSON_IsObject(found)) {
        cJSON_Delete(found);
        return true;
    }
    if (quant_child(found, "quant_method") == NULL)
        cJSON_AddStringToObject(found, "quant_method", beside->method);
    cJSON_DeleteItemFromObjectCaseSensitive(config, "quantization_config");    // null
    cJSON_AddItemToObject(config, "quantization_config", found);
    return true;
}

bool published_beside(Arena *arena, cJSON *config, const char *path, Error *err)
{
    static const Beside known[] = {{"hf_quant_config.json", "quantization", "modelopt"},
                                   {"quantize_config.json", NULL, "gptq"},
                                   {"quant_config.json", NULL, "awq"},
                                   {"quanto_qmap.json", NULL, "quanto"}};
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - path) : 0;
    if (quant_child(config, "quantization_config") != NULL ||
        quant_child(config, "quantization") != NULL)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *beside = arena_print(arena, "%.*s%s", folder, path, known[i].file);
        if (access(beside, F_OK) == 0) return read_beside(config, beside, &known[i], err);
    }
    return true;
}
