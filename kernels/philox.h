/* philox.h -- random numbers by position: number i of a draw is computed from i, with nothing to step.
 *
 *     Draw        draw  = draw_at(seed, step, 3);      // whose numbers: draw.h
 *     PhiloxBlock block = philox(draw, i / 4);         // for kernels: element i is word i % 4 of block i / 4
 *     float       u     = philox_uniform(block.word[i % 4]);
 *
 * Philox 4x32-10: J. Salmon, M. Moraes, R. Dror & D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * 2011, section 4.2. A draw's seed is the key, its stream the high half of the counter and the block the
 * low half: 2^64 streams of 2^66 numbers for each seed.
 *
 * ref, cpu and a GPU include this file and give the same bits, with and without fused multiply-adds:
 * every product that a sum follows is exact in double, so that fusing the two rounds no differently. What is
 * asked of the compiler is IEEE arithmetic and square root (no -ffast-math).
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "kernels/draw.h"

#ifdef __CUDACC__
#define PHILOX __host__ __device__ static inline __attribute__((always_inline))
#else
#define PHILOX static inline __attribute__((always_inline))
#endif

typedef struct PhiloxBlock {
    uint32_t word[4];
} PhiloxBlock;

#define PHILOX_ROUNDS      10
#define PHILOX_MULTIPLIER0 0xd2511f53u
#define PHILOX_MULTIPLIER1 0xcd9e8d57u
#define PHILOX_KEY_STEP0   0x9e3779b9u    // the golden ratio
#define PHILOX_KEY_STEP1   0xbb67ae85u    // sqrt(3) - 1

PHILOX PhiloxBlock philox(Draw draw, uint64_t block)
{
    uint32_t x0 = (uint32_t)block, x1 = (uint32_t)(block >> 32);
    uint32_t x2 = (uint32_t)draw.stream, x3 = (uint32_t)(draw.stream >> 32);
    uint32_t key0 = (uint32_t)draw.seed, key1 = (uint32_t)(draw.seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t a = (uint64_t)PHILOX_MULTIPLIER0 * x0, b = (uint64_t)PHILOX_MULTIPLIER1 * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ key0, x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ key1, x3 = (uint32_t)a;
        key0 += PHILOX_KEY_STEP0, key1 += PHILOX_KEY_STEP1;
    }
    const PhiloxBlock out = {{x0, x1, x2, x3}};
    return out;
}

// [0,1), in steps of 2^-24.
PHILOX float philox_uniform(uint32_t word)
{
    return (float)(int32_t)(word >> 8) * 0x1p-24f;
}

// ---- normal numbers: Box & Muller 1958, two from two words

PHILOX uint64_t philox_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// x cut off after its leading `digits` binary digits. A product of two such numbers with 53 digits
// together is exact.
PHILOX double philox_cut(double x, int digits)
{
    const uint64_t bits = philox_bits(x) & (UINT64_MAX << (53 - digits));
    memcpy(&x, &bits, sizeof x);
    return x;
}

// sqrt(-2 log u) of u = word + 1/2, cut to 24 digits, over 2^32: the largest is 6.7637, at u = 2^-33.
PHILOX float philox_radius(uint32_t word)
{
    // u = m 2^exponent with m between sqrt(1/2) and sqrt(2); 0x3fe6a09e is sqrt(1/2)'s upper half.
    const double u = philox_cut((double)(int32_t)(word ^ 0x80000000u) + 2147483648.5, 24);
    const int32_t exponent = ((int32_t)(philox_bits(u) >> 32) - 0x3fe6a09e) >> 20;
    const uint64_t bits = philox_bits(u) - ((uint64_t)(int64_t)exponent << 52);
    double m;
    memcpy(&m, &bits, sizeof m);

    // -2 log(1 + r) / r, minimax with a relative error of 2^-27.8.
    const double r = m - 1;    // 24 digits
    double p = 0x1.38291603523p-3;
    p = philox_cut(p, 29) * r - 0x1.08498ca271ba7p-2;
    p = philox_cut(p, 29) * r + 0x1.0f39e1ad9eb04p-2;
    p = philox_cut(p, 29) * r - 0x1.2271aa571e217p-2;
    p = philox_cut(p, 29) * r + 0x1.54270fc3c34b5p-2;
    p = philox_cut(p, 29) * r - 0x1.99a3eb9d204c0p-2;
    p = philox_cut(p, 29) * r + 0x1.000428b6f4812p-1;
    p = philox_cut(p, 29) * r - 0x1.5555506878b08p-1;
    p = philox_cut(p, 29) * r + 0x1.fffff82433a5bp-1;
    p = philox_cut(p, 29) * r - 0x1.ffffffffa5e46p+0;
    const double log2s =
        (double)(exponent - 32) * -0x1.62e42fefap+0;    // times -2 log 2, of 36 digits
    return sqrtf((float)(philox_cut(p, 29) * r + log2s));
}

typedef struct PhiloxPair {
    float first, second;
} PhiloxPair;

// The radius of word0, times the cosine and the sine of word1 / 2^32 turns: within 2.5 ulp of the exact
// numbers of the digits that are used, swept in tests/kernels/test_philox.c.
PHILOX PhiloxPair philox_normal(uint32_t word0, uint32_t word1)
{
    // To the nearest quarter of a turn, and from there by x quarters, |x| <= 1/2, of 24 digits.
    const uint32_t quarter = (word1 + 0x20000000u) >> 30;
    const double x = (double)(int32_t)(word1 << 2 & 0xffffff00u) * 0x1p-32,
                 z = philox_cut(x * x, 26);

    // sin(pi/2 x) / x and cos(pi/2 x), minimax in x^2 with relative errors of 2^-28.2 and 2^-34.
    double s = -0x1.2d9302266689ep-8, c = 0x1.d99f53839e32dp-11;
    s = philox_cut(s, 26) * z + 0x1.465e91ee4a6cep-4;
    s = philox_cut(s, 26) * z - 0x1.4abbb9003a25dp-1;
    s = philox_cut(s, 26) * z + 0x1.921fb52e6a187p+0;
    c = philox_cut(c, 26) * z - 0x1.55c4e9c2503a2p-6;
    c = philox_cut(c, 26) * z + 0x1.03c1daad02e93p-2;
    c = philox_cut(c, 26) * z - 0x1.3bd3cc6e7cf8ap+0;
    c = philox_cut(c, 26) * z + 0x1.ffffffff84b79p-1;

    const float radius = philox_radius(word0), sine = (float)(s * x), cosine = (float)c;
    const float a = quarter & 1 ? sine : cosine, b = quarter & 1 ? cosine : sine;
    const PhiloxPair pair = {radius * ((quarter + 1) & 2 ? -a : a),
                             radius * (quarter & 2 ? -b : b)};
    return pair;
}

// ---- dropout

// x scale where the word's uniform number is at least p, else 0; scale = 1 / (1 - p). A p of 0 keeps all,
// a p of 1 nothing.
PHILOX float philox_dropout(uint32_t word, float x, float p, float scale)
{
    return philox_uniform(word) >= p ? x * scale : 0;
}

// beta y + value, rounded once to double and once to float.
PHILOX float philox_blend(float beta, float y, float value)
{
    return (float)((double)beta * y + (double)value);
}
