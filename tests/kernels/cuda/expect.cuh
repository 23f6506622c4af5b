/* expect.cuh -- what a .cu file of tests needs: a count of what is not as expected, arrays on the device. */
#pragma once
#include <vector>
#include "kernels/cuda/launch.h"

static int failed;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failed++;                                                                              \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

template <class T> struct Device {
    T *at;
    size_t n;

    explicit Device(size_t n_) : n(n_)
    {
        cudaMalloc(&at, n * sizeof *at);
        cudaMemset(at, 0, n * sizeof *at);
    }
    Device(const std::vector<T> &host) : Device(host.size())
    {
        cudaMemcpy(at, host.data(), n * sizeof *at, cudaMemcpyHostToDevice);
    }
    ~Device()
    {
        cudaFree(at);
    }
    std::vector<T> host() const
    {
        std::vector<T> copy(n);
        cudaMemcpy(copy.data(), at, n * sizeof *at, cudaMemcpyDeviceToHost);
        return copy;
    }
};
