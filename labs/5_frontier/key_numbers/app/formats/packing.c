#include "labs/5_frontier/key_numbers/app/formats/packing.h"
#include <inttypes.h>
#include <string.h>

enum { TILE = 128, WORD = 32 };

static const KnFormat as_float = {.bits = 32}, as_half = {.bits = 16};

static uint64_t parts(uint64_t n, uint64_t size)
{
    return (n + size - 1) / size;
}

// ---- what is packed ----

static bool one_of(const char *family, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(family, *names) == 0) return true;
    return false;
}

// transformers 4.57, integrations/bitsandbytes.py: replace_with_bnb_linear() goes by classes. gpt-oss
// keeps its experts as parameters of the layer itself; some families' routers are an nn.Linear.
static bool is_module(const Model *model, const Weight *weight)
{
    // The last three, and gpt-oss, are what a GGUF calls them.
    static const char *const linear_routers[] = {"mixtral",  "qwen2_moe", "qwen3_moe",
                                                 "olmoe",    "phimoe",    "llama",
                                                 "qwen2moe", "qwen3moe",  NULL};
    static const char *const parameters[] = {"gpt_oss", "gpt-oss", NULL};
    if (weight->role == ROLE_ROUTER) return one_of(model->family, linear_routers);
    if (weight->component == COMPONENT_EXPERTS && one_of(model->family, parameters)) return false;
    bool gate = weight->component == COMPONENT_SHARED && weight->role == ROLE_OTHER;    // [1,h]
    return gate || weight_projects(weight);
}

static bool in_scope(Scope scope, uint64_t group, const Model *model, const Weight *weight)
{
    bool linear = weight_projects(weight) && !weight_in_tower(weight);
    switch (scope) {
    case SCOPE_ALL: return true;
    case SCOPE_LINEAR: return linear;
    case SCOPE_MODULES: return is_module(model, weight);
    case SCOPE_TABLES:
        // mlx, nn/layers/quantized.py: quantize() takes what divides into groups.
        return weight->rows > 1 && weight->role != ROLE_POSITION && !weight_in_tower(weight) &&
               weight->cols % group == 0;
    case SCOPE_EXPERTS:
        return linear && (weight->component == COMPONENT_EXPERTS ||
                          model_component(model, COMPONENT_EXPERTS) == 0);
    }
    return false;
}

// ---- how ----

static bool pack_words(uint64_t *bytes, const Packing *packing, const Weight *weight, Error *err)
{
    uint64_t in = weight->cols, out = weight->rows, group = packing->numbers.block;
    bool gptq = packing->layout == LAYOUT_GPTQ;
    if (group == WHOLE_ROW) group = in;
    // AutoGPTQ, qlinear_cuda.py: words of 32 numbers (3 words for 3 bits), down the inputs and, for
    // the zeros, along the outputs. AutoAWQ, gemm.py: along the outputs, and whole groups only.
    uint64_t whole_in = gptq ? WORD : group, whole_out = gptq ? WORD : WORD / packing->numbers.bits;
    if (in % whole_in != 0 || out % whole_out != 0)
        return error_set(
            err, "%s is %" PRIu64 " by %" PRIu64 ", expected multiples of %" PRIu64 " and %" PRIu64,
            weight->name, out, in, whole_out, whole_in);
    const KnFormat numbers = {.bits = packing->numbers.bits},
                   of_group = {.bits = packing->numbers.block_bits};
    *bytes =
        kn_format_bytes(&numbers, in * out) + kn_format_bytes(&of_group, parts(in, group) * out);
    if (gptq) *bytes += kn_format_bytes(&as_float, in);
    return true;
}

static bool pack(uint64_t *bytes, const Packing *packing, const Weight *weight, Error *err)
{
    KnFormat numbers = packing->numbers;
    uint64_t rows = weight->rows, cols = weight->cols;
    if (packing->layout == LAYOUT_GPTQ || packing->layout == LAYOUT_AWQ)
        return pack_words(bytes, packing, weight, err);
    if (packing->multiple > 0 && cols % packing->multiple != 0)
        return error_set(err, "%s has rows of %" PRIu64 " numbers, expected a multiple of %" PRIu64,
                         weight->name, cols, packing->multiple);
    if (numbers.block == WHOLE_ROW) numbers.block = cols;
    *bytes = kn_format_bytes(&numbers, rows * cols) + packing->once / 8;
    if (packing->layout == LAYOUT_TILES)
        *bytes += packing->tile / 8 * parts(rows, TILE) * parts(cols, TILE);
    return true;
}

bool packing_apply(Packed *packed, const Packing *packing, const Model *model, const Weight *weight,
                   bool kept, Error *err)
{
    *packed = (Packed){.type = packing->type};
    if (packing->scope == SCOPE_ALL ||
        (!kept && in_scope(packing->scope, packing->numbers.block, model, weight))) {
        if (!pack(&packed->bytes, packing, weight, err)) return false;
    } else {
        // DeepSeek-V3's file keeps the numbers that balance its experts in 32 bits.
        bool balance = packing->layout == LAYOUT_TILES && weight->component == COMPONENT_ROUTER &&
                       weight->role == ROLE_BIAS;
        bool bias = weight->role == ROLE_BIAS;
        bool wide = balance || (packing->wide && (kept || bias)) || (packing->floats && !bias);
        packed->type = wide ? "F32" : packing->rest;
        packed->bytes = kn_format_bytes(wide ? &as_float : &as_half, weight->rows * weight->cols);
    }
    packed->bytes *= weight->copies;
    return true;
}
