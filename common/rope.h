/* rope.h -- rotary position embedding (Su et al. 2021): each pair of a head's numbers is turned by the position
 * times the pair's frequency theta^(-2 i / head), so that a product of two heads depends on their distance.
 *
 *     Rope *rope = rope_new(keep, (RopeConfig){.head = 64, .positions = 1024, .theta = 10000});
 *     qkv = op_rope(tape, qkv, rope, heads + kv_heads, 64, 0);    // queries and keys; values stay
 */
#pragma once
#include "common/tape.h"

// How frequencies are changed for sequences longer than those that a model was trained on, as `transformers` has it
// ("rope_type").
typedef enum RopeKind { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3, ROPE_YARN } RopeKind;

typedef struct RopeScaling {
    RopeKind kind;
    float factor;                                    // the longer context through the trained one
    float low_freq_factor, high_freq_factor;         // llama3
    int original_positions;                          // llama3, yarn: the trained context
    float beta_fast, beta_slow, attention_factor;    // yarn: 0 is 32, 1 and 0.1 ln(factor) + 1
} RopeScaling;

typedef struct RopeConfig {
    int head;         // numbers of a head that are turned, even: most often all of them
    int positions;    // the tables' length: a position beyond it is refused
    float theta;      // 10000 in the paper
    bool
        interleaved;    // pairs (0,1), (2,3), ... as in llama2.c and GGUF; else (i, i + head/2), Hugging Face
    RopeScaling scaling;
} RopeConfig;

typedef struct Rope {
    RopeConfig config;
    Tensor *cosine, *sine;    // [positions,head/2]
} Rope;

Rope *rope_new(Arena *keep, RopeConfig config);

// [B,T,...]: row t is at position first_position + t, and the first heads_rotated heads of it, of `head` numbers
// each, are turned.
Tensor *op_rope(Tape *tape, Tensor *qkv, const Rope *rope, int heads_rotated, int head,
                int first_position);
