#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include <ctype.h>
#include <string.h>
#include "common/nearest.h"
#include "labs/5_frontier/key_numbers/app/formats/packing.h"
#include "labs/5_frontier/key_numbers/app/model/kept.h"
#include "labs/5_frontier/key_numbers/app/formats/ggml_mix.h"

// ---- the formats ----

struct FormatRule {
    bool mixed;    // by layer and tensor, as llama.cpp's `mix` says; else all by `packing`
    GgmlMix mix;
    Packing packing;
    KnFormat cache;    // of a row of keys or values; that of a mix is its base
};

// clang-format off
#define RULE(...)   &(const FormatRule){__VA_ARGS__}
#define PACKED(...) RULE(.packing = {__VA_ARGS__})
#define PLAIN(word, size)                                                                           \
    RULE(.packing = {.scope = SCOPE_ALL, .type = word, .numbers = {.bits = (size)}},                \
         .cache = {.bits = (size)})

// AutoGPTQ, AutoAWQ: for each group of a row a half, and a zero of as many bits as a number has.
#define WORDS(way, size, group)                                                                     \
    PACKED(.scope = SCOPE_LINEAR, .layout = (way), .type = "INT" #size,                             \
           .numbers = {(size), (group), 16 + (size), 0, 0}, .rest = "F16")
#define GPTQ(size, word, group)                                                                     \
    {"gptq" #size "-" word, "GPTQ: " #size " bits, a scale and a zero for each group", true, false, \
     16, WORDS(LAYOUT_GPTQ, size, group)}
#define AWQ(size, word, group)                                                                      \
    {"awq" #size "-" word, "AWQ: " #size " bits, a scale and a zero for each group", true, false,   \
     16, WORDS(LAYOUT_AWQ, size, group)}

// bitsandbytes, functional.py: quantize_4bit(): a float for each 64 numbers; or, quantised in turn, 8
// bits for each 64, a float for each 256 of those, and a float that they are counted from.
#define BNB(word, ...) PACKED(.scope = SCOPE_MODULES, .type = word, .rest = "BF16", __VA_ARGS__)
#define ONCE           .numbers = {4, 64, 32, 0, 0}
#define TWICE          .numbers = {4, 64, 8, 256, 32}, .once = 32

// OCP Microscaling Formats 1.0, section 5: 32 numbers of a row share an exponent of 8 bits.
#define MX(way, word, size)                                                                         \
    PACKED(.scope = (way), .type = word, .numbers = {(size), 32, 8, 0, 0}, .multiple = 32,          \
           .rest = "BF16")

#define CACHE(name, about, ...) {name, about, false, true, 16, RULE(.cache = {__VA_ARGS__})}

static const FormatInfo listed[] = {
    {"fp32", "32-bit floats", true, true, 32, PLAIN("F32", 32)},
    {"bf16", "bfloat16: 16 bits with the range of 32", true, true, 16, PLAIN("BF16", 16)},
    {"fp16", "16-bit floats", true, true, 16, PLAIN("F16", 16)},
    // DeepSeek-AI 2024 (V3), section 3.3.2, as its files are: projections in E4M3.
    {"fp8", "fp8 E4M3, a scale for 128 x 128 (DeepSeek-V3); as a cache without scales", true, true, 8,
     RULE(.packing = {.scope = SCOPE_LINEAR, .layout = LAYOUT_TILES, .type = "F8_E4M3",
                      .numbers = {.bits = 8}, .tile = 32, .rest = "BF16"}, .cache = {.bits = 8})},
    // vLLM keeps the scales of both as floats.
    {"fp8-tensor", "fp8 E4M3, a scale for each matrix", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "F8_E4M3", .numbers = {.bits = 8}, .once = 32,
            .rest = "BF16")},
    {"w8a8-int8", "8-bit integers, a scale for each row; activations in 8 bits too", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "INT8", .numbers = {8, WHOLE_ROW, 32, 0, 0},
            .rest = "BF16")},
    // Dettmers et al. 2022: the largest number of each row is kept, as a float.
    {"int8", "LLM.int8 of bitsandbytes, a scale for each row; as a cache without", true, true, 8,
     RULE(.packing = {.scope = SCOPE_MODULES, .type = "INT8", .numbers = {8, WHOLE_ROW, 32, 0, 0},
                      .rest = "F16"}, .cache = {.bits = 8})},
    GPTQ(8, "g128", 128), GPTQ(4, "g128", 128), GPTQ(4, "g32", 32), GPTQ(3, "g128", 128),
    AWQ(4, "g128", 128),
    {"nf4", "bitsandbytes: 4 bits in steps of a normal distribution, a float for 64", true, false, 16,
     BNB("NF4", ONCE)},
    {"nf4-dq", "nf4 with double quantisation: its floats in 8 bits (QLoRA)", true, false, 16,
     BNB("NF4", TWICE)},
    {"fp4", "bitsandbytes: 4-bit floats, a float for 64", true, false, 16, BNB("FP4", ONCE)},
    {"fp4-dq", "fp4 with double quantisation", true, false, 16, BNB("FP4", TWICE)},
    {"mxfp8", "8-bit floats, an 8-bit scale for 32", true, false, 8, MX(SCOPE_LINEAR, "MXFP8", 8)},
    {"mxfp6", "6-bit floats, an 8-bit scale for 32", true, false, 16, MX(SCOPE_LINEAR, "MXFP6", 6)},
    {"mxfp4", "4-bit floats, an 8-bit scale for 32; of a model with experts those alone (gpt-oss)",
     true, false, 16, MX(SCOPE_EXPERTS, "MXFP4", 4)},
    {"nvfp4", "4-bit floats, an fp8 scale for 16; weights have a float for each matrix too", true, true,
     16, RULE(.packing = {.scope = SCOPE_LINEAR, .type = "NVFP4", .numbers = {4, 16, 8, 0, 0},
                          .multiple = 16, .once = 32, .rest = "BF16"}, .cache = {4, 16, 8, 0, 0})},
#define X(id, name, cache, about)                                                                   \
    {name, about, true, cache, MIX_##id == MIX_F32 ? 32 : 16, RULE(.mixed = true, .mix = MIX_##id)},
    GGML_MIXES(X)
#undef X
    CACHE("fp8-g128", "fp8 E4M3, a float for each 128: a token's head", 8, 128, 32, 0, 0),
    CACHE("int8-g128", "8-bit integers, a float for each 128: a token's head", 8, 128, 32, 0, 0),
};

// A 16-bit scale for each group of a row; with a zero of as many bits as a number has (compressed-tensors),
// or one of 16 bits (torchao; mlx calls it the bias). HQQ's files have both as floats.
#define INTEGERS(size, word, group)                                                                 \
    {"w" #size "a16-" word, #size "-bit integers, a scale for each group", true, false, 16,          \
     PACKED(.scope = SCOPE_LINEAR, .type = "INT" #size, .numbers = {(size), (group), 16, 0, 0},     \
            .rest = "BF16")},                                                                       \
    {"w" #size "a16-" word "-zero", #size "-bit integers, a scale and a zero for each group", true,  \
     false, 16, PACKED(.scope = SCOPE_LINEAR, .type = "INT" #size,                                  \
                       .numbers = {(size), (group), 16 + (size), 0, 0}, .rest = "BF16")},           \
    {"w" #size "a16-" word "-zero16", #size "-bit integers, two 16-bit numbers for each group", true, \
     false, 16, PACKED(.scope = SCOPE_LINEAR, .type = "INT" #size,                                  \
                       .numbers = {(size), (group), 32, 0, 0}, .rest = "BF16")},                    \
    {"w" #size "a16-" word "-zero32", #size "-bit integers, two floats for each group", true, false,  \
     16, PACKED(.scope = SCOPE_LINEAR, .type = "INT" #size,                                         \
                .numbers = {(size), (group), 64, 0, 0}, .rest = "BF16", .wide = true)}
#define MLX(size, word, group)                                                                      \
    {"mlx" #size "-" word, "mlx: " #size " bits, a scale and a bias for each group, embeddings too", \
     true, false, 16, PACKED(.scope = SCOPE_TABLES, .type = "INT" #size,                            \
                             .numbers = {(size), (group), 32, 0, 0}, .rest = "BF16")}

// What else AutoGPTQ (GPTQModel checks the groups) and AutoAWQ take, and heads of other sizes.
static const FormatInfo further[] = {
#define X(size)                                                                                     \
    GPTQ(size, "g16", 16), GPTQ(size, "g32", 32), GPTQ(size, "g64", 64), GPTQ(size, "g128", 128),   \
    GPTQ(size, "g256", 256), GPTQ(size, "g512", 512), GPTQ(size, "g1024", 1024),                    \
    GPTQ(size, "row", WHOLE_ROW),
    X(2) X(3) X(4) X(8)
#undef X
    AWQ(4, "g32", 32), AWQ(4, "g64", 64), AWQ(4, "g256", 256), AWQ(4, "row", WHOLE_ROW),
    {"fp8-row", "fp8 E4M3, a 16-bit scale for each row", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "F8_E4M3", .numbers = {8, WHOLE_ROW, 16, 0, 0},
            .rest = "BF16")},
    // The same with scales of other widths: compressed-tensors stores them in 16 bits, torchao as floats and
    // with a zero of 8 bits.
    {"fp8-s16", "fp8 E4M3, a 16-bit scale for 128 x 128", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .layout = LAYOUT_TILES, .type = "F8_E4M3", .numbers = {.bits = 8},
            .tile = 16, .rest = "BF16")},
    {"fp8-tensor-s16", "fp8 E4M3, a 16-bit scale for each matrix", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "F8_E4M3", .numbers = {.bits = 8}, .once = 16,
            .rest = "BF16")},
    {"fp8-row-s32", "fp8 E4M3, a float for each row", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "F8_E4M3", .numbers = {8, WHOLE_ROW, 32, 0, 0},
            .rest = "BF16")},
    {"w8a8-int8-s16", "8-bit integers, a 16-bit scale for each row; activations in 8 bits too", true,
     false, 8, PACKED(.scope = SCOPE_LINEAR, .type = "INT8", .numbers = {8, WHOLE_ROW, 16, 0, 0},
                      .rest = "BF16")},
    {"w8a8-int8-zero", "8-bit integers, a float and a zero for each row", true, false, 8,
     PACKED(.scope = SCOPE_LINEAR, .type = "INT8", .numbers = {8, WHOLE_ROW, 40, 0, 0},
            .rest = "BF16")},
    {"mlx-mxfp4", "mlx: 4-bit floats, an 8-bit scale for 32, embeddings too", true, false, 16,
     MX(SCOPE_TABLES, "MXFP4", 4)},
    {"mlx-mxfp8", "mlx: 8-bit floats, an 8-bit scale for 32, embeddings too", true, false, 16,
     MX(SCOPE_TABLES, "MXFP8", 8)},
    {"mlx-nvfp4", "mlx: 4-bit floats, an fp8 scale for 16, embeddings too", true, false, 16,
     PACKED(.scope = SCOPE_TABLES, .type = "NVFP4", .numbers = {4, 16, 8, 0, 0}, .multiple = 16,
            .rest = "BF16")},
    {"mxfp4-linear", "4-bit floats, an 8-bit scale for 32; all projections", true, false, 16,
     MX(SCOPE_LINEAR, "MXFP4", 4)},
#define X(size)                                                                                     \
    INTEGERS(size, "g16", 16), INTEGERS(size, "g32", 32), INTEGERS(size, "g64", 64),                \
    INTEGERS(size, "g128", 128), INTEGERS(size, "g256", 256), INTEGERS(size, "row", WHOLE_ROW),     \
    MLX(size, "g32", 32), MLX(size, "g64", 64), MLX(size, "g128", 128),
    X(2) X(3) X(4) X(5) X(6) X(8)
#undef X
    CACHE("fp8-g64", "fp8 E4M3, a float for each 64", 8, 64, 32, 0, 0),
    CACHE("fp8-g256", "fp8 E4M3, a float for each 256", 8, 256, 32, 0, 0),
    CACHE("int8-g64", "8-bit integers, a float for each 64", 8, 64, 32, 0, 0),
    CACHE("int8-g256", "8-bit integers, a float for each 256", 8, 256, 32, 0, 0),
};
// clang-format on

enum {
    LISTED = sizeof listed / sizeof *listed,
    FORMATS = LISTED + sizeof further / sizeof *further,
    NAME_BYTES = 64
};

int format_list(const FormatInfo **formats)
{
    *formats = listed;
    return LISTED;
}

static const FormatInfo *format_at(int i)
{
    return i < LISTED ? &listed[i] : &further[i - LISTED];
}

static char plain_letter(char c)
{
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && plain_letter(*a) == plain_letter(*b)) a++, b++;
    return *a == '\0' && *b == '\0';
}

// What people say for it.
static const char *meant(const char *plain)
{
    static const char *const words[][2] = {
        {"q2", "q2_k"},        {"q3", "q3_k_m"},    {"q4", "q4_k_m"},      {"q5", "q5_k_m"},
        {"q6", "q6_k"},        {"q8", "q8_0"},      {"int4", "awq4-g128"}, {"4bit", "nf4"},
        {"4-bit", "nf4"},      {"8bit", "int8"},    {"8-bit", "int8"},     {"16bit", "bf16"},
        {"half", "fp16"},      {"float16", "fp16"}, {"bfloat16", "bf16"},  {"float32", "fp32"},
        {"float", "fp32"},     {"full", "fp32"},    {"awq", "awq4-g128"},  {"gptq", "gptq4-g128"},
        {"bnb", "nf4"},        {"qlora", "nf4-dq"}, {"f8", "fp8"},         {"w4a16", "w4a16-g128"},
        {"w8a8", "w8a8-int8"}, {"mlx", "mlx4-g64"}, {"gguf", "q4_k_m"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(plain, words[i][0]) == 0) return words[i][1];
    return NULL;
}

const FormatInfo *format_find(const char *name, Error *err)
{
    const char *names[FORMATS];
    char plain[NAME_BYTES];
    size_t length = strlen(name);
    for (int i = 0; i < FORMATS; i++) {
        names[i] = format_at(i)->name;
        if (same_name(name, names[i])) return format_at(i);
    }
    if (length >= NAME_BYTES) length = NAME_BYTES - 1;
    for (size_t i = 0; i < length; i++) plain[i] = (char)tolower((unsigned char)name[i]);
    plain[length] = '\0';
    const char *near = meant(plain);
    if (near == NULL) near = nearest(plain, names, FORMATS);
    if (near != NULL) error_set(err, "there is no format '%s'; did you mean %s?", plain, near);
    else
        error_set(err, "there is no format '%s', expected one such as fp8, gptq4-g128 or q4_k_m",
                  plain);
    return NULL;
}

bool format_cache(const char *name, KnFormat *format, Error *err)
{
    const FormatInfo *info = format_find(name, err);
    if (info == NULL) return false;
    if (!info->cache)
        return error_set(err, "%s is a format of weights, not of the cache", info->name);
    *format = info->rule->mixed ? ggml_format(ggml_mix_base(info->rule->mix)) : info->rule->cache;
    return true;
}

// ---- bytes ----

static void put(WeightBytes *out, Component component, const char *type, uint64_t elements,
                uint64_t bytes)
{
    int t = 0;
    while (t < out->type_count && strcmp(out->types[t].name, type) != 0) t++;
    if (t == out->type_count) {
        REQUIRE(t < TYPES_MAX, "%s stores tensors in more than %d types", out->format, TYPES_MAX);
        out->types[out->type_count++] = (StoredType){.name = type};
    }
    out->types[t].elements += elements;
    out->types[t].bytes += bytes;
    out->component[component] += bytes;
    out->bytes += bytes;
}

typedef struct Plan {
    const Model *model;
    const FormatRule *rule;
    GgmlFacts facts;    // of the model, where the rule is a mix
} Plan;

static bool plan_make(Plan *plan, const Model *model, const FormatInfo *info, Error *err)
{
    *plan = (Plan){.model = model, .rule = info->rule};
    return !info->rule->mixed || ggml_facts(&plan->facts, model, err);
}

// Adds what `weight` takes in a layer, `times` over.
static bool store(WeightBytes *out, const Plan *plan, const Weight *weight, int layer,
                  uint64_t times, Error *err)
{
    const Weight *w = weight;
    if (!plan->rule->mixed) {
        Packed packed;
        bool published = strcmp(out->format, plan->model->published) == 0;
        const char *own = published ? weight_format(w, layer) : NULL;
        const FormatInfo *info = own != NULL ? format_find(own, err) : NULL;
        if (own != NULL && info == NULL) return false;
        Packing packing = info != NULL ? info->rule->packing : plan->rule->packing;
        packing.floats = published && plan->model->rest_in_floats;
        bool kept = own == NULL && published && weight_kept(w, layer);
        if (!packing_apply(&packed, &packing, plan->model, w, kept, err)) return false;
        put(out, w->component, packed.type, times * w->rows * w->cols * w->copies,
            times * packed.bytes);
        return true;
    }
    GgmlTensor tensors[GGML_TENSORS_MAX];
    int count = ggml_tensors(tensors, plan->rule->mix, &plan->facts, w, layer, err);
    for (int i = 0; i < count; i++) {
        const GgmlTensor *t = &tensors[i];
        put(out, w->component, dtype_name(t->type), times * t->rows * t->cols * t->copies,
            times * t->copies * ggml_bytes(t->type, t->rows, t->cols));
    }
    return count >= 0;
}

static bool store_layers(WeightBytes *out, const Plan *plan, const Weight *weight, Error *err)
{
    const Model *model = plan->model;
    if (weight->kind == OUTSIDE ||
        (!plan->rule->mixed && weight->kept == NULL && weight->as == NULL))
        return store(out, plan, weight, OUTSIDE, (uint64_t)weight_layers(model, weight), err);
    for (int l = 0; l < model->layers; l++)
        if (model->kind_of[l] == weight->kind && !store(out, plan, weight, l, 1, err)) return false;
    return true;
}

static bool store_model(WeightBytes *out, const Model *model, const char *name, Error *err)
{
    const FormatInfo *info = format_find(name, err);
    Plan plan;
    if (info == NULL) return false;
    if (!info->weights)
        return error_set(err, "%s is a format of the cache, not of weights", info->name);
    *out = (WeightBytes){
        .format = info->name, .about = info->about, .compute_bits = info->compute_bits};
    if (!plan_make(&plan, model, info, err)) return error_wrap(err, "%s", info->name);
    for (int i = 0; i < model->weight_count; i++)
        if (!store_layers(out, &plan, &model->weights[i], err))
            return error_wrap(err, "%s cannot hold %s", info->name, model->name);
    if (info->rule->mixed && model->rope_factors > 0)
        put(out, COMPONENT_POS, "F32", model->rope_factors, 4 * model->rope_factors);
    return true;
}

// A model that was read from its files, as it stands there.
static void as_stored(Arena *arena, const Model *model, WeightBytes *out)
{
    const StoredType *most = &model->stored[0];
    uint64_t params = model_params(model), known = 0;
    for (int i = 0; i < model->stored_count; i++) {
        const StoredType *type = &model->stored[i];
        put(out, COMPONENT_EMBED, type->name, type->elements, type->bytes);
        if (type->elements > most->elements) most = type;
    }
    bool eight = strncmp(most->name, "F8", 2) == 0 || strcmp(most->name, "I8") == 0;
    out->about = arena_print(arena, "as its files have it, most numbers in %s", most->name);
    out->compute_bits = eight ? 8 : strcmp(most->name, "F32") == 0 ? 32 : 16;

    // A file that does not say what each tensor takes: in proportion to its numbers.
    for (int i = 0; i < model->weight_count; i++) known += model->weights[i].stored_bytes;
    out->component[COMPONENT_EMBED] = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        double share = (double)weight_elements(model, w) / (double)params;
        out->component[w->component] +=
            known > 0 ? w->stored_bytes : (uint64_t)(share * (double)out->bytes);
    }
}

bool format_weights(Arena *arena, const Model *model, const char *name, WeightBytes *bytes,
                    Error *err)
{
    uint64_t params = model_params(model);
    *bytes = (WeightBytes){.format = "as stored"};
    if (name == NULL && model->stored_count > 0) as_stored(arena, model, bytes);
    else if (!store_model(bytes, model, name != NULL ? name : model->published, err)) return false;
    bytes->bits_per_weight = params > 0 ? 8 * (double)bytes->bytes / (double)params : 0;
    return true;
}

uint64_t format_weight_bytes(const Model *model, const FormatInfo *format, const Weight *weight,
                             int layer)
{
    WeightBytes bytes = {.format = format->name};
    Plan plan;
    if (!plan_make(&plan, model, format, NULL)) return 0;
    return store(&bytes, &plan, weight, layer, 1, NULL) ? bytes.bytes : 0;
}
