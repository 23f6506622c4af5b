// memory.cpp -- allocations, copies, and the list of both kinds of memory in the order of their addresses.
#include "kernels/cuda/emulator/memory.h"
#include <algorithm>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
bool checking;

static std::vector<Memory *> list;    // by base

static bool begins_after(uintptr_t address, const Memory *memory)
{
    return address < reinterpret_cast<uintptr_t>(memory->base);
}

// Zeros, which cost nothing until they are touched.
static void *reserve(size_t bytes)
{
    void *base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    return base == MAP_FAILED ? nullptr : base;
}

static size_t cell_bytes(const Memory *m)
{
    return (m->bytes + 3) / 4 * sizeof(Cell);
}

static size_t sector_bytes(const Memory *m)
{
    return (m->bytes / 32 + 2) * sizeof(uint32_t);
}

static Memory *add(char *base, size_t bytes, Space space, const char *name)
{
    Memory *memory = new Memory{base, bytes, space, "", "", nullptr, nullptr, nullptr, 0};
    snprintf(memory->name, sizeof memory->name, "%s", name);
    if (checking) {
        memory->written = static_cast<uint8_t *>(reserve(bytes / 8 + 5));
        memory->cells = static_cast<Cell *>(reserve(cell_bytes(memory) + 1));
        memory->sectors = static_cast<uint32_t *>(reserve(sector_bytes(memory)));
        if (!memory->written || !memory->cells || !memory->sectors) {
            perror("emulator: no memory for the checker");
            abort();
        }
    }
    list.insert(std::upper_bound(list.begin(), list.end(), (uintptr_t)base, begins_after), memory);
    return memory;
}

static void remove(Memory *memory)
{
    list.erase(std::find(list.begin(), list.end(), memory));
    if (memory->written) {
        munmap(memory->written, memory->bytes / 8 + 5);
        munmap(memory->cells, cell_bytes(memory) + 1);
        munmap(memory->sectors, sector_bytes(memory));
    }
    delete memory;
}

Memory *memory_at(uintptr_t address)
{
    auto after = std::upper_bound(list.begin(), list.end(), address, begins_after);
    if (after == list.begin()) return nullptr;
    Memory *memory = after[-1];
    return address - reinterpret_cast<uintptr_t>(memory->base) < memory->bytes ? memory : nullptr;
}

Memory *memory_nearest(uintptr_t address)
{
    auto after = std::upper_bound(list.begin(), list.end(), address, begins_after);
    if (after == list.end()) return list.empty() ? nullptr : list.back();
    if (after == list.begin()) return *after;
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(after[-1]->base);
    const uintptr_t before = reinterpret_cast<uintptr_t>((*after)->base) - address;
    return offset > after[-1]->bytes && before < offset - after[-1]->bytes ? *after : after[-1];
}

Memory *memory_of_function(const void *site, uintptr_t address)
{
    Memory *nearest = nullptr;
    for (Memory *memory : list)
        if (!memory->function.empty() && (!nearest || reinterpret_cast<uintptr_t>(memory->base) <= address) &&
            is_in_function(site, memory->function))
            nearest = memory;
    return nearest;
}

bool memory_of_program(uintptr_t address)
{
    return dl_iterate_phdr(
               [](dl_phdr_info *info, size_t, void *data) {
                   for (int i = 0; i < info->dlpi_phnum; i++) {
                       const auto &segment = info->dlpi_phdr[i];
                       if (segment.p_type == PT_LOAD &&
                           *static_cast<uintptr_t *>(data) - info->dlpi_addr - segment.p_vaddr <
                               segment.p_memsz)
                           return 1;
                   }
                   return 0;
               },
               &address) != 0;
}

// ---- shared memory

static Memory *dynamic;

void memory_dynamic_shared(char *base, size_t bytes)
{
    static bool arrays_known;
    if (!checking) return;
    if (!arrays_known) {
        arrays_known = true;
        each_shared_array([](const char *function, const char *name, char *address, size_t size) {
            add(address, size, SPACE_SHARED, name)->function = function;
        });
    }
    if (dynamic) remove(dynamic);
    dynamic = bytes > 0 ? add(base, bytes, SPACE_SHARED, "the dynamic shared memory") : nullptr;
}

void memory_forget_shared()
{
    for (Memory *memory : list)
        if (memory->space == SPACE_SHARED) memset(memory->written, 0, memory->bytes / 8 + 1);
}

size_t memory_shared_used(uint32_t launch)
{
    size_t bytes = 0;
    for (const Memory *memory : list)
        if (memory->space == SPACE_SHARED && (memory->launch == launch || memory == dynamic))
            bytes += memory->bytes;
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

// ---- the runtime's functions

// A closed page behind it stops a program that is not checked, too, if it goes far enough.
cudaError_t allocate(void **address, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (bytes + page - 1) / page * page;
    *address = nullptr;
    if (bytes == 0) return cudaSuccess;
    char *base = whole < bytes ? nullptr : static_cast<char *>(reserve(whole + page));
    if (!base || mprotect(base + whole, page, PROT_NONE) != 0) return cudaErrorMemoryAllocation;
    char name[96];
    snprintf(name, sizeof name, "an allocation of %zu bytes", bytes);
    add(base, bytes, SPACE_GLOBAL, name);
    *address = base;
    return cudaSuccess;
}

// Where a copy of the host's ends; false where it does not lie in one allocation.
static bool host_writes(void *to, size_t bytes)
{
    Memory *memory = memory_at(reinterpret_cast<uintptr_t>(to));
    const size_t offset = memory ? (size_t)(static_cast<char *>(to) - memory->base) : 0;
    if (!memory || bytes > memory->bytes - offset) return false;
    if (checking) memory_set_written(memory, offset, bytes);
    return true;
}
}    // namespace emulator

using namespace emulator;

cudaError_t cudaFree(void *address)
{
    if (!address) return cudaSuccess;
    Memory *memory = memory_at(reinterpret_cast<uintptr_t>(address));
    if (!memory || memory->base != address) return cudaErrorInvalidValue;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(memory->base, (memory->bytes + page - 1) / page * page + page);
    remove(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    if (bytes == 0) return cudaSuccess;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const Memory *source = from_device ? memory_at(reinterpret_cast<uintptr_t>(from)) : nullptr;
    if (from_device && (!source || bytes > (size_t)(source->base + source->bytes - (const char *)from)))
        return cudaErrorInvalidValue;
    if (to_device && !host_writes(to, bytes)) return cudaErrorInvalidValue;
    memmove(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemset(void *to, int value, size_t bytes)
{
    if (bytes == 0) return cudaSuccess;
    if (!host_writes(to, bytes)) return cudaErrorInvalidValue;
    memset(to, value, bytes);
    return cudaSuccess;
}
