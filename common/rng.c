#include "common/rng.h"
#include "common/error.h"
#include <math.h>

// PCG's published multiplier and seeding; the golden values in tests/common/test_rng.c are those of
// the reference implementation's demo.
uint32_t rng_next(Rng *rng)
{
    uint64_t state = rng->state;
    rng->state = state * 6364136223846793005u + rng->increment;
    uint32_t mixed = (uint32_t)(((state >> 18) ^ state) >> 27), turn = (uint32_t)(state >> 59);
    return (mixed >> turn) | (mixed << (-turn & 31));
}

Rng rng_pcg32(uint64_t state, uint64_t sequence)
{
    Rng rng = {.state = 0, .increment = (sequence << 1) | 1};
    rng_next(&rng);
    rng.state += state;
    rng_next(&rng);
    return rng;
}

// Neighbouring states and sequences of PCG32 begin alike, (s, i + 1) as (s + 2, i): a hash of both
// numbers sets them apart (SplitMix64: Steele, Lea & Flood 2014).
Rng rng_stream(uint64_t seed, uint64_t stream)
{
    uint64_t z = seed + (stream + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return rng_pcg32(z ^ z >> 31, stream);
}

Rng rng_from_seed(uint64_t seed)
{
    return rng_stream(seed, 0);
}

uint32_t rng_below(Rng *rng, uint32_t n)
{
    REQUIRE(n > 0, "n is 0; expected at least 1");
    // Lemire 2019: the high word of a product is uniform once the short interval is rejected.
    uint64_t product = (uint64_t)rng_next(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t reject = -n % n;
        while ((uint32_t)product < reject) product = (uint64_t)rng_next(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

float rng_uniform(Rng *rng)
{
    return (float)(rng_next(rng) >> 8) * 0x1p-24f;
}

// The two values of one Box-Muller pair. 1 - u lies in (0,1], which keeps the logarithm finite.
static void normal_pair(Rng *rng, float *first, float *second)
{
    float radius = sqrtf(-2.0f * logf(1.0f - rng_uniform(rng)));
    float angle = 6.28318530717958648f * rng_uniform(rng);
    *first = radius * cosf(angle);
    *second = radius * sinf(angle);
}

// A single value drops its twin: the struct stays the whole state.
float rng_normal(Rng *rng)
{
    float value, twin;
    normal_pair(rng, &value, &twin);
    return value;
}

void rng_fill_uniform(Rng *rng, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = rng_uniform(rng);
}

void rng_fill_normal(Rng *rng, float *x, size_t n)
{
    size_t i = 0;
    for (; i + 1 < n; i += 2) normal_pair(rng, &x[i], &x[i + 1]);
    if (i < n) x[i] = rng_normal(rng);
}

void rng_shuffle(Rng *rng, int *items, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)rng_below(rng, (uint32_t)i + 1), held = items[i];
        items[i] = items[j];
        items[j] = held;
    }
}
