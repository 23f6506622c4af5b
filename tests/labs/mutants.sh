#!/bin/sh
# A check is worth what it rejects: every wrong answer in LAB/mutants has to fail a case of its own
# exercise, and the reference none.
#
#     mutants.sh labs/2_core/autoencoder build/tests/check_autoencoder libanswer_autoencoder.so cc -shared ...
#
# A mutant is an edit of the reference, as text:
#
#     exercise linear_forward
#     why The bias belongs to an output, not to a row.
#     - text that stands once in the exercise's region, blanks at a line's start left out
#     + what replaces it; several lines of each make one hunk, and there may be several hunks
#
# Each is compiled to the shared library that the check program takes its answers from. Prints a
# table; the exit status is 1 when a mutant survives, does not fit, or does not compile.
set -u

if [ "$1" != --one ]; then # all, as many at a time as there are processors
    work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
    printf '%s\n' reference "$1"/mutants/*.mutant |
        xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' "$0" --one '{}' "$work" "$@" >"$work/table"
    sort "$work/table"
    rejected=$(grep -c ' rejected by ' "$work/table")
    wrong=$(grep -c ' WRONG: ' "$work/table")
    echo "$rejected mutants rejected, $wrong wrong"
    [ "$rejected" -gt 0 ] && [ "$wrong" = 0 ] && grep -q '^reference ' "$work/table"
    exit
fi

mutant=$2 work=$3 lab=$4 check=$5 library=$6
shift 6 # what is left compiles
name=$(basename "$mutant" .mutant)
source=$lab/$(basename "$lab").c
folder=$work/$name
mkdir "$folder"

say() { # one write each, so that the lines of two processes do not mix
    printf '%-16s %-30s %s\n' "$exercise" "${name#"${exercise}"_}" "$1"
    exit 0
}

if [ "$mutant" = reference ]; then
    exercise=reference pattern='*'
    cp "$source" "$folder/answer.c"
else
    exercise=$(awk '{ print $2; exit }' "$mutant") pattern=${exercise}__'*'
    sed -n 2p "$mutant" | grep -q '^why ...' || say 'WRONG: its second line does not say why'
    awk -f "$(dirname "$0")/mutate.awk" "$mutant" "$source" >"$folder/answer.c" 2>"$folder/error" ||
        say "WRONG: $(head -n 1 "$folder/error")"
fi
"$@" -o "$folder/$library" "$folder/answer.c" 2>"$folder/error" ||
    say "WRONG: does not compile: $(grep error: "$folder/error" | head -n 1)"

LD_LIBRARY_PATH=$folder ASAN_OPTIONS=detect_leaks=0 timeout 60 "$check" "$pattern" >"$folder/output" 2>&1
status=$?
failed=$(sed -n 's/^\[  FAILED  \] \([a-z].*__.*\)/\1/p' "$folder/output" | sort -u)
ran=$(sed -n 's/.* \([0-9]*\) test(s) run\.$/\1/p' "$folder/output")
if [ "$mutant" = reference ]; then
    [ "$status" = 0 ] || say "WRONG: fails $(echo "$failed" | tr '\n' ' ')"
    say "passes all $ran cases"
fi
[ "$status" != 0 ] || say 'WRONG: survives all the cases of its exercise'
[ -n "$failed" ] || say "rejected by a crash or a time limit, exit status $status"
first=$(sed -n 's/^\[  FAILED  \] \([a-z].*__.*\)/\1/p' "$folder/output" | head -n 1)
say "rejected by $(echo "$failed" | wc -l) of $ran, first by ${first#*__}"
