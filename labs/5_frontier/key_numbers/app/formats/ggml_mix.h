/* ggml_mix.h -- the file types of llama.cpp: which tensor of which layer is stored in which blocks.
 *
 *     GgmlFacts facts;
 *     if (!ggml_facts(&facts, model, err)) ...              // what the quantiser looks at
 *     GgmlTensor tensors[GGML_TENSORS_MAX];
 *     int count = ggml_tensors(tensors, MIX_Q4_K_M, &facts, weight, layer, err);
 *
 * "Q4_K_M" is not a format but a recipe: values and the MLP's output get Q6_K in half of the layers,
 * and so does the head. A weight may become several tensors (DeepSeek's up-projection of keys and values),
 * or none (BERT's pooler).
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/formats/ggml_type.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"

// id, name, whether llama.cpp takes it for the cache too, what it is
// clang-format off
#define GGML_MIXES(X)                                                                              \
    X(F32,     "f32",       true,  "GGUF: all in 32-bit floats")                                   \
    X(F16,     "f16",       true,  "GGUF: matrices in 16-bit floats, vectors and routers in 32")   \
    X(BF16,    "gguf-bf16", true,  "GGUF: matrices in bfloat16, vectors and routers in 32 bits")   \
    X(Q8_0,    "q8_0",      true,  "GGUF: 8 bits, a scale for 32")                                 \
    X(Q6_K,    "q6_k",      false, "GGUF: 6 bits, scales of scales")                               \
    X(Q5_K_M,  "q5_k_m",    false, "GGUF: Q5_K, and Q6_K for half of the values and MLPs' outputs") \
    X(Q5_K_S,  "q5_k_s",    false, "GGUF: 5 bits, scales of scales")                               \
    X(Q5_1,    "q5_1",      true,  "GGUF: 5 bits, a scale and a minimum for 32")                   \
    X(Q5_0,    "q5_0",      true,  "GGUF: 5 bits, a scale for 32")                                 \
    X(Q4_K_M,  "q4_k_m",    false, "GGUF: Q4_K, and Q6_K for half of the values and MLPs' outputs") \
    X(Q4_K_S,  "q4_k_s",    false, "GGUF: Q4_K, and Q5_K in the first layers")                     \
    X(Q4_1,    "q4_1",      true,  "GGUF: 4 bits, a scale and a minimum for 32")                   \
    X(Q4_0,    "q4_0",      true,  "GGUF: 4 bits, a scale for 32")                                 \
    X(IQ4_NL,  "iq4_nl",    true,  "GGUF: 4 bits in uneven steps, a scale for 32")                 \
    X(IQ4_XS,  "iq4_xs",    false, "GGUF: 4 bits in uneven steps, scales of scales")               \
    X(Q3_K_L,  "q3_k_l",    false, "GGUF: Q3_K, and Q5_K for values and outputs")                  \
    X(Q3_K_M,  "q3_k_m",    false, "GGUF: Q3_K, and Q4_K for values and outputs")                  \
    X(Q3_K_S,  "q3_k_s",    false, "GGUF: 3 bits, scales of scales")                               \
    X(IQ3_M,   "iq3_m",     false, "GGUF: IQ3_S, and Q4_K for values and attention's outputs")     \
    X(IQ3_S,   "iq3_s",     false, "GGUF: 3 bits, places in a table of 512 points")                \
    X(IQ3_XS,  "iq3_xs",    false, "GGUF: IQ3_S, and IQ3_XXS for queries, keys and most MLPs")     \
    X(IQ3_XXS, "iq3_xxs",   false, "GGUF: 3 bits, places in a table of 256 points")                \
    X(Q2_K,    "q2_k",      false, "GGUF: Q2_K, and Q3_K for outputs, Q4_K for grouped values")    \
    X(Q2_K_S,  "q2_k_s",    false, "GGUF: 2 bits, scales of scales; Q4_K in the first layers")     \
    X(IQ2_M,   "iq2_m",     false, "GGUF: IQ2_S, and IQ3_S for attention's outputs")               \
    X(IQ2_S,   "iq2_s",     false, "GGUF: IQ2_XS, and IQ3_S for attention's outputs")              \
    X(IQ2_XS,  "iq2_xs",    false, "GGUF: 2 bits, places in a table of 512 points")                \
    X(IQ2_XXS, "iq2_xxs",   false, "GGUF: 2 bits, places in a table of 256 points")                \
    X(IQ1_M,   "iq1_m",     false, "GGUF: 1.75 bits, places in a table of 2048 points")            \
    X(IQ1_S,   "iq1_s",     false, "GGUF: 1.56 bits, places in a table of 2048 points")            \
    X(TQ2_0,   "tq2_0",     false, "GGUF: three values, 2 bits each")                              \
    X(TQ1_0,   "tq1_0",     false, "GGUF: three values, five to a byte")                           \
    X(MXFP4,   "mxfp4_moe", false, "GGUF: experts in MXFP4, the rest in Q8_0")
// clang-format on

typedef enum GgmlMix {
#define X(id, name, cache, about) MIX_##id,
    GGML_MIXES(X)
#undef X
} GgmlMix;

// What the quantiser looks at beside the tensor itself.
typedef struct GgmlFacts {
    const Model *model;
    int layers, values;                               // that it counts; tensors of values
    int values_in[KINDS_MAX], downs_in[KINDS_MAX];    // in one layer of each kind
    uint64_t grouping, experts;                       // query heads to a key head; routed experts
    bool falcon, t5, seventy;                         // have rules of their own
    bool head_apart;                                  // the head is a tensor beside the embedding
    bool head_twice;    // though they are tied: the published file has it again
    bool split_qkv;     // stored as three tensors
} GgmlFacts;

DType ggml_mix_base(GgmlMix mix);    // what most of its tensors are stored in

// False when llama.cpp does not know the family, or the layers of the model are not known.
bool ggml_facts(GgmlFacts *facts, const Model *model, Error *err);

typedef struct GgmlTensor {
    DType type;
    uint64_t rows, cols, copies;
} GgmlTensor;

enum { GGML_TENSORS_MAX = 3 };

// What the file holds of `weight` in this layer: how many tensors, -1 when they cannot be stored so.
int ggml_tensors(GgmlTensor tensors[GGML_TENSORS_MAX], GgmlMix mix, const GgmlFacts *facts,
                 const Weight *weight, int layer, Error *err);
