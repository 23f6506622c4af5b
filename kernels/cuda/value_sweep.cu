// value_sweep.cu -- value iteration: a thread for each state, whose neighbours' numbers lie beside its own.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 128 };

// Each thread's largest, of the whole block; a NaN is left out. All threads have to call.
static __device__ double block_max(double x)
{
    __shared__ double max_of_warp[THREADS / 32];
    for (int bits = 16; bits > 0; bits /= 2) {
        const double other = __shfl_xor_sync(WHOLE_WARP, x, bits);
        if (other > x) x = other;
    }
    if (threadIdx.x % 32 == 0) max_of_warp[threadIdx.x / 32] = x;
    __syncthreads();
    double most = 0;
    for (int i = 0; i < THREADS / 32; i++)
        if (max_of_warp[i] > most) most = max_of_warp[i];
    return most;
}

static __global__ void __launch_bounds__(THREADS)
    sweep(double *to, double *change, const double *from, const int32_t *rows,
          const uint64_t *columns, const double *reward, const double *weight, const int32_t *next,
          size_t states)
{
    const size_t s = (size_t)blockIdx.x * THREADS + threadIdx.x, lane = s % VALUE_SLICE;
    double by = 0;
    if (s < states) {
        double best = -INFINITY;
        for (int32_t r = rows[s / VALUE_SLICE]; r < rows[s / VALUE_SLICE + 1]; r++) {
            double q = reward[(size_t)r * VALUE_SLICE + lane];
            for (uint64_t c = columns[r]; c < columns[r + 1]; c++) {
                const size_t at = c * VALUE_SLICE + lane;
                q = __dadd_rn(q, __dmul_rn(weight[at], from[next[at]]));    // never fused
            }
            if (q > best) best = q;
        }
        to[s] = best;
        by = fabs(best - from[s]);
    }
    const double most = block_max(by);
    if (threadIdx.x == 0) change[blockIdx.x] = most;
}

static __global__ void __launch_bounds__(THREADS)
    largest(double *change, const double *of, size_t n)
{
    double most = 0;
    for (size_t i = threadIdx.x; i < n; i += THREADS)
        if (of[i] > most) most = of[i];
    most = block_max(most);
    if (threadIdx.x == 0) *change = most;
}

void cuda_value_sweep(double *to, double *change, const double *from, const int32_t *rows,
                      const uint64_t *columns, const double *reward, const double *weight,
                      const int32_t *next, int slices)
{
    const size_t states = (size_t)slices * VALUE_SLICE, blocks = (states + THREADS - 1) / THREADS;
    double *of_block = (double *)cuda_workspace((blocks + 1) * sizeof *of_block);
    if (blocks > 0) LAUNCH(sweep, (unsigned)blocks, THREADS, 0, 0)
    (to, of_block, from, rows, columns, reward, weight, next, states);
    LAUNCH(largest, 1, THREADS, 0, 0)(change, of_block, blocks);
}
