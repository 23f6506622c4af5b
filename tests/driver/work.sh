#!/bin/sh
# A learner's way through a lab: start, hint, solution, reset, list, and what is told on the way.
# Needs LAB (the program) and ROOT (the checkout).
# shellcheck disable=SC2016,SC2094,SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

# A checkout with the lab "tiny" of two exercises and "next", which needs it.
checkout() {
    mkdir -p checkout/labs/1_first/tiny checkout/labs/1_first/other
    cat >checkout/labs/roadmap.json <<'END'
{"stages": [{"id": "1_first", "title": "First", "about": "One."}]}
END
    cat >checkout/labs/1_first/tiny/lab.json <<'END'
{"id": "tiny", "stage": "1_first", "title": "Tiny", "about": "Very small.", "place": 1, "minutes": 5,
 "needs": [], "data": [], "reading": [],
 "exercises": [{"id": "one", "function": "tiny_one", "points": 3, "seconds": 1,
                "hints": ["the idea of one", "the formula of one", "the code of one"]},
               {"id": "two", "function": "tiny_two", "points": 4, "seconds": 1,
                "hints": ["the idea of two", "the formula of two", "the code of two"]}]}
END
    sed 's/tiny/other/g;s/Tiny/Other/;s/"needs": \[\]/"needs": ["tiny"]/;s/"place": 1/"place": 2/' \
        checkout/labs/1_first/tiny/lab.json >checkout/labs/1_first/other/lab.json
    cat >checkout/labs/1_first/tiny/tiny.h <<'END'
#pragma once
// 1. Twice a.
int tiny_one(int a);
// 2. Nothing.
void tiny_two(void);
END
    cat >checkout/labs/1_first/tiny/tiny.c <<'END'
#include "labs/1_first/tiny/tiny.h"

int tiny_one(int a)
{
    // solution one
    return 2 * a;
    // end one
}

void tiny_two(void)
{
    // solution two
    tiny_one(7);
    // end two
}
END
    sed 's/tiny/other/g' checkout/labs/1_first/tiny/tiny.c >checkout/labs/1_first/other/other.c
    sed 's/tiny/other/g' checkout/labs/1_first/tiny/tiny.h >checkout/labs/1_first/other/other.h
    export LAB_ROOT="$scratch/checkout"
    unset LAB_PATH
    mine=mine/tiny/tiny.c
}

# What `lab check` would have recorded.
recorded() { # EXERCISE EVENT
    mkdir -p mine && touch mine/progress
    printf '2026-01-01T00:00:%02dZ %s %s\n' "$(grep -c . mine/progress)" "$1" "$2" >>mine/progress
}

next_is() { # a command
    [ "$(sed -n 's/^next  \(.*[^ ]\)   .*/\1/p;t
        s/^next  //p' out)" = "$1" ] || complain "what is next is not: $1"
}

start_writes_the_skeleton_and_shows_the_first_exercise() { # test
    checkout
    run "$LAB" start tiny
    gave 0
    says $mine "LAB_TODO(one);    // your code here; see tiny.h"
    says $mine "LAB_TODO(two);"
    never_says $mine "return 2"
    never_says $mine "solution"
    says out "// 1. Twice a."
    says out "int tiny_one(int a);"
    says out "labs/1_first/tiny/README.md"
    next_is "./lab check tiny.one"
    [ "$(ls mine/tiny)" = "$(printf 'compile_flags.txt\ntiny.c')" ] || complain "other files: $(ls mine/tiny)"
    says mine/.gitattributes "progress merge=union"
    says mine/.gitignore ".build/"
    says mine/progress "Z tiny start"
}

a_long_prototype_is_wrapped() { # test
    for columns in 40 80; do
        run env COLUMNS=$columns "$LAB" start autoencoder
        gave 0
        says out "or    ./lab watch autoencoder"
        awk -v most=$columns -v path="$scratch" 'length > most && !index($0, path) && !/^(next|read)/ { wide = 1 }
            END { exit wide }' out || complain "wider than $columns"
        rm -r mine
    done
}

the_skeleton_compiles_with_the_flags_of_the_editor() { # test
    run "$LAB" start autoencoder
    gave 0
    set --
    while read -r flag; do set -- "$@" "$flag"; done <mine/autoencoder/compile_flags.txt # one a line
    run cc "$@" -Werror -fsyntax-only mine/autoencoder/autoencoder.c
    gave 0
    ! awk 'length > 100 { wide = 1 } END { exit !wide }' mine/autoencoder/autoencoder.c ||
        complain "a line is wider than 100 columns"
}

start_never_overwrites() { # test
    checkout
    mkdir -p mine/tiny
    echo "my work" >$mine
    run "$LAB" start tiny
    gave 0
    says out "already exists and was not changed"
    says out "./lab reset tiny"
    next_is "./lab check tiny.one"
    [ "$(cat $mine)" = "my work" ] || complain "it was overwritten"
    says mine/tiny/compile_flags.txt "-iquote$scratch/checkout/labs/1_first/tiny" # a clone has none
}

start_names_prerequisites_but_does_not_require_them() { # test
    checkout
    run "$LAB" start other
    gave 0
    says out "tiny (not done yet)"
    recorded tiny.one "done"
    recorded tiny.two "done"
    rm -r mine/other
    run "$LAB" start other
    says out "tiny (done)"
}

a_start_that_fails_leaves_nothing_half_made() { # test
    checkout
    sed 's/end two/end too/' checkout/labs/1_first/tiny/tiny.c >broken
    cp broken checkout/labs/1_first/tiny/tiny.c
    run "$LAB" start tiny
    gave 1
    says err "tiny.c:14: marks 'too', which is not an exercise in lab.json"
    [ ! -e mine ] || complain "mine/ was made"
    run "$LAB" start other
    gave 0
}

a_file_in_place_of_the_folder_is_reported() { # test
    checkout
    mkdir mine
    : >mine/tiny
    run "$LAB" start tiny
    gave 1
    says err "mine/tiny: is not a folder"
    [ "$(ls mine)" = "$(printf 'progress\ntiny')" ] || complain "left behind: $(ls mine)"
}

hint_shows_one_level_more_at_every_call() { # test
    checkout
    run "$LAB" start tiny
    for level in 'idea of one' 'formula of one' 'code of one'; do
        run "$LAB" hint
        gave 0
        says out "the $level"
        next_is "./lab check tiny.one"
        case $level in idea*) never_says out "formula of one" ;; formula*) never_says out "code of one" ;; esac
    done
    says out "the idea of one"
    says out "hint 3 of 3"
    run "$LAB" hint tiny.one
    says out "the code of one"
    says out "./lab solution tiny.one --give-up"
    [ "$(grep -c 'tiny.one hint' mine/progress)" = 3 ] || complain "other lines in mine/progress"
    run "$LAB" hint tiny.two
    says out "the idea of two"
    never_says out "formula"
}

hint_without_a_name_is_about_the_next_that_is_not_done() { # test
    checkout
    run "$LAB" start tiny
    recorded tiny.one "done"
    run "$LAB" hint
    says out "tiny.two: hint 1 of 3"
    recorded tiny.two "done"
    run "$LAB" hint
    gave 0
    says out "All exercises of tiny are done"
}

the_solution_is_refused_before_the_exercise_passes() { # test
    checkout
    run "$LAB" start tiny
    run "$LAB" solution tiny.one
    gave 1
    [ ! -s out ] || complain "something was shown"
    says err "./lab check tiny.one"
    says err "./lab solution tiny.one --give-up"
    recorded tiny.one wrong
    run "$LAB" solution tiny.one
    gave 1
    recorded tiny.one "done"
    run "$LAB" solution tiny.one
    gave 0
    says out "return 2 * a;"
    never_says out "tiny_two"
    never_says out "// solution"
    never_says mine/progress "gave up"
}

giving_up_is_recorded_and_listed() { # test
    checkout
    run "$LAB" start tiny
    run "$LAB" solution tiny.two --give-up
    gave 0
    says out "tiny_one(7);"
    says mine/progress "tiny.two gave up"
    run "$LAB" solution tiny.two
    gave 0
    run "$LAB" list tiny
    says out "solution seen"
    run "$LAB" list --json
    says out '"gave_up":	true'
}

the_solution_is_shown_side_by_side_on_a_wide_terminal() { # test
    checkout
    run "$LAB" start tiny
    sed 's/ *LAB_TODO(one).*/    return a + a;/' $mine >edited
    cp edited $mine
    recorded tiny.one "done"
    run env COLUMNS=120 "$LAB" solution tiny.one
    grep -q 'return a + a; *|  *return 2 \* a;' out || complain "not side by side"
    grep -q '^int tiny_one(int a)   *int tiny_one(int a)$' out || complain "not side by side"
    run env COLUMNS=40 "$LAB" solution tiny.one
    grep -q '^    return 2 \* a;$' out || complain "not one above the other"
}

reset_keeps_a_copy_and_never_overwrites_one() { # test
    checkout
    run "$LAB" start tiny
    cp $mine blank
    for body in 1 2 3; do
        sed "s/ *LAB_TODO(one).*/    return $body;/" blank >$mine
        recorded tiny.one "done"
        run "$LAB" reset tiny.one
        gave 0
        says out "/backup/tiny-"
        next_is "./lab check tiny.one"
        cmp $mine blank || complain "it is not blank"
    done
    [ "$(grep -l 'return [123];' mine/tiny/backup/*.c | wc -l)" = 3 ] || complain "a copy is missing"
    run "$LAB" list tiny
    grep -q 'not started *one' out || complain "one is not listed as not started"
}

reset_keeps_a_link() { # test
    checkout
    run "$LAB" start tiny
    mkdir elsewhere
    sed 's/ *LAB_TODO(one).*/    return 1;/' $mine >elsewhere/own.c
    ln -sf "$PWD/elsewhere/own.c" $mine
    for name in tiny.one tiny; do
        run "$LAB" reset $name
        gave 0
        [ -L $mine ] || complain "the link is gone"
        says elsewhere/own.c "LAB_TODO(one)"
    done
    [ "$(find . -name '*.tmp')" = '' ] || complain "a temporary file is left"
}

reset_of_one_leaves_the_other() { # test
    checkout
    run "$LAB" start tiny
    sed 's/ *LAB_TODO(one).*/    return 1;/;s/ *LAB_TODO(two).*/    return;/' $mine >both
    cp both $mine
    run "$LAB" reset tiny.two
    says $mine "    return 1;"
    says $mine "LAB_TODO(two)"
    run "$LAB" reset tiny
    gave 0
    says $mine "LAB_TODO(one)"
    [ "$(find mine/tiny/backup -name "*.c" | wc -l)" = 2 ] || complain "expected two copies"
    run "$LAB" reset tiny
    says out "is already blank"
    [ "$(find mine/tiny/backup -name "*.c" | wc -l)" = 2 ] || complain "expected no further copy"
}

reset_of_a_missing_function_prints_what_to_do() { # test
    checkout
    run "$LAB" start tiny
    sed 's/tiny_one/my_own/' $mine >renamed
    cp renamed $mine
    run "$LAB" reset tiny.one
    gave 1
    says err "mine/tiny/tiny.c has no function tiny_one"
    says err "LAB_TODO(one)"
    says err "./lab reset tiny"
    cmp $mine renamed || complain "it was changed"
    run "$LAB" reset tiny
    gave 0
    cmp renamed mine/tiny/backup/*.c || complain "the copy is another"
}

a_folder_and_a_pipe_of_the_files_name_are_refused() { # test
    checkout
    run "$LAB" start tiny
    for make in mkdir mkfifo; do
        rm -rf $mine
        $make $mine
        for command in check start reset; do
            run timeout 20 "$LAB" $command tiny
            gave 1
            says err mine/tiny/tiny.c
            [ "$(wc -l <err)" = 1 ] || complain "$command: expected one sentence"
            [ -d $mine ] || [ -p $mine ] || complain "$command has replaced it"
        done
    done
}

an_editors_encoding_is_named() { # test
    checkout
    run "$LAB" start tiny
    iconv -f utf-8 -t utf-16 $mine >encoded
    cp encoded $mine
    run "$LAB" check tiny
    gave 1
    says err "tiny.c: is UTF-16: save it as UTF-8"
}

reset_restores_a_file_that_is_not_text() { # test
    checkout
    run "$LAB" start tiny
    cp $mine blank
    printf 'int\0x;' >$mine
    run "$LAB" reset tiny.one
    gave 1
    says err "tiny.c:1: contains a zero byte"
    run "$LAB" reset tiny
    gave 0
    cmp $mine blank || complain "it is not blank"
    [ "$(cat mine/tiny/backup/*.c | wc -c)" = 6 ] || complain "the copy is another"
}

list_and_roadmap_show_the_progress() { # test
    checkout
    run "$LAB" start tiny
    recorded tiny.one "done"
    recorded tiny.two wrong
    run "$LAB" list
    gave 0
    says out "1 of 2 exercises done, 3 of 7 points"
    grep -q 'done *one *3' out || complain "one is not listed as done"
    grep -q 'wrong *two *4' out || complain "two is not listed as wrong"
    grep -q 'not started *one' out || complain "other's are not listed"
    run "$LAB" list tiny
    says out "1 of 2 exercises done"
    never_says out other
    run "$LAB" list --json
    says out '"state":	"done"'
    says out '"state":	"wrong"'
    run "$LAB"
    says out "1 of 2 exercises done, 3 of 7 points"
    says out "or    ./lab hint tiny.two"
    next_is "./lab check tiny.two"
}

the_next_lab_follows_when_all_is_done() { # test
    checkout
    run "$LAB" start tiny
    recorded tiny.one "done"
    recorded tiny.two "done"
    run "$LAB"
    next_is "./lab start other"
    run "$LAB" list
    next_is "./lab run tiny --mine"
}

without_a_file_each_command_prints_what_to_type() { # test
    checkout
    for command in hint solution; do
        run "$LAB" $command
        gave 2
        says err "no lab is started yet"
    done
    run "$LAB" reset tiny.one
    gave 1
    says err "mine/tiny/tiny.c does not exist yet: ./lab start tiny creates it"
    run "$LAB" hint tiny.one
    gave 0
    next_is "./lab start tiny"
    run "$LAB" solution tiny.one --give-up
    gave 0
    says out "return 2 * a;"
    next_is "./lab start tiny"
    run "$LAB" start
    gave 2
    says err "./lab start tiny"
}

wrong_arguments_get_one_sentence_and_status_two() { # test
    checkout
    run "$LAB" start tiny
    for command in start hint solution reset list; do
        run "$LAB" $command --help
        gave 0
        says out "Usage: lab $command"
        run "$LAB" $command tiny.one --nonsense
        gave 2
        says err "there is no option --nonsense"
        run "$LAB" $command tony
        gave 2
        says err "no lab 'tony'; did you mean 'tiny'?"
        run "$LAB" $command tiny.twoo
        gave 2
        says err "tiny has no exercise 'twoo'; did you mean 'tiny.two'?"
        run "$LAB" $command tiny.
        gave 2
        says err "2 exercises of tiny begin with ''"
        run "$LAB" $command tiny.one tiny.two
        gave 2
        says err "'tiny.two' is not an option"
    done
    run "$LAB" hint two
    gave 2
    says err "no lab 'two'; did you mean 'tiny.two'?"
    run "$LAB" reset
    gave 2
    run "$LAB" solution tiny
    gave 2
    says err "which exercise? ./lab solution tiny.one"
    run "$LAB" hint ti.tw
    gave 0
    says out "tiny.two: hint 1"
}

narrow_terminals_and_pipes_are_supported() { # test
    checkout
    run "$LAB" start tiny
    recorded tiny.one "done"
    for command in "hint tiny.one" "hint tiny.one" "hint tiny.one" "solution tiny.two --give-up" "list tiny" list "solution tiny.one" \
        "reset tiny.two" "start tiny" "start other"; do
        # shellcheck disable=SC2086 # a list of words
        run env COLUMNS=40 "$LAB" $command
        gave 0
        never_says out "$(printf '\033')"
        awk -v path="$scratch" 'length > 40 && !index($0, path) && !/^ *LAB_TODO|^read/ { wide = 1 } END { exit wide }' out ||
            complain "lab $command is wider than 40"
    done
}

folders_of_lab_path_are_labs_too() { # test
    checkout
    mkdir -p own/9_own
    mv checkout/labs/1_first/other own/9_own/other
    sed -i 's/1_first/9_own/' own/9_own/other/*
    export LAB_PATH="$scratch/own"
    run "$LAB" list
    gave 1
    says err 'has no stage "9_own"'
    echo '{"stages": [{"id": "9_own", "title": "Mine", "about": "My own."}]}' >own/roadmap.json
    run "$LAB"
    gave 0
    says out "2. Mine"
    run "$LAB" start other
    gave 0
    says out "own/9_own/other/README.md"
    says mine/other/compile_flags.txt "-iquote$scratch/own/9_own/other"
    says mine/other/other.c "LAB_TODO(one)"
    run env LAB_PATH=":own:" "$LAB" list other
    gave 0
    mkdir -p twice/9_own
    cp -r own/9_own/other twice/9_own/
    run env LAB_PATH="$scratch/own:$scratch/twice" "$LAB" list
    gave 1
    says err "two labs are called other: $scratch/own/9_own/other and $scratch/twice/9_own/other"
    run env LAB_PATH=/nowhere "$LAB" list
    gave 1
    says err "LAB_PATH: /nowhere: No such file or directory"
}

run_sentence "$@"
