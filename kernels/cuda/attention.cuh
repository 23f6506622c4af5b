/* attention.cuh -- what attention's kernels share: which rows they read, and tiles of them in shared memory.
 *
 * The scores of a tile of queries and a tile of keys are computed where they are needed, and no [T,T] matrix is
 * ever laid out (Dao et al. 2022, "FlashAttention").
 */
#pragma once
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { ATTENTION_TILE = 32, ATTENTION_THREADS = 128 };    // queries, and keys, of a tile

// Where head h of a token begins; `tokens` are those of an item of the batch.
__device__ inline size_t head_at(size_t item, int tokens, int token, size_t row, int h, int head)
{
    return (item * tokens + token) * row + (size_t)h * head;
}

// How many keys query i sees.
__device__ inline int keys_seen(int i, AttentionShape s)
{
    return s.causal ? max(s.keys - s.queries + i + 1, 0) : s.keys;
}

// A tile in shared memory: rows one float further apart than their length, for the sake of the banks.
struct Tile {
    float *at;
    int row;

    __device__ float &operator()(int i, int d) const
    {
        return at[i * row + d];
    }
};

// The next tile of the dynamic shared memory.
__device__ inline Tile tile_take(float *&rest, int head)
{
    const Tile tile = {rest, head + 1};
    rest += ATTENTION_TILE * (head + 1);
    return tile;
}

inline size_t tile_bytes(int tiles, int head)
{
    return (size_t)tiles * ATTENTION_TILE * (head + 1) * sizeof(float);
}

// `count` rows of `head` floats, which lie `row` apart.
__device__ inline void tile_load(Tile tile, const float *from, size_t row, int count, int head)
{
    for (int e = threadIdx.x; e < count * head; e += ATTENTION_THREADS)
        tile(e / head, e % head) = from[e / head * row + e % head];
}

__device__ inline void tile_clear(Tile tile, int head)
{
    for (int e = threadIdx.x; e < ATTENTION_TILE * head; e += ATTENTION_THREADS)
        tile(e / head, e % head) = 0;
}

__device__ inline float tile_dot(Tile a, int i, Tile b, int j, int head)
{
    float sum = 0;
    for (int d = 0; d < head; d++) sum += a(i, d) * b(j, d);
    return sum;
}

// More than 48 KiB of shared memory have to be asked for.
template <class Kernel> void allow_shared(Kernel kernel, size_t bytes)
{
    if (bytes > 48 << 10)
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
}
