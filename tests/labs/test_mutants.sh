#!/bin/sh
# mutants.sh says no to a mutant that survives, that does not fit, that does not compile, and to a
# reference that fails: each is put into a copy of a lab in turn.
#
#     test_mutants.sh labs/2_core/autoencoder build/tests/check_autoencoder libanswer_autoencoder.so cc -shared ...
set -eu

lab=$1
shift
script=$(dirname "$0")/mutants.sh
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
copy=$work/$(basename "$lab")
mkdir -p "$copy/mutants"
source=$copy/$(basename "$lab").c
cp "$lab/$(basename "$lab").c" "$source"

expect() { # exit status, words in the table
    status=0
    "$script" "$copy" "$@" >"$work/table" || status=$?
    grep -q "$words" "$work/table" && [ "$status" = "$wanted" ] && return
    echo "expected exit status $wanted and \"$words\", got $status and:"
    cat "$work/table"
    exit 1
}

mutant() { # old, new: the only mutant there is
    printf 'exercise relu_backward\nwhy It is a test.\n- %s\n+ %s\n' "$1" "$2" >"$copy/mutants/it.mutant"
}

mutant 'y[i] > 0' 'y[i] < 0'
wanted=0 words='1 mutants rejected, 0 wrong'
expect "$@"
mutant 'y[i] > 0' '0 < y[i]'
wanted=1 words='WRONG: survives all the cases of its exercise'
expect "$@"
mutant 'kernels.matmul' 'kernels.matmul_nt' # stands in other exercises, not in this one
wanted=1 words='WRONG: does not stand in the exercise: kernels.matmul'
expect "$@"
mutant 'i' 'j'
wanted=1 words='WRONG: stands in the exercise more than once: i'
expect "$@"
mutant 'y[i] > 0' 'y[i] >'
wanted=1 words='WRONG: does not compile: .*expected expression'
expect "$@"
mutant 'y[i] > 0' '*(volatile int *)8 > 0'
wanted=0 words='1 mutants rejected, 0 wrong'
expect "$@"
printf 'exercise none_such\nwhy It is a test.\n- a\n+ b\n' >"$copy/mutants/it.mutant"
wanted=1 words='WRONG: there is no exercise none_such'
expect "$@"
mutant 'y[i] > 0' 'y[i] < 0'
sed 's/y\[i\] > 0/y[i] >= 0/' "$source" >"$source.new" && mv "$source.new" "$source"
wanted=1 words='^reference  *reference  *WRONG: fails .*relu_backward__lets_nothing_through'
expect "$@"
