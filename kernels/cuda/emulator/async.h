/* async.h -- what is ordered before what, where copies and products run by themselves. For the emulator's own files.
 *
 * Vector clocks, as in checker.cpp, of warps and mbarriers: a warp's clock goes on when it arrives somewhere, an
 * mbarrier's when a phase ends. An event is stamped with its owner's clock, and happens before what a warp does now if that
 * warp has heard of the stamp: through an mbarrier that it waited for, or __syncthreads().
 */
#pragma once
#include <vector>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/hopper.h"

namespace emulator
{
enum { MBARRIERS_MAX = 64, OWNERS = WARPS_MAX + MBARRIERS_MAX };    // of a block

struct VectorClock {
    uint64_t at[OWNERS];

    void join(const VectorClock &other)
    {
        for (int i = 0; i < OWNERS; i++)
            if (other.at[i] > at[i]) at[i] = other.at[i];
    }
};

struct Event {
    unsigned owner;
    uint64_t stamp;    // 0: there was none
    const void *site;
};
constexpr uint64_t STILL_RUNNING = UINT64_MAX;    // a stamp: that it has ended is known to none

// 128 bytes of dynamic shared memory.
struct Line {
    Event written;               // by TMA
    uint64_t read[WARPS_MAX];    // by wgmma of each warp: stamps
    const void *read_site;
};

VectorClock &clock_of_warp();    // of the running thread's
bool has_heard(const Event &event);
Line *line_at(const void *shared);    // NULL: not in dynamic shared memory

// Counts bytes that have come at the mbarrier, whose init TMA has to have heard of.
Event mbarrier_copy_begins(uint64_t *barrier, const void *site);
void mbarrier_bytes(uint64_t *barrier, uint32_t bytes);

void wgmma_block();    // a block begins
}    // namespace emulator
