// hopper.cu -- Hopper's instructions one by one: what the PTX ISA and the driver's documentation say of them, by numbers that
// name their own place. Emulated, and on a GPU of compute capability 9.0.
#include "tests/kernels/cuda/planted_wgmma.h"
#if !defined(__CUDACC__) || defined(LABS_SM90A)
#include "kernels/cuda/hopper.cuh"
#include "tests/kernels/cuda/expect.cuh"

enum { BOX = 64, BYTES = BOX * BOX * sizeof(uint16_t), PERIOD = 1024 };    // a box of 64 x 64

// A block's shared memory, from a multiple of 1024 on; and the wait for a phase of its mbarrier.
static __device__ uint16_t *aligned(unsigned char *bytes)
{
    return reinterpret_cast<uint16_t *>(bytes + -(uintptr_t)bytes % PERIOD);
}

static __device__ void wait_for(uint64_t *barrier, unsigned parity)
{
    while (!mbarrier_try_wait(barrier, parity)) {}
}

// ---- TMA

// out = the box at (col, row) as it lies in shared memory.
static __global__ void copy_box(uint16_t *out, const __grid_constant__ TensorMap map, int col,
                                int row)
{
    __shared__ uint64_t arrived;
    DYNAMIC_SHARED(unsigned char, bytes);
    uint16_t *const box = aligned(bytes);
    if (threadIdx.x == 0) {
        mbarrier_init(&arrived, 1);
        fence_proxy_async();
        mbarrier_expect(&arrived, BYTES);
        tma_load_2d(box, &map, col, row, &arrived);
    }
    __syncthreads();
    wait_for(&arrived, 0);
    for (int i = threadIdx.x; i < BOX * BOX; i += blockDim.x) out[i] = box[i];
}

// The matrix [70,72] of numbers 100 row + col + 1, and boxes that hang over each of its sides.
static void boxes()
{
    enum { ROWS = 70, COLS = 69, ROW = 72 };
    std::vector<uint16_t> x(ROWS * ROW);
    for (int i = 0; i < ROWS * ROW; i++) x[i] = (uint16_t)(100 * (i / ROW) + i % ROW + 1);
    Device<uint16_t> there(x), out(BOX * BOX);
    TensorMap map;
    EXPECT(tensor_map_2d(&map, there.at, ROWS, COLS, ROW * sizeof(uint16_t), BOX, BOX));
    static const int places[][2] = {{0, 0},   {8, 3},  {-5, -7}, {40, 30},
                                    {64, 64}, {0, 70}, {-64, 0}};
    for (const auto &place : places) {
        LAUNCH(copy_box, 1, 128, BYTES + PERIOD, 0)(out.at, map, place[0], place[1]);
        const auto got = out.host();
        bool same = true;
        for (int r = 0; r < BOX; r++)
            for (int c = 0; c < BOX; c++) {
                const int row = place[1] + r, col = place[0] + c;
                const bool inside = row >= 0 && row < ROWS && col >= 0 && col < COLS;
                const int want = inside ? x[row * ROW + col] : 0;
                same &= got[r * BOX + (c / 8 ^ r % 8) * 8 + c % 8] == want;
            }
        EXPECT(same);
    }
}

static void refused_maps()
{
    Device<uint16_t> x(64 * 64);
    TensorMap map;
    EXPECT(!tensor_map_2d(&map, x.at + 4, 8, 8, 128, 8, 64));    // 8 bytes beyond a multiple of 16
    EXPECT(!tensor_map_2d(&map, x.at, 8, 8, 120, 8, 64));        // rows of 120 bytes
    EXPECT(!tensor_map_2d(&map, x.at, 8, 0, 128, 8, 64));        // nothing
    EXPECT(!tensor_map_2d(&map, x.at, 8, 8, 128, 257, 64));      // a box of more than 256 rows
    EXPECT(!tensor_map_2d(&map, x.at, 8, 8, 128, 8, 72));        // wider than the swizzle
}

// ---- mbarriers

// What is seen after 0, 1, 2, ... arrivals of two for a phase: whether that of parity 0 and of parity 1 has ended.
static __global__ void phases(int *out)
{
    __shared__ uint64_t barrier;
    mbarrier_init(&barrier, 2);
    out[0] = mbarrier_try_wait(&barrier, 1);    // as if one before the first had ended
    mbarrier_arrive(&barrier);
    mbarrier_expect(&barrier, 0);
    out[1] = mbarrier_try_wait(&barrier, 0);
    mbarrier_arrive(&barrier);
    mbarrier_arrive(&barrier);
    out[2] = mbarrier_try_wait(&barrier, 1);
}

static void parities()
{
    Device<int> out(3);
    LAUNCH(phases, 1, 1, 0, 0)(out.at);
    const auto got = out.host();
    for (int i = 0; i < 3; i++) EXPECT(got[i] == 1);
}

// ---- wgmma

enum { COLS = 128, DEPTH = 64, A_BYTES = 64 * DEPTH * 2, B_BYTES = COLS * DEPTH * 2 };

// out[thread] = its sums of a b^T, with k from 16 step to 16 step + 15, twice if `twice`.
static __global__ void multiply_once(float *out, const __grid_constant__ TensorMap a,
                                     const __grid_constant__ TensorMap b, int step, int twice)
{
    __shared__ uint64_t arrived;
    DYNAMIC_SHARED(unsigned char, bytes);
    uint16_t *const a_tile = aligned(bytes), *const b_tile = a_tile + 64 * DEPTH;
    if (threadIdx.x == 0) {
        mbarrier_init(&arrived, 1);
        fence_proxy_async();
        mbarrier_expect(&arrived, A_BYTES + B_BYTES);
        tma_load_2d(a_tile, &a, 0, 0, &arrived);
        tma_load_2d(b_tile, &b, 0, 0, &arrived);
    }
    __syncthreads();
    wait_for(&arrived, 0);
    const uint64_t rows = wgmma_descriptor_along(wgmma_descriptor(a_tile, PERIOD), step * 32);
    const uint64_t cols = wgmma_descriptor_along(wgmma_descriptor(b_tile, PERIOD), step * 32);
    float sum[COLS / 2];
    UNROLL
    for (int i = 0; i < COLS / 2; i++) sum[i] = 1e30f;    // which the first product overwrites
    wgmma_fence();
    wgmma<COLS>(sum, rows, cols, false);
    wgmma<COLS>(sum, rows, cols, twice != 0);
    wgmma_commit();
    wgmma_wait<0>(sum);
    UNROLL
    for (int i = 0; i < COLS / 2; i++) out[threadIdx.x * (COLS / 2) + i] = sum[i];
}

// Of step s the product of row i and column j is (s + 1) (i + 64 j): exact in bfloat16's products and float32's sums.
static void products()
{
    std::vector<uint16_t> a(64 * DEPTH), b(COLS * DEPTH);
    const auto bits = [](float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); };
    for (int s = 0; s < 4; s++) {
        for (int i = 0; i < 64; i++) {
            a[i * DEPTH + 16 * s + 3] = bits((float)i);
            a[i * DEPTH + 16 * s + 12] = bits((float)(s + 1));
        }
        for (int j = 0; j < COLS; j++) {
            b[j * DEPTH + 16 * s + 3] = bits((float)(s + 1));
            b[j * DEPTH + 16 * s + 12] = bits((float)(64 * j));
        }
    }
    Device<uint16_t> a_there(a), b_there(b);
    Device<float> out(128 * COLS / 2);
    TensorMap a_map, b_map;
    EXPECT(tensor_map_2d(&a_map, a_there.at, 64, DEPTH, DEPTH * 2, 64, DEPTH));
    EXPECT(tensor_map_2d(&b_map, b_there.at, COLS, DEPTH, DEPTH * 2, COLS, DEPTH));
    // Some sums of the PTX ISA's figure "WGMMA .m64nNk16 register fragment layout for accumulator matrix D".
    static const struct {
        int thread, index, row, col;
    } places[] = {{0, 0, 0, 0},      {0, 1, 0, 1},      {0, 2, 8, 0},   {0, 3, 8, 1},
                  {0, 4, 0, 8},      {1, 0, 0, 2},      {3, 3, 8, 7},   {4, 0, 1, 0},
                  {31, 2, 15, 6},    {32, 0, 16, 0},    {64, 0, 32, 0}, {127, 3, 63, 7},
                  {96, 62, 56, 120}, {127, 63, 63, 127}};
    for (int s = 0; s < 4; s++)
        for (int twice = 0; twice < 2; twice++) {
            LAUNCH(multiply_once, 1, 128, A_BYTES + B_BYTES + PERIOD, 0)
            (out.at, a_map, b_map, s, twice);
            const auto got = out.host();
            for (const auto &place : places)
                EXPECT(got[place.thread * (COLS / 2) + place.index] ==
                       (float)((1 + twice) * (s + 1) * (place.row + 64 * place.col)));
        }
}

int hopper_features_that_fail(void)
{
    failed = 0;
    boxes();
    refused_maps();
    parities();
    products();
    EXPECT(cudaGetLastError() == cudaSuccess);
    return failed;
}
#else
int hopper_features_that_fail(void)
{
    return 0;
}
#endif
