/* attention.h -- scaled dot-product attention over the heads of one fused row, and its KV cache.
 *
 *     Tensor *qkv = op_linear(tape, x, w_qkv, NULL);              // [B,T,d] -> [B,T,(heads + 2 kv_heads) D]
 *     Tensor *y = op_attention(tape, qkv, heads, kv_heads);       // [B,T,heads D]
 *     Tensor *next = op_attention_cached(tape, qkv, k_cache, v_cache, past, heads, kv_heads);
 *
 * A row of qkv holds the query heads, then the key heads, then the value heads, D numbers each. heads is a
 * multiple of kv_heads: each key and value head serves heads / kv_heads query heads (grouped-query attention).
 * Token t attends to tokens 0 .. t; scores are scaled by 1 / sqrt(D). No [T,T] matrix is ever in memory.
 */
#pragma once
#include "common/tape.h"

Tensor *op_attention(Tape *tape, Tensor *qkv, int heads, int kv_heads);

// For one sequence that grows, without gradients (tape_quiet): the T new tokens of qkv [1,T,...] come behind
// `past` former ones. Writes their keys and values to rows past .. past + T - 1 of the caches, which are
// [context,kv_heads D], and attends to all rows so far -> [1,T,heads D].
Tensor *op_attention_cached(Tape *tape, Tensor *qkv, Tensor *k_cache, Tensor *v_cache, int past,
                            int heads, int kv_heads);

// For pictures: what each token of sequence b attends to, [heads,T,T] in the arena's host memory. Row t
// holds probabilities that sum to 1, and is 0 behind token t.
float *attention_weights(Arena *arena, const Tensor *qkv, int b, int heads, int kv_heads);
