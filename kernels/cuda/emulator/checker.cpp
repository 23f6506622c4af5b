/* checker.cpp -- what the compiler calls at each access of a kernel that it compiled with -fsanitize=thread.
 *
 * The calls are ThreadSanitizer's; its library is not linked, these functions take its place. Each access is
 * held against the memory it lies in (bounds, alignment), the bytes that have been written, and
 * the last accesses of its word by other threads. Two accesses of a word by different threads, one of them
 * a write and not both atomic, are a race unless one happens before the other:
 *   - in a block, by a barrier between them; in a warp, also by its operations (__syncwarp, shuffles);
 *   - between blocks of a launch, by __threadfence() and an atomic operation after the one, and an atomic
 *     operation on the same address before the other.
 * So a race is found whatever order the threads ran in (Flanagan & Freund 2009, "FastTrack").
 */
#include <algorithm>
#include <climits>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/memory.h"
#include "kernels/cuda/emulator/site.h"

namespace emulator
{
static uint32_t launches;
const void *last_site;

static bool holds(const Memory *memory, uintptr_t address)
{
    return memory && address - reinterpret_cast<uintptr_t>(memory->base) < memory->bytes;
}

// ---- order between blocks, which are known by their numbers in the launch

static std::vector<uint64_t> began;                                     // of each
static std::unordered_map<uintptr_t, std::vector<size_t>> published;    // by address: the blocks
static std::vector<bool> acquired;                                      // by the running block

static size_t block_of(const Epoch &stamp)
{
    return (size_t)(std::upper_bound(began.begin(), began.end(), stamp.clock) - began.begin()) - 1;
}

static void synchronize_blocks(uintptr_t address)
{
    if (self->fenced) published[address].push_back(began.size() - 1);
    self->fenced = false;
    const auto found = published.find(address);
    if (found == published.end()) return;
    acquired.resize(began.size());
    for (size_t number : found->second) acquired[number] = true;
}

// ---- races

// Since the block's last barrier, or by another block.
static bool unordered(const Epoch &before, const Epoch &now)
{
    if (!(before.bytes & now.bytes) || (before.atomic && now.atomic)) return false;
    if (before.clock < block.began) {
        const size_t number = block_of(before);
        return number >= acquired.size() || !acquired[number];
    }
    if (before.thread / WARP != now.thread / WARP) return true;
    const auto &known = block.warp[now.thread / WARP].known;
    return before.thread != now.thread &&
           before.clock >= known[now.thread % WARP][before.thread % WARP];
}

// The blocks of a launch share global memory.
static inline bool conflict(const Epoch &before, const Epoch &now, Space space)
{
    const bool of_launch = before.clock >= block.launched && before.clock < block.began;
    return (before.clock >= block.opened || (of_launch && space == SPACE_GLOBAL)) &&
           unordered(before, now);
}

static const char *access_name(unsigned kind)
{
    return kind & ATOMIC ? "updates" : kind & WRITES ? "writes" : "reads";
}

static void element_name(char *text, size_t size, const Memory *memory, size_t offset,
                         unsigned bytes)
{
    snprintf(text, size, "%s[%zu] (elements of %u bytes)", memory_text(memory).c_str(),
             offset / bytes, bytes);
}

static void report_race(const Memory *memory, size_t offset, unsigned bytes, unsigned kind,
                        const void *site, const Epoch &before, bool before_writes)
{
    const void *other = reinterpret_cast<const void *>(sites[before.site].address);
    if (fault_again(FAULT_RACE, site, other)) return;
    const uint3 thread = block.thread[before.thread].index;
    char where[160], whose[64] = "";
    element_name(where, sizeof where, memory, offset, bytes);
    if (before.clock < block.began) {
        const size_t number = block_of(before), row = gridDim.x, plane = row * gridDim.y;
        snprintf(whose, sizeof whose, " of block (%zu,%zu,%zu)", number % row, number % plane / row,
                 number / plane);
    }
    fault(FAULT_RACE, self, site, other,
          "%s %s, which thread (%u,%u,%u)%s %s in line %d with nothing between", access_name(kind),
          where, thread.x, thread.y, thread.z, whose,
          before.atomic   ? "updates"
          : before_writes ? "writes"
                          : "reads",
          source_line(other).line);
}

// Two warps read since the last barrier: a write of any thread is unordered with one of them.
static bool says_enough(const Shadow &cell, const Epoch &now)
{
    return cell.read.clock >= block.opened && cell.other_read.clock >= block.opened &&
           cell.read.thread / WARP != cell.other_read.thread / WARP &&
           (cell.read.bytes & cell.other_read.bytes & now.bytes) == now.bytes;
}

static void note_read(Shadow &cell, const Epoch &now)
{
    Epoch &read = cell.read;
    if (says_enough(cell, now)) return;
    const bool same_block = read.clock >= block.began;
    if (same_block && read.thread == now.thread) {
        const unsigned bytes = read.bytes;
        read = now;
        read.bytes |= bytes;
        return;
    }
    const bool same_warp = same_block && read.thread / WARP == now.thread / WARP;
    if (!same_warp || cell.other_read.clock < block.opened) cell.other_read = read;
    read = now;
}

static __forceinline__ void check_order(const Memory *memory, size_t offset, unsigned bytes,
                                        unsigned kind, const void *site, unsigned number)
{
    Epoch now;
    now.site = number;
    now.atomic = (kind & ATOMIC) != 0;
    now.thread = number_of(self);
    now.clock = block.clock;
    for (size_t at = offset, end; at < offset + bytes; at = end) {
        end = std::min((at | 3) + 1, offset + bytes);
        Shadow &cell = memory->shadow[at / 4];
        now.bytes = ((1u << (end - at)) - 1) << at % 4;
        if (conflict(cell.write, now, memory->space))
            report_race(memory, offset, bytes, kind, site, cell.write, true);
        if (kind & WRITES) {
            if (conflict(cell.read, now, memory->space))
                report_race(memory, offset, bytes, kind, site, cell.read, false);
            else if (conflict(cell.other_read, now, memory->space))
                report_race(memory, offset, bytes, kind, site, cell.other_read, false);
            cell.write = now;
        } else {
            note_read(cell, now);
        }
    }
}

// ---- an access

// memory: what was meant.
[[noreturn]] static void refuse(const Memory *memory, uintptr_t address, unsigned bytes,
                                unsigned kind, const void *site)
{
    char where[160] = "which is not memory of the device";
    const std::string local = local_name(address), name = memory ? memory_text(memory) : "";
    const long long offset =
        memory ? (long long)(address - reinterpret_cast<uintptr_t>(memory->base)) : LLONG_MAX;
    const long long beyond = memory ? offset - (long long)memory->bytes : LLONG_MAX;
    if (!local.empty()) snprintf(where, sizeof where, "%s", local.c_str());
    else if (offset < 0 && offset > -(1 << 20))
        snprintf(where, sizeof where, "%lld bytes before %s", -offset, name.c_str());
    else if (offset >= 0 && beyond < 0)
        snprintf(where, sizeof where, "of which the last %lld lie beyond %s", beyond + bytes,
                 name.c_str());
    else if (offset >= 0 && beyond < 1 << 20)
        snprintf(where, sizeof where, "%lld bytes after the end of %s", beyond, name.c_str());
    fault(FAULT_OUT_OF_BOUNDS, self, site, nullptr, "%s %u bytes at 0x%llx, %s", access_name(kind),
          bytes, (unsigned long long)address, where);
    stop_launch(cudaErrorIllegalAddress);
}

// What an earlier launch left in shared memory is gone.
static void use(Memory *memory)
{
    if (memory->launch == launches) return;
    memory->launch = launches;
    if (memory->space == SPACE_SHARED) memory_forget(memory);
}

// The memory at the address. Arrays of other functions may lie behind a function's own; it gets none of
// them but the kernel's, by a pointer.
static Memory *find(uintptr_t address, unsigned bytes, unsigned kind, const void *site)
{
    Memory *memory = memory_at(address);
    if (!memory && !modules_have(address)) {
        modules_look();    // the first time, or a library was loaded since
        memory = memory_at(address);
        if (!memory && !modules_have(address))
            refuse(memory_nearest(address), address, bytes, kind, site);
    }
    if (memory && !memory->function.empty() && memory->function != function_name(block.kernel) &&
        !is_in_function(site, memory->function)) {
        const Memory *own = memory_of_function(site, address);
        if (own) refuse(own, address, bytes, kind, site);
    }
    if (memory) use(memory);
    return memory;
}

// threadIdx and its like, and local variables.
static bool is_own(uintptr_t address, unsigned bytes, unsigned kind, const void *site)
{
    if (address - reinterpret_cast<uintptr_t>(&here) < sizeof here) return true;
    if (address - reinterpret_cast<uintptr_t>(self->fiber->stack) >= STACK_BYTES) return false;
    local_check(address, bytes, access_name(kind), site);
    return true;
}

// Inlined where bytes and kind are constants, for speed.
static __forceinline__ void access(uintptr_t address, unsigned bytes, unsigned kind,
                                   const void *site)
{
    if (!self) return;    // the host's code
    last_site = site;
    const unsigned number = site_number(reinterpret_cast<uintptr_t>(site));
    Site &at = sites[number];
    if (!holds(at.memory, address)) {
        if (is_own(address, bytes, kind, site)) return;
        at.memory = find(address, bytes, kind, site);
    }
    Memory *memory = at.memory;
    if (!memory) return;    // __constant__
    const size_t offset = address - reinterpret_cast<uintptr_t>(memory->base);
    if (offset + bytes > memory->bytes) refuse(memory, address, bytes, kind, site);
    if (bytes <= 16 && address & (bytes - 1)) {
        fault(FAULT_MISALIGNED, self, site, nullptr,
              "%s %u bytes at 0x%llx, byte %zu of %s: not a multiple of %u", access_name(kind),
              bytes, (unsigned long long)address, offset, memory_text(memory).c_str(), bytes);
        stop_launch(cudaErrorIllegalAddress);
    }
    if ((kind & ATOMIC || !(kind & WRITES)) && !memory_is_written(memory, offset, bytes)) {
        char where[160];
        element_name(where, sizeof where, memory, offset, bytes);
        fault(FAULT_UNINITIALIZED, self, site, nullptr, "%s %s, which was never written",
              access_name(kind), where);
        memory_set_written(memory, offset, bytes);    // say it once
    }
    if (kind & ATOMIC && memory->space == SPACE_GLOBAL) synchronize_blocks(address);
    check_order(memory, offset, bytes, kind, site, number);
    if (kind & WRITES) memory_set_written(memory, offset, bytes);

    at.kind = (uint8_t)(kind | (memory->space == SPACE_SHARED ? SHARED : 0));
    at.bytes = (uint8_t)bytes;
    if (memory->space == SPACE_GLOBAL)
        for (size_t i = offset / 32; i <= (offset + bytes - 1) / 32; i++)
            if (memory->sectors[i] != launches) {
                memory->sectors[i] = launches;
                counts_add_distinct();
            }
    counts_add(number, address);
    self->accesses++;
}

void atomic_access(const volatile void *address, size_t bytes, const void *site)
{
    access(reinterpret_cast<uintptr_t>(address), (unsigned)bytes, WRITES | ATOMIC, site);
}

// ---- from tma.cpp and block.cpp

void checker_copied(const void *to, size_t bytes)
{
    Memory *memory = checking ? memory_at(reinterpret_cast<uintptr_t>(to)) : nullptr;
    if (!memory) return;
    use(memory);
    memory_set_written(memory, (size_t)(static_cast<const char *>(to) - memory->base), bytes);
}

void checker_launch(size_t dynamic_bytes)
{
    launches++;
    last_site = nullptr;
    for (uint32_t i = 1; i <= site_count; i++) sites[i].memory = nullptr;
    published.clear();
    began.clear();
    memory_dynamic_shared(static_cast<char *>(dynamic_shared()), dynamic_bytes);
}

void checker_block()
{
    if (checking) memory_forget_shared(launches);
    began.push_back(block.began);
    acquired.clear();
}

void checker_launch_ends()
{
    if (checking) counts_launch(memory_shared_used(launches));
}
}    // namespace emulator

// ---- what the compiler calls

using namespace emulator;
#define SITE    __builtin_return_address(0)
#define ADDRESS reinterpret_cast<uintptr_t>(address)

#define ACCESS(bytes)                                                                              \
    void __tsan_read##bytes(const void *address)                                                   \
    {                                                                                              \
        access(ADDRESS, bytes, READS, SITE);                                                       \
    }                                                                                              \
    void __tsan_write##bytes(void *address)                                                        \
    {                                                                                              \
        access(ADDRESS, bytes, WRITES, SITE);                                                      \
    }                                                                                              \
    void __tsan_unaligned_read##bytes(const void *address)                                         \
    {                                                                                              \
        access(ADDRESS, bytes, READS, SITE);                                                       \
    }                                                                                              \
    void __tsan_unaligned_write##bytes(void *address)                                              \
    {                                                                                              \
        access(ADDRESS, bytes, WRITES, SITE);                                                      \
    }                                                                                              \
    void __tsan_read_write##bytes(void *address)                                                   \
    {                                                                                              \
        access(ADDRESS, bytes, READS, SITE);                                                       \
        access(ADDRESS, bytes, WRITES, SITE);                                                      \
    }                                                                                              \
    void __tsan_unaligned_read_write##bytes(void *address)                                         \
    {                                                                                              \
        access(ADDRESS, bytes, READS, SITE);                                                       \
        access(ADDRESS, bytes, WRITES, SITE);                                                      \
    }

// A structure, four bytes at a time.
static void range(uintptr_t address, size_t bytes, unsigned kind, const void *site)
{
    while (bytes > 0) {
        const unsigned some = bytes >= 4 && address % 4 == 0 ? 4 : 1;
        access(address, some, kind, site);
        address += some;
        bytes -= some;
    }
}

extern "C" {
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(const void *address, size_t bytes)
{
    range(ADDRESS, bytes, READS, SITE);
}

void __tsan_write_range(void *address, size_t bytes)
{
    range(ADDRESS, bytes, WRITES, SITE);
}

// Structures that clang copies; emulator.h gives these names to its calls.
void *emulator_memcpy(void *to, const void *from, size_t bytes)
{
    range(reinterpret_cast<uintptr_t>(from), bytes, READS, SITE);
    range(reinterpret_cast<uintptr_t>(to), bytes, WRITES, SITE);
    return memcpy(to, from, bytes);
}

void *emulator_memmove(void *to, const void *from, size_t bytes)
{
    range(reinterpret_cast<uintptr_t>(from), bytes, READS, SITE);
    range(reinterpret_cast<uintptr_t>(to), bytes, WRITES, SITE);
    return memmove(to, from, bytes);
}

void *emulator_memset(void *to, int value, size_t bytes)
{
    range(reinterpret_cast<uintptr_t>(to), bytes, WRITES, SITE);
    return memset(to, value, bytes);
}

void __sanitizer_cov_trace_pc()
{
    if (!self) return;
    last_site = SITE;
    const unsigned number = site_number(reinterpret_cast<uintptr_t>(SITE));
    sites[number].kind = STEP;
    counts_add(number, 0);
}

void __tsan_init()
{
    checking = true;
}

void __tsan_func_entry(void *)
{
}
void __tsan_vptr_update(void **, void *)    // of a launch that is captured
{
}
void __tsan_func_exit()
{
}
}
