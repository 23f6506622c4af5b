/* norm.h -- the shape of a batch normalisation: x [B,C,H,W] or [B,C], one mean and variance a channel. */
#pragma once
#include <stddef.h>

typedef struct NormShape {
    int batch, channels, pixels;    // pixels is H W, or 1
} NormShape;

static inline size_t norm_count(NormShape s)    // values of a channel
{
    return (size_t)s.batch * (size_t)s.pixels;
}

static inline size_t norm_total(NormShape s)    // elements of x
{
    return norm_count(s) * (size_t)s.channels;
}
