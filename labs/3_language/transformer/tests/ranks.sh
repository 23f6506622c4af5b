#!/bin/sh
# Several processes train as one does, and go on from each other's checkpoints. Needs LAB, ROOT; mpirun.
# shellcheck disable=SC2086,SC2317 # $long and $small are options; the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"
needs mpirun
"$LAB" doctor | grep -q "Open MPI" || skip "built without MPI" "./lab setup"
transformer=$(dirname "$LAB")/labs/transformer
unset LAB_DATA # the lab's own stories: a loss over all of Shakespeare takes long
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0 # MPI's own

train() { # ranks folder [option...]
    ranks=$1 folder=$2
    shift 2
    set -- "$transformer" --smoke --part train --threads 1 --out "$folder" "$@"
    [ "$ranks" = 1 ] || set -- timeout 120 mpirun -n "$ranks" "$@"
    run "$@"
    gave 0
}

# The curves agree to rounding: all numbers of the metrics, the norm before clipping among them.
same() { # folder folder [numbers]
    for folder in "$1" "$2"; do sed 's/[,:}]/\n/g' "$folder/metrics.jsonl" >"$folder.numbers"; done
    paste "$1.numbers" "$2.numbers" | awk -v names="$1 and $2" -v least="${3:-20}" '
        $1 ~ /^-?[0-9]/ { n++; d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5 * ($1 < 0 ? -$1 : $1)) bad = bad " " $1 " " $2 }
        $1 !~ /^-?[0-9]/ && $1 != $2 { bad = bad " " $1 " " $2 }
        END { if (n < least || bad != "") { print names ": differ:" bad " (of " n ")"; exit 1 } }'
}

the_curve_is_that_of_one_process() { # test
    train 1 one --batch 6
    for ranks in 2 3 4; do # shares of 1 and 2 windows
        train $ranks "ranks$ranks" --batch 6
        same one "ranks$ranks"
    done
    train 2 parts --batch 6 --micro-batch 2
    same one parts
}

there_may_be_more_processes_than_windows() { # test
    train 1 few --batch 2
    train 3 many --batch 2
    same few many
    says out "in each of 3 processes"
    [ "$(grep -c '^Training' out)" = 1 ] || complain "more than rank 0 printed"
}

small="--device emulated --width 32 --context 16"
# Their gradients are summed where they lie: NCCL's calls, which the emulated device sends to MPI.
each_process_may_have_a_device_of_its_own() { # test
    train 1 device --batch 3 $small --steps 6 --points 3
    train 2 devices --batch 3 $small --steps 6 --points 3
    same device devices 8
}

# The second step is recorded, the further ones are launched as they are (common/replay.h).
steps_that_are_replayed_write_the_same_files() { # test
    train 1 computed --batch 3 $small --steps 9 --points 3
    export LAB_CUDA_GRAPHS=on
    train 1 replayed --batch 3 $small --steps 9 --points 3
    says out "CUDA graphs: 7 of 9 steps of this run were replayed."
    cmp computed/metrics.jsonl replayed/metrics.jsonl || complain "other metrics"
    cmp computed/checkpoint.safetensors replayed/checkpoint.safetensors || complain "other weights"
    train 2 replayed2 --batch 3 $small --steps 9 --points 3 # shares of 2 windows and of 1
    says out "CUDA graphs: 7 of 9 steps of this run were replayed."
    unset LAB_CUDA_GRAPHS
    same computed replayed2 8
}

long="--steps 480 --points 120 --width 96 --context 64 --batch 8"
stop() { # ranks folder signal launcher|rank: a run that is ended after its first checkpoint
    ranks=$1 folder=$2 signal=$3 target=$4
    mpirun -n "$ranks" "$transformer" --smoke --part train --threads 1 $long --out "$folder" >out 2>&1 &
    launcher=$!
    for _ in $(seq 600); do
        [ -s "$folder/checkpoint.safetensors" ] && break
        sleep 0.05
    done
    ended=$launcher
    [ "$target" = launcher ] || ended=$(pgrep -P "$launcher" | tail -n 1)
    kill -s "$signal" "$ended"
    for _ in $(seq 400); do
        kill -0 "$launcher" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$launcher" 2>/dev/null; then
        kill -s KILL "$launcher"
        complain "goes on 40 s after SIG$signal"
    fi
    if wait "$launcher"; then complain "exit status 0"; fi
}

a_stopped_run_goes_on_with_any_number_of_processes() { # test
    stop 2 stopped TERM launcher
    grep -q "Stopped by .*To go on: mpirun -n 2 .*--resume" out || complain "no word of how to go on"
    # The next points are the same to rounding, which grows later.
    points=$(($(wc -l <stopped/metrics.jsonl) + 1))
    cp -r stopped stopped1
    train 3 stopped $long --resume stopped/checkpoint.safetensors
    train 1 stopped1 $long --resume stopped1/checkpoint.safetensors
    for folder in stopped stopped1; do
        mkdir "next_$folder"
        sed -n "$points"p "$folder/metrics.jsonl" >"next_$folder/metrics.jsonl"
    done
    same next_stopped next_stopped1 6
}

a_rank_that_dies_ends_the_others() { # test
    export OMPI_MCA_odls_base_sigkill_timeout=3 # between mpirun's signals: 1 s is little for a page on a loaded machine
    stop 3 died KILL rank
    # mpirun says which; it forwards nothing more, so that our sentence stands on the page.
    grep -q "process rank 2 .*exited on signal 9" out || complain "which rank died?"
    grep -q "Stopped: another process of the run has ended. To go on: mpirun -n 3 .*--resume" died/report.html ||
        complain "died/report.html does not say why"
    train 2 died $long --resume died/checkpoint.safetensors
}

run_sentence "$@"
