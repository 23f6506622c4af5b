# each_cpu.cmake -- tests that run once more on each instruction set narrower than the processor's own.
#
#   add_test_on_each_cpu(runs lab.cnn.smoke cnn --smoke)
#   set_tests_properties(${runs} PROPERTIES TIMEOUT 120)
#
# adds lab.cnn.smoke and, where the processor has AVX-512, lab.cnn.smoke.avx2 and lab.cnn.smoke.plain,
# for which LAB_CPU names the widest instruction set that kernels/cpu/ may use.
include(CheckCSourceRuns)
check_c_source_runs("int main(void) { return !__builtin_cpu_supports(\"avx2\"); }" LAB_CPU_HAS_AVX2)
check_c_source_runs("int main(void) { return !__builtin_cpu_supports(\"avx512vl\"); }" LAB_CPU_HAS_AVX512)
if(LAB_CPU_HAS_AVX512)
  set(narrower_cpus avx2 plain)
elseif(LAB_CPU_HAS_AVX2)
  set(narrower_cpus plain)
endif()

function(add_test_on_each_cpu runs name)    # and the command
  add_test(NAME ${name} COMMAND ${ARGN})
  foreach(cpu ${narrower_cpus})
    add_test(NAME ${name}.${cpu} COMMAND ${ARGN})
    set_tests_properties(${name}.${cpu} PROPERTIES ENVIRONMENT_MODIFICATION LAB_CPU=set:${cpu})
  endforeach()
  list(TRANSFORM narrower_cpus PREPEND ${name}.)
  set(${runs} ${name} ${narrower_cpus} PARENT_SCOPE)
endfunction()
