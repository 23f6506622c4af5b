#!/bin/sh
# `lab open`: the page of a lab's last run, in a browser or by its path.
# Needs LAB (the program) and ROOT.
# shellcheck disable=SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"
unset LAB_OUT DISPLAY WAYLAND_DISPLAY

# An opener that writes what it was given, word by word, and ends with $1.
own_opener() {
    mkdir -p bin
    for name in xdg-open open; do
        printf '#!/bin/sh\nprintf "<%%s>" "$@" >"%s/opened"\nexit %d\n' "$scratch" "$1" >"bin/$name"
        chmod +x "bin/$name"
    done
    export PATH="$scratch/bin:$PATH" DISPLAY=:99
}

a_lab_without_a_report_says_what_writes_one() { # test
    mkdir checkout elsewhere
    cp -r "$ROOT/labs" checkout/
    export LAB_ROOT="$scratch/checkout"
    cd checkout
    run "$LAB" open linear_algebra
    gave 1
    says err "there is no report yet: ./lab run linear_algebra writes out/linear_algebra/report.html"
    run "$LAB" open linear_algebra --mine
    gave 1
    says err "./lab run linear_algebra --mine writes out/mine/linear_algebra/report.html"
    cd ../elsewhere # results stay in the checkout, and commands can be pasted
    export LAB_SELF=../checkout/lab
    run "$LAB" open linear_algebra
    gave 1
    says err "../checkout/lab run linear_algebra writes $scratch/checkout/out/linear_algebra/report.html"
}

results_go_into_the_checkout_from_any_folder() { # test
    mkdir "my checkout" elsewhere
    cp -r "$ROOT/labs" "my checkout/"
    printf 'x,y\n0,2\n1,5\n4,14\n' >t.csv
    export LAB_ROOT="$scratch/my checkout"
    cd elsewhere
    run "$LAB" run linear_algebra --csv ../t.csv --plot none
    gave 0
    [ ! -d out ] || complain "results in the current folder"
    says out "results in '$scratch/my checkout/out/linear_algebra'"
    says out "'$scratch/my checkout/labs/1_foundations/linear_algebra/README.md' is the lesson"
    run "$LAB" open linear_algebra
    gave 0
    run sh -c "cd '../my checkout' && exec '$LAB' run linear_algebra --csv ../t.csv --plot none"
    says out "results in out/linear_algebra"
    says out "labs/1_foundations/linear_algebra/README.md is the lesson"
}

without_a_display_the_path_is_printed() { # test
    [ "$(uname)" != Darwin ] || skip "always a browser here" "run it on Linux"
    export LAB_OUT=results
    mkdir -p results/linear_algebra
    echo page >results/linear_algebra/report.html
    run "$LAB" open linear_algebra
    gave 0
    says out "the page is $scratch/results/linear_algebra/report.html"
}

the_opener_gets_the_path_as_one_word() { # test
    own_opener 0
    export LAB_OUT="my out; \$(touch bad)"
    mkdir -p "$LAB_OUT/mine/linear_algebra"
    echo page >"$LAB_OUT/mine/linear_algebra/report.html"
    run "$LAB" open linear_algebra --mine
    gave 0
    says out "in your browser"
    [ "$(cat opened)" = "<$scratch/$LAB_OUT/mine/linear_algebra/report.html>" ] || complain "$(cat opened)"
    [ ! -e bad ] || complain "a shell has read the path"
}

an_opener_that_fails_leaves_the_path() { # test
    own_opener 3
    export LAB_OUT=results
    mkdir -p results/linear_algebra
    echo page >results/linear_algebra/report.html
    run "$LAB" open linear_algebra
    gave 0
    says out "the page is $scratch/results/linear_algebra/report.html"
}

an_unknown_lab_or_none_is_refused() { # test
    run "$LAB" open
    gave 2
    says err "./lab open LAB"
    run "$LAB" open linear_algebar
    gave 2
    says err "did you mean 'linear_algebra'?"
}

run_sentence "$@"
