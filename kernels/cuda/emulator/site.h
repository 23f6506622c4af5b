/* site.h -- the places in the kernels' code that called the checker, with what is kept of each. For the
 * emulator's own files.
 */
#pragma once
#include <cstdint>

namespace emulator
{
struct Memory;

enum AccessKind { READS = 0, WRITES = 1, ATOMIC = 2, SHARED = 4, STEP = 8 };    // bits

struct Site {
    uintptr_t address;    // where the call returns to
    Memory *memory;       // that it found last, which is most likely what it finds next
    uint8_t kind, bytes;
    uint64_t requests, lanes, transactions, ideal;    // as in LineCounts
};

enum { SITES_MAX = 1 << 15 };    // as many as an Epoch can name
extern Site sites[SITES_MAX];    // 1 .. site_count
extern uint32_t site_count;
extern uint16_t site_table[2 * SITES_MAX];

uint16_t site_add(uintptr_t address, uint32_t slot);

// Its number.
static inline uint16_t site_number(uintptr_t address)
{
    uint32_t slot = (uint32_t)((address * 0x9e3779b97f4a7c15u) >> 48);
    while (site_table[slot] && sites[site_table[slot]].address != address)
        slot = (slot + 1) % (2 * SITES_MAX);
    return site_table[slot] ? site_table[slot] : site_add(address, slot);
}
}    // namespace emulator
