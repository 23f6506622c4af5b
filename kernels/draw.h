/* draw.h -- names a sequence of random numbers, for kernels that compute them by position (philox.h).
 *
 *     kernels.random_normal(noise, draw_at(seed, step, 3), n);    // the same n numbers whenever it is asked
 *
 * Element i of a draw has the same bits for any number of threads, on any instruction set and device.
 * Draws that differ in seed or stream are independent. A sequential stream for the host is in common/rng.h;
 * both may have the same seed.
 */
#pragma once
#include <stdint.h>

typedef struct Draw {
    uint64_t seed, stream;
} Draw;

// The draw of one place (a dropout layer, a sampler: 0, 1, ... in the order of the network) in one step; no
// two have the same stream, for 2^48 steps. Each batch of an accumulated gradient counts as a step. A resumed
// run needs nothing but its step to go on with the same numbers; each replica of a model takes its own seed.
static inline Draw draw_at(uint64_t seed, uint64_t step, uint16_t place)
{
    Draw draw = {seed, step << 16 | place};
    return draw;
}
