// tma.cpp -- TMA: a box of a matrix into shared memory, swizzled by 128 bytes, zeros outside of the matrix.
#include "kernels/cuda/emulator/async.h"
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
enum { CHUNK = 16, ROW_BYTES = 128, ELEMENT = 2 };

// None may still read or write what the copy overwrites.
static void check_target(Line &line, const Event &copy)
{
    if (line.written.stamp > 0 && !has_heard(line.written))
        fault(FAULT_RACE, self, copy.site, line.written.site,
              "copies to shared memory that the copy of line %d may not have filled yet",
              source_line(line.written.site).line);
    for (unsigned w = 0; w < block.warps; w++)
        if (line.read[w] > 0 && !has_heard({w, line.read[w], nullptr})) {
            fault(FAULT_RACE, self, copy.site, line.read_site,
                  "copies to shared memory that wgmma of line %d, warp %u, may still read",
                  source_line(line.read_site).line, w);
            return;
        }
}

// 16 bytes of the matrix; zeros outside.
static void copy_chunk(char *to, const TensorMap &map, long long row, long long col,
                       const void *site)
{
    const long long first = col < 0 ? -col : 0, inside = (long long)map.cols - col;
    const long long end = inside < CHUNK / ELEMENT ? inside : CHUNK / ELEMENT;
    memset(to, 0, CHUNK);
    if (row < 0 || row >= (long long)map.rows || first >= end) return;
    const char *from = map.x + row * (long long)map.row_bytes + (col + first) * ELEMENT;
    const size_t bytes = (size_t)(end - first) * ELEMENT;
    const Memory *memory = memory_at(reinterpret_cast<uintptr_t>(from));
    if (!memory || memory->space != SPACE_GLOBAL || from + bytes > memory->base + memory->bytes) {
        fault(FAULT_OUT_OF_BOUNDS, self, site, nullptr,
              "copies elements [%lld,%lld..] of a tensor map, which are not, or not all, memory of "
              "the device",
              row, col + first);
        stop_launch(cudaErrorIllegalAddress);
    }
    if (checking && !memory_is_written(memory, (size_t)(from - memory->base), (unsigned)bytes))
        fault(FAULT_UNINITIALIZED, self, site, nullptr,
              "copies elements [%lld,%lld..] of a tensor map, which were never written", row,
              col + first);
    memcpy(to + first * ELEMENT, from, bytes);
}
}    // namespace emulator

using namespace emulator;

// The limits are cuTensorMapEncodeTiled's.
bool tensor_map_2d(TensorMap *map, const void *x, uint64_t rows, uint64_t cols, uint64_t row_bytes,
                   uint32_t box_rows, uint32_t box_cols)
{
    *map = {static_cast<const char *>(x), rows, cols, row_bytes, box_rows, box_cols};
    const uint64_t most = (uint64_t)1 << 32, box_bytes = (uint64_t)box_cols * ELEMENT;
    return reinterpret_cast<uintptr_t>(x) % CHUNK == 0 && row_bytes % CHUNK == 0 &&
           row_bytes < (uint64_t)1 << 40 && rows > 0 && rows <= most && cols > 0 && cols <= most &&
           box_rows > 0 && box_rows <= 256 && box_bytes > 0 && box_bytes <= ROW_BYTES &&
           box_bytes % CHUNK == 0;
}

void tma_load_2d(void *to, const TensorMap *map, int col, int row, uint64_t *barrier)
{
    const void *site = __builtin_return_address(0);
    const Event copy = mbarrier_copy_begins(barrier, site);
    const uint32_t box = map->box_cols * ELEMENT;    // bytes of a row in shared memory
    char *const base = static_cast<char *>(to);
    if (!line_at(base) || !line_at(base + map->box_rows * box - 1)) {
        fault(FAULT_OUT_OF_BOUNDS, self, site, nullptr,
              "copies %u bytes to what is not, or not all, dynamic shared memory",
              map->box_rows * box);
        stop_launch(cudaErrorIllegalAddress);
    }
    if (shared_address(base) % 128 != 0 || map->box_cols * ELEMENT != ROW_BYTES) {
        fault(FAULT_MISALIGNED, self, site, nullptr,
              "copies rows of %u bytes to an address of shared memory that ends in 0x%03x: this "
              "model of TMA has rows of 128 bytes, at multiples of 128",
              box, shared_address(base) % 1024);
        stop_launch(cudaErrorIllegalAddress);
    }
    for (uint32_t r = 0; r < map->box_rows; r++) {
        Line &line = *line_at(base + r * box);
        check_target(line, copy);
        line.written = copy;
        // Bits 4-6 of the address are exchanged by bits 7-9 of it.
        const uint32_t swizzle = shared_address(base + r * box) / ROW_BYTES % 8;
        for (uint32_t chunk = 0; chunk < box / CHUNK; chunk++)
            copy_chunk(base + r * box + (chunk ^ swizzle) * CHUNK, *map, (long long)row + r,
                       (long long)col + chunk * (CHUNK / ELEMENT), site);
    }
    checker_copied(base, map->box_rows * box);
    mbarrier_bytes(barrier, map->box_rows * box);
}
