/* wgmma.cu -- c = beta c + a b^T of bfloat16 matrices on Hopper: a pipeline of TMA copies and wgmma products.
 *
 * A block has a producer, which lets TMA fill a ring of stages in shared memory, and two consumers, each of which
 * multiplies 64 rows of a's part of a stage by b's part. full[s] says that stage s has arrived, empty[s] that both
 * consumers are done with it. Blocks stay for several tiles of c: the producer fills the next tile's first stages
 * while the consumers store the last one's sums.
 *
 *     producer   | wait empty[0], copy | wait empty[1], copy | ...
 *     consumers        | wait full[0], wgmma | wait full[1], wgmma, arrive empty[0] | ...
 *
 * Outside of a and b TMA writes zeros, so that sizes need not be multiples of a tile; stores are guarded.
 */
#include "kernels/cuda/wgmma.h"
#include "kernels/cuda/each.cuh"

#if !defined(__CUDACC__) || defined(LABS_SM90A)
#include "kernels/cuda/hopper.cuh"

enum {
    CONSUMERS = 2,
    WARPGROUP = 128,    // threads
    THREADS = (1 + CONSUMERS) * WARPGROUP,
    ROWS = 64 * CONSUMERS,    // of a tile of c
    DEPTH = 64,               // of k in a stage: rows of 128 bytes, as the swizzle is wide
    EIGHT_ROWS = 8 * DEPTH * sizeof(uint16_t),    // bytes: the swizzle's pattern, and its alignment
    BAND = 16,                  // tiles of c that lie below one another are computed together
    STAGE_BYTES = 192 << 10,    // of all stages
};

// As TMA leaves them: 16 bytes number j of row i lie where number j XOR (i % 8) is expected.
template <int COLS> struct Stage {
    uint16_t a[ROWS][DEPTH], b[COLS][DEPTH];
};

struct Output {
    float *c;
    size_t row;
    float beta;
    int m, n;
};

// A thread's sums, as wgmma() leaves them: of rows row and row + 8, of columns col, col + 1, col + 8, col + 9, ...
template <int COLS>
static __device__ void store_sums(Output c, int row, int col, const float (&sum)[COLS / 2])
{
    float *const to = c.c + (size_t)row * c.row + col;
    const bool pairs = ((uintptr_t)to | c.row * sizeof *to) % sizeof(float2) == 0;
    if (pairs && c.beta == 0 && row + 8 < c.m && col + COLS - 8 + 1 < c.n) {    // most tiles
        UNROLL
        for (int i = 0; i < COLS / 2; i += 2)
            *reinterpret_cast<float2 *>(to + i / 2 % 2 * 8 * c.row + i / 4 * 8) = {sum[i],
                                                                                   sum[i + 1]};
        return;
    }
    UNROLL
    for (int i = 0; i < COLS / 2; i++) {
        const int down = i / 2 % 2 * 8, along = i / 4 * 8 + i % 2;
        float *const one = to + down * c.row + along;
        if (row + down < c.m && col + along < c.n) *one = blend(c.beta, one, sum[i]);
    }
}

// The stages in turn. Each goes round with the parity of its phases.
template <int STAGES> struct Ring {
    int at = 0;
    unsigned parity = 0;

    __device__ void next()
    {
        if (++at < STAGES) return;
        at = 0;
        parity ^= 1;
    }
};

// Where tile number t of c begins: down a band, then the band's next column. What runs at once shares a's and b's rows
// in the L2 cache.
template <int COLS> struct Tile {
    int row, col;

    __device__ Tile(int t, int m, int n)
    {
        const int down = (m + ROWS - 1) / ROWS, across = (n + COLS - 1) / COLS;
        const int band = t / (BAND * across) * BAND, high = min((int)BAND, down - band);
        row = (band + (t - band * across) % high) * ROWS;
        col = (t - band * across) / high * COLS;
    }
};

template <int COLS, int STAGES>
static __global__ void __launch_bounds__(THREADS, 1)
    multiply_tiles(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b,
                   Output c, int tiles, int steps)
{
    __shared__ uint64_t full[STAGES], empty[STAGES];
    DYNAMIC_SHARED(unsigned char, bytes);
    bytes += -(uintptr_t)bytes % EIGHT_ROWS;
    auto *const stages = reinterpret_cast<Stage<COLS> *>(bytes);
    const int warpgroup = threadIdx.x / WARPGROUP;
    if (threadIdx.x == 0) {
        for (int s = 0; s < STAGES; s++) {
            mbarrier_init(&full[s], 1);                              // the producer's thread
            mbarrier_init(&empty[s], CONSUMERS * WARPGROUP / 32);    // the consumers' warps
        }
        fence_proxy_async();
    }
    __syncthreads();
    Ring<STAGES> ring;
    if (warpgroup == 0) {
        registers_decrease<24>();
        if (threadIdx.x != 0) return;
        for (int t = blockIdx.x; t < tiles; t += gridDim.x) {
            const Tile<COLS> tile(t, c.m, c.n);
            for (int step = 0; step < steps; step++, ring.next()) {
                Stage<COLS> &stage = stages[ring.at];
                uint64_t *const arrived = &full[ring.at];
                while (!mbarrier_try_wait(&empty[ring.at], ring.parity ^ 1)) {}
                mbarrier_expect(arrived, sizeof stage);
                tma_load_2d(stage.a, &a, step * DEPTH, tile.row, arrived);
                tma_load_2d(stage.b, &b, step * DEPTH, tile.col, arrived);
            }
        }
    } else {
        registers_increase<240>();
        const int first = (warpgroup - 1) * 64, lane = threadIdx.x % 32;
        const int warp_row = threadIdx.x % WARPGROUP / 32 * 16;
        for (int t = blockIdx.x; t < tiles; t += gridDim.x) {
            const Tile<COLS> tile(t, c.m, c.n);
            float sum[COLS / 2];
            uint64_t *used = nullptr;    // by the products that may still be under way
            for (int step = 0; step < steps; step++, ring.next()) {
                const Stage<COLS> &stage = stages[ring.at];
                while (!mbarrier_try_wait(&full[ring.at], ring.parity)) {}
                const uint64_t rows = wgmma_descriptor(stage.a[first], EIGHT_ROWS);
                const uint64_t cols = wgmma_descriptor(stage.b, EIGHT_ROWS);
                wgmma_fence();
                UNROLL
                for (int p = 0; p < DEPTH; p += 16)
                    wgmma<COLS>(sum, wgmma_descriptor_along(rows, p * sizeof(uint16_t)),
                                wgmma_descriptor_along(cols, p * sizeof(uint16_t)), step + p > 0);
                wgmma_commit();
                wgmma_wait<1>();
                if (used != nullptr && lane == 0) mbarrier_arrive(used);
                used = &empty[ring.at];
            }
            wgmma_wait<0>(sum);
            if (lane == 0) mbarrier_arrive(used);
            store_sums<COLS>(c, tile.row + first + warp_row + lane / 4, tile.col + lane % 4 * 2,
                             sum);
        }
    }
}

template <int COLS>
static bool launch(const uint16_t *a, size_t a_row, const uint16_t *b, size_t b_row, Output c,
                   int k)
{
    constexpr int STAGES = STAGE_BYTES / sizeof(Stage<COLS>);
    constexpr int BYTES = STAGE_BYTES + EIGHT_ROWS;    // to begin at a multiple of these
    const auto kernel = multiply_tiles<COLS, STAGES>;
    const int tiles = (c.m + ROWS - 1) / ROWS * ((c.n + COLS - 1) / COLS);
    TensorMap a_map, b_map;
    if (!tensor_map_2d(&a_map, a, c.m, k, a_row * sizeof *a, ROWS, DEPTH) ||
        !tensor_map_2d(&b_map, b, c.n, k, b_row * sizeof *b, COLS, DEPTH) ||
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, BYTES) !=
            cudaSuccess)
        return false;
    LAUNCH(kernel, (unsigned)min(tiles, device_multiprocessors()), THREADS, BYTES, 0)
    (a_map, b_map, c, tiles, (k + DEPTH - 1) / DEPTH);
    return true;
}

const char *cuda_wgmma_missing(void)
{
    return device_is_hopper() ? nullptr : "it needs a GPU of compute capability 9.0 (sm_90a)";
}

bool cuda_wgmma_product(float *c, size_t c_row, const uint16_t *a, size_t a_row, const uint16_t *b,
                        size_t b_row, int m, int n, int k, float beta)
{
    if (m == 0 || n == 0) return true;
    if (k == 0) return false;
    const Output out = {c, c_row, beta, m, n};
    // Wide tiles read less of a, narrow ones keep more multiprocessors busy.
    const size_t wide = ((size_t)m + ROWS - 1) / ROWS * (((size_t)n + 255) / 256);
    return wide >= (size_t)device_multiprocessors() ? launch<256>(a, a_row, b, b_row, out, k)
                                                    : launch<128>(a, a_row, b, b_row, out, k);
}
#else
const char *cuda_wgmma_missing(void)
{
    return "it needs a build by an nvcc that knows sm_90a: CUDA 12.0 or later";
}

bool cuda_wgmma_product(float *, size_t, const uint16_t *, size_t, const uint16_t *, size_t, int,
                        int, int, float)
{
    return false;
}
#endif
