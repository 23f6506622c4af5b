#!/bin/sh
# What the story's networks learn, and what they refuse. Needs LAB and ROOT.
# shellcheck disable=SC2317 # called by name
. "$ROOT/tests/driver/sentences.sh"
rnn=$(dirname "$LAB")/labs/rnn

dates_are_translated() { # test
    run "$rnn" --part dates --date-steps 250 --plot none --out results
    gave 0
    awk '/"date_accuracy":/ { sub(/.*"date_accuracy":/, ""); sub(/[,}].*/, ""); if ($0 + 0 >= 0.9) good = 1 } END { exit !good }' \
        results/metrics.jsonl || complain "fewer than 90 % of the dates: $(tail -n1 results/metrics.jsonl)"
}

a_text_that_is_too_short_is_refused() { # test
    printf 'a few words, and no more' >text
    run "$rnn" --part characters --data text --plot none --out results
    gave 1
    says err 'text, training set'
    says err '64'
    : >empty
    run "$rnn" --part characters --data empty --plot none --out results
    gave 1
    says err 'empty: is empty'
}

long_sequences_fit() { # test
    run "$rnn" --part adding --length 4000 --adding-steps 1 --plot none --out results
    gave 0
    says out 'Sequences of 4000 numbers'
}

a_model_larger_than_the_memory_is_refused() { # test
    run "$rnn" --part characters --layers 8 --hidden 4096 --context 100000 --batch 65536 --plot none --out results
    gave 1
    says err '--layers 8 --hidden 4096 --context 100000 --batch 65536: needs about'
    says err 'GB of memory'
}

large_weights_are_saved_and_resumed() { # test
    run env -u LAB_DATA "$rnn" --part characters --smoke --hidden 2100 --context 2 --batch 1 --steps 1 --plot none --out results
    gave 0
    run env -u LAB_DATA "$rnn" --part characters --smoke --hidden 2100 --context 2 --batch 1 --steps 1 --plot none --out results \
        --resume results/checkpoint.safetensors
    gave 0
}

samples_do_not_end_at_a_zero_byte() { # test
    awk 'BEGIN { for (i = 0; i < 2000; i++) printf "a%c", 0 }' >text
    run "$rnn" --part characters --smoke --data text --plot none --out results
    gave 0
    awk '/step 1: / && length($0) != 90 { bad = 1 } END { exit bad }' out || complain "a sample was cut: $(cat out)"
}

run_sentence "$@"
