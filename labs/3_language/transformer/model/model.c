#include "labs/3_language/transformer/model/model.h"
#include "common/attention.h"
#include "common/embedding.h"
#include "common/error.h"
#include "common/loss.h"
#include "common/norm.h"
#include "common/ops.h"

// ---- the kernel table's ops ----

static Tensor *norm(Tape *tape, const Norm *norm, Tensor *x)
{
    return norm->kind == NORM_RMS ? op_rms_norm(tape, x, norm->weight, norm->eps)
                                  : op_layer_norm(tape, x, norm->weight, norm->bias, norm->eps);
}

static Tensor *gate(Tape *tape, Tensor *x, MlpKind kind)
{
    return kind == MLP_SWIGLU ? op_swiglu(tape, x)
           : kind == MLP_GELU ? op_gelu(tape, x)
                              : op_gelu_erf(tape, x);
}

const BlockOps model_ops = {
    .embed = op_embedding,
    .add_positions = op_add_positions,
    .norm = norm,
    .linear = op_linear,
    .qk_norm = op_head_rms_norm,
    .rope = op_rope,
    .attention = op_attention,
    .attention_cached = op_attention_cached,
    .mlp = gate,
    .residual = op_add,
    .loss = loss_linear_cross_entropy,
};

// ---- forward ----

// One pass: the tokens of `cache` come before, and dropout draws from `draw`, at another place each time.
typedef struct Pass {
    Tape *tape;
    const Model *model;
    const BlockOps *ops;
    KvCache *cache;    // NULL: a whole sequence, from its first token on
    Draw draw;
} Pass;

static Tensor *dropout(Pass *pass, Tensor *x)
{
    if (pass->model->dropout == 0) return x;
    x = op_dropout(pass->tape, x, pass->model->dropout, pass->draw);
    pass->draw.stream++;
    return x;
}

static Tensor *affine(Pass *pass, const Affine *layer, Tensor *x)
{
    return pass->ops->linear(pass->tape, x, layer->weight, layer->bias);
}

static Tensor *attention(Pass *pass, int layer, Tensor *x)    // [B,T,d] -> [B,T,d]
{
    const ModelConfig *c = &pass->model->config;
    const ModelBlock *block = &pass->model->blocks[layer];
    const BlockOps *ops = pass->ops;
    KvCache *cache = pass->cache;
    const int past = cache != NULL ? cache->used : 0;
    Tensor *qkv = affine(pass, &block->qkv, x);    // [B,T,(H + 2 KV) D]
    if (c->qk_norm)
        qkv = ops->qk_norm(pass->tape, qkv, block->q_norm, block->k_norm, c->heads, c->kv_heads,
                           c->eps);
    if (c->rotary)
        qkv = ops->rope(pass->tape, qkv, pass->model->rope, c->heads + c->kv_heads, c->head, past);
    Tensor *y = cache == NULL
                    ? ops->attention(pass->tape, qkv, c->heads, c->kv_heads)
                    : ops->attention_cached(pass->tape, qkv, cache->k[layer], cache->v[layer], past,
                                            c->heads, c->kv_heads);    // [B,T,H D]
    return affine(pass, &block->out, y);
}

static Tensor *mlp(Pass *pass, const ModelBlock *block, Tensor *x)    // [B,T,d] -> [B,T,d]
{
    Tensor *hidden = affine(pass, &block->up, x);    // [B,T,F], of SwiGLU [B,T,2 F]
    return affine(pass, &block->down, pass->ops->mlp(pass->tape, hidden, pass->model->config.mlp));
}

static Tensor *forward(Pass *pass, Tensor *ids)    // [B,T] -> [B,T,d]
{
    const Model *model = pass->model;
    const BlockOps *ops = pass->ops = model->ops;
    const int T = ids->shape.size[1], past = pass->cache != NULL ? pass->cache->used : 0;
    REQUIRE(ids->shape.dims == 2 && past + T <= model->config.context,
            "%s tokens after %d; expected [B,T] and a context of at most %d", TENSOR_TEXT(ids),
            past, model->config.context);
    Tensor *x = ops->embed(pass->tape, ids, model->embedding);
    if (model->positions != NULL) x = ops->add_positions(pass->tape, x, model->positions, past);
    x = dropout(pass, x);
    for (int i = 0; i < model->config.layers; i++) {
        const ModelBlock *block = &model->blocks[i];
        Tensor *a = attention(pass, i, ops->norm(pass->tape, &block->attention_norm, x));
        x = ops->residual(pass->tape, x, dropout(pass, a));
        Tensor *m = mlp(pass, block, ops->norm(pass->tape, &block->mlp_norm, x));
        x = ops->residual(pass->tape, x, dropout(pass, m));
    }
    return ops->norm(pass->tape, &model->norm, x);
}

Tensor *model_logits(Tape *tape, const Model *model, Tensor *ids)
{
    Pass pass = {.tape = tape, .model = model};
    return model->ops->linear(tape, forward(&pass, ids), model->head, NULL);
}

Tensor *model_loss(Tape *tape, const Model *model, Tensor *ids, Tensor *labels, Draw draw)
{
    Pass pass = {.tape = tape, .model = model, .draw = draw};
    Tensor *x = forward(&pass, ids);
    const int tokens = (int)tensor_count(ids);
    return model->ops->loss(tape, tensor_view(tape->arena, x, SHAPE(tokens, model->config.width)),
                            model->head, tensor_view(tape->arena, labels, SHAPE(tokens)));
}

// ---- one sequence that grows ----

KvCache *kv_cache_new(Arena *keep, const Model *model, int context)
{
    const ModelConfig *c = &model->config;
    REQUIRE(context > 0 && context <= c->context, "a cache of %d tokens; expected 1 to %d", context,
            c->context);
    const size_t layers = (size_t)c->layers;
    KvCache *cache = arena_alloc(keep, sizeof *cache);
    *cache = (KvCache){.context = context,
                       .k = arena_alloc(keep, layers * sizeof *cache->k),
                       .v = arena_alloc(keep, layers * sizeof *cache->v)};
    for (int i = 0; i < c->layers; i++) {
        cache->k[i] = tensor_new(keep, SHAPE(context, c->kv_heads * c->head));
        cache->v[i] = tensor_new(keep, SHAPE(context, c->kv_heads * c->head));
    }
    return cache;
}

Tensor *model_extend(Tape *tape, const Model *model, KvCache *cache, Tensor *ids)
{
    const int T = ids->shape.size[1], width = model->config.width;
    REQUIRE(!tape->recording, "the tape records; expected tape_quiet()");
    REQUIRE(ids->shape.size[0] == 1 && cache->used + T <= cache->context,
            "%s tokens after %d; expected [1,T] in a cache of %d", TENSOR_TEXT(ids), cache->used,
            cache->context);
    Pass pass = {.tape = tape, .model = model, .cache = cache};
    Tensor *x = forward(&pass, ids);
    cache->used += T;
    Tensor *last = tensor_rows(tape->arena, tensor_view(tape->arena, x, SHAPE(T, width)), T - 1, 1);
    return model->ops->linear(tape, last, model->head, NULL);
}
