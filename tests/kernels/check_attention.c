// Attention and its gradients against ref's: grouped queries, causal or not, more keys than queries and fewer,
// rows with gaps, odd sizes, nothing at all; NaN and infinities reach what sees them and nothing else; the same
// bits for any number of threads.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

// clang-format off
static const struct {
    int batch, heads, kv_heads, queries, keys, head;
} sizes[] = {
    {1, 1, 1,   1,   1,   1},
    {1, 1, 1,   2,   2,   3},
    {2, 3, 3,   7,   7,   5},
    {1, 2, 1,  13,  13,  16},    // grouped-query
    {2, 6, 2,  17,  17,   8},
    {3, 4, 4,  64,  64,  32},
    {1, 2, 2,  65,  65,  64},
    {1, 3, 1,  97,  97,  33},
    {1, 1, 1, 131, 131,  17},
    {1, 2, 1, 200, 200,   4},
    {1, 1, 1,  70,  70, 130},
    {1, 1, 1, 257, 257,   6},
    {2, 4, 2,   1,  37,  16},    // one query behind a KV cache
    {1, 8, 1,   1, 300,  64},
    {1, 5, 5,   1, 129,   7},
    {1, 2, 2,   5,  83,  24},
    {1, 4, 2,  31, 150,  20},
    {1, 2, 1,  90, 101,  12},
    {2, 2, 2,   9,   4,   6},    // queries that see no key, where causal
    {1, 1, 1, 150,  70,   9},
    {0, 2, 2,   5,   5,   4},    // nothing
    {2, 2, 2,   0,   5,   4},
    {2, 2, 1,   5,   0,   4},
    {2, 0, 1,   5,   5,   4},
    {2, 2, 2,   5,   5,   0},
};
// clang-format on
enum { SIZES = sizeof sizes / sizeof *sizes, TEXT = 160 };

// The arrays of a call: q, k and v lie in one fused row where there are as many queries as keys, and there is a
// gap behind each row that no kernel may touch.
typedef struct Layout {
    AttentionShape s;
    bool fused;
    size_t q, k, v, y, lse;       // floats of each array; of q's alone where fused
    size_t k_offset, v_offset;    // of a fused row
} Layout;

static Layout layout_of(int number, bool causal)
{
    enum { GAP = 3 };
    AttentionShape s = {.batch = sizes[number].batch,
                        .heads = sizes[number].heads,
                        .kv_heads = sizes[number].kv_heads,
                        .queries = sizes[number].queries,
                        .keys = sizes[number].keys,
                        .head = sizes[number].head,
                        .causal = causal};
    s.scale = 1 / sqrtf((float)s.head + 0.5f);
    const size_t head = (size_t)s.head, q = (size_t)s.heads * head, kv = (size_t)s.kv_heads * head;
    const size_t queries = (size_t)s.batch * (size_t)s.queries,
                 keys = (size_t)s.batch * (size_t)s.keys;
    s.y_row = q + GAP;
    Layout l = {.fused = s.queries == s.keys, .y = queries * s.y_row};
    if (l.fused) {
        s.q_row = s.k_row = s.v_row = q + 2 * kv + GAP;
        l.q = queries * s.q_row;
        if (l.q > 0) l.k_offset = q, l.v_offset = q + kv;
    } else {
        s.q_row = q + GAP, s.k_row = kv + GAP, s.v_row = kv + 2 * GAP;
        l.q = queries * s.q_row, l.k = keys * s.k_row, l.v = keys * s.v_row;
    }
    l.lse = queries * (size_t)s.heads;
    l.s = s;
    return l;
}

static char *text_of(char text[TEXT], const char *what, Layout l, float beta)
{
    const AttentionShape s = l.s;
    snprintf(text, TEXT, "%s: batch %d, heads %d and %d, %d queries, %d keys, head %d%s, beta %g",
             what, s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.head,
             s.causal ? ", causal" : "", (double)beta);
    return text;
}

typedef struct Inputs {
    float *q, *k, *v, *dy;
} Inputs;

static Inputs inputs_new(Layout l)
{
    float *q = numbers_new(l.q, NORMAL), *dy = numbers_new(l.y, NORMAL);
    if (l.fused) return (Inputs){q, q + l.k_offset, q + l.v_offset, dy};
    return (Inputs){q, numbers_new(l.k, NORMAL), numbers_new(l.v, NORMAL), dy};
}

// What a call is held by: sums of so many terms, of such size; scores enter by their exp.
static double tolerance_of(Inputs in, Layout l)
{
    const AttentionShape s = l.s;
    double score = 0;
    for (int b = 0; b < s.batch; b++)
        for (int h = 0; h < s.heads; h++)
            for (int i = 0; i < s.queries; i++)
                for (int j = 0; j < attention_seen(i, s); j++) {
                    const float *q = in.q + (size_t)(b * s.queries + i) * s.q_row + h * s.head;
                    const float *k = in.k + (size_t)(b * s.keys + j) * s.k_row +
                                     h / (s.heads / s.kv_heads) * s.head;
                    double sum = 0;
                    for (int d = 0; d < s.head; d++) sum += fabs((double)q[d] * (double)k[d]);
                    score = fmax(score, (double)s.scale * sum);
                }
    return ROUNDING * (s.head + s.keys + s.queries + 20) * (1 + score);
}

static void forward(const Kernels *table, float *y, float *lse, Inputs in, AttentionShape s)
{
    table->attention(y, lse, in.q, in.k, in.v, s);
}

typedef struct Outputs {
    Pair y, lse, dq, dk, dv;    // dk and dv: of no floats where fused
} Outputs;

static Outputs outputs_new(Layout l, float beta)
{
    return (Outputs){pair_new(l.y, NANS), pair_new(l.lse, NANS), pair_before(l.q, beta),
                     pair_before(l.k, beta), pair_before(l.v, beta)};
}

// dq, dk and dv of one side, by the y and lse of ref.
static void backward(const Kernels *table, float *dq, float *dk, float *dv, const float *y,
                     const float *lse, Inputs in, float beta, Layout l)
{
    if (l.fused) dk = dq + l.k_offset, dv = dq + l.v_offset;
    table->attention_backward(dq, dk, dv, in.dy, y, lse, in.q, in.k, in.v, beta, l.s);
}

static void compare_forward(const Kernels *table, Inputs in, Layout l, double tolerance)
{
    Outputs out = outputs_new(l, 0);
    char text[TEXT];
    forward(&kernels_ref, out.y.want, out.lse.want, in, l.s);
    forward(table, out.y.got, out.lse.got, in, l.s);
    pair_check(text_of(text, "attention's y", l, 0), out.y, tolerance);
    pair_check(text_of(text, "attention's lse", l, 0), out.lse, tolerance);
    forward(table, out.y.got, NULL, in, l.s);
    pair_check(text_of(text, "attention's y without lse", l, 0), out.y, tolerance);
}

static void compare_backward(const Kernels *table, Inputs in, float beta, Layout l,
                             double tolerance)
{
    Outputs out = outputs_new(l, beta);
    char text[TEXT];
    forward(&kernels_ref, out.y.want, out.lse.want, in, l.s);
    backward(&kernels_ref, out.dq.want, out.dk.want, out.dv.want, out.y.want, out.lse.want, in,
             beta, l);
    backward(table, out.dq.got, out.dk.got, out.dv.got, out.y.want, out.lse.want, in, beta, l);
    pair_check(text_of(text, l.fused ? "attention's dqkv" : "attention's dq", l, beta), out.dq,
               tolerance);
    pair_check(text_of(text, "attention's dk", l, beta), out.dk, tolerance);
    pair_check(text_of(text, "attention's dv", l, beta), out.dv, tolerance);
}

// ---- the cases

// Scores up to some hundreds, of either sign.
static void large_scores_do_not_overflow(const Kernels *table, bool with_gradient, Layout l)
{
    const Inputs in = inputs_new(l);
    for (size_t i = 0; i < l.q; i++) in.q[i] *= 30;
    const double tolerance = tolerance_of(in, l);
    if (with_gradient) compare_backward(table, in, 1, l, 100 * tolerance);
    else compare_forward(table, in, l, tolerance);
    numbers_free();
}

// One NaN or infinity in q, k, v or dy: the queries that see it, and in backward what they see.
static void what_is_not_finite_reaches_what_sees_it(const Kernels *table, bool with_gradient,
                                                    Layout l)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    const AttentionShape s = l.s;
    if (l.y == 0 || s.keys == 0) return;
    for (int i = 0; i < (with_gradient ? 12 : 9); i++) {
        const Inputs in = inputs_new(l);
        const size_t query = (size_t)(s.queries / 2), key = (size_t)(s.keys / 2),
                     d = (size_t)s.head / 2;
        float *const places[] = {in.q + query * s.q_row + d, in.k + key * s.k_row + d,
                                 in.v + key * s.v_row + d, in.dy + query * s.y_row + d};
        const double tolerance = tolerance_of(in, l);
        *places[i / 3] = values[i % 3];
        if (with_gradient) compare_backward(table, in, 1, l, 30 * tolerance);
        else compare_forward(table, in, l, tolerance);
        numbers_free();
    }
}

static void threads_change_no_bit(const Kernels *table, bool with_gradient, Layout l)
{
    const int before = omp_get_max_threads();
    const Inputs in = inputs_new(l);
    Outputs out = outputs_new(l, 1), start = out;
    forward(&kernels_ref, out.y.want, out.lse.want, in, l.s);
    start.dq.got = numbers_copy(out.dq.want, l.q);
    start.dk.got = numbers_copy(out.dk.want, l.k);
    start.dv.got = numbers_copy(out.dv.want, l.v);
    const float *y = numbers_copy(out.y.want, l.y), *lse = numbers_copy(out.lse.want, l.lse);
    omp_set_num_threads(1);
    if (with_gradient) backward(table, out.dq.want, out.dk.want, out.dv.want, y, lse, in, 1, l);
    else forward(table, out.y.want, out.lse.want, in, l.s);
    for (int threads = 2; threads <= 5; threads += 3) {
        omp_set_num_threads(threads);
        memcpy(out.dq.got, start.dq.got, l.q * sizeof(float));
        memcpy(out.dk.got, start.dk.got, l.k * sizeof(float));
        memcpy(out.dv.got, start.dv.got, l.v * sizeof(float));
        if (with_gradient) {
            backward(table, out.dq.got, out.dk.got, out.dv.got, y, lse, in, 1, l);
            assert_memory_equal(out.dq.got, out.dq.want, l.q * sizeof(float));
            assert_memory_equal(out.dk.got, out.dk.want, l.k * sizeof(float));
            assert_memory_equal(out.dv.got, out.dv.want, l.v * sizeof(float));
        } else {
            forward(table, out.y.got, out.lse.got, in, l.s);
            assert_memory_equal(out.y.got, out.y.want, l.y * sizeof(float));
            assert_memory_equal(out.lse.got, out.lse.want, l.lse * sizeof(float));
        }
    }
    omp_set_num_threads(before);
    numbers_free();
}

static void check(const Kernels *table, bool with_gradient)
{
    for (int i = 0; i < 2 * SIZES; i++) {
        const Layout l = layout_of(i / 2, i % 2);
        if (attention_flops(l.s) > 2 * numbers_most) continue;
        for (int b = 0; b < (with_gradient ? NUMBERS_BETAS : 1); b++) {
            const Inputs in = inputs_new(l);
            const double tolerance = tolerance_of(in, l);
            if (with_gradient) compare_backward(table, in, numbers_betas[b], l, 10 * tolerance);
            else compare_forward(table, in, l, tolerance);
            numbers_free();
        }
        if (attention_flops(l.s) > 2e6) continue;    // ref takes its time
        large_scores_do_not_overflow(table, with_gradient, l);
        what_is_not_finite_reaches_what_sees_it(table, with_gradient, l);
        if (omp_get_max_threads() == 1)
            threads_change_no_bit(table, with_gradient, l);    // once is enough
    }
}

// Three equal keys with large scores: y is the mean of what is seen.
static void equal_scores_share_the_values(const Kernels *table)
{
    const float scores[] = {1e6f, -1e6f, 1e7f, -1e7f};
    const AttentionShape s = {.batch = 1,
                              .heads = 1,
                              .kv_heads = 1,
                              .queries = 3,
                              .keys = 3,
                              .head = 1,
                              .q_row = 1,
                              .k_row = 1,
                              .v_row = 1,
                              .y_row = 1,
                              .scale = 1,
                              .causal = true};
    for (int i = 0; i < 4; i++, numbers_free()) {
        const float *q = numbers_copy((float[]){1, 1, 1}, 3);
        const float *k = numbers_copy((float[]){scores[i], scores[i], scores[i]}, 3);
        const float *v = numbers_copy((float[]){3, 6, 12}, 3);
        Pair y = pair_new(3, NANS);
        for (int j = 0; j < 3; j++) y.want[j] = (float[]){3, 4.5f, 7}[j];
        table->attention(y.got, NULL, q, k, v, s);
        pair_check("attention of equal scores", y, 8 * ROUNDING);
    }
}

void check_attention(const Kernels *table)
{
    equal_scores_share_the_values(&kernels_ref);
    equal_scores_share_the_values(table);
    check(table, false);
}

void check_attention_backward(const Kernels *table)
{
    check(table, true);
}
