/* occupancy.h -- how many blocks of a kernel a multiprocessor holds at once, and what limits them.
 *
 *     Occupancy o;
 *     if (occupancy_of(&o, 90, 256, 40, 9 << 10))      // sm_90: threads, registers a thread, shared bytes
 *         printf("%d of %d warps, limited by %s\n", o.warps, o.warps_max, o.limit);
 *
 * A kernel's registers are the compiler's choice: `nvcc -Xptxas -v` prints them, the emulator cannot know.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct Multiprocessor {
    int capability;    // 90 for sm_90
    int warps, blocks;
    int shared;      // bytes, of which each block may have all but its reserve
    int reserved;    // bytes that the system takes of each block
} Multiprocessor;

typedef struct Occupancy {
    int blocks;    // 0: not even one fits
    int warps, warps_max;
    const char *limit;    // "threads", "blocks", "registers", "shared memory"
} Occupancy;

extern const Multiprocessor multiprocessors[];
extern const int multiprocessor_count;

// False where the capability is not in the table. registers 0: not known, no limit.
bool occupancy_of(Occupancy *out, int capability, int threads, int registers, size_t shared);

#ifdef __cplusplus
}
#endif
