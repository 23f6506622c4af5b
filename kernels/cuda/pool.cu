/* pool.cu -- pooling: a thread for each number that is written. Backward a pixel adds up the windows that have
 * it, in their order.
 */
#include "kernels/cuda/each.cuh"

// Pixels from .. to - 1 along one side.
struct Side {
    int from, to;
};

static __device__ Side window(int at, int size, PoolShape s)
{
    const int from = at * s.stride - s.pad;
    return {max(from, 0), min(from + s.kernel, size)};
}

// The windows that have a pixel, of `windows` along that side.
static __device__ Side windows_of(int pixel, int windows, PoolShape s)
{
    const int place = pixel + s.pad, after = place - s.kernel + 1;
    return {after > 0 ? (after + s.stride - 1) / s.stride : 0, min(place / s.stride + 1, windows)};
}

// A number of a plane, from its index among all planes.
struct Place {
    size_t plane;
    int row, col;
};

static __device__ Place place_of(size_t i, int height, int width)
{
    const size_t pixels = (size_t)height * width;
    return {i / pixels, (int)(i % pixels) / width, (int)(i % pixels) % width};
}

void cuda_max_pool(float *y, int32_t *at, const float *x, PoolShape s)
{
    const int height = pool_size(s.height, s), width = pool_size(s.width, s);
    for_each(pool_out(s), [=] __device__(size_t k) {
        const Place to = place_of(k, height, width);
        const float *plane = x + to.plane * s.height * s.width;
        const Side rows = window(to.row, s.height, s), cols = window(to.col, s.width, s);
        int best = rows.from * s.width + cols.from;
        for (int i = rows.from; i < rows.to; i++)
            for (int j = cols.from; j < cols.to; j++) {
                const int here = i * s.width + j;
                // A NaN is not <= anything, and nothing replaces it.
                if (!(plane[here] <= plane[best]) && plane[best] == plane[best]) best = here;
            }
        y[k] = plane[best];
        at[k] = best;
    });
}

void cuda_max_pool_backward(float *dx, const float *dy, const int32_t *at, float beta, PoolShape s)
{
    const int height = pool_size(s.height, s), width = pool_size(s.width, s);
    for_each(pool_in(s), [=] __device__(size_t k) {
        const Place pixel = place_of(k, s.height, s.width);
        const Side rows = windows_of(pixel.row, height, s), cols = windows_of(pixel.col, width, s);
        const int here = pixel.row * s.width + pixel.col;
        float sum = 0;
        for (int i = rows.from; i < rows.to; i++)
            for (int j = cols.from; j < cols.to; j++) {
                const size_t from = (pixel.plane * height + i) * width + j;
                if (at[from] == here) sum += dy[from];
            }
        dx[k] = blend(beta, &dx[k], sum);
    });
}

void cuda_avg_pool(float *y, const float *x, PoolShape s)
{
    const int height = pool_size(s.height, s), width = pool_size(s.width, s);
    for_each(pool_out(s), [=] __device__(size_t k) {
        const Place to = place_of(k, height, width);
        const float *plane = x + to.plane * s.height * s.width;
        const Side rows = window(to.row, s.height, s), cols = window(to.col, s.width, s);
        double sum = 0;
        for (int i = rows.from; i < rows.to; i++)
            for (int j = cols.from; j < cols.to; j++) sum += plane[i * s.width + j];
        y[k] = (float)(sum / (s.kernel * s.kernel));
    });
}

void cuda_avg_pool_backward(float *dx, const float *dy, float beta, PoolShape s)
{
    const int height = pool_size(s.height, s), width = pool_size(s.width, s);
    for_each(pool_in(s), [=] __device__(size_t k) {
        const Place pixel = place_of(k, s.height, s.width);
        const Side rows = windows_of(pixel.row, height, s), cols = windows_of(pixel.col, width, s);
        float sum = 0;
        for (int i = rows.from; i < rows.to; i++)
            for (int j = cols.from; j < cols.to; j++)
                sum += dy[(pixel.plane * height + i) * width + j];
        dx[k] = blend(beta, &dx[k], sum / (s.kernel * s.kernel));
    });
}
