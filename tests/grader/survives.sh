# shellcheck shell=sh
# survives.sh -- submissions that do harm: each ends with a verdict, a sentence and, where there is one, a line.
. "$ROOT/tests/driver/sentences.sh"
build=$(dirname "$LAB")
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
right='float sum = 0; for (int i = 0; i < n; i++) sum += x[i]; return sum;'

# The body of tiny_sum, and what stands before it; the body's first line is line 20 of tiny.c.
submit() { # body [before]
    {
        printf '%s\n' '#include "tests/grader/tiny.h"' '#include "common/todo.h"' \
            '#include "kernels/kernels.h"' '#include <fcntl.h>' '#include <math.h>' \
            '#include <pthread.h>' '#include <signal.h>' '#include <stdio.h>' '#include <stdlib.h>' \
            '#include <string.h>' '#include <sys/mman.h>' '#include <sys/socket.h>' \
            '#include <sys/stat.h>' '#include <sys/wait.h>' '#include <unistd.h>'
        printf '%s\n' '#line 17' "${2:-}" '#line 18' 'float tiny_sum(const float *x, int n)' '{' "$1" '}' \
            '#line 90' 'void tiny_double(float *y, const float *x, int n)' '{' \
            'for (int i = 0; i < n; i++) y[i] = 2 * x[i];' '}'
    } >tiny.c
    sanitizers='-fsanitize=address,undefined -fno-sanitize=object-size -fno-sanitize-recover=undefined'
    # shellcheck disable=SC2086
    "$cc" -std=gnu17 -D_GNU_SOURCE -g -O1 -w -I "$ROOT" -fPIC -shared -Wl,-Bsymbolic -fno-omit-frame-pointer \
        -ftrivial-auto-var-init=pattern $sanitizers -o libsanitized.so tiny.c
    "$cc" -std=gnu17 -D_GNU_SOURCE -g -O1 -w -I "$ROOT" -fPIC -shared -Wl,-Bsymbolic -o libplain.so tiny.c
}

# Both graders; `out` and `plain` hold what they said of sum__adds_five_numbers and double__doubles.
grade() { # seconds
    run "$build/grader_plain" --cases "$build/tests/tiny_cases.so" --submission ./libplain.so \
        --source tiny.c "sum__adds*:${1:-5}" "double__*:5"
    gave 0 && mv out plain
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --submission libsanitized.so \
        --source tiny.c "sum__adds*:${1:-5}" "double__*:5"
    gave 0
    both 'double__doubles","verdict":"pass"' # whatever the other one did
}

is() { says out "sum__adds_five_numbers\",\"verdict\":\"$1\""; } # verdict
plainly() { says plain "sum__adds_five_numbers\",\"verdict\":\"$1\""; }
both() { says out "$1" && says plain "$1"; }
at() { says out "\"line\":$1"; }

a_correct_submission_passes() { # test
    submit "$right" && grade
    is pass && plainly pass && says out '"message":"","detail":"","output":"","line":0'
}

a_wrong_result_is_shown_with_got_and_want() { # test
    submit 'return 16;' && grade
    is wrong && plainly wrong && says out 'sum outside 1e-05' && says out 'got 16, want 15'
    never_says out Failure
}

an_unwritten_exercise_is_not_wrong() { # test
    submit 'LAB_TODO(sum);' && grade
    is todo && plainly todo && says out 'sum is not written yet'
}

a_changed_input_is_shown() { # test
    submit '((float *)x)[0] = 15; ((float *)x)[1] = 0; return 15;' && grade
    is wrong && says out 'an input is const: it must not change'
}

an_endless_loop_times_out() { # test
    submit 'for (volatile unsigned k = 0;;) k++;' && grade 1
    is timeout && plainly timeout && at 20
    # On a busy machine the clock strikes before the second of processor time is used up.
    grep -qE 'was still (running after 1 s of processor time|not done after 4 s), at line 20: ' out || complain "when, and where?"
}

an_endless_loop_that_blocks_every_signal_is_killed() { # test
    submit 'sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL); for (;;) ;' && grade 1
    is timeout && plainly timeout
}

a_sleeping_case_times_out() { # test
    submit 'sleep(1000); return 0;' && grade 0.3
    is timeout && plainly timeout && says out 'does it wait for something?'
}

a_stopped_case_is_reported() { # test
    submit 'raise(SIGSTOP); return 0;' && grade
    is crash && plainly crash
}

endless_recursion_and_bad_pointers_are_distinguished() { # test
    submit 'volatile float here[16]; here[n % 16] = n;
    return tiny_sum(x, n + 1) + here[n % 16];' && grade
    is crash && plainly crash && says out 'calls itself without end' && at 21
}

recursion_ends_even_without_a_stack_limit() { # test
    submit 'volatile float here[16]; here[n & 15] = n; return tiny_sum(x, n + 1) + here[n & 15];'
    # shellcheck disable=SC3045 # dash and bash have it
    (ulimit -s unlimited && grade)
    is crash && says out 'calls itself without end'
}

a_large_local_array_is_not_reported_as_recursion() { # test
    submit 'volatile char much[100 << 20]; for (int i = 0; i < n; i++) much[i << 20] = 1; return much[0];'
    grade
    is crash && plainly crash && says out 'needs more stack than there is'
}

a_null_pointer_is_named() { # test
    submit 'float *p = NULL;
    return *(volatile float *)p;' && grade
    is crash && plainly crash && both 'reads a NULL pointer' && at 21
}

an_uninitialized_pointer_is_reported() { # test
    submit 'float *p;
    return *(volatile float *)p;' && grade
    is crash && says out 'a pointer that was never set'
}

an_instruction_without_a_line_takes_its_neighbours() { # test
    submit 'float sum = 0; for (int i = 0; i <= n; i++)
#line 0
    sum += x[i];
#line 22
    return sum;' && grade
    is crash && says out 'one element past the end' && says out ', at line 2'
}

a_division_by_zero_is_named() { # test
    submit 'volatile int zero = 0; return n / zero;' && grade
    is crash && plainly crash && both 'divides an integer by zero' && at 20
}

abort_is_reported_with_the_last_line_printed() { # test
    submit 'fprintf(stderr, "n is too small\n"); abort();' && grade
    is crash && plainly crash && says out 'called abort(), at line 20: n is too small'
}

reading_one_past_the_end_in_a_loop_is_counted() { # test
    submit 'float sum = 0;
    for (int i = 0; i <= n; i++) sum += x[i];
    return sum;' && grade
    is crash && plainly crash && both 'reads one element past the end of an array of 5' && at 21
}

writing_one_past_the_end_in_a_loop_is_counted() { # test
    submit 'for (int i = 0; i <= n; i++) ((float *)x)[i] = 3;
    return 15;' && grade
    is crash && plainly crash && both 'writes one element past the end of an array of 5' && at 20
}

a_kernel_that_is_given_wrong_sizes_is_named_with_its_call() { # test on each cpu
    for call in 'matmul(y, x, x, 4, 4, 4, 0)' 'matmul_nt(y, x, x, 4, 4, 4, 0)' 'kernels.relu(y, x, 16)' \
        'kernels.softmax_rows(y, x, 4, 4)' 'kernels.sum(y, x, 16)' \
        'kernels.squared_error_backward(y, y, 1, x, x, 0, 16)'; do
        submit "float y[16] = {0};
        $call;
        return y[0];" && grade
        is crash && plainly crash && at 21
        says out "\"${call%%(*}, called at line 21, reads past the end of an array of 5"
    done
}

# Whether the compiler inlines it or not, what the submission has called is what is named.
a_kernel_that_a_header_calls_is_named_as_the_submission_called_it() { # test on each cpu
    for how in always_inline noinline; do
        echo "static inline __attribute__(($how)) void product(float *y, const float *x, int n) {
            matmul_nt(y, x, x, n, n, n, 0); }" >lab.h
        submit 'float y[16] = {0};
        product(y, x, 4);
        return y[0];' '#include "lab.h"' && grade
        is crash && plainly crash && at 21
        says out '"product, called at line 21, reads past the end of an array of 5'
    done
}

a_crash_in_a_header_is_reported_at_the_calling_line() { # test
    for how in always_inline noinline; do
        lines='x += 0;
        return in_header(x, n);'
        header="static inline __attribute__(($how)) float in_header(const float *x, int n)"
        echo "$header { return x[n]; }" >lab.h
        submit "$lines" '#include "lab.h"' && grade
        is crash && plainly crash && both 'reads one element past the end of an array of 5' && at 21
        echo "$header { x = NULL; return *(volatile float *)x; }" >lab.h
        submit "$lines" '#include "lab.h"' && grade
        is crash && plainly crash && both 'reads a NULL pointer' && at 21
        echo "$header { int row[4] = {0}; return row[n]; }" >lab.h
        submit "$lines" '#include "lab.h"' && grade
        is crash && says out 'index 5 out of bounds' && at 21
        echo "$header { float *y = malloc(128); return *y = 15; }" >lab.h
        submit "$lines" '#include "lab.h"' && grade
        is leak && says out 'lost 128 bytes that it allocated at line 21' && at 21
    done
}

heap_overflow_is_detected() { # test
    submit 'volatile float *y = malloc(4 * sizeof *y);
    y[n - 1] = 1;
    free((void *)y);
    return 15;' && grade
    is crash && says out 'writes one element past the end of an array of 4' && at 21
}

stack_overflow_of_an_array_is_reported_with_its_name() { # test
    submit 'volatile float row[4]; volatile float *p = row; p[n] = 1; return 15;' && grade
    is crash && says out "writes 2 elements past the end of 'row', an array of 4" && at 20
}

an_index_out_of_bounds_is_named() { # test
    submit 'int row[4] = {0}; return row[n];' && grade
    is crash && says out "index 5 out of bounds for type '" && at 20
}

a_returned_local_array_is_detected() { # test
    submit 'float *p = local(n); return p[1];' '__attribute__((noinline)) static float *local(int n) { volatile float here[8]; here[n] = n; float *volatile p = (float *)here; return p; }'
    grade
    is crash && says out 'used a local variable of a function that has returned'
}

a_failed_require_is_quoted() { # test
    submit 'arena_alloc(arena_new("small", 16), 1 << 20); return 15;' '#include "common/arena.h"' && grade
    is crash && plainly crash && at 20 && both 'common/arena.c' && both "'small'"
}

use_after_free_is_detected() { # test
    submit 'float *y = calloc(n, 4); free(y); return y[0];' && grade
    is crash && says out 'used memory after free()' && at 20
}

double_free_is_detected() { # test
    submit 'float *volatile y = calloc(n, 4); free(y); free(y); return 15;' && grade
    is crash && plainly crash && says out 'freed the same memory twice' && at 20
}

a_leak_is_not_a_pass() { # test
    submit 'float *y = malloc(32 * sizeof *y);
    y[0] = 15;
    return y[0];' && grade
    is leak && plainly pass && says out 'lost 128 bytes that it allocated at line 20' && at 20
}

a_failed_case_that_leaks_is_wrong() { # test
    submit 'float *y = malloc(32 * sizeof *y); return y[0] = 16;' && grade
    is wrong && plainly wrong
}

reachable_memory_is_not_a_leak() { # test
    submit 'static float *volatile scratch; if (!scratch) scratch = calloc(n, 4); return scratch[0] = 15;' && grade
    is pass
}

uninitialized_memory_and_overflow_are_distinguished() { # test
    submit 'float *y = malloc(n * sizeof *y);
    float sum = 0; for (int i = 0; i < n; i++) sum += y[i]; free(y); return sum;' && grade
    is wrong && says out 'never written'
}

an_uninitialized_local_is_reported() { # test
    submit 'float sum; for (int i = 0; i < n; i++) sum += x[i]; return sum;' && grade
    is wrong && says out 'never'
}

nan_and_infinity_are_counted() { # test
    submit 'return INFINITY;' && grade
    is wrong && plainly wrong && says out 'looks like: 1 infinite'
}

exit_is_never_a_pass() { # test
    submit 'exit(0);' && grade
    is exit && plainly exit && both 'called exit(0)' && at 20
    submit '_exit(0);' && grade
    is exit && plainly exit && both 'called _exit(0)'
    submit "$right" '__attribute__((constructor)) static void early(void) { exit(0); }'
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --submission ./libsanitized.so --source tiny.c 'sum__*:5'
    gave 0 && is exit
    submit 'exit(0);' 'static void last(void) { _exit(0); }
__attribute__((constructor)) static void early(void) { atexit(last); }' && grade
    is exit && plainly exit
}

a_killed_case_has_not_passed() { # test
    submit 'raise(SIGKILL);' && grade
    is crash && plainly crash
}

a_hundred_gigabytes_are_refused() { # test
    submit 'volatile char *p = malloc((size_t)100 << 30);
    p[0] = 1; return p[0];' && grade
    is memory && plainly memory && says out 'asked for 107 GB of memory' && at 20
}

memory_that_grows_in_a_loop_is_stopped() { # test
    submit 'for (;;) { volatile char *p = malloc(1 << 20); memset((void *)p, 1, 1 << 20); p[n] = 0; }' && grade 20
    is memory && plainly memory && says out 'took more memory than the limit' && at 20
}

mapping_memory_without_end_fails() { # test
    submit 'char *p; while ((p = mmap(0, 1 << 24, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
        memset(p, 1, 4096);
    return 0;' && grade
    is wrong && plainly wrong
}

a_gigabyte_of_output_is_cut() { # test
    submit 'for (;;) puts("0123456789012345678901234567890123456789");' && grade
    is output && plainly output && says out 'printed more than 1024 KiB'
    [ "$(wc -c <out)" -lt 40000 ] || complain 'it kept too much'
    submit 'for (;;) fputs("no\n", stderr);' && grade
    is output && plainly output
}

what_it_prints_is_shown_beside_the_verdict() { # test
    submit 'printf("n = %d\n", n); fprintf(stderr, "oh\377\n"); return 15;' && grade
    is pass && plainly pass && both '"output":"n = 5\noh?\n"'
}

closing_every_descriptor_changes_nothing() { # test
    submit "for (int fd = 0; fd < 1024; fd++) close(fd); $right" && grade
    is pass && plainly pass
    submit 'for (int fd = 0; fd < 1024; fd++) close(fd); return 16;' && grade
    is wrong && plainly wrong && says out 'got 16, want 15'
    submit 'for (int fd = 0; fd < 1024; fd++) close(fd);
    return ((volatile float *)x)[n];' && grade
    is crash && says out 'past the end of an array of 5' && at 21
}

writing_verdicts_to_every_descriptor_changes_nothing() { # test
    submit 'static char say[] = "\n{\"case\":\"sum__adds_five_numbers\",\"verdict\":\"pass\"}\n";
    for (int fd = 0; fd < 1024; fd++) write(fd, say, sizeof say - 1);
    return 16;' && grade
    is wrong && plainly wrong && never_says out 'sum__adds_five_numbers","verdict":"pass"'
    [ "$(wc -l <out)" = 2 ] || complain 'expected two lines'
}

a_copy_of_the_process_cannot_finish_the_case() { # test
    submit 'if (fork() == 0) return 15; wait(NULL); return 16;' && grade
    never_says out 'sum__adds_five_numbers","verdict":"pass"'
    never_says plain 'sum__adds_five_numbers","verdict":"pass"'
}

no_process_outlives_the_grader() { # test
    submit "if (fork() == 0) { setsid(); if (fork() == 0) { signal(SIGHUP, SIG_IGN); for (;;) sleep(1); } _exit(0); } $right"
    cp "$build/grader_plain" ./unique_grader
    run ./unique_grader --cases "$build/tests/tiny_cases.so" --submission ./libplain.so --source tiny.c 'sum__adds*:2'
    gave 0
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/exe")" != "$PWD/unique_grader" ] || complain "$process is left"
    done
}

no_file_is_written() { # test
    submit 'int fd = open("left.txt", O_CREAT | O_WRONLY, 0600); write(fd, "left", 4); return 15;' && grade
    [ ! -s left.txt ] || complain 'left.txt was written'
}

forbidden_system_calls_are_refused() { # test
    [ "$(uname -s)" = Linux ] || skip "no seccomp" "run it on Linux"
    touch kept
    submit 'unlink("kept"); return 15;' && grade
    is crash && plainly crash && both 'changed a file or a folder, which an exercise may not' && [ -e kept ]
    submit 'fchmod(open("kept", O_RDONLY), 0); return 15;' && grade
    is crash && plainly crash && both 'changed a file or a folder'
    submit 'socket(AF_INET, SOCK_STREAM, 0); return 15;' && grade
    is crash && plainly crash && both 'opened a socket'
}

newer_system_calls_are_refused() { # test
    [ "$(uname -s)" = Linux ] || skip "no seccomp" "run it on Linux"
    touch kept
    submit 'syscall(452, AT_FDCWD, "kept", 0, 0); return 15;' && grade # fchmodat2
    is crash && plainly crash && both 'changed a file or a folder, which an exercise may not' && at 20
    [ "$(stat -c %a kept)" != 0 ] || complain 'its mode has changed'
    submit 'syscall(strtol(getenv("NUMBER"), NULL, 0), AT_FDCWD, "kept", 0, 0, 0, 0); return 15;'
    for number in 453 463 466 469 470 600 65535 0x40000000 0x7fffffff 0xffffffff; do
        export NUMBER=$number
        grade
        is crash && plainly crash && both 'which an exercise may not'
    done
    submit 'ioctl(open("kept", O_RDONLY), FS_IOC_SETFLAGS, &flags); return 15;' '#include <linux/fs.h>
#include <sys/ioctl.h>
static int flags = FS_NODUMP_FL;' && grade
    is crash && plainly crash && both 'changed a file or a folder'
}

# Each way to go on after a fault, and an array that is read until one comes.
a_fault_stays_a_fault() { # test
    [ "$(uname -s)" = Linux ] || skip "no seccomp" "run it on Linux"
    before='#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
static sigjmp_buf back; static char small[1 << 14]; static stack_t own = {small, 0, sizeof small};
static void leave(int signal) { siglongjmp(back, signal); }
static struct sigaction mine = {.sa_handler = leave, .sa_flags = SA_ONSTACK | SA_NODEFER};'
    endless='if (sigsetjmp(back, 1)) return 15; for (volatile float sum = 0;; x++) sum += *x;'
    for call in 'signal(SIGSEGV, leave)' 'signal(SIGSEGV, SIG_IGN)' 'sigaction(SIGSEGV, &mine, NULL)' \
        'syscall(SYS_rt_sigaction, SIGSEGV, &mine, NULL, 8)'; do
        submit "$call; $endless" "$before" && grade
        is crash && plainly crash && both 'past the end of an array of 5' && at 20
    done
    for call in 'sigaltstack(&own, NULL); sigaction(SIGSEGV, &mine, NULL)' \
        'sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL); signalfd(-1, &all, 0)'; do
        submit "$call; $endless" "$before" && grade
        is crash && plainly crash
    done
    submit 'signal(SIGABRT, leave); if (!sigsetjmp(back, 1)) abort(); return 15;' "$before" && grade
    is crash && plainly crash && both 'called abort()'
    submit 'signal(SIGFPE, leave); volatile int no = 0; if (!sigsetjmp(back, 1)) return n / no; return 15;' "$before" && grade
    is crash && plainly crash && both 'divides an integer by zero'
    submit 'signal(SIGPROF, leave); signal(SIGXCPU, leave); if (!sigsetjmp(back, 1)) for (;;) ; return 15;' \
        "$before" && grade 1
    is timeout && plainly timeout
    submit "signal(SIGUSR1, leave); if (!sigsetjmp(back, 1)) raise(SIGUSR1); $right" "$before" && grade
    is pass && plainly pass
    submit 'syscall(SYS_userfaultfd, 0); return 15;' "$before" && grade
    is crash && plainly crash && both 'made an unusual system call'
}

no_other_process_is_reached() { # test
    [ "$(uname -s)" = Linux ] || skip "no seccomp" "run it on Linux"
    for call in 'kill(getppid(), SIGSTOP)' 'kill((setpgid(0, getpgid(getppid())), 0), SIGSTOP)' \
        'syscall(SYS_tkill, getppid(), SIGSTOP)' 'sigqueue(getppid(), SIGSTOP, (union sigval){0})' \
        'syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, getppid(), 0), SIGSTOP, NULL, 0)'; do
        submit "$call; return 15;" '#include <sys/syscall.h>' && grade
        is crash && plainly crash && both 'sent a signal to another process'
    done
    submit 'return ptrace(PTRACE_ATTACH, getppid(), 0, 0) + prlimit(getppid(), RLIMIT_NOFILE, &none, 0) +
        fcntl(0, F_SETOWN, getppid()) + 18;' '#include <sys/ptrace.h>
#include <sys/resource.h>
static struct rlimit none;'
    grade && is pass && plainly pass # each fails with -1
}

executable_memory_cannot_be_changed() { # test
    [ "$(uname -s)" = Linux ] || skip "no seccomp" "run it on Linux"
    submit 'char *code = dlsym(RTLD_DEFAULT, "near_assert");
    mprotect(code - (size_t)code % 4096, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    *code = 0xc3; return 16;' '#include <dlfcn.h>' && grade
    is crash && plainly crash && both 'changed executable memory, which an exercise may not' && at 21
    submit 'char *code = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return 15;' && grade
    is crash && plainly crash && both 'changed executable memory'
}

static_arrays_beyond_the_limit_are_named() { # test
    submit 'huge[n] = 1; return huge[n];' 'static char huge[10000000000];'
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --submission ./libsanitized.so --source tiny.c 'sum__*:5'
    gave 0 && is memory && says out 'its static arrays take more memory than the limit, 2 GB'
}

a_command_is_not_run() { # test
    "$cc" --version | grep -q clang &&
        skip "no gcc behind the build" "cmake --preset release -DCMAKE_C_COMPILER=gcc"
    submit 'system("rm -f kept"); return 15;' && touch kept && grade
    is crash && plainly crash && both 'started another process' && [ -e kept ]
}

threads_are_fine() { # test
    submit 'pthread_t thread; void *sum; pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, &sum); return (float)(long)sum;' 'static void *work(void *unused) { return (void *)15; }'
    grade
    is pass && plainly pass
}

helpers_may_have_any_name() { # test
    submit "near_assert(0, 0); lab_cases(); max(1, 2); return memcmp2(x, n);" '#define memcmp2 sum_of
int near_assert(int a, int b) { return 0; } int lab_cases(void) { return 0; } int max(int a, int b) { return a; }
int print_error(int a) { return a; } int _fail(void) { return 0; } int shared_result_end(void) { return 0; }
float sum_of(const float *x, int n) { float sum = 0; for (int i = 0; i < n; i++) sum += x[i]; return sum; }'
    grade
    is pass && plainly pass
}

a_missing_function_is_reported() { # test
    submit "$right"
    sed -i 's/tiny_sum/tiny_summ/' tiny.c
    "$cc" -g -w -I "$ROOT" -fPIC -shared -Wl,-Bsymbolic -fsanitize=address,undefined -o libsanitized.so tiny.c
    "$cc" -g -w -I "$ROOT" -fPIC -shared -Wl,-Bsymbolic -o libplain.so tiny.c
    grade
    is missing && plainly missing && both 'tiny_sum is not'
}

cases_after_a_timeout_are_skipped() { # test
    submit 'for (volatile unsigned k = 0;; k++) ;'
    run "$build/grader" --jobs 1 --cases "$build/tests/tiny_cases.so" --submission ./libsanitized.so \
        --source tiny.c 'sum__*:1' 'double__*:1'
    gave 0 && is timeout && says out 'sum__of_nothing_is_zero","verdict":"skipped"'
    says out 'double__doubles","verdict":"pass"'
}

environment_variables_do_not_weaken_the_grader() { # test
    submit 'return ((volatile float *)x)[n];'
    export ASAN_OPTIONS=detect_leaks=0:handle_segv=1:exitcode=0 CMOCKA_MESSAGE_OUTPUT=XML OMP_NUM_THREADS=7
    grade
    is crash && plainly crash
}

wrong_arguments_print_the_usage() { # test
    run "$build/grader" && gave 2 && says err '--cases FILE'
    submit "$right"
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --submission ./libsanitized.so --source tiny.c 'sun__*:5'
    gave 2 && says err 'no case matches sun__*'
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --submission ./libsanitized.so --source tiny.c 'sum__*'
    gave 2 && says err 'expected PATTERN:SECONDS'
    run "$build/grader" --cases none.so --list && gave 2 && says err none.so
}

the_cases_can_be_listed() { # test
    run "$build/grader" --cases "$build/tests/tiny_cases.so" --list
    gave 0 && says out sum__of_one_is_that_one && [ "$(wc -l <out)" = 4 ]
}

run_sentence "$@"
