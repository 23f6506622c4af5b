/* pool.h -- the shape of a pooling: square windows over the planes of x [B,C,H,W], each on its own. */
#pragma once
#include <stddef.h>

typedef struct PoolShape {
    int planes;    // B C
    int height, width;
    int kernel, stride, pad;    // 2 pad <= kernel, so that no window lies outside
} PoolShape;

// H' from H, and W' from W: (H + 2 pad - kernel) / stride + 1; 0 where no window fits.
static inline int pool_size(int size, PoolShape s)
{
    const int room = size + 2 * s.pad - s.kernel;
    return size > 0 && room >= 0 ? room / s.stride + 1 : 0;
}

static inline size_t pool_in(PoolShape s)    // elements of x
{
    return (size_t)s.planes * (size_t)s.height * (size_t)s.width;
}

static inline size_t pool_out(PoolShape s)    // elements of y [B,C,H',W']
{
    return (size_t)s.planes * (size_t)pool_size(s.height, s) * (size_t)pool_size(s.width, s);
}
