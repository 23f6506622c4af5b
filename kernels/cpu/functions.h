/* functions.h -- exp and its relatives without branches, so that a loop over them becomes vectors.
 *
 *     #pragma omp simd
 *     for (size_t i = 0; i < n; i++)
 *         y[i] = fast_exp(x[i]);
 *
 * Largest errors against the true value, swept in tests/kernels/test_functions.c: fast_exp 1 ulp,
 * fast_sigmoid and fast_tanh 3, fast_log1p 2 on [0,1]. NaN stays NaN, infinities have their limits,
 * what overflows is infinite and what underflows becomes denormal, then 0.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// x = n ln 2 + r with |r| <= ln 2 / 2. Returns exp(r) - 1; *low and *high multiply to 2^n: two
// factors, because 2^n alone has no float where exp(x) is denormal or just below overflow.
INLINE float reduced_expm1(float x, float *low, float *high)
{
    const float magic = 0x1.8p23f;    // adding it rounds to an integer, in the lowest bits
    const float shifted = x * 0x1.715476p0f + magic;
    const float n = shifted - magic;
    const float r = (x - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f;    // n ln2's head is exact

    const int32_t exponent = (int32_t)(bits_of_float(shifted) - bits_of_float(magic));
    const int32_t half = exponent >> 1;
    *low = float_from_bits((uint32_t)(half + 127) << 23);
    *high = float_from_bits((uint32_t)(exponent - half + 127) << 23);

    // Cephes expf (Moshier 1989): a minimax polynomial of exp(r) = 1 + r + r^2 p(r).
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

// Comparisons are written so that NaN passes through the clamp.
INLINE float fast_exp(float x)
{
    float low, high;
    x = x > 89.0f ? 89.0f : x;        // exp is infinite from 88.73
    x = x < -104.0f ? -104.0f : x;    // and 0 from -103.98
    const float p = reduced_expm1(x, &low, &high);
    return (p + 1.0f) * low * high;
}

// exp(x) - 1 for x <= 0, also where it is tiny.
INLINE float fast_expm1_negative(float x)
{
    float low, high;
    x = x < -30.0f ? -30.0f : x;    // -1 to the last bit
    const float p = reduced_expm1(x, &low, &high), power = low * high;
    return p * power + (power - 1.0f);
}

// Only exp of a negative number is taken, so that nothing overflows.
INLINE float fast_sigmoid(float x)
{
    const float e = fast_exp(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

INLINE float fast_tanh(float x)
{
    const float e = fast_expm1_negative(-2.0f * fabsf(x));
    return copysignf(-e / (2.0f + e), x);
}

// log(1 + x) for 0 <= x <= 1, as 2 atanh(s) with s = x / (2 + x) <= 1/3: the odd series of atanh.
INLINE float fast_log1p(float x)
{
    const float s = x / (2.0f + x), t = s * s;
    float p = 1.0f / 15.0f;
    p = p * t + 1.0f / 13.0f;
    p = p * t + 1.0f / 11.0f;
    p = p * t + 1.0f / 9.0f;
    p = p * t + 1.0f / 7.0f;
    p = p * t + 1.0f / 5.0f;
    p = p * t + 1.0f / 3.0f;
    return 2.0f * (s + s * (t * p));
}

// x or a bound; NaN stays.
INLINE float clamped(float x, float bound)
{
    x = x > bound ? bound : x;
    return x < -bound ? -bound : x;
}

// The GELUs and SiLU, and their slopes. Beyond these bounds y is x or 0 and the slope 1 or 0, and an infinite x
// would be multiplied by 0. With e = exp(-|t|), u (1 - u) is e / (1 + e)^2 for u = sigmoid(t): no digit is lost.
enum { GELU_FAR = 15, SILU_FAR = 110 };

// 2 z of the tanh form.
INLINE float gelu_argument(float x)
{
    return x * (0x1.988454p0f + 0x1.2444f2p-4f * x * x);
}

INLINE float fast_gelu(float x)
{
    const float near = x < -GELU_FAR ? -GELU_FAR : x;
    return near / (1.0f + fast_exp(-gelu_argument(near)));
}

// u + x u (1 - u) t' for u = sigmoid(t)
INLINE float gate_slope(float x, float t, float dt)
{
    const float e = fast_exp(-fabsf(t)), r = 1.0f / (1.0f + e);
    return (t < 0.0f ? e : 1.0f) * r + x * dt * (e * r * r);
}

INLINE float fast_gelu_slope(float x)
{
    const float near = clamped(x, GELU_FAR);
    return gate_slope(near, gelu_argument(near), 0x1.988454p0f + 0x1.b6676cp-3f * near * near);
}

// Phi(-x) / exp(-x^2/2) for x >= 0: a minimax fit over [0,14] in t = 1 / (1 + 0.3 x), off by 1.5e-7 of itself.
INLINE float mills(float x)
{
    const float t = 1.0f / (1.0f + 0.3f * x);
    float p = 0x1.243f6ep-5f;
    p = p * t - 0x1.41f3b4p-3f;
    p = p * t + 0x1.a69caep-3f;
    p = p * t - 0x1.b7c6d2p-5f;
    p = p * t + 0x1.074b54p-3f;
    p = p * t + 0x1.993ee2p-4f;
    p = p * t + 0x1.ee9bb4p-4f;
    p = p * t + 0x1.ea006ap-4f;
    return p * t;
}

INLINE float fast_gelu_erf(float x)
{
    const float near = clamped(x, GELU_FAR),
                tail = fast_exp(-0.5f * near * near) * mills(fabsf(near));
    return near < 0.0f ? near * tail : x * (1.0f - tail);
}

INLINE float fast_gelu_erf_slope(float x)
{
    const float near = clamped(x, GELU_FAR), bell = fast_exp(-0.5f * near * near);
    const float tail = bell * mills(fabsf(near));
    return (near < 0.0f ? tail : 1.0f - tail) + near * (0x1.988454p-2f * bell);
}

INLINE float fast_silu(float x)
{
    const float near = x < -SILU_FAR ? -SILU_FAR : x;
    return near / (1.0f + fast_exp(-near));
}

INLINE float fast_silu_slope(float x)
{
    const float near = clamped(x, SILU_FAR);
    return gate_slope(near, near, 1.0f);
}
