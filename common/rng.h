/* rng.h -- random numbers from a small struct that the caller holds: PCG32 (XSH-RR 64/32).
 *
 *     Rng rng = rng_from_seed(42);
 *     float u = rng_uniform(&rng);              // [0,1)
 *     int   i = rng_below(&rng, 10);            // 0..9, unbiased
 *     Rng   noise = rng_stream(42, 7);          // independent of rng: stream 7 of the same seed
 *
 * M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
 * Random Number Generation", 2014. The same seed gives the same integers and uniforms on every
 * machine, and normals up to the rounding of its logf and cosf; the struct is the whole state, so
 * saving its two integers saves the generator. For numbers on a device: kernels/draw.h.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct Rng {
    uint64_t state;
    uint64_t increment;    // odd: selects one of 2^63 streams
} Rng;

Rng rng_from_seed(uint64_t seed);                       // stream 0 of the seed
Rng rng_stream(uint64_t seed, uint64_t stream);         // one independent generator per stream
Rng rng_pcg32(uint64_t state, uint64_t sequence);       // seeded as the reference implementation is
uint32_t rng_next(Rng *rng);                            // 32 uniform bits
uint32_t rng_below(Rng *rng, uint32_t n);               // uniform in 0..n-1; n > 0
float rng_uniform(Rng *rng);                            // uniform in [0,1), 24 bits
float rng_normal(Rng *rng);                             // N(0,1), Box & Muller 1958
void rng_fill_uniform(Rng *rng, float *x, size_t n);    // each as rng_uniform
void rng_fill_normal(Rng *rng, float *x, size_t n);     // two values from each pair of uniforms
void rng_shuffle(Rng *rng, int *items, int n);          // Fisher-Yates, in place
