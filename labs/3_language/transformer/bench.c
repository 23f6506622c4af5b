/* bench.c -- what the exercises are called with in a step of a small model (batch 12, 64 tokens, width 128,
 * 4 heads, 65 characters), beside the kernels that do the same work.
 *
 *     ./lab bench transformer --mine
 */
#include <math.h>
#include <string.h>
#include "bench/exercises.h"
#include "kernels/kernels.h"
#include "labs/3_language/transformer/transformer.h"

enum {
    B = 12,
    T = 64,
    N = B * T,
    C = 128,
    H = 4,
    D = 32,
    F = 512,
    V = 65,
    ROW = 3 * C,
    X = N * C,    // the tokens of a batch
    HIDDEN = N * F,
    ONE = T * D,    // a head of one sequence
    LOGITS = N * V,
    PAST = T - 1,
    BLOCK = 12 * C * C,
};

static const TfAttention one_head = {T, T, D};
static const TfHeads heads = {T, H, H, D};
static const TfRope turned = {T, 2 * H, D, ROW, 10000, TF_HALVES};
static const TfAdamW adam = {1e-3f, 0.9f, 0.99f, 1e-8f, 0.1f, 100};
static const AdamStep adam_step = {1e-3f, 0.9f, 0.99f, 1e-8f, 1, 0.634f};
static const AttentionShape attended = {1, 1, 1, T, T, D, D, D, D, D, 0.17677669f, true};
static const AttentionShape fused = {1, H, H, T, T, D, ROW, ROW, ROW, C, 0.17677669f, true};
static const AttentionShape cached = {1, H, H, 1, T, D, ROW, C, C, C, 0.17677669f, true};

static int32_t ids[N], positions[T];
static float probabilities[V], lse[H * T], room[16 * HIDDEN], weights[BLOCK], unit[4 * C];

// An exercise called with the arrays a, and a kernel that does its work.
#define EXERCISE(name, ...)                                                                        \
    static void name(Solution *solution, float *const *a)                                          \
    {                                                                                              \
        AS(tf_##name, solution)(__VA_ARGS__);                                                      \
    }
#define KERNEL(name, ...)                                                                          \
    static void table_##name(float *const *a)                                                      \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

EXERCISE(embedding, a[0], ids, a[1], a[2], B, T, C)
EXERCISE(embedding_backward, a[0], a[1], a[2], ids, B, T, C)
EXERCISE(attention, a[0], a[1], a[2], a[3], a[4], one_head)
EXERCISE(attention_backward, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], one_head)
EXERCISE(split_heads, a[0], a[1], T, H, D, C)
EXERCISE(merge_heads, a[0], a[1], T, H, D, C)
EXERCISE(multi_head, a[0], a[1], a[2], room, heads)
EXERCISE(layer_norm, a[0], a[1], a[2], a[3], a[4], a[5], N, C, 1e-5f)
EXERCISE(layer_norm_backward, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], N, C)
EXERCISE(rms_norm, a[0], a[1], a[2], a[3], N, C, 1e-5f)
EXERCISE(rms_norm_backward, a[0], a[1], a[2], a[3], a[4], a[5], N, C)
EXERCISE(sinusoidal, a[0], T, C)
EXERCISE(rope, a[0], positions, turned)
EXERCISE(gelu, a[0], a[1], HIDDEN)
EXERCISE(gelu_backward, a[0], a[1], a[2], HIDDEN)
EXERCISE(swiglu, a[0], a[1], N, F)
EXERCISE(swiglu_backward, a[0], a[1], a[2], N, F)
EXERCISE(adamw, a[0], a[1], a[2], a[3], BLOCK, adam)
EXERCISE(temperature, a[0], a[1], V, 0.8f)
EXERCISE(cache_step, a[0], a[1], a[2], a[3], room, PAST, heads)

static TfFeedForward feed_forward_weights(void)
{
    return (TfFeedForward){C, F, false, weights, NULL, weights + C * F, NULL};
}

static void feed_forward(Solution *solution, float *const *a)
{
    TfFeedForward w = feed_forward_weights();
    AS(tf_feed_forward, solution)(a[0], a[1], room, N, &w);
}

static void block(Solution *solution, float *const *a)
{
    TfBlock w = {.heads = heads,
                 .eps = 1e-5f,
                 .gamma1 = unit,
                 .shift1 = unit + C,
                 .qkv = weights,
                 .out = weights + C * ROW,
                 .gamma2 = unit + 2 * C,
                 .shift2 = unit + 3 * C,
                 .feed_forward = feed_forward_weights()};
    AS(tf_block, solution)(a[0], a[1], room, &w);
}

static void cross_entropy(Solution *solution, float *const *a)
{
    a[2][0] = AS(tf_cross_entropy, solution)(a[0], a[1], ids, N, V);
}

static void schedule(Solution *solution, float *const *a)
{
    a[0][0] = AS(tf_schedule, solution)(1234, (TfSchedule){1e-3f, 1e-4f, 100, 5000});
}

static void top_k(Solution *solution, float *const *a)
{
    memcpy(a[0], probabilities, sizeof probabilities);
    AS(tf_top_k, solution)(a[0], V, 40);
}

static void top_p(Solution *solution, float *const *a)
{
    memcpy(a[0], probabilities, sizeof probabilities);
    AS(tf_top_p, solution)(a[0], V, 0.9f);
}

static void sample(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(tf_sample, solution)(probabilities, V, 0.7f);
}

KERNEL(attention, kernels.attention(a[0], lse, a[2], a[3], a[4], attended))
KERNEL(multi_head, kernels.attention(a[0], lse, a[2], a[2] + C, a[2] + 2 * C, fused))
KERNEL(cache_step, kernels.attention(a[0], NULL, a[3], a[1], a[2], cached))
KERNEL(layer_norm, kernels.layer_norm(a[0], a[1], a[2], a[3], a[4], a[5], 1e-5f, norm_rows(N, C)))
KERNEL(layer_norm_backward, kernels.layer_norm_backward(a[0], a[1], a[2], a[3], a[4], a[7], a[5],
                                                        a[6], 1, norm_rows(N, C)))
KERNEL(rms_norm, kernels.rms_norm(a[0], a[1], a[2], a[3], 1e-5f, norm_rows(N, C)))
KERNEL(rms_norm_backward,
       kernels.rms_norm_backward(a[0], a[1], a[2], a[3], a[5], a[4], 1, norm_rows(N, C)))
KERNEL(gelu, kernels.gelu(a[0], a[1], HIDDEN))
KERNEL(gelu_backward, kernels.gelu_backward(a[0], a[1], a[2], 1, HIDDEN))
KERNEL(swiglu, kernels.swiglu(a[0], a[1], N, F))
KERNEL(swiglu_backward, kernels.swiglu_backward(a[0], a[1], a[2], 1, N, F))
KERNEL(cross_entropy, kernels.cross_entropy(a[2], room, a[1], ids, N, V),
       kernels.cross_entropy_backward(a[0], a[2], 1.0f / N, room, ids, N, V, 0))
KERNEL(adamw, kernels.adam_step(a[0], a[1], a[2], a[3], NULL, &(Span){BLOCK, 1, 0.1f}, 1, BLOCK,
                                adam_step))

// clang-format off
#define TABLE(name) .rivals = {{"kernel table", table_##name}}
static const Workload workloads[] = {
    {"embedding", "tf_embedding", "12 x 64 x 128", embedding,
     .arrays = {WRITES(X), READS(V * C), READS(T * C)}},                       // y tokens positions
    {"embedding_backward", "tf_embedding_backward", "12 x 64 x 128", embedding_backward,
     .arrays = {ADDS(V * C), ADDS(T * C), READS(X)}},                          // dtokens dpositions dy
    {"attention", "tf_attention", "64 x 32", attention, TABLE(attention),
     .arrays = {WRITES(ONE), WRITES(T * T), READS(ONE), READS(ONE), READS(ONE)}},    // y p q k v
    {"attention_backward", "tf_attention_backward", "64 x 32", attention_backward,
     .arrays = {ADDS(ONE), ADDS(ONE), ADDS(ONE), READS(ONE), READS(T * T),     // dq dk dv dy p
                READS(ONE), READS(ONE), READS(ONE)}},                          // q k v
    {"split_heads", "tf_split_heads", "64 x 4 x 32", split_heads,
     .arrays = {WRITES(T * C), READS(T * C)}},                                 // heads x
    {"merge_heads", "tf_merge_heads", "64 x 4 x 32", merge_heads,
     .arrays = {WRITES(T * C), READS(T * C)}},                                 // x heads
    {"multi_head", "tf_multi_head", "64 x 4 x 32", multi_head, TABLE(multi_head),
     .arrays = {WRITES(T * C), WRITES(H * T * T), READS(T * ROW)}},            // y p qkv
    {"layer_norm", "tf_layer_norm", "768 x 128", layer_norm, TABLE(layer_norm),
     .arrays = {WRITES(X), WRITES(N), WRITES(N), READS(X), READS(C), READS(C)}},
    {"layer_norm_backward", "tf_layer_norm_backward", "768 x 128", layer_norm_backward,
     TABLE(layer_norm_backward),
     .arrays = {ADDS(X), ADDS(C), ADDS(C), READS(X), READS(X),                 // dx dgamma dshift dy x
                READS(N), READS(N), READS(C)}},                                // mean rstd gamma
    {"rms_norm", "tf_rms_norm", "768 x 128", rms_norm, TABLE(rms_norm),
     .arrays = {WRITES(X), WRITES(N), READS(X), READS(C)}},                    // y rstd x gamma
    {"rms_norm_backward", "tf_rms_norm_backward", "768 x 128", rms_norm_backward,
     TABLE(rms_norm_backward),
     .arrays = {ADDS(X), ADDS(C), READS(X), READS(X), READS(N), READS(C)}},    // dx dgamma dy x rstd gamma
    {"sinusoidal", "tf_sinusoidal", "64 x 128", sinusoidal, .arrays = {WRITES(T * C)}},
    {"rope", "tf_rope", "64 x 8 x 32", rope, .arrays = {ADDS(T * ROW)}},
    {"gelu", "tf_gelu", "768 x 512", gelu, TABLE(gelu), .arrays = {WRITES(HIDDEN), READS(HIDDEN)}},
    {"gelu_backward", "tf_gelu_backward", "768 x 512", gelu_backward, TABLE(gelu_backward),
     .arrays = {ADDS(HIDDEN), READS(HIDDEN), READS(HIDDEN)}},                  // dx dy x
    {"swiglu", "tf_swiglu", "768 x 512", swiglu, TABLE(swiglu),
     .arrays = {WRITES(HIDDEN), READS(2 * HIDDEN)}},                           // y gate_up
    {"swiglu_backward", "tf_swiglu_backward", "768 x 512", swiglu_backward, TABLE(swiglu_backward),
     .arrays = {ADDS(2 * HIDDEN), READS(HIDDEN), READS(2 * HIDDEN)}},          // dgate_up dy gate_up
    {"feed_forward", "tf_feed_forward", "768 x 128 x 512", feed_forward, .kernels = true,
     .arrays = {WRITES(X), READS(X)}},                                         // y x
    {"block", "tf_block", "64 x 128", block, .kernels = true,
     .arrays = {WRITES(T * C), READS(T * C)}},                                 // y x
    {"cross_entropy", "tf_cross_entropy", "768 x 65", cross_entropy, TABLE(cross_entropy),
     .arrays = {WRITES(LOGITS), READS(LOGITS), WRITES(1)}},                    // dz z, and the loss
    {"adamw", "tf_adamw", "196608", adamw, TABLE(adamw),
     .arrays = {ADDS(BLOCK), WRITES(BLOCK), WRITES(BLOCK), READS(BLOCK)}},     // p m v g
    {"schedule", "tf_schedule", "one step", schedule, .arrays = {WRITES(1)}},
    {"temperature", "tf_temperature", "65", temperature, .arrays = {WRITES(V), READS(V)}},
    {"top_k", "tf_top_k", "40 of 65", top_k, .arrays = {WRITES(V)}},
    {"top_p", "tf_top_p", "0.9 of 65", top_p, .arrays = {WRITES(V)}},
    {"sample", "tf_sample", "65", sample, .arrays = {WRITES(1)}},
    {"cache_step", "tf_cache_step", "63 + 1 x 4 x 32", cache_step, TABLE(cache_step),
     .arrays = {WRITES(C), ADDS(T * C), ADDS(T * C), READS(ROW)}},             // y k_cache v_cache qkv
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    for (int n = 0; n < N; n++) ids[n] = n * 7 % V;
    for (int t = 0; t < T; t++) positions[t] = t;
    for (int i = 0; i < V; i++) probabilities[i] = 2.0f * (float)(i * 31 % V) / (V * (V - 1));
    for (int i = 0; i < 4 * C; i++) unit[i] = 1;
    for (int i = 0; i < BLOCK; i++) weights[i] = 0.1f * sinf((float)i);
    return exercises_main("transformer", workloads, argc, argv);
}
