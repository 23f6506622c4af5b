/* key_numbers.h -- what you write in this lab: the formulas behind a model's key numbers.
 *
 * A count is a whole number of parameters, tokens or bytes (uint64_t); FLOPs and seconds are double,
 * since they pass 2^64. Sizes are those of the papers:
 *
 *     h  width of the residual stream      a  query heads     d  size of a head
 *     f  width of an MLP inside            k  key/value heads (k divides a)
 *
 * Nothing overflows for models that exist. What a question does not say is 0 or false.
 * The calculator (`lab keynumbers`) stands on these functions: yours, with --mine.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

// One layer of a decoder. Latent attention (DeepSeek) is what has a kv_rank.
typedef struct KnBlock {
    uint64_t width;                       // h
    uint64_t heads, kv_heads, head_dim;   // a, k, d: k = a full, 1 < k < a grouped, k = 1 multi-query
    uint64_t q_rank, kv_rank;             // r_q (0: queries straight from h), r_kv (0: not latent)
    uint64_t nope_dim, rope_dim;          // d_n, d_r: a latent head's parts without and with a position
    uint64_t value_dim;                   // d_v, of a latent head
    bool     qkv_bias, out_bias;
    bool     qk_norm;                     // a norm of size d on queries, and one on keys
    uint64_t ffn;                         // f of the dense MLP; 0 when there is none
    bool     gated, mlp_bias;             // three matrices instead of two; a bias on each
    uint64_t experts, active_experts;     // E routed ones, and how many a token goes through
    uint64_t expert_ffn, shared_ffn;      // f of one routed expert; of all shared ones together
    bool     router_bias;                 // a number per expert
    uint64_t norms;                       // numbers in the layer's norms of the residual stream
} KnBlock;

// ---- parameters ----

// 1. Parameters of the attention of one layer.
//    Grouped: q [a d, h], k and v [k d, h] each, o [h, a d]; with qkv_bias one number for each row of
//    q, k and v; with out_bias one for each row of o; with qk_norm 2 d more.
//    Latent (kv_rank > 0; DeepSeek-AI 2024): queries [a (d_n + d_r), h], or with a q_rank
//    [r_q, h], a norm of r_q, and [a (d_n + d_r), r_q];  keys and values down [r_kv + d_r, h], a norm
//    of r_kv, and up [a (d_n + d_v), r_kv];  o [h, a d_v].  Biases and qk_norm are false.
uint64_t kn_attention_params(const KnBlock *block);

// 2. Parameters of one MLP: up [f, h] and down [h, f]; gated has a second up (Shazeer 2020). With
//    bias, one number for each row of each matrix.
uint64_t kn_mlp_params(uint64_t width, uint64_t ffn, bool gated, bool bias);

typedef struct KnParams {
    uint64_t total;     // what has to be stored
    uint64_t active;    // what one token goes through: total without the experts it is not sent to
} KnParams;

// 3. Parameters of the whole layer: attention, the dense MLP (if ffn > 0), a router [E, h] (with a
//    number per expert, if router_bias), E routed experts, one shared MLP of shared_ffn (if any),
//    and the norms. Experts are MLPs like the dense one: gated and with biases where that is.
KnParams kn_block_params(const KnBlock *block);

// ---- bytes ----

// How numbers are stored: each in `bits`; each block of `block` numbers has `block_bits` more (scale,
// zero); each `super` blocks have `super_bits` more (a scale of the scales). 0 means: none.
//     Q4_K  4 bits, 32 numbers: 6-bit scale and minimum, 8 blocks: two halves    {4, 32, 12, 8, 32}
//     NF4   4 bits, 64 numbers: 8-bit scale, 256 blocks: one float               {4, 64, 8, 256, 32}
typedef struct KnFormat {
    uint64_t bits, block, block_bits, super, super_bits;
} KnFormat;

// 4. Bits that one number takes on the average of a large matrix.   Q4_K: 4.5
double kn_bits_per_weight(const KnFormat *format);

// 5. Bytes of n numbers that are stored together. A block or a super-block that is not full has its
//    scales all the same; the numbers, the blocks' bits and the super-blocks' bits are three arrays,
//    and each is rounded up to whole bytes.
uint64_t kn_format_bytes(const KnFormat *format, uint64_t n);

// 6. Bytes that one token leaves in one layer's cache.
//    Grouped: a row of k d numbers for its keys and one for its values. Latent: one row of r_kv + d_r
//    for both (what is cached is the latent, and the one key part with a position that all heads
//    share). A row is stored in the format, as by 5.
uint64_t kn_kv_bytes(const KnBlock *block, const KnFormat *format);

// 7. Tokens that a layer's cache holds, with its free places, for one request of `context` tokens.
//    Memory is given out in pages of `page` tokens (page >= 1). window = 0: all tokens stay, from the
//    first place of a page on. Else only the last `window` stay, and a page is given back when all
//    of its tokens have left the window: at worst a window touches ceil((window - 1) / page) + 1
//    pages, and never more than all tokens would.   page = 1: min(context, window)
uint64_t kn_cached_tokens(uint64_t context, uint64_t window, uint64_t page);

typedef struct KnLayerCache {
    uint64_t layers;    // that are alike
    uint64_t bytes;     // of one token in one of them
    uint64_t window;    // 0: they keep all
} KnLayerCache;

// 8. Requests of `context` tokens that fit on a card at the same time: of `total` bytes the engine
//    may use the share `fraction` (0 to 1); `taken` bytes are gone for weights and work space.
//    A request costs what its tokens' pages cost in all layers, count kinds of them. 0 when nothing is
//    left, or when context is 0.
uint64_t kn_concurrency(double total, double fraction, double taken, const KnLayerCache *layers,
                        int count, uint64_t context, uint64_t page);

// ---- training ----

typedef struct KnRecipe {          // bytes for each parameter that is trained
    double weights, gradients;     // mixed precision: 2 and 2
    double state;                  // of the optimizer, and the fp32 copy: Adam 4 + 4 + 4
} KnRecipe;

typedef struct KnState {
    double weights, gradients, state;    // bytes on one GPU
} KnState;

// 9. Training state on each of n data-parallel GPUs under ZeRO (Rajbhandari et al. 2020): stage 0
//    keeps all on each; 1 splits the state into n parts, 2 the gradients as well, 3 the weights too.
//    A part has ceil(params / n) parameters.   n >= 1, stage 0 to 3
void kn_training_state(KnState *state, uint64_t params, const KnRecipe *recipe, int stage,
                       uint64_t n);

typedef enum KnRecompute {
    KN_KEEP_ALL,         // every activation is kept until backward
    KN_SELECTIVE,        // the s x s scores are computed again
    KN_FULL              // the layer's input alone is kept
} KnRecompute;

typedef struct KnPass {
    uint64_t    sequence, batch;     // s, b: tokens of a sequence, sequences of a micro-batch
    uint64_t    tensor_parallel;     // t >= 1 GPUs share each layer
    bool        sequence_parallel;   // and share what tensor parallelism alone leaves whole
    bool        flash;               // attention never stores its scores, but a float per row
    bool        dropout;             // as GPT-2 and GPT-3 have it, three times a layer
    KnRecompute recompute;
} KnPass;

// 10. Bytes of activations that one layer keeps for backward, on one GPU, in 16-bit numbers
//     (Korthikanti et al. 2022, equations 1 to 6, for blocks of any shape). Everything is kept once:
//     a product keeps its inputs, an element-wise function its input, dropout a mask of one byte.
//       whole on each GPU: two norms' inputs 2 (2 h), attention's and the MLP's input 2 (2 h), and
//           with dropout two masks 2 (h);
//       shared by t: q, k, v and o's input, 2 (a d_q + k d_q + k d_v + a d_v);  the MLP 2 (2 f), gated
//           2 (3 f), where f is all that a token goes through: dense + active x expert + shared;
//       the scores, shared by t and unless flash or recomputed: a s each for 2 bytes of softmax,
//           with dropout 2 more and a mask of 1; flash keeps a float for each of a rows instead,
//           unless recomputed.
//     All of it for each of s b tokens; sequence-parallel: the first line is shared by t as well.
//     Full recomputation keeps 2 h, shared by t when sequence-parallel.
//     A latent head counts as k = a, d_q = d_n + d_r, d_v its own; a grouped one has d_q = d_v = d.
double kn_activation_bytes(const KnBlock *block, const KnPass *pass);

// ---- time ----

// 11. FLOPs of one token's forward pass through one layer: 2 for each active parameter that stands in
//     a matrix (all but norms and biases: give their number as `vectors`), and for attention
//     2 a (d_q + d_v) for each position that it looks at.
double kn_forward_flops(const KnBlock *block, uint64_t vectors, double positions);

typedef struct KnBounds {
    double compute, memory;    // seconds that each would take alone
    double seconds;            // the longer of the two: they overlap
    bool   memory_bound;       // memory is what takes longer
} KnBounds;

// 12. The roofline (Williams et al. 2009): work of so many FLOPs that moves so many bytes, on a
//     machine with this peak (FLOP/s) and bandwidth (bytes/s).
KnBounds kn_roofline(double flops, double bytes, double peak, double bandwidth);

typedef struct KnOptimum {
    double params, tokens;
} KnOptimum;

// 13. How large a model, on how many tokens, for a budget of training FLOPs: C = 6 N D where
//     D = ratio N (Hoffmann et al. 2022 found a ratio near 20).
KnOptimum kn_optimum(double flops, double ratio);
