/* cost.h -- what the emulator counted in a launch, summed over the lines of the kernel.
 *
 *     const Traffic reads = traffic_of(emulator_report(), SPACE_GLOBAL, false);
 *     printf("%g sectors where %g would do\n", reads.transactions, reads.ideal);
 */
#pragma once
#include <stdbool.h>
#include "kernels/cuda/emulator/report.h"

typedef struct Traffic {
    double lanes;                  // accesses of single threads
    double transactions, ideal;    // sectors or wavefronts, as in LineCounts
    double bytes;                  // of all lanes
    double narrow;                 // lanes whose access has less than 16 bytes
    const LineCounts *worst;    // the line with the most transactions beyond its ideal; may be NULL
} Traffic;

Traffic traffic_of(const EmulatorReport *report, Space space, bool writes);
Traffic traffic_of_both(const EmulatorReport *report, Space space);

// Shared memory of a block, of the launch with the most.
size_t shared_of(const EmulatorReport *report);
