/* config.h -- what a transformer is, as numbers and switches: GPT-2, LLaMA, Qwen and what lies between.
 *
 *     ModelConfig config = model_config_llama((ModelSize){.vocabulary = 512, .context = 256, .width = 64,
 *                                                   .layers = 5, .heads = 8, .kv_heads = 4});
 *     if (!model_config_check(&config, "--width", &err)) ...    // every size, before memory is asked for
 *     printf("%" PRIu64 " parameters\n", model_config_params(&config));
 *
 * A block is x + attention(norm(x)), then x + mlp(norm(x)). What families differ in:
 *
 *                  norm       positions  mlp     biases             q/k norm
 *     GPT-2        LayerNorm  learned    GELU    all                no
 *     LLaMA        RMSNorm    rotary     SwiGLU  none               no
 *     Qwen2        RMSNorm    rotary     SwiGLU  of q, k and v      no
 *     Qwen3        RMSNorm    rotary     SwiGLU  none               yes
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "common/rope.h"

typedef enum NormKind { NORM_LAYER, NORM_RMS } NormKind;
typedef enum MlpKind {
    MLP_GELU,        // tanh form: gelu_new
    MLP_GELU_ERF,    // the exact one
    MLP_SWIGLU
} MlpKind;

enum { STOPS_MAX = 8 };

typedef struct ModelConfig {
    int vocabulary;    // V
    int context;       // the most tokens of a sequence
    int width;         // d: numbers of a token's vector
    int layers;
    int heads, kv_heads;    // H of queries; KV of keys and values, which divides H
    int head;               // D: numbers of a head; H D need not be d
    int ff;                 // F: hidden units of the MLP
    NormKind norm;
    float eps;          // of every norm
    bool rotary;        // else positions are learned
    RopeConfig rope;    // theta and scaling; the sizes follow from the above
    MlpKind mlp;
    bool qkv_bias, out_bias;    // of q, k and v; of attention's output
    bool mlp_bias;
    bool qk_norm;                        // RMSNorm of each head of q and k before they are rotated
    bool tied;                           // the output head is the token embedding
    int bos;                             // begins a text; -1: none
    int stop_count, stops[STOPS_MAX];    // each ends one
} ModelConfig;

// What one chooses; the rest follows from the style. 0: kv_heads as heads, ff 4 d (LLaMA: 8/3 d, up to a
// multiple of 32), head d / heads.
typedef struct ModelSize {
    int vocabulary, context, width, layers, heads, kv_heads, head, ff;
} ModelSize;
ModelConfig model_config_gpt2(ModelSize size);     // tied
ModelConfig model_config_llama(ModelSize size);    // tied, theta 10000

// Sizes that cannot be: "WHERE: 6 heads cannot share 4 heads of keys and values". What passes has at most
// 2^40 parameters, and no product of its sizes overflows.
bool model_config_check(const ModelConfig *config, const char *where, Error *err);

int model_config_qkv(const ModelConfig *config);    // (H + 2 KV) D: rows of the fused q, k and v
int model_config_up(
    const ModelConfig *config);    // F, of SwiGLU 2 F: rows of the fused gate and up
uint64_t model_config_params(const ModelConfig *config);    // a tied head counts once
// Bytes of an arena for model_new(): parameters (their gradients, if any, have as many again), tables of
// rotary positions, names.
size_t model_config_room(const ModelConfig *config);

// One kind of parameter, in the order of a model's forward.
typedef struct Parameter {
    const char *name;    // "embedding.weight"; in a block what follows "blocks.0.": "qkv.weight"
    bool in_block;
    int rows, cols;    // cols 0: a vector
} Parameter;
enum { PARAMETER_KINDS = 20 };
int model_config_parameters(const ModelConfig *config,
                            Parameter list[PARAMETER_KINDS]);    // how many the config has
