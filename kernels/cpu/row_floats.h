/* row_floats.h -- rows of weights as floats: what dtype_to_floats does, in loops that become vectors.
 *
 *     weights_to_floats(DTYPE_Q4_1, out, in, 768);    // whole blocks
 */
#pragma once
#include "kernels/cpu/small_numbers.h"

static void f16_to_floats(float *out, const uint8_t *in, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) vec_store(out + i, load_halves(in + 2 * i));
    for (; i < n; i++) out[i] = load_half(in + 2 * i);
}

static void bf16_to_floats(float *out, const uint8_t *in, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) vec_store(out + i, (Vec)(vec_from_shorts(in + 2 * i) << 16));
    dtype_to_floats(DTYPE_BF16, out + i, in + 2 * i, n - i);
}

typedef uint8_t Bytes __attribute__((vector_size(16)));

INLINED Bytes load_16_bytes(const uint8_t *in)
{
    Bytes x;
    memcpy(&x, in, sizeof x);
    return x;
}

// out[i] = d code[i] + least; d times a code is exact, so that each number is rounded at most once.
INLINED void codes_to_16(float *out, Bytes code, const bool with_sign, float d, float least)
{
#if LANES == 16
    const __m128i byte = (__m128i)code;
    const __m512i wide = with_sign ? _mm512_cvtepi8_epi32(byte) : _mm512_cvtepu8_epi32(byte);
    vec_store(out, d * (Vec)_mm512_cvtepi32_ps(wide) + least);
#elif LANES == 8
    UNROLL
    for (int half = 0; half < 2; half++) {
        const __m128i byte = half == 0 ? (__m128i)code : _mm_srli_si128((__m128i)code, 8);
        const __m256i wide = with_sign ? _mm256_cvtepi8_epi32(byte) : _mm256_cvtepu8_epi32(byte);
        vec_store(out + 8 * half, d * (Vec)_mm256_cvtepi32_ps(wide) + least);
    }
#else
    for (int i = 0; i < 16; i++)
        out[i] = d * (float)(with_sign ? (int8_t)code[i] : code[i]) + least;
#endif
}

// The codes in the lower or upper halves of 16 bytes.
INLINED void nibbles_to_16(float *out, const uint8_t *in, const bool upper, float d, float least)
{
    const Bytes both = load_16_bytes(in);
    codes_to_16(out, upper ? both >> 4 : both & 15, false, d, least);
}

static void q8_0_to_floats(float *out, const uint8_t *in)
{
    const float d = load_half(in);
    codes_to_16(out, load_16_bytes(in + 2), true, d, 0);
    codes_to_16(out + 16, load_16_bytes(in + 18), true, d, 0);
}

static void q4_0_to_floats(float *out, const uint8_t *in)
{
    const float d = load_half(in);
    nibbles_to_16(out, in + 2, false, d, -8 * d);
    nibbles_to_16(out + 16, in + 2, true, d, -8 * d);
}

static void q4_1_to_floats(float *out, const uint8_t *in)
{
    const float d = load_half(in), least = load_half(in + 2);
    nibbles_to_16(out, in + 4, false, d, least);
    nibbles_to_16(out + 16, in + 4, true, d, least);
}

static void q4_k_to_floats(float *out, const uint8_t *in)
{
    const float d = load_half(in), m = load_half(in + 2);
    UNROLL
    for (int part = 0; part < 8; part++, out += 32) {
        const uint8_t *s = in + 4 + part, *q = in + 16 + part / 2 * 32;
        const int scale = part < 4 ? s[0] & 63 : (s[4] & 15) | s[-4] >> 6 << 4;
        const int least = part < 4 ? s[4] & 63 : s[4] >> 4 | s[0] >> 6 << 4;
        nibbles_to_16(out, q, part % 2, d * (float)scale, -m * (float)least);
        nibbles_to_16(out + 16, q + 16, part % 2, d * (float)scale, -m * (float)least);
    }
}

static void q6_k_to_floats(float *out, const uint8_t *in)
{
    const float d = load_half(in + 208);
    UNROLL
    for (int part = 0; part < 16; part++, out += 16) {    // 16 numbers each
        const int shift = part / 2 % 4 * 2;               // of the upper bits
        const uint8_t *low = in + part / 8 * 64 + part % 4 * 16;
        const uint8_t *high = in + 128 + part / 8 * 32 + part % 2 * 16;
        const float by = d * (float)(int8_t)in[192 + part];
        const Bytes lower = load_16_bytes(low) >> (part / 4 % 2 * 4) & 15;
        const Bytes upper = load_16_bytes(high) >> shift & 3;
        codes_to_16(out, lower | upper << 4, false, by, -32 * by);
    }
}

typedef void BlockToFloats(float *out, const uint8_t *in);

static BlockToFloats *const block_to_floats[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = q8_0_to_floats, [DTYPE_Q4_0] = q4_0_to_floats, [DTYPE_Q4_1] = q4_1_to_floats,
    [DTYPE_Q4_K] = q4_k_to_floats, [DTYPE_Q6_K] = q6_k_to_floats,
};

static void weights_to_floats(DType type, float *out, const uint8_t *in, size_t n)
{
    if (type == DTYPE_F32) memcpy(out, in, n * sizeof *out);
    else if (type == DTYPE_F16) f16_to_floats(out, in, n);
    else if (type == DTYPE_BF16) bf16_to_floats(out, in, n);
    else
        for (size_t i = 0; i < n; i += dtype_info[type].block, in += dtype_info[type].bytes)
            block_to_floats[type](out + i, in);
}
