/* memory.h -- what a kernel may touch: cudaMalloc's allocations and the block's shared arrays, with what is
 * known of their bytes. For the emulator's own files.
 */
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include "kernels/cuda/emulator/report.h"

namespace emulator
{
// When a thread accessed a word: what later accesses are held against.
struct Epoch {
    uint64_t site : 15;
    uint64_t atomic : 1;
    uint64_t bytes : 4;    // of the word, as a mask
    uint64_t thread : 10;
    uint64_t clock : 34;    // block.h; 0: none
};

// The shadow of a word of four bytes: its last accesses. other_read is by another warp than read if there was one,
// else by another thread.
struct Shadow {
    Epoch write, read, other_read;
};

struct Memory {
    char *base;
    size_t bytes;
    Space space;
    std::string name;
    std::string function;    // of a __shared__ array: where it is declared
    uint8_t *written;        // a bit for each byte, and 32 more
    Shadow *shadow;
    uint32_t *sectors;    // of 32 bytes: the launch that last touched it
    uint32_t launch;      // that last used it
    bool of_kernel;       // allocated by malloc() in a kernel
};

void *memory_reserve(size_t bytes);    // zeros, without cost until they are touched; NULL: no room
Memory *memory_add(char *base, size_t bytes, Space space, const char *name);
void memory_remove(Memory *memory);
void memory_release(Memory *memory);              // a whole allocation of allocate()
std::string memory_text(const Memory *memory);    // "x", as the kernel calls it
Memory *memory_at(uintptr_t address);             // that has this byte; NULL: none
Memory *memory_nearest(uintptr_t address);        // for messages; NULL: there is none at all
Memory *memory_of_function(const void *site,
                           uintptr_t address);    // nearest that is declared there

void memory_dynamic_shared(char *base, size_t bytes);    // of this launch
void memory_forget(Memory *memory);                      // nothing of it is written
void memory_forget_shared(uint32_t launch);              // of what the launch has used
size_t memory_shared_used(uint32_t launch);              // bytes

void memory_set_written(Memory *memory, size_t offset, size_t bytes);

// Of up to 16 bytes.
static inline bool memory_is_written(const Memory *memory, size_t offset, unsigned bytes)
{
    uint32_t bits;
    memcpy(&bits, memory->written + offset / 8, sizeof bits);
    const uint32_t wanted = (1u << bytes) - 1;
    return (bits >> offset % 8 & wanted) == wanted;
}

extern bool checking;    // the program has kernels that were compiled for it
}    // namespace emulator
