#!/bin/sh
# README.md says what is printed: its section on an exercise is typed in again, and compared.
# Needs LAB (the program) and ROOT (the checkout).
# shellcheck disable=SC2016,SC2317 # backquotes are README's; the sentence is called by name
. "$ROOT/tests/driver/sentences.sh"

# The section's fenced blocks, as files 1, 2, 3 ... in blocks/.
section_into_blocks() { # TITLE
    mkdir blocks
    awk -v title="## $1" '/^## / { inside = ($0 == title) }
         !inside { next }
         /^```/ { open = !open; number += open; next }
         open { print > ("blocks/" number) }' "$ROOT/README.md"
}

# Block N is "$ ./lab ARGUMENTS" and what that prints; a line "..." stands for any lines.
prints_block() {
    head -n 1 "blocks/$1" | grep -q '^\$ ./lab ' || complain "block $1 is not a command"
    # shellcheck disable=SC2046 # a list of words
    run env COLUMNS=80 "$LAB" $(sed -n '1s/^\$ .\/lab //p' "blocks/$1")
    tail -n +2 "blocks/$1" >wanted
    if grep -q '^\.\.\.$' wanted; then
        at=$(sed -n '/^\.\.\.$/=' wanted)
        head -n $((at - 1)) wanted >begin
        tail -n +$((at + 1)) wanted >rest
        head -n $((at - 1)) out | diff begin - || complain "block $1 begins otherwise"
        tail -n "$(wc -l <rest)" out | diff rest - || complain "block $1 ends otherwise"
    else
        diff wanted out || complain "block $1 differs"
    fi
}

the_section_on_an_exercise_shows_what_is_printed() { # test
    mkdir checkout
    cp -r "$ROOT/labs" "$ROOT/.packages" checkout/
    export LAB_ROOT="$scratch/checkout" LAB_MINE="$scratch/checkout/mine"
    mine=mine/autoencoder/autoencoder.c
    cd checkout
    section_into_blocks "Working through a lab"

    prints_block 1 # start
    sed -n '/^void ae_linear_forward/,/^}/p' $mine | diff - blocks/2 || complain "the blank is another"
    sed -i -e '/LAB_TODO(linear_forward)/{r blocks/3
        d
    }' $mine
    prints_block 4 # one too far
    sed -i 's/i <= I/i < I/' $mine
    prints_block 5 # no bias
    prints_block 6 # hint
    sed -i 's/float sum = 0;/float sum = bias[o];/' $mine
    prints_block 7 # passes
    gave 0
}

# Its lines come in this order; "..." stands for any between them.
the_section_on_key_numbers_shows_what_is_printed() { # test
    [ -x "$(dirname "$LAB")/labs/keynumbers" ] || skip "no keynumbers" "./lab setup"
    export LAB_ROOT="$ROOT"
    section_into_blocks "Which model fits which GPU"
    # shellcheck disable=SC2046 # a list of words
    run env COLUMNS=80 "$LAB" $(sed -n '1s/^\$ .\/lab //p' blocks/1)
    gave 0
    tail -n +2 blocks/1 | awk -v out=out '
        $0 == "..." { any = 1; next }
        { do { if ((getline line <out) != 1) { print "not printed: " $0; exit 1 } } while (any && line != $0)
          if (line != $0) { print "printed: " line "; README: " $0; exit 1 }
          any = 0 }' || complain "the block differs"
}

the_commands_on_tables_run_as_written() { # test
    [ -x "$(dirname "$LAB")/labs/linear_algebra" ] || skip "no LAPACK" "./lab setup"
    sed -n 's/^\.\/lab \(run .*--csv [^#]*\).*/\1/p' "$ROOT/README.md" >commands
    [ "$(wc -l <commands)" = 2 ] || complain "expected two commands"
    export LAB_OUT="$scratch/out"
    while read -r line; do
        # shellcheck disable=SC2086 # a list of words
        (cd "$ROOT" && "$LAB" $line --plot none) >out.txt </dev/null || complain "$line"
    done <commands
}

run_sentence "$@"
