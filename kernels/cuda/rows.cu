// rows.cu -- matrices as rows and columns: a block for each row.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 128 };

// The largest number so far, and the sum of exp(x - max): one pass over a row finds both (Milakov &
// Gimelshein 2018, Algorithm 3).
struct Softmax {
    float max, sum;
};

static __device__ Softmax combine(Softmax a, Softmax b)
{
    const float max = fmaxf(a.max, b.max);
    if (max == -INFINITY) return {max, a.sum + b.sum};    // no numbers yet: -inf - -inf is NaN
    return {max, a.sum * expf(a.max - max) + b.sum * expf(b.max - max)};
}

static __device__ Softmax combine_block(Softmax mine)
{
    __shared__ Softmax of_warp[THREADS / 32];
    for (int bits = 16; bits > 0; bits /= 2)
        mine = combine(mine, {__shfl_xor_sync(WHOLE_WARP, mine.max, bits),
                              __shfl_xor_sync(WHOLE_WARP, mine.sum, bits)});
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
    __syncthreads();
    mine = of_warp[0];
    for (int i = 1; i < THREADS / 32; i++) mine = combine(mine, of_warp[i]);
    return mine;
}

// A thread reads and writes the same elements, so that y may be x.
static __global__ void __launch_bounds__(THREADS) softmax_rows(float *y, const float *x, int cols)
{
    x += (size_t)blockIdx.x * cols;
    y += (size_t)blockIdx.x * cols;
    Softmax row = {-INFINITY, 0};
    for (int c = threadIdx.x; c < cols; c += THREADS) {
        const float number = x[c];
        row = combine(row,
                      {number, number == number ? 1 : number});    // NaN is no maximum, but stays
    }
    row = combine_block(row);
    for (int c = threadIdx.x; c < cols; c += THREADS) y[c] = expf(x[c] - row.max) / row.sum;
}

void cuda_softmax_rows(float *y, const float *x, int rows, int cols)
{
    if (rows > 0 && cols > 0) LAUNCH(softmax_rows, (unsigned)rows, THREADS, 0, 0)(y, x, cols);
}
