/* block.h -- the running block: its threads, its warps, its clock. For the emulator's own files.
 *
 * The clock counts what orders threads: it goes on when a launch or a block begins, when a barrier opens
 * and when a warp operation completes. What the block's threads did before `opened` is ordered before all they do now;
 * known[a] is the vector clock of lane a of a warp: what lane b did before known[a][b] happens before it.
 */
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include "kernels/cuda/emulator/emulator.h"
#include "kernels/cuda/emulator/fiber.h"
#include "kernels/cuda/emulator/report.h"
#undef malloc    // the emulator's own memory is the host's, also while a kernel runs
#undef free

namespace emulator
{
enum { THREADS_MAX = 1024, WARP = 32, WARPS_MAX = THREADS_MAX / WARP };
enum { STACK_BYTES = 128 << 10, GUARD_BYTES = 64 << 10 };    // of a thread; below and above it

struct Thread {
    uint3 index;
    unsigned number;             // in the block
    Fiber *fiber;                // NULL: not started, or returned
    const void *site;            // of its last barrier or warp operation
    WarpOperation *operation;    // for which it waits
    unsigned mask;               // of that
    bool at_barrier, returned;
    bool fenced;           // __threadfence(), and no atomic operation since
    uint64_t *mbarrier;    // for whose phase of this parity it waits; NULL: none
    unsigned parity;
    uint64_t accesses;    // of memory that others see, since the last barrier
};

struct Warp {
    uint32_t live, ready;    // lanes that have not returned; that may run
    uint64_t known[WARP][WARP];
};

struct Block {
    const void *kernel;    // its function
    uint3 index;
    unsigned threads, warps;
    unsigned live, arrived;    // threads; of them at the barrier
    unsigned yes;              // that brought a predicate that holds
    uint64_t clock, launched, began, opened;
    bool stopped;
    size_t dynamic_bytes;
    Thread thread[THREADS_MAX];
    Warp warp[WARPS_MAX];
};

extern Block block;
extern __thread Thread *self;    // NULL: the host's code runs
extern const void *last_site;    // that the kernel's code called the checker from

static inline unsigned number_of(const Thread *thread)
{
    return thread->number;
}

static inline Warp &warp_of(const Thread *thread)
{
    return block.warp[number_of(thread) / WARP];
}

void wait();                                       // until another thread makes this one ready
[[noreturn]] void stop_launch(cudaError_t why);    // from a thread
const Thread *someone(bool (*is)(const Thread &));
const Fiber *fiber_at(uintptr_t address);    // whose stack or guard pages it is; NULL: of none

// ---- warp.cpp

void complete_operations_without(const Thread *gone);    // completes what waited for it alone
void report_deadlock();                                  // no thread can continue
void converge_at(unsigned mask, WarpOperation *operation, const void *site);
Thread *operation_lane(unsigned lane);    // of the warp whose operation is being completed

// ---- mbarrier.cpp: what is ordered where copies and products run by themselves (async.h)

void async_block();                                   // a block begins
void async_barrier();                                 // __syncthreads()
std::string async_waits_for(const Thread &thread);    // a clause; "": for no mbarrier

// ---- runtime.cpp

void set_last_error(cudaError_t error);

#define XYZ(v) (v).x, (v).y, (v).z

// ---- checker.cpp

void checker_launch(size_t dynamic_bytes);
void checker_block();
void checker_launch_ends();
void checker_copied(const void *to, size_t bytes);    // to shared memory, by TMA

// ---- local.cpp: a thread's own variables

void local_launch();    // from here on a stack that is too small is reported, and not the program's end
void local_launch_ends();
// Ends the launch where no variable of the running thread lies.
void local_check(uintptr_t address, unsigned bytes, const char *does, const void *site);
std::string
local_name(uintptr_t address);    // "beyond the thread's local memory"; "": it is not local

// ---- device.cpp

void refuse_on_device(const char *function,
                      const void *site);    // called at the site; only the host may

// ---- parameters.cpp

void parameters_launch(const void *const *pointers,
                       size_t count);    // of the next launch, in order
// The kernel's own name of an array that it was given, "x"; "" where it cannot be found.
std::string parameter_of(const void *base);

// ---- counts.cpp: what a warp's accesses cost

void counts_add(unsigned site, uintptr_t address);    // of the running thread
void counts_add_distinct();           // a sector of global memory, for the first time
void counts_align(uint32_t lanes);    // these lanes of the running warp wait: compare them
void counts_launch(size_t shared);
void counts_interval(const void *barrier);    // adds up what the threads did; NULL: the block ends
void counts_block_ends();
void counts_clear();

// ---- faults.cpp

// Counts it, if it is known.
bool fault_again(FaultKind kind, const void *site, const void *other_site);
void fault(FaultKind kind, const Thread *thread, const void *site, const void *other_site,
           const char *format, ...) __attribute__((format(printf, 5, 6)));

// ---- source.cpp

// Of the call that returns to site, in the kernel's source.
SourceLine source_line(const void *site);
bool same_line(const void *a, const void *b);

const char *function_name(const void *function);
bool is_in_function(const void *site, const std::string &name);    // also if it is inlined there

std::string readable(const char *symbol);     // transpose(float*, float const*)
std::string bare(const std::string &name);    // transpose

// ---- module.cpp

void modules_look();                     // what is loaded, and its __shared__ arrays
bool modules_have(uintptr_t address);    // a variable outside functions: __device__, __constant__
}    // namespace emulator
