#!/bin/sh
# The user's text: what the lab's program shows of it, with and without colours, and what it refuses.
# Needs LAB and ROOT.
# shellcheck disable=SC2317 # called by name
. "$ROOT/tests/driver/sentences.sh"

tokens() { run "$LAB" run tokenizer --plot none --out results "$@"; }

a_text_is_shown_with_bars_between_its_tokens() { # test
    tokens --text 'the rights of the child'
    gave 0
    says out 'Characters: 23 tokens, 1.00 bytes per token'
    says out 't|he| rights| of| the| child'
    says results/report.html 't|he| rights| of| the| child'
}

the_lesson_quotes_the_run() { # test
    tokens
    gave 0
    sed -n '/^## What you will see/,/^## /p' "$ROOT/labs/3_language/tokenizer/README.md" | sed '1,/^```/d; /^```/,$d' |
        sed '/GPT-2, /N; /GPT-2/d; s/ \.\.\.$//' >quoted
    [ "$(wc -l <quoted)" -gt 15 ] || complain "the lesson shows no run"
    while IFS= read -r line; do says out "$line"; done <quoted
}

on_request_each_token_has_a_background_of_its_own() { # test
    CLICOLOR_FORCE=1 tokens --text 'of the child'
    gave 0
    printf '\033[30;42m the\033[0m\033[30;45m child\033[0m' >want
    grep -qF "$(cat want)" out || complain "expected two tokens on two backgrounds"
}

what_a_terminal_would_obey_is_never_printed() { # test
    printf 'a\033[31m\302\233b\344\270\n' >text
    CLICOLOR_FORCE=1 tokens --file text
    gave 0
    ! grep -q "$(printf '\033\\[31m')" out || complain "an escape sequence of the file came through"
    says out '\xe4'
}

a_long_file_is_cut_with_a_notice() { # test
    yes 'all human beings' | head -c 30000 >text
    tokens --file text
    gave 0
    says out 'The first 20000 of 30000 bytes of text'
}

a_merges_file_is_compared() { # test
    printf 'l o\nlo w\n' >merges.txt
    tokens --text low --vocabulary merges.txt
    gave 0
    says out 'merges.txt, byte-level BPE, 2 merges: 1 tokens, 3.00 bytes per token'
}

wrong_input_is_refused_in_a_sentence() { # test
    : >empty
    tokens --file empty
    gave 1
    says err 'empty: it has 0 bytes, expected 1 to 67108864'
    tokens --file absent
    gave 1
    says err 'absent: cannot be read: No such file or directory'
    tokens --train empty
    gave 1
    tokens --vocabulary empty
    gave 1
    says err 'empty: is empty'
    tokens --text ''
    gave 2
    says err 'expected a text'
}

run_sentence "$@"
