// row_product.cu -- rows of weights in a file's types: a warp for each row, whatever is multiplied with it.
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/reduce.cuh"

enum {
    THREADS = 128,
    EACH_ROWS = 4
};    // rows of x that a warp multiplies as it reads its row of w

// Calls `what`<TYPE> for the type of a w.
#define BY_TYPE(type, what, ...)                                                                   \
    switch (type) {                                                                                \
    case DTYPE_F32: what<DTYPE_F32>(__VA_ARGS__); break;                                           \
    case DTYPE_F16: what<DTYPE_F16>(__VA_ARGS__); break;                                           \
    case DTYPE_BF16: what<DTYPE_BF16>(__VA_ARGS__); break;                                         \
    case DTYPE_Q8_0: what<DTYPE_Q8_0>(__VA_ARGS__); break;                                         \
    case DTYPE_Q4_0: what<DTYPE_Q4_0>(__VA_ARGS__); break;                                         \
    case DTYPE_Q4_1: what<DTYPE_Q4_1>(__VA_ARGS__); break;                                         \
    case DTYPE_Q4_K: what<DTYPE_Q4_K>(__VA_ARGS__); break;                                         \
    case DTYPE_Q6_K: what<DTYPE_Q6_K>(__VA_ARGS__); break;                                         \
    default: break;                                                                                \
    }

// Each of the sums has the same operations in the same order, whichever of the x rows it is of.
template <DType TYPE>
static __global__ void __launch_bounds__(THREADS)
    row_product(float *y, size_t y_row, const float *x, size_t x_row, int m, const uint8_t *data,
                size_t row_bytes, int rows, int cols)
{
    const int r = (blockIdx.x * THREADS + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (r >= rows) return;
    const uint8_t *w = data + (size_t)r * row_bytes;
    for (int first = 0; first < m; first += EACH_ROWS) {
        float sum[EACH_ROWS] = {};
        const float *from[EACH_ROWS];
        for (int i = 0; i < EACH_ROWS; i++) from[i] = x + (size_t)min(first + i, m - 1) * x_row;
        for (int c = lane; c < cols; c += 32) {
            const float weight = number_at<TYPE>(w, c);
            for (int i = 0; i < EACH_ROWS; i++) sum[i] += weight * from[i][c];
        }
        for (int i = 0; i < EACH_ROWS; i++) {
            const float whole = warp_sum(sum[i]);
            if (lane == 0 && first + i < m) y[(size_t)(first + i) * y_row + r] = whole;
        }
    }
}

// A warp for each block of 32 numbers.
static __global__ void __launch_bounds__(THREADS)
    round_activations(float *out, const float *x, size_t x_row, int cols, size_t blocks,
                      Activations activations)
{
    const size_t block = ((size_t)blockIdx.x * THREADS + threadIdx.x) / 32;
    if (block >= blocks) return;
    const size_t in_row = cols / ACTIVATION_BLOCK;
    const size_t c = block % in_row * ACTIVATION_BLOCK + threadIdx.x % 32;
    const float number = x[block / in_row * x_row + c];
    float largest = number == number ? fabsf(number) : INFINITY;
    for (int bits = 16; bits > 0; bits /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(WHOLE_WARP, largest, bits));
    const float scale = activation_scale(largest);
    out[block / in_row * cols + c] =
        scale == scale ? activation_rounded(number, scale, activations) : scale;
}

template <DType TYPE>
static void multiply(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w)
{
    const unsigned blocks = ((unsigned)w.rows + THREADS / 32 - 1) / (THREADS / 32);
    LAUNCH(row_product<TYPE>, blocks, THREADS, 0, 0)
    (y, y_row, x, x_row, m, (const uint8_t *)w.data, stored_bytes(w.type, w.cols), w.rows, w.cols);
}

void cuda_row_product(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,
                      Activations activations)
{
    if (m == 0 || w.rows == 0) return;
    if (activations != ACTIVATIONS_F32 && stored_blocks[w.type].numbers > 1 && w.cols > 0) {
        const size_t blocks = (size_t)m * (w.cols / ACTIVATION_BLOCK);
        const size_t grid = (blocks + THREADS / 32 - 1) / (THREADS / 32);
        float *rounded = (float *)cuda_workspace((size_t)m * w.cols * sizeof *rounded);
        LAUNCH(round_activations, (unsigned)grid, THREADS, 0, 0)
        (rounded, x, x_row, w.cols, blocks, activations);
        x = rounded;
        x_row = (size_t)w.cols;
    }
    BY_TYPE(w.type, multiply, y, y_row, x, x_row, m, w)
}

template <DType TYPE> struct RowsRead {
    float *y;
    const uint8_t *data;
    const int32_t *index;
    size_t row_bytes, cols;

    __device__ void operator()(size_t i) const
    {
        y[i] = number_at<TYPE>(data + index[i / cols] * row_bytes, i % cols);
    }
};

template <DType TYPE> static void read(float *y, WeightRows w, const int32_t *index, int count)
{
    for_each((size_t)count * w.cols, RowsRead<TYPE>{y, (const uint8_t *)w.data, index,
                                                    stored_bytes(w.type, w.cols), (size_t)w.cols});
}

void cuda_rows_read(float *y, WeightRows w, const int32_t *index, int count)
{
    BY_TYPE(w.type, read, y, w, index, count)
}
