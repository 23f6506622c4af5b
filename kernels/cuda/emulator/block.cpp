// block.cpp -- runs a grid: blocks in turn, their threads as fibers.
#include "kernels/cuda/emulator/block.h"
#include <cstdlib>
#include <deque>
#include <sys/mman.h>
#include <vector>
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
Block block;
__thread Thread *self;
__thread Position here = {{0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}};

static Fiber launcher;
static void (*kernel_call)(void *);
static void *kernel_arguments;
static std::vector<char> dynamic_memory;

// Where dynamic shared memory begins: at a multiple of 128 that is none of 1024, so that who needs more has to align it.
enum { DYNAMIC_PERIOD = 1024, DYNAMIC_OFFSET = 128 };

// ---- fibers

static std::deque<Fiber> fibers;
static std::vector<Fiber *> parked;    // those without a thread

[[noreturn]] static void fiber_main();

// Stacks begin at different offsets from a page: at equal ones they would fight for the same lines of the cache.
static void fiber_reset(size_t number)
{
    fiber_prepare(&fibers[number], fibers[number].stack + STACK_BYTES - number % 16 * 256,
                  fiber_main);
}

static Fiber *fiber_take()
{
    if (parked.empty()) {
        void *pages = mmap(nullptr, STACK_BYTES + 2 * GUARD_BYTES, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        char *stack = static_cast<char *>(pages) + GUARD_BYTES;
        if (pages == MAP_FAILED || mprotect(stack, STACK_BYTES, PROT_READ | PROT_WRITE) != 0) {
            perror("emulator: no memory for a thread's stack");
            abort();
        }
        fibers.push_back({nullptr, stack, nullptr});
        fiber_reset(fibers.size() - 1);
        return &fibers.back();
    }
    Fiber *fiber = parked.back();
    parked.pop_back();
    return fiber;
}

const Fiber *fiber_at(uintptr_t address)
{
    for (const Fiber &fiber : fibers)
        if (address - reinterpret_cast<uintptr_t>(fiber.stack - GUARD_BYTES) <
            STACK_BYTES + 2 * GUARD_BYTES)
            return &fiber;
    return nullptr;
}

// ---- the next thread to run

static unsigned running_warp;

// A warp runs as long as one of its lanes can.
static Thread *next_thread()
{
    for (unsigned i = 0; i < block.warps; i++) {
        Warp &warp = block.warp[running_warp];
        if (warp.ready) {
            const unsigned lane = (unsigned)__builtin_ctz(warp.ready);
            warp.ready &= warp.ready - 1;
            return &block.thread[running_warp * WARP + lane];
        }
        running_warp = running_warp + 1 < block.warps ? running_warp + 1 : 0;
    }
    return nullptr;
}

static void become(Thread *thread)
{
    self = thread;
    if (thread) here.thread = thread->index;
}

static void leave(Fiber *from, Thread *next)
{
    become(next);
    if (next && !next->fiber) next->fiber = fiber_take();
    fiber_switch(from, next ? next->fiber : &launcher);
}

static void align_warp(const Thread *thread)
{
    if (!warp_of(thread).ready) counts_align(~0u);
}

void wait()
{
    align_warp(self);
    leave(self->fiber, next_thread());
}

void stop_launch(cudaError_t why)
{
    set_last_error(why);
    block.stopped = true;
    Fiber *mine = self->fiber;
    self = nullptr;
    fiber_switch(mine, &launcher);
    abort();
}

// ---- the barrier

const Thread *someone(bool (*is)(const Thread &))
{
    for (unsigned i = 0; i < block.threads; i++)
        if (is(block.thread[i])) return &block.thread[i];
    return nullptr;
}

static void check_barrier()
{
    const Thread *first = someone([](const Thread &t) { return t.at_barrier; });
    // Optimised code may have several calls for one of the source, and jump to it in place of a call.
    for (unsigned i = 0; checking && i < block.threads; i++) {
        const Thread &t = block.thread[i];
        if (!t.at_barrier || t.site == first->site || same_line(t.site, first->site)) continue;
        const SourceLine other = source_line(t.site);
        fault(FAULT_DIVERGENT_BARRIER, first, first->site, t.site,
              "waits at a barrier while thread (%u,%u,%u) waits at another one, line %d",
              XYZ(t.index), other.line);
        return;
    }
    if (block.live < block.threads) {
        const Thread *gone = someone([](const Thread &t) { return t.returned; });
        fault(FAULT_DIVERGENT_BARRIER, first, first->site, nullptr,
              "waits at a barrier that %u of the block's %u threads do not reach: they have "
              "returned, thread (%u,%u,%u) first",
              block.threads - block.live, block.threads, XYZ(gone->index));
    }
}

struct Outcome {
    int yes, all;
};
static Outcome outcome;

static void open_barrier()
{
    check_barrier();
    counts_interval(someone([](const Thread &t) { return t.at_barrier; })->site);
    outcome = {(int)block.yes, block.yes == block.arrived};
    block.arrived = block.yes = 0;
    block.opened = ++block.clock;
    async_barrier();
    for (unsigned i = 0; i < block.threads; i++) {
        Thread &t = block.thread[i];
        if (!t.at_barrier) continue;
        t.at_barrier = false;
        if (&t != self) warp_of(&t).ready |= 1u << i % WARP;
    }
}

static Outcome barrier(int predicate, const void *site)
{
    self->site = site;
    self->at_barrier = true;
    block.yes += predicate != 0;
    if (++block.arrived == block.live) {
        align_warp(self);
        open_barrier();
    } else {
        wait();
    }
    return outcome;    // stays until all have arrived at the next one
}

// ---- threads, blocks, grids

static void thread_returns()
{
    Thread *me = self;
    me->returned = true;
    me->fiber = nullptr;
    warp_of(me).live &= ~(1u << number_of(me) % WARP);
    block.live--;
    align_warp(me);
    complete_operations_without(me);
    if (block.arrived > 0 && block.arrived == block.live) open_barrier();
}

// Threads that never wait run one after another on one stack.
void fiber_main()
{
    for (;;) {
        Fiber *mine = self->fiber;
        mine->top = __builtin_frame_address(0);
        kernel_call(kernel_arguments);
        thread_returns();
        Thread *next = next_thread();
        if (next && !next->fiber) {
            next->fiber = mine;
            become(next);
        } else {
            parked.push_back(mine);
            leave(mine, next);
        }
    }
}

static void run_block(dim3 size)
{
    block.live = block.threads;
    block.arrived = block.yes = 0;
    block.began = block.opened = ++block.clock;
    for (unsigned i = 0; i < block.threads; i++) {
        Thread &t = block.thread[i];
        t = {};
        t.number = i;
        t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    }
    for (unsigned i = 0; i < block.warps; i++) {
        const unsigned lanes = block.threads - i * WARP;
        Warp &warp = block.warp[i];
        warp.live = warp.ready = lanes >= WARP ? ~0u : (1u << lanes) - 1;
    }
    memset(dynamic_memory.data(), 0xff, dynamic_memory.size());
    checker_block();
    async_block();
    running_warp = 0;
    leave(&launcher, next_thread());
    if (!block.stopped && block.live > 0) {
        report_deadlock();
        block.stopped = true;
        set_last_error(cudaErrorLaunchFailure);
    }
    counts_block_ends();
    if (block.stopped) {    // its threads are given up where they stand
        self = nullptr;
        counts_align(~0u);
        parked.clear();
        for (size_t i = 0; i < fibers.size(); i++) {
            fiber_reset(i);
            parked.push_back(&fibers[i]);
        }
    }
}

void launch(const void *kernel, dim3 grid, dim3 size, size_t shared, void (*thread)(void *),
            void *that)
{
    refuse_on_device("a kernel's launch", __builtin_return_address(0));
    const uint64_t threads = (uint64_t)size.x * size.y * size.z;
    if (threads == 0 || threads > THREADS_MAX || size.z > 64 || grid.x == 0 || grid.y == 0 ||
        grid.z == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 ||
        shared > 227 << 10) {
        set_last_error(cudaErrorInvalidConfiguration);
        return;
    }
    kernel_call = thread;
    kernel_arguments = that;
    block.kernel = kernel;
    block.threads = (unsigned)threads;
    block.warps = (block.threads + WARP - 1) / WARP;
    block.launched = ++block.clock;
    block.stopped = false;
    block.dynamic_bytes = shared;
    dynamic_memory.resize(shared + DYNAMIC_PERIOD + DYNAMIC_OFFSET);
    here.block_size = size;
    here.grid_size = grid;
    checker_launch(shared);
    local_launch();
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x && !block.stopped; x++) {
                here.block = block.index = {x, y, z};
                run_block(size);
            }
    local_launch_ends();
    checker_launch_ends();
    parameters_launch(nullptr, 0);
}

void *dynamic_shared()
{
    const uintptr_t start = reinterpret_cast<uintptr_t>(dynamic_memory.data());
    const uintptr_t aligned = (start + DYNAMIC_PERIOD - 1) & ~(uintptr_t)(DYNAMIC_PERIOD - 1);
    return reinterpret_cast<void *>(aligned + DYNAMIC_OFFSET);
}
}    // namespace emulator

using namespace emulator;

void __syncthreads()
{
    barrier(0, __builtin_return_address(0));
}

int __syncthreads_count(int predicate)
{
    return barrier(predicate, __builtin_return_address(0)).yes;
}

int __syncthreads_and(int predicate)
{
    return barrier(predicate, __builtin_return_address(0)).all;
}

int __syncthreads_or(int predicate)
{
    return barrier(predicate, __builtin_return_address(0)).yes != 0;
}

void __threadfence()
{
    self->fenced = true;
}
