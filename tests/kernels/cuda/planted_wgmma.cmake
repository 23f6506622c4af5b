# planted_wgmma.cmake -- planted_wgmma.cu: kernels/cuda/wgmma.cu again and again, each time in a namespace of its own and
# with one mistake. KIND is the fault that the emulator has to find; FAULT_KINDS: the result is wrong.
set(wgmma ${PROJECT_SOURCE_DIR}/kernels/cuda/wgmma.cu)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${wgmma})
file(READ ${wgmma} source)
string(REGEX REPLACE "#include[^\n]*\n" "" source "${source}")
set(bodies "")
set(table "")

function(plant name kind before after)
  string(FIND "${source}" "${before}" first)
  string(FIND "${source}" "${before}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(WARNING "planted_wgmma.cmake: ${name}: '${before}' does not stand once in wgmma.cu; its test will fail")
  endif()
  string(REPLACE "${before}" "${after}" changed "${source}")
  set(bodies "${bodies}namespace ${name}\n{\n${changed}}\n" PARENT_SCOPE)
  set(table "${table}    {\"${name}\", ${kind}, ${name}::cuda_wgmma_product},\n" PARENT_SCOPE)
endfunction()

# mbarriers
plant(consumer_waits_for_the_wrong_parity FAULT_RACE "&full[ring.at], ring.parity)" "&full[ring.at], ring.parity ^ 1)")
plant(producer_waits_for_the_wrong_parity FAULT_DEADLOCK "ring.parity ^ 1" "ring.parity")
plant(parity_stays FAULT_RACE "parity ^= 1;" "")
plant(bytes_are_not_expected FAULT_RACE "mbarrier_expect(arrived, sizeof stage)" "mbarrier_arrive(arrived)")
plant(too_few_bytes_are_expected FAULT_RACE "sizeof stage)" "sizeof stage.a)")
plant(too_many_bytes_are_expected FAULT_DEADLOCK "sizeof stage)" "sizeof stage + 16)")
plant(a_consumer_is_not_waited_for FAULT_DEADLOCK "CONSUMERS * WARPGROUP / 32" "WARPGROUP / 32")
plant(warps_of_a_consumer_are_not_waited_for FAULT_DEADLOCK "CONSUMERS * WARPGROUP / 32" "CONSUMERS")
plant(last_stage_is_not_released FAULT_DEADLOCK "            if (lane == 0) mbarrier_arrive(used);\n" "")
plant(no_barrier_after_init FAULT_RACE "    __syncthreads();\n" "")
plant(init_is_not_fenced FAULT_RACE "        fence_proxy_async();\n" "")

# TMA
plant(empty_is_not_waited_for FAULT_RACE "while (!mbarrier_try_wait(&empty[ring.at], ring.parity ^ 1)) {}" "")
plant(full_is_not_waited_for FAULT_RACE "while (!mbarrier_try_wait(&full[ring.at], ring.parity)) {}" "")
plant(coordinates_are_exchanged FAULT_KINDS "&a, step * DEPTH, tile.row" "&a, tile.row, step * DEPTH")
plant(stages_are_not_aligned FAULT_MISALIGNED "bytes += -(uintptr_t)bytes % EIGHT_ROWS;" "")

# wgmma
plant(no_fence FAULT_RACE "wgmma_fence();" "")
plant(stage_is_released_before_its_products_are_done FAULT_RACE "wgmma_wait<1>();" "wgmma_wait<2>();")
plant(sums_are_read_before_they_are_done FAULT_KINDS "wgmma_wait<0>(sum);" "wgmma_wait<1>(sum);")
plant(products_are_not_committed FAULT_KINDS "wgmma_commit();" "")
plant(sums_are_not_cleared FAULT_KINDS "step + p > 0" "true")
plant(stride_of_a FAULT_KINDS "stage.a[first], EIGHT_ROWS" "stage.a[first], EIGHT_ROWS / 8")
plant(stride_of_b FAULT_RACE "stage.b, EIGHT_ROWS" "stage.b, 2 * EIGHT_ROWS")
plant(both_consumers_multiply_the_same_rows FAULT_KINDS "stage.a[first]" "stage.a[0]")
plant(k_does_not_advance FAULT_KINDS "(cols, p * sizeof(uint16_t))" "(cols, 0)")

file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/planted_wgmma.cu @ONLY CONTENT [[
// Written by planted_wgmma.cmake.
#include "tests/kernels/cuda/planted_wgmma.h"
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/hopper.cuh"
@bodies@
const PlantedWgmma planted_wgmma[] = {
@table@};
const size_t planted_wgmma_count = sizeof planted_wgmma / sizeof *planted_wgmma;
]])
