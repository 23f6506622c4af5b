#!/bin/sh
# usage: ranks.sh TRANSFORMER OUT: several processes train as one does, and go on from each other's checkpoints.
set -eu
lab=$1 out=$2
command -v mpirun > /dev/null || {
    echo "skipped: no mpirun: ./lab setup"
    exit 77
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0 # MPI's own
rm -rf "$out"
mkdir -p "$out"
cd "$out"

fail() {
    echo "$*"
    exit 1
}

train() { # train RANKS FOLDER [OPTION ...]
    ranks=$1 folder=$2
    shift 2
    if [ "$ranks" = 1 ]; then "$lab" --smoke --part train --threads 1 --out "$folder" "$@" > "$folder.txt"
    else timeout 60 mpirun -n "$ranks" "$lab" --smoke --part train --threads 1 --out "$folder" "$@" > "$folder.txt" 2>&1
    fi || fail "$folder: exit status $?: $(cat "$folder.txt")"
}

# The curves agree to rounding: all numbers of the metrics, the norm before clipping among them.
same() { # same FOLDER FOLDER [NUMBERS]
    for folder in "$1" "$2"; do sed 's/[,:}]/\n/g' "$folder/metrics.jsonl" > "$folder.numbers"; done
    paste "$1.numbers" "$2.numbers" | awk -v names="$1 and $2" -v least="${3:-20}" '
        $1 ~ /^-?[0-9]/ { n++; d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5 * ($1 < 0 ? -$1 : $1)) bad = bad " " $1 " " $2 }
        $1 !~ /^-?[0-9]/ && $1 != $2 { bad = bad " " $1 " " $2 }
        END { if (n < least || bad != "") { print names ": differ:" bad " (of " n ")"; exit 1 } }'
}

# 6 windows on 4 ranks: shares of 1 and 2; micro-batches; more ranks than windows.
train 1 one --batch 6
for ranks in 2 3 4; do
    train "$ranks" "ranks$ranks" --batch 6
    same one "ranks$ranks"
done
train 2 parts --batch 6 --micro-batch 2
same one parts
train 1 few --batch 2
train 3 many --batch 2
same few many
grep -q "in each of 3 processes" many.txt || fail "many: $(head -n 1 many.txt)"
[ "$(grep -c '^Training' many.txt)" = 1 ] || fail "more than rank 0 printed"

# Runs that are ended after their first checkpoint.
long="--steps 200 --points 50 --width 128 --context 96 --batch 8"
stop() { # stop RANKS FOLDER SIGNAL launcher|rank
    ranks=$1 folder=$2 signal=$3 target=$4
    # shellcheck disable=SC2086
    mpirun -n "$ranks" "$lab" --smoke --part train --threads 1 $long --out "$folder" > "$folder.txt" 2>&1 &
    launcher=$!
    for _ in $(seq 600); do
        [ -s "$folder/checkpoint.safetensors" ] && break
        sleep 0.05
    done
    if [ "$target" = launcher ]; then kill -s "$signal" "$launcher"
    else kill -s "$signal" "$(pgrep -P "$launcher" | tail -n 1)"
    fi
    for _ in $(seq 200); do
        kill -0 "$launcher" 2> /dev/null || break
        sleep 0.1
    done
    if kill -0 "$launcher" 2> /dev/null; then
        kill -s KILL "$launcher"
        fail "$folder: goes on 20 s after SIG$signal"
    fi
    if wait "$launcher"; then fail "$folder: exit status 0"; fi
}
stop 2 stopped TERM launcher
grep -q "Stopped by .*To go on: mpirun -n 2 .*--resume" stopped.txt || fail "$(cat stopped.txt)"
stop 3 died KILL rank
# mpirun says which; it forwards nothing more, so that our sentence stands on the page.
grep -q "process rank 2 .*exited on signal 9" died.txt || fail "$(cat died.txt)"
grep -q "Stopped: another process of the run has ended. To go on: mpirun -n 3 .*--resume" died/report.html ||
    fail "died/report.html does not say why"

# Both go on, with other numbers of processes: the next points are the same to rounding, which grows later.
points=$(($(wc -l < stopped/metrics.jsonl) + 1))
cp -r stopped stopped1
# shellcheck disable=SC2086
train 3 stopped $long --resume stopped/checkpoint.safetensors
# shellcheck disable=SC2086
train 1 stopped1 $long --resume stopped1/checkpoint.safetensors
# shellcheck disable=SC2086
train 2 died $long --resume died/checkpoint.safetensors
for folder in stopped stopped1; do
    mkdir "next_$folder"
    sed -n "$points"p "$folder/metrics.jsonl" > "next_$folder/metrics.jsonl"
done
same next_stopped next_stopped1 6
