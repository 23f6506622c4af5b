/* attention.h -- the sizes of scaled dot-product attention (Vaswani et al. 2017), head by head:
 *
 *     y[i] = sum_j p[i,j] v[j],    p[i,:] = softmax(scale q[i] k[j] over the keys j that query i sees)
 *
 * Tokens are rows of q, k, v and y; a head is `head` floats side by side in them, head after head, and the
 * tokens of the next item of the batch follow. A row may be wider than its heads, so that q, k and v may lie in
 * one fused row. Grouped-query attention (Ainslie et al. 2023): heads / kv_heads query heads in a row share a
 * key and value head.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct AttentionShape {
    int batch, heads, kv_heads;           // heads is a multiple of kv_heads, which is at least 1
    int queries, keys;                    // of each item of the batch
    int head;                             // floats of a head
    size_t q_row, k_row, v_row, y_row;    // floats from one token's row to the next's
    float scale;
    bool
        causal;    // query i sees the keys 0 .. keys - queries + i, for the last query sees all; or: all
} AttentionShape;

// How many keys query i sees: the first ones.
static inline int attention_seen(int i, AttentionShape s)
{
    const int seen = s.causal ? s.keys - s.queries + i + 1 : s.keys;
    return seen > 0 ? seen : 0;
}

// Pairs of a query and a key that it sees, over all heads.
static inline double attention_pairs(AttentionShape s)
{
    const double blind = s.queries > s.keys ? s.queries - s.keys : 0;    // queries that see no key
    const double rows = s.queries - blind, first = s.keys - rows;
    const double pairs =
        s.causal ? rows * first + rows * (rows + 1) / 2 : (double)s.queries * s.keys;
    return pairs * s.batch * s.heads;
}

// Two products forward; backward, which computes the scores again, five.
static inline double attention_flops(AttentionShape s)
{
    return 4 * attention_pairs(s) * s.head;
}

static inline double attention_backward_flops(AttentionShape s)
{
    return 10 * attention_pairs(s) * s.head;
}

// q and y, k and v, once each.
static inline double attention_bytes(AttentionShape s)
{
    return 2.0 * sizeof(float) * s.batch * s.head *
           ((double)s.queries * s.heads + (double)s.keys * s.kv_heads);
}
