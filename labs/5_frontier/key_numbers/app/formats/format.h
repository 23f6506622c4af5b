/* format.h -- in which formats weights are stored, and what a model takes in each, to the byte.
 *
 *     WeightBytes bytes;
 *     if (!format_weights(arena, model, "q4_k_m", &bytes, &err)) ...    // Llama-3.1-8B: 4.8944 bits
 *
 * A format is a rule: which tensors get which block format. Norms and biases stay in 16 or 32 bits,
 * a GGUF mix gives some layers more, GPTQ leaves embeddings alone. The rules are in packing.c and
 * ggml_mix.c, each with its source. Names are taken in any case, with - or _.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

typedef struct FormatRule FormatRule;

// compute_bits: 8 where products run in 8 bits (fp8, int8 w8a8), else 16; 32 for fp32.
typedef struct FormatInfo {
    const char *name;       // "q4_k_m"
    const char *about;      // one line: what is stored how
    bool weights, cache;    // may be asked of weights, of the key/value cache
    int compute_bits;
    const FormatRule *rule;    // format.c's own
} FormatInfo;

enum { TYPES_MAX = 48 };    // more than safetensors or GGUF have

typedef struct WeightBytes {
    const char *format;    // "as stored", of a model as its files have it
    const char *about;
    int compute_bits;
    uint64_t bytes;
    double bits_per_weight;                 // 8 bytes / parameters
    uint64_t component[COMPONENT_COUNT];    // bytes
    StoredType types[TYPES_MAX];            // what is stored as what, with its scales: "Q4_K"
    int type_count;
} WeightBytes;

// Those that a list should show. GPTQ, AWQ and caches come in more sizes, which format_find() knows.
int format_list(const FormatInfo **formats);

// NULL, and a sentence with the nearest name, when there is none.
const FormatInfo *format_find(const char *name, Error *err);

// `name` NULL: as the model is published; of a model that was read from its files, as it stands there.
// False when the format cannot hold it, or does not exist.
bool format_weights(Arena *arena, const Model *model, const char *name, WeightBytes *bytes,
                    Error *err);

// Bytes that `weight` takes in one layer, all its copies; `layer` is its number from 0, or OUTSIDE.
// 0 where the format cannot hold it, which format_weights() says.
uint64_t format_weight_bytes(const Model *model, const FormatInfo *format, const Weight *weight,
                             int layer);

// The cache's format, as kn_kv_bytes() takes it.
bool format_cache(const char *name, KnFormat *format, Error *err);
