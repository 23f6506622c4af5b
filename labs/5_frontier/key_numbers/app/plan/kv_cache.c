#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"

// DeepSeek V3.2's indexer keeps fp8 keys, with a float for each 128 of them, whatever the cache's own
// format is (vLLM, deepseek_v2.py: head_dim + head_dim / 128 x 4 bytes).
static const KnFormat index_format = {.bits = 8, .block = 128, .block_bits = 32};

uint64_t kv_cache_heads(const KnBlock *block, uint64_t tp)
{
    return (block->kv_heads + tp - 1) / tp;
}

uint64_t kv_cache_index_bytes(const LayerKind *kind)
{
    return kind->index_dim > 0 ? kn_format_bytes(&index_format, kind->index_dim) : 0;
}

uint64_t kv_cache_token_bytes(const LayerKind *kind, const KvFormats *formats, uint64_t tp)
{
    if (!kind->caches) return 0;
    KnBlock share = kind->block;
    share.kv_heads = kv_cache_heads(&kind->block, tp);
    // Two rows of one format, or one of each.
    uint64_t rows = kn_kv_bytes(&share, &formats->keys);
    if (share.kv_rank == 0) rows = (rows + kn_kv_bytes(&share, &formats->values)) / 2;
    return rows * (kind->cross ? 2 : 1) + kv_cache_index_bytes(kind);
}

uint64_t kv_cache_tokens(const LayerKind *kind, uint64_t context)
{
    return kind->window > 0 && kind->window < context ? kind->window : context;
}

uint64_t kv_cache_bytes(const Model *model, const KvFormats *formats, uint64_t context, uint64_t tp)
{
    uint64_t sum = 0;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        sum += (uint64_t)kind->count * kv_cache_token_bytes(kind, formats, tp) *
               kv_cache_tokens(kind, context);
    }
    return sum;
}
