/* Attention and its gradients against PyTorch's scaled_dot_product_attention, and the same token by token behind
 * a KV cache (make_attention_pytorch.py). */
#include "common/attention.h"
#include "tests/common/pytorch_sums.h"

typedef struct TrainingCase {
    int size[5];       // batch, tokens, heads, key and value heads, numbers of a head
    double want[2];    // y, dqkv
} TrainingCase;

typedef struct CachedCase {
    int size
        [5];    // tokens in the cache, new tokens, heads, key and value heads, numbers of a head
    double want[1];    // y of the new tokens
} CachedCase;

#include "tests/common/attention_pytorch.inc"

static void attention_is_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof training / sizeof *training); i++) {
        const int *s = training[i].size, heads = s[2], kv_heads = s[3];
        Tensor *qkv = input(SHAPE(s[0], s[1], (heads + 2 * kv_heads) * s[4]), 1);
        hold_output("y", i, op_attention(tape, qkv, heads, kv_heads), training[i].want[0]);
        hold_gradient("dqkv", i, qkv, training[i].want[1]);
        tape_reset(tape);
    }
}

static void attention_behind_a_cache_is_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof cached / sizeof *cached); i++) {
        const int *s = cached[i].size, past = s[0], new = s[1], heads = s[2], kv_heads = s[3];
        const int tokens = past + new, cols = kv_heads *s[4];
        tape_quiet(tape, true);
        Tensor *qkv = filled(SHAPE(tokens, (heads + 2 * kv_heads) * s[4]), 1);
        Tensor *k = tensor_zeros(keep, SHAPE(tokens + 3, cols)),
               *v = tensor_zeros(keep, SHAPE(tokens + 3, cols)), *y = NULL;
        for (int at = 0, count; at < tokens; at += count) {
            count = at < past ? (past < 5 ? past : past / 3) : new;    // the past, in some pieces
            if (at < past && at + count > past) count = past - at;
            Tensor *rows = tensor_rows(tape->arena, qkv, at, count);
            rows = tensor_view(tape->arena, rows, SHAPE(1, count, qkv->shape.size[1]));
            y = op_attention_cached(tape, rows, k, v, at, heads, kv_heads);
        }
        hold("y", i, values_of(y), tensor_count(y), cached[i].want[0]);
        tape_reset(tape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(attention_is_pytorchs),
        EACH_DEVICE(attention_behind_a_cache_is_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
