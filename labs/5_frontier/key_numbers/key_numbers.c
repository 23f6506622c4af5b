/* key_numbers.c -- the formulas behind a model's key numbers. key_numbers.h is the contract. */
#include "labs/5_frontier/key_numbers/key_numbers.h"
#include <math.h>
#include "common/todo.h"

// a / b, rounded up; a + b - 1 may overflow.
static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

// n numbers of so many bits, in whole bytes; n * bits may overflow where the bytes do not.
static uint64_t whole_bytes(uint64_t n, uint64_t bits)
{
    return n / 8 * bits + (n % 8 * bits + 7) / 8;
}

uint64_t kn_attention_params(const KnBlock *block)
{
    // solution attention
    uint64_t h = block->width, a = block->heads;
    if (block->kv_rank > 0) {
        uint64_t r_q = block->q_rank, r_kv = block->kv_rank;
        uint64_t queries = a * (block->nope_dim + block->rope_dim);
        uint64_t both = a * (block->nope_dim + block->value_dim);
        uint64_t count = r_q > 0 ? r_q * h + r_q + queries * r_q : queries * h;
        count += (r_kv + block->rope_dim) * h + r_kv + both * r_kv;
        return count + h * a * block->value_dim;
    }
    uint64_t d = block->head_dim, rows = (a + 2 * block->kv_heads) * d;    // of q, k and v
    uint64_t count = rows * h + h * a * d;
    if (block->qkv_bias) count += rows;
    if (block->out_bias) count += h;
    if (block->qk_norm) count += 2 * d;
    return count;
    // end attention
}

uint64_t kn_mlp_params(uint64_t width, uint64_t ffn, bool gated, bool bias)
{
    // solution mlp
    uint64_t ups = gated ? 2 : 1;
    return (ups + 1) * width * ffn + (bias ? ups * ffn + width : 0);
    // end mlp
}

KnParams kn_block_params(const KnBlock *block)
{
    // solution block
    const KnBlock *b = block;
    uint64_t expert = kn_mlp_params(b->width, b->expert_ffn, b->gated, b->mlp_bias);
    uint64_t router = b->experts * (b->width + (b->router_bias ? 1 : 0));
    uint64_t all = kn_attention_params(b) + router + b->norms;    // used by every token
    if (b->ffn > 0) all += kn_mlp_params(b->width, b->ffn, b->gated, b->mlp_bias);
    if (b->shared_ffn > 0) all += kn_mlp_params(b->width, b->shared_ffn, b->gated, b->mlp_bias);
    return (KnParams){all + b->experts * expert, all + b->active_experts * expert};
    // end block
}

double kn_bits_per_weight(const KnFormat *format)
{
    // solution bits
    double bits = (double)format->bits, each = (double)format->block;
    if (each > 0) bits += (double)format->block_bits / each;
    if (each > 0 && format->super > 0)
        bits += (double)format->super_bits / ((double)format->super * each);
    return bits;
    // end bits
}

uint64_t kn_format_bytes(const KnFormat *format, uint64_t n)
{
    // solution bytes
    uint64_t blocks = format->block > 0 ? divide_up(n, format->block) : 0;
    uint64_t supers = format->super > 0 ? divide_up(blocks, format->super) : 0;
    return whole_bytes(n, format->bits) + whole_bytes(blocks, format->block_bits) +
           whole_bytes(supers, format->super_bits);
    // end bytes
}

uint64_t kn_kv_bytes(const KnBlock *block, const KnFormat *format)
{
    // solution kv
    if (block->kv_rank > 0) return kn_format_bytes(format, block->kv_rank + block->rope_dim);
    return 2 * kn_format_bytes(format, block->kv_heads * block->head_dim);
    // end kv
}

uint64_t kn_cached_tokens(uint64_t context, uint64_t window, uint64_t page)
{
    // solution cached
    uint64_t pages = divide_up(context, page);
    if (window > 0) {
        uint64_t whole = divide_up(window - 1, page);    // pages; one more may be touched
        if (whole < pages) pages = whole + 1;
    }
    return pages > UINT64_MAX / page ? UINT64_MAX : pages * page;
    // end cached
}

uint64_t kn_concurrency(double memory, double utilization, double reserved,
                        const KnLayerCache *layers, int count, uint64_t context, uint64_t page)
{
    // solution concurrency
    double pool = memory * utilization - reserved, request = 0;
    for (int i = 0; i < count; i++)
        request += (double)layers[i].layers * (double)layers[i].bytes *
                   (double)kn_cached_tokens(context, layers[i].window, page);
    if (!(pool > 0 && request > 0)) return 0;
    return pool / request < 0x1p64 ? (uint64_t)(pool / request) : UINT64_MAX;
    // end concurrency
}

void kn_training_state(KnState *state, uint64_t params, const KnRecipe *recipe, int stage,
                       uint64_t n)
{
    // solution training_state
    uint64_t each = divide_up(params, n);
    double whole = (double)params, part = (double)each;
    state->state = recipe->state * (stage >= 1 ? part : whole);
    state->gradients = recipe->gradients * (stage >= 2 ? part : whole);
    state->weights = recipe->weights * (stage >= 3 ? part : whole);
    // end training_state
}

double kn_activation_bytes(const KnBlock *block, const KnPass *pass)
{
    // solution activations
    const KnBlock *b = block;
    bool latent = b->kv_rank > 0;
    uint64_t a = b->heads, k = latent ? b->heads : b->kv_heads;
    uint64_t d_q = latent ? b->nope_dim + b->rope_dim : b->head_dim;
    uint64_t d_v = latent ? b->value_dim : b->head_dim;
    uint64_t f = b->ffn + b->active_experts * b->expert_ffn + b->shared_ffn;
    double tokens = (double)pass->sequence * (double)pass->batch, t = (double)pass->tensor_parallel;
    double whole_by = pass->sequence_parallel ? t : 1;
    if (pass->recompute == KN_FULL) return tokens * 2 * (double)b->width / whole_by;

    uint64_t dropout = pass->dropout ? 1 : 0;    // bytes of a mask
    uint64_t whole = (8 + 2 * dropout + 4 * b->active_experts) * b->width;
    if (latent) whole += 4 * (b->q_rank + b->kv_rank);
    uint64_t shared = 2 * (a + k) * (d_q + d_v) + 2 * (b->gated ? 3 : 2) * f;
    double scores = 0;    // of one token
    if (b->qk_norm) shared += 2 * (a + k) * d_q;
    if (pass->recompute == KN_KEEP_ALL)
        scores = (double)a * (pass->flash ? 4 : (double)(2 + 3 * dropout) * (double)pass->sequence);
    return tokens * ((double)whole / whole_by + ((double)shared + scores) / t);
    // end activations
}

double kn_forward_flops(const KnBlock *block, uint64_t vectors, double positions)
{
    // solution flops
    bool latent = block->kv_rank > 0;
    uint64_t d_q = latent ? block->nope_dim + block->rope_dim : block->head_dim;
    uint64_t d_v = latent ? block->value_dim : block->head_dim;
    return 2 * (double)(kn_block_params(block).active - vectors) +
           2 * (double)(block->heads * (d_q + d_v)) * positions;
    // end flops
}

KnBounds kn_roofline(double flops, double bytes, double peak, double bandwidth)
{
    // solution roofline
    double compute = flops / peak, memory = bytes / bandwidth;
    return (KnBounds){compute, memory, fmax(compute, memory), memory > compute};
    // end roofline
}

KnOptimum kn_optimum(double flops, double ratio)
{
    // solution optimum
    double params = sqrt(flops / (6 * ratio));
    return (KnOptimum){params, ratio * params};
    // end optimum
}
