/* Exercises 17 and 18: blocks of 8-bit numbers. check.c says how cases are made. */
#include <math.h>
#include <stdio.h>
#include "labs/5_frontier/paged_kv/check.h"
#include "tests/guarded.h"

// ---- 17: quantization ----

static KvQ8 *rows_new(int blocks)
{
    return guarded_new((size_t)blocks, sizeof(KvQ8));
}

static void assert_block(const KvQ8 *got, uint16_t scale, const int *q, int block)
{
    char text[80];
    int numbers[KV_Q8];
    snprintf(text, sizeof text, "the scale of block %d, as the bits of a half", block);
    assert_integer(text, got->scale, scale);
    for (int i = 0; i < KV_Q8; i++) numbers[i] = got->q[i];
    snprintf(text, sizeof text, "the numbers of block %d:", block);
    list_assert(text, numbers, KV_Q8, q, KV_Q8, __FILE__, __LINE__);
}

// The nearest half of a number of at least 2^-24, by its binary digits in double.
static uint16_t half_of(double x)
{
    int exponent = x < 0x1p-14 ? -14 : ilogb(x);
    double units = nearbyint(ldexp(x, 10 - exponent));
    return (uint16_t)(units + (exponent + 14) * 1024);
}

static void assert_quantize(const float *x, int blocks)
{
    float *kept = floats_copy(x, (size_t)blocks * KV_Q8);
    KvQ8 *rows = rows_new(blocks);
    kv_quantize(rows, x, blocks);
    for (int b = 0; b < blocks; b++) {
        float most = 0;
        int q[KV_Q8];
        for (int i = 0; i < KV_Q8; i++) most = fmaxf(most, fabsf(x[b * KV_Q8 + i]));
        volatile float d = most / 127, inverse = d > 0 ? 1 / d : 0;
        for (int i = 0; i < KV_Q8; i++) {
            volatile float quotient = x[b * KV_Q8 + i] * inverse;
            q[i] = (int)(floor(fabs((double)quotient) + 0.5) * (quotient < 0 ? -1 : 1));
        }
        assert_block(&rows[b], half_of((double)d), q, b);
    }
    assert_kept("x", x, kept, (size_t)blocks * KV_Q8);
}

CASE(quantize__writes_what_ggml_writes)
{
    // sin(0) .. sin(31), and 100 cos(0) .. 100 cos(31), by the package gguf: check_values.py
    static const int sines[] = {0,    107,  115,  18,  -96, -122, -35,  83,  126,  52,  -69,
                                -127, -68,  53,   126, 83,  -37,  -122, -95, 19,   116, 106,
                                -1,   -107, -115, -17, 97,  121,  34,   -84, -125, -51};
    static const int cosines[] = {127,  69,  -53, -126, -83, 36,   122,  96,  -18, -116, -107,
                                  1,    107, 115, 17,   -96, -122, -35,  84,  126, 52,   -70,
                                  -127, -68, 54,  126,  82,  -37,  -122, -95, 20,  116};
    float *x = floats_filled(64, 0);
    for (int i = 0; i < 32; i++) x[i] = (float)sin(i), x[32 + i] = (float)(100 * cos(i));
    KvQ8 *rows = rows_new(2);
    kv_quantize(rows, x, 2);
    assert_block(&rows[0], 0x2008, sines, 0);
    assert_block(&rows[1], 0x3a4d, cosines, 1);
}

CASE(quantize__gives_each_block_a_scale_of_its_own)
{
    static const int counts[] = {1, 2, 5, 33};
    Rng rng = rng_from_seed(1660);
    for (int i = 0; i < 4; i++) {
        float *x = floats_normal(&rng, (size_t)counts[i] * KV_Q8);
        for (int k = 0; k < counts[i] * KV_Q8; k++) x[k] *= (float)pow(3, k / KV_Q8 % 9 - 4);
        assert_quantize(x, counts[i]);
    }
}

CASE(quantize__rounds_halves_away_from_0)
{
    float *x = floats_filled(32, 0);
    for (int i = 0; i < 31; i++) x[i] = (float)(i - 15) + 0.5f;
    x[31] = 127;    // d is 1
    assert_quantize(x, 1);
    KvQ8 *row = rows_new(1);
    kv_quantize(row, x, 1);
    assert_integer("2.5", row->q[17], 3);
    assert_integer("-2.5", row->q[12], -3);
    assert_integer("0.5", row->q[15], 1);
    x[0] = nextafterf(0.5f, 0), x[1] = -x[0];    // x + 0.5 is rounded to 1 in float
    kv_quantize(row, x, 1);
    assert_integer("the number just below 0.5", row->q[0], 0);
    assert_integer("the number just above -0.5", row->q[1], 0);
}

CASE(quantize__divides_as_ggml_does)
{
    // Close to halves: x (127 / max), x / d or doubles would round some of them to the other side.
    float *x = floats_filled(32, 8.9375f);
    for (int i = 1; i < 32; i++) x[i] = ((float)i - 15.5f) * (8.9375f / 127);
    assert_quantize(x, 1);
}

CASE(quantize__takes_the_largest_of_either_sign)
{
    float *x = floats_filled(64, 0.01f);
    x[3] = -8, x[4] = 2, x[63] = 0.02f;
    assert_quantize(x, 2);
    x[0] = 5, x[31] = -16;
    assert_quantize(x, 2);
}

CASE(quantize__of_zeros_is_zero)
{
    float *x = floats_filled(96, 0);
    for (int i = 32; i < 64; i++) x[i] = 1;
    x[70] = -0.0f;
    assert_quantize(x, 3);
    assert_quantize(x, 0);
}

CASE(quantize__takes_large_and_small_numbers)
{
    static const float sizes[] = {65504, 1e-3f, 1e-5f, 1e-7f, 1e-20f, 1e-30f, 30000};
    Rng rng = rng_from_seed(1661);
    for (int k = 0; k < 7; k++) {
        float *x = floats_filled(32, 0);
        for (int i = 0; i < 32; i++) x[i] = sizes[k] * (2 * rng_uniform(&rng) - 1);
        x[5] = -sizes[k];
        assert_quantize(x, 1);
    }
}

CASE(quantize__depends_on_its_arguments_alone)
{
    float *x = floats_filled(32, 1), *y = floats_filled(32, -3);
    x[1] = 0.3f, y[2] = 1.2f;
    for (int i = 0; i < 3; i++) {
        assert_quantize(x, 1);
        assert_quantize(y, 1);
        x[i] = (float)(9 - 2 * i);
    }
}

// ---- 18: dot products ----

static KvQ8 *random_row(uint64_t seed, int blocks)
{
    Rng rng = rng_from_seed(seed);
    KvQ8 *row = rows_new(blocks);
    for (int b = 0; b < blocks; b++) {
        row[b].scale = kv_half(0.001f + rng_uniform(&rng));
        for (int i = 0; i < KV_Q8; i++) row[b].q[i] = (int8_t)((int)rng_below(&rng, 255) - 127);
    }
    return row;
}

static void assert_dot(const KvQ8 *a, const KvQ8 *b, int blocks)
{
    double want = 0, size = 0;
    for (int k = 0; k < blocks; k++)
        for (int i = 0; i < KV_Q8; i++) {
            double x = (double)kv_float(a[k].scale) * a[k].q[i],
                   y = (double)kv_float(b[k].scale) * b[k].q[i];
            want += x * y;
            size += fabs(x * y);
        }
    assert_number((double)kv_dot(a, b, blocks), want, .name = "a . b", .rtol = 1e-7,
                  .atol = 1e-13 * size + 1e-300,
                  .formula =
                      "sum over the blocks of scale_a scale_b sum_i q_a[i] q_b[i], in double");
}

CASE(dot__sums_integers_and_scales_them)
{
    KvQ8 *a = rows_new(2), *b = rows_new(2);
    for (int i = 0; i < 32; i++) {
        a[0].q[i] = (int8_t)i, b[0].q[i] = 2;
        a[1].q[i] = (int8_t)(i % 2 ? -1 : 1), b[1].q[i] = (int8_t)(i % 2 ? 3 : 5);
    }
    a[0].scale = kv_half(0.5f), b[0].scale = kv_half(0.25f);
    a[1].scale = kv_half(2), b[1].scale = kv_half(8);
    // 992 / 8 and 32 16: sum i = 496
    assert_number((double)kv_dot(a, b, 1), 124, .name = "a . b", .exact = true);
    assert_number((double)kv_dot(a, b, 2), 124 + 512, .name = "a . b", .exact = true);
    assert_number((double)kv_dot(a, b, 0), 0, .name = "a . b", .exact = true);
}

CASE(dot__matches_the_dequantized_rows)
{
    static const int counts[] = {1, 2, 3, 18, 48, 301};
    for (int i = 0; i < 6; i++)
        assert_dot(random_row(1670 + (uint64_t)i, counts[i]),
                   random_row(1680 + (uint64_t)i, counts[i]), counts[i]);
}

CASE(dot__of_the_largest_integers)
{
    // 32 127^2 is more than 16 bits hold.
    KvQ8 *a = rows_new(3), *b = rows_new(3);
    for (int k = 0; k < 3; k++) {
        a[k].scale = b[k].scale = kv_half(1);
        for (int i = 0; i < 32; i++) a[k].q[i] = 127, b[k].q[i] = k == 1 ? -127 : 127;
    }
    assert_dot(a, b, 3);
    assert_dot(a, a, 3);
    assert_number((double)kv_dot(a, b, 1), 516128, .name = "a . b", .exact = true);
}

CASE(dot__takes_large_and_small_scales)
{
    KvQ8 *a = random_row(1690, 4), *b = random_row(1691, 4);
    for (int k = 0; k < 4; k++) {
        a[k].scale = kv_half((float[]){65504, 0x1p-24f, 1000, 3e-6f}[k]);
        b[k].scale = kv_half((float[]){500, 0x1p-24f, 1e-6f, 6e-5f}[k]);
    }
    for (int k = 0; k < 4; k++) assert_dot(a + k, b + k, 1);
    assert_dot(a, b, 4);
}

CASE(dot__sums_blocks_in_double)
{
    // 1e8, 100 times 1, -1e8: in float the ones are lost.
    KvQ8 *a = rows_new(102), *b = rows_new(102);
    for (int k = 0; k < 102; k++) {
        memset(&a[k], 0, sizeof a[k]), memset(&b[k], 0, sizeof b[k]);
        bool large = k == 0 || k == 101;
        a[k].scale = b[k].scale = kv_half(large ? 10000 : 1);
        a[k].q[3] = k == 101 ? -1 : 1, b[k].q[3] = 1;
    }
    assert_number((double)kv_dot(a, b, 102), 100, .name = "a . b", .exact = true,
                  .formula = "the sum over the blocks is in double");
}

CASE(dot__goes_on_after_a_block_of_zeros)
{
    KvQ8 *a = random_row(1695, 3), *b = random_row(1696, 3);
    memset(&a[1], 0, sizeof *a), memset(&b[0], 0, sizeof *b);
    assert_dot(a, b, 3);
}

CASE(dot__of_zeros_is_zero)
{
    KvQ8 *a = random_row(1692, 2), *b = rows_new(2);
    memset(b, 0, 2 * sizeof *b);
    assert_number((double)kv_dot(a, b, 2), 0, .name = "a . b", .exact = true);
}

CASE(dot__takes_the_same_rows_again_with_other_contents)
{
    KvQ8 *a = random_row(1693, 5), *b = random_row(1694, 5), *before = rows_new(5);
    memcpy(before, a, 5 * sizeof *a);
    assert_dot(a, b, 5);
    assert_that(memcmp(before, a, 5 * sizeof *a) == 0, "a is const: it must not change");
    a[2].q[7] = (int8_t)-a[2].q[7], a[0].scale = kv_half(3);
    assert_dot(a, b, 5);
    assert_dot(b, b, 5);
}

const struct CMUnitTest quantize_cases[] = {
    cmocka_unit_test(quantize__writes_what_ggml_writes),
    cmocka_unit_test(quantize__gives_each_block_a_scale_of_its_own),
    cmocka_unit_test(quantize__rounds_halves_away_from_0),
    cmocka_unit_test(quantize__divides_as_ggml_does),
    cmocka_unit_test(quantize__takes_the_largest_of_either_sign),
    cmocka_unit_test(quantize__of_zeros_is_zero),
    cmocka_unit_test(quantize__takes_large_and_small_numbers),
    cmocka_unit_test(quantize__depends_on_its_arguments_alone),
    cmocka_unit_test(dot__sums_integers_and_scales_them),
    cmocka_unit_test(dot__matches_the_dequantized_rows),
    cmocka_unit_test(dot__of_the_largest_integers),
    cmocka_unit_test(dot__takes_large_and_small_scales),
    cmocka_unit_test(dot__sums_blocks_in_double),
    cmocka_unit_test(dot__goes_on_after_a_block_of_zeros),
    cmocka_unit_test(dot__of_zeros_is_zero),
    cmocka_unit_test(dot__takes_the_same_rows_again_with_other_contents),
    {0},
};
