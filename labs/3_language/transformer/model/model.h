/* model.h -- the transformer: from tokens to logits, to a loss, and on by one token with a cache.
 *
 *     Params *params = params_new(keep);
 *     Model   model  = model_new(params, config, &rng);
 *     Tensor *logits = model_logits(tape, &model, ids);          // [B,T] -> [B,T,V]
 *     Tensor *loss   = model_loss(tape, &model, ids, labels);    // [B,T] [B,T] -> []
 *
 *     KvCache *cache = kv_cache_new(keep, &model, 256);          // for at most 256 tokens
 *     tape_quiet(tape, true);
 *     logits = model_extend(tape, &model, cache, prompt);        // [1,T] -> [1,V], of the last token
 *
 * Weights are [out,in]. q, k and v are one matrix, and so are gate and up: one product each. A layer's
 * work is done by the kernel table or by functions of your own (BlockOps).
 */
#pragma once
#include "common/params.h"
#include "common/tape.h"
#include "kernels/draw.h"
#include "labs/3_language/transformer/model/config.h"

typedef struct Affine {
    Tensor *weight;    // [out,in]
    Tensor *bias;      // [out], or NULL
} Affine;

typedef struct Norm {
    NormKind kind;
    float eps;
    Tensor *weight;    // [d]
    Tensor *bias;      // [d] of a LayerNorm, else NULL
} Norm;

typedef struct ModelBlock {
    Norm attention_norm;
    Affine qkv;                 // [(H + 2 KV) D,d]: the heads of q, then of k, then of v
    Tensor *q_norm, *k_norm;    // [D], or NULL
    Affine out;                 // [d,H D]
    Norm mlp_norm;
    Affine up;      // [F,d]; SwiGLU: [2 F,d], gate first
    Affine down;    // [d,F]
} ModelBlock;

// Who computes: model_ops by the kernel table. The parameters are the same.
typedef struct BlockOps {
    Tensor *(*embed)(Tape *tape, Tensor *ids, Tensor *table);    // [B,T] [V,d] -> [B,T,d]
    Tensor *(*add_positions)(Tape *tape, Tensor *x, Tensor *table, int first);
    Tensor *(*norm)(Tape *tape, const Norm *norm, Tensor *x);    // [...,d] -> [...,d]
    Tensor *(*linear)(Tape *tape, Tensor *x, Tensor *w,
                      Tensor *b);    // [...,I] [O,I] [O] -> [...,O]
    Tensor *(*qk_norm)(Tape *tape, Tensor *qkv, Tensor *q_norm, Tensor *k_norm, int heads,
                       int kv_heads, float eps);
    Tensor *(*rope)(Tape *tape, Tensor *qkv, const Rope *rope, int heads, int head, int first);
    Tensor *(*attention)(Tape *tape, Tensor *qkv, int heads, int kv_heads);
    Tensor *(*attention_cached)(Tape *tape, Tensor *qkv, Tensor *k_cache, Tensor *v_cache, int past,
                                int heads, int kv_heads);
    Tensor *(*mlp)(Tape *tape, Tensor *x, MlpKind kind);      // [...,F] or [...,2 F] -> [...,F]
    Tensor *(*residual)(Tape *tape, Tensor *x, Tensor *f);    // x + f
    Tensor *(*loss)(Tape *tape, Tensor *x, Tensor *w, Tensor *labels);    // [N,d] [V,d] [N] -> []
} BlockOps;
extern const BlockOps model_ops;

typedef struct Model {
    ModelConfig config;
    const BlockOps *ops;    // model_ops unless changed
    Tensor *embedding;      // [V,d]
    Tensor *positions;      // [context,d], or NULL
    Rope *rope;             // or NULL
    ModelBlock *blocks;     // [layers]
    Norm norm;              // after the last block
    Tensor *head;           // [V,d]; the embedding itself where it is tied
    float dropout;          // of embeddings and of what blocks add, in training; 0 unless changed
} Model;

// Adds the parameters "embedding.weight", "blocks.0.qkv.weight", ... to params (parameters.c). They start as
// GPT-2's: N(0, 0.02^2), what is added to the residual stream divided by sqrt(2 layers) (Radford et al. 2019);
// biases at 0, norms at 1. rng NULL: all are 0, for a file to fill. The config has passed
// model_config_check().
Model model_new(Params *params, ModelConfig config, Rng *rng);

Tensor *model_logits(Tape *tape, const Model *model, Tensor *ids);    // [B,T] -> [B,T,V]

// The mean cross-entropy of the labels, each the token that comes next; those below 0 do not count. The logits
// are never whole in memory. draw: for dropout, new at each step (draw_at(), place 0).
Tensor *model_loss(Tape *tape, const Model *model, Tensor *ids, Tensor *labels, Draw draw);

// Keys and values of the tokens so far, of one sequence.
typedef struct KvCache {
    int context, used;    // tokens
    Tensor **k, **v;      // [layers] of [context,KV D]
} KvCache;
KvCache *kv_cache_new(Arena *keep, const Model *model, int context);

// The tokens after those in the cache, which then holds these too: [1,T] -> [1,V], the logits that
// follow the last of them. No gradients: the tape is quiet. To go back, lower cache->used.
Tensor *model_extend(Tape *tape, const Model *model, KvCache *cache, Tensor *ids);
