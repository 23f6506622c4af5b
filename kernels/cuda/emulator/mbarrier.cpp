// mbarrier.cpp -- mbarriers: phases, arrivals and bytes; and what they order (async.h).
#include <deque>
#include "kernels/cuda/emulator/async.h"

namespace emulator
{
struct Mbarrier {
    uint64_t *at;
    unsigned owner;       // in a clock
    uint32_t arrivals;    // of a phase
    uint32_t missing;     // of this one
    int64_t bytes;        // expected in this phase, and not there
    uint64_t phases;      // that have ended
    VectorClock gathered, released;
    Event made;
    bool fenced;    // after it was made
};

// Of the running block.
static std::deque<Mbarrier> mbarriers;
static std::vector<Line> lines;
static VectorClock clocks[WARPS_MAX];
static bool used;

void async_block()
{
    if (!used) return;
    used = false;
    mbarriers.clear();
    lines.clear();
    wgmma_block();
}

static void use()
{
    if (used) return;
    used = true;
    lines.assign(block.dynamic_bytes / 128 + 2, Line());
    for (unsigned w = 0; w < WARPS_MAX; w++) {
        clocks[w] = {};
        clocks[w].at[w] = 1;
    }
}

VectorClock &clock_of_warp()
{
    return clocks[number_of(self) / WARP];
}

bool has_heard(const Event &event)
{
    return event.stamp <= clock_of_warp().at[event.owner];
}

void async_barrier()
{
    if (!used) return;
    VectorClock all = {};
    for (unsigned w = 0; w < block.warps; w++) all.join(clocks[w]);
    for (unsigned w = 0; w < block.warps; w++) {
        clocks[w] = all;
        clocks[w].at[w]++;
    }
}

static uintptr_t shared_base()
{
    return reinterpret_cast<uintptr_t>(dynamic_shared());
}

Line *line_at(const void *shared)
{
    const uintptr_t offset = reinterpret_cast<uintptr_t>(shared) - shared_base();
    return offset < block.dynamic_bytes ? &lines[offset / 128] : nullptr;
}

// ---- phases

static Mbarrier *find(uint64_t *barrier)
{
    for (Mbarrier &m : mbarriers)
        if (m.at == barrier) return &m;
    return nullptr;
}

static Mbarrier &known(uint64_t *barrier, const void *site)
{
    Mbarrier *const m = find(barrier);
    if (!m) {
        fault(FAULT_UNINITIALIZED, self, site, nullptr,
              "uses an mbarrier that mbarrier_init() has not made");
        stop_launch(cudaErrorLaunchFailure);
    }
    if (!has_heard(m->made))
        fault(FAULT_RACE, self, site, m->made.site,
              "uses an mbarrier that another thread makes in line %d with nothing between",
              source_line(m->made.site).line);
    return *m;
}

static bool has_ended(const Mbarrier &m, unsigned parity)
{
    return (m.phases & 1) != parity;
}

static void end_phase_if_complete(Mbarrier &m)
{
    if (m.missing > 0 || m.bytes != 0) return;
    m.phases++;
    m.missing = m.arrivals;
    m.released = m.gathered;
    m.released.at[m.owner] = m.phases;
    for (unsigned i = 0; i < block.threads; i++) {
        Thread &t = block.thread[i];
        if (t.mbarrier != m.at || !has_ended(m, t.parity)) continue;
        t.mbarrier = nullptr;
        warp_of(&t).ready |= 1u << i % WARP;
    }
}

static void arrive(Mbarrier &m, const void *site)
{
    if (m.missing == 0) {
        fault(FAULT_DIVERGENT_BARRIER, self, site, nullptr,
              "arrives at an mbarrier whose phase has all of its %u arrivals, and waits for %lld "
              "bytes",
              m.arrivals, (long long)m.bytes);
        stop_launch(cudaErrorLaunchFailure);
    }
    VectorClock &mine = clock_of_warp();
    m.gathered.join(mine);
    mine.at[number_of(self) / WARP]++;
    m.missing--;
    end_phase_if_complete(m);
}

Event mbarrier_copy_begins(uint64_t *barrier, const void *site)
{
    const Mbarrier &m = known(barrier, site);
    if (!m.fenced)
        fault(FAULT_RACE, self, site, m.made.site,
              "gives TMA an mbarrier that was made in line %d, and no fence_proxy_async() followed "
              "there",
              source_line(m.made.site).line);
    return {m.owner, m.phases + 1, site};
}

void mbarrier_bytes(uint64_t *barrier, uint32_t bytes)
{
    Mbarrier &m = *find(barrier);
    m.bytes -= bytes;
    end_phase_if_complete(m);
}

std::string async_waits_for(const Thread &thread)
{
    const Mbarrier *m = thread.mbarrier ? find(thread.mbarrier) : nullptr;
    if (!m) return "";
    char text[160];
    snprintf(
        text, sizeof text,
        "waits for a phase of parity %u of an mbarrier, whose phase number %llu lacks %u of %u "
        "arrivals and %lld bytes",
        thread.parity, (unsigned long long)m->phases, m->missing, m->arrivals, (long long)m->bytes);
    return text;
}
}    // namespace emulator

using namespace emulator;

#define SITE __builtin_return_address(0)

uint32_t shared_address(const void *shared)
{
    // As far from a multiple of 1024 as in the host's memory: patterns of that size are seen as they are.
    return (uint32_t)(reinterpret_cast<uintptr_t>(shared) - (shared_base() & ~(uintptr_t)1023));
}

void mbarrier_init(uint64_t *barrier, uint32_t arrivals)
{
    use();
    Mbarrier *m = find(barrier);
    if (!m && mbarriers.size() == MBARRIERS_MAX) {
        fprintf(stderr, "emulator: more than %d mbarriers in a block\n", MBARRIERS_MAX);
        abort();
    }
    if (!m) {
        mbarriers.push_back(Mbarrier());
        m = &mbarriers.back();
        m->owner = WARPS_MAX + (unsigned)mbarriers.size() - 1;
    }
    const unsigned warp = number_of(self) / WARP;
    m->at = barrier;
    m->arrivals = m->missing = arrivals;
    m->bytes = 0;
    m->made = {warp, clock_of_warp().at[warp], SITE};
    m->fenced = false;
}

void fence_proxy_async()
{
    const unsigned warp = number_of(self) / WARP;
    for (Mbarrier &m : mbarriers)
        if (m.made.owner == warp) m.fenced = true;
}

void mbarrier_arrive(uint64_t *barrier)
{
    arrive(known(barrier, SITE), SITE);
}

void mbarrier_expect(uint64_t *barrier, uint32_t bytes)
{
    Mbarrier &m = known(barrier, SITE);
    m.bytes += bytes;
    arrive(m, SITE);
}

bool mbarrier_try_wait(uint64_t *barrier, uint32_t parity)
{
    Mbarrier &m = known(barrier, SITE);
    self->site = SITE;
    if (!has_ended(m, parity)) {
        self->mbarrier = barrier;
        self->parity = parity;
        wait();
    }
    clock_of_warp().join(m.released);
    return true;
}
