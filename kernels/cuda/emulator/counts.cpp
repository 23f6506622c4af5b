/* counts.cpp -- what the accesses of a warp cost.
 *
 * The lanes of a warp run one after another here and side by side on a GPU. So each lane keeps a log, and
 * when all of them wait, the logs are laid side by side: the lanes that are furthest behind in the code
 * step together. After a branch, this brings lanes together again as a GPU does.
 */
#include <algorithm>
#include <vector>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/site.h"

namespace emulator
{
Site sites[SITES_MAX];
uint32_t site_count;
uint16_t site_table[2 * SITES_MAX];

uint16_t site_add(uintptr_t address, uint32_t slot)
{
    if (site_count == SITES_MAX - 1) {
        fprintf(stderr, "emulator: more than %d places access memory\n", SITES_MAX);
        abort();
    }
    sites[++site_count].address = address;
    return site_table[slot] = (uint16_t)site_count;
}

struct Access {
    uint64_t site : 16, address : 48;
};

// Of a lane of the running warp.
struct Log {
    Access *begin, *end, *limit;
};

// Accesses and steps of a lane between two waits that are counted: an endless loop takes time, not all memory.
enum { LOG_MAX = 1 << 22 };

static Log logs[WARP];
static uint64_t steps, active, distinct;
static std::vector<KernelLaunch> launch_list;
static KernelLaunch work;    // of the running launch, of which accesses alone are known
static uint64_t of_block;    // accesses of the running block

struct Places {                      // in the code: of a launch
    const void *kernel, *barrier;    // barrier: the end of its worst interval
};
static std::vector<Places> places;
static const void *worst_barrier;    // of the running launch

// ---- the cost of one access of a warp: `count` lanes, each `bytes` at address[i]

// How many of the numbers differ, which are then the first ones, in order.
static unsigned distinct_of(uint64_t *number, unsigned count)
{
    if (!std::is_sorted(number, number + count)) std::sort(number, number + count);
    return (unsigned)(std::unique(number, number + count) - number);
}

// Sectors of 32 bytes; and the fewest that the same bytes could lie in.
static void cost_global(uint64_t *address, unsigned count, unsigned bytes, Site &sum)
{
    uint64_t sector[2 * WARP];
    unsigned sectors = 0;
    count = distinct_of(address, count);
    for (unsigned i = 0; i < count; i++)
        for (uint64_t s = address[i] / 32; s <= (address[i] + bytes - 1) / 32; s++)
            sector[sectors++] = s;
    sum.transactions += distinct_of(sector, sectors);
    sum.ideal += ((uint64_t)count * bytes + 31) / 32;
}

// Wavefronts: as many as the bank with the most different words. Accesses of 8 bytes go by half warps, of
// 16 by quarters. Atomic operations of one word follow one another.
static void cost_shared(const uint64_t *address, const uint8_t *lane, unsigned count,
                        unsigned bytes, bool atomic, Site &sum)
{
    const unsigned lanes = bytes <= 4 ? 32u : 128u / bytes;    // that are served together
    for (unsigned first = 0, end; first < count; first = end) {
        uint64_t word[4 * WARP];
        unsigned words = 0, per_bank[WARP] = {}, most = 0;
        for (end = first; end < count && lane[end] / lanes == lane[first] / lanes; end++)
            for (uint64_t w = address[end] / 4; w <= (address[end] + bytes - 1) / 4; w++)
                if (atomic || words == 0 || word[words - 1] != w) word[words++] = w;
        if (!atomic) words = distinct_of(word, words);
        for (unsigned i = 0; i < words; i++) most = std::max(most, ++per_bank[word[i] % WARP]);
        sum.transactions += most;
        sum.ideal++;
    }
}

// ---- laying the logs side by side

static void grow(Log &log)
{
    const size_t used = (size_t)(log.end - log.begin), size = used > 0 ? 2 * used : 256;
    log.begin = static_cast<Access *>(realloc(log.begin, size * sizeof *log.begin));
    if (!log.begin) abort();
    log.end = log.begin + used;
    log.limit = log.begin + size;
}

void counts_add(unsigned site, uintptr_t address)
{
    Log &log = logs[number_of(self) % WARP];
    if (log.end - log.begin == LOG_MAX) return;
    if (log.end == log.limit) grow(log);
    log.end->site = site;
    log.end->address = address;
    log.end++;
}

void counts_add_distinct()
{
    distinct++;
}

void counts_align(uint32_t lanes)
{
    const Access *at[WARP], *end[WARP];
    uint8_t who[WARP];
    unsigned open = 0;
    for (unsigned i = 0; i < WARP; i++)
        if (lanes >> i & 1 && logs[i].begin != logs[i].end) {
            at[open] = logs[i].begin;
            end[open] = logs[i].end;
            who[open++] = (uint8_t)i;
        }
    while (open > 0) {
        uint16_t number = at[0]->site;
        for (unsigned i = 1; i < open; i++)
            if (at[i]->site != number && sites[at[i]->site].address < sites[number].address)
                number = at[i]->site;
        uint64_t address[WARP];
        uint8_t lane[WARP];
        unsigned together = 0, still = 0;
        for (unsigned i = 0; i < open; i++) {
            if (at[i]->site == number) {
                lane[together] = who[i];
                address[together++] = at[i]->address;
                at[i]++;
            }
            at[still] = at[i];
            end[still] = end[i];
            who[still] = who[i];
            still += at[i] != end[i];
        }
        open = still;
        Site &site = sites[number];
        if (site.kind == STEP) {
            steps++;
            active += together;
            continue;
        }
        site.requests++;
        site.lanes += together;
        if (site.kind & SHARED)
            cost_shared(address, lane, together, site.bytes, site.kind & ATOMIC, site);
        else cost_global(address, together, site.bytes, site);
    }
    for (unsigned i = 0; i < WARP; i++)
        if (lanes >> i & 1) logs[i].end = logs[i].begin;
}

// ---- who did it

static void copy(uint32_t *to, const uint3 &from)
{
    to[0] = from.x;
    to[1] = from.y;
    to[2] = from.z;
}

// Accesses for which the other threads waited, times the threads.
static uint64_t lost(const Interval &interval)
{
    return interval.most * block.threads - interval.accesses;
}

void counts_interval(const void *barrier)
{
    Interval now = {};
    const Thread *busiest = &block.thread[0];
    for (unsigned i = 0; i < block.threads; i++) {
        Thread &t = block.thread[i];
        now.accesses += t.accesses;
        if (t.accesses > now.most) {
            now.most = t.accesses;
            busiest = &t;
        }
        t.accesses = 0;
    }
    work.span += now.most;
    of_block += now.accesses;
    if (lost(now) <= lost(work.worst)) return;
    copy(now.thread, busiest->index);
    copy(now.block, block.index);
    work.worst = now;
    worst_barrier = barrier;
}

void counts_block_ends()
{
    counts_interval(nullptr);
    work.accesses += of_block;
    if (of_block > work.most_of_block) {
        work.most_of_block = of_block;
        copy(work.busiest_block, block.index);
    }
    of_block = 0;
}

// ---- the report

void counts_launch(size_t shared)
{
    const uint3 b = {blockDim.x, blockDim.y, blockDim.z};
    places.push_back({block.kernel, worst_barrier});
    const uint3 g = {gridDim.x, gridDim.y, gridDim.z};
    copy(work.grid, g);
    copy(work.block, b);
    work.shared = std::max(shared, block.dynamic_bytes);
    launch_list.push_back(work);
    work = {};
    worst_barrier = nullptr;
}

void counts_clear()
{
    for (uint32_t i = 1; i <= site_count; i++)
        sites[i].requests = sites[i].lanes = sites[i].transactions = sites[i].ideal = 0;
    launch_list.clear();
    places.clear();
    steps = active = distinct = 0;
}

static bool before(const LineCounts &a, const LineCounts &b)
{
    const int files = strcmp(a.at.file, b.at.file);
    if (files != 0) return files < 0;
    if (a.at.line != b.at.line) return a.at.line < b.at.line;
    if (a.space != b.space) return a.space < b.space;
    if (a.writes != b.writes) return a.writes < b.writes;
    return a.bytes < b.bytes;
}

void counts_report(EmulatorReport *report)
{
    static std::vector<LineCounts> lines;
    lines.clear();
    report->sectors = report->wavefronts = 0;
    for (uint32_t i = 1; i <= site_count; i++) {
        const Site &c = sites[i];
        if (c.requests == 0) continue;
        LineCounts line = {};
        line.at = source_line(reinterpret_cast<const void *>(c.address));
        line.space = c.kind & SHARED ? SPACE_SHARED : SPACE_GLOBAL;
        line.writes = c.kind & WRITES;
        line.atomic = c.kind & ATOMIC;
        line.bytes = c.bytes;
        line.requests = c.requests;
        line.lanes = c.lanes;
        line.transactions = c.transactions;
        line.ideal = c.ideal;
        (c.kind & SHARED ? report->wavefronts : report->sectors) += c.transactions;
        lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end(), before);
    size_t n = 0;    // one entry for what stands in one line
    for (size_t i = 0; i < lines.size(); i++) {
        if (n > 0 && !before(lines[n - 1], lines[i])) {
            lines[n - 1].requests += lines[i].requests;
            lines[n - 1].lanes += lines[i].lanes;
            lines[n - 1].transactions += lines[i].transactions;
            lines[n - 1].ideal += lines[i].ideal;
        } else {
            lines[n++] = lines[i];
        }
    }
    report->line = lines.data();
    report->lines = n;
    for (size_t i = 0; i < places.size(); i++) {
        launch_list[i].kernel = function_name(places[i].kernel);
        if (places[i].barrier) launch_list[i].worst.end = source_line(places[i].barrier);
    }
    report->launch = launch_list.data();
    report->launches = launch_list.size();
    report->steps = steps;
    report->active = active;
    report->distinct = distinct;
}
}    // namespace emulator
