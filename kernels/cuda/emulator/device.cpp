// device.cpp -- clocks, traps and assertions, the heap of the device, and what only the host may do.
#include <chrono>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
void refuse_on_device(const char *function, const void *site)
{
    if (!self) return;
    fault(FAULT_HOST_FUNCTION, self, site, nullptr,
          "calls %s, which is the host's: nvcc refuses it in a kernel", function);
    stop_launch(cudaErrorLaunchFailure);
}

void refuse_on_device(const char *function)
{
    refuse_on_device(function, __builtin_return_address(0));
}

void assertion_fails(const char *expression, const char *file, int line)
{
    if (!self) {
        fprintf(stderr, "%s:%d: the assertion %s does not hold\n", file, line, expression);
        abort();
    }
    fault(FAULT_STOPPED, self, __builtin_return_address(0), nullptr,
          "asserts %s, which does not hold", expression);
    stop_launch(cudaErrorAssert);
}

// ---- the heap

static void *device_malloc(size_t bytes)
{
    void *address = nullptr;
    if (allocate(&address, bytes > 0 ? bytes : 1) == cudaSuccess)
        memory_at(reinterpret_cast<uintptr_t>(address))->of_kernel = true;
    return address;
}

static void device_free(void *address, const void *site)
{
    Memory *memory = address ? memory_at(reinterpret_cast<uintptr_t>(address)) : nullptr;
    if (!address) return;
    if (!memory || memory->base != address || !memory->of_kernel) {
        fault(FAULT_OUT_OF_BOUNDS, self, site, nullptr,
              "frees 0x%llx, which malloc() of a kernel did not give, or which is free already",
              (unsigned long long)reinterpret_cast<uintptr_t>(address));
        stop_launch(cudaErrorLaunchFailure);
    }
    memory_release(memory);
}
}    // namespace emulator

using namespace emulator;

long long clock64()
{
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void __trap()
{
    if (!self) abort();
    fault(FAULT_STOPPED, self, __builtin_return_address(0), nullptr, "calls __trap()");
    stop_launch(cudaErrorLaunchFailure);
}

void *emulator_malloc(size_t bytes)
{
    return self ? device_malloc(bytes) : malloc(bytes);
}

void emulator_free(void *address)
{
    if (self) device_free(address, __builtin_return_address(0));
    else free(address);
}
