/* Number types: the one list, and conversions held against exact arithmetic at every pattern of 8 and 16
 * bits. */
#include "kernels/dtype.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// ---- the list ----

static void each_name_and_number_leads_to_its_type(void **state)
{
    (void)state;
    for (int t = 0; t < DTYPE_COUNT; t++) {
        const DTypeInfo *info = &dtype_info[t];
        assert_string_equal(dtype_name((DType)t), info->name);
        assert_int_equal(dtype_from_safetensors(info->name), info->safetensors ? t : DTYPE_NONE);
        if (info->gguf >= 0) assert_int_equal(dtype_from_gguf((uint32_t)info->gguf), t);
        assert_true(info->safetensors || info->gguf >= 0);
    }
    assert_int_equal(DTYPE_F32, 0);
    assert_string_equal(dtype_name(DTYPE_F8_E4M3), "F8_E4M3");
    const char *none[] = {"", "f32", "F31", "F3", "F32 ", "Q4_K", "MXFP4"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(dtype_from_safetensors(none[i]), DTYPE_NONE);
    const uint32_t unknown[] = {4, 5, 31, 33, 36, 42, 1000, INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(dtype_from_gguf(unknown[i]), DTYPE_NONE);
}

static void bytes_are_those_of_whole_blocks(void **state)
{
    (void)state;
    static const struct {
        DType type;
        uint64_t count, bytes;
    } EXPECTED[] = {
        {DTYPE_F32, 0, 0},
        {DTYPE_F32, 1000, 4000},
        {DTYPE_I32, 3, 12},
        {DTYPE_U8, 7, 7},
        {DTYPE_F4, 6, 3},
        {DTYPE_F4, 7, 4},
        {DTYPE_F6_E3M2, 8, 6},
        {DTYPE_F6_E3M2, 9, 9},
        {DTYPE_Q4_0, 0, 0},
        {DTYPE_Q4_0, 1, 18},
        {DTYPE_Q4_0, 32, 18},
        {DTYPE_Q4_0, 33, 36},
        {DTYPE_Q4_K, 4096, 2304},
        {DTYPE_F32, UINT64_MAX / 4, UINT64_MAX - 3},
        {DTYPE_F32, UINT64_MAX / 4 + 1, UINT64_MAX},
        {DTYPE_F64, UINT64_MAX, UINT64_MAX},
        {DTYPE_F4, UINT64_MAX, 1ull << 63},
        {DTYPE_F6_E2M3, UINT64_MAX, 3ull << 62},
        {DTYPE_Q8_0, UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++)
        if (dtype_bytes(EXPECTED[i].type, EXPECTED[i].count) != EXPECTED[i].bytes)
            fail_msg("%" PRIu64 " numbers of %s: %" PRIu64 " bytes, expected %" PRIu64,
                     EXPECTED[i].count, dtype_name(EXPECTED[i].type),
                     dtype_bytes(EXPECTED[i].type, EXPECTED[i].count), EXPECTED[i].bytes);
}

// ---- types of 8 and 16 bits ----

typedef struct Format {
    DType type;
    int exponent, mantissa;    // bits
    int largest;               // the pattern of the largest finite number
    bool infinite;             // has infinities
} Format;

static const Format FORMATS[] = {{DTYPE_F16, 5, 10, 0x7BFF, true},
                                 {DTYPE_BF16, 8, 7, 0x7F7F, true},
                                 {DTYPE_F8_E4M3, 4, 3, 0x7E, false},
                                 {DTYPE_F8_E5M2, 5, 2, 0x7B, true}};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

static int sign_of(const Format *f)
{
    return 1 << (f->exponent + f->mantissa);
}

// The value of a pattern without a sign, by its definition; of the one past the largest, what it would
// be if there were no infinities.
static double value_of(const Format *f, int pattern)
{
    int bias = (1 << (f->exponent - 1)) - 1;
    int exponent = pattern >> f->mantissa;
    double fraction = (double)(pattern % (1 << f->mantissa)) / (1 << f->mantissa);
    return exponent > 0 ? ldexp(1 + fraction, exponent - bias) : ldexp(fraction, 1 - bias);
}

static float read(const Format *f, int pattern)
{
    uint8_t bytes[] = {0xFF, (uint8_t)pattern, (uint8_t)(pattern >> 8)};
    float value = -1.0f;
    assert_true(dtype_to_floats(f->type, &value, bytes + 1, 1));    // not aligned
    return value;
}

static int write(const Format *f, float value)
{
    uint8_t bytes[3] = {0, 0, 0xAA};
    assert_true(dtype_from_floats(f->type, bytes, &value, 1));
    assert_int_equal(bytes[2], 0xAA);
    return bytes[0] | bytes[1] << 8;
}

static bool is_nan(const Format *f, int pattern)
{
    return (pattern & (sign_of(f) - 1)) > f->largest + f->infinite;
}

static void every_pattern_has_its_value(void **state)
{
    (void)state;
    for (const Format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++)
        for (int p = 0; p < 2 * sign_of(f); p++) {
            int magnitude = p & (sign_of(f) - 1);
            double expected = magnitude <= f->largest ? value_of(f, magnitude) : INFINITY;
            float got = read(f, p);
            if (is_nan(f, p) ? !isnan(got)
                             : (double)fabsf(got) != expected || !signbit(got) != !(p & sign_of(f)))
                fail_msg("%s 0x%X is %g, expected %g", dtype_name(f->type), p, (double)got,
                         expected);
        }
    // What the specifications themselves list (IEEE 754-2019; OCP OFP8 1.0, table 1).
    assert_true(read(&FORMATS[0], 0x7BFF) == 65504.0f && read(&FORMATS[0], 1) == 0x1p-24f);
    assert_true(read(&FORMATS[1], 0x3F80) == 1.0f && read(&FORMATS[1], 1) == 0x1p-133f);
    assert_true(read(&FORMATS[2], 0x7E) == 448.0f && read(&FORMATS[2], 1) == 0x1p-9f);
    assert_true(read(&FORMATS[3], 0x7B) == 57344.0f && read(&FORMATS[3], 1) == 0x1p-16f);
}

static void every_pattern_comes_back(void **state)
{
    (void)state;
    for (const Format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++)
        for (int p = 0; p < 2 * sign_of(f); p++) {
            int back = write(f, read(f, p));
            if (is_nan(f, p) ? !is_nan(f, back) || (back ^ p) & sign_of(f) : back != p)
                fail_msg("%s 0x%X comes back as 0x%X", dtype_name(f->type), p, back);
        }
}

// The nearest pattern, of two that are as near the even one, by distances that are exact in double.
static int nearest_to(const Format *f, float value)
{
    double size = (double)fabsf(value);
    int low = 0, high = f->largest + 2, sign = signbit(value) ? sign_of(f) : 0;
    while (high - low > 1) {    // value_of(low) <= size, high is more
        int middle = (low + high) / 2;
        if (value_of(f, middle) <= size) low = middle;
        else high = middle;
    }
    if (low > f->largest) return sign | (f->largest + 1);    // infinity, or NaN
    double below = size - value_of(f, low), above = value_of(f, low + 1) - size;
    return sign | (low + (above < below || (above == below && low % 2 == 1)));
}

static void expect_nearest(const Format *f, float value)
{
    for (int sign = 0; sign < 2; sign++, value = -value) {
        int expected = nearest_to(f, value), got = write(f, value);
        if (got != expected)
            fail_msg("%a in %s is 0x%X, expected 0x%X", (double)value, dtype_name(f->type), got,
                     expected);
#ifdef __FLT16_MAX__    // the compiler's own conversion
        _Float16 half = (_Float16)value;
        if (f->type == DTYPE_F16 && memcmp(&half, &(uint16_t){(uint16_t)got}, sizeof half) != 0)
            fail_msg("%a as F16 is 0x%X, which is not the compiler's", (double)value, got);
#endif
    }
}

static void floats_around_every_midpoint_are_rounded_to_nearest_even(void **state)
{
    (void)state;
    for (const Format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++)
        for (int p = 0; p <= f->largest; p++) {
            double low = value_of(f, p), high = value_of(f, p + 1);
            float middle = (float)((low + high) / 2);
            assert_true((double)middle == (low + high) / 2);
            expect_nearest(f, (float)low);
            expect_nearest(f, middle);
            expect_nearest(f, nextafterf(middle, 0.0f));
            expect_nearest(f, nextafterf(middle, INFINITY));
        }
}

static void floats_of_every_size_are_rounded_to_nearest_even(void **state)
{
    (void)state;
    for (const Format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++) {
        for (uint32_t bits = 0; bits < 0x7F800000; bits += 20011) {
            float value;
            memcpy(&value, &bits, sizeof value);
            expect_nearest(f, value);
        }
        expect_nearest(f, FLT_TRUE_MIN);
        expect_nearest(f, FLT_MIN);
        expect_nearest(f, FLT_MAX);
    }
}

static void an_overflow_is_infinity_or_in_e4m3_nan(void **state)
{
    (void)state;
    for (const Format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++) {
        const float past[] = {INFINITY, FLT_MAX};    // FLT_MAX is past the middle to 2^128
        for (int i = 0; i < 2; i++) {
            assert_int_equal(write(f, past[i]), f->largest + 1);
            assert_int_equal(write(f, -past[i]), sign_of(f) | (f->largest + 1));
            assert_true(f->infinite ? isinf(read(f, f->largest + 1))
                                    : isnan(read(f, f->largest + 1)));
        }
        for (uint32_t bits = 0x7F800001; bits > 0; bits = bits == 0x7F800001 ? 0xFFFFFFFF : 0) {
            float nan;
            memcpy(&nan, &bits, sizeof nan);
            if (!is_nan(f, write(f, nan))) fail_msg("a NaN in %s is none", dtype_name(f->type));
        }
    }
    assert_int_equal(write(&FORMATS[0], 65519.996f), 0x7BFF);
    assert_int_equal(write(&FORMATS[0], 65520.0f), 0x7C00);
    assert_int_equal(write(&FORMATS[2], 464.0f), 0x7E);    // as near to 480, which is odd
    assert_int_equal(write(&FORMATS[2], 464.00003f), 0x7F);
}

// ---- other types ----

static void floats_stay_and_doubles_are_rounded(void **state)
{
    (void)state;
    const uint32_t bits[] = {0x3F800000, 0x7F800001, 0x80000000, 1};    // a NaN with its bits
    float floats[4];
    uint32_t back[4];
    assert_true(dtype_to_floats(DTYPE_F32, floats, bits, 4));
    assert_memory_equal(floats, bits, sizeof bits);
    assert_true(dtype_from_floats(DTYPE_F32, back, floats, 4));
    assert_memory_equal(back, bits, sizeof bits);

    const double doubles[] = {1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-50, 1 + 0x3p-24, -1e300, 0x1p-150,
                              NAN};
    const float rounded[] = {1.0f, 1 + 0x1p-23f, 1 + 0x1p-22f, -INFINITY, 0.0f, NAN};
    char bytes[sizeof doubles + 1];
    float got[7] = {[6] = 7.0f};
    memcpy(bytes + 1, doubles, sizeof doubles);
    assert_true(dtype_to_floats(DTYPE_F64, got, bytes + 1, 6));
    for (int i = 0; i < 5; i++) assert_true(got[i] == rounded[i]);
    assert_true(isnan(got[5]) && got[6] == 7.0f);
}

static void types_that_have_no_conversion_write_nothing(void **state)
{
    (void)state;
    static const DType TO[] = {DTYPE_F32,     DTYPE_F16,     DTYPE_BF16, DTYPE_F64,
                               DTYPE_F8_E4M3, DTYPE_F8_E5M2, DTYPE_Q8_0, DTYPE_Q4_0,
                               DTYPE_Q4_1,    DTYPE_Q4_K,    DTYPE_Q6_K};
    static const DType FROM[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_F8_E5M2,
                                 DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K};
    for (int t = 0; t < DTYPE_COUNT; t++) {
        bool to = false, from = false;
        for (size_t i = 0; i < sizeof TO / sizeof *TO; i++) to |= TO[i] == (DType)t;
        for (size_t i = 0; i < sizeof FROM / sizeof *FROM; i++) from |= FROM[i] == (DType)t;
        float floats[257];
        uint8_t bytes[256 * 8];
        memset(floats, 0, sizeof floats), memset(bytes, 0, sizeof bytes);
        floats[0] = floats[256] = 7.0f, bytes[0] = 7;
        assert_int_equal(dtype_to_floats((DType)t, NULL, NULL, 0), to);
        assert_int_equal(dtype_to_floats((DType)t, floats, bytes, 256), to);
        assert_true((floats[0] != 7.0f) == to && floats[256] == 7.0f);
        floats[0] = 3.0f;
        assert_int_equal(dtype_from_floats((DType)t, NULL, NULL, 0), from);
        const uint32_t block = dtype_info[t].block;
        assert_int_equal(dtype_from_floats((DType)t, bytes, floats, block), from);
        assert_true((bytes[0] != 7) == from);
    }
}

// ---- blocks ----

static void expect_floats(DType type, const void *bytes, const float *expected, size_t count)
{
    float got[257];
    got[count] = 7.0f;
    assert_true(dtype_to_floats(type, got, bytes, count));
    for (size_t i = 0; i < count; i++)
        if (got[i] != expected[i])
            fail_msg("%s: number %zu is %.9g, expected %.9g", dtype_name(type), i, (double)got[i],
                     (double)expected[i]);
    assert_true(got[count] == 7.0f);
}

static void blocks_of_32_are_scaled(void **state)
{
    (void)state;
    // d = 0.5 (0x3800), the least number of Q4_1 is -3 (0xC200)
    uint8_t q8_0[34] = {0x00, 0x38, 1, 0xFF, 127, 0x80, [33] = 10};
    uint8_t q4_0[18] = {0x00, 0x38, 0x10, 0xF7, [17] = 0xA8};
    uint8_t q4_1[20] = {0x00, 0x38, 0x00, 0xC2, 0x10, 0xF7, [19] = 0xA8};
    float expected[32];
    for (int i = 0; i < 32; i++) expected[i] = 0.0f;
    expected[0] = 0.5f, expected[1] = -0.5f, expected[2] = 63.5f, expected[3] = -64.0f,
    expected[31] = 5.0f;
    expect_floats(DTYPE_Q8_0, q8_0, expected, 32);
    // lower halves of the bytes first: 0, 7, 0 ... 8 less 8; then the upper ones: 1, 15, 0 ... 10 less 8
    for (int i = 0; i < 32; i++) expected[i] = -4.0f;
    expected[1] = -0.5f, expected[15] = 0.0f, expected[16] = -3.5f, expected[17] = 3.5f,
    expected[31] = 1.0f;
    expect_floats(DTYPE_Q4_0, q4_0, expected, 32);
    for (int i = 0; i < 32; i++) expected[i] = -3.0f;
    expected[1] = 0.5f, expected[15] = 1.0f, expected[16] = -2.5f, expected[17] = 4.5f,
    expected[31] = 2.0f;
    expect_floats(DTYPE_Q4_1, q4_1, expected, 32);
}

static void blocks_of_256_have_a_scale_for_each_part(void **state)
{
    (void)state;
    // Q4_K, d = 0.5, that of the minima 2: scales 1 2 3 4 33 18 3 63, minima 5 6 7 8 9 10 27 60. The upper
    // bits of the last four are above the first eight: 2 1 0 3 of the scales, 0 0 1 3 of the minima.
    uint8_t q4_k[144] = {0x00,       0x38,        0x00,        0x40,        2 << 6 | 1, 1 << 6 | 2,
                         0 << 6 | 3, 3 << 6 | 4,  0 << 6 | 5,  0 << 6 | 6,  1 << 6 | 7, 3 << 6 | 8,
                         9 << 4 | 1, 10 << 4 | 2, 11 << 4 | 3, 12 << 4 | 15};
    static const float SCALES[] = {1, 2, 3, 4, 33, 18, 3, 63},
                       MINIMA[] = {5, 6, 7, 8, 9, 10, 27, 60};
    float expected[256];
    // In bytes 32 p to 32 p + 31 are parts 2 p (below) and 2 p + 1 (above): here 0 to 15, and 15 to 0.
    for (int i = 0; i < 128; i++) q4_k[16 + i] = (uint8_t)(i % 16 | (15 - i % 16) << 4);
    for (int i = 0; i < 256; i++) {
        int part = i / 32, number = part % 2 == 0 ? i % 16 : 15 - i % 16;
        expected[i] = 0.5f * SCALES[part] * (float)number - 2.0f * MINIMA[part];
    }
    expect_floats(DTYPE_Q4_K, q4_k, expected, 256);

    // Q6_K, d = 0.25, scales -8 to 7 (each for 16 numbers); the number i mod 64, put bit by bit: the
    // lower four of numbers i and i + 64 share a byte, the upper two of i, i + 32, i + 64, i + 96.
    uint8_t q6_k[210] = {[208] = 0x00, [209] = 0x34};
    for (int i = 0; i < 16; i++) q6_k[192 + i] = (uint8_t)(i - 8);
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 64; i++) q6_k[64 * half + i] = (uint8_t)(i % 16 | i % 16 << 4);
    for (int half = 0; half < 2;
         half++)    // numbers 0-15 have 0 above, 16-31 have 1, ... 48-63 have 3
        for (int i = 0; i < 32; i++) q6_k[128 + 32 * half + i] = i < 16 ? 0x88 : 0xDD;
    for (int i = 0; i < 256; i++) expected[i] = 0.25f * (float)(i / 16 - 8) * (float)(i % 64 - 32);
    expect_floats(DTYPE_Q6_K, q6_k, expected, 256);
}

static void random_blocks_are_read_as_by_ggml(void **state)
{
    (void)state;
    static const struct {
        DType type;
        uint8_t bytes[210];
        float floats[256];
    } BLOCKS[] = {
#include "tests/kernels/dtype_blocks.inc"
    };
    assert_int_equal(sizeof BLOCKS / sizeof *BLOCKS, 5);
    for (size_t i = 0; i < sizeof BLOCKS / sizeof *BLOCKS; i++)
        expect_floats(BLOCKS[i].type, BLOCKS[i].bytes, BLOCKS[i].floats,
                      dtype_info[BLOCKS[i].type].block == 32 ? 64 : 256);
}

// ---- floats to blocks ----

static void numbers_become_the_blocks_that_ggml_makes_of_them(void **state)
{
    (void)state;
    static const struct {
        DType type;
        float floats[96];
        uint8_t bytes[3 * 34];
    } BLOCKS[] = {
#include "tests/kernels/quantized.inc"
    };
    for (size_t i = 0; i < sizeof BLOCKS / sizeof *BLOCKS; i++) {
        uint8_t bytes[sizeof BLOCKS[i].bytes] = {0};
        assert_true(dtype_from_floats(BLOCKS[i].type, bytes, BLOCKS[i].floats, 96));
        for (size_t b = 0; b < sizeof bytes; b++)
            if (bytes[b] != BLOCKS[i].bytes[b])
                fail_msg("%s: byte %zu is %d, expected %d", dtype_name(BLOCKS[i].type), b, bytes[b],
                         BLOCKS[i].bytes[b]);
    }
}

// A number of (-1, 1) whose i-th is the same in every run.
static float scattered(uint32_t i)
{
    i = (i + 1) * 2654435761u;
    i = (i ^ i >> 15) * 2246822519u;
    return (float)(int32_t)(i ^ i >> 13) * 0x1p-31f;
}

// The root of the mean square of what is lost, relative to the numbers' own.
static double relative_loss(DType type, float scale, float offset)
{
    enum { COUNT = 64 * 256 };
    static float x[COUNT], back[COUNT];
    static uint8_t bytes[2 * COUNT];
    double lost = 0, size = 0;
    for (uint32_t i = 0; i < COUNT; i++)    // the sum of three is bell-shaped
        x[i] = offset + scale * (scattered(3 * i) + scattered(3 * i + 1) + scattered(3 * i + 2));
    assert_true(dtype_from_floats(type, bytes, x, COUNT));
    assert_true(dtype_to_floats(type, back, bytes, COUNT));
    for (int i = 0; i < COUNT; i++) {
        lost += ((double)back[i] - x[i]) * ((double)back[i] - x[i]);
        size += (double)x[i] * x[i];
    }
    return sqrt(lost / size);
}

// Rounding to steps of s loses s / sqrt(12) at most, s being a block's spread over the number of steps.
static void blocks_lose_as_little_as_their_bits_allow(void **state)
{
    (void)state;
    static const struct {
        DType type;
        double least, most;
    } LOSS[] = {{DTYPE_Q8_0, 0.002, 0.006},
                {DTYPE_Q4_0, 0.05, 0.10},
                {DTYPE_Q4_1, 0.05, 0.09},
                {DTYPE_Q4_K, 0.04, 0.075}};
    for (size_t i = 0; i < sizeof LOSS / sizeof *LOSS; i++)
        for (int k = -3; k <= 3; k++) {
            const double loss = relative_loss(LOSS[i].type, powf(10, (float)k), 0);
            if (!(loss >= LOSS[i].least && loss <= LOSS[i].most))
                fail_msg("%s loses %.4f of numbers of size 1e%d, expected %.3f to %.3f",
                         dtype_name(LOSS[i].type), loss, k, LOSS[i].least, LOSS[i].most);
        }
    // Numbers far from 0 keep their differences only in types with a minimum, which Q4_K has for negative ones.
    assert_true(relative_loss(DTYPE_Q4_K, 0.1f, -1) < 0.012);
    assert_true(relative_loss(DTYPE_Q4_1, 0.1f, 1) < 0.012);
    assert_true(relative_loss(DTYPE_Q4_0, 0.1f, 1) > 0.02);
    assert_true(relative_loss(DTYPE_Q4_K, 0.1f, 1) < 0.03);
}

static void blocks_of_one_number_keep_it(void **state)
{
    (void)state;
    static const DType TYPES[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K};
    static const float NUMBERS[] = {0, 1, -1, 0.37f, -250};
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++)
        for (size_t n = 0; n < sizeof NUMBERS / sizeof *NUMBERS; n++) {
            float x[256], back[256];
            uint8_t bytes[512];
            for (int i = 0; i < 256; i++) x[i] = NUMBERS[n];
            assert_true(dtype_from_floats(TYPES[t], bytes, x, 256));
            assert_true(dtype_to_floats(TYPES[t], back, bytes, 256));
            for (int i = 0; i < 256; i++)
                if (!(fabsf(back[i] - x[i]) <= fabsf(x[i]) * 0x1p-10f))    // a half's precision
                    fail_msg("%s: %g became %g", dtype_name(TYPES[t]), (double)x[i],
                             (double)back[i]);
        }
}

// One over their scale overflows: what is written must not depend on what infinity is as a whole number.
static void blocks_of_the_smallest_numbers_become_zeros(void **state)
{
    (void)state;
    static const DType TYPES[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K};
    static const uint8_t CODES[] = {0, 0x88, 0, 0};    // a Q4_0 of 8 is 0
    float x[256], back[256];
    uint8_t bytes[512];
    for (int i = 0; i < 256; i++) x[i] = i % 3 == 0 ? 1e-38f : i % 3 == 1 ? -1e-39f : 0;
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
        assert_true(dtype_from_floats(TYPES[t], bytes, x, 256));
        assert_true(dtype_to_floats(TYPES[t], back, bytes, 256));
        for (int i = 0; i < 256; i++) assert_true(fabsf(back[i]) < 1e-30f);
        if (TYPES[t] != DTYPE_Q4_K)
            assert_int_equal(bytes[dtype_info[TYPES[t]].bytes - 1], CODES[t]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_and_number_leads_to_its_type),
        cmocka_unit_test(bytes_are_those_of_whole_blocks),
        cmocka_unit_test(every_pattern_has_its_value),
        cmocka_unit_test(every_pattern_comes_back),
        cmocka_unit_test(floats_around_every_midpoint_are_rounded_to_nearest_even),
        cmocka_unit_test(floats_of_every_size_are_rounded_to_nearest_even),
        cmocka_unit_test(an_overflow_is_infinity_or_in_e4m3_nan),
        cmocka_unit_test(floats_stay_and_doubles_are_rounded),
        cmocka_unit_test(types_that_have_no_conversion_write_nothing),
        cmocka_unit_test(blocks_of_32_are_scaled),
        cmocka_unit_test(blocks_of_256_have_a_scale_for_each_part),
        cmocka_unit_test(random_blocks_are_read_as_by_ggml),
        cmocka_unit_test(numbers_become_the_blocks_that_ggml_makes_of_them),
        cmocka_unit_test(blocks_lose_as_little_as_their_bits_allow),
        cmocka_unit_test(blocks_of_one_number_keep_it),
        cmocka_unit_test(blocks_of_the_smallest_numbers_become_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
