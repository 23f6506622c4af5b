/* row_floats.h -- rows of weights as floats: what dtype_to_floats does, in loops that become vectors.
 *
 *     weights_to_floats(DTYPE_Q4_1, out, in, 768);    // whole blocks
 */
#pragma once
#include <string.h>
#include "kernels/cpu/part.h"

INLINED float half_to_float(const uint8_t *in)
{
    uint16_t bits;
    memcpy(&bits, in, sizeof bits);
#ifdef __F16C__
    return _cvtsh_ss(bits);
#else
    float value;
    dtype_to_floats(DTYPE_F16, &value, in, 1);
    return value;
#endif
}

static void f16_to_floats(float *out, const uint8_t *in, size_t n)
{
    size_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(in + 2 * i))));
#endif
    for (; i < n; i++) out[i] = half_to_float(in + 2 * i);
}

typedef uint16_t ShortInMemory __attribute__((aligned(1), may_alias));

static void bf16_to_floats(float *out, const uint8_t *in, size_t n)
{
    const ShortInMemory *bits = (const ShortInMemory *)in;
    for (size_t i = 0; i < n; i++) {
        const uint32_t wide = (uint32_t)bits[i] << 16;
        memcpy(out + i, &wide, sizeof wide);
    }
}

static void q8_0_to_floats(float *out, const uint8_t *in)
{
    const float d = half_to_float(in);
    for (int i = 0; i < 32; i++) out[i] = d * (float)(int8_t)in[2 + i];
}

// 16 bytes: 16 codes below, 16 above.
INLINED void nibbles_to_floats(float *out, const uint8_t *in, float d, float least, int zero)
{
    for (int i = 0; i < 16; i++) out[i] = d * (float)((in[i] & 15) - zero) + least;
    for (int i = 0; i < 16; i++) out[16 + i] = d * (float)((in[i] >> 4) - zero) + least;
}

static void q4_0_to_floats(float *out, const uint8_t *in)
{
    nibbles_to_floats(out, in + 2, half_to_float(in), 0, 8);
}

static void q4_1_to_floats(float *out, const uint8_t *in)
{
    nibbles_to_floats(out, in + 4, half_to_float(in), half_to_float(in + 2), 0);
}

static void q4_k_to_floats(float *out, const uint8_t *in)
{
    const float d = half_to_float(in), m = half_to_float(in + 2);
    for (int part = 0; part < 8; part++) {
        const uint8_t *s = in + 4 + part, *q = in + 16 + part / 2 * 32;
        const int scale = part < 4 ? s[0] & 63 : (s[4] & 15) | s[-4] >> 6 << 4;
        const int least = part < 4 ? s[4] & 63 : s[4] >> 4 | s[0] >> 6 << 4;
        const float by = d * (float)scale, less = m * (float)least;
        float *to = out + 32 * part;
        if (part % 2 == 0)
            for (int i = 0; i < 32; i++) to[i] = by * (float)(q[i] & 15) - less;
        else
            for (int i = 0; i < 32; i++) to[i] = by * (float)(q[i] >> 4) - less;
    }
}

static void q6_k_to_floats(float *out, const uint8_t *in)
{
    const float d = half_to_float(in + 208);
    for (int part = 0; part < 16; part++) {    // 16 numbers each
        const int shift = part / 2 % 4 * 2;    // of the upper bits
        const uint8_t *low = in + part / 8 * 64 + part % 4 * 16;
        const uint8_t *high = in + 128 + part / 8 * 32 + part % 2 * 16;
        const float by = d * (float)(int8_t)in[192 + part];
        float *to = out + 16 * part;
        for (int i = 0; i < 16; i++) {
            const int code = (part / 4 % 2 ? low[i] >> 4 : low[i] & 15) | (high[i] >> shift & 3)
                                                                              << 4;
            to[i] = by * (float)(code - 32);
        }
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
