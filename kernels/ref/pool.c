/* pool.c -- pooling: each window's first and last row and column, clipped to the plane. */
#include "kernels/ref/ref.h"

typedef struct Window {
    int top, bottom, left, right;    // rows top .. bottom - 1
} Window;

static Window window_at(int row, int col, PoolShape s)
{
    Window w = {.top = row * s.stride - s.pad, .left = col * s.stride - s.pad};
    w.bottom = w.top + s.kernel < s.height ? w.top + s.kernel : s.height;
    w.right = w.left + s.kernel < s.width ? w.left + s.kernel : s.width;
    if (w.top < 0) w.top = 0;
    if (w.left < 0) w.left = 0;
    return w;
}

// Elements of a plane of x, and of y.
static size_t plane_in(PoolShape s)
{
    return (size_t)s.height * (size_t)s.width;
}

static size_t plane_out(PoolShape s)
{
    return (size_t)pool_size(s.height, s) * (size_t)pool_size(s.width, s);
}

void ref_max_pool(float *y, int32_t *at, const float *x, PoolShape s)
{
    for (int plane = 0; plane < s.planes; plane++, x += plane_in(s))
        for (int row = 0; row < pool_size(s.height, s); row++)
            for (int col = 0; col < pool_size(s.width, s); col++) {
                const Window w = window_at(row, col, s);
                int32_t best = w.top * s.width + w.left;
                for (int i = w.top; i < w.bottom; i++)
                    for (int j = w.left; j < w.right; j++) {
                        const int32_t here = i * s.width + j;
                        // A NaN is not <= anything, and nothing replaces it.
                        if (!(x[here] <= x[best]) && x[best] == x[best]) best = here;
                    }
                *y++ = x[best];
                *at++ = best;
            }
}

void ref_max_pool_backward(float *dx, const float *dy, const int32_t *at, float beta, PoolShape s)
{
    for (size_t i = 0; i < pool_in(s); i++) dx[i] = blend(beta, &dx[i], 0);
    for (int plane = 0; plane < s.planes; plane++, dx += plane_in(s))
        for (size_t i = 0; i < plane_out(s); i++) dx[*at++] += *dy++;
}

void ref_avg_pool(float *y, const float *x, PoolShape s)
{
    for (int plane = 0; plane < s.planes; plane++, x += plane_in(s))
        for (int row = 0; row < pool_size(s.height, s); row++)
            for (int col = 0; col < pool_size(s.width, s); col++) {
                const Window w = window_at(row, col, s);
                double sum = 0;
                for (int i = w.top; i < w.bottom; i++)
                    for (int j = w.left; j < w.right; j++) sum += x[i * s.width + j];
                *y++ = (float)(sum / (s.kernel * s.kernel));
            }
}

void ref_avg_pool_backward(float *dx, const float *dy, float beta, PoolShape s)
{
    for (size_t i = 0; i < pool_in(s); i++) dx[i] = blend(beta, &dx[i], 0);
    for (int plane = 0; plane < s.planes; plane++, dx += plane_in(s))
        for (int row = 0; row < pool_size(s.height, s); row++)
            for (int col = 0; col < pool_size(s.width, s); col++, dy++) {
                const Window w = window_at(row, col, s);
                for (int i = w.top; i < w.bottom; i++)
                    for (int j = w.left; j < w.right; j++)
                        dx[i * s.width + j] += *dy / (float)(s.kernel * s.kernel);
            }
}
