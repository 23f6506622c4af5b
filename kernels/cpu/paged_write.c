/* paged_write.c -- keys and values into the slots of a KV cache, to the same bits as ref. */
#include <math.h>
#include <string.h>
#include "kernels/cpu/attention.h"
#include "kernels/cpu/loops.h"

static void write_f16(uint8_t *out, const float *x, size_t n)
{
    size_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i_u *)(out + 2 * i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    dtype_from_floats(DTYPE_F16, out + 2 * i, x + i, n - i);
}

static void write_bf16(uint8_t *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        const uint32_t quiet = (bits >> 16 & 0x8000) | 0x7fc0;
        const uint16_t kept = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
        memcpy(out + 2 * i, &kept, sizeof kept);
    }
}

// The scale of 32 numbers: NaN where one of them is not finite, 0 where nothing would be left of them.
static float scale_of(const float x[32])
{
    Vec most = {0}, finite = {0};
    for (size_t i = 0; i < 32; i += LANES) {
        const Vec v = vec_load(x + i);
        most = vec_max((Vec)((IntVec)v & 0x7fffffff), most);
        finite += 0 * v;
    }
    float largest = 0, sum = 0;
    for (size_t l = 0; l < LANES; l++) largest = MAX(largest, most[l]), sum += finite[l];
    return isnan(sum) ? NAN : largest > 1e-30f ? largest / 127 : 0;
}

static void write_q8_0(uint8_t *out, const float *x, size_t n)
{
    typedef int8_t Codes __attribute__((vector_size(LANES)));
    for (size_t b = 0; b < n; b += 32, x += 32, out += 34) {
        const float d = scale_of(x), scale = d > 0 ? 1 / d : 0;
        write_f16(out, &d, 1);
        memset(out + 2, 0, 32);
        for (size_t i = 0; d > 0 && i < 32; i += LANES) {
            // To the nearest, ties away from 0: a comparison is no sum, which might fuse with the product.
            const Vec t = scale * vec_load(x + i);
            IntVec code = __builtin_convertvector(t, IntVec);
            const Vec whole = __builtin_convertvector(code, Vec);
            code -= t >= whole + 0.5f;
            code += t <= whole - 0.5f;
            const Codes codes = __builtin_convertvector(code, Codes);
            memcpy(out + 2 + i, &codes, sizeof codes);
        }
    }
}

static void write_row(DType type, uint8_t *out, const float *x, size_t n)
{
    if (type == DTYPE_F32) memcpy(out, x, n * sizeof *x);
    else if (type == DTYPE_F16) write_f16(out, x, n);
    else if (type == DTYPE_BF16) write_bf16(out, x, n);
    else write_q8_0(out, x, n);
}

void CPU(paged_write)(PagedKv kv, const float *k, size_t k_row, const float *v, size_t v_row,
                      const int64_t *slot, int tokens)
{
    const size_t n = (size_t)kv.kv_heads * (size_t)kv.head, bytes = paged_slot_bytes(kv);
    if (n == 0) return;
    EACH_ROW(i, tokens, 2 * n, LIGHT, {
        write_row(kv.type, (uint8_t *)kv.k + (size_t)slot[i] * bytes, k + i * k_row, n);
        write_row(kv.type, (uint8_t *)kv.v + (size_t)slot[i] * bytes, v + i * v_row, n);
    });
}
