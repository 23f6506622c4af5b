/* key_numbers.h -- what you write in this lab: the formulas behind a model's key numbers.
 *
 *     KnBlock layer = {.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 14336,
 *                      .gated = true, .norms = 2 * 4096};            // of Llama-3.1-8B
 *     kn_attention_params(&layer);                                  // 41943040
 *     kn_kv_bytes(&layer, &(KnFormat){.bits = 16});                 // 4096 per token
 *
 * A count is a whole number of parameters, tokens or bytes (uint64_t); FLOPs, seconds and the memory
 * of training are double. Sizes are named as in the papers:
 *
 *     h  width of the residual stream      a  query heads     d  head dimension
 *     f  width of the MLP's hidden layer   k  key/value heads (k divides a)
 *
 * A matrix [m, n] has m rows and n columns and maps n numbers to m. A part that a model does not have
 * is 0 or false, so every sum still holds. Compute products in 64 bits: models exceed 2^32 in many
 * places. A count that is returned fits in 64 bits unless its function says what it returns instead; a
 * product on the way to it may not. Nothing is kept from one call to the next: the same block may come again, changed. The
 * calculator (`lab keynumbers`) is built on these functions: on yours, with --mine.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

// One transformer block (a layer of a decoder). Latent attention (DeepSeek) is what has a kv_rank.
typedef struct KnBlock {
    uint64_t width;    // h
    uint64_t heads, kv_heads,
        head_dim;                   // a, k, d; k = a: multi-head, 1: multi-query, else grouped
    uint64_t q_rank, kv_rank;       // r_q (0: queries straight from h), r_kv (0: not latent)
    uint64_t nope_dim, rope_dim;    // d_n, d_r: a latent head without and with rotary position
    uint64_t value_dim;             // d_v, of a latent head
    bool qkv_bias, out_bias;
    bool qk_norm;                        // a norm of size d on queries, and one on keys
    uint64_t ffn;                        // f of the dense MLP; 0 when there is none
    bool gated, mlp_bias;                // three matrices instead of two; a bias on each
    uint64_t experts, active_experts;    // E routed experts, and how many of them a token uses
    uint64_t expert_ffn, shared_ffn;     // f of one routed expert; of all shared experts together
    bool router_bias;                    // one number per expert
    uint64_t norms;                      // parameters of the norms of the residual stream
} KnBlock;

// ---- parameters ----

// 1. Parameters of one layer's attention.
//    Multi-head, grouped-query and multi-query: q [a d, h], k and v [k d, h] each, o [h, a d];
//    with qkv_bias one number for each row of q, k and v; with out_bias one for each row of o; with
//    qk_norm two norms of d.
//    Multi-head latent (kv_rank > 0; DeepSeek-AI 2024), without biases and qk_norm: queries
//    [a (d_n + d_r), h]; or, with a q_rank, a down-projection [r_q, h], a norm of r_q, and an
//    up-projection [a (d_n + d_r), r_q]; keys and values have a down-projection [r_kv + d_r, h], a
//    norm of r_kv, and an up-projection [a (d_n + d_v), r_kv]; o [h, a d_v].
uint64_t kn_attention_params(const KnBlock *block);

// 2. Parameters of one MLP: up-projection [f, h] and down-projection [h, f]; gated has a second
//    up-projection, the gate (Shazeer 2020). With bias, one number for each row of each matrix.
uint64_t kn_mlp_params(uint64_t width, uint64_t ffn, bool gated, bool bias);

typedef struct KnParams {
    uint64_t total;     // stored
    uint64_t active;    // used by one token: total without the experts that it is not routed to
} KnParams;

// 3. Parameters of the whole layer: attention; the dense MLP, if ffn > 0; a router [E, h], with
//    router_bias one number more per expert; E routed experts; one MLP of shared_ffn, if that is
//    > 0; and the norms. Experts are MLPs like the dense one: gated, and with biases, where it is.
//    A token uses the whole router, which picks active_experts of the E.
KnParams kn_block_params(const KnBlock *block);

// ---- bytes ----

// A storage format: each number takes `bits`; each block of `block` numbers takes `block_bits` more
// (a scale, a zero point); each super-block of `super` blocks takes `super_bits` more (a scale of the
// scales). 0 means none; without blocks there are no super-blocks either.
//     {16}                  bf16
//     {4, 32, 12, 8, 32}    Q4_K: 32 numbers, 6-bit scale and minimum; 8 blocks, two 16-bit floats
//     {4, 64, 8, 256, 32}   NF4:  64 numbers, 8-bit scale; 256 blocks, one float
typedef struct KnFormat {
    uint64_t bits, block, block_bits, super, super_bits;
} KnFormat;

// 4. Average bits per number, where all blocks are full.   Q4_K: 4.5
double kn_bits_per_weight(const KnFormat *format);

// 5. Bytes of n numbers that are stored together. A block or super-block that is not full takes all
//    its extra bits. The numbers, the blocks' bits and the super-blocks' bits are three arrays, each
//    rounded up to whole bytes. The bytes fit in 64 bits, the bits need not: 2^61 numbers of 8 bits.
uint64_t kn_format_bytes(const KnFormat *format, uint64_t n);

// ---- KV cache ----

// 6. Bytes of one token in one layer's KV cache.
//    Multi-head, grouped-query, multi-query: a row of k d numbers for its keys, another for its
//    values. Latent: one row of r_kv + d_r for both: the latent, and the rotary part of the key,
//    which all heads share. Each row is stored in the format, as by 5.
uint64_t kn_kv_bytes(const KnBlock *block, const KnFormat *format);

// 7. Tokens that one layer's cache has allocated at most while a request grows to `context` tokens,
//    free slots included. Memory is allocated in pages of `page` tokens, page >= 1; the first token
//    starts a page. window = 0: full attention, all tokens stay. Otherwise only the last `window`
//    tokens stay, and a page is freed once all its tokens have left the sliding window. A window
//    touches at most ceil((window - 1) / page) + 1 pages; never more than the whole context does.
//    page = 1: min(context, window). Any of the three may be up to UINT64_MAX; where the pages hold
//    more tokens than that, they are UINT64_MAX.
uint64_t kn_cached_tokens(uint64_t context, uint64_t window, uint64_t page);

typedef struct KnLayerCache {
    uint64_t layers;    // that are alike
    uint64_t bytes;     // of one token in one of them
    uint64_t window;    // 0: full attention
} KnLayerCache;

// 8. Concurrent requests of `context` tokens that fit in a GPU's memory, whole ones. The engine may
//    use the share `utilization` (0 to 1) of all `memory` bytes, and `reserved` bytes of that hold
//    weights and work space. A request takes the bytes of all tokens that 7 gives, in all layers, of
//    `count` kinds. 0 when no memory is left, or a request takes none; at most UINT64_MAX.
uint64_t kn_concurrency(double memory, double utilization, double reserved,
                        const KnLayerCache *layers, int count, uint64_t context, uint64_t page);

// ---- training ----

typedef struct KnRecipe {         // bytes per trained parameter
    double weights, gradients;    // mixed precision: 2 and 2
    double state;                 // of the optimizer, with the fp32 master weights: Adam 4 + 4 + 4
} KnRecipe;

typedef struct KnState {
    double weights, gradients, state;    // bytes on one GPU; state: of the optimizer
} KnState;

// 9. Training state on each of n data-parallel GPUs under ZeRO (Rajbhandari et al. 2020). Stage 0
//    replicates all of it; 1 shards the optimizer state into n parts, 2 the gradients as well, 3 the
//    weights too. A part has ceil(params / n) parameters.   n >= 1, stage 0 to 3
void kn_training_state(KnState *state, uint64_t params, const KnRecipe *recipe, int stage,
                       uint64_t n);

typedef enum KnRecompute {
    KN_KEEP_ALL,     // no recomputation: every activation is stored until backward
    KN_SELECTIVE,    // what attention computes between q, k, v and o's input is recomputed
    KN_FULL          // only the layer's input is stored
} KnRecompute;

typedef struct KnPass {
    uint64_t sequence, batch;    // s, b: tokens of a sequence, sequences of a micro-batch
    uint64_t tensor_parallel;    // t >= 1 GPUs share each layer
    bool sequence_parallel;      // and also share what tensor parallelism leaves whole on each
    bool flash;                  // flash attention: stores no scores, but one float per row
    bool dropout;                // as in GPT-2 and GPT-3, three times a layer
    KnRecompute recompute;
} KnPass;

// 10. Bytes of activations that one layer stores for backward, on one GPU (Korthikanti et al. 2022,
//     equations 1 to 6, for blocks of any shape). A matrix product stores its inputs, a norm or any
//     other function its input (the gate's silu(g) u is one function, of g and u), dropout a mask of
//     1 byte per number; what two of them need is stored once. Numbers take 2 bytes. Each token
//     leaves
//     - whole on each GPU, or shared by t when sequence_parallel:
//         2 (4 h)              the inputs and outputs of two norms
//         2 h                  with dropout: two masks
//         2 (2 r_q + 2 r_kv)   latent: the inputs and outputs of its norms
//         2 (2 h)              for each active expert: a copy of its input, and its output, which
//                              is weighted
//     - shared by t:
//         2 (a + k) (d_q + d_v)   q, k, v and the input of o
//         2 (a + k) d_q           with qk_norm: q and k before it
//         2 (2 f), gated 2 (3 f)  f = dense + active x expert + shared
//     - shared by t, with KN_KEEP_ALL only:
//         4 a                  flash: one float per row
//         2 a s                without flash: the scores, after softmax
//         (2 + 1) a s          and with dropout: its output, and a mask
//     This for each of s b tokens. KN_FULL stores 2 h per token and no more, shared by t when
//     sequence_parallel. A latent head counts as k = a, d_q = d_n + d_r, and its own d_v; in other
//     attention d_q = d_v = d.
double kn_activation_bytes(const KnBlock *block, const KnPass *pass);

// ---- time ----

// 11. FLOPs of one token's forward pass through one layer: 2 for each active parameter that is in a
//     matrix, which is all but `vectors` of them (norms and biases); and for attention 2 a (d_q + d_v)
//     for each of the `positions` that the token attends to.
double kn_forward_flops(const KnBlock *block, uint64_t vectors, double positions);

typedef struct KnBounds {
    double compute, memory;    // seconds that each would take by itself
    double seconds;            // the longer of the two: they overlap
    bool memory_bound;         // memory takes longer
} KnBounds;

// 12. The roofline (Williams et al. 2009): the least time for so many FLOPs and so many bytes to
//     move, on a machine with this peak (FLOP/s) and this bandwidth (bytes/s).
KnBounds kn_roofline(double flops, double bytes, double peak, double bandwidth);

typedef struct KnOptimum {
    double params, tokens;
} KnOptimum;

// 13. The compute-optimal model for a budget of C training FLOPs: N parameters on D tokens, with
//     C = 6 N D and D = ratio N (Hoffmann et al. 2022, Chinchilla: a ratio near 20).
KnOptimum kn_optimum(double flops, double ratio);
