/* hopper.h -- models of Hopper's instructions for hopper.cuh: what the PTX ISA documents, in plain C++.
 *
 * TMA copies a box with its zeros outside and its swizzle as soon as it is asked to. An mbarrier counts phases, arrivals
 * and bytes, and who waits for it sleeps until its phase ends. Products of wgmma are computed when their warp waits for
 * their group, from the operands that the descriptors name then: sums that are read too early are old, and a tile that is
 * overwritten too early gives wrong sums. An operand's tile lies in dynamic shared memory and is swizzled by 128 bytes.
 *
 * Reported, whatever the order in which the threads ran: a tile that is overwritten while wgmma may still read it, or
 * read before it has arrived (vector clocks: mbarriers and __syncthreads() order, nothing else does); an mbarrier that is
 * used before it was initialised, or by TMA without fence_proxy_async(); sums that were changed without wgmma_fence();
 * misaligned tiles; warps of a warpgroup that multiply other tiles; and an mbarrier whose phase never ends, with what is
 * missing. Ordinary loads and stores are not held against TMA's copies, and time is not modelled.
 */
#pragma once

struct TensorMap {
    const char *x;
    uint64_t rows, cols, row_bytes;    // cols in elements, of two bytes
    uint32_t box_rows, box_cols;
};

bool tensor_map_2d(TensorMap *map, const void *x, uint64_t rows, uint64_t cols, uint64_t row_bytes,
                   uint32_t box_rows, uint32_t box_cols);

static inline bool device_is_hopper()
{
    return true;
}
static inline int device_multiprocessors()    // few: blocks get several tiles
{
    return 3;
}

uint32_t shared_address(const void *shared);    // in the dynamic shared memory
EMULATOR_NOT_MERGED void mbarrier_init(uint64_t *barrier, uint32_t arrivals);
EMULATOR_NOT_MERGED void mbarrier_arrive(uint64_t *barrier);
EMULATOR_NOT_MERGED void mbarrier_expect(uint64_t *barrier, uint32_t bytes);
EMULATOR_NOT_MERGED bool mbarrier_try_wait(uint64_t *barrier, uint32_t parity);
void fence_proxy_async();
EMULATOR_NOT_MERGED void tma_load_2d(void *to, const TensorMap *map, int col, int row,
                                     uint64_t *barrier);

// A warpgroup has 64 K of registers to share out; the model has as many as it wants.
template <int COUNT> void registers_decrease()
{
    static_assert(COUNT >= 24 && COUNT <= 256 && COUNT % 8 == 0, "setmaxnreg");
}
template <int COUNT> void registers_increase()
{
    static_assert(COUNT >= 24 && COUNT <= 256 && COUNT % 8 == 0, "setmaxnreg");
}

namespace emulator
{
EMULATOR_NOT_MERGED void wgmma_issue(float *sum, int cols, uint64_t a, uint64_t b, bool add);
EMULATOR_NOT_MERGED void wgmma_wait_for(unsigned groups);
}    // namespace emulator

EMULATOR_NOT_MERGED void wgmma_fence();
EMULATOR_NOT_MERGED void wgmma_commit();

template <int GROUPS> __forceinline__ void wgmma_wait()
{
    emulator::wgmma_wait_for(GROUPS);
}
template <int GROUPS, int COUNT> __forceinline__ void wgmma_wait(float (&)[COUNT])
{
    emulator::wgmma_wait_for(GROUPS);
}

template <int COLS>
__forceinline__ void wgmma(float (&sum)[COLS / 2], uint64_t a, uint64_t b, bool add)
{
    static_assert(COLS >= 8 && COLS <= 256 && COLS % 8 == 0, "m64nNk16");
    emulator::wgmma_issue(sum, COLS, a, b, add);
}
