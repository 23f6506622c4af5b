/* weights.h -- a model's weights as an engine reads them: matrices in the file's types, vectors as floats.
 *
 *     Weights *weights = weights_open("model.gguf", (WeightsOptions){0}, &err);
 *     const Projection *qkv = &weights->layers[0].qkv;
 *     for (int i = 0; i < qkv->count; i++) ... qkv->parts[i]    // WeightRows: q, k and v below each other
 *     weights_close(weights);
 *     weights_open("random:110m:Q8_0", ...);    // no file (random_weights.h)
 *
 * Matrices are mapped from the file, not copied: opening takes no time, and processes share the memory. Copied
 * are those that lie otherwise than [out,in] with the halves of a head apart: GPT-2's transposed ones, and q and
 * k of LLaMA in GGUF and llama2.c, whose rows alternate; and the types that no product is made for (F64, F8).
 * Where memory is read in 2-MB pages it is read faster (perhaps by half), and a mapped file has none:
 * `huge_pages` copies all of them.
 */
#pragma once
#include "labs/3_language/transformer/files/model_file.h"
#include "labs/5_frontier/paged_kv/app/model/weight_rows.h"

// One matrix out of up to three: y = (parts below each other) x + bias.
typedef struct Projection {
    int rows, cols;    // of all parts
    int count;
    WeightRows parts[3];    // parts that lie together in memory are one
    const float *bias;      // [rows], or NULL
} Projection;

typedef struct NormWeights {
    const float *weight, *bias;    // [d]; bias NULL of RMSNorm
} NormWeights;

typedef struct LayerWeights {
    NormWeights attention_norm;
    Projection qkv;                  // the heads of q, then of k, then of v
    const float *q_norm, *k_norm;    // [D], or NULL
    Projection out;
    NormWeights mlp_norm;
    Projection up;    // SwiGLU: gate, then up
    Projection down;
} LayerWeights;

typedef struct Weights {
    ModelConfig config;
    WeightRows embedding;    // [V,d]
    WeightRows positions;    // [context,d]; data NULL where they are rotary
    LayerWeights *layers;
    NormWeights norm;
    WeightRows head;    // [V,d]; the embedding itself where it is tied
    // What is open.
    ModelFile *file;    // with its vocabulary; NULL of random weights
    Arena *arena;
    void *region;    // of the copies
    size_t region_bytes;
} Weights;

typedef struct WeightsOptions {
    bool huge_pages;
} WeightsOptions;

Weights *weights_open(const char *path, WeightsOptions options, Error *err);    // NULL and why
void weights_close(Weights *weights);                                           // NULL is fine

// What each token's computation reads: all projections and the head.
size_t weights_bytes(const Weights *weights);
