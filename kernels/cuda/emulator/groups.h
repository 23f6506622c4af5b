/* groups.h -- cooperative groups' common forms (cooperative_groups.h): thread_block, tiled_partition,
 * reduce. A tile of N threads is N lanes of a warp.
 */
#pragma once

namespace cooperative_groups
{
class thread_block
{
  public:
    void sync() const
    {
        __syncthreads();
    }
    unsigned thread_rank() const
    {
        return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    }
    unsigned size() const
    {
        return blockDim.x * blockDim.y * blockDim.z;
    }
    unsigned num_threads() const
    {
        return size();
    }
    dim3 group_index() const
    {
        return blockIdx;
    }
    dim3 thread_index() const
    {
        return threadIdx;
    }
};

static inline thread_block this_thread_block()
{
    return {};
}

static inline void sync(const thread_block &block)
{
    block.sync();
}

template <unsigned N, class Parent = thread_block> class thread_block_tile
{
    static_assert(N >= 1 && N <= 32 && (N & (N - 1)) == 0,
                  "a tile has 1, 2, 4, 8, 16 or 32 threads");

    static unsigned mask()
    {
        return (N == 32 ? 0xffffffffu : (1u << N % 32) - 1) << emulator::lane_id() / N * N;
    }

  public:
    unsigned thread_rank() const
    {
        return emulator::lane_id() % N;
    }
    unsigned meta_group_rank() const
    {
        return this_thread_block().thread_rank() / N;
    }
    unsigned meta_group_size() const
    {
        return (this_thread_block().size() + N - 1) / N;
    }
    static constexpr unsigned size()
    {
        return N;
    }
    static constexpr unsigned num_threads()
    {
        return N;
    }
    __forceinline__ void sync() const
    {
        __syncwarp(mask());
    }
    template <class T> __forceinline__ T shfl(T value, int from) const
    {
        return __shfl_sync(mask(), value, from, N);
    }
    template <class T> __forceinline__ T shfl_xor(T value, int bits) const
    {
        return __shfl_xor_sync(mask(), value, bits, N);
    }
    template <class T> __forceinline__ T shfl_up(T value, unsigned by) const
    {
        return __shfl_up_sync(mask(), value, by, N);
    }
    template <class T> __forceinline__ T shfl_down(T value, unsigned by) const
    {
        return __shfl_down_sync(mask(), value, by, N);
    }
    __forceinline__ unsigned ballot(int predicate) const
    {
        return __ballot_sync(mask(), predicate) >> emulator::lane_id() / N * N;
    }
    __forceinline__ int any(int predicate) const
    {
        return __any_sync(mask(), predicate);
    }
    __forceinline__ int all(int predicate) const
    {
        return __all_sync(mask(), predicate);
    }
};

template <unsigned N, class Parent> thread_block_tile<N, Parent> tiled_partition(const Parent &)
{
    return {};
}

template <class T> struct plus {
    T operator()(T a, T b) const
    {
        return a + b;
    }
};
template <class T> struct greater {
    T operator()(T a, T b) const
    {
        return a < b ? b : a;
    }
};
template <class T> struct less {
    T operator()(T a, T b) const
    {
        return b < a ? b : a;
    }
};

// The same in every thread of the tile.
template <unsigned N, class Parent, class T, class F>
__forceinline__ T reduce(const thread_block_tile<N, Parent> &tile, T value, F combine)
{
    for (unsigned bits = N / 2; bits > 0; bits /= 2)
        value = combine(value, tile.shfl_xor(value, (int)bits));
    return value;
}
}    // namespace cooperative_groups
