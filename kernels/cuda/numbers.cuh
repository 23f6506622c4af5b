/* numbers.cuh -- numbers of a model file's types (dtype.h) on the device: read one by one, written by blocks.
 *
 *     float x = number_at<DTYPE_Q4_K>(row, c);    // number c of a row; any alignment will do
 *     number_write<DTYPE_BF16>(row, c, x);
 */
#pragma once
#include "kernels/cuda/launch.h"
#include "kernels/dtype.h"

__device__ inline float half_at(const uint8_t *in)
{
    return __half2float(__ushort_as_half((unsigned short)(in[0] | in[1] << 8)));
}

// Products of a scale and a code are exact in a float, so that fused or not a number is rounded once.
template <DType TYPE> __device__ float number_at(const uint8_t *row, size_t c)
{
    if constexpr (TYPE == DTYPE_F32) {
        float x;
        memcpy(&x, row + 4 * c, sizeof x);
        return x;
    } else if constexpr (TYPE == DTYPE_F16) {
        return half_at(row + 2 * c);
    } else if constexpr (TYPE == DTYPE_BF16) {
        return __uint_as_float((unsigned)(row[2 * c] | row[2 * c + 1] << 8) << 16);
    } else if constexpr (TYPE == DTYPE_Q8_0) {    // d, 32 signed bytes
        const uint8_t *in = row + c / 32 * 34;
        return half_at(in) * (float)(int8_t)in[2 + c % 32];
    } else if constexpr (TYPE == DTYPE_Q4_0) {    // d, 16 bytes
        const uint8_t *in = row + c / 32 * 18;
        return half_at(in) * (float)((in[2 + c % 16] >> c % 32 / 16 * 4 & 15) - 8);
    } else if constexpr (TYPE == DTYPE_Q4_1) {    // d, the least number, 16 bytes
        const uint8_t *in = row + c / 32 * 20;
        return half_at(in) * (float)(in[4 + c % 16] >> c % 32 / 16 * 4 & 15) + half_at(in + 2);
    } else if constexpr (TYPE == DTYPE_Q4_K) {
        // d and a scale of the minima; 8 scales and 8 minima in 12 bytes; in 128 bytes numbers of two parts each
        const uint8_t *in = row + c / 256 * 144;
        const int part = c % 256 / 32;
        const uint8_t *s = in + 4 + part, q = in[16 + part / 2 * 32 + c % 32];
        const int scale = part < 4 ? s[0] & 63 : (s[4] & 15) | s[-4] >> 6 << 4;
        const int least = part < 4 ? s[4] & 63 : s[4] >> 4 | s[0] >> 6 << 4;
        return half_at(in) * (float)scale * (float)(q >> part % 2 * 4 & 15) -
               half_at(in + 2) * (float)least;
    } else {
        static_assert(TYPE == DTYPE_Q6_K, "a type of row_product.h");
        // the lower 4 bits in 128 bytes, the upper 2 in 64; 16 signed scales; d
        const uint8_t *in = row + c / 256 * 210;
        const int i = c % 256;
        const int low = in[i / 128 * 64 + i % 64] >> i / 64 % 2 * 4 & 15;
        const int high = in[128 + i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
        return half_at(in + 208) * (float)(int8_t)in[192 + i / 16] *
               (float)((low | high << 4) - 32);
    }
}

// A sign, an exponent and a mantissa in 8 or 16 bits: dtype_floats.c's narrow().
struct SmallFloat {
    int bits, mantissa, bias, largest;
};

__device__ inline int narrow(SmallFloat type, float value)
{
    const uint32_t x = __float_as_uint(value);
    const int sign = (int)(x >> 31) << (type.bits - 1);
    int exponent = (int)(x >> 23 & 255);
    const int least = 128 - type.bias;
    uint32_t mantissa = x & ((1 << 23) - 1);
    if (exponent == 255 && mantissa != 0)
        return sign | (type.largest + 1) | 1 << (type.mantissa - 1);    // NaN, a quiet one
    if (exponent > 0) mantissa |= 1 << 23;
    else exponent = 1;
    const int lost = min(23 - type.mantissa + max(least - exponent, 0), 25);
    int kept = exponent > least ? (exponent - least) << type.mantissa : 0;
    kept += (int)((mantissa + (1u << (lost - 1)) - 1 + (mantissa >> lost & 1)) >> lost);
    return sign | (kept > type.largest ? type.largest + 1 : kept);
}

constexpr SmallFloat small_f16 = {16, 10, 15, 0x7BFF}, small_bf16 = {16, 7, 127, 0x7F7F},
                     small_e4m3 = {8, 3, 7, 0x7E}, small_e5m2 = {8, 2, 15, 0x7B};

__device__ inline void put_half(uint8_t *out, float value)
{
    const int bits = narrow(small_f16, value);
    out[0] = (uint8_t)bits;
    out[1] = (uint8_t)(bits >> 8);
}

// Of the types that have no blocks.
template <DType TYPE> __device__ void number_write(uint8_t *row, size_t c, float x)
{
    if constexpr (TYPE == DTYPE_F32) {
        memcpy(row + 4 * c, &x, sizeof x);
    } else if constexpr (TYPE == DTYPE_F8_E4M3 || TYPE == DTYPE_F8_E5M2) {
        row[c] = (uint8_t)narrow(TYPE == DTYPE_F8_E4M3 ? small_e4m3 : small_e5m2, x);
    } else {
        static_assert(TYPE == DTYPE_F16 || TYPE == DTYPE_BF16, "a type without blocks");
        const int bits = narrow(TYPE == DTYPE_F16 ? small_f16 : small_bf16, x);
        row[2 * c] = (uint8_t)bits;
        row[2 * c + 1] = (uint8_t)(bits >> 8);
    }
}

struct StoredBlock {
    int numbers, bytes;
};

constexpr StoredBlock stored_blocks[DTYPE_COUNT] = {
#define X(name, kind, block, bytes, safetensors, gguf) {block, bytes},
    DTYPE_LIST(X)
#undef X
};

inline size_t stored_bytes(DType type, size_t numbers)
{
    return numbers / stored_blocks[type].numbers * stored_blocks[type].bytes;
}
