#include "common/rope.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include <math.h>

static const double TURN = 6.283185307179586;

// Grattafiori et al. 2024: low frequencies are divided, high ones stay, and those between are blended.
static double llama3(double frequency, RopeScaling s)
{
    const double turns = s.original_positions * frequency / TURN;    // in the trained context
    if (turns < (double)s.low_freq_factor) return frequency / (double)s.factor;
    if (turns > (double)s.high_freq_factor) return frequency;
    const double stay = (turns - (double)s.low_freq_factor) /
                        ((double)s.high_freq_factor - (double)s.low_freq_factor);
    return (1 - stay) * frequency / (double)s.factor + stay * frequency;
}

// The index of the pair that makes so many turns in the trained context.
static double pair_of_turns(double turns, RopeConfig c)
{
    return c.head * log(c.scaling.original_positions / (turns * TURN)) / (2 * log((double)c.theta));
}

// Peng et al. 2023, section 3.2, with the bounds rounded as in their code.
static double yarn(double frequency, int pair, RopeConfig c)
{
    const RopeScaling s = c.scaling;
    const double fast = s.beta_fast > 0 ? (double)s.beta_fast : 32,
                 slow = s.beta_slow > 0 ? (double)s.beta_slow : 1;
    const double low = fmax(floor(pair_of_turns(fast, c)), 0);
    const double high = fmin(ceil(pair_of_turns(slow, c)), c.head - 1);
    const double ramp = (pair - low) / (high > low ? high - low : 0.001);
    const double divided = fmin(fmax(ramp, 0), 1);
    return divided * frequency / (double)s.factor + (1 - divided) * frequency;
}

static double frequency_of(int pair, RopeConfig c)
{
    const double frequency = pow((double)c.theta, -2.0 * pair / c.head);
    switch (c.scaling.kind) {
    case ROPE_PLAIN: return frequency;
    case ROPE_LINEAR: return frequency / (double)c.scaling.factor;
    case ROPE_LLAMA3: return llama3(frequency, c.scaling);
    case ROPE_YARN: return yarn(frequency, pair, c);
    }
    return frequency;
}

// Yarn scales queries and keys too, by way of the tables.
static double amplitude(RopeScaling s)
{
    if (s.kind != ROPE_YARN) return 1;
    if (s.attention_factor > 0) return (double)s.attention_factor;
    return s.factor > 1 ? 0.1 * log((double)s.factor) + 1 : 1;
}

Rope *rope_new(Arena *keep, RopeConfig config)
{
    const RopeScaling s = config.scaling;
    REQUIRE(
        config.head > 0 && config.head % 2 == 0 && config.positions > 0 && config.theta > 0,
        "%d numbers of a head, %d positions, theta %g; expected an even number and positive ones",
        config.head, config.positions, (double)config.theta);
    REQUIRE(s.kind == ROPE_PLAIN || s.factor > 0, "scaling by %g; expected a positive factor",
            (double)s.factor);
    REQUIRE((s.kind != ROPE_LLAMA3 && s.kind != ROPE_YARN) || s.original_positions > 0,
            "scaling for %d original positions; expected a positive number", s.original_positions);
    const int half = config.head / 2;
    Rope *rope = arena_alloc(keep, sizeof *rope);
    *rope = (Rope){config, tensor_new(keep, SHAPE(config.positions, half)),
                   tensor_new(keep, SHAPE(config.positions, half))};
    const size_t n = tensor_count(rope->cosine);
    const ArenaMark mark = arena_mark(keep);
    float *cosine = arena_alloc(keep, 2 * n * sizeof *cosine), *sine = cosine + n;
    for (int pair = 0; pair < half; pair++) {
        const double frequency = frequency_of(pair, config), size = amplitude(s);
        for (int p = 0; p < config.positions; p++) {
            const size_t at = (size_t)p * (size_t)half + (size_t)pair;
            cosine[at] = (float)(size * cos(p * frequency));
            sine[at] = (float)(size * sin(p * frequency));
        }
    }
    tensor_write(rope->cosine, cosine);
    tensor_write(rope->sine, sine);
    arena_rewind(keep, mark);
    return rope;
}

typedef struct Saved {
    const float *cosine, *sine;    // from the first position on
    RopeShape shape;
} Saved;

// y = R x   =>   dx += R^T dy, and R^T turns back. dy has no other use.
static void rope_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const Tensor *y = node->out[0];
    RopeShape back = saved->shape;
    back.inverse = true;
    kernels.rope(y->grad, saved->cosine, saved->sine, back);
    Grad dx = tape_grad(node, node->in[0]);
    kernels.axpby(dx.at, y->grad, 1.0f, dx.beta, tensor_count(y));
}

Tensor *op_rope(Tape *tape, Tensor *qkv, const Rope *rope, int heads_rotated, int head,
                int first_position)
{
    const RopeConfig c = rope->config;
    const int last = qkv->shape.dims - 1;
    REQUIRE(last >= 1 && heads_rotated >= 0 && head >= c.head &&
                qkv->shape.size[last] / head >= heads_rotated,
            "qkv is %s; expected [...,T,W] of %d heads of %d, of which %d are rotated",
            TENSOR_TEXT(qkv), heads_rotated, head, c.head);
    const int time = qkv->shape.size[last - 1], row = qkv->shape.size[last];
    REQUIRE(first_position >= 0 && first_position <= c.positions - time,
            "positions %d to %d; expected 0 to %d", first_position, first_position + time - 1,
            c.positions - 1);
    const size_t n = tensor_count(qkv), at = (size_t)first_position * (size_t)(c.head / 2);
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Saved){tensor_floats(rope->cosine) + at, tensor_floats(rope->sine) + at,
                     (RopeShape){.rows = row > 0 ? (int)(n / (size_t)row) : 0,
                                 .period = time,
                                 .heads = heads_rotated,
                                 .head = head,
                                 .rotated = c.head,
                                 .row = (size_t)row,
                                 .interleaved = c.interleaved}};
    Tensor *y = tensor_new(tape->arena, qkv->shape);
    kernels.axpby(y->data, tensor_floats(qkv), 1.0f, 0.0f, n);
    kernels.rope(y->data, saved->cosine, saved->sine, saved->shape);
    return tape_record(tape, y, rope_backward, saved, INPUTS(qkv));
}
