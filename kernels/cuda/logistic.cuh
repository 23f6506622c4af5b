// logistic.cuh -- 1 / (1 + e^-x) without overflow.
#pragma once
#include "kernels/cuda/launch.h"

static __device__ float logistic(float x)
{
    const float e = expf(-fabsf(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}
