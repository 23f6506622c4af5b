// Occupancy against CUDA's own calculator where the toolkit is there, and against known kernels; the roofline
// against sums done by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cuda/emulator/occupancy.h"
#include "kernels/cuda/emulator/roofline.h"
#include "tests/skip.h"
#ifdef HAS_CUDA_OCCUPANCY
#include <cuda_occupancy.h>
#endif

#define CASE(name) static void name(__attribute__((unused)) void **state)

static Occupancy of(int capability, int threads, int registers, size_t shared)
{
    Occupancy o;
    assert_true(occupancy_of(&o, capability, threads, registers, shared));
    return o;
}

CASE(each_resource_can_be_the_limit)
{
    const Occupancy threads = of(90, 256, 32, 0), blocks = of(86, 32, 32, 0),
                    registers = of(80, 256, 64, 0), shared = of(75, 128, 32, 33 << 10);
    assert_int_equal(threads.blocks, 8);
    assert_string_equal(threads.limit, "threads");
    assert_int_equal(blocks.blocks, 16);
    assert_int_equal(blocks.warps, 16);
    assert_string_equal(blocks.limit, "blocks");
    assert_int_equal(registers.blocks, 4);
    assert_int_equal(registers.warps, 32);
    assert_int_equal(registers.warps_max, 64);
    assert_string_equal(registers.limit, "registers");
    assert_int_equal(shared.blocks, 1);
    assert_string_equal(shared.limit, "shared memory");
}

CASE(what_does_not_fit_has_no_blocks)
{
    assert_int_equal(of(90, 1024, 65, 0).blocks, 0);
    assert_int_equal(of(90, 32, 256, 0).blocks, 0);
    assert_int_equal(of(86, 32, 32, 100 << 10).blocks, 0);
    assert_int_equal(of(86, 32, 32, 99 << 10).blocks, 1);
    Occupancy o;
    assert_false(occupancy_of(&o, 70, 32, 32, 0));
    assert_false(occupancy_of(&o, 90, 0, 32, 0));
}

CASE(agrees_with_cudas_calculator)
{
#ifdef HAS_CUDA_OCCUPANCY
    for (int i = 0; i < multiprocessor_count; i++) {
        const Multiprocessor *m = &multiprocessors[i];
        cudaOccDeviceProp gpu = {.computeMajor = m->capability / 10,
                                 .computeMinor = m->capability % 10,
                                 .maxThreadsPerBlock = 1024,
                                 .maxThreadsPerMultiprocessor = 32 * m->warps,
                                 .regsPerBlock = 65536,
                                 .regsPerMultiprocessor = 65536,
                                 .warpSize = 32,
                                 .sharedMemPerBlock = 48 << 10,
                                 .sharedMemPerMultiprocessor = (size_t)m->shared,
                                 .numSms = 1,
                                 .sharedMemPerBlockOptin = (size_t)(m->shared - m->reserved),
                                 .reservedSharedMemPerBlock = (size_t)m->reserved};
        const cudaOccDeviceState prefer_shared = {.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED};
        for (int threads = 32; threads <= 1024; threads += 32)
            for (int registers = 16; registers <= 255; registers += 7)
                for (int shared = 0; shared <= m->shared - m->reserved; shared += 5000) {
                    const cudaOccFuncAttributes kernel = {
                        .maxThreadsPerBlock = 1024,
                        .numRegs = registers,
                        .sharedSizeBytes = 0,
                        .partitionedGCConfig = PARTITIONED_GC_OFF,
                        .shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN,
                        .maxDynamicSharedSizeBytes = (size_t)shared,
                        .numBlockBarriers = 1};
                    cudaOccResult theirs;
                    assert_int_equal(
                        cudaOccMaxActiveBlocksPerMultiprocessor(
                            &theirs, &gpu, &kernel, &prefer_shared, threads, (size_t)shared),
                        CUDA_OCC_SUCCESS);
                    const int ours = of(m->capability, threads, registers, (size_t)shared).blocks;
                    if (ours != theirs.activeBlocksPerMultiprocessor)
                        fail_msg(
                            "sm_%d, %d threads, %d registers, %d bytes: %d blocks, CUDA says %d",
                            m->capability, threads, registers, shared, ours,
                            theirs.activeBlocksPerMultiprocessor);
                }
    }
#else
    SKIP("no CUDA Toolkit", "install it from developer.nvidia.com");
#endif
}

CASE(the_slowest_resource_is_the_time)
{
    const EmulatorReport report = {.sectors = 4000, .distinct = 1000, .wavefronts = 500};
    const GpuPeaks gpu = {"test", .bytes_per_second = 32e3, .flops_per_second = 1e3};
    const Roofline memory = roofline_of(&report, 500, gpu),
                   arithmetic = roofline_of(&report, 2000, gpu);
    assert_true(memory.least == 1 && memory.most == 4);
    assert_string_equal(memory.limit, "memory");
    assert_true(arithmetic.least == 2 && arithmetic.most == 4);
    assert_string_equal(arithmetic.limit, "arithmetic");
    GpuPeaks slow = gpu;
    slow.wavefronts_per_second = 50;
    const Roofline shared = roofline_of(&report, 500, slow);
    assert_true(shared.least == 10 && shared.most == 10);
    assert_string_equal(shared.limit, "shared memory");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(each_resource_can_be_the_limit),
        cmocka_unit_test(what_does_not_fit_has_no_blocks),
        cmocka_unit_test(agrees_with_cudas_calculator),
        cmocka_unit_test(the_slowest_resource_is_the_time),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
