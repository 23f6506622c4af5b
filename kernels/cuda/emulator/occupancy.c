// occupancy.c -- the limits of CUDA's programming guide, and its occupancy calculator's rounding.
#include "kernels/cuda/emulator/occupancy.h"
#include <limits.h>

// CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute Capability".
const Multiprocessor multiprocessors[] = {
    {75, 32, 16, 64 << 10, 0},      {80, 64, 32, 164 << 10, 1024},  {86, 48, 16, 100 << 10, 1024},
    {87, 48, 16, 164 << 10, 1024},  {89, 48, 24, 100 << 10, 1024},  {90, 64, 32, 228 << 10, 1024},
    {100, 64, 32, 228 << 10, 1024}, {103, 64, 32, 228 << 10, 1024}, {120, 48, 24, 100 << 10, 1024},
};
const int multiprocessor_count = sizeof multiprocessors / sizeof *multiprocessors;

// Each multiprocessor has 64 Ki registers, a quarter for each of its four schedulers.
enum { WARP = 32, THREADS_MAX = 1024, REGISTERS = 64 << 10, SCHEDULERS = 4, REGISTERS_MAX = 255 };
enum { REGISTER_UNIT = 256 };    // of a warp

static long rounded_up(long x, long unit)
{
    return (x + unit - 1) / unit * unit;
}

static int blocks_by_registers(int warps, int registers)
{
    if (registers == 0) return INT_MAX;
    const long of_warp = rounded_up((long)registers * WARP, REGISTER_UNIT);
    if (registers > REGISTERS_MAX || of_warp * rounded_up(warps, SCHEDULERS) > REGISTERS) return 0;
    return (int)(REGISTERS / SCHEDULERS / of_warp * SCHEDULERS / warps);
}

static int blocks_by_shared(const Multiprocessor *m, size_t shared)
{
    if (shared > (size_t)(m->shared - m->reserved)) return 0;
    const long of_block = rounded_up((long)shared + m->reserved, m->capability < 80 ? 256 : 128);
    return of_block > 0 ? (int)(m->shared / of_block) : INT_MAX;
}

bool occupancy_of(Occupancy *out, int capability, int threads, int registers, size_t shared)
{
    const Multiprocessor *m = multiprocessors, *end = multiprocessors + multiprocessor_count;
    while (m < end && m->capability != capability) m++;
    if (m == end || threads < 1) return false;

    const int warps = (threads + WARP - 1) / WARP;
    const struct {
        int blocks;
        const char *name;
    } limits[] = {{threads > THREADS_MAX ? 0 : m->warps / warps, "threads"},
                  {m->blocks, "blocks"},
                  {blocks_by_registers(warps, registers), "registers"},
                  {blocks_by_shared(m, shared), "shared memory"}};
    *out = (Occupancy){.blocks = INT_MAX, .warps_max = m->warps};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].blocks < out->blocks) {
            out->blocks = limits[i].blocks;
            out->limit = limits[i].name;
        }
    out->warps = out->blocks * warps;
    return true;
}
