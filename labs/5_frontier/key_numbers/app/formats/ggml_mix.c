#include "labs/5_frontier/key_numbers/app/formats/ggml_mix.h"
#include <string.h>

// Where a choice of llama.cpp's quantiser holds: tensor i of n of its use, counted from 0.
typedef enum When {
    NEVER,
    ALWAYS,
    GROUPED,               // four query heads or more to a key head: values are small
    GROUPED_OR_EXPERTS,    // the same, or four experts or more: all of attention is small
    FIRST_2,
    FIRST_4,
    FIRST_16TH,
    FIRST_8TH,
    MIDDLE,           // all but the first and the last eighth
    MORE_BITS,        // the first eighth, the last, and every third between
    MORE_BITS_OF_8    // the same, of eight experts
} When;

typedef struct Choice {
    When when;
    DType type;
} Choice;

// A recipe. A tensor gets the first choice that holds, else `base`; DTYPE_F32 (0) means `base` too.
typedef struct Recipe {
    DType base, embed, head;
    Choice value[2], down[2], up[1];    // `up` is the MLP's gate as well
    DType query, key, out, out_of_8;
    Choice falcon_down[2];    // instead of `down`, where there is one
    DType falcon_out;
    bool lowest;    // below 3 bits: fewer exceptions
} Recipe;

// llama.cpp, src/llama-quant.cpp: llama_ftype_get_default_type() and llama_tensor_get_type_impl(), as of
// commit 0c1e5709. The types that need an importance matrix are taken to have one, the others not. Older
// versions stored queries, keys and values that are one tensor (Falcon, Phi-3) in other types.
// clang-format off
static const Recipe recipes[] = {
    [MIX_F32]    = {.base = DTYPE_F32},
    [MIX_F16]    = {.base = DTYPE_F16},
    [MIX_BF16]   = {.base = DTYPE_BF16},
    [MIX_Q4_0]   = {.base = DTYPE_Q4_0, .head = DTYPE_Q6_K},
    [MIX_Q4_1]   = {.base = DTYPE_Q4_1, .head = DTYPE_Q6_K},
    [MIX_Q5_0]   = {.base = DTYPE_Q5_0, .head = DTYPE_Q6_K},
    [MIX_Q5_1]   = {.base = DTYPE_Q5_1, .head = DTYPE_Q6_K},
    [MIX_Q8_0]   = {.base = DTYPE_Q8_0, .head = DTYPE_Q8_0},
    [MIX_MXFP4]  = {.base = DTYPE_MXFP4, .head = DTYPE_Q8_0},
    [MIX_TQ1_0]  = {.base = DTYPE_TQ1_0, .embed = DTYPE_Q4_K, .head = DTYPE_Q6_K},
    [MIX_TQ2_0]  = {.base = DTYPE_TQ2_0, .embed = DTYPE_Q4_K, .head = DTYPE_Q6_K},
    [MIX_Q6_K]   = {.base = DTYPE_Q6_K, .head = DTYPE_Q6_K},
    [MIX_Q5_K_S] = {.base = DTYPE_Q5_K, .head = DTYPE_Q6_K},
    [MIX_Q5_K_M] = {.base = DTYPE_Q5_K, .head = DTYPE_Q6_K,
                    .value = {{MORE_BITS, DTYPE_Q6_K}}, .down = {{MORE_BITS, DTYPE_Q6_K}}},
    [MIX_Q4_K_S] = {.base = DTYPE_Q4_K, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{FIRST_4, DTYPE_Q5_K}}, .down = {{FIRST_8TH, DTYPE_Q5_K}},
                    .falcon_down = {{ALWAYS, DTYPE_Q4_K}}},
    [MIX_Q4_K_M] = {.base = DTYPE_Q4_K, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{MORE_BITS, DTYPE_Q6_K}}, .down = {{MORE_BITS, DTYPE_Q6_K}},
                    .falcon_down = {{FIRST_16TH, DTYPE_Q6_K}, {MORE_BITS, DTYPE_Q5_K}}},
    [MIX_Q3_K_S] = {.base = DTYPE_Q3_K, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K},
    [MIX_Q3_K_M] = {.base = DTYPE_Q3_K, .head = DTYPE_Q6_K, .out = DTYPE_Q4_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{FIRST_2, DTYPE_Q5_K}, {ALWAYS, DTYPE_Q4_K}},
                    .down = {{FIRST_16TH, DTYPE_Q5_K}, {ALWAYS, DTYPE_Q4_K}},
                    .falcon_down = {{FIRST_16TH, DTYPE_Q5_K}, {MORE_BITS, DTYPE_Q4_K}}},
    [MIX_Q3_K_L] = {.base = DTYPE_Q3_K, .head = DTYPE_Q6_K, .out = DTYPE_Q5_K, .falcon_out = DTYPE_Q4_K,
                    .value = {{ALWAYS, DTYPE_Q5_K}}, .down = {{ALWAYS, DTYPE_Q5_K}},
                    .falcon_down = {{ALWAYS, DTYPE_Q4_K}}},
    [MIX_Q2_K]   = {.base = DTYPE_Q2_K, .head = DTYPE_Q6_K, .out = DTYPE_Q3_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{GROUPED, DTYPE_Q4_K}, {ALWAYS, DTYPE_Q3_K}},
                    .down = {{ALWAYS, DTYPE_Q3_K}}},
    [MIX_Q2_K_S] = {.base = DTYPE_Q2_K, .head = DTYPE_Q6_K,
                    .value = {{GROUPED, DTYPE_Q4_K}}, .down = {{FIRST_8TH, DTYPE_Q4_K}}},
    [MIX_IQ4_NL] = {.base = DTYPE_IQ4_NL, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{GROUPED, DTYPE_Q5_K}}, .down = {{FIRST_8TH, DTYPE_Q5_K}}},
    [MIX_IQ4_XS] = {.base = DTYPE_IQ4_XS, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{GROUPED, DTYPE_Q5_K}}, .down = {{FIRST_8TH, DTYPE_Q5_K}}},
    [MIX_IQ3_M]  = {.base = DTYPE_IQ3_S, .head = DTYPE_Q6_K, .out = DTYPE_Q4_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{ALWAYS, DTYPE_Q4_K}},
                    .down = {{FIRST_8TH, DTYPE_Q4_K}, {MORE_BITS_OF_8, DTYPE_Q4_K}}},
    [MIX_IQ3_S]  = {.base = DTYPE_IQ3_S, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .value = {{GROUPED, DTYPE_Q4_K}}},
    [MIX_IQ3_XS] = {.base = DTYPE_IQ3_S, .head = DTYPE_Q6_K, .out_of_8 = DTYPE_Q5_K,
                    .query = DTYPE_IQ3_XXS, .key = DTYPE_IQ3_XXS,
                    .value = {{GROUPED, DTYPE_Q4_K}}, .up = {{MIDDLE, DTYPE_IQ3_XXS}}},
    [MIX_IQ3_XXS] = {.base = DTYPE_IQ3_XXS, .embed = DTYPE_IQ3_S, .head = DTYPE_Q5_K,
                     .out = DTYPE_IQ3_S, .out_of_8 = DTYPE_Q5_K,
                     .query = DTYPE_IQ2_S, .key = DTYPE_IQ2_S, .value = {{GROUPED, DTYPE_Q4_K}}},
    [MIX_IQ2_M]  = {.base = DTYPE_IQ2_S, .embed = DTYPE_IQ3_S, .head = DTYPE_Q5_K, .lowest = true,
                    .out = DTYPE_IQ3_S, .out_of_8 = DTYPE_Q5_K, .falcon_out = DTYPE_IQ3_S,
                    .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_IQ3_S}},
                    .down = {{FIRST_8TH, DTYPE_IQ3_S}}},
    [MIX_IQ2_S]  = {.base = DTYPE_IQ2_XS, .embed = DTYPE_IQ3_S, .head = DTYPE_Q5_K, .lowest = true,
                    .out = DTYPE_IQ3_S, .out_of_8 = DTYPE_Q5_K, .falcon_out = DTYPE_IQ3_S,
                    .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_IQ3_S}},
                    .down = {{FIRST_8TH, DTYPE_IQ3_S}}},
    [MIX_IQ2_XS] = {.base = DTYPE_IQ2_XS, .embed = DTYPE_Q2_K, .head = DTYPE_Q5_K, .lowest = true,
                    .out_of_8 = DTYPE_Q5_K,
                    .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_Q2_K}},
                    .down = {{FIRST_8TH, DTYPE_Q2_K}}},
    [MIX_IQ2_XXS] = {.base = DTYPE_IQ2_XXS, .embed = DTYPE_Q2_K, .head = DTYPE_Q5_K, .lowest = true,
                     .out_of_8 = DTYPE_Q5_K,
                     .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_Q2_K}},
                     .down = {{FIRST_8TH, DTYPE_Q2_K}}},
    [MIX_IQ1_M]  = {.base = DTYPE_IQ1_M, .embed = DTYPE_Q2_K, .head = DTYPE_Q5_K, .lowest = true,
                    .out = DTYPE_IQ2_XXS, .out_of_8 = DTYPE_Q5_K, .falcon_out = DTYPE_IQ2_XXS,
                    .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_Q2_K}},
                    .down = {{FIRST_8TH, DTYPE_Q2_K}}},
    [MIX_IQ1_S]  = {.base = DTYPE_IQ1_S, .embed = DTYPE_Q2_K, .head = DTYPE_Q5_K, .lowest = true,
                    .out = DTYPE_IQ2_XXS, .out_of_8 = DTYPE_Q5_K, .falcon_out = DTYPE_IQ2_XXS,
                    .value = {{GROUPED_OR_EXPERTS, DTYPE_Q4_K}, {ALWAYS, DTYPE_Q2_K}},
                    .down = {{FIRST_8TH, DTYPE_Q2_K}}},
};
// clang-format on

DType ggml_mix_base(GgmlMix mix)
{
    return recipes[mix].base;
}

// What a tensor is to the quantiser, which goes by names: "attn_v.weight", "ffn_down".
typedef enum Use {
    USE_NONE,       // not in the file
    USE_FLOAT,      // in 32 bits, whatever the mix
    USE_AS_MADE,    // not quantised: 16 bits, as the file was converted
    USE_EMBED,
    USE_HEAD,
    USE_QUERY,
    USE_KEY,
    USE_VALUE,    // or queries, keys and values in one
    USE_OUT,
    USE_UP,    // or the gate
    USE_DOWN,
    USE_OTHER    // the mix's base
} Use;

static Use use_of(const GgmlFacts *facts, const Weight *weight)
{
    // Of BERT the file has what embeds a text.
    if (weight->component == COMPONENT_POOLER || strncmp(weight->name, "cls.", 4) == 0)
        return USE_NONE;
    if (weight->role == ROLE_NORM || weight->role == ROLE_BIAS || weight->rows == 1)
        return USE_FLOAT;
    if (weight->role == ROLE_POSITION || weight->role == ROLE_ROUTER) return USE_FLOAT;
    if (weight->component == COMPONENT_VISION) return USE_AS_MADE;    // in a file of its own
    switch (weight->role) {
    case ROLE_EMBED: return USE_EMBED;
    case ROLE_HEAD: return USE_HEAD;
    case ROLE_Q: return USE_QUERY;
    case ROLE_K: return USE_KEY;
    case ROLE_V:
    case ROLE_QKV: return USE_VALUE;
    case ROLE_O: return USE_OUT;
    case ROLE_GATE:
    case ROLE_UP:
    case ROLE_GATE_UP: return USE_UP;
    case ROLE_DOWN: return USE_DOWN;
    default: break;
    }
    if (facts->t5) return USE_AS_MADE;    // the bias that goes by distance
    // What DeepSeek-V3.2's indexer calls wk is named indexer.attn_k here.
    bool key = strstr(weight->name, "indexer.wk.") != NULL ||
               strstr(weight->name, "indexer.attn_k.") != NULL;
    return key ? USE_KEY : USE_OTHER;
}

static bool one_of(const char *family, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(family, *names) == 0) return true;
    return false;
}

static void count_weight(GgmlFacts *facts, const Weight *weight)
{
    const Model *model = facts->model;
    if (weight->role == ROLE_HEAD) facts->head_apart = true;
    if (weight->kind == OUTSIDE) {
        // A tied head that the published file has again (Falcon, Qwen3-0.6B) is converted as well.
        for (int i = 0; i < model->extra_count && weight->role == ROLE_EMBED; i++)
            if (model->tied && model->extras[i].elements == weight->rows * weight->cols)
                facts->head_apart = facts->head_twice = true;
        return;
    }
    if (weight->rows == 1) return;
    if (weight->role == ROLE_V || weight->role == ROLE_QKV) {
        facts->values_in[weight->kind]++;
        facts->values += weight_layers(model, weight);
    }
    if (weight->role == ROLE_DOWN) facts->downs_in[weight->kind]++;
}

bool ggml_facts(GgmlFacts *facts, const Model *model, Error *err)
{
    static const char *const unknown[] = {"opt", NULL},
                             *const split[] = {"baichuan", "internlm2", NULL},
                             *const falcon[] = {"falcon", "RefinedWeb", "RefinedWebModel", NULL},
                             *const as_llama[] = {"llama", "Yi", "mistral", NULL};
    if (one_of(model->family, unknown))
        return error_set(err, "%s: llama.cpp knows no models of the family %s", model->name,
                         model->family);
    if (model->layers == 0)
        return error_set(err,
                         "%s: a GGUF's mix goes by layer, and the model's layers are not known",
                         model->name);
    *facts = (GgmlFacts){.model = model,
                         .falcon = one_of(model->family, falcon),
                         .split_qkv = one_of(model->family, split)};
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (kind->block.experts > facts->experts) facts->experts = kind->block.experts;
        if (kind->cross) facts->t5 = true;
        else facts->layers += kind->count;    // of T5 the encoder's alone
    }
    for (int i = 0; i < model->weight_count; i++) count_weight(facts, &model->weights[i]);

    // Latent attention is stored as if all heads shared one key.
    const KnBlock *first = &model->kinds[model->kind_of[0]].block;
    uint64_t keys = first->kv_rank > 0 ? 1 : first->kv_heads;
    facts->grouping = keys > 0 ? first->heads / keys : 0;
    facts->seventy = facts->layers == 80 && facts->experts != 8 &&
                     (strcmp(model->family, "qwen2") == 0 ||
                      (one_of(model->family, as_llama) && facts->grouping > 1));
    return true;
}

static bool holds(When when, const GgmlFacts *facts, int i, int n)
{
    switch (when) {
    case NEVER: return false;
    case ALWAYS: return true;
    case GROUPED: return facts->grouping >= 4;
    case GROUPED_OR_EXPERTS: return facts->grouping >= 4 || facts->experts >= 4;
    case FIRST_2: return i < 2;
    case FIRST_4: return i < 4;
    case FIRST_16TH: return i < n / 16;
    case FIRST_8TH: return i < n / 8;
    case MIDDLE: return i >= n / 8 && i < 7 * n / 8;
    case MORE_BITS: return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
    case MORE_BITS_OF_8: return facts->experts == 8 && holds(MORE_BITS, facts, i, n);
    }
    return false;
}

static DType choose(const Choice *choices, int count, DType base, const GgmlFacts *facts, int i,
                    int n)
{
    for (int c = 0; c < count; c++)
        if (holds(choices[c].when, facts, i, n)) return choices[c].type;
    return base;
}

// Tensors of this use that come before this one: in the layers before, and in its own.
static int before(const GgmlFacts *facts, Use use, const int *in_kind, const Weight *weight,
                  int layer)
{
    const Model *model = facts->model;
    int sum = 0;
    for (int l = 0; l < layer; l++) sum += in_kind[model->kind_of[l]];
    for (const Weight *w = model->weights; w < weight; w++)
        if (w->kind == weight->kind && use_of(facts, w) == use) sum++;
    return sum;
}

static DType value_type(const Recipe *recipe, const GgmlFacts *facts, const Weight *weight,
                        int layer)
{
    int i = before(facts, USE_VALUE, facts->values_in, weight, layer);
    DType type = choose(recipe->value, 2, recipe->base, facts, i, facts->values);
    if (recipe->lowest) return type;
    if (facts->experts == 8) return DTYPE_Q8_0;
    if (facts->seventy && (type == DTYPE_Q3_K || type == DTYPE_Q4_K)) return DTYPE_Q5_K;
    return type;
}

static DType down_type(const Recipe *recipe, const GgmlFacts *facts, const Weight *weight,
                       int layer)
{
    // With experts the layer counts, else (and below 3 bits always) how many there were before.
    bool by_layer = facts->experts > 1 && !recipe->lowest;
    int i = by_layer ? layer : before(facts, USE_DOWN, facts->downs_in, weight, layer);
    bool falcon = facts->falcon && recipe->falcon_down[0].when != NEVER;
    return choose(falcon ? recipe->falcon_down : recipe->down, 2, recipe->base, facts, i,
                  facts->layers);
}

static DType out_type(const Recipe *recipe, const GgmlFacts *facts)
{
    if (facts->t5) return recipe->base;    // named attn_o, which no rule knows
    if (facts->falcon) return recipe->falcon_out;
    return facts->experts == 8 ? recipe->out_of_8 : recipe->out;
}

static DType key_type(const Recipe *recipe, const GgmlFacts *facts)
{
    if (facts->experts == 8) return recipe->lowest ? DTYPE_Q4_K : DTYPE_Q8_0;
    return recipe->key;
}

static DType head_type(const Recipe *recipe, const GgmlFacts *facts, const Weight *weight)
{
    bool whole = weight->cols % dtype_info[recipe->base].block == 0;
    return facts->falcon || !whole ? DTYPE_Q8_0 : recipe->head;
}

// `stacked`: the tensor has a third dimension.
static DType type_of(GgmlMix mix, const GgmlFacts *facts, Use use, const Weight *weight, int layer,
                     bool stacked)
{
    const Recipe *recipe = &recipes[mix];
    DType type = recipe->base;
    if (use == USE_FLOAT) return DTYPE_F32;
    if (mix == MIX_F32 || mix == MIX_F16 || mix == MIX_BF16) return type;
    if (use == USE_AS_MADE) return DTYPE_F16;
    if (use == USE_EMBED && !facts->head_apart) use = USE_HEAD;    // the embedding is the head
    if (mix == MIX_MXFP4 && use != USE_HEAD) return stacked ? DTYPE_MXFP4 : DTYPE_Q8_0;
    switch (use) {
    case USE_HEAD: type = head_type(recipe, facts, weight); break;
    case USE_EMBED: type = recipe->embed; break;
    case USE_QUERY: type = recipe->query; break;
    case USE_KEY: type = key_type(recipe, facts); break;
    case USE_VALUE: type = value_type(recipe, facts, weight, layer); break;
    case USE_OUT: type = out_type(recipe, facts); break;
    case USE_DOWN: type = down_type(recipe, facts, weight, layer); break;
    case USE_UP: type = choose(recipe->up, 1, type, facts, layer, facts->layers); break;
    default: break;
    }
    return type != DTYPE_F32 ? type : recipe->base;
}

// The 262144 words of Gemma-3's tokenizer are kept, the 64 rows that its larger models have behind them not
// (conversion/gemma.py).
static uint64_t embedded(const GgmlFacts *facts, uint64_t rows)
{
    const uint64_t words = 262144;
    return strncmp(facts->model->family, "gemma3", 6) == 0 && rows > words ? words : rows;
}

// A weight that the converter takes apart: how many tensors it becomes, 0 when it stays whole.
static int split(GgmlTensor *tensors, GgmlMix mix, const GgmlFacts *facts, const Weight *weight,
                 int layer)
{
    const Weight *w = weight;
    if (w->kind == OUTSIDE || w->rows == 1) return 0;
    const KnBlock *b = &facts->model->kinds[w->kind].block;
    if (w->role == ROLE_QKV && facts->split_qkv) {
        uint64_t keys = b->kv_heads * b->head_dim, rows[] = {w->rows - 2 * keys, keys, keys};
        Use uses[] = {USE_QUERY, USE_KEY, USE_VALUE};
        for (int t = 0; t < 3; t++)
            tensors[t] =
                (GgmlTensor){type_of(mix, facts, uses[t], w, layer, false), rows[t], w->cols, 1};
        return 3;
    }
    if (w->role == ROLE_KV_B) {
        // The keys' part is turned over, so that queries can be brought into the latent's space.
        DType type = type_of(mix, facts, USE_OTHER, w, layer, true);
        tensors[0] = (GgmlTensor){type, b->kv_rank, b->nope_dim, b->heads};
        tensors[1] = (GgmlTensor){type, b->value_dim, b->kv_rank, b->heads};
        return 2;
    }
    return 0;
}

int ggml_tensors(GgmlTensor tensors[GGML_TENSORS_MAX], GgmlMix mix, const GgmlFacts *facts,
                 const Weight *weight, int layer, Error *err)
{
    const Weight *w = weight;
    Use use = use_of(facts, w);
    if (use == USE_NONE) return 0;
    int count = split(tensors, mix, facts, w, layer);
    if (count == 0) {
        DType type = type_of(mix, facts, use, w, layer, w->copies > 1);
        uint64_t rows = use == USE_EMBED ? embedded(facts, w->rows) : w->rows;
        tensors[0] = (GgmlTensor){type, rows, w->cols, w->copies};
        count = 1;
        if (use == USE_EMBED && facts->head_twice) {
            tensors[count] = tensors[0];
            tensors[count++].type = type_of(mix, facts, USE_HEAD, w, layer, false);
        }
    }
    for (int t = 0; t < count; t++)
        if (!ggml_fit(&tensors[t].type, tensors[t].cols, err)) {
            error_wrap(err, "%s", w->name);
            return -1;
        }
    return count;
}
