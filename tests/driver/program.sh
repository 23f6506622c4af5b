#!/bin/sh
# What build/lab shows and how it ends: driven from the outside, as a learner does.
# Needs LAB (the program) and ROOT (the checkout).
# shellcheck disable=SC2016,SC2094,SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

# A checkout of two stages and one lab, for LAB_ROOT.
small_checkout() {
    mkdir -p checkout/labs/1_first/tiny checkout/datasets
    cp "$ROOT/.packages" checkout/
    cat >checkout/labs/roadmap.json <<'END'
{"stages": [{"id": "1_first", "title": "First", "about": "One."},
            {"id": "2_second", "title": "Second", "about": "Two."}]}
END
    cat >checkout/labs/1_first/tiny/lab.json <<'END'
{"id": "tiny", "stage": "1_first", "title": "Tiny", "about": "Very small.", "place": 1, "minutes": 5,
 "needs": [], "data": [], "reading": [],
 "exercises": [{"id": "one", "function": "tiny_one", "points": 1, "seconds": 1,
                "hints": ["idea", "formula", "code"]}]}
END
    export LAB_ROOT="$scratch/checkout"
    lab_json=checkout/labs/1_first/tiny/lab.json
}

roadmap_lists_every_lab_json() { # test
    run "$LAB"
    gave 0
    for file in "$ROOT"/labs/*/*/lab.json; do
        folder=${file%/lab.json}
        says out "${folder##*/}"
    done
    run "$LAB" list
    gave 0
    [ "$(grep -c ' exercises\{0,1\} done, ' out)" = "$(find "$ROOT/labs" -name lab.json | wc -l)" ] ||
        complain "another number"
}

roadmap_says_which_stage_has_no_lab_yet() { # test
    small_checkout
    run "$LAB" roadmap
    gave 0
    [ "$(grep -c 'No lab yet' out)" = 1 ] || complain "expected one stage without a lab"
    [ "$(grep -n 'No lab yet' out | cut -d: -f1)" -gt "$(grep -n Second out | cut -d: -f1)" ]
}

roadmap_ends_with_the_next_command() { # test
    small_checkout
    run "$LAB"
    says out "next  ./lab start tiny"
}

roadmap_and_help_stay_within_the_columns() { # test
    for columns in 20 40 57 80 100 300; do
        limit=$columns
        [ $columns -ge 40 ] || limit=40
        [ $columns -le 100 ] || limit=100
        for command in roadmap list help; do
            run env COLUMNS=$columns "$LAB" $command
            awk -v limit=$limit 'length > limit { wide = 1 } END { exit wide }' out ||
                complain "$command is wider than $limit at COLUMNS=$columns"
        done
    done
}

a_pipe_sees_no_escape_codes() { # test
    run "$LAB"
    never_says out "$(printf '\033')"
    run "$LAB" doctor
    never_says out "$(printf '\033')"
}

a_terminal_gets_colours_unless_disabled() { # test
    script -qec true /dev/null >/dev/null 2>&1 || skip "no pseudo-terminal" "./lab setup --dev"
    run env TERM=xterm script -qec "'$LAB' roadmap" /dev/null
    says out "$(printf '\033[1m')"
    run env TERM=xterm NO_COLOR=1 script -qec "'$LAB' roadmap" /dev/null
    never_says out "$(printf '\033')"
    run env TERM=dumb script -qec "'$LAB' roadmap" /dev/null
    never_says out "$(printf '\033')"
}

an_unknown_command_suggests_the_nearest() { # test
    run "$LAB" docter
    gave 2
    says err "did you mean 'doctor'?"
    run "$LAB" xylophone
    gave 2
    says err "lab help lists them"
}

an_unknown_lab_suggests_the_nearest() { # test
    run "$LAB" run autoencodre
    gave 2
    says err "did you mean 'autoencoder'?"
    run "$LAB" run xylophone
    gave 2
    says err "lab list shows them"
    run "$LAB" run
    gave 2
}

an_unknown_benchmark_suggests_the_nearest() { # test
    run "$LAB" bench sgem
    gave 2
    says err "did you mean 'sgemm'?"
}

an_ambiguous_prefix_is_refused() { # test
    small_checkout
    mkdir checkout/labs/2_second checkout/labs/2_second/tinier
    : >checkout/labs/2_second/tinier/lab.json
    run "$LAB" run tin
    gave 2
    says err "2 labs begin with 'tin'"
}

a_damaged_lab_does_not_block_the_others() { # test
    small_checkout
    mkdir checkout/labs/1_first/other checkout/labs/1_first/cut
    sed 's/tiny/other/g' $lab_json >checkout/labs/1_first/other/lab.json
    echo '{' >checkout/labs/1_first/cut/lab.json
    for command in "" list "list --json"; do
        # shellcheck disable=SC2086 # words
        run "$LAB" $command
        gave 1
        says err "cut/lab.json:2: is not JSON from here on"
        says out tiny
        says out other
    done
    for command in "list tiny" "list other"; do
        # shellcheck disable=SC2086 # words
        run "$LAB" $command
        gave 0
        [ ! -s err ] || complain "a warning for another lab"
    done
    for command in run start "dev check" "bench" check; do
        # shellcheck disable=SC2086 # words
        run "$LAB" $command cut
        gave 2
        [ "$command" = bench ] || says err "cut/lab.json:2: is not JSON from here on"
    done
    run "$LAB" run tiny # there is no program for it
    gave 1
    says err "labs/tiny: No such file or directory"
}

a_write_error_on_stdout_is_reported() { # test
    [ -e /dev/full ] || skip "no /dev/full" "run it on Linux"
    cp "$ROOT/datasets/houses.csv" .
    run="run linear_algebra --csv houses.csv --plot none --out results"
    for command in "" list help --version "hint autoencoder" "run linear_algebra --help" "$run" \
        "run --help" "open --help" "dev --help" "data --help" "check --help" "tokenize --help" "keynumbers --help"; do
        status=0
        # shellcheck disable=SC2086 # words
        "$LAB" $command >/dev/full 2>err || status=$?
        gave 1
        says err "standard output could not be written"
        case $command in *--help) [ "$(wc -l <err)" = 1 ] || complain "$command: more than a sentence" ;; esac
    done
}

run_passes_on_arguments_and_exit_status() { # test
    run "$LAB" run auto --help
    gave 0
    says out --smoke
    says out --mine
    run "$LAB" run --help
    gave 0
    says out "--mine"
    run "$LAB" run autoencoder.loss
    gave 2
    says err "./lab run autoencoder"
    run "$LAB" run autoencoder --no-such-option
    gave 2
    says err "autoencoder: there is no option --no-such-option"
}

a_missing_field_is_named_with_its_file() { # test
    small_checkout
    cp $lab_json whole.json
    for field in id stage title about place minutes needs data reading exercises function points \
        seconds hints; do
        sed "s/\"$field\":/\"no_$field\":/" whole.json >$lab_json
        run "$LAB"
        gave 1
        says err "checkout/labs/1_first/tiny/lab.json"
        says err "\"$field\" is missing"
        [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    done
}

a_wrong_field_is_reported_with_its_value() { # test
    small_checkout
    cp $lab_json whole.json
    while IFS='|' read -r edit sentence; do
        sed "$edit" whole.json >$lab_json
        run "$LAB" list
        gave 1
        says err "$sentence"
    done <<'END'
s/"Tiny"/7/|"title" is not a text
s/"Tiny"/""/|"title" is empty
s/"minutes": 5/"minutes": 0/|"minutes" is 0, expected 1 to 10000
s/"place": 1/"place": 1.5/|"place" is 1.5, expected a whole number
s/"id": "tiny"/"id": "huge"/|"id" is "huge", expected "tiny", the folder's name
s/"1_first"/"2_second"/|"stage" is "2_second", expected "1_first", the folder's name
s/, "code"//|"hints" has 2, expected 3
s/"needs": \[\]/"needs": [3]/|"needs"[0] is not a text
s/{"id": "one".*/"nonsense",/;s/^ *"hints".*/"nonsense"]}/|exercises[0]: is not an object
END
}

a_truncated_lab_json_is_reported_with_its_line() { # test
    small_checkout
    head -n 2 $lab_json >cut.json
    cp cut.json $lab_json
    run "$LAB"
    gave 1
    says err "lab.json:"
    says err "is not JSON from here on"
    : >$lab_json
    run "$LAB"
    gave 1
}

a_stage_missing_from_the_roadmap_is_reported() { # test
    small_checkout
    mv checkout/labs/1_first checkout/labs/9_none
    sed -i 's/1_first/9_none/' checkout/labs/9_none/tiny/lab.json
    run "$LAB"
    gave 1
    says err 'has no stage "9_none"'
}

list_in_json_names_the_exercises_in_order() { # test
    small_checkout
    run "$LAB" list --json
    gave 0
    says out '"id":	"tiny"'
    says out '["one"]'
    says out '"state":	"not started"'
    says out '"of_points":	1'
}

doctor_prints_what_is_missing_and_how_to_get_it() { # test
    mkdir bin
    printf '#!/bin/sh\necho "installed cmake, ninja-build"\n' >bin/dpkg-query
    chmod +x bin/dpkg-query
    run env PATH="$scratch/bin:$PATH" "$LAB" doctor
    gave 1
    says out MISSING
    says out libcjson-dev
    says out "./lab setup --dev"
    never_says out " ninja-build"
    run env PATH="$scratch/bin:$PATH" "$LAB" doctor --json
    gave 1
    says out '"state":	"missing"'
    says out '"brings":	"./lab setup --peers"'
}

doctor_checks_every_part() { # test
    run "$LAB" doctor
    for part in compiler cmake ninja gnuplot BLAS LAPACK downloads 'web page' processor kernels threads \
        memory disk CUDA GPU mnist; do
        says out "$part"
    done
}

help_names_every_command_and_version_is_short() { # test
    run "$LAB" help
    gave 0
    for command in roadmap list run test bench data doctor setup help; do says out "  $command"; done
    run "$LAB" --help
    gave 0
    run "$LAB" --version
    gave 0
    grep -qE '^lab [0-9]+\.[0-9]+\.[0-9]+$' out
}

no_help_is_wider_than_the_terminal() { # test
    narrow() { # columns what: a word that is longer stands on a line of its own
        awk -v most="$1" 'length > most && split($0, words) > 1 { print; wide = 1 } END { exit wide }' out ||
            complain "$2 is wider than $1 columns"
    }
    run sh "$ROOT/lab" test --help
    narrow 80 test
    for columns in 80 40; do
        for command in roadmap list run start check watch hint solution reset bench open follow keynumbers tokenize \
            quantize replay serve doctor data dev "dev check" "dev new"; do
            # shellcheck disable=SC2086 # words
            COLUMNS=$columns run "$LAB" $command --help
            narrow $columns "$command"
        done
        for lab in "$ROOT"/labs/*/*/lab.json; do
            lab=$(basename "$(dirname "$lab")")
            COLUMNS=$columns run "$LAB" run "$lab" --help
            narrow $columns "$lab"
        done
    done
}

readme_commands_exist() { # test
    "$LAB" help >help
    sed -n '/^```/,/^```/p' "$ROOT/README.md" | sed -n 's/^\(\.\/lab .*\)/\1/p' >commands
    [ -s commands ] || complain "README.md shows no ./lab command"
    while read -r _ word name _; do
        case $word in --*) continue ;; esac
        grep -qE "^  $word " help || complain "README.md shows ./lab $word, which does not exist"
        case $word in
        run)
            run "$LAB" run "$name" --help
            gave 0
            ;;
        bench)
            case $name in '' | --* | '#' | all) continue ;; esac
            find "$ROOT/bench" "$ROOT/labs" -path "*/bench/$name.c" -o -path "*/$name/bench.c" -o -name "bench_$name.c" |
                grep -q . || complain "no bench $name"
            ;;
        esac
    done <commands
    sed -n '/^```/,/^```/s/.*cmake --preset \([a-z]*\).*/\1/p' "$ROOT/README.md" | while read -r preset; do
        grep -qF "\"name\": \"$preset\"" "$ROOT/CMakePresets.json" || complain "no preset $preset"
    done
}

run_sentence "$@"
