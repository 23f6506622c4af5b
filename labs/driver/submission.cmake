# submission.cmake -- how a learner's file is compiled: LAB_CC_CHECKED for the grader, LAB_CC_FAST as the
# labs are. Sets `submission_definitions`, for the sources that call the compiler (compile.c).
include(CheckCCompilerFlag)

# What the compiler says is read by a program: a line each, at the place where a macro is used.
set(said -std=gnu17 -D_GNU_SOURCE -g -fPIC -fdiagnostics-color=never)
foreach(flag -fmax-errors=50 -ferror-limit=50 -fno-diagnostics-show-caret -fno-caret-diagnostics
    -ftrack-macro-expansion=0 -fdiagnostics-column-unit=byte -Qunused-arguments)
  string(MAKE_C_IDENTIFIER "has${flag}" known)
  check_c_compiler_flag("${flag} -Werror" ${known})
  if(${known})
    list(APPEND said ${flag})
  endif()
endforeach()
# A helper that is called `dot` or `index` is the learner's own, whatever the program has.
if(CMAKE_SYSTEM_NAME STREQUAL Linux)
  list(APPEND said -Wl,-Bsymbolic)
endif()
# A function inside of another that is called through a pointer needs a stack that is code.
check_c_compiler_flag(-Werror=trampolines has_trampolines)
if(has_trampolines)
  list(APPEND said -Werror=trampolines)
endif()
# A function that is not declared anywhere is a slip, and its call would fail only when it is reached.
list(APPEND said -Wall -Wextra -Wno-unused-parameter -Wno-unused-function
  -Werror=implicit-function-declaration)

# -Og finds as many unset variables as -O1 does, names better lines, and takes the least time. A
# variable that was never set holds a number that no test takes for right.
set(checked ${said} -Og -fno-omit-frame-pointer -fsanitize=address,undefined
  -fno-sanitize-recover=undefined)
check_c_compiler_flag(-ftrivial-auto-var-init=pattern has_auto_var_init)
if(has_auto_var_init)
  list(APPEND checked -ftrivial-auto-var-init=pattern)
endif()
# A .cu is C++ for the emulator, in whose checker the calls of -fsanitize=thread end: its own library is
# not linked, so the usual ones are named. `#pragma unroll` is nvcc's.
include(${PROJECT_SOURCE_DIR}/kernels/cuda/emulator/checked.cmake)
set(cuda ${said})
list(REMOVE_ITEM cuda -std=gnu17 -Werror=trampolines -Werror=implicit-function-declaration)
list(APPEND cuda -std=gnu++17 -Wno-unknown-pragmas -fno-omit-frame-pointer -nodefaultlibs ${EMULATOR_CHECKED})

string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
separate_arguments(house_flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
set(fast ${said} ${house_flags} "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")

list(TRANSFORM checked REPLACE "(.+)" "\"\\1\"")
list(TRANSFORM fast REPLACE "(.+)" "\"\\1\"")
list(TRANSFORM cuda REPLACE "(.+)" "\"\\1\"")
list(JOIN checked "," checked)
list(JOIN fast "," fast)
list(JOIN cuda "," cuda)
set(submission_definitions
  LAB_CC="${CMAKE_C_COMPILER}"
  LAB_CC_CHECKED=${checked}
  LAB_CC_FAST=${fast}
  LAB_CXX="${CMAKE_CXX_COMPILER}"
  LAB_CUDA_CHECKED=${cuda}
  LAB_CUDA_LIBRARIES="-xnone","$<TARGET_FILE:cuda_emulator_shared>","-Wl,-rpath,$<TARGET_FILE_DIR:cuda_emulator_shared>","-lstdc++","-lm","-lc","-lgcc_s","-lgcc"
  LAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
