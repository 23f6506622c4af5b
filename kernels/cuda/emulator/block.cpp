// block.cpp -- runs a grid: blocks in turn, their threads as fibers.
#include "kernels/cuda/emulator/block.h"
#include <cstdarg>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace emulator
{
Block block;
__thread Thread *self;
__thread Position here = {{0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}};

static Fiber launcher;
static void (*kernel_call)(void *);
static void *kernel_arguments;
static cudaError_t last_error;
static std::vector<char> dynamic_memory;

// ---- fibers

static std::vector<Fiber *> fibers, parked;    // all; those without a thread

[[noreturn]] static void fiber_main();

// Stacks begin at different offsets from a page: at equal ones they would fight for the same lines of the cache.
static void fiber_reset(size_t number)
{
    fiber_prepare(fibers[number], fibers[number]->stack + STACK_BYTES - number % 16 * 256, fiber_main);
}

static Fiber *fiber_take()
{
    if (parked.empty()) {
        void *stack = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED || mprotect(stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE) != 0) {
            perror("emulator: no memory for a thread's stack");
            abort();
        }
        fibers.push_back(new Fiber{nullptr, static_cast<char *>(stack)});
        fiber_reset(fibers.size() - 1);
        return fibers.back();
    }
    Fiber *fiber = parked.back();
    parked.pop_back();
    return fiber;
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

static void settle(const Thread *thread)
{
    if (!warp_of(thread).ready) counts_settle(~0u);
}

// Until another thread makes this one ready.
static void wait()
{
    settle(self);
    leave(self->fiber, next_thread());
}

void stop_launch(cudaError_t why)
{
    last_error = why;
    block.stopped = true;
    Fiber *mine = self->fiber;
    self = nullptr;
    fiber_switch(mine, &launcher);
    abort();
}

// ---- the barrier

static const Thread *someone(bool (*is)(const Thread &))
{
    for (unsigned i = 0; i < block.threads; i++)
        if (is(block.thread[i])) return &block.thread[i];
    return nullptr;
}

#define AT    "thread (%u,%u,%u)"
#define XYZ(v) (v).x, (v).y, (v).z

static void check_barrier()
{
    const Thread *first = someone([](const Thread &t) { return t.at_barrier; });
    for (unsigned i = 0; i < block.threads; i++) {
        const Thread &t = block.thread[i];
        if (!t.at_barrier || t.site == first->site || same_line(t.site, first->site)) continue;
        const SourceLine other = source_line(t.site);
        fault(FAULT_DIVERGENT_BARRIER, first, first->site, t.site,
              "waits at a barrier while " AT " waits at another one, line %d", XYZ(t.index), other.line);
        return;
    }
    if (block.live < block.threads) {
        const Thread *gone = someone([](const Thread &t) { return t.returned; });
        fault(FAULT_DIVERGENT_BARRIER, first, first->site, nullptr,
              "waits at a barrier that %u of the block's %u threads do not reach: they have returned, " AT
              " first",
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
    outcome = {(int)block.yes, block.yes == block.arrived};
    block.arrived = block.yes = 0;
    block.opened = ++block.clock;
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
        settle(self);
        open_barrier();
    } else {
        wait();
    }
    return outcome;    // stays until all have arrived at the next one
}

// ---- the warp's meetings

unsigned lane_id()
{
    return number_of(self) % WARP;
}

static const Thread *meeting;    // the first thread of the warp whose meeting is being completed

void lane_not_in_mask(unsigned lane, unsigned from)
{
    const Thread *thread = &meeting[lane];
    fault(FAULT_WARP_MASK, thread, thread->site, nullptr,
          "shuffles from lane %u, which is not in the mask 0x%08x or has returned", from, thread->mask);
}

// Whether two threads wait for the same meeting.
static bool same_meeting(const Thread &a, const Thread &b)
{
    return a.request && b.request && a.mask == b.mask && a.request->complete == b.request->complete;
}

// Completes the meeting that a thread waits for, if all its lanes that have not returned are there. They may
// run again.
static bool complete_meeting(const Thread &one)
{
    Warp &warp = warp_of(&one);
    Thread *const first = &block.thread[number_of(&one) / WARP * WARP];
    Request *const any = one.request, *lanes[WARP] = {};
    unsigned there = 0;
    for (unsigned i = 0; i < WARP; i++) {
        if (!(one.mask & warp.live & 1u << i) || !same_meeting(first[i], one)) continue;
        lanes[i] = first[i].request;
        there |= 1u << i;
    }
    if (there != (one.mask & warp.live)) return false;

    counts_settle(there);
    Thread *const me = self;
    self = nullptr;    // what complete() touches is no access of the kernel's
    meeting = first;
    any->complete(lanes, there);
    self = me;
    const uint32_t now = ++block.clock;
    uint32_t joined[WARP] = {};    // what any of them knew, all of them know
    for (unsigned i = 0; i < WARP; i++)
        for (unsigned j = 0; j < WARP; j++)
            if (there >> i & 1 && warp.known[i][j] > joined[j]) joined[j] = warp.known[i][j];
    for (unsigned j = 0; j < WARP; j++)
        if (there >> j & 1) joined[j] = now;
    for (unsigned i = 0; i < WARP; i++) {
        if (!(there >> i & 1)) continue;
        memcpy(warp.known[i], joined, sizeof joined);
        first[i].request = nullptr;
        if (&first[i] != self) warp.ready |= 1u << i;
    }
    return true;
}

bool whole_warp(unsigned mask)
{
    if (mask == 0xffffffff) return true;
    const Thread *thread = &meeting[__builtin_ctz(mask)];
    fault(FAULT_WARP_MASK, thread, thread->site, nullptr,
          "does a matrix operation, for which all 32 lanes have to be there: they are 0x%08x", mask);
    return false;
}

static void meet_at(unsigned mask, Request *request, const void *site)
{
    const unsigned lane = lane_id();
    if (!(mask >> lane & 1))
        fault(FAULT_WARP_MASK, self, site, nullptr, "is lane %u, which its own mask 0x%08x lacks", lane,
              mask);
    self->site = site;
    self->mask = mask | 1u << lane;
    self->request = request;
    if (!complete_meeting(*self)) wait();
}

void meet(unsigned mask, Request *request)
{
    meet_at(mask, request, __builtin_return_address(0));
}

void Vote::ballot(Request *const *lanes, unsigned mask)
{
    unsigned yes = 0;
    for (unsigned i = 0; i < WARP; i++)
        if (mask >> i & 1 && static_cast<Vote *>(lanes[i])->value) yes |= 1u << i;
    for (unsigned i = 0; i < WARP; i++)
        if (mask >> i & 1) {
            static_cast<Vote *>(lanes[i])->result = yes;
            static_cast<Vote *>(lanes[i])->all = yes == mask;
        }
}

void Vote::matches(Request *const *lanes, unsigned mask)
{
    for (unsigned i = 0; i < WARP; i++) {
        if (!(mask >> i & 1)) continue;
        auto *mine = static_cast<Vote *>(lanes[i]);
        mine->result = 0;
        for (unsigned j = 0; j < WARP; j++)
            if (mask >> j & 1 && static_cast<Vote *>(lanes[j])->value == mine->value)
                mine->result |= 1u << j;
        mine->all = mine->result == mask;
    }
}

// ---- threads, blocks, grids

static void thread_returns()
{
    Thread *me = self;
    me->returned = true;
    me->fiber = nullptr;
    warp_of(me).live &= ~(1u << number_of(me) % WARP);
    block.live--;
    settle(me);
    const Thread *first = &block.thread[number_of(me) / WARP * WARP];
    for (unsigned i = 0; i < WARP; i++)
        if (first[i].request) complete_meeting(first[i]);
    if (block.arrived > 0 && block.arrived == block.live) open_barrier();
}

// Threads that never wait run one after another on one stack.
void fiber_main()
{
    for (;;) {
        Fiber *mine = self->fiber;
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

// Nobody can go on: the first lane that waits for another of its warp, and what that one does.
static void report_deadlock()
{
    for (unsigned i = 0; i < block.threads; i++) {
        const Thread &t = block.thread[i];
        for (unsigned j = 0; t.request && j < WARP; j++) {
            const Thread &other = block.thread[i / WARP * WARP + j];
            if (!(t.mask & warp_of(&t).live & 1u << j) || same_meeting(t, other)) continue;
            char what[96] = "waits at the block's barrier";
            if (other.request)
                snprintf(what, sizeof what, "is in a %s with mask 0x%08x", other.request->operation,
                         other.mask);
            fault(FAULT_WARP_MASK, &t, t.site, other.site,
                  "waits in a %s with mask 0x%08x for lane %u, which %s in line %d", t.request->operation,
                  t.mask, j, what, source_line(other.site).line);
            return;
        }
    }
    const Thread *stuck = someone([](const Thread &t) { return !t.returned; });
    fault(FAULT_DEADLOCK, stuck, stuck->site, nullptr, "waits for ever");
}

static void run_block(dim3 size)
{
    block.live = block.threads;
    block.arrived = block.yes = 0;
    block.serial++;
    block.clock = block.opened = 1;
    for (unsigned i = 0; i < block.threads; i++) {
        Thread &t = block.thread[i];
        t = {};
        t.number = i;
        t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    }
    for (unsigned i = 0; i < block.warps; i++) {
        const unsigned lanes = block.threads - i * WARP;
        Warp &warp = block.warp[i];
        warp.lanes = warp.live = warp.ready = lanes >= WARP ? ~0u : (1u << lanes) - 1;
        memset(warp.known, 0, sizeof warp.known);
    }
    memset(dynamic_memory.data(), 0xff, dynamic_memory.size());
    checker_block();
    running_warp = 0;
    leave(&launcher, next_thread());
    if (!block.stopped && block.live > 0) {
        report_deadlock();
        block.stopped = true;
        last_error = cudaErrorLaunchFailure;
    }
    if (block.stopped) {    // its threads are given up where they stand
        self = nullptr;
        parked = fibers;
        for (size_t i = 0; i < fibers.size(); i++) fiber_reset(i);
    }
}

void launch(const char *name, dim3 grid, dim3 size, size_t shared, void (*thread)(void *), void *that)
{
    const uint64_t threads = (uint64_t)size.x * size.y * size.z;
    if (threads == 0 || threads > THREADS_MAX || size.z > 64 || grid.x == 0 || grid.y == 0 ||
        grid.z == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 || shared > 227 << 10 ||
        self) {
        last_error = cudaErrorInvalidConfiguration;
        return;
    }
    kernel_call = thread;
    kernel_arguments = that;
    block.kernel = name;
    block.threads = (unsigned)threads;
    block.warps = (block.threads + WARP - 1) / WARP;
    block.first_serial = block.serial + 1;
    block.stopped = false;
    block.dynamic_bytes = shared;
    dynamic_memory.resize(shared + 128);
    here.block_size = size;
    here.grid_size = grid;
    checker_launch(shared);
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x && !block.stopped; x++) {
                here.block = block.index = {x, y, z};
                run_block(size);
            }
    checker_launch_ends();
}

void *dynamic_shared()
{
    const uintptr_t start = reinterpret_cast<uintptr_t>(dynamic_memory.data());
    return reinterpret_cast<void *>((start + 127) & ~(uintptr_t)127);
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

void __syncwarp(unsigned mask)
{
    Request request = {[](Request *const *, unsigned) {}, "__syncwarp"};
    meet_at(mask, &request, __builtin_return_address(0));
}

void __threadfence()
{
    self->fenced = true;
}

unsigned __activemask()
{
    return warp_of(self).live;
}

cudaError_t cudaGetLastError()
{
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError()
{
    return last_error;
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    }
    return "unknown error";
}
