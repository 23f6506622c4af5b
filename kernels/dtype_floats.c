/* dtype_floats.c -- numbers of other types to floats and back. */
#include <string.h>
#include "kernels/dtype_quantize.h"

typedef union Bits {
    uint32_t bits;
    float value;
} Bits;

enum { MANTISSA = 23, INFINITE = 0x7F800000 };    // of a float

// A sign, an exponent and a mantissa in 8 or 16 bits. The pattern after the largest finite number is
// infinity, or NaN where there is no infinity.
typedef struct Small {
    int bits, mantissa, bias, largest;
} Small;

static const Small small[DTYPE_COUNT] = {
    [DTYPE_F16] = {16, 10, 15, 0x7BFF},     // IEEE 754-2019, binary16
    [DTYPE_BF16] = {16, 7, 127, 0x7F7F},    // the upper half of a float
    [DTYPE_F8_E4M3] = {8, 3, 7, 0x7E},      // OCP 8-bit Floating Point Specification 1.0, 448
    [DTYPE_F8_E5M2] = {8, 2, 15, 0x7B},     // the same, 57344
};

static float widen(const Small *type, int bits)
{
    int magnitude = bits & ((1 << (type->bits - 1)) - 1);
    Bits scale = {(uint32_t)(254 - type->bias) << MANTISSA};    // 2^(127 - bias)
    Bits x = {(uint32_t)magnitude << (MANTISSA - type->mantissa)};
    if (magnitude > type->largest) x.bits |= INFINITE;
    else x.value *= scale.value;    // exact, and right for subnormal numbers too
    x.bits |= (uint32_t)(bits >> (type->bits - 1)) << 31;
    return x.value;
}

static int narrow(const Small *type, float value)
{
    Bits x = {.value = value};
    int sign = (int)(x.bits >> 31) << (type->bits - 1);
    int exponent = (int)(x.bits >> MANTISSA & 255), least = 128 - type->bias;
    uint32_t mantissa = x.bits & ((1 << MANTISSA) - 1);
    if (exponent == 255 && mantissa != 0)
        return sign | (type->largest + 1) | 1 << (type->mantissa - 1);    // NaN, a quiet one

    // Numbers below the least normal one lose a bit for each power of two.
    if (exponent > 0) mantissa |= 1 << MANTISSA;
    else exponent = 1;
    int lost = MANTISSA - type->mantissa + (exponent < least ? least - exponent : 0);
    if (lost > MANTISSA + 2) lost = MANTISSA + 2;    // less than half of the least number
    int kept = exponent > least ? (exponent - least) << type->mantissa : 0;
    kept += (int)((mantissa + (1u << (lost - 1)) - 1 + (mantissa >> lost & 1)) >> lost);
    return sign | (kept > type->largest ? type->largest + 1 : kept);
}

static int load(const uint8_t *in, size_t bytes)
{
    return bytes == 1 ? in[0] : in[0] | in[1] << 8;
}

// ---- blocks: ggml, src/ggml-common.h (block_q4_0 ...) and src/ggml-quants.c (dequantize_row_q4_0 ...).
// A half d scales the numbers. Products are exact in a float, so each number is rounded at most once.

static float half(const uint8_t *in)
{
    return widen(&small[DTYPE_F16], load(in, 2));
}

static void read_q8_0(float *out, const uint8_t *in)    // d, 32 signed bytes
{
    float d = half(in);
    for (int i = 0; i < 32; i++) out[i] = d * (float)(int8_t)in[2 + i];
}

// In each byte, one of the first 16 numbers below and one of the last 16 above.
static void read_q4_0(float *out, const uint8_t *in)    // d, 16 bytes
{
    float d = half(in);
    for (int i = 0; i < 32; i++) out[i] = d * (float)((in[2 + i % 16] >> i / 16 * 4 & 15) - 8);
}

static void read_q4_1(float *out, const uint8_t *in)    // d, the least number, 16 bytes
{
    float d = half(in), least = half(in + 2);
    for (int i = 0; i < 32; i++) out[i] = d * (float)(in[4 + i % 16] >> i / 16 * 4 & 15) + least;
}

// d and a scale of the minima; 8 scales and 8 minima in 12 bytes; 128 bytes, each with numbers of two parts.
static void read_q4_k(float *out, const uint8_t *in)
{
    for (int part = 0; part < 8; part++) {
        const uint8_t *s = in + 4 + part, *q = in + 16 + part / 2 * 32;
        int scale = part < 4 ? s[0] & 63 : (s[4] & 15) | s[-4] >> 6 << 4;
        int least = part < 4 ? s[4] & 63 : s[4] >> 4 | s[0] >> 6 << 4;
        float d = half(in) * (float)scale, m = half(in + 2) * (float)least;
        for (int i = 0; i < 32; i++)
            out[32 * part + i] = d * (float)(q[i] >> part % 2 * 4 & 15) - m;
    }
}

// The lower 4 bits in 128 bytes, the upper 2 in 64; 16 signed scales; d.
static void read_q6_k(float *out, const uint8_t *in)
{
    float d = half(in + 208);
    for (int i = 0; i < 256; i++) {
        const uint8_t *low = in + i / 128 * 64, *high = in + 128 + i / 128 * 32;
        int q = (low[i % 64] >> i / 64 % 2 * 4 & 15) | (high[i % 32] >> i / 32 % 4 * 2 & 3) << 4;
        out[i] = d * (float)(int8_t)in[192 + i / 16] * (float)(q - 32);
    }
}

static void (*const read_block[DTYPE_COUNT])(float *out, const uint8_t *in) = {
    [DTYPE_Q8_0] = read_q8_0, [DTYPE_Q4_0] = read_q4_0, [DTYPE_Q4_1] = read_q4_1,
    [DTYPE_Q4_K] = read_q4_k, [DTYPE_Q6_K] = read_q6_k,
};

// ---- arrays ----

bool dtype_to_floats(DType type, float *out, const void *in, size_t count)
{
    const DTypeInfo *info = &dtype_info[type];
    const uint8_t *bytes = in;
    if (type == DTYPE_F32) {
        if (count > 0) memcpy(out, in, count * sizeof *out);
    } else if (type == DTYPE_F64) {
        double value;
        for (size_t i = 0; i < count; i++) {
            memcpy(&value, bytes + i * sizeof value, sizeof value);
            out[i] = (float)value;
        }
    } else if (small[type].bits > 0) {
        for (size_t i = 0; i < count; i++)
            out[i] = widen(&small[type], load(bytes + i * info->bytes, info->bytes));
    } else if (read_block[type] != NULL) {
        for (size_t b = 0; b < count / info->block; b++)
            read_block[type](out + b * info->block, bytes + b * info->bytes);
    } else {
        return false;
    }
    return true;
}

bool dtype_from_floats(DType type, void *out, const float *in, size_t count)
{
    uint8_t *bytes = out;
    size_t each = dtype_info[type].bytes;
    if (type == DTYPE_F32) {
        if (count > 0) memcpy(out, in, count * sizeof *in);
    } else if (small[type].bits > 0) {
        for (size_t i = 0; i < count; i++) {
            int bits = narrow(&small[type], in[i]);
            for (size_t b = 0; b < each; b++) bytes[i * each + b] = (uint8_t)(bits >> 8 * b);
        }
    } else {
        return dtype_quantize(type, out, in, count);
    }
    return true;
}
