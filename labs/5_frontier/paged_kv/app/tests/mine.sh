#!/bin/sh
# `lab generate --mine` and `lab chat --mine`: a model answers through the learner's functions. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/generate" ] || skip "no generate" "./lab setup"
data=${LAB_DATA:-$ROOT/data}
stories=$ROOT/../shared/data/stories260k/stories260K.bin
[ -e "$data/stories260k/stories260K.bin" ] && stories=$data/stories260k/stories260K.bin
reference=$ROOT/labs/5_frontier/paged_kv/paged_kv.c

# The learner's file: the reference, changed by sed.
learner() { # sed's arguments...
    export LAB_MINE="$scratch/mine"
    mkdir -p mine/paged_kv
    sed "$@" "$reference" >mine/paged_kv/paged_kv.c
}

# The body between an exercise's marks, as `lab start` leaves it.
unwritten() { # exercise
    printf '%s' "/solution $1\$/,/end $1\$/c LAB_TODO($1);"
}

needs_stories() { [ -e "$stories" ] || skip "no stories260k" "LAB_DATA=... ./lab test"; }
generate() { run "$LAB" generate "$stories" "$@"; }

# A change of the reference, and what is said of it.
wrong() { # exercise sed what
    learner "$2"
    ! cmp -s "$reference" mine/paged_kv/paged_kv.c || complain "$1: nothing was changed by $2"
    generate --mine --tokens 40 --prompt "Once upon a time there was" --choices 2 --block-size 4 --drafts "${drafts:-0}" --temperature 1
    gave 1
    says err "Your $1 is wrong: $3"
    says err "check paged_kv.$1"
}

the_reference_as_mine_gives_the_same_text() { # test
    needs_stories
    learner ''
    for how in "--tokens 60" "--tokens 60 --block-size 3 --drafts 4" "--tokens 40 --requests 5 --chunk 3 --block-size 2" \
        "--tokens 60 --requests 30 --cache-mb 1 --cache f32" "--tokens 30 --beams 4 --choices 2 --block-size 4" "--tokens 40 --choices 3 --cache f32"; do
        # shellcheck disable=SC2086 # words
        generate --temperature 0 $how
        cp out theirs
        # shellcheck disable=SC2086
        generate --temperature 0 $how --mine
        gave 0
        cmp theirs out || complain "another text with $how"
        says err 'Yours: all 18 exercises.'
    done
}

a_preempted_request_is_served_by_mine() { # test
    needs_stories
    learner ''
    generate --temperature 0 --tokens 60 --requests 30 --cache-mb 1 --cache f32 --mine
    says err ' preemptions'
}

a_chat_model_answers_through_mine() { # test
    [ -e "$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" ] || skip "no SmolLM2" "./lab data get smollm2"
    learner ''
    run "$LAB" chat smollm2 --say "What is the capital of France?" --temperature 0 --mine
    gave 0
    says out 'The capital of France is Paris.'
    says err 'your quantize and dot multiply the weights of Q8_0: 28.3M'
}

what_is_not_written_is_the_labs_own() { # test
    needs_stories
    generate --temperature 0 --tokens 40
    cp out theirs
    learner -e "$(unwritten commit)" -e "$(unwritten attention)" -e '1i #include "common/todo.h"'
    generate --temperature 0 --tokens 40 --mine
    gave 0
    cmp theirs out || complain "another text"
    says err 'Not written yet, so the lab'
    says err ': attention, commit.'
    "$LAB" start paged_kv >/dev/null 2>&1
    rm -rf mine
    run "$LAB" start paged_kv
    generate --temperature 0 --tokens 40 --mine
    gave 0
    cmp theirs out || complain "another text of a skeleton"
    says err 'Yours: none.'
}

a_helper_that_the_reference_needs_is_missed() { # test
    needs_stories
    learner -e "$(unwritten append)" -e "$(unwritten attention)" -e '1i #include "common/todo.h"' -e '/^static double dot/,/^}/d'
    generate --tokens 10 --mine
    gave 1
    says err 'is a helper function gone?'
}

a_wrong_answer_is_named() { # test
    needs_stories
    wrong attention 's/(float)(sum \/ total)/(float)(sum \/ total + (seen > 20))/' 'layer 0, token 20, number 0 of y: '
    wrong append 's/table->tokens++);/table->tokens++) + (table->tokens == 7);/' 'request 0, token 6: slot 7, expected 6'
    wrong schedule 's/least(limits.chunk, budget))/least(limits.chunk, budget)) - (r->tokens == 20)/' 'request 0: '
    wrong commit 's/full > before \&\& b < full/full > before \&\& b < full - 1/' 'block 0 has the hash 0000000000000000, expected '
    wrong release 's/queue_append(pool, table->block\[i\]);/queue_append(pool, table->block[table->blocks - 1 - i]);/' ''
    wrong sample 's/best = largest(room, V);$/best = 7;/' 'temperature 1, top_p '
    drafts=4
    wrong accept 's/< (double)p\[draft\[i\]\]))/< 2 + (double)p[draft[i]]))/' '4 of 4 drafts'
}

a_wrong_product_is_named() { # test
    [ -e "$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" ] || skip "no SmolLM2" "./lab data get smollm2"
    learner 's/lroundf(x\[i\] \* inverse)/(x[i] * inverse)/'
    run "$LAB" generate smollm2 --prompt Hello --tokens 3 --mine
    gave 1
    says err 'Your quantize is wrong: block 0, number '
    learner 's/(double)kv_float(b->scale)/1/'
    run "$LAB" generate smollm2 --prompt Hello --tokens 3 --mine
    gave 1
    says err 'Your dot is wrong: row 0 of 18 blocks: '
}

a_crash_and_an_endless_loop_are_named() { # test
    needs_stories
    learner 's/double max = -INFINITY, total = 0;/double max = -INFINITY, total = *(volatile double *)8;/'
    generate --tokens 10 --mine
    [ "$status" -gt 128 ] || complain "status $status of a crash"
    says err 'Your attention crashes.'
    says err 'check paged_kv.attention'
    learner 's/bool admits = true;/bool admits = true; for (volatile int i = 1; i > 0;) i = 1;/'
    generate --tokens 10 --mine
    gave 1
    says err 'Your schedule does not return.'
}

run_sentence "$@"
