// warp.cpp -- lanes wait for each other, and complete their operations together.
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
unsigned lane_id()
{
    return number_of(self) % WARP;
}

static Thread *converged;    // lane 0 of the warp whose operation is being completed

void lane_not_in_mask(unsigned lane, unsigned from)
{
    const Thread *thread = &converged[lane];
    fault(FAULT_WARP_MASK, thread, thread->site, nullptr,
          "shuffles from lane %u, which is not in the mask 0x%08x or has returned", from,
          thread->mask);
}

Thread *operation_lane(unsigned lane)
{
    return &converged[lane];
}

// Whether two threads wait for the same operation.
static bool same_operation(const Thread &a, const Thread &b)
{
    return a.operation && b.operation && a.mask == b.mask &&
           a.operation->complete == b.operation->complete;
}

// Completes the operation that a thread waits for, if all its lanes that have not returned are there. They may
// run again.
static bool complete_operation(const Thread &one)
{
    Warp &warp = warp_of(&one);
    Thread *const first = &block.thread[number_of(&one) / WARP * WARP];
    WarpOperation *const any = one.operation, *lanes[WARP] = {};
    unsigned there = 0;
    for (unsigned i = WARP; i-- > 0;) {    // the last lane comes last, as a rule
        if (!(one.mask & warp.live & 1u << i)) continue;
        if (!same_operation(first[i], one)) return false;
        lanes[i] = first[i].operation;
        there |= 1u << i;
    }

    counts_align(there);
    Thread *const me = self;
    self = nullptr;    // what complete() touches is no access of the kernel's
    converged = first;
    any->complete(lanes, there);
    self = me;
    const uint64_t now = ++block.clock;
    uint64_t joined[WARP] = {};    // the vector clocks' join
    const bool orders = checking && any->orders_memory;
    for (unsigned i = 0; orders && i < WARP; i++)
        for (unsigned j = 0; j < WARP; j++)
            if (there >> i & 1 && warp.known[i][j] > joined[j]) joined[j] = warp.known[i][j];
    for (unsigned j = 0; j < WARP; j++)
        if (there >> j & 1) joined[j] = now;
    for (unsigned i = 0; i < WARP; i++) {
        if (!(there >> i & 1)) continue;
        if (orders) memcpy(warp.known[i], joined, sizeof joined);
        first[i].operation = nullptr;
        if (&first[i] != self) warp.ready |= 1u << i;
    }
    return true;
}

bool whole_warp(unsigned mask)
{
    if (mask == 0xffffffff) return true;
    const Thread *thread = &converged[__builtin_ctz(mask)];
    fault(FAULT_WARP_MASK, thread, thread->site, nullptr,
          "does a matrix operation, for which all 32 lanes have to be there: they are 0x%08x",
          mask);
    return false;
}

struct MatrixAccess : WarpOperation {
    const void *at;
    unsigned stride, bytes;    // of a row in elements, of an element

    MatrixAccess(const void *at_, unsigned stride_, unsigned bytes_, const char *function)
        : WarpOperation{all, function, false}, at(at_), stride(stride_), bytes(bytes_)
    {
    }
    static void all(WarpOperation *const *lanes, unsigned mask);
};

void MatrixAccess::all(WarpOperation *const *lanes, unsigned mask)
{
    if (!whole_warp(mask)) return;
    const auto *tile = static_cast<const MatrixAccess *>(lanes[0]);
    const void *site = converged->site;
    for (unsigned i = 1; i < WARP; i++) {
        const auto *other = static_cast<const MatrixAccess *>(lanes[i]);
        if (other->at == tile->at && other->stride == tile->stride) continue;
        fault(FAULT_WARP_MASK, &converged[i], site, nullptr,
              "gives %s another address or row length than lane 0: the warp loads and stores one "
              "tile, and all lanes name the same",
              tile->name);
        return;
    }
    if ((uintptr_t)tile->at % 32 != 0)
        fault(FAULT_MISALIGNED, converged, site, nullptr,
              "gives %s the address 0x%llx, which is not a multiple of 32", tile->name,
              (unsigned long long)(uintptr_t)tile->at);
    if (tile->stride * tile->bytes % 16 != 0)
        fault(FAULT_MISALIGNED, converged, site, nullptr,
              "gives %s rows of %u elements: of %u bytes each, their number has to be a multiple "
              "of %u",
              tile->name, tile->stride, tile->bytes, 16 / tile->bytes);
}

void converge_at(unsigned mask, WarpOperation *operation, const void *site)
{
    const unsigned lane = lane_id();
    if (!(mask >> lane & 1))
        fault(FAULT_WARP_MASK, self, site, nullptr, "is lane %u, which its own mask 0x%08x lacks",
              lane, mask);
    self->site = site;
    self->mask = mask | 1u << lane;
    self->operation = operation;
    if (!complete_operation(*self)) wait();
}

void converge(unsigned mask, WarpOperation *operation)
{
    converge_at(mask, operation, __builtin_return_address(0));
}

void reach_matrix(const void *at, unsigned stride, unsigned bytes, const char *function)
{
    MatrixAccess operation(at, stride, bytes, function);
    converge_at(0xffffffff, &operation, __builtin_return_address(0));
}

void Vote::ballot(WarpOperation *const *lanes, unsigned mask)
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

void Vote::matches(WarpOperation *const *lanes, unsigned mask)
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

void complete_operations_without(const Thread *gone)
{
    const Thread *first = &block.thread[number_of(gone) / WARP * WARP];
    for (unsigned i = 0; i < WARP; i++)
        if (first[i].operation) complete_operation(first[i]);
}

// No thread can continue: the first lane that waits for another of its warp, and what that one does.
void report_deadlock()
{
    for (unsigned i = 0; i < block.threads; i++) {
        const Thread &t = block.thread[i];
        for (unsigned j = 0; t.operation && j < WARP; j++) {
            const Thread &other = block.thread[i / WARP * WARP + j];
            if (!(t.mask & warp_of(&t).live & 1u << j) || same_operation(t, other)) continue;
            char what[96] = "waits at the block's barrier";
            if (other.operation)
                snprintf(what, sizeof what, "is in a %s with mask 0x%08x", other.operation->name,
                         other.mask);
            fault(FAULT_WARP_MASK, &t, t.site, other.site,
                  "waits in a %s with mask 0x%08x for lane %u, which %s in line %d",
                  t.operation->name, t.mask, j, what, source_line(other.site).line);
            return;
        }
    }
    const Thread *stuck = someone([](const Thread &t) { return t.mbarrier != nullptr; });
    if (stuck) {
        fault(FAULT_DEADLOCK, stuck, stuck->site, nullptr, "%s", async_waits_for(*stuck).c_str());
        return;
    }
    stuck = someone([](const Thread &t) { return !t.returned; });
    fault(FAULT_DEADLOCK, stuck, stuck->site, nullptr,
          "never continues: no thread of the block can");
}
}    // namespace emulator

using namespace emulator;

void __syncwarp(unsigned mask)
{
    WarpOperation operation = {[](WarpOperation *const *, unsigned) {}, "__syncwarp", true};
    converge_at(mask, &operation, __builtin_return_address(0));
}

// CUDA promises no more than that the caller is among them (Programming Guide, "Warp Vote Functions"): a kernel that takes
// it for the lanes of its branch goes wrong on a GPU now and then, and here always.
unsigned __activemask()
{
    return checking ? 1u << number_of(self) % WARP : warp_of(self).live;
}
