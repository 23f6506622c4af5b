#!/bin/sh
# README.md says what is printed: its section on an exercise is typed in again, and compared.
# Needs LAB (the program) and ROOT (the checkout).
# shellcheck disable=SC2016,SC2317 # backquotes are README's; the sentence is called by name
. "$ROOT/tests/driver/sentences.sh"

# The section's fenced blocks, as files 1, 2, 3 ... in blocks/.
section_into_blocks() {
    mkdir blocks
    awk '/^## / { inside = ($0 == "## Working through a lab") }
         !inside { next }
         /^```/ { open = !open; number += open; next }
         open { print > ("blocks/" number) }' "$ROOT/README.md"
}

# Block N is "$ ./lab ARGUMENTS" and what that prints; a line "..." stands for any lines.
prints_block() {
    head -n 1 "blocks/$1" | grep -q '^\$ ./lab ' || complain "block $1 is no command"
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
    mkdir house
    cp -r "$ROOT/labs" "$ROOT/.packages" house/
    export LAB_ROOT="$scratch/house" LAB_MINE="$scratch/house/mine"
    mine=house/mine/autoencoder/autoencoder.c
    section_into_blocks

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

run_sentence "$@"
