/* random.c -- random numbers by position: the same bits as ref's, whichever thread computes them. */
#include "kernels/cpu/loops.h"
#include "kernels/philox.h"

// ---- the generator, in the lanes of vectors

// A word to each 64-bit lane. What its upper half holds is ignored: only lower halves are multiplied.
enum { WIDE_LANES = LANES / 2 };
typedef uint64_t Wide __attribute__((vector_size(8 * WIDE_LANES)));
typedef uint64_t WideInMemory __attribute__((vector_size(8 * WIDE_LANES), aligned(8), may_alias));

// The 64-bit products of the lower halves. clang finds the instruction for the plain expression; gcc 12
// multiplies the upper halves too.
#if defined __SSE2__ && !defined __clang__
typedef int Narrow __attribute__((vector_size(8 * WIDE_LANES)));
#if defined __AVX512F__
typedef long long Signed __attribute__((vector_size(8 * WIDE_LANES)));
#define PRODUCT(a, b)                                                                              \
    (Wide) __builtin_ia32_pmuludq512_mask((Narrow)(a), (Narrow)(b), (Signed){0}, 0xff)
#elif defined __AVX2__
#define PRODUCT(a, b) (Wide) __builtin_ia32_pmuludq256((Narrow)(a), (Narrow)(b))
#else
#define PRODUCT(a, b) (Wide) __builtin_ia32_pmuludq128((Narrow)(a), (Narrow)(b))
#endif
#else
#define PRODUCT(a, b) (((a)&UINT32_MAX) * ((b)&UINT32_MAX))
#endif

static inline Wide all(uint64_t x)
{
    return (Wide){0} + x;
}

// A chunk of words is made at a time, and used from the cache.
enum { CHUNK = 256 };

static void fill_chunk(uint32_t words[CHUNK], Draw draw, size_t chunk)
{
    uint64_t pair01[CHUNK / 4], pair23[CHUNK / 4];
    Wide block = {0};
    for (int i = 0; i < WIDE_LANES; i++) block[i] = chunk * (CHUNK / 4) + (size_t)i;

    for (size_t i = 0; i < CHUNK / 4; i += WIDE_LANES, block += WIDE_LANES) {
        Wide x0 = block, x1 = block >> 32, x2 = all(draw.stream), x3 = all(draw.stream >> 32);
        uint32_t key0 = (uint32_t)draw.seed, key1 = (uint32_t)(draw.seed >> 32);
        UNROLL
        for (int round = 0; round < PHILOX_ROUNDS; round++) {
            const Wide a = PRODUCT(x0, all(PHILOX_MULTIPLIER0)),
                       b = PRODUCT(x2, all(PHILOX_MULTIPLIER1));
            x0 = b >> 32 ^ x1 ^ key0, x1 = b;
            x2 = a >> 32 ^ x3 ^ key1, x3 = a;
            key0 += PHILOX_KEY_STEP0, key1 += PHILOX_KEY_STEP1;
        }
        *(WideInMemory *)&pair01[i] = (x0 & UINT32_MAX) | x1 << 32;
        *(WideInMemory *)&pair23[i] = (x2 & UINT32_MAX) | x3 << 32;
    }
    for (size_t i = 0; i < CHUNK / 4; i++) {
        memcpy(&words[4 * i], &pair01[i], 8);    // the lower half first: little-endian
        memcpy(&words[4 * i + 2], &pair23[i], 8);
    }
}

// ---- the kernels

// Of each chunk of n elements: its words, its first element and how many it has.
#define CHUNK_LOOP(n, draw, words, first, count, ...)                                              \
    for (size_t chunk_ = 0; chunk_ < ((n) + CHUNK - 1) / CHUNK; chunk_++) {                        \
        const size_t first = chunk_ * CHUNK, count = MIN((n)-first, (size_t)CHUNK);                \
        uint32_t words[CHUNK];                                                                     \
        fill_chunk(words, draw, chunk_);                                                           \
        __VA_ARGS__                                                                                \
    }
#define EACH_CHUNK(n, enough, draw, words, first, count, ...)                                      \
    SHARE(n, enough, CHUNK_LOOP(n, draw, words, first, count, __VA_ARGS__),                        \
          PRAGMA(omp for schedule(static) nowait) CHUNK_LOOP(n, draw, words, first, count, __VA_ARGS__))

static void uniform_chunk(float *y, const uint32_t *words, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) y[i] = philox_uniform(words[i]);
}

static void normal_chunk(float *y, const uint32_t *words, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count / 2; i++) {
        const PhiloxPair pair = philox_normal(words[2 * i], words[2 * i + 1]);
        y[2 * i] = pair.first;
        y[2 * i + 1] = pair.second;
    }
    if (count % 2) y[count - 1] = philox_normal(words[count - 1], words[count]).first;
}

void CPU(random_uniform)(float *y, Draw draw, size_t n)
{
    EACH_CHUNK(n, 2 * HEAVY, draw, words, first, count, uniform_chunk(y + first, words, count););
}

void CPU(random_normal)(float *y, Draw draw, size_t n)
{
    EACH_CHUNK(n, HEAVY, draw, words, first, count, normal_chunk(y + first, words, count););
}

static void dropout_chunk(float *y, const float *x, float p, float beta, const uint32_t *words,
                          size_t count)
{
    const float scale = 1.0f / (1.0f - p);
    if (beta == 0.0f) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) y[i] = philox_dropout(words[i], x[i], p, scale);
    } else {
#pragma omp simd
        for (size_t i = 0; i < count; i++)
            y[i] = philox_blend(beta, y[i], philox_dropout(words[i], x[i], p, scale));
    }
}

void CPU(dropout)(float *y, const float *x, float p, Draw draw, float beta, size_t n)
{
    EACH_CHUNK(n, 2 * HEAVY, draw, words, first, count,
               dropout_chunk(y + first, x + first, p, beta, words, count););
}
