#include "labs/5_frontier/key_numbers/app/model/published.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/app/model/kept.h"

enum { LIST_MAX = 4096 };    // published lists have some hundred

static const cJSON *child(const cJSON *object, const char *name)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(node) ? NULL : node;
}

static bool is_word(const cJSON *node, const char *word)
{
    return cJSON_IsString(node) && strcmp(node->valuestring, word) == 0;
}

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

// ---- quantised ----

static const char *read_bitsandbytes(ConfigFields *q)
{
    bool twice = config_flag(q, "bnb_4bit_use_double_quant", false);
    bool nf4 = strcmp(config_text(q, "bnb_4bit_quant_type", "fp4"), "nf4") == 0;
    if (config_flag(q, "load_in_8bit", false)) return "int8";
    if (!config_flag(q, "load_in_4bit", false)) return NULL;
    return nf4 ? (twice ? "nf4-dq" : "nf4") : (twice ? "fp4-dq" : "fp4");
}

// DeepSeek's blocks are 128 x 128; without blocks a matrix has one scale.
static const char *read_fp8(ConfigFields *q)
{
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(q->object, "weight_block_size");
    if (size == NULL || cJSON_IsNull(size)) return "fp8-tensor";
    const cJSON *rows = cJSON_GetArrayItem(size, 0), *cols = cJSON_GetArrayItem(size, 1);
    bool known = cJSON_IsNumber(rows) && rows->valueint == 128 && cJSON_IsNumber(cols) &&
                 cols->valueint == 128;
    return known ? "fp8" : NULL;
}

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

// "w4a16-g128-zero": `stem`, bits, group and `end`; a group of -1 or 0 is a whole row. NULL: not one that is known.
static const char *grouped(Arena *arena, const char *stem, double bits, double group,
                           const char *end)
{
    bool words = strcmp(stem, "gptq") == 0 || strcmp(stem, "awq") == 0;
    const char *numbers = strcmp(stem, "w") == 0 ? "a16" : "";
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8 && (words || (bits != 5 && bits != 6)))
        return NULL;
    if (group == -1 || group == 0)
        return arena_print(arena, "%s%d%s-row%s", stem, (int)bits, numbers, end);
    double size = 16;
    while (size < group && size < (words ? 1024 : 256)) size *= 2;
    if (group != size) return NULL;
    return arena_print(arena, "%s%d%s-g%d%s", stem, (int)bits, numbers, (int)group, end);
}

static double number_in(const cJSON *object, const char *name, double fallback)
{
    const cJSON *node = child(object, name);
    return cJSON_IsNumber(node) ? node->valuedouble : fallback;
}

// AutoGPTQ and AutoAWQ take groups of some sizes, and -1 for a whole row.
static const char *read_groups(ConfigFields *q, const char *method)
{
    const cJSON *group = child(q->object, "group_size");
    uint64_t bits = config_size(q, "bits|w_bit", 4);
    bool row = cJSON_IsNumber(group) && group->valueint == -1;
    double size = row ? -1 : (double)config_size(q, "group_size|q_group_size", 128);
    if (strcmp(method, "awq") == 0 && (bits != 4 || size == 16 || size > 256)) return NULL;
    return grouped(q->arena, method, (double)bits, size, "");
}

static const char *read_auto_round(ConfigFields *q)
{
    // As auto_gptq packs them, without its list of groups.
    return grouped(q->arena, "w", number_in(q->object, "bits", 4),
                   number_in(q->object, "group_size", 128), "-zero");
}

static const char *read_hqq(ConfigFields *q)
{
    const cJSON *all = child(q->object, "quant_config");
    const cJSON *weights = child(all != NULL ? all : q->object, "weight_quant_params");
    if (weights == NULL) return NULL;
    return grouped(q->arena, "w", number_in(weights, "nbits", 4),
                   number_in(weights, "group_size", 64), "-zero16");
}

// mlx_lm, utils.py: bits and group_size for all, and modules that differ by their names.
static const char *read_mlx(ConfigFields *q)
{
    const cJSON *mode = child(q->object, "mode"), *entry;
    double bits = number_in(q->object, "bits", 4);
    int differing = 0;
    if (mode != NULL && !is_word(mode, "affine")) return NULL;
    cJSON_ArrayForEach(entry, q->object)
    {
        differing += cJSON_IsObject(entry) && number_in(entry, "bits", bits) != bits;
    }
    if (differing > 0)
        build_warning(q->model, "%d modules have bits of their own: counted in %g, as the others",
                      differing, bits);
    return grouped(q->arena, "mlx", bits, number_in(q->object, "group_size", 64), "");
}

// torchao, quantization/quant_api.py: the name of a class, or of a function in older files.
static const char *read_torchao(ConfigFields *q)
{
    const cJSON *type = child(q->object, "quant_type"), *class = child(type, "default"),
                *settings = child(q->object, "quant_type_kwargs");
    if (class != NULL) type = child(class, "_type"), settings = child(class, "_data");
    const char *name = cJSON_IsString(type) ? type->valuestring : "";
    static const struct {
        const char *names[2], *format, *stem, *end;
        double group;
    } known[] = {
        {{"Int4WeightOnlyConfig", "int4_weight_only"}, NULL, "w", "-zero16", 128},
        {{"Int8DynamicActivationInt4WeightConfig", "int8_dynamic_activation_int4_weight"},
         NULL,
         "w",
         "",
         32},
        {{"Int8WeightOnlyConfig", "int8_weight_only"}, "w8a8-int8", NULL, NULL, 0},
        {{"Int8DynamicActivationInt8WeightConfig", "int8_dynamic_activation_int8_weight"},
         "w8a8-int8",
         NULL,
         NULL,
         0},
        {{"Float8WeightOnlyConfig", "float8_weight_only"}, "fp8-row", NULL, NULL, 0},
        {{"Float8DynamicActivationFloat8WeightConfig", "float8_dynamic_activation_float8_weight"},
         "fp8-row",
         NULL,
         NULL,
         0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].names[0]) != 0 && strcmp(name, known[i].names[1]) != 0) continue;
        if (known[i].format != NULL) return known[i].format;
        return grouped(q->arena, known[i].stem, 4,
                       number_in(settings, "group_size", known[i].group), known[i].end);
    }
    return NULL;
}

// One group of compressed-tensors, which modelopt writes as well.
static const char *read_scheme(Arena *arena, const cJSON *weights)
{
    const cJSON *strategy = child(weights, "strategy"), *blocks = child(weights, "block_structure");
    bool is_float = is_word(child(weights, "type"), "float");
    double bits = number_in(weights, "num_bits", 0), group = number_in(weights, "group_size", 0);
    if (is_float && bits == 4 && group == 16) return "nvfp4";
    if (is_float && bits == 4 && group == 32) return "mxfp4";
    if (is_float && bits == 8 && is_word(strategy, "channel")) return "fp8-row";
    if (is_float && bits == 8 && is_word(strategy, "block"))
        return cJSON_GetArraySize(blocks) == 2 && cJSON_GetArrayItem(blocks, 0)->valueint == 128 &&
                       cJSON_GetArrayItem(blocks, 1)->valueint == 128
                   ? "fp8"
                   : NULL;
    if (is_float && bits == 8 && group <= 0) return "fp8-tensor";
    if (is_float || bits == 0) return NULL;
    if (bits == 8 && group <= 0) return "w8a8-int8";
    bool symmetric = !cJSON_IsFalse(child(weights, "symmetric"));
    return grouped(arena, "w", bits, group > 0 ? group : -1, symmetric ? "" : "-zero");
}

// The first group with weights; more than one is a mix.
static const char *read_groups_of_schemes(ConfigFields *q)
{
    const cJSON *group, *target;
    const char *format = NULL;
    bool mixed = false;
    cJSON_ArrayForEach(group, child(q->object, "config_groups"))
    {
        const char *other = read_scheme(q->arena, child(group, "weights"));
        mixed |= format != NULL && (other == NULL || strcmp(other, format) != 0);
        if (format == NULL) format = other;
    }
    if (!mixed) return format;
    int count = 0, named = 0;
    cJSON_ArrayForEach(group, child(q->object, "config_groups"))
    {
        const char *other = read_scheme(q->arena, child(group, "weights"));
        cJSON_ArrayForEach(target, child(group, "targets"))
        {
            const char *name = cJSON_GetStringValue(target);
            bool plain = name != NULL && strchr(name, '.') != NULL && strncmp(name, "re:", 3) != 0;
            if (plain && other != NULL) kept_as(q->arena, q->model, name, other), named++;
            count++;
        }
    }
    if (named < count)
        build_warning(q->model, "quantization_config mixes formats: all is counted in %s", format);
    return format;
}

// TensorRT-Model-Optimizer, modelopt/torch/export: quant_algo.
static const char *of_algorithm(Arena *arena, const char *algorithm, double group)
{
    if (strcmp(algorithm, "FP8") == 0) return "fp8-tensor";
    if (strcmp(algorithm, "FP8_PER_CHANNEL_PER_TOKEN") == 0) return "fp8-row";
    if (strcmp(algorithm, "FP8_PB_WO") == 0 || strcmp(algorithm, "FP8_PB_REAL") == 0) return "fp8";
    if (strncmp(algorithm, "NVFP4", 5) == 0 || strcmp(algorithm, "W4A16_NVFP4") == 0)
        return "nvfp4";
    if (strncmp(algorithm, "W8A8_SQ", 7) == 0 || strcmp(algorithm, "INT8") == 0) return "w8a8-int8";
    if (strcmp(algorithm, "MXFP8") == 0) return "mxfp8";
    if (strcmp(algorithm, "W4A16_AWQ") == 0 || strcmp(algorithm, "W4A8_AWQ") == 0)
        return grouped(arena, "w", 4, group, "");
    return NULL;
}

// Each module has a format of its own; the one that most have stands for all.
static const char *read_layers_of_formats(ConfigFields *q)
{
    const cJSON *entry;
    const char *format = NULL, *names[8] = {NULL};
    int counts[8] = {0}, most = 0;
    bool all = true;
    cJSON_ArrayForEach(entry, child(q->object, "quantized_layers"))
    {
        const char *algorithm = cJSON_GetStringValue(child(entry, "quant_algo"));
        const char *own = of_algorithm(q->arena, algorithm != NULL ? algorithm : "",
                                       number_in(entry, "group_size", 128));
        if (own == NULL || entry->string == NULL) {
            all = false;
            continue;
        }
        kept_as(q->arena, q->model, entry->string, own);
        int i = 0;
        while (i < 7 && names[i] != NULL && strcmp(names[i], own) != 0) i++;
        names[i] = own;
        if (++counts[i] > most) most = counts[i], format = own;
    }
    if (!all) build_warning(q->model, "some formats of quantized_layers are not known here");
    return format;
}

// What is not in that list stays as it was.
static void keep_unlisted(Model *model, Arena *arena)
{
    for (int i = 0; i < model->weight_count; i++) {
        Weight *w = &model->weights[i];
        int layers = w->kind == OUTSIDE ? 1 : model->layers;
        w->kept = arena_zeros(arena, (size_t)layers * sizeof(bool));
        for (int l = 0; l < layers; l++) w->kept[l] = w->as == NULL || w->as[l] == NULL;
    }
}

static const char *read_modelopt(ConfigFields *q)
{
    const char *algorithm = config_text(q, "quant_algo", "");
    if (strcmp(algorithm, "MIXED_PRECISION") == 0 && config_has(q, "quantized_layers")) {
        const char *format = read_layers_of_formats(q);
        keep_unlisted(q->model, q->arena);
        return format;
    }
    const char *format = of_algorithm(q->arena, algorithm, number_in(q->object, "group_size", 128));
    return format != NULL ? format : read_groups_of_schemes(q);
}

// ---- which modules ----

static void add_texts(ConfigFields *q, const char *name, const char **list, int *count)
{
    const cJSON *node;
    cJSON_ArrayForEach(node, child(q->object, name))
    {
        if (cJSON_IsString(node) && *count < LIST_MAX) list[(*count)++] = node->valuestring;
    }
}

static bool is_wide(const cJSON *entry)
{
    return cJSON_IsFalse(entry) || (cJSON_IsObject(entry) && number_in(entry, "bits", 0) >= 16);
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
    cJSON_ArrayForEach(entry, child(q->object, "dynamic"))
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
    cJSON_ArrayForEach(group, child(q->object, "config_groups"))
    {
        cJSON_ArrayForEach(target, child(group, "targets"))
        {
            if (is_word(target, "Linear")) return;
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
    add_wide(child(q->object, "extra_config"), list, &count);
    add_dynamic(q, list, &count);
    if (count > 0) warn_of(q->model, kept_mark(q->arena, q->model, list, count, true));
    keep_others(q, list);
}

// ---- all of it ----

static const char *read_cache(ConfigFields *q)
{
    const cJSON *scheme = child(q->object, "kv_cache_scheme");
    bool eight = is_word(child(q->object, "kv_cache_quant_algo"), "FP8") ||
                 is_word(scheme, "FP8") ||
                 (number_in(scheme, "num_bits", 0) == 8 && is_word(child(scheme, "type"), "float"));
    return eight ? "fp8" : NULL;
}

static const char *read_method(ConfigFields *q, const char *method)
{
    static const struct {
        const char *method;
        const char *(*read)(ConfigFields *);
    } methods[] = {{"fp8", read_fp8},
                   {"bitsandbytes", read_bitsandbytes},
                   {"modelopt", read_modelopt},
                   {"compressed-tensors", read_groups_of_schemes},
                   {"hqq", read_hqq},
                   {"torchao", read_torchao},
                   {"auto-round", read_auto_round},
                   {"auto_round", read_auto_round},
                   {"intel/auto-round", read_auto_round}};
    static const char *const fixed[][2] = {{"mxfp4", "mxfp4"},      {"fbgemm_fp8", "fp8-row"},
                                           {"w8a8_fp8", "fp8-row"}, {"w8a8_int8", "w8a8-int8"},
                                           {"eetq", "w8a16-row"},   {"modelopt_fp4", "nvfp4"}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(method, fixed[i][0]) == 0) return fixed[i][1];
    if (strcmp(method, "gptq") == 0 || strcmp(method, "awq") == 0) return read_groups(q, method);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i].method) == 0) return methods[i].read(q);
    return *method == '\0' && config_has(q, "load_in_4bit") ? read_bitsandbytes(q) : NULL;
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
    const char *format = mlx ? read_mlx(&q) : read_method(&q, method);
    s->failed |= q.failed;
    if (s->failed) return;
    if (format != NULL) {
        s->model->published = format;
        s->model->cache = read_cache(&q);
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
    if (child(found, "quant_method") == NULL)
        cJSON_AddStringToObject(found, "quant_method", beside->method);
    cJSON_DeleteItemFromObjectCaseSensitive(config, "quantization_config");    // null
    cJSON_AddItemToObject(config, "quantization_config", found);
    return true;
}

bool published_beside(Arena *arena, cJSON *config, const char *path, Error *err)
{
    static const Beside known[] = {{"hf_quant_config.json", "quantization", "modelopt"},
                                   {"quantize_config.json", NULL, "gptq"},
                                   {"quant_config.json", NULL, "awq"}};
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - path) : 0;
    if (child(config, "quantization_config") != NULL || child(config, "quantization") != NULL)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *beside = arena_print(arena, "%.*s%s", folder, path, known[i].file);
        if (access(beside, F_OK) == 0) return read_beside(config, beside, &known[i], err);
    }
    return true;
}
