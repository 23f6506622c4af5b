#!/bin/sh
# Texts of all kinds as --data: what is refused is refused before the training. Needs LAB, ROOT.
# shellcheck disable=SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

train() {
    run "$(dirname "$LAB")/labs/transformer" --smoke --part train,continue --plot none --out results "$@"
}
refused() { # sentence option...
    sentence=$1
    shift
    train "$@"
    gave 1
    says err "$sentence"
    [ "$(wc -l <err)" = 1 ] || complain "more than one line"
    never_says out "training loss"
}
repeated() { # line times
    awk -v line="$1" -v times="$2" 'BEGIN { for (i = 0; i < times; i++) printf "%s", line }'
}

any_text_is_learned_from() { # test
    repeated '一二三四五六七八九十百千万天地人\n' 60 >chinese # 40 bytes would end within a character
    repeated '\n\nhello there\n' 60 >"blank lines"
    repeated '0123456789abcdef' 512 >page # no end of a line in whole pages
    repeated '\303\251t\303\251\r\n' 100 >windows
    for text in chinese "blank lines" page windows; do
        train --data "$text"
        gave 0
    done
}

a_text_that_is_not_utf_eight_needs_bytes() { # test
    repeated '\351t\351 en Latin-1\n' 60 >latin1
    refused "latin1: byte 0 is not UTF-8; --tokenizer bytes takes any file" --data latin1
    train --data latin1 --tokenizer bytes
    gave 0
}

a_text_or_prompt_without_tokens_is_refused() { # test
    repeated '0123456789abcdef' 512 >page
    : >empty
    refused "empty: is empty" --data empty
    printf a >one
    refused "one: has 1 token, expected 33 or more" --data one
    refused "none: cannot be read: No such file or directory" --data none
    refused "the prompt is empty; expected --prompt TEXT" --data page --prompt ""
    refused "the prompt: the character U+65E5 has no token" --data page --prompt 日
    refused "--tokenizer: none: No such file or directory" --data page --tokenizer none
}

run_sentence "$@"
