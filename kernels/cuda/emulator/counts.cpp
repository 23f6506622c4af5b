/* counts.cpp -- what the accesses of a warp cost.
 *
 * The lanes of a warp run one after another here and side by side on a GPU. So each lane keeps a log, and
 * when all of them wait, the logs are laid side by side: the lanes that are furthest behind in the code
 * step together. After a branch, this brings lanes together again as a GPU does.
 */
#include <algorithm>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
struct Count {
    unsigned kind, bytes;
    uint64_t warps, lanes, transfers, ideal;
};

static std::vector<Access> logs[WARP];    // of the running warp
static std::unordered_map<uint64_t, Count> counts;    // by site
static uint64_t steps, active, distinct;
static std::vector<KernelLaunch> launch_list;

// ---- the cost of one access of a warp: `count` lanes, each `bytes` at address[i]

static unsigned distinct_words(uint64_t *word, unsigned count)
{
    std::sort(word, word + count);
    return (unsigned)(std::unique(word, word + count) - word);
}

// Sectors of 32 bytes; and the fewest that the same bytes could lie in.
static void cost_global(const uint64_t *address, unsigned count, unsigned bytes, Count &sum)
{
    uint64_t word[2 * WARP];
    unsigned words = 0;
    bool ascending = true;
    for (unsigned i = 0; i < count; i++) {
        word[words++] = address[i];
        ascending &= i == 0 || address[i] > address[i - 1];
    }
    const unsigned different = ascending ? count : distinct_words(word, words);
    words = 0;
    for (unsigned i = 0; i < count; i++)
        for (uint64_t s = address[i] / 32; s <= (address[i] + bytes - 1) / 32; s++)
            if (words == 0 || word[words - 1] != s) word[words++] = s;
    sum.transfers += ascending ? words : distinct_words(word, words);
    sum.ideal += ((uint64_t)different * bytes + 31) / 32;
}

// Wavefronts: as many as the bank with the most different words. Accesses of 8 bytes go by half warps, of
// 16 by quarters. Atomic operations of one word follow one another.
static void cost_shared(const uint64_t *address, const uint8_t *lane, unsigned count, unsigned bytes,
                        bool atomic, Count &sum)
{
    const unsigned lanes = bytes <= 4 ? 32u : 128u / bytes;    // that are served together
    for (unsigned first = 0, end; first < count; first = end) {
        uint64_t word[4 * WARP];
        unsigned words = 0, per_bank[WARP] = {}, most = 0;
        for (end = first; end < count && lane[end] / lanes == lane[first] / lanes; end++)
            for (uint64_t w = address[end] / 4; w <= (address[end] + bytes - 1) / 4; w++)
                if (atomic || words == 0 || word[words - 1] != w) word[words++] = w;
        if (!atomic) words = distinct_words(word, words);
        for (unsigned i = 0; i < words; i++) most = std::max(most, ++per_bank[word[i] % WARP]);
        sum.transfers += most;
        sum.ideal++;
    }
}

// ---- laying the logs side by side

void counts_add(const Access &access)
{
    logs[number_of(self) % WARP].push_back(access);
}

void counts_add_distinct()
{
    distinct++;
}

void counts_settle(uint32_t lanes)
{
    const Access *at[WARP], *end[WARP];
    uint8_t who[WARP];
    unsigned open = 0;
    for (unsigned i = 0; i < WARP; i++)
        if (lanes >> i & 1 && !logs[i].empty()) {
            at[open] = logs[i].data();
            end[open] = at[open] + logs[i].size();
            who[open++] = (uint8_t)i;
        }
    while (open > 0) {
        uint64_t site = at[0]->site, address[WARP];
        for (unsigned i = 1; i < open; i++) site = std::min<uint64_t>(site, at[i]->site);
        uint8_t lane[WARP];
        unsigned together = 0, still = 0, kind = 0, bytes = 0;
        for (unsigned i = 0; i < open; i++) {
            if (at[i]->site == site) {
                kind = at[i]->kind;
                bytes = at[i]->bytes;
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
        if (kind == STEP) {
            steps++;
            active += together;
            continue;
        }
        Count &count = counts[site];
        count.kind = kind;
        count.bytes = bytes;
        count.warps++;
        count.lanes += together;
        if (kind & SHARED)
            cost_shared(address, lane, together, bytes, kind & ATOMIC, count);
        else
            cost_global(address, together, bytes, count);
    }
    for (unsigned i = 0; i < WARP; i++)
        if (lanes >> i & 1) logs[i].clear();
}

// ---- the report

void counts_launch(size_t shared)
{
    const uint3 b = {blockDim.x, blockDim.y, blockDim.z};
    launch_list.push_back({block.kernel,
                           {gridDim.x, gridDim.y, gridDim.z},
                           {b.x, b.y, b.z},
                           std::max(shared, block.dynamic_bytes)});
}

void counts_clear()
{
    counts.clear();
    launch_list.clear();
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
    for (const auto &[site, c] : counts) {
        LineCounts line = {};
        line.at = source_line(reinterpret_cast<const void *>(site));
        line.space = c.kind & SHARED ? SPACE_SHARED : SPACE_GLOBAL;
        line.writes = c.kind & WRITES;
        line.atomic = c.kind & ATOMIC;
        line.bytes = c.bytes;
        line.warps = c.warps;
        line.lanes = c.lanes;
        line.transfers = c.transfers;
        line.ideal = c.ideal;
        (c.kind & SHARED ? report->wavefronts : report->sectors) += c.transfers;
        lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end(), before);
    size_t n = 0;    // one entry for what stands in one line
    for (size_t i = 0; i < lines.size(); i++) {
        if (n > 0 && !before(lines[n - 1], lines[i])) {
            lines[n - 1].warps += lines[i].warps;
            lines[n - 1].lanes += lines[i].lanes;
            lines[n - 1].transfers += lines[i].transfers;
            lines[n - 1].ideal += lines[i].ideal;
        } else {
            lines[n++] = lines[i];
        }
    }
    report->line = lines.data();
    report->lines = n;
    report->launch = launch_list.data();
    report->launches = launch_list.size();
    report->steps = steps;
    report->active = active;
    report->distinct = distinct;
}
}    // namespace emulator
