#!/bin/sh
# What `lab check` says of submissions that go wrong in every way: the real grader on a copy of
# autoencoder.c with all exercises solved but one. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"

lab=autoencoder
file=mine/$lab/$lab.c
others=9 # exercises besides the one that goes wrong

solved() {
    [ -e "$(dirname "$LAB")/labs/check_$lab.so" ] || skip "no LAPACK" "./lab setup"
    mkdir -p mine/$lab
    for header in signal stdio stdlib string unistd; do echo "#include <$header.h>"; done >$file
    sed '/\/\/ solution /d; /\/\/ end /d' "$ROOT/labs/2_core/$lab/$lab.c" >>$file
}

# The solved file, in which the exercise's body is what stands on standard input. A line that ends in
# HERE is the one that has to be named.
submit() { # exercise
    solved
    cat >body
    awk -v head="ae_$1(" '
        index($0, head) { inside = 1 }
        inside != 2 { print }
        inside == 1 && /^{/ { while ((getline line <"body") > 0) print line; inside = 2 }
        inside == 2 && /^}/ { print; inside = 0 }' $file >changed
    mv changed $file
}

here() { echo "$lab.c:$(grep -n 'HERE$' $file | cut -d: -f1)"; }

# Wrapped or not.
shows_flat() { tr -s '\n ' '  ' <out | grep -qF -e "$1" || complain "'out' does not tell: $1"; }

built_by_clang() {
    "$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$(dirname "$LAB")/CMakeCache.txt")" --version | grep -q clang
}

# The exercise has this verdict, all others pass, and nothing is left behind.
finds() { # exercise, "what it is said to do"
    run "$LAB" check $lab
    gave 1
    shows_flat "$2"
    grep -q "^  [x.] $1 " out || complain "no line for $1"
    [ "$(grep -c '^  + ' out)" = $others ] || complain "expected $others others to pass"
    grep -q "^next  ./lab check $lab.$1" out || complain "no next command"
    leaves_nothing
}

leaves_nothing() {
    ! grep -ls "$scratch" /proc/[0-9]*/cmdline || complain "a process is left"
    [ "$(du -sm . | cut -f1)" -lt 10 ] || complain "files are left: $(du -a . | sort -n | tail -n 3)"
}

# ---- the survivors' list ----

unwritten_exercises_are_not_reported_as_failures() { # test
    submit loss <<'END'
    todo_reached("loss", __FILE__, __LINE__); // HERE
END
    sed -i '1i #include "common/todo.h"' $file
    finds loss "loss is not written yet: ae_loss, at"
    never_says out wrong
}

a_fresh_start_scores_nothing() { # test
    run "$LAB" start $lab
    gave 0
    run "$LAB" check $lab
    gave 1
    [ "$(grep -c 'not written yet$' out)" = $((others + 1)) ] || complain "expected all"
    run "$LAB" check $lab --json
    says out '"points":	0,'
}

a_compile_error_is_reported_with_its_line() { # test
    submit loss <<'END'
    return miss; // HERE
END
    finds loss "loss does not compile: "
    shows_flat "undeclared"
    shows_flat "$(here)"
}

a_missing_brace_is_reported_in_its_own_exercise() { # test
    submit linear_backward <<'END'
    if (dx != NULL) {
        dx[0] = 1;
END
    finds linear_backward "linear_backward does not compile"
    submit linear_backward <<'END'
    if (dx != NULL) dx[0] = 1; }
END
    finds linear_backward "linear_backward does not compile"
    submit linear_backward <<'END'
    /* a comment without an end
END
    finds linear_backward "linear_backward does not compile: unterminated"
}

a_wrong_function_head_is_reported_in_its_own_exercise() { # test
    solved
    sed -i 's/^float ae_loss(float \*dz/float ae_loss(flat *dz/' $file
    finds loss "loss does not compile: unknown type name 'flat'"
}

a_long_line_is_shown_around_its_mark() { # test
    long='a_name_of_sixteen + a_name_of_sixteen + a_name_of_sixteen + a_name_of_sixteen + a_name_of_sixteen'
    submit kl <<END
    float a_name_of_sixteen = 0, é = 0;
	/* é and a tab */ return é + $long + unknown + $long;
END
    for columns in 40 80; do
        run env COLUMNS=$columns "$LAB" check $lab.kl
        gave 1
        awk -v most=$columns -v path="$file" '
            length > most && !index($0, path) { wide = 1 }
            marked { exit !(substr($0, at, 1) == "^") || wide }
            / \| .*unknown/ { at = index($0, "unknown"); marked = 1 }
            END { exit !marked || wide }' out || complain "too wide, or the mark is elsewhere"
    done
}

an_undeclared_function_does_not_compile() { # test
    submit kl <<'END'
    return divergence(mean, logvar); // HERE
END
    finds kl "kl does not compile: implicit declaration of function 'divergence'"
    shows_flat "$(here)"
}

a_nested_function_is_reported() { # test
    ! built_by_clang || skip "no gcc behind the build" "cmake --preset release -DCMAKE_C_COMPILER=gcc"
    submit kl <<'END'
    int by_mean(const void *a, const void *b) { return B + *(const int *)a - *(const int *)b; } // HERE
    qsort((void *)mean, 1, sizeof *mean, by_mean);
    return 0;
END
    finds kl "kl does not compile: trampoline generated for nested function 'by_mean'"
    shows_flat "$(here)"
}

endless_includes_are_stopped() { # test
    submit loss <<'END'
#include "/dev/zero"
    return 0;
END
    finds loss "loss " # gcc reads on and on, clang takes it for empty
    submit loss <<'END'
#include "/dev/stdin"
    return 0;
END
    finds loss "loss "
    submit loss <<'END'
#define TEN(x) x x x x x x x x x x
#define MANY(x) TEN(TEN(TEN(TEN(TEN(TEN(TEN(TEN(TEN(x)))))))))
    int i = 0;
    MANY(i++;)
    return (float)i;
END
    finds loss "loss does not compile: the compiler"
    submit loss <<'END'
    static float large[100000000] = {1};
    return large[B];
END
    finds loss "loss does not compile: compiled it is larger than 64 MB"
}

the_time_that_the_compiler_took_is_reported() { # test
    submit loss <<'END'
#include "endless.h"
    return 0;
END
    printf '#if __INCLUDE_LEVEL__ < 60\n#include "endless.h"\n#include "endless.h"\n#endif\n' >mine/$lab/endless.h
    run env LAB_COMPILE_SECONDS=4 "$LAB" check $lab.loss # 4 s as a whole, then 1 s alone
    gave 1
    shows_flat "loss does not compile: the compiler was still at it after "
    grep -qE 'after ([5-9]|[1-9][0-9]) s' out || complain "expected all of the time"
}

an_error_outside_of_all_exercises_is_shown_alone() { # test
    solved
    sed -i '3i #include "nowhere.h"' $file
    run "$LAB" check $lab
    gave 1
    shows_flat "$file:3 does not compile, so nothing was graded: "
    shows_flat "nowhere.h"
    run "$LAB" check $lab --json
    gave 1
    says out '"status":	"error"'
    says out '"points":	0,'
}

the_reference_cannot_be_included() { # test
    solved
    for path in "labs/2_core/$lab/$lab.c" "$ROOT/labs/2_core/$lab/$lab.c" "../$lab/network.c"; do
        printf '\n#include "%s"\n' "$path" >$file
        run "$LAB" check $lab
        gave 1
        shows_flat "$file:2 does not compile, so nothing was graded: it includes"
    done
    ln -s "$ROOT/labs/2_core/$lab/$lab.c" mine/$lab/helper.h
    printf '#define HELPER "helper.h"\n#include HELPER\n' >$file
    run "$LAB" check $lab
    gave 1
    shows_flat "it includes $lab.c, and of a lab only headers may be included"
    solved
    echo 'static int one(void) { return 1; }' >mine/$lab/own.c
    sed -i '3i #include "own.c"' $file
    run "$LAB" check $lab
    gave 0
}

an_error_in_the_learners_header_is_shown_where_it_is_included() { # test
    solved
    echo 'int helper(int a) { return a +; }' >mine/$lab/helper.h
    sed -i '3i #include "helper.h"' $file
    run "$LAB" check $lab
    gave 1
    shows_flat "$file:3 does not compile, so nothing was graded: expected expression"
}

a_missing_function_is_reported() { # test
    solved
    sed -i 's/^float ae_loss/float my_loss/' $file
    finds loss "autoencoder.c has no function called ae_loss"
    says out "or    ./lab reset autoencoder.loss"
}

an_endless_loop_times_out() { # test
    submit linear_backward <<'END'
    for (volatile int i = 0;; i = 0) continue; // HERE
END
    finds linear_backward "linear_backward timed out"
    shows_flat "$(here)"
}

endless_recursion_is_recognized() { # test
    submit loss <<'END'
    return 1 + ae_loss(dz, z, x, B, P + 1); // HERE
END
    finds loss "loss crashed: calls itself without end"
    shows_flat "$(here)"
}

a_null_pointer_is_named_with_its_line() { # test
    submit loss <<'END'
    float *p = NULL;
    p[0] = 1; // HERE
    return 0;
END
    finds loss "a NULL pointer"
    shows_flat "$(here)"
}

abort_is_a_crash() { # test
    submit loss <<'END'
    abort(); // HERE
END
    finds loss "loss crashed: called abort()"
    shows_flat "$(here)"
}

exit_is_never_a_pass() { # test
    for call in 'exit(0)' '_exit(0)' 'quick_exit(0)'; do
        submit loss <<END
    $call;
END
        finds loss "loss ended the program"
    done
    solved
    cat >>$file <<'END'
__attribute__((constructor)) static void early(void) { _exit(0); }
END
    run "$LAB" check $lab
    gave 1
    [ "$(grep -c '^  + ' out)" = 0 ] || complain "an exercise passes"
}

a_failed_case_that_leaks_is_wrong_and_not_a_leak() { # test
    submit kl <<'END'
    float *p = malloc(100);
    p[0] = 1;
    return p[0];
END
    finds kl "kl is wrong"
    never_says out leak
}

a_correct_submission_that_leaks_does_not_pass() { # test
    submit relu_backward <<'END'
    float *copy = malloc(n * sizeof *copy); // HERE
    for (size_t i = 0; i < n; i++) {
        copy[i] = dy[i];
        if (y[i] > 0) dx[i] += copy[i];
    }
END
    finds relu_backward "relu_backward leaks memory"
    shows_flat "$(here)"
}

a_loop_past_the_end_is_detected() { # test
    submit corrupt <<'END'
    for (size_t i = 0; i < n; i++) noisy[i] = rng_uniform(rng) < p ? 0 : x[i];
    noisy[n] = 0; // HERE
END
    finds corrupt "corrupt crashed: writes one element past the end"
    shows_flat "$(here)"
}

a_library_call_past_the_end_is_detected() { # test
    submit linear_forward <<'END'
    matmul_nt(y, x, w, B + 1, O, I, 0.0f); // HERE
    kernels.add_row(y, y, bias, B, O);
END
    finds linear_forward "linear_forward crashed: "
    shows_flat "past the end of an array"
    shows_flat "$(here)"
}

an_uninitialized_variable_is_reported() { # test
    submit kl <<'END'
    double sum;
    for (int i = 0; i < B * Z; i++) {
        float variance = expf(logvar[i]);
        sum += variance + mean[i] * mean[i] - 1 - logvar[i];
        dmean[i]   = mean[i] / (float)B;
        dlogvar[i] = (variance - 1) / (2 * (float)B);
    }
    return (float)(sum / (2 * B));
END
    finds kl "kl is wrong"
    shows_flat "'sum'"
    grep -A1 '^kl is wrong' out | grep -q 'look at line .* uninitialized' || complain "it is not the first to read"
}

a_pass_with_an_uninitialized_variable_is_reported() { # test
    submit corrupt <<'END'
    float unset;
    for (size_t i = 0; i < n; i++) noisy[i] = rng_uniform(rng) < p ? 0 : x[i];
    if (p > 1 && unset > 0) noisy[0] = 1; // HERE
END
    run "$LAB" check $lab.corrupt
    gave 0
    shows_flat "corrupt passes, but the compiler warns of "
    shows_flat "'unset'"
    shows_flat "$(here)"
}

uninitialized_memory_does_not_pass() { # test
    submit corrupt <<'END'
    float *copy = malloc(n * sizeof *copy);
    for (size_t i = 0; i < n; i++) noisy[i] = rng_uniform(rng) < p ? copy[i] - copy[i] : x[i];
    free(copy);
END
    finds corrupt "corrupt is wrong"
}

a_hundred_gigabytes_are_refused() { # test
    submit loss <<'END'
    size_t n = 100ul << 30;
    volatile char *p = malloc(n); // HERE
    p[n - 1] = 1;
    free((void *)p);
    return 0;
END
    finds loss "loss used too much memory: asked for 107 GB"
    shows_flat "$(here)"
    submit loss <<'END'
    for (;;) {
        char *p = malloc(1 << 20);
        if (p != NULL) memset(p, 1, 1 << 20);
    }
END
    run "$LAB" check $lab.loss
    gave 1
    grep -q "used too much memory\|timed out" out || complain "no verdict"
    leaves_nothing
}

a_gigabyte_of_output_is_cut() { # test
    submit kl <<'END'
    for (int i = 0; i < 100000000; i++) puts("0123456789");
    return 0;
END
    finds kl "kl printed too much"
    [ "$(wc -c <out)" -lt 4000 ] || complain "all of it is shown"
}

the_result_cannot_be_forged_or_shut_off() { # test
    submit kl <<'END'
    for (int i = 0; i < 1024; i++) close(i);
    return 0;
END
    finds kl "kl is wrong"
    submit kl <<'END'
    for (int i = 0; i < 1024; i++)
        dprintf(i, "{\"case\":\"kl__is_zero_for_a_standard_normal\",\"verdict\":\"pass\"}\n");
    fflush(stdout);
    _exit(0);
END
    finds kl "kl ended the program"
}

the_grader_cannot_be_stopped_or_killed() { # test
    for signal in SIGSTOP SIGKILL; do
        submit kl <<END
    kill(getppid(), $signal);
    return 0;
END
        finds kl "kl crashed"
    done
    submit kl <<'END'
    while (fork() >= 0) continue;
    for (;;) pause();
END
    if built_by_clang; then finds kl "kl timed out"; else finds kl "kl crashed"; fi
}

nan_is_wrong() { # test
    submit sample <<'END'
    for (size_t i = 0; i < n; i++) z[i] = mean[i] + sqrtf(-1) * e[i];
END
    finds sample "sample is wrong"
    shows_flat "nan"
    submit sample <<'END'
    for (size_t i = 0; i < n; i++) z[i] = mean[i] + expf(1000 + logvar[i]) * e[i];
END
    finds sample "sample is wrong"
    shows_flat "inf"
}

a_changed_input_is_reported() { # test
    submit corrupt <<'END'
    for (size_t i = 0; i < n; i++) {
        noisy[i] = rng_uniform(rng) < p ? 0 : x[i];
        ((float *)x)[i] = 0;
    }
END
    finds corrupt "an input is const: it must not change"
}

a_wrong_shape_is_recognised() { # test
    submit linear_backward <<'END'
    if (dx != NULL) matmul(dx, dy, w, B, I, O, 1.0f);
    matmul_tn(dw, x, dy, I, O, B, 1.0f);
    kernels.sum_rows(dbias, dy, B, O, 1.0f);
END
    finds linear_backward "linear_backward is wrong"
    shows_flat "it is transposed"
}

# ---- one exercise calls another ----

# A copy of the probability lab in which only these exercises are written.
written() { # exercises...
    lab=probability
    file=mine/$lab/$lab.c
    rm -rf mine
    "$LAB" start $lab >/dev/null
    for id; do
        awk -v id="$id" -v reference="$ROOT/labs/1_foundations/$lab/$lab.c" '
            !index($0, "LAB_TODO(" id ")") { print; next }
            { while ((getline line <reference) > 0) {
                if (line ~ "// end " id "$") inside = 0
                if (inside) print line
                if (line ~ "// solution " id "$") inside = 1 } }' $file >changed
        mv changed $file
    done
}

an_unwritten_exercise_is_named_where_it_is_called() { # test
    for pair in moments.fit moments.t_test gamma.chi_square beta.t_test beta.interval; do
        written fit t_test chi_square interval "$([ ${pair%.*} = beta ] && echo moments)"
        for asked in $lab $lab.${pair#*.}; do
            run "$LAB" check "$asked"
            gave 1
            grep -q "^  \. ${pair#*.}  *calls pr_${pair%.*}, which is not written yet$" out ||
                complain "${pair#*.} waits for ${pair%.*}"
        done
        shows_flat "${pair#*.} calls pr_${pair%.*}, which is not written yet."
        says out "next  ./lab check $lab.${pair%.*}"
        ! grep -q "${pair#*.} is not written" out || complain "it is written"
    done
}

of_two_wrong_exercises_the_one_that_is_called_is_named_first() { # test
    written fit
    sed -i 's/    LAB_TODO(moments).*/    m->n = n;/' $file
    run "$LAB" check $lab.fit
    gave 1
    says out "fit calls pr_moments, which is wrong."
    says out "moments is wrong: it should pass"
    says out "next  ./lab check $lab.moments"
    [ "$(grep -c '^  x ' out)" = 1 ] || complain "only what was asked for has a line"
    ! grep -q "moments" mine/progress || complain "only what was asked for is recorded"
    written moments t_test # which reaches beta through a function that is no exercise
    sed -i 's/    LAB_TODO(beta).*/    *lower = *upper = a + b + x;/' $file
    run "$LAB" check $lab.t_test
    says out "t_test calls pr_beta, which is wrong."
    written fit
    sed -i 's/    LAB_TODO(moments).*/    m->n = n;/; s/^void pr_moments/void my_moments/' $file
    run "$LAB" check $lab.fit
    says out "fit calls pr_moments, which is not in the file."
    sed -i 's/^void my_moments/void pr_moments/; s/m->n = n;/m->n = unknown;/' $file
    run "$LAB" check $lab.fit
    says out "fit calls pr_moments, which does not compile."
    shows_flat "moments does not compile: "
    shows_flat " 'unknown'"
}

# ---- the compiler, and the file as it comes ----

a_byte_order_mark_is_skipped() { # test
    solved
    printf '\357\273\277' | cat - $file >marked
    mv marked $file
    run "$LAB" check $lab.kl
    gave 0
    submit kl <<'END'
    return miss; // HERE
END
    printf '\357\273\277' | cat - $file >marked
    mv marked $file
    run "$LAB" check $lab.kl
    gave 1
    shows_flat "$(here)"
}

a_compiler_that_lacks_a_part_is_at_fault_itself() { # test
    ! built_by_clang || skip "no gcc behind the build" "cmake --preset release -DCMAKE_C_COMPILER=gcc"
    solved
    run env PATH=/nowhere "$LAB" check $lab.kl # gcc finds `as` and `ld` there
    gave 1
    says err "the compiler fails, whatever the file holds: "
    says err "'as'"
    never_says out "does not compile"
    [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    run "$LAB" check $lab.kl
    gave 0
}

# ---- what is recorded ----

a_verdict_precedes_an_error_about_progress() { # test
    solved
    ln -s nowhere/progress mine/progress
    run "$LAB" check $lab
    gave 0
    shows_flat "All 10 exercises of $lab pass"
    says err "lab: not recorded: "
    says err "progress: cannot be written: "
    [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    run "$LAB" check $lab --json
    gave 0
    says out '"status":	"pass"'
    run "$LAB" hint $lab.kl
    says out "hint 1 of 3"
    says err "lab: not recorded: "
    rm mine/progress
    mkdir mine/progress # cannot even be read
    run "$LAB" check $lab.kl
    gave 0
    says out "kl passes"
    says err "lab: not recorded: "
}

a_submission_that_may_not_be_written_is_graded() { # test
    solved
    seal='chmod -R a-w mine'
    [ "$(id -u)" != 0 ] || seal='mount --bind mine mine && mount -o remount,bind,ro mine'
    [ "$(id -u)" != 0 ] || unshare -m sh -c "$seal" 2>/dev/null || skip "no mount" "run it as a user"
    if [ "$(id -u)" = 0 ]; then
        run unshare -m sh -c "$seal && '$LAB' check $lab.kl"
    else
        run sh -c "$seal && '$LAB' check $lab.kl"
    fi
    gave 0
    says out "kl passes: "
    [ "$(grep -c 'not recorded: ' err)" = 1 ] && [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    chmod -R u+w mine
    rm -rf "$(dirname "$LAB")/submissions$scratch"
}

what_is_blank_again_is_not_done() { # test
    solved
    run "$LAB" check $lab.kl
    run "$LAB" list $lab
    grep -q 'done  *kl' out || complain "kl is done"
    submit kl <<'END'
    todo_reached("kl", __FILE__, __LINE__);
END
    sed -i '1i #include "common/todo.h"' $file
    run "$LAB" check $lab.kl
    shows_flat "kl is not written yet"
    run "$LAB" list $lab
    grep -q 'not started  *kl' out || complain "list says something else than check"
}

# ---- what is shown, and how it ends ----

nothing_from_outside_draws_on_the_terminal() { # test
    LAB_MINE=$PWD/$(printf 'a\033[31m\nb')/mine
    export LAB_MINE
    mkdir -p "${LAB_MINE%/mine}"
    clean() { ! LC_ALL=C grep -q '[[:cntrl:]]' out err || complain "a control character"; }
    run "$LAB" check "$(printf 'x\033[31my')" && clean
    run "$LAB" list "$lab.$(printf 'x\033[31my')" && clean
    run "$LAB" run "$(printf 'x\033[31my')" && clean
    run "$LAB" bench "$(printf 'x\033[31my')" --mine && clean
    run "$LAB" data get "$(printf 'x\033[31my')" && clean
    run "$LAB" "$(printf 'x\033[31my')" && clean
    run "$LAB" check $lab && clean
    run "$LAB" start $lab && clean
    printf '#error \033[31mred\n' >"$LAB_MINE/$lab/$lab.c"
    run "$LAB" check $lab --verbose && clean
    says out '?[31mred'
    run "$LAB" run $lab --mine && clean
    run "$LAB" reset $lab && clean
    says out 'a?[31m?b'
    sed -i "s|LAB_TODO(kl);|// $(printf '\033')[31mred|" "$LAB_MINE/$lab/$lab.c"
    run "$LAB" solution $lab.kl --give-up && clean
    run "$LAB" check "$(printf 'kl\nx')" --json=results.json --junit "$(printf 'r\033\n.xml')" && clean
}

a_path_with_spaces_is_never_broken() { # test
    solved
    LAB_MINE="$PWD/my work on it/mine"
    export LAB_MINE
    mkdir -p "${LAB_MINE%/mine}"
    mv mine "$LAB_MINE"
    sed -i 's/^float ae_loss(float \*dz/float ae_loss(flat *dz/' "$LAB_MINE/$lab/$lab.c"
    run env COLUMNS=40 "$LAB" check $lab
    gave 1
    says out "my work on it/mine/$lab/$lab.c:"
    rm "$LAB_MINE/$lab/$lab.c"
    run env COLUMNS=40 "$LAB" start $lab
    says out "my work on it/mine/$lab/$lab.c"
    run env COLUMNS=40 "$LAB" check $lab
    says out "my work on it/mine/$lab/$lab.c:"
}

the_reference_passes_and_the_next_command_is_printed() { # test
    solved
    run "$LAB" check $lab
    gave 0
    shows_flat "All 10 exercises of $lab pass: 100 points."
    says out "next  ./lab run $lab --mine"
    run "$LAB" check
    gave 0
    run "$LAB" list
    says out "$lab"
    grep -q "$lab.kl done" mine/progress || complain "kl is not recorded"
}

one_exercise_is_graded_alone() { # test
    submit kl <<'END'
    return 0;
END
    run "$LAB" check $lab.loss
    gave 0
    shows_flat "loss passes: 15 points."
    never_says out "kl  "
    run "$LAB" check $lab.kl
    gave 1
    grep -q "$lab.kl wrong" mine/progress || complain "kl is not recorded"
}

a_done_exercise_stays_done_while_it_does_not_compile() { # test
    solved
    run "$LAB" check $lab.kl
    gave 0
    submit kl <<'END'
    return
END
    run "$LAB" check $lab.kl
    gave 1
    never_says mine/progress wrong
}

all_shows_every_case_and_verbose_the_compiler_output() { # test
    submit kl <<'END'
    return q;
END
    run "$LAB" check $lab --verbose
    gave 1
    says out "error: "
    submit kl <<'END'
    return 0;
END
    run "$LAB" check $lab
    few=$(grep -c '^kl is wrong' out)
    run "$LAB" check $lab --all
    [ "$few" = 1 ] && [ "$(grep -c '^kl is wrong' out)" -gt 1 ] || complain "as many"
}

what_a_submission_prints_cannot_draw_on_the_terminal() { # test
    submit kl <<'END'
    printf("\033[31mred\033]0;title\007\n%c%c", 0xff, 0x9b);
    return 0;
END
    run "$LAB" check $lab.kl
    gave 1
    says out "?[31mred"
    ! LC_ALL=C grep -q '[^ -~]' out || complain "other than printable characters"
    run "$LAB" check $lab.kl --json=results.json --junit results.xml
    ! LC_ALL=C grep -q '[^ -~	]' results.xml results.json || complain "other than printable characters"
}

narrow_terminals_and_pipes_are_supported() { # test
    submit linear_forward <<'END'
    for (int i = 0; i < B * O; i++) y[i] = 0;
END
    for columns in 40 80; do
        run env COLUMNS=$columns "$LAB" check $lab
        gave 1
        never_says out "$(printf '\033')"
        awk -v limit=$columns 'length > limit && !/\// { wide = 1 } END { exit wide }' out ||
            complain "wider than $columns"
    done
}

a_missing_file_is_a_result_too() { # test
    run "$LAB" check $lab.kl --json results.json --junit results.xml
    gave 1
    says err "does not exist yet"
    says results.json '"status":	"error"'
    says results.json "does not exist yet: ./lab start autoencoder creates it"
    says results.xml '<testsuite name="autoencoder.kl" tests="1" failures="0" errors="1"'
}

json_holds_every_case_and_stdout_holds_nothing_else() { # test
    submit kl <<'END'
    puts("a \"quoted\" \\ line");
    return 0;
END
    run "$LAB" check $lab --json
    gave 1
    cp out piped.json
    run "$LAB" check $lab --json results.json --junit results.xml
    gave 1
    says out "kl is wrong"
    for json in piped.json results.json; do
        says $json '"version":	1'
        says $json '"status":	"fail"'
        says $json '"verdict":	"wrong"'
        says $json '"name":	"loss__'
    done
    needs python3
    for json in piped.json results.json; do
        python3 - $json <<'END' || complain "$json is not what it should be"
import json, sys
tree = json.load(open(sys.argv[1]))
assert tree["lab"] == "autoencoder" and tree["points"] == 85 and tree["of"] == 100
assert [e["id"] for e in tree["exercises"]][-1] == "kl" and len(tree["exercises"]) == 10
assert sum(e["cases"] for e in tree["exercises"]) == len(tree["cases"])
bad = [c for c in tree["cases"] if c["status"] != "pass"]
assert bad and all(c["exercise"] == "kl" and c["message"] for c in bad)
assert any('a "quoted" \\ line' in c["output"] for c in bad)
END
    done
    python3 -c 'import sys, xml.dom.minidom as m
suites = m.parse("results.xml").getElementsByTagName("testsuite")
assert len(suites) == 10 and suites[-1].getAttribute("failures") != "0"' || complain "results.xml"
    [ "$(find . -name '*.tmp')" = '' ] || complain "a temporary file is left"
}

results_that_cannot_be_written_are_a_failure() { # test
    solved
    for option in --json=nowhere/results.json --junit=nowhere/results.xml; do
        run "$LAB" check $lab $option
        gave 1
        says err "nowhere/results"
        says out "All 10 exercises of $lab pass"
        [ ! -e nowhere ] || complain "a folder was made"
    done
}

wrong_arguments_are_refused() { # test
    solved
    for words in --no-such-option "$lab.nothing" "autoencodre" "$lab $lab" "--junit"; do
        # shellcheck disable=SC2086 # words
        run "$LAB" check $words
        gave 2
        [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    done
    run "$LAB" check --help
    gave 0
    says out --verbose
    says out --junit
}

a_file_that_is_missing_or_not_c_is_reported() { # test
    run "$LAB" check $lab
    gave 1
    says err "./lab start $lab"
    mkdir -p mine/$lab
    printf 'int a;\000int b;\n' >$file
    run "$LAB" check $lab
    gave 1
    says err "$lab.c:1"
    : >$file
    run "$LAB" check $lab
    gave 1
    [ "$(grep -c 'function is missing$' out)" = $((others + 1)) ] || complain "expected all to be missed"
    rm $file
    mkdir $file
    run "$LAB" check $lab
    gave 1
}

run_sentence "$@"
