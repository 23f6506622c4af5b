# checked.cmake -- EMULATOR_CHECKED: the options of a .cu whose accesses call the emulator's checker. Not optimised as
# far as usual, so that an access of the source is one of the program.
set(EMULATOR_CHECKED -O1 -fsanitize=thread -fsanitize-coverage=trace-pc -fno-delete-null-pointer-checks
  -fno-optimize-sibling-calls)
# Local arrays: an index beyond their end calls the emulator (local.cpp), and a large one touches the guard page of its
# stack.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag("-fstack-clash-protection -Werror" has_stack_clash_protection)
if(has_stack_clash_protection)
  list(APPEND EMULATOR_CHECKED -fstack-clash-protection)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND EMULATOR_CHECKED -fsanitize=bounds -fno-aggressive-loop-optimizations --param=tsan-instrument-func-entry-exit=0)
else()
  list(APPEND EMULATOR_CHECKED -fsanitize=array-bounds -mllvm -tsan-instrument-func-entry-exit=0
    -mllvm -tsan-instrument-read-before-write=1)
endif()
