#!/bin/sh
# `lab run paged_kv`: the burst, its pictures, the model that it trains, and what the lesson shows of it. Needs
# LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
programs=$(dirname "$LAB")/labs
[ -e "$programs/paged_kv" ] && [ -e "$programs/transformer" ] || skip "no paged_kv" "./lab setup"
lesson=$ROOT/labs/5_frontier/paged_kv/README.md

tour() { run "$LAB" run paged_kv --plot none --out results "$@"; }

# The lines of the lesson's blocks under a heading.
shown_under() { # heading
    sed -n "/^## $1\$/,/^## /p" "$lesson" | sed -n "/^\`\`\`\$/,/^\`\`\`\$/p" | grep -v "^\`\`\`"
}

the_model_is_trained_once_and_the_lesson_shows_what_it_does() { # test
    export LAB_DATA="$scratch/data"
    tour
    gave 0
    says out 'First the model is trained, once'
    says out 'a KV cache of 2048 bytes a token'
    shown_under 'What you will see' >lines
    [ -s lines ] || complain "the lesson shows nothing"
    while read -r line; do
        sed 's/^ *//; s/ *$//; s/  */ /g' out >squeezed
        grep -qF -e "$(echo "$line" | sed 's/  */ /g')" squeezed || complain "the run does not say: $line"
    done <lines
    tour --part serve
    gave 0
    never_says out 'is trained'
    [ -e results/training ] || complain "the training left no report"
    if [ -e "$programs/generate" ]; then
        run "$LAB" generate stories --prompt 'Lily had a' --tokens 20 --temperature 0
        gave 0
        grep -qE '^Lily had a [a-z]+' out || complain "$(cat out)"
    fi
}

a_folder_that_cannot_be_written_is_no_obstacle() { # test
    echo >file
    export LAB_DATA="$scratch/file"
    tour --part serve
    gave 0
    says out 'It is not kept: '
    says out 'results/training/model'
}

a_pipe_sees_no_animation() { # test
    tour --smoke --part serve --animate
    gave 0
    never_says out 'Step 1'
    ! grep -q "$(printf '\033')" out || complain "escape codes in a pipe"
}

the_animation_fits_a_narrow_terminal() { # test
    script -qec true /dev/null >/dev/null 2>&1 || skip "no pseudo-terminal" "./lab setup --dev"
    for columns in 40 100; do
        run env TERM=xterm NO_COLOR=1 script -qec "stty cols $columns rows 40; '$LAB' run paged_kv --smoke --part serve --animate --blocks 40 --budget 64 --chunk 32 --out results" /dev/null
        gave 0
        tr -d '\r' <out | sed 's/\x1b\[[0-9]*[AJ]//g' >plain
        says plain 'Step 5'
        sed -n '/^  Step 1$/,/^  Six/p' plain | sed '$d' >frames
        [ "$(LC_ALL=C.UTF-8 wc -L <frames)" -le $columns ] || complain "wider than $columns columns"
        ! grep -q '\[48;5;' plain || complain "colours in spite of NO_COLOR"
    done
}

answers_are_the_same_on_the_learners_functions() { # test
    mkdir -p mine/paged_kv
    export LAB_MINE="$scratch/mine"
    cp "$ROOT/labs/5_frontier/paged_kv/paged_kv.c" mine/paged_kv/
    tour --smoke --part alone
    gave 0
    sed -n '/^  All begin/,/^  G/p' out >theirs
    [ -s theirs ] || complain "no texts"
    tour --smoke --part alone --mine
    gave 0
    sed -n '/^  All begin/,/^  G/p' out >mine.txt
    cmp theirs mine.txt || complain "other texts"
}

memory_is_used_as_the_paper_measured_it() { # test
    tour --part memory
    gave 0
    sed 's/.*"used":\([0-9.]*\),"published":\([0-9.]*\).*/\1 \2/' results/metrics.jsonl >pairs
    [ "$(wc -l <pairs)" = 4 ] || complain "$(cat pairs)"
    awk '($1 - $2) ^ 2 > 9 {print $1 " %, and the paper has " $2; exit 1}' pairs >far || complain "$(cat far)"
}

what_cannot_be_is_refused_in_a_sentence() { # test
    tour --part serve --model /no/such/model
    gave 1
    says err '/no/such/model'
    tour --smoke --part serve --blocks 3
    gave 1
    says err 'ask for fewer tokens, or give it more memory'
}

run_sentence "$@"
