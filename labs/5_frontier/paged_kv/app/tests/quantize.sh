#!/bin/sh
# Models as files of another type, by the program. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/quantize" ] || skip "no quantize" "./lab setup"
data=${LAB_DATA:-$ROOT/data}
stories=$ROOT/../shared/data/stories260k/stories260K.bin
[ -e "$data/stories260k/stories260K.bin" ] && stories=$data/stories260k/stories260K.bin
fixtures=$ROOT/labs/3_language/transformer/tests/fixtures

quantize() { run "$LAB" quantize "$@"; }
needs_stories() { [ -e "$stories" ] || skip "no stories260k" "LAB_DATA=... ./lab test"; }
leaves_nothing() { [ -z "$(find . -name '*.gguf*' -o -name '*.tmp')" ] || complain "a file was left: $(ls)"; }

a_bin_file_becomes_a_file_with_its_vocabulary() { # test
    needs_stories
    quantize "$stories" stories.gguf --type q8_0
    gave 0
    says out 'stories.gguf: 0.3 MB'
    run "$LAB" generate stories.gguf --prompt "Once upon a time" --temperature 0 --tokens 20
    gave 0
    says out 'Once upon a time, there was a little girl named Lily.'
}

a_folder_without_a_vocabulary_says_how_to_go_on() { # test
    quantize "$fixtures/qwen3" qwen3.gguf
    gave 1
    says err 'tokenizer.json'
    leaves_nothing
    quantize "$fixtures/qwen3" qwen3.gguf --tokenizer none
    gave 0
}

rows_that_are_no_whole_blocks_fall_back_and_are_listed() { # test
    quantize random:15m q4_k.gguf --type q4_k
    gave 0
    says out '6 of attn_q.weight: rows of 288 are no whole blocks of Q4_K (256 numbers), so Q8_0'
    never_says out 'of ffn_down.weight: rows'
}

the_head_and_the_embedding_have_types_of_their_own() { # test
    quantize random:15m both.gguf --type q4_0 --head f16
    gave 0
    grep -q 'token_embd.weight.*F16' out || complain "the embedding, which is the head, is not F16"
    quantize random:15m both.gguf --type q4_0 --head f16 --embedding q8_0
    grep -q 'token_embd.weight.*Q8_0' out || complain "the embedding is not Q8_0"
}

a_file_that_cannot_grow_leaves_nothing() { # test
    # shellcheck disable=SC3045 # of dash, bash and busybox
    status=0
    (ulimit -f 1000 && "$LAB" quantize random:15m full.gguf >out 2>err) || status=$?
    gave 1
    says err 'full.gguf: cannot be written: File too large'
    leaves_nothing
    quantize random:15m /dev/full
    gave 1
    says err '/dev/full: cannot be written: No space left on device'
}

ctrl_c_leaves_nothing() { # test
    "$LAB" quantize random:1.1b:Q4_0 stopped.gguf --type q4_1 >out 2>err &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ls stopped.gguf.*.tmp >/dev/null 2>&1 && break
        sleep 0.2
    done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    gave 130
    says err 'interrupted: stopped.gguf is not written'
    leaves_nothing
}

what_cannot_be_is_refused_in_a_sentence() { # test
    quantize
    gave 2
    says err 'takes a model and the file to write, and 0 are given'
    quantize random:15m
    gave 2
    quantize random:15m a.gguf --type q5_0
    gave 2
    says err "'q5_0' is not one of"
    quantize /no/such/model a.gguf
    gave 1
    says err '/no/such/model'
    quantize random:15m /no/such/folder/a.gguf
    gave 1
    says err '/no/such/folder/a.gguf'
    quantize random:15m .
    gave 1
    says err 'is a folder, expected the name of a file'
    leaves_nothing
    quantize random:15m a.gguf --type f16
    gave 0
    quantize a.gguf a.gguf
    gave 1
    says err 'is the model itself, expected another file'
}

run_sentence "$@"
