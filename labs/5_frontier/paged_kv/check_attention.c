/* Exercise 11: attention straight from the blocks. check.c says how cases are made. */
#include <math.h>
#include "labs/5_frontier/paged_kv/check.h"

static const char formula[] = "y[h] = softmax over i < seen of q[h] . k[i] / sqrt(D), times v";

// The tokens of a sequence, one after the other: keys, values [seen,KV,D].
typedef struct Sequence {
    KvHeads s;
    int seen;
    float *q, *k, *v;
} Sequence;

static Sequence sequence_of(uint64_t seed, int H, int KV, int D, int seen)
{
    Rng rng = rng_from_seed(seed);
    size_t n = (size_t)(seen * KV * D);
    return (Sequence){.s = {H, KV, D, 1},
                      .seen = seen,
                      .q = floats_normal(&rng, (size_t)(H * D)),
                      .k = floats_normal(&rng, n),
                      .v = floats_normal(&rng, n)};
}

static double *attention_of(const Sequence *x)
{
    KvHeads s = x->s;
    double *y = doubles_zero((size_t)(s.H * s.D)), *p = doubles_zero((size_t)x->seen);
    for (int h = 0; h < s.H; h++) {
        int shared = h / (s.H / s.KV);
        double most = -INFINITY, sum = 0;
        for (int i = 0; i < x->seen; i++) {
            p[i] = 0;
            for (int d = 0; d < s.D; d++)
                p[i] += (double)x->q[h * s.D + d] * (double)x->k[(i * s.KV + shared) * s.D + d];
            p[i] /= sqrt(s.D);
            if (!(p[i] <= most)) most = p[i];
        }
        for (int i = 0; i < x->seen; i++) sum += p[i] = exp(p[i] - most);
        for (int i = 0; i < x->seen; i++)
            for (int d = 0; d < s.D; d++)
                y[h * s.D + d] += p[i] / sum * (double)x->v[(i * s.KV + shared) * s.D + d];
    }
    return y;
}

// The sequence in blocks of this size, in a random order within a pool whose other slots are NaN.
static float *paged(const Sequence *x, int block_size, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    int used = (x->seen + block_size - 1) / block_size, blocks = used + 3;
    size_t row = (size_t)(x->s.KV * x->s.D), n = (size_t)(blocks * block_size) * row;
    int *order = ints_filled((size_t)blocks, 0);
    for (int b = 0; b < blocks; b++) order[b] = b;
    rng_shuffle(&rng, order, blocks);
    int *table = ints_copy(order, (size_t)used);
    float *k = floats_filled(n, NAN), *v = floats_filled(n, NAN);
    for (int i = 0; i < x->seen; i++) {
        size_t slot = (size_t)(table[i / block_size] * block_size + i % block_size);
        memcpy(k + slot * row, x->k + (size_t)i * row, row * sizeof *k);
        memcpy(v + slot * row, x->v + (size_t)i * row, row * sizeof *v);
    }
    float *kept = floats_copy(k, n), *y = floats_filled((size_t)(x->s.H * x->s.D), NAN);
    KvHeads s = x->s;
    s.block_size = block_size;
    kv_attention(y, x->q, k, v, doubles_filled((size_t)x->seen, NAN), table, x->seen, s);
    assert_that(memcmp(k, kept, n * sizeof *k) == 0, "the keys are const: they must not change");
    return y;
}

static void assert_attention(const Sequence *x, int block_size)
{
    float *y = paged(x, block_size, 1630 + (uint64_t)block_size);
    assert_near(y, attention_of(x), SHAPE(x->s.H, x->s.D), .name = "y", .rtol = 1e-6, .atol = 1e-7,
                .formula = formula);
}

CASE(attention__of_one_token_is_its_value)
{
    Sequence x = sequence_of(1, 2, 1, 4, 1);
    float *y = paged(&x, 4, 5);
    double want[8];
    for (int i = 0; i < 8; i++) want[i] = (double)x.v[i % 4];
    assert_near(y, want, SHAPE(2, 4), .name = "y", .rtol = 1.2e-7, .atol = 1e-8,
                .formula = formula);
}

CASE(attention__matches_sums_over_a_contiguous_sequence)
{
    static const int shapes[][4] = {{1, 1, 1, 3},  {4, 4, 8, 17},  {6, 2, 5, 33},
                                    {8, 1, 3, 40}, {9, 3, 64, 65}, {2, 2, 16, 7}};
    for (int i = 0; i < 6; i++) {
        const int *n = shapes[i];
        Sequence x = sequence_of(10 + (uint64_t)i, n[0], n[1], n[2], n[3]);
        assert_attention(&x, 16);
        assert_attention(&x, 3);
    }
}

CASE(attention__has_the_same_bits_for_every_block_size)
{
    // Values of tokens i and 99 - i cancel: what is left depends on the order of the additions.
    Sequence x = sequence_of(2, 4, 2, 8, 100);
    for (int i = 50; i < 100; i++)
        for (int d = 0; d < 16; d++) {
            x.k[i * 16 + d] = x.k[(99 - i) * 16 + d];
            x.v[i * 16 + d] = -x.v[(99 - i) * 16 + d];
        }
    float *first = paged(&x, 1, 1);
    double *want = floats_wide(first, 32);
    assert_near(first, attention_of(&x), SHAPE(4, 8), .name = "y", .rtol = 1e-6, .atol = 1e-7,
                .formula = formula);
    static const int sizes[] = {2, 3, 7, 16, 64, 100, 256};
    for (int i = 0; i < 7; i++)
        assert_near(paged(&x, sizes[i], (uint64_t)i), want, SHAPE(4, 8), .name = "y", .exact = true,
                    .formula = "the same bits for every block size, and whichever blocks: add "
                               "token by token, in their order");
}

CASE(attention__ends_within_a_block)
{
    for (int seen = 1; seen <= 9; seen++) {
        Sequence x = sequence_of(20 + (uint64_t)seen, 2, 1, 4, seen);
        assert_attention(&x, 4);
    }
}

CASE(attention__shares_heads_in_neighboring_groups)
{
    // Value head j is j everywhere, so that y shows which one was used.
    Sequence x = sequence_of(3, 6, 3, 2, 5);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++)
            for (int d = 0; d < 2; d++) x.v[(i * 3 + j) * 2 + d] = (float)j;
    assert_near(paged(&x, 2, 4), ((double[]){0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}), SHAPE(6, 2),
                .name = "y", .atol = 1e-6, .formula = formula);
}

CASE(attention__is_finite_for_large_scores)
{
    Sequence x = sequence_of(4, 2, 1, 4, 20);
    for (int i = 0; i < 8; i++) x.q[i] *= 1000;
    assert_attention(&x, 8);
    for (int i = 0; i < 80; i++) x.k[i] = -fabsf(x.k[i]) - 100;
    for (int i = 0; i < 8; i++) x.q[i] = 1e4f + (float)i;
    assert_attention(&x, 8);
    for (int i = 0; i < 80; i++)
        x.k[i] = -1e20f * (float)(1 + i / 4);    // scores of -1e40, not in float
    for (int i = 0; i < 8; i++) x.q[i] = 1e20f;
    assert_attention(&x, 8);
}

CASE(attention__takes_exponentials_in_double)
{
    // Large values whose weighted sum is close to 0: errors of the weights above 1e-12 are seen.
    Sequence x = sequence_of(12, 1, 1, 3, 300);
    for (int d = 0; d < 3; d++) x.q[d] *= 9;
    double *mean = attention_of(&x);
    for (int i = 0; i < 300 * 3; i++) x.v[i] = (float)(1e6 * ((double)x.v[i] - mean[i % 3]));
    float *y = paged(&x, 8, 6);
    assert_near(y, attention_of(&x), SHAPE(1, 3), .name = "y", .atol = 1e-6, .rtol = 1.2e-7,
                .formula = "scores, exponentials and sums are in double");
}

CASE(attention__reaches_rows_above_32_bits)
{
    // Token 0 is in slot 2^30, of 64 floats: the arrays begin 2^36 floats before what exists of them.
    Sequence x = sequence_of(13, 2, 2, 32, 1);
    size_t before = ((size_t)1 << 36) * sizeof *x.k;
    const float *k = (const float *)((uintptr_t)x.k - before),
                *v = (const float *)((uintptr_t)x.v - before);
    float *y = floats_filled(64, NAN);
    kv_attention(y, x.q, k, v, doubles_filled(1, NAN), INTS(1 << 26), 1, (KvHeads){2, 2, 32, 16});
    assert_near(y, attention_of(&x), SHAPE(2, 32), .name = "y", .rtol = 1.2e-7, .atol = 1e-8,
                .formula = formula);
}

CASE(attention__sums_in_double)
{
    // 1e8 + 1 - 1e8 is 0 in float.
    Sequence x = sequence_of(5, 1, 1, 3, 2);
    for (int d = 0; d < 3; d++) x.q[d] = ((float[]){1e8f, 1, -1e8f})[d];
    for (int i = 0; i < 6; i++) x.k[i] = i == 1 ? 2 : 1;
    assert_attention(&x, 2);
    for (int varied = 0; varied < 2; varied++) {
        Sequence many = sequence_of(6, 1, 1, 1, 40000);
        for (int i = 0; i < 40000; i++) {
            many.k[i] = varied ? (float)i / 20000 : 1;
            many.v[i] = varied ? 0.7f + (float)i * 1e-5f : 0.7f + (float)(i % 3) * 1e-4f;
        }
        assert_near(paged(&many, 64, 9), attention_of(&many), SHAPE(1, 1), .name = "y",
                    .rtol = 1.2e-7, .formula = "sums over the tokens are in double");
    }
}

CASE(attention__propagates_nan)
{
    Sequence x = sequence_of(7, 2, 2, 3, 6);
    x.k[4 * 6 + 3] = NAN;    // head 1 of token 4
    float *y = paged(&x, 4, 8);
    for (int d = 0; d < 3; d++) {
        assert_that(isfinite(y[d]), "y[0,%d] is %g; head 0 sees no NaN", d, (double)y[d]);
        assert_that(isnan(y[3 + d]), "y[1,%d] is %g; expected NaN, as a key is", d,
                    (double)y[3 + d]);
    }
}

CASE(attention__depends_on_its_arguments_alone)
{
    Sequence x = sequence_of(8, 2, 1, 4, 10), other = sequence_of(9, 2, 1, 4, 6);
    assert_attention(&x, 4);
    assert_attention(&other, 4);
    float *k = floats_filled(48, 0), *v = floats_filled(48, 0), *y = floats_filled(8, 3);
    int *table = INTS(0, 1, 2);
    double *room = doubles_filled(10, NAN);
    KvHeads s = {2, 1, 4, 4};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) x.k[i] = -x.k[i], x.v[i] += 1;
        memcpy(k, x.k, 40 * sizeof *k), memcpy(v, x.v, 40 * sizeof *v);
        kv_attention(y, x.q, k, v, room, table, 10, s);
        assert_near(y, attention_of(&x), SHAPE(2, 4), .name = "y", .rtol = 1e-6, .atol = 1e-7,
                    .formula = formula);
    }
}

const struct CMUnitTest attention_cases[] = {
    cmocka_unit_test(attention__of_one_token_is_its_value),
    cmocka_unit_test(attention__matches_sums_over_a_contiguous_sequence),
    cmocka_unit_test(attention__has_the_same_bits_for_every_block_size),
    cmocka_unit_test(attention__ends_within_a_block),
    cmocka_unit_test(attention__shares_heads_in_neighboring_groups),
    cmocka_unit_test(attention__is_finite_for_large_scores),
    cmocka_unit_test(attention__takes_exponentials_in_double),
    cmocka_unit_test(attention__reaches_rows_above_32_bits),
    cmocka_unit_test(attention__sums_in_double),
    cmocka_unit_test(attention__propagates_nan),
    cmocka_unit_test(attention__depends_on_its_arguments_alone),
    {0},
};
