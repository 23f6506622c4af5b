// faults.cu -- kernels with one fault each.
#undef NDEBUG    // of which assert() is to stay
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

// ---- local memory

BODY(local_array_beyond)(float *y, const float *x, int n)
{
    float own[4] = {};
    for (int i = threadIdx.x, e = 0; i < n; i += 16, e++) own[e] = x[i];    // <- local_array_beyond
    y[threadIdx.x] = own[0] + own[3];
}

BODY(local_array_before)(float *y, int n)
{
    float own[4] = {1, 2, 3, 4};
    y[threadIdx.x] = own[(int)threadIdx.x - n];    // <- local_array_before
}

__device__ static float sum_of(const float *own, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++) sum += own[i];    // <- pointer_beyond_the_stack
    return sum;
}

BODY(pointer_beyond_the_stack)(float *y)
{
    float own[4] = {1, 2, 3, 4};
    y[threadIdx.x] = sum_of(own, 1 << 16);
}

__device__ static int depth_of(volatile int *y, int n)
{
    return y[0] < 0 ? n : 1 + depth_of(y, n + 1);    // <- recursion_without_end
}

BODY(recursion_without_end)(int *y)
{
    y[threadIdx.x] = depth_of(y, 0);
}

BODY(local_array_too_large)(float *y, const float *x, int n)
{    // <- local_array_too_large
    float own[1 << 16];
    for (int i = 0; i < n; i++) own[i * 64] = x[i];
    y[threadIdx.x] = own[threadIdx.x];
}

BODY(local_memory_of_another)(float *y)
{
    __shared__ float *of[THREADS];
    float own[2] = {1, 2};
    of[threadIdx.x] = own;
    __syncthreads();
    y[threadIdx.x] = of[THREADS - 1 - threadIdx.x][1];    // <- local_memory_of_another
    __syncthreads();
}

BODY(used_after_free)(float *y)
{
    float *own = (float *)malloc(4 * sizeof *own);
    own[0] = 1;
    free(own);
    y[threadIdx.x] = own[0];    // <- used_after_free
}

BODY(beyond_its_malloc)(float *y)
{
    float *own = (float *)malloc(4 * sizeof *own);
    for (int i = 0; i < 5; i++) own[i] = 1;    // <- beyond_its_malloc
    y[threadIdx.x] = own[0];
    free(own);
}

BODY(malloc_is_not_cleared)(float *y)
{
    float *own = (float *)malloc(4 * sizeof *own);
    y[threadIdx.x] = own[3];    // <- malloc_is_not_cleared
    free(own);
}

// ---- what only the host may do, and what ends a kernel

BODY(malloc_of_the_host)(float *y)
{
    float *own;
    cudaMalloc(&own, 16);    // <- malloc_of_the_host
    y[threadIdx.x] = own[0];
}

BODY(copy_by_the_host)(float *y, const float *x)
{
#ifdef __CUDACC__    // nvcc refuses it
    y[0] = x[0];
#else
    cudaMemcpy(y, x, 16, cudaMemcpyDeviceToDevice);    // <- copy_by_the_host
#endif
}

BODY(assertion)(float *y, int n)
{
    assert((int)threadIdx.x < n);    // <- assertion
    y[threadIdx.x] = 1;
}

BODY(trap)(float *y)
{
    if (threadIdx.x == 5) __trap();    // <- trap
    y[threadIdx.x] = 1;
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

BODY(matrix_with_rows_of_17)(float *y)
{
    using namespace nvcuda;
    __shared__ __align__(32) __half tile[16][17];
    for (int i = threadIdx.x; i < 16 * 17; i += 32) (&tile[0][0])[i] = __half(1.0f);
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a;
    wmma::load_matrix_sync(a, &tile[0][0], 17);    // <- matrix_with_rows_of_17
    y[threadIdx.x] = (float)a.x[0];
}

BODY(matrix_at_an_odd_place)(float *y)
{
    using namespace nvcuda;
    __shared__ __align__(32) float tile[16 * 16 + 4];
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    wmma::fill_fragment(sum, 1.0f);
    wmma::store_matrix_sync(tile + 4, sum, 16, wmma::mem_row_major);    // <- matrix_at_an_odd_place
    __syncwarp();
    y[threadIdx.x] = tile[4 + threadIdx.x];
}

BODY(matrix_race)(float *y)
{
    using namespace nvcuda;
    __shared__ __align__(32) float tile[16 * 16];
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    wmma::fill_fragment(sum, 1.0f);
    wmma::store_matrix_sync(tile, sum, 16, wmma::mem_row_major);    // <- matrix_race, other
    y[threadIdx.x] = tile[threadIdx.x];                             // <- matrix_race
}

BODY(lanes_name_different_matrices)(float *y, const float *x)
{
    using namespace nvcuda;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    const float *own = x + threadIdx.x / 16 * 8;
    wmma::load_matrix_sync(sum, own, 4, wmma::mem_row_major);    // <- lanes_name_different_matrices
    y[threadIdx.x] = sum.x[0];
}

// A shuffle exchanges registers, and orders no memory.
BODY(shuffle_is_no_sync)(float *y, const float *x)
{
    __shared__ float tile[32];
    tile[threadIdx.x] = x[threadIdx.x];    // <- shuffle_is_no_sync, other
    const float other = __shfl_xor_sync(0xffffffff, x[threadIdx.x], 1);
    y[threadIdx.x] = other + tile[31 - threadIdx.x];    // <- shuffle_is_no_sync
}

BODY(volatile_is_no_sync)(float *y, const float *x)
{
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    tile[threadIdx.x + 32] = x[threadIdx.x + 32];
    __syncthreads();
    volatile float *p = tile;
    for (int half = 32; half > 0; half /= 2)
        p[threadIdx.x] = p[threadIdx.x] + p[threadIdx.x + half];    // <- volatile_is_no_sync
    if (threadIdx.x == 0) *y = p[0];
}

BODY(scan_in_place)(float *y, const float *x)
{
    __shared__ float tile[THREADS];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    for (unsigned by = 1; by < THREADS; by *= 2) {
        if (threadIdx.x >= by) tile[threadIdx.x] += tile[threadIdx.x - by];    // <- scan_in_place
        __syncthreads();
    }
    y[threadIdx.x] = tile[threadIdx.x];
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
ON_ARRAYS(local_array_beyond, 1, 16, y.at, x.at, N)
ON_ARRAYS(local_array_before, 1, 2, y.at, 3)
ON_ARRAYS(pointer_beyond_the_stack, 1, 32, y.at)
ON_ARRAYS(recursion_without_end, 1, 32, (int *)y.at)
ON_ARRAYS(local_array_too_large, 1, 32, y.at, x.at, N)
ON_ARRAYS(local_memory_of_another, 1, THREADS, y.at)
ON_ARRAYS(used_after_free, 1, 32, y.at)
ON_ARRAYS(beyond_its_malloc, 1, 32, y.at)
ON_ARRAYS(malloc_is_not_cleared, 1, 1, y.at)
ON_ARRAYS(malloc_of_the_host, 1, 32, y.at)
ON_ARRAYS(copy_by_the_host, 1, 32, y.at, x.at)
ON_ARRAYS(assertion, 1, 32, y.at, 31)
ON_ARRAYS(trap, 1, 32, y.at)
ON_ARRAYS(matrix_with_rows_of_17, 1, 32, y.at)
ON_ARRAYS(matrix_at_an_odd_place, 1, 32, y.at)
ON_ARRAYS(matrix_race, 1, 32, y.at)
ON_ARRAYS(lanes_name_different_matrices, 1, 32, y.at, x.at)
ON_ARRAYS(shuffle_is_no_sync, 1, 32, y.at, x.at)
ON_ARRAYS(volatile_is_no_sync, 1, 32, y.at, x.at)
ON_ARRAYS(scan_in_place, 1, THREADS, y.at, x.at)

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
    PLANTED(OUT_OF_BOUNDS, local_array_beyond),
    PLANTED(OUT_OF_BOUNDS, local_array_before),
    PLANTED(OUT_OF_BOUNDS, pointer_beyond_the_stack),
    PLANTED(STACK, recursion_without_end),
    PLANTED(STACK, local_array_too_large),
    PLANTED(OUT_OF_BOUNDS, local_memory_of_another),
    PLANTED(OUT_OF_BOUNDS, used_after_free),
    PLANTED(OUT_OF_BOUNDS, beyond_its_malloc),
    PLANTED(UNINITIALIZED, malloc_is_not_cleared),
    PLANTED(HOST_FUNCTION, malloc_of_the_host),
    PLANTED(HOST_FUNCTION, copy_by_the_host),
    PLANTED(STOPPED, assertion),
    PLANTED(STOPPED, trap),
    PLANTED(MISALIGNED, matrix_with_rows_of_17),
    PLANTED(MISALIGNED, matrix_at_an_odd_place),
    PLANTED(RACE, matrix_race),
    PLANTED(WARP_MASK, lanes_name_different_matrices),
    PLANTED(RACE, shuffle_is_no_sync),
    PLANTED(RACE, volatile_is_no_sync),
    PLANTED(RACE, scan_in_place),
};
// clang-format on
const size_t planted_count = sizeof planted / sizeof *planted;
