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

// Two rows of one format, or one of each.
static uint64_t rows_bytes(const LayerKind *kind, uint64_t tp, const KvFormats *formats)
{
    KnBlock keys = kind->block;
    keys.kv_heads = kv_cache_heads(&kind->block, tp);
    if (keys.kv_rank > 0) return kn_kv_bytes(&keys, &formats->keys);
    KnBlock values = keys;
    if (kind->value_dim > 0) {
        values.head_dim = kind->value_dim;
        keys.head_dim = 2 * kind->block.head_dim - kind->value_dim;
    }
    return (kn_kv_bytes(&keys, &formats->keys) + kn_kv_bytes(&values, &formats->values)) / 2;
}

uint64_t kv_cache_token_bytes(const LayerKind *kind, const KvFormats *formats, uint64_t tp)
{
    if (!kind->caches || kind->borrows) return 0;
    uint64_t index = kind->compress > 0 ? 0 : kv_cache_index_bytes(kind);
    return rows_bytes(kind, tp, formats) * (kind->cross ? 2 : 1) + index;
}

uint64_t kv_cache_compressed_bytes(const LayerKind *kind, const KvFormats *formats)
{
    if (kind->compress == 0) return 0;
    uint64_t row = rows_bytes(kind, 1, formats) + kv_cache_index_bytes(kind);
    return (row + kind->compress - 1) / kind->compress;
}

uint64_t kv_cache_state_bytes(const LayerKind *kind, uint64_t tp)
{
    return (kind->state + tp - 1) / tp;
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
        sum +=
            (uint64_t)kind->count *
            (kv_cache_token_bytes(kind, formats, tp) * kv_cache_tokens(kind, context) +
             kv_cache_compressed_bytes(kind, formats) * context + kv_cache_state_bytes(kind, tp));
    }
    return sum;
}
