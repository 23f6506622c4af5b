/* kv_cache.h -- what the tokens of a request leave behind in a model's layers: keys and values, and more.
 *
 *     KvFormats formats = {bf16, bf16};
 *     uint64_t bytes = kv_cache_token_bytes(&model->kinds[0], &formats, 1);   // 4096 of Llama-3.1-8B's 32
 *     uint64_t all   = kv_cache_bytes(model, &formats, 131072, 1);            // exact, without paging
 *
 * Full, grouped and multi-query attention keep rows of keys and values, latent attention one row for
 * both, an encoder nothing. Linear attention and Mamba keep a state of one size for each request. An indexer
 * (DeepSeek V3.2) keeps its keys beside them. A decoder with a second attention keeps keys and values of the encoder's tokens too: with as many of those as the
 * request has of its own, "context" tokens go in and as many come out.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

// A latent row is of the keys' format.
typedef struct KvFormats {
    KnFormat keys, values;
} KvFormats;

// Bytes that one token leaves in one layer on each of tp GPUs. Key/value heads are divided, and copied
// when there are fewer than GPUs; a latent and an indexer's keys are whole on each.
uint64_t kv_cache_token_bytes(const LayerKind *kind, const KvFormats *formats, uint64_t tp);
// ceil(k / tp)
uint64_t kv_cache_heads(const KnBlock *block, uint64_t tp);
// Bytes of an indexer's keys, of one token in one layer.
uint64_t kv_cache_index_bytes(const LayerKind *kind);
// Of a layer that also keeps a compressed row for each so many tokens: that row's share of one token.
uint64_t kv_cache_compressed_bytes(const LayerKind *kind, const KvFormats *formats);
// Of one request in one layer, however long it is; its heads are divided.
uint64_t kv_cache_state_bytes(const LayerKind *kind, uint64_t tp);
// Tokens of `context` that a layer still holds.
uint64_t kv_cache_tokens(const LayerKind *kind, uint64_t context);
// Of one request, in all layers, on each of tp GPUs, without paging.
uint64_t kv_cache_bytes(const Model *model, const KvFormats *formats, uint64_t context,
                        uint64_t tp);
