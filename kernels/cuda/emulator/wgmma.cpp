// wgmma.cpp -- products of a warpgroup: queued in order, computed by each warp when it waits for them.
#include <deque>
#include "kernels/cuda/emulator/async.h"

namespace emulator
{
enum { WARPGROUP = 4, M = 64, K = 16, ELEMENT = 2 };    // warps; m64nNk16 of bfloat16

struct Queued {
    float *sum[WARP];    // of each lane
    int cols;
    uint64_t a, b;
    bool add;
    const void *site;
};

struct Queue {                   // of a warp
    std::vector<Queued> open;    // since the last commit
    std::deque<std::vector<Queued>> groups;
    bool fenced;                      // since the sums were last changed, or ever
    std::vector<float> left[WARP];    // sums as wgmma left them
    const float *left_at[WARP];
    size_t issued;
};
static Queue queues[WARPS_MAX];
static std::vector<Queued>
    order[WARPS_MAX / WARPGROUP];    // of a warpgroup: what its first warp to come asked for

void wgmma_block()
{
    for (Queue &queue : queues) queue = {};
    for (auto &asked : order) asked.clear();
}

static unsigned warp_number()
{
    return number_of(self) / WARP;
}

// ---- operands

struct Descriptor {
    uint32_t start, stride;    // bytes
    unsigned base_offset, swizzle;
};

static Descriptor decode(uint64_t bits)
{
    return {(uint32_t)(bits & 0x3fff) << 4, (uint32_t)(bits >> 32 & 0x3fff) << 4,
            (unsigned)(bits >> 49 & 7), (unsigned)(bits >> 62)};
}

// Where 16 bytes of a row begin, from byte 16 half of it on; NULL: not in dynamic shared memory.
static const char *operand_at(Descriptor d, int row, int half)
{
    const uint32_t straight =
        d.start + (uint32_t)row / 8 * d.stride + (uint32_t)row % 8 * 128 + (uint32_t)half * 16;
    const uint32_t at = straight ^ (straight >> 7 & 7) << 4;
    const char *base = static_cast<const char *>(dynamic_shared());
    const char *place = base - shared_address(base) + at;
    return line_at(place) && line_at(place + 15) ? place : nullptr;
}

static void read_row(float *to, Descriptor d, int row)
{
    for (int half = 0; half < 2; half++) {
        const char *from = operand_at(d, row, half);
        for (int e = 0; e < K / 2; e++) {
            uint16_t bits;
            memcpy(&bits, from + e * ELEMENT, sizeof bits);
            *to++ = (float)__nv_bfloat16::from_bits(bits);
        }
    }
}

[[noreturn]] static void refuse(FaultKind kind, const void *site, const char *why)
{
    fault(kind, self, site, nullptr, "%s", why);
    stop_launch(cudaErrorIllegalAddress);
}

// Which products of this warp read an operand's rows: until when.
static void mark(const Queued &p, uint64_t until)
{
    const unsigned warp = warp_number();
    const auto rows = [=](uint64_t bits, int count) {
        for (int row = 0; row < count; row++) {
            Line &line = *line_at(operand_at(decode(bits), row, 0));
            line.read[warp] = until;
            line.read_site = p.site;
        }
    };
    rows(p.a, M);
    rows(p.b, p.cols);
}

// That the operand is a tile which has arrived.
static void check_operand(uint64_t bits, int rows, const void *site)
{
    const Descriptor d = decode(bits);
    if (d.swizzle != 1)
        refuse(FAULT_MISALIGNED, site,
               "gives wgmma a descriptor without the swizzle by 128 bytes, "
               "which alone this model knows");
    if (d.start / 128 % 8 != d.base_offset)
        refuse(FAULT_MISALIGNED, site,
               "gives wgmma a tile whose swizzle does not begin at a "
               "multiple of 1024 bytes, and no base offset");
    for (int row = 0; row < rows; row++) {
        const char *place = operand_at(d, row, 0);
        if (!place || !operand_at(d, row, 1))
            refuse(FAULT_OUT_OF_BOUNDS, site,
                   "gives wgmma a tile that ends beyond the dynamic shared memory");
        const Line &line = *line_at(place);
        if (line.written.stamp == 0)
            fault(FAULT_UNINITIALIZED, self, site, nullptr,
                  "multiplies row %d of a tile that TMA has not been asked for", row);
        else if (!has_heard(line.written))
            fault(FAULT_RACE, self, site, line.written.site,
                  "multiplies a tile that the copy of line %d may not have filled yet",
                  source_line(line.written.site).line);
    }
}

// ---- the product

// This warp's 16 rows.
static void multiply(const Queued &p)
{
    const Descriptor a = decode(p.a), b = decode(p.b);
    float rows[16][K], cols[256][K];
    for (int i = 0; i < 16; i++) read_row(rows[i], a, (int)(warp_number() % WARPGROUP) * 16 + i);
    for (int j = 0; j < p.cols; j++) read_row(cols[j], b, j);
    for (int lane = 0; lane < WARP; lane++)
        for (int i = 0; i < p.cols / 2; i++) {
            const float *row = rows[lane / 4 + i / 2 % 2 * 8];
            const float *col = cols[i / 4 * 8 + lane % 4 * 2 + i % 2];
            float sum = p.add ? p.sum[lane][i] : 0;
            for (int k = 0; k < K; k++) sum += row[k] * col[k];
            p.sum[lane][i] = sum;
        }
}

static void finish(Queue &queue, const std::vector<Queued> &group)
{
    for (const Queued &p : group) {
        multiply(p);
        for (int lane = 0; lane < WARP; lane++) {
            queue.left_at[lane] = p.sum[lane];
            queue.left[lane].assign(p.sum[lane], p.sum[lane] + p.cols / 2);
        }
    }
    // A later product may read the same tile, and still run.
    for (const Queued &p : group) mark(p, clock_of_warp().at[warp_number()]);
    for (const auto &still : queue.groups)
        for (const Queued &p : still) mark(p, STILL_RUNNING);
    for (const Queued &p : queue.open) mark(p, STILL_RUNNING);
}

// ---- what a warp does together

struct Issue : WarpOperation {
    float *sum;
    int cols;
    uint64_t a, b;
    bool add;

    Issue(float *sum_, int cols_, uint64_t a_, uint64_t b_, bool add_)
        : WarpOperation{all, "wgmma", false}, sum(sum_), cols(cols_), a(a_), b(b_), add(add_)
    {
    }
    bool is_as(const Queued &p) const
    {
        return cols == p.cols && a == p.a && b == p.b && add == p.add;
    }
    static void all(WarpOperation *const *lanes, unsigned mask);
};

// Whether a lane's sums are not those that wgmma left, while nothing is under way.
static bool is_changed(const Queue &queue, unsigned lane, const Issue &now)
{
    if (!queue.open.empty() || !queue.groups.empty()) return false;
    const auto &left = queue.left[lane];
    return queue.left_at[lane] != now.sum || left.size() != (size_t)now.cols / 2 ||
           memcmp(left.data(), now.sum, left.size() * sizeof left[0]) != 0;
}

void Issue::all(WarpOperation *const *lanes, unsigned mask)
{
    if (!whole_warp(mask)) return;
    self = operation_lane(0);    // for messages, and as the warp's clock
    const void *site = self->site;
    Queue &queue = queues[warp_number()];
    const auto *one = static_cast<const Issue *>(lanes[0]);
    Queued queued = {{}, one->cols, one->a, one->b, one->add, site};
    bool changed = false;
    for (unsigned i = 0; i < WARP; i++) {
        const auto *lane = static_cast<const Issue *>(lanes[i]);
        queued.sum[i] = lane->sum;
        changed |= is_changed(queue, i, *lane);
        if (lane->is_as(queued)) continue;
        fault(FAULT_WARP_MASK, operation_lane(i), site, nullptr,
              "gives wgmma another descriptor or shape than lane 0: a warpgroup multiplies one "
              "pair of tiles");
        break;
    }
    if (changed && !queue.fenced)
        fault(FAULT_RACE, self, site, nullptr,
              "gives wgmma sums that this thread used since the last product, without a "
              "wgmma_fence() between");
    queue.fenced = false;

    auto &asked = order[warp_number() / WARPGROUP];
    if (queue.issued == asked.size()) asked.push_back(queued);
    else if (!one->is_as(asked[queue.issued]))
        fault(FAULT_WARP_MASK, self, site, asked[queue.issued].site,
              "gives wgmma another descriptor or shape than another warp of its warpgroup");
    queue.issued++;

    check_operand(one->a, M, site);
    check_operand(one->b, one->cols, site);
    mark(queued, STILL_RUNNING);
    queue.open.push_back(queued);
    self = nullptr;
}

struct Commit : WarpOperation {
    static void all(WarpOperation *const *, unsigned)
    {
        self = operation_lane(0);
        Queue &queue = queues[warp_number()];
        queue.groups.push_back({});
        queue.groups.back().swap(queue.open);
        self = nullptr;
    }
};

struct WaitFor : WarpOperation {
    unsigned groups;

    static void all(WarpOperation *const *lanes, unsigned)
    {
        self = operation_lane(0);
        Queue &queue = queues[warp_number()];
        while (queue.groups.size() > static_cast<const WaitFor *>(lanes[0])->groups) {
            const std::vector<Queued> group = std::move(queue.groups.front());
            queue.groups.pop_front();
            finish(queue, group);
        }
        self = nullptr;
    }
};

struct Fence : WarpOperation {
    static void all(WarpOperation *const *, unsigned)
    {
        self = operation_lane(0);
        queues[warp_number()].fenced = true;
        self = nullptr;
    }
};

void wgmma_issue(float *sum, int cols, uint64_t a, uint64_t b, bool add)
{
    Issue operation(sum, cols, a, b, add);
    converge_at(~0u, &operation, __builtin_return_address(0));
}

void wgmma_wait_for(unsigned groups)
{
    WaitFor operation;
    operation.complete = WaitFor::all;
    operation.name = "wgmma_wait";
    operation.groups = groups;
    converge_at(~0u, &operation, __builtin_return_address(0));
}
}    // namespace emulator

using namespace emulator;

void wgmma_fence()
{
    Fence operation;
    operation.complete = Fence::all;
    operation.name = "wgmma_fence";
    converge_at(~0u, &operation, __builtin_return_address(0));
}

void wgmma_commit()
{
    Commit operation;
    operation.complete = Commit::all;
    operation.name = "wgmma_commit";
    converge_at(~0u, &operation, __builtin_return_address(0));
}
