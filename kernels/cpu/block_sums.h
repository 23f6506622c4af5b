/* block_sums.h -- sums of a row in float over a block and in double over the blocks: of what is near 0, x less its
 * mean or a value of its own, so that a lane's sum of 16 terms is off by a rounding or two.
 */
#pragma once
#include "kernels/cpu/variant.h"

enum { BLOCK = 16 * LANES };

static inline double sum_from(const float *x, float origin, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = first; i < end; i++) sum += x[i] - origin;
        total += (double)sum;
    }
    return total;
}

static inline double squares_from(const float *x, float origin, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = MIN(first + BLOCK, n);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = first; i < end; i++) sum += (x[i] - origin) * (x[i] - origin);
        total += (double)sum;
    }
    return total;
}

// The variance about the mean that was rounded to float, less what that adds.
static inline double variance_of(double squares, double rounded, double mean, double n)
{
    const double difference = squares / n - (rounded - mean) * (rounded - mean);
    return difference < 0 ? 0 : difference;    // rounding; a NaN stays
}
