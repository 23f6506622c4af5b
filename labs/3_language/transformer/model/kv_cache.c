/* kv_cache.c -- room for the keys and values of one sequence. */
#include "common/error.h"
#include "labs/3_language/transformer/model/model.h"

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
