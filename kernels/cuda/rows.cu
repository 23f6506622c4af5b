// rows.cu -- matrices as rows and columns: softmax and its loss with a block for each row, of a warp
// where the row is short.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/total.cuh"

enum { SHORT = 1024 };    // columns of a short row

void cuda_add_row(float *y, const float *x, const float *b, int rows, int cols)
{
    for_each((size_t)rows * cols, [=] __device__(size_t i) { y[i] = x[i] + b[i % cols]; });
}

void cuda_sum_rows(float *y, const float *x, int rows, int cols, float beta)
{
    sum_columns(
        (size_t)rows, cols, [=] __device__(size_t r, int c) { return (double)x[r * cols + c]; },
        [=] __device__(int c, double sum) { y[c] = (float)(beta == 0 ? sum : beta * y[c] + sum); });
}

// ---- softmax

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

template <int THREADS> static __device__ Softmax combine_block(Softmax mine)
{
    for (int bits = 16; bits > 0; bits /= 2)
        mine = combine(mine, {__shfl_xor_sync(WHOLE_WARP, mine.max, bits),
                              __shfl_xor_sync(WHOLE_WARP, mine.sum, bits)});
    if constexpr (THREADS == 32) {
        return mine;
    } else {
        __shared__ Softmax of_warp[THREADS / 32];
        if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
        __syncthreads();
        mine = of_warp[0];
        for (int i = 1; i < THREADS / 32; i++) mine = combine(mine, of_warp[i]);
        return mine;
    }
}

// A thread reads and writes the same elements, so that y may be x. With loss: also -log y of the label.
template <int THREADS>
static __global__ void __launch_bounds__(THREADS)
    softmax_rows(float *y, double *loss, const float *x, const int32_t *label, int cols)
{
    const size_t r = blockIdx.x;
    x += r * cols;
    y += r * cols;
    Softmax row = {-INFINITY, 0};
    for (int c = threadIdx.x; c < cols; c += THREADS) {
        const float number = x[c];
        row = combine(row,
                      {number, number == number ? 1 : number});    // NaN is no maximum, but stays
    }
    const bool counts = loss && threadIdx.x == 0 && label[r] >= 0;
    const double right = counts ? x[label[r]] : 0;
    __syncthreads();    // before y, which may be x, is written
    row = combine_block<THREADS>(row);
    for (int c = threadIdx.x; c < cols; c += THREADS) y[c] = expf(x[c] - row.max) / row.sum;
    if (loss && threadIdx.x == 0)    // the logits first: log 2 is lost beside 1e30
        loss[r] = counts ? log((double)row.sum) + (row.max - right) : 0;
}

static void softmax(float *y, double *loss, const float *x, const int32_t *label, int rows,
                    int cols)
{
    if (rows == 0 || cols == 0) return;
    if (cols > SHORT) LAUNCH(softmax_rows<128>, (unsigned)rows, 128, 0, 0)(y, loss, x, label, cols);
    else LAUNCH(softmax_rows<32>, (unsigned)rows, 32, 0, 0)(y, loss, x, label, cols);
}

void cuda_softmax_rows(float *y, const float *x, int rows, int cols)
{
    softmax(y, nullptr, x, nullptr, rows, cols);
}

void cuda_cross_entropy(float *y, float *p, const float *z, const int32_t *label, int rows,
                        int cols)
{
    double *loss = (double *)cuda_workspace(((size_t)rows + 1) * sizeof *loss);
    softmax(p, loss, z, label, rows, cols);
    reduce_in_one_block((size_t)rows, [=] __device__(size_t r) { return loss[r]; },
                        [=] __device__(double sum) { *y = (float)sum; });
}

void cuda_cross_entropy_backward(float *dz, const float *dloss, float factor, const float *p,
                                 const int32_t *label, int rows, int cols, float beta)
{
    for_each((size_t)rows * cols, [=] __device__(size_t i) {
        const int32_t right = label[i / cols];
        const float value = right < 0 ? 0 : factor * dloss[0] * (p[i] - ((int)(i % cols) == right));
        dz[i] = blend(beta, &dz[i], value);
    });
}
