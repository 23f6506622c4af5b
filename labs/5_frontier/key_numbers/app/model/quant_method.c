#include "labs/5_frontier/key_numbers/app/model/quant_method.h"
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/kept.h"

const cJSON *quant_child(const cJSON *object, const char *name)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(node) ? NULL : node;
}

bool quant_is(const cJSON *node, const char *word)
{
    return cJSON_IsString(node) && strcmp(node->valuestring, word) == 0;
}

double quant_number(const cJSON *object, const char *name, double fallback)
{
    const cJSON *node = quant_child(object, name);
    return cJSON_IsNumber(node) ? node->valuedouble : fallback;
}

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

// AutoGPTQ and AutoAWQ take groups of some sizes, and -1 for a whole row.
static const char *read_groups(ConfigFields *q, const char *method)
{
    const cJSON *group = quant_child(q->object, "group_size");
    uint64_t bits = config_size(q, "bits|w_bit", 4);
    bool row = cJSON_IsNumber(group) && group->valueint == -1;
    double size = row ? -1 : (double)config_size(q, "group_size|q_group_size", 128);
    if (strcmp(method, "awq") == 0 && (bits != 4 || size == 16 || size > 256)) return NULL;
    return grouped(q->arena, method, (double)bits, size, "");
}

static const char *read_auto_round(ConfigFields *q)
{
    // As auto_gptq packs them, without its list of groups.
    return grouped(q->arena, "w", quant_number(q->object, "bits", 4),
                   quant_number(q->object, "group_size", 128), "-zero");
}

static const char *read_hqq(ConfigFields *q)
{
    const cJSON *all = quant_child(q->object, "quant_config");
    const cJSON *weights = quant_child(all != NULL ? all : q->object, "weight_quant_params");
    if (weights == NULL) return NULL;
    return grouped(q->arena, "w", quant_number(weights, "nbits", 4),
                   quant_number(weights, "group_size", 64), "-zero32");
}

// mlx_lm, utils.py: bits and group_size for all, and modules that differ by their names.
static const char *read_mlx(ConfigFields *q)
{
    const cJSON *mode = quant_child(q->object, "mode"), *entry;
    double bits = quant_number(q->object, "bits", 4);
    int differing = 0;
    static const char *const floats[][2] = {
        {"mxfp4", "mlx-mxfp4"}, {"mxfp8", "mlx-mxfp8"}, {"nvfp4", "mlx-nvfp4"}};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (quant_is(mode, floats[i][0])) return floats[i][1];
    if (mode != NULL && !quant_is(mode, "affine")) return NULL;
    cJSON_ArrayForEach(entry, q->object)
    {
        differing += cJSON_IsObject(entry) && quant_number(entry, "bits", bits) != bits;
    }
    if (differing > 0)
        build_warning(q->model, "%d modules have bits of their own: counted in %g, as the others",
                      differing, bits);
    return grouped(q->arena, "mlx", bits, quant_number(q->object, "group_size", 64), "");
}

// torchao, quantization/quant_api.py, IntxWeightOnlyConfig: integers of any width, each in a byte, with a
// 16-bit scale and a zero of 8 bits for a row or a group.
static const char *read_intx(Arena *arena, const cJSON *settings)
{
    const cJSON *granularity = quant_child(settings, "granularity"),
                *of = quant_child(granularity, "_data"),
                *packing = quant_child(settings, "intx_packing_format");
    if (packing != NULL && !quant_is(quant_child(packing, "_data"), "UNPACKED_TO_INT8"))
        return NULL;
    return grouped(arena, "w", 8, quant_number(of, "group_size", -1), "-zero");
}

// torchao, quantization/quant_api.py: the name of a class, or of a function in older files.
static const char *read_torchao(ConfigFields *q)
{
    const cJSON *type = quant_child(q->object, "quant_type"), *class = quant_child(type, "default"),
                *settings = quant_child(q->object, "quant_type_kwargs");
    if (class != NULL) type = quant_child(class, "_type"), settings = quant_child(class, "_data");
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
        {{"Int8WeightOnlyConfig", "int8_weight_only"}, "w8a8-int8", NULL, "w8a8-int8-zero", 0},
        {{"Int8DynamicActivationInt8WeightConfig", "int8_dynamic_activation_int8_weight"},
         "w8a8-int8",
         NULL,
         "w8a8-int8-zero",
         0},
        {{"Float8WeightOnlyConfig", "float8_weight_only"}, "fp8-row-s32", NULL, NULL, 0},
        {{"Float8DynamicActivationFloat8WeightConfig", "float8_dynamic_activation_float8_weight"},
         "fp8-row-s32",
         NULL,
         NULL,
         0},
    };
    if (strcmp(name, "IntxWeightOnlyConfig") == 0) return read_intx(q->arena, settings);
    bool second = quant_number(class, "_version", 1) >= 2;    // whose integers have a zero each
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].names[0]) != 0 && strcmp(name, known[i].names[1]) != 0) continue;
        if (known[i].format != NULL)
            return second && known[i].end != NULL ? known[i].end : known[i].format;
        return grouped(q->arena, known[i].stem, 4,
                       quant_number(settings, "group_size", known[i].group), known[i].end);
    }
    return NULL;
}

// One group of compressed-tensors, which modelopt writes as well. The first stores scales in the model's 16 bits.
static const char *read_scheme(Arena *arena, const cJSON *weights, bool half)
{
    const cJSON *strategy = quant_child(weights, "strategy"),
                *blocks = quant_child(weights, "block_structure");
    bool is_float = quant_is(quant_child(weights, "type"), "float");
    double bits = quant_number(weights, "num_bits", 0),
           group = quant_number(weights, "group_size", 0);
    if (is_float && bits == 4 && group == 16) return "nvfp4";
    if (is_float && bits == 4 && group == 32) return "mxfp4-linear";
    if (is_float && bits == 8 && quant_is(strategy, "channel")) return "fp8-row";
    if (is_float && bits == 8 && quant_is(strategy, "block"))
        return cJSON_GetArraySize(blocks) == 2 && cJSON_GetArrayItem(blocks, 0)->valueint == 128 &&
                       cJSON_GetArrayItem(blocks, 1)->valueint == 128
                   ? (half ? "fp8-s16" : "fp8")
                   : NULL;
    if (is_float && bits == 8 && group <= 0) return half ? "fp8-tensor-s16" : "fp8-tensor";
    if (is_float || bits == 0) return NULL;
    if (bits == 8 && group <= 0) return half ? "w8a8-int8-s16" : "w8a8-int8";
    bool symmetric = !cJSON_IsFalse(quant_child(weights, "symmetric"));
    return grouped(arena, "w", bits, group > 0 ? group : -1, symmetric ? "" : "-zero");
}

// The first group with weights; more than one is a mix.
static const char *read_groups_of_schemes(ConfigFields *q)
{
    const cJSON *group, *target;
    const char *format = NULL;
    bool mixed = false, half = !quant_is(quant_child(q->object, "quant_method"), "modelopt");
    cJSON_ArrayForEach(group, quant_child(q->object, "config_groups"))
    {
        const char *other = read_scheme(q->arena, quant_child(group, "weights"), half);
        mixed |= format != NULL && (other == NULL || strcmp(other, format) != 0);
        if (format == NULL) format = other;
    }
    if (!mixed) return format;
    int count = 0, named = 0;
    cJSON_ArrayForEach(group, quant_child(q->object, "config_groups"))
    {
        const char *other = read_scheme(q->arena, quant_child(group, "weights"), half);
        cJSON_ArrayForEach(target, quant_child(group, "targets"))
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

enum { ALIKE = 8 };    // names that are remembered: an expert has two or three matrices

// Whether two modules differ in the number of an expert alone: the ledger does not tell those apart.
static bool differ_by_expert(const char *a, const char *b)
{
    static const char word[] = "experts.";
    const char *at = strstr(a, word);
    if (at == NULL) return false;
    size_t head = (size_t)(at - a) + strlen(word);
    if (strncmp(a, b, head) != 0) return false;
    return strcmp(a + head + strspn(a + head, "0123456789"),
                  b + head + strspn(b + head, "0123456789")) == 0;
}

typedef struct Marked {
    const char *module, *format;
} Marked;

static bool is_marked(const Marked marked[ALIKE], const char *module, const char *format)
{
    for (int i = 0; i < ALIKE; i++)
        if (marked[i].module != NULL && strcmp(marked[i].format, format) == 0 &&
            differ_by_expert(marked[i].module, module))
            return true;
    return false;
}

// How many modules the name stands for: other experts' are left out (repeats.h), or marked with the first.
static int modules_of(const Model *model, const char *name)
{
    uint64_t experts = 1;
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].block.experts > experts) experts = model->kinds[k].block.experts;
    return strstr(name, "experts.") != NULL ? (int)experts : 1;
}

// Each module has a format of its own; the one that most have stands for all.
static const char *read_layers_of_formats(ConfigFields *q)
{
    const cJSON *entry;
    const char *format = NULL, *names[8] = {NULL};
    int counts[8] = {0}, most = 0, next = 0;
    Marked marked[ALIKE] = {{NULL, NULL}};
    bool all = true;
    cJSON_ArrayForEach(entry, quant_child(q->object, "quantized_layers"))
    {
        const char *algorithm = cJSON_GetStringValue(quant_child(entry, "quant_algo"));
        const char *own = of_algorithm(q->arena, algorithm != NULL ? algorithm : "",
                                       quant_number(entry, "group_size", 128));
        if (own == NULL || entry->string == NULL) {
            all = false;
            continue;
        }
        if (is_marked(marked, entry->string, own)) continue;
        kept_as(q->arena, q->model, entry->string, own);
        marked[next++ % ALIKE] = (Marked){entry->string, own};
        int i = 0;
        while (i < 7 && names[i] != NULL && strcmp(names[i], own) != 0) i++;
        names[i] = own;
        counts[i] += modules_of(q->model, entry->string);
        if (counts[i] > most) most = counts[i], format = own;
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

// optimum-quanto, tensor/qtype.py: floats and 8-bit integers by the row, others in groups of 128 with a shift.
static const char *of_qtype(const char *type)
{
    if (*type == 'q') type++;
    if (strncmp(type, "float8", 6) == 0) return "fp8-row";
    if (strcmp(type, "int8") == 0) return "w8a16-row";
    if (strcmp(type, "int4") == 0) return "w4a16-g128-zero16";
    return strcmp(type, "int2") == 0 ? "w2a16-g128-zero16" : NULL;
}

// One word for all; or, in quanto_qmap.json, one for each module.
static const char *read_quanto(ConfigFields *q)
{
    const char *format = NULL;
    const cJSON *entry, *all = quant_child(q->object, "weights");
    if (cJSON_IsString(all)) return of_qtype(all->valuestring);
    cJSON_ArrayForEach(entry, q->object)
    {
        const char *type = cJSON_GetStringValue(quant_child(entry, "weights"));
        const char *own = type != NULL ? of_qtype(type) : NULL;
        if (own == NULL) continue;
        kept_as(q->arena, q->model, entry->string, own);
        format = own;
    }
    if (format != NULL) keep_unlisted(q->model, q->arena);
    return format;
}

static const char *read_modelopt(ConfigFields *q)
{
    const char *algorithm = config_text(q, "quant_algo", "");
    if (strcmp(algorithm, "MIXED_PRECISION") == 0 && config_has(q, "quantized_layers")) {
        const char *format = read_layers_of_formats(q);
        keep_unlisted(q->model, q->arena);
        return format;
    }
    const char *format =
        of_algorithm(q->arena, algorithm, quant_number(q->object, "group_size", 128));
    return format != NULL ? format : read_groups_of_schemes(q);
}

const char *quant_format(ConfigFields *q, const char *method)
{
    if (strcmp(method, "mlx") == 0) return read_mlx(q);
    static const struct {
        const char *method;
        const char *(*read)(ConfigFields *);
    } methods[] = {{"fp8", read_fp8},
                   {"bitsandbytes", read_bitsandbytes},
                   {"modelopt", read_modelopt},
                   {"compressed-tensors", read_groups_of_schemes},
                   {"hqq", read_hqq},
                   {"quanto", read_quanto},
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
