#!/bin/sh
# `lab run LAB --mine` and `lab bench LAB --mine`: what runs is the learner's code, and what keeps it
# from running is said. Needs LAB (the program) and ROOT (the checkout).
# shellcheck disable=SC2016,SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"
"$LAB" bench autoencoder --help >/dev/null 2>&1 || benches=none # not built, or no LAPACK

export LAB_OUT=results # sentences.sh keeps what is printed in "out"
reference=$ROOT/labs/2_core/autoencoder/autoencoder.c

# The learner's copy: the reference, changed by sed.
learner() { # sed's arguments...
    export LAB_MINE="$scratch/mine"
    mkdir -p mine/autoencoder
    sed "$@" "$reference" >mine/autoencoder/autoencoder.c
}

# The body between an exercise's marks, as `lab start` leaves it.
unwritten() { # exercise
    printf '%s' "1i #include \"common/todo.h\"
/solution $1\$/,/end $1\$/c LAB_TODO($1);"
}

# A run that takes a fraction of a second.
small() { run "$LAB" run autoencoder --images 20 --epochs 1 --plot none "$@"; }

the_reference_as_mine_gives_the_same_numbers() { # test
    learner ''
    small --out theirs
    gave 0
    small --mine --out mine_out
    gave 0
    says out "On your code: mine/autoencoder/autoencoder.c"
    cmp theirs/metrics.jsonl mine_out/metrics.jsonl || complain "the numbers differ"
}

a_changed_submission_changes_the_numbers() { # test
    learner 's/return (float)(sum \/ B)/return (float)(2 * sum \/ B)/'    # Adam would divide a gradient's factor out
    small --part reconstruct --out theirs
    small --part reconstruct --out mine_out --mine
    gave 0
    ! cmp -s theirs/metrics.jsonl mine_out/metrics.jsonl || complain "the numbers are the same"
}

profile_shows_what_each_kernel_cost() { # test
    small --part reconstruct --profile
    gave 0
    says out 'kernel                     calls   seconds  of run   GFLOP/s    GB/s  of peak'
    says out '  matmul  '
    says out 'outside of kernels'
    grep -qE '^."kernel":"matmul","calls":[1-9][0-9]*,"seconds":[0-9.e-]+,"flops":[1-9]' \
        results/autoencoder/profile.jsonl || complain "profile.jsonl lacks the products"
}

check_numbers_names_the_first_kernel_that_is_not_finite() { # test
    learner 's/dz\[i\] = 2 \* error/dz[i] = 1 \/ (s - s) * error/'
    small --part reconstruct --mine --check-numbers
    gave 1
    says err 'reconstruction_loss, backward of [20,784] -> []: kernels.axpby_scalar gave '
    says err 'in [1,15680]'
    small --part reconstruct --check-numbers
    gave 0
}

each_part_of_the_story_runs_on_the_learners_code() { # test
    while read -r part exercise; do
        learner "$(unwritten "$exercise")"
        small --mine --tied --part "$part"
        gave 1
        says err "$exercise is not written yet"
    done <<'END'
reconstruct tied_backward
denoise corrupt
generate sample
END
}

mine_is_linked_with_the_same_libm() { # test
    needs readelf
    learner ''
    small --mine --part reconstruct
    readelf -d mine/.build/autoencoder/fast/libexercises_autoencoder.so | grep -qF '[libm.so' ||
        complain "libm is not among what it needs"
}

mine_may_be_anywhere_among_the_options() { # test
    learner ''
    for words in '--mine autoencoder --images 20 --epochs 1' 'autoencoder --mine --images 20 --epochs 1' \
        'autoencoder --images 20 --epochs 1 --mine'; do
        # shellcheck disable=SC2086 # words
        run "$LAB" run $words --part reconstruct --plot none
        gave 0
        says out "On your code"
    done
}

results_of_mine_lie_beside_the_others() { # test
    learner ''
    small --mine --part reconstruct
    gave 0
    says out "results in results/mine/autoencoder"
    [ -s results/mine/autoencoder/reconstructions.png ] || complain "no picture"
    [ ! -e results/autoencoder ] || complain "the reference's results were touched"
}

a_lab_not_started_prints_the_command_that_starts_it() { # test
    export LAB_MINE="$scratch/mine"
    small --mine
    gave 1
    says err "./lab start autoencoder"
    [ ! -s out ] || complain "something ran"
}

a_compile_error_is_reported_with_its_line() { # test
    learner -e 's/expm1((double)logvar\[i\]);/expm1((double)logvar[i])/' \
        -e 's/matmul_nt(y, x/matmul_nt(Y, x/'
    small --mine
    gave 1
    line=$(grep -n 'matmul_nt(Y' mine/autoencoder/autoencoder.c | cut -d: -f1)
    says err "mine/autoencoder/autoencoder.c:$line: linear_forward does not compile: "
    says err ": kl does not compile: "
    says err "next  ./lab check autoencoder.linear_forward"
    [ ! -s out ] || complain "something ran"
}

a_compile_error_outside_of_the_exercises_is_reported_too() { # test
    learner '3i #include "nowhere.h"'
    small --mine
    gave 1
    says err "mine/autoencoder/autoencoder.c:3: does not compile: "
}

a_missing_function_is_reported() { # test
    learner 's/^float ae_kl(/float my_kl(/'
    small --mine
    gave 1
    says err "ae_kl is missing"
}

unwritten_exercises_are_listed_before_the_run_and_where_it_ends() { # test
    learner "$(unwritten kl)"
    small --mine
    gave 1
    says out "Not written yet: kl."
    line=$(grep -n 'LAB_TODO(kl)' mine/autoencoder/autoencoder.c | cut -d: -f1)
    says err "mine/autoencoder/autoencoder.c:$line: kl is not written yet"
    says err "next  ./lab check autoencoder.kl"
    says out "Reconstruction"
}

exercises_the_run_does_not_need_may_stay_unwritten() { # test
    learner "$(unwritten kl)"
    small --mine --part reconstruct
    gave 0
}

a_todo_in_a_comment_is_ignored() { # test
    learner 's|// solution kl|// LAB_TODO(kl);|'
    small --mine --part reconstruct
    never_says out "Not written yet"
}

a_crash_is_reported_and_keeps_its_status() { # test
    learner 's|// solution kl|dmean = (float *)8;|'
    small --mine --part generate
    gave 139
    says err "to look closer: ./lab check autoencoder"
}

# How a program started in the background is stopped by Ctrl-C: sh makes it ignore the signal.
interrupted() { # command...
    env --default-signal=INT "$@" >out 2>err &
    for _ in $(seq 100); do
        sleep 0.1
        [ ! -s mine_out/checkpoint.safetensors ] || break
    done
    kill -INT $!
    status=0
    wait $! || status=$?
}

ctrl_c_prints_how_to_resume_with_mine() { # test
    env --default-signal=INT true 2>/dev/null || skip "env without --default-signal" "coreutils 8.31 or newer"
    learner ''
    interrupted "$LAB" run autoencoder --images 500 --epochs 500 --part reconstruct --mine --out mine_out \
        --plot none
    gave 130
    says out "To go on: ./lab run autoencoder --mine --images 500 --epochs 500 --part reconstruct --out mine_out"
    says out "--resume mine_out/checkpoint.safetensors"
    small --images 500 --epochs 500 --part reconstruct --out mine_out --mine --resume nowhere.safetensors
    gave 1
}

options_and_statuses_are_the_labs_own() { # test
    learner ''
    run "$LAB" run autoencoder --mine --no-such-option
    gave 2
    says err "autoencoder: there is no option --no-such-option"
    run "$LAB" run --mine
    gave 2
    run "$LAB" run autoencodre --mine
    gave 2
    says err "did you mean 'autoencoder'?"
}

bench_times_passing_exercises_and_names_the_others() { # test
    [ -z "${benches-}" ] || skip "no benchmarks" "./lab bench"
    learner -e "$(unwritten kl)" -e 's/rng_uniform(rng) < p ? 0 : x/rng_uniform(rng) < p ? x[i] : x/'
    run "$LAB" bench autoencoder --mine --quick --threads 1
    gave 0
    says out "the 8 of 10 exercises that pass are timed"
    [ "$(grep -c ' mine  ' out)" = 8 ] || complain "expected 8 lines of mine"
    says out "mine: not written yet"
    says out "mine: wrong"
    says out "GPU: "
    sed '1,/^exercise/d' out | awk 'length > 80 { wide = 1 } END { exit wide }' || complain "wider than 80"
}

bench_times_one_exercise() { # test
    [ -z "${benches-}" ] || skip "no benchmarks" "./lab bench"
    learner "$(unwritten kl)"
    run "$LAB" bench auto.loss --quick --threads 1 --mine
    gave 0
    [ "$(grep -c ' reference  ' out)" = 1 ] || complain "expected one line of the reference"
    [ "$(grep -c ' mine  ' out)" = 1 ] || complain "expected one line of mine"
    run "$LAB" bench autoencoder.kl --quick --threads 1 --mine
    gave 1
    says err "next  ./lab check autoencoder.kl"
}

bench_refuses_exercises_it_cannot_time() { # test
    [ -z "${benches-}" ] || skip "no benchmarks" "./lab bench"
    export LAB_MINE="$scratch/mine"
    run "$LAB" bench autoencoder --mine
    gave 1
    says err "./lab start autoencoder"
    run "$LAB" bench sgemm --mine
    gave 2
    run "$LAB" bench --mine
    gave 2
    run "$LAB" bench autoencoder.lss
    gave 2
}

run_sentence "$@"
