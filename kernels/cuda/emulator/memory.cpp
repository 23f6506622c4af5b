// memory.cpp -- the list of both kinds of memory, in the order of their addresses.
#include "kernels/cuda/emulator/memory.h"
#include <map>
#include <sys/mman.h>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/site.h"

namespace emulator
{
bool checking;

static std::map<uintptr_t, Memory> list;    // by base

void *memory_reserve(size_t bytes)
{
    void *base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return base == MAP_FAILED ? nullptr : base;
}

static size_t shadow_bytes(const Memory *m)
{
    return (m->bytes / 4 + 1) * sizeof(Shadow);
}

static size_t sector_bytes(const Memory *m)
{
    return (m->bytes / 32 + 2) * sizeof(uint32_t);
}

Memory *memory_add(char *base, size_t bytes, Space space, const char *name)
{
    Memory *memory = &list[reinterpret_cast<uintptr_t>(base)];
    memory->base = base;
    memory->bytes = bytes;
    memory->space = space;
    memory->name = name;
    if (checking) {
        memory->written = static_cast<uint8_t *>(memory_reserve(bytes / 8 + 5));
        memory->shadow = static_cast<Shadow *>(memory_reserve(shadow_bytes(memory)));
        memory->sectors = static_cast<uint32_t *>(memory_reserve(sector_bytes(memory)));
        if (!memory->written || !memory->shadow || !memory->sectors) {
            perror("emulator: no memory for the checker");
            abort();
        }
    }
    return memory;
}

void memory_remove(Memory *memory)
{
    for (uint32_t i = 1; i <= site_count; i++)
        if (sites[i].memory == memory) sites[i].memory = nullptr;
    if (memory->written) {
        munmap(memory->written, memory->bytes / 8 + 5);
        munmap(memory->shadow, shadow_bytes(memory));
        munmap(memory->sectors, sector_bytes(memory));
    }
    list.erase(reinterpret_cast<uintptr_t>(memory->base));
}

std::string memory_text(const Memory *memory)
{
    const std::string name = memory->space == SPACE_GLOBAL ? parameter_of(memory->base) : "";
    return name.empty() ? memory->name : name;
}

Memory *memory_at(uintptr_t address)
{
    const auto after = list.upper_bound(address);
    if (after == list.begin()) return nullptr;
    Memory *memory = &std::prev(after)->second;
    return address - std::prev(after)->first < memory->bytes ? memory : nullptr;
}

Memory *memory_nearest(uintptr_t address)
{
    const auto after = list.upper_bound(address);
    if (after == list.begin()) return after == list.end() ? nullptr : &after->second;
    Memory *below = &std::prev(after)->second;
    const uintptr_t offset = address - std::prev(after)->first;
    const bool above_is_nearer = after != list.end() && offset > below->bytes &&
                                 after->first - address < offset - below->bytes;
    return above_is_nearer ? &after->second : below;
}

Memory *memory_of_function(const void *site, uintptr_t address)
{
    Memory *nearest = nullptr;
    for (auto &[base, memory] : list)
        if (!memory.function.empty() && (!nearest || base <= address) &&
            is_in_function(site, memory.function))
            nearest = &memory;
    return nearest;
}

// ---- shared memory

static Memory *dynamic;

void memory_dynamic_shared(char *base, size_t bytes)
{
    if (!checking) return;
    if (dynamic) memory_remove(dynamic);
    dynamic =
        bytes > 0 ? memory_add(base, bytes, SPACE_SHARED, "the dynamic shared memory") : nullptr;
}

void memory_forget(Memory *memory)
{
    memset(memory->written, 0, memory->bytes / 8 + 1);
}

void memory_forget_shared(uint32_t launch)
{
    for (auto &[base, memory] : list)
        if (memory.space == SPACE_SHARED && memory.launch == launch) memory_forget(&memory);
}

size_t memory_shared_used(uint32_t launch)
{
    size_t bytes = 0;
    for (const auto &[base, memory] : list)
        if (memory.space == SPACE_SHARED && (memory.launch == launch || &memory == dynamic))
            bytes += memory.bytes;
    return bytes;
}

// ---- which bytes have been written

void memory_set_written(Memory *memory, size_t offset, size_t bytes)
{
    uint8_t *bits = memory->written;
    size_t i = offset, end = offset + bytes;
    for (; i < end && (i % 8 || end - i < 8); i++) bits[i / 8] |= (uint8_t)(1 << i % 8);
    memset(bits + i / 8, 0xff, (end - i) / 8);
    for (i += (end - i) / 8 * 8; i < end; i++) bits[i / 8] |= (uint8_t)(1 << i % 8);
}
}    // namespace emulator
