#!/bin/sh
# What `lab check` says of CUDA kernels that go wrong: gpu_kernels.cu, all solved but one. Needs LAB and ROOT.
# shellcheck disable=SC2154,SC2317 # names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"

lab=gpu_kernels
file=mine/$lab/$lab.cu

# The reference with vector_add's loop body, `c[i] = a[i] + b[i]`, replaced.
submit() { # statement
    [ -e "$(dirname "$LAB")/labs/check_$lab.so" ] || skip "the lab $lab is not built" "./lab run $lab"
    mkdir -p mine/$lab
    echo '#include <unistd.h>' >$file
    sed "/\/\/ solution /d; /\/\/ end /d; s|c\[i\] = a\[i\] + b\[i\];|{ $1 }|" \
        "$ROOT/labs/2_core/$lab/$lab.cu" >>$file
}

here() { grep -n "$1" $file | cut -d: -f1; }
flat() { tr -s '\n ' '  ' <out; }
finds() { # "what it is said to do"
    run "$LAB" check $lab.vector_add
    gave 1
    flat | grep -qF -e "$1" || complain "'out' does not tell: $1"
}

a_correct_kernel_passes() { # test
    submit 'c[i] = a[i] + b[i];'
    run "$LAB" check $lab.vector_add
    gave 0
}

a_fault_is_reported_by_the_emulator() { # test
    submit 'c[i] = a[i + 1] + b[i]; /* HERE */'
    finds "$lab.cu:$(here HERE): out of bounds: thread (" # thread and block follow
}

a_compile_error_is_printed_with_its_line() { # test
    submit 'c[i] = threadIdy.x; /* HERE */'
    finds "vector_add does not compile: 'threadIdy' was not declared"
    flat | grep -qF "$lab.cu:$(here HERE)" || complain "the line is not named"
}

what_only_nvcc_takes_has_a_sentence_with_its_line() { # test
    submit 'gk_vector_add<<<1, 32>>>(c, a, b, n); /* HERE */'
    finds "a launch by <<<grid, block>>> needs nvcc"
    flat | grep -qF "$lab.cu:$(here HERE)" || complain "the line is not named"
    submit 'asm volatile("mov.u32 %0, 0;" : "=r"(i)); /* HERE */'
    finds "the emulator runs no inline PTX (asm)"
    flat | grep -qF "$lab.cu:$(here HERE)" || complain "the line is not named"
    submit 'extern __shared__ float t[]; c[i] = t[i]; /* HERE */'
    finds "write __shared__ float tile[SIZE]"
    flat | grep -qF "$lab.cu:$(here HERE)" || complain "the line is not named"
}

assertions_of_a_kernel_have_their_line() { # test
    submit 'assert(n < 0); /* HERE */'
    sed -i '0,/^#include "labs/s//#include <assert.h>\n&/' $file
    finds "$lab.cu:$(here HERE): stopped: thread ("
    submit 'assert(n < 0); /* HERE */'
    sed -i 's/^#include "labs.*/&\n#include <assert.h>/' $file # which has an assert() of its own
    finds "$lab.cu:$(here HERE): stopped: thread ("
}

a_kernel_may_read_a_clock_and_print() { # test
    submit 'const long long now = clock64() + clock(); if (now > 0) c[i] = a[i] + b[i]; if (i == 5) printf("%d\\n", i);'
    run "$LAB" check $lab.vector_add
    gave 0
}

a_missing_kernel_leaves_the_others() { # test
    submit 'c[i] = a[i] + b[i];'
    sed -i 's/gk_vector_add/gk_vector_sum/' $file
    finds "has no function called gk_vector_add"
    run "$LAB" check $lab.transpose_naive
    gave 0
}

an_unwritten_kernel_is_not_wrong() { # test
    submit 'c[i] = 0;'
    run "$LAB" reset $lab.vector_add
    gave 0
    finds "vector_add is not written yet"
}

an_endless_kernel_is_stopped() { # test
    submit 'while (a) i = 0;'
    finds "vector_add timed out"
}

a_kernel_is_in_the_sandbox() { # test
    submit 'if (fork() >= 0) c[i] = a[i] + b[i];'
    finds "started another process"
    submit '_exit(0);'
    finds "vector_add "
}

a_kernel_without_end_of_its_recursion_is_stopped() { # test
    submit 'gk_vector_add(c, a, b, n); c[i] = a[i];'
    finds "vector_add crashed"
}

run_sentence "$@"
