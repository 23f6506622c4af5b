/* peak_fma.c -- the loop that peak.c times; compiled once for each instruction set, with
 * PEAK_RUN its name there and PEAK_BYTES the width of a register.
 *
 * All numbers come from outside and every chain and lane starts at its own: equal chains would be
 * merged and known factors folded, and the "peak" would be ten times what the processor can do.
 */
#include "common/peak.h"

typedef float Vector __attribute__((vector_size(PEAK_BYTES), aligned(sizeof(float))));

float PEAK_RUN(long rounds, const float start[PEAK_START]);

float PEAK_RUN(long rounds, const float start[PEAK_START])
{
    const Vector *outside = (const Vector *)start;
    Vector chain[PEAK_CHAINS], factor = outside[PEAK_CHAINS], sum = {0};
    for (int i = 0; i < PEAK_CHAINS; i++) chain[i] = outside[i];
    for (long round = 0; round < rounds; round += PEAK_UNROLL)
        for (int u = 0; u < PEAK_UNROLL; u++)    // the loop's own counting takes a port, too
            for (int i = 0; i < PEAK_CHAINS; i++) chain[i] = chain[i] * factor + factor;
    for (int i = 0; i < PEAK_CHAINS; i++) sum += chain[i];
    float total = 0;
    for (unsigned lane = 0; lane < PEAK_BYTES / sizeof(float); lane++) total += sum[lane];
    return total;
}
