/* paged.h -- a KV cache in blocks of tokens, and attention that reads the blocks where they lie (Kwon et al.
 * 2023, PagedAttention).
 *
 *     const PagedKv kv = {k, v, DTYPE_F16, 16, kv_heads, head};    // of one layer
 *     kernels.paged_write(kv, new_k, kv_row, new_v, kv_row, slot, tokens);
 *     const PagedQuery query[] = {{0, 37}, {3, 5}, {3, 6}};        // a decode; two tokens of a prefill
 *     kernels.paged_attention(y, row, q, row, kv, tables, query, 3, heads, 1 / sqrtf(head));
 *
 * Token i of a sequence lies in slot table[i / block_size] * block_size + i % block_size, where `table` are the
 * sequence's block numbers. A slot holds a row of each kv head, head after head.
 *
 * The result of a query has the same bits whatever the block size, the numbers of its blocks, the other queries
 * of the call and the number of threads: keys are summed in an order that depends on their positions alone. So
 * it does not matter whether a prompt came in one chunk or in many, or with whom a request is batched. What lies
 * in slots that no query sees is never read, be it NaN.
 *
 * Q8_0: 32 numbers of a head with a half as their scale d = max |x| / 127, as ggml stores them; each is off by
 * at most d / 2, and by what rounding d to a half moves the largest. A block with a NaN or an infinity becomes NaN.
 */
#pragma once
#include "kernels/dtype.h"

typedef struct PagedKv {
    void *k, *v;    // [blocks,block_size,kv_heads,head] each
    DType type;     // F32, F16, BF16 or Q8_0, where head is a multiple of 32
    int block_size, kv_heads, head;
} PagedKv;

typedef struct PagedQuery {
    int32_t table;    // where in `tables` its sequence's block numbers begin
    int32_t seen;     // tokens 0 .. seen - 1 of it
} PagedQuery;

// Bytes of a kv head's row, of a slot's, and of a block's, in k as in v.
static inline size_t paged_head_bytes(PagedKv kv)
{
    return (size_t)dtype_bytes(kv.type, (uint64_t)kv.head);
}

static inline size_t paged_slot_bytes(PagedKv kv)
{
    return (size_t)kv.kv_heads * paged_head_bytes(kv);
}

static inline size_t paged_block_bytes(PagedKv kv)
{
    return (size_t)kv.block_size * paged_slot_bytes(kv);
}

// Where head h of token i lies, in bytes from k or v.
static inline size_t paged_place(PagedKv kv, const int32_t *table, size_t i, size_t h)
{
    const size_t size = (size_t)kv.block_size, slot = (size_t)table[i / size] * size + i % size;
    return slot * paged_slot_bytes(kv) + h * paged_head_bytes(kv);
}
