// faults.cu -- kernels with one fault each.
#include "kernels/cuda/launch.h"
#include "tests/kernels/cuda/planted.h"

enum { N = 100, THREADS = 64 };    // N is no multiple of a block

// An array of n numbers, all 1, on the device for one launch.
struct Ones {
    float *at;

    explicit Ones(int n, bool written = true)
    {
        cudaMalloc(&at, n * sizeof *at);
        for (int i = 0; i < n && written; i++) {
            const float one = 1;
            cudaMemcpy(at + i, &one, sizeof one, cudaMemcpyHostToDevice);
        }
    }
    ~Ones()
    {
        cudaFree(at);
    }
};

#define BODY(...)    static __global__ void __VA_ARGS__
#define GLOBAL_INDEX (int)(blockIdx.x * blockDim.x + threadIdx.x)

// ---- out of bounds

BODY(read_beyond)(float *y, const float *x, int n)
{
    const int i = GLOBAL_INDEX;
    if (i < n) y[i] = x[i + 1];    // <- read_beyond
}

BODY(read_before)(float *y, const float *x, int n)
{
    const int i = GLOBAL_INDEX;
    if (i < n) y[i] = x[i - 1];    // <- read_before
}

BODY(write_beyond)(float *y, int n)
{
    const int i = GLOBAL_INDEX;
    if (i <= n) y[i] = 1;    // <- write_beyond
}

BODY(no_guard)(float *y)
{
    y[GLOBAL_INDEX] = 1;    // <- no_guard
}

BODY(swapped_sizes)(float *y, const float *x, int rows, int cols)
{
    const int r = blockIdx.x, c = threadIdx.x;
    if (c < cols) y[r * cols + c] = x[r * rows + c * cols];    // <- swapped_sizes
}

BODY(vector_tail)(float *y, const float *x, int n)
{
    const int i = 4 * GLOBAL_INDEX;
    if (i < n) {
        const float4 v = *reinterpret_cast<const float4 *>(x + i);    // <- vector_tail
        y[i] = v.x + v.w;
    }
}

BODY(host_pointer)(float *y, const float *x)
{
    y[threadIdx.x] = x[threadIdx.x];    // <- host_pointer
}

BODY(shared_beyond)(float *y)
{
    __shared__ float tile[THREADS];
    tile[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x + 1];    // <- shared_beyond
}

BODY(shared_write_beyond)(float *y)
{
    __shared__ float tile[THREADS];
    for (unsigned i = threadIdx.x; i <= THREADS; i += THREADS)
        tile[i] = 1;    // <- shared_write_beyond
    y[threadIdx.x] = tile[threadIdx.x];
}

BODY(dynamic_too_small)(float *y)
{
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = 1;    // <- dynamic_too_small
    y[threadIdx.x] = tile[threadIdx.x];
}

BODY(null_pointer)(float *y)
{
    y[threadIdx.x] = 1;    // <- null_pointer
}

// ---- misaligned

BODY(vector_of_odd_start)(float *y, const float *x)
{
    const float4 v =
        reinterpret_cast<const float4 *>(x + 1)[threadIdx.x];    // <- vector_of_odd_start
    y[threadIdx.x] = v.x + v.y;
}

BODY(pair_of_odd_start)(float *y)
{
    reinterpret_cast<float2 *>(y + 3)[threadIdx.x] = make_float2(1, 2);    // <- pair_of_odd_start
}

// ---- uninitialised

BODY(shared_never_written)(float *y)
{
    __shared__ float tile[THREADS];
    y[threadIdx.x] = tile[threadIdx.x];    // <- shared_never_written
}

BODY(edge_not_filled)(float *y, const float *x, int n)
{
    __shared__ float tile[THREADS];
    const int i = GLOBAL_INDEX;
    if (i < n) tile[threadIdx.x] = x[i];
    __syncthreads();
    float sum = 0;
    for (int j = 0; j < THREADS; j++) sum += tile[j];    // <- edge_not_filled
    if (i < n) y[i] = sum;
}

BODY(adds_to_nothing)(float *y, const float *x)
{
    y[threadIdx.x] += x[threadIdx.x];    // <- adds_to_nothing
}

BODY(atomic_on_nothing)(float *y, const float *x)
{
    atomicAdd(y, x[threadIdx.x]);    // <- atomic_on_nothing
}

BODY(kept_from_the_last_block)(float *y)
{
    __shared__ float tile[THREADS];
    if (blockIdx.x == 0) tile[threadIdx.x] = 1;
    y[GLOBAL_INDEX] = tile[threadIdx.x];    // <- kept_from_the_last_block
}

// ---- races

BODY(missing_barrier)(float *y, const float *x)
{
    __shared__ float tile[THREADS];
    tile[threadIdx.x] = x[threadIdx.x];                  // <- missing_barrier, other
    y[threadIdx.x] = tile[THREADS - 1 - threadIdx.x];    // <- missing_barrier
}

BODY(missing_second_barrier)(float *y, const float *x)
{
    __shared__ float tile[THREADS];
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        tile[threadIdx.x] = x[threadIdx.x];    // <- missing_second_barrier
        __syncthreads();
        sum += tile[THREADS - 1 - threadIdx.x];    // <- missing_second_barrier, other
    }
    y[threadIdx.x] = sum;
}

BODY(tree_without_barrier)(float *y, const float *x)
{
    __shared__ float tile[THREADS];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    for (unsigned half = THREADS / 2; half > 0; half /= 2)
        if (threadIdx.x < half)
            tile[threadIdx.x] += tile[threadIdx.x + half];    // <- tree_without_barrier
    if (threadIdx.x == 0) *y = tile[0];
}

BODY(warp_synchronous)(float *y, const float *x)
{
    __shared__ float tile[32];
    tile[threadIdx.x] = x[threadIdx.x];         // <- warp_synchronous, other
    y[threadIdx.x] = tile[31 - threadIdx.x];    // <- warp_synchronous
}

BODY(tile_sync_too_small)(float *y, const float *x)
{
    __shared__ float tile[32];
    const auto half =
        cooperative_groups::tiled_partition<16>(cooperative_groups::this_thread_block());
    tile[threadIdx.x] = x[threadIdx.x];    // <- tile_sync_too_small, other
    half.sync();
    y[threadIdx.x] = tile[31 - threadIdx.x];    // <- tile_sync_too_small
}

BODY(histogram_without_atomics)(int *count, const float *x)
{
    count[(int)x[threadIdx.x]]++;    // <- histogram_without_atomics
}

BODY(sum_without_atomics)(float *y, const float *x, int n)
{
    const int i = GLOBAL_INDEX;
    if (i < n) *y += x[i];    // <- sum_without_atomics
}

BODY(shared_count_without_atomics)(int *y)
{
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    if (threadIdx.x % 3 == 0) count++;    // <- shared_count_without_atomics
    __syncthreads();
    if (threadIdx.x == 0) *y = count;
}

BODY(shift_in_place)(float *x, int n)
{
    const int i = GLOBAL_INDEX;
    if (i + 1 < n) x[i] = x[i + 1];    // <- shift_in_place
}

BODY(blocks_overlap)(float *y)
{
    y[blockIdx.x * (THREADS - 1) + threadIdx.x] = 1;    // <- blocks_overlap
}

BODY(index_of_block_forgotten)(float *y)
{
    y[threadIdx.x] = 1;    // <- index_of_block_forgotten
}

BODY(plain_read_of_an_atomic)(float *y, float *sum)
{
    atomicAdd(sum, 1.0f);     // <- plain_read_of_an_atomic, other
    y[threadIdx.x] = *sum;    // <- plain_read_of_an_atomic
}

BODY(last_block_without_fence)(float *y, float *part, unsigned *done)
{
    __shared__ bool last;
    if (threadIdx.x == 0) {
        part[blockIdx.x] = 1;    // <- last_block_without_fence, other
        last = atomicAdd(done, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x < gridDim.x)
        atomicAdd(y, part[threadIdx.x]);    // <- last_block_without_fence
}

BODY(wrong_half_of_a_double_buffer)(float *y, const float *x)
{
    __shared__ float tile[2][THREADS];
    tile[0][threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        tile[i % 2][threadIdx.x] = x[threadIdx.x];    // <- wrong_half_of_a_double_buffer
        sum +=
            tile[i % 2][(threadIdx.x + 1) % THREADS];    // <- wrong_half_of_a_double_buffer, other
        __syncthreads();
    }
    y[threadIdx.x] = sum;
}

BODY(sum_used_again_too_soon)(float *y, const float *x)
{
    __shared__ float part[2];
    float sum = 0;
    for (int i = 0; i < 2; i++) {
        if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = x[i];    // <- sum_used_again_too_soon
        __syncthreads();
        sum += part[0] + part[1];    // <- sum_used_again_too_soon, other
    }
    y[threadIdx.x] = sum;
}

BODY(half_words_of_a_word)(unsigned char *y)
{
    y[threadIdx.x / 2] = 1;    // <- half_words_of_a_word
}

// ---- divergent barriers

BODY(barrier_in_a_branch)(float *y)
{
    if (threadIdx.x < 32) __syncthreads();    // <- barrier_in_a_branch
    y[threadIdx.x] = 1;
}

BODY(return_before_the_barrier)(float *y, int n)
{
    __shared__ float tile[THREADS];
    const int i = GLOBAL_INDEX;
    if (i >= n) return;
    tile[threadIdx.x] = 1;
    __syncthreads();    // <- return_before_the_barrier
    y[i] = tile[threadIdx.x];
}

BODY(two_barriers)(float *y)
{
    if (threadIdx.x % 2) __syncthreads();    // <- two_barriers
    else __syncthreads();                    // <- two_barriers, other
    y[threadIdx.x] = 1;
}

BODY(barrier_in_an_uneven_loop)(float *y)
{
    float sum = 0;
    for (unsigned i = threadIdx.x; i < N; i += THREADS) {
        sum += 1;
        __syncthreads();    // <- barrier_in_an_uneven_loop
    }
    y[threadIdx.x] = sum;
}

BODY(vote_in_a_branch)(int *y)
{
    int any = 0;
    if (threadIdx.x > 0) any = __syncthreads_or(threadIdx.x == 5);    // <- vote_in_a_branch
    y[threadIdx.x] = any;
}

// ---- warps

BODY(shuffle_in_a_branch)(float *y)
{
    float x = (float)threadIdx.x;
    if (threadIdx.x < 16) x += __shfl_xor_sync(0xffffffff, x, 8);    // <- shuffle_in_a_branch
    __syncthreads();    // <- shuffle_in_a_branch, other
    y[threadIdx.x] = x;
}

BODY(shuffle_from_outside)(float *y)
{
    float x = (float)threadIdx.x;
    if (threadIdx.x < 16) x = __shfl_sync(0x0000ffff, x, 20);    // <- shuffle_from_outside
    y[threadIdx.x] = x;
}

BODY(lane_lacks_itself)(float *y)
{
    y[threadIdx.x] = __shfl_sync(0x7fffffff, 1.0f, 0);    // <- lane_lacks_itself
}

BODY(different_masks)(int *y)
{
    const unsigned mask = threadIdx.x < 16 ? 0xffffffff : 0xffff0000;
    y[threadIdx.x] = __any_sync(mask, 1);    // <- different_masks
    __syncwarp();                            // <- different_masks, other
}

BODY(different_operations)(int *y)
{
    int x = 1;
    if (threadIdx.x % 2) x = __any_sync(0xffffffff, 1);    // <- different_operations
    else x = __shfl_sync(0xffffffff, x, 0);                // <- different_operations, other
    y[threadIdx.x] = x;
}

BODY(shuffle_from_a_lane_that_is_not_there)(float *y)
{
    float x = 1;
    for (int by = 16; by > 0; by /= 2)
        x += __shfl_down_sync(0xffffffff, x, by);    // <- shuffle_from_a_lane_that_is_not_there
    if (threadIdx.x == 0) *y = x;
}

BODY(matrix_of_half_a_warp)(float *y)
{
    using namespace nvcuda;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> b;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
    wmma::fill_fragment(a, __half(1.0f));
    wmma::fill_fragment(b, __half(1.0f));
    wmma::fill_fragment(c, 0.0f);
    wmma::mma_sync(c, a, b, c);    // <- matrix_of_half_a_warp
    y[threadIdx.x] = c.x[0];
}

// ---- the launches

#define LAUNCHER(name, ...)                                                                        \
    static void launch_##name()                                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

// On y and x of N numbers each.
#define ON_ARRAYS(name, blocks, threads, ...)                                                      \
    LAUNCHER(name, Ones y(N), x(N); LAUNCH(name, blocks, threads, 0, 0)(__VA_ARGS__);)

ON_ARRAYS(read_beyond, 2, THREADS, y.at, x.at, N)
ON_ARRAYS(read_before, 2, THREADS, y.at, x.at, N)
ON_ARRAYS(write_beyond, 2, THREADS, y.at, N)
ON_ARRAYS(no_guard, 2, THREADS, y.at)
ON_ARRAYS(swapped_sizes, 5, 32, y.at, x.at, 5, 20)
LAUNCHER(vector_tail, Ones y(N), x(N - 1);
         LAUNCH(vector_tail, 1, THREADS, 0, 0)(y.at, x.at, N - 1);)
LAUNCHER(host_pointer, Ones y(N); float x[THREADS] = {};
         LAUNCH(host_pointer, 1, THREADS, 0, 0)(y.at, x);)
ON_ARRAYS(shared_beyond, 1, THREADS, y.at)
ON_ARRAYS(shared_write_beyond, 1, THREADS, y.at)
LAUNCHER(dynamic_too_small, Ones y(N);
         LAUNCH(dynamic_too_small, 1, THREADS, THREADS * 4 - 4, 0)(y.at);)
LAUNCHER(null_pointer, LAUNCH(null_pointer, 1, THREADS, 0, 0)(nullptr);)
LAUNCHER(vector_of_odd_start, Ones y(N), x(N); LAUNCH(vector_of_odd_start, 1, 8, 0, 0)(y.at, x.at);)
ON_ARRAYS(pair_of_odd_start, 1, 8, y.at)
ON_ARRAYS(shared_never_written, 1, THREADS, y.at)
ON_ARRAYS(edge_not_filled, 2, THREADS, y.at, x.at, N)
LAUNCHER(adds_to_nothing, Ones y(N, false), x(N);
         LAUNCH(adds_to_nothing, 1, THREADS, 0, 0)(y.at, x.at);)
LAUNCHER(atomic_on_nothing, Ones y(N, false), x(N);
         LAUNCH(atomic_on_nothing, 1, THREADS, 0, 0)(y.at, x.at);)
LAUNCHER(kept_from_the_last_block, Ones y(2 * THREADS);
         LAUNCH(kept_from_the_last_block, 2, THREADS, 0, 0)(y.at);)
ON_ARRAYS(missing_barrier, 1, THREADS, y.at, x.at)
ON_ARRAYS(missing_second_barrier, 1, THREADS, y.at, x.at)
ON_ARRAYS(tree_without_barrier, 1, THREADS, y.at, x.at)
ON_ARRAYS(warp_synchronous, 1, 32, y.at, x.at)
ON_ARRAYS(tile_sync_too_small, 1, 32, y.at, x.at)
ON_ARRAYS(histogram_without_atomics, 1, 32, (int *)y.at, x.at)
ON_ARRAYS(sum_without_atomics, 2, THREADS, y.at, x.at, N)
ON_ARRAYS(shared_count_without_atomics, 1, THREADS, (int *)y.at)
ON_ARRAYS(shift_in_place, 2, THREADS, x.at, N)
LAUNCHER(blocks_overlap, Ones y(2 * THREADS); LAUNCH(blocks_overlap, 2, THREADS, 0, 0)(y.at);)
ON_ARRAYS(index_of_block_forgotten, 2, THREADS, y.at)
ON_ARRAYS(plain_read_of_an_atomic, 1, THREADS, y.at, x.at)
LAUNCHER(last_block_without_fence, Ones y(1), part(8), done(1); cudaMemset(done.at, 0, 4);
         LAUNCH(last_block_without_fence, 8, 32, 0, 0)(y.at, part.at, (unsigned *)done.at);)
ON_ARRAYS(wrong_half_of_a_double_buffer, 1, THREADS, y.at, x.at)
ON_ARRAYS(sum_used_again_too_soon, 1, THREADS, y.at, x.at)
ON_ARRAYS(half_words_of_a_word, 1, THREADS, (unsigned char *)y.at)
ON_ARRAYS(barrier_in_a_branch, 1, THREADS, y.at)
ON_ARRAYS(return_before_the_barrier, 2, THREADS, y.at, N)
ON_ARRAYS(two_barriers, 1, THREADS, y.at)
ON_ARRAYS(barrier_in_an_uneven_loop, 1, THREADS, y.at)
ON_ARRAYS(vote_in_a_branch, 1, THREADS, (int *)y.at)
ON_ARRAYS(shuffle_in_a_branch, 1, THREADS, y.at)
ON_ARRAYS(shuffle_from_outside, 1, 32, y.at)
ON_ARRAYS(lane_lacks_itself, 1, 32, y.at)
ON_ARRAYS(different_masks, 1, 32, (int *)y.at)
ON_ARRAYS(different_operations, 1, 32, (int *)y.at)
ON_ARRAYS(shuffle_from_a_lane_that_is_not_there, 1, 24, y.at)
ON_ARRAYS(matrix_of_half_a_warp, 1, 16, y.at)

// clang-format off
#define PLANTED(kind, name) {#name, FAULT_##kind, launch_##name}
const Planted planted[] = {
    PLANTED(OUT_OF_BOUNDS, read_beyond),
    PLANTED(OUT_OF_BOUNDS, read_before),
    PLANTED(OUT_OF_BOUNDS, write_beyond),
    PLANTED(OUT_OF_BOUNDS, no_guard),
    PLANTED(OUT_OF_BOUNDS, swapped_sizes),
    PLANTED(OUT_OF_BOUNDS, vector_tail),
    PLANTED(OUT_OF_BOUNDS, host_pointer),
    PLANTED(OUT_OF_BOUNDS, shared_beyond),
    PLANTED(OUT_OF_BOUNDS, shared_write_beyond),
    PLANTED(OUT_OF_BOUNDS, dynamic_too_small),
    PLANTED(OUT_OF_BOUNDS, null_pointer),
    PLANTED(MISALIGNED, vector_of_odd_start),
    PLANTED(MISALIGNED, pair_of_odd_start),
    PLANTED(UNINITIALIZED, shared_never_written),
    PLANTED(UNINITIALIZED, edge_not_filled),
    PLANTED(UNINITIALIZED, adds_to_nothing),
    PLANTED(UNINITIALIZED, atomic_on_nothing),
    PLANTED(UNINITIALIZED, kept_from_the_last_block),
    PLANTED(RACE, missing_barrier),
    PLANTED(RACE, missing_second_barrier),
    PLANTED(RACE, tree_without_barrier),
    PLANTED(RACE, warp_synchronous),
    PLANTED(RACE, tile_sync_too_small),
    PLANTED(RACE, histogram_without_atomics),
    PLANTED(RACE, sum_without_atomics),
    PLANTED(RACE, shared_count_without_atomics),
    PLANTED(RACE, shift_in_place),
    PLANTED(RACE, blocks_overlap),
    PLANTED(RACE, index_of_block_forgotten),
    PLANTED(RACE, plain_read_of_an_atomic),
    PLANTED(RACE, last_block_without_fence),
    PLANTED(RACE, wrong_half_of_a_double_buffer),
    PLANTED(RACE, sum_used_again_too_soon),
    PLANTED(RACE, half_words_of_a_word),
    PLANTED(DIVERGENT_BARRIER, barrier_in_a_branch),
    PLANTED(DIVERGENT_BARRIER, return_before_the_barrier),
    PLANTED(DIVERGENT_BARRIER, two_barriers),
    PLANTED(DIVERGENT_BARRIER, barrier_in_an_uneven_loop),
    PLANTED(DIVERGENT_BARRIER, vote_in_a_branch),
    PLANTED(WARP_MASK, shuffle_in_a_branch),
    PLANTED(WARP_MASK, shuffle_from_outside),
    PLANTED(WARP_MASK, lane_lacks_itself),
    PLANTED(WARP_MASK, different_masks),
    PLANTED(WARP_MASK, different_operations),
    PLANTED(WARP_MASK, shuffle_from_a_lane_that_is_not_there),
    PLANTED(WARP_MASK, matrix_of_half_a_warp),
};
// clang-format on
const size_t planted_count = sizeof planted / sizeof *planted;
