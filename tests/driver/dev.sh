#!/bin/sh
# `lab dev`: a new lab is laid out whole and builds; each gate refuses what it has to refuse.
# Needs LAB (the program, with the lab laid_out built from the template beside it) and ROOT.
# shellcheck disable=SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

# A folder of labs with the template's lab in it, for LAB_PATH, and a scratch of its own.
own_labs() {
    export LAB_MINE="$scratch/mine"
    "$LAB" dev new 1_foundations laid_out --in house >/dev/null
    export LAB_PATH="$scratch/house"
    lab=house/1_foundations/laid_out
}

mutant() { # exercise, name, old, new
    printf '\n%s: It is a test.\n- %s\n+ %s\n' "$2" "$3" "$4" >>"$lab/mutants/$1.mutants"
}

# The same with the words filled in, and mutants enough.
finished_lab() {
    own_labs
    find "$lab" -type f -exec sed -i 's/REPLACE: //' {} +
    mutant mean last_left_out 'i < n' 'i + 1 < n'
    mutant mean first_counted_twice 'sum = 0' 'sum = (double)x[0]'
    mutant mean squared 'sum += (double)x[i]' 'sum += (double)(x[i] * x[i])'
    mutant center last_left_out 'i < n' 'i + 1 < n'
    mutant center not_moved ' - mean' ''
    mutant center sign_flipped 'x[i] - mean' 'mean - x[i]'
}

check() { run "$LAB" dev check laid_out; }

refused_by() { # gate, sentence
    gave 1
    grep -q "FAIL  $1 " out || complain "the gate '$1' is open"
    tr -s ' \n' '  ' <out >words # without the lines' ends
    says words "$2"
    rm words
}

a_new_lab_is_laid_out_whole_and_says_what_is_next() { # test
    run "$LAB" dev new 1_foundations som --in "my labs"
    gave 0
    says out "next  LAB_PATH='$scratch/my labs' ./lab dev check som"
    [ "$(find "my labs" | wc -l)" = 13 ] || complain "$(find "my labs")"
    ! grep -rq @ "my labs" || complain "$(grep -r @ "my labs")"
    LAB_PATH="$scratch/my labs" run "$LAB" list som
    gave 0
}

a_new_lab_is_refused_until_it_is_real() { # test
    own_labs
    check
    refused_by words "laid_out/README.md:1: REPLACE: the title"
    refused_by mutants "mean has 1 mutant, expected 4 or more"
    says out "next  LAB_PATH=$LAB_PATH ./lab dev check laid_out"
    [ "$(grep -c ' ok ' out)" = 7 ] || complain "expected the other gates to hold"
}

a_lab_that_is_filled_in_holds() { # test
    finished_lab
    check
    gave 0
    says out "laid_out holds"
    says out "not_divided"
    grep -qE '  last_left_out +2  gives_what_a_hand_computes' out || complain "no line for a mutant"
    run "$LAB" dev check laid_out --json
    gave 0
    says out '"holds":	true'
    says out '"first":	"gives_what_a_hand_computes"'
}

an_unknown_stage_or_a_name_that_cannot_be_is_refused() { # test
    run "$LAB" dev --help
    gave 0
    says out "dev new STAGE NAME"
    run "$LAB" dev nwe
    gave 2
    run "$LAB" dev new 1_foundation som
    gave 2
    says err "did you mean '1_foundations'?"
    run "$LAB" dev new nowhere som
    gave 2
    says err "there are 1_foundations, 2_core"
    for name in Som 3som so-m so.m ../som double kernels autoencoder ''; do
        run "$LAB" dev new 2_core "$name"
        gave 2
    done
    says err "a lab cannot be called ''"
    run "$LAB" dev new 2_core autoencoder
    says err "there is a lab 'autoencoder' already"
    run "$LAB" dev new 2_core
    gave 2
    run "$LAB" dev
    gave 2
}

a_folder_that_is_there_is_left_alone() { # test
    mkdir -p house/2_core/som
    echo mine >house/2_core/som/file
    run "$LAB" dev new 2_core som --in house
    gave 1
    says err "som already exists"
    [ "$(find house -type f)" = house/2_core/som/file ] || complain "$(find house)"
}

what_cannot_be_written_leaves_nothing_behind() { # test
    mkdir house
    : >house/2_core # no folder
    run "$LAB" dev new 2_core som --in house
    gave 1
    [ "$(ls -A house)" = 2_core ] || complain "$(ls -A house)"
}

differing_names_are_reported() { # test
    finished_lab
    sed -i 's/mean/average/g' $lab/README.md
    sed -i 's/float laid_out_mean/float laid_out_average/' $lab/laid_out.h
    check
    refused_by agree "laid_out.h does not declare laid_out_mean"
    refused_by agree "README.md does not mention mean"
}

a_case_without_an_exercise_and_an_exercise_without_a_case_are_reported() { # test
    finished_lab
    sed -i 's/"id": "center"/"id": "centre"/' $lab/lab.json
    sed -i 's,\(// [a-z]*\) center,\1 centre,' $lab/laid_out.c
    check
    refused_by agree "the case center__leaves_its_input_alone belongs to no exercise"
    refused_by agree "centre has no case"
    says out "not looked at"
}

unclosed_marks_are_reported() { # test
    finished_lab
    sed -i '/end mean/d' $lab/laid_out.c
    check
    refused_by agree "laid_out.c:"
}

a_warning_in_the_skeleton_is_reported() { # test
    finished_lab
    sed -i 's,    // solution mean,    int forgotten;\n&,' $lab/laid_out.c
    check
    refused_by skeleton "gcc says: error: unused variable"
}

a_skeleton_that_returns_is_reported() { # test
    finished_lab
    sed -i 's,    // solution center,    if (n > 100) {\n&,; s,    // end center,&\n    },' $lab/laid_out.c
    check
    refused_by skeleton "although center is blank: it has to call laid_out_center"
}

an_exercise_that_needs_a_later_one_is_reported() { # test
    finished_lab
    sed -i 's/double sum = 0;/double sum = 0; float y[9]; if (n < 9) laid_out_center(y, x, 0, n);/' $lab/laid_out.c
    check
    refused_by progress "mean__gives_what_a_hand_computes ends as 'not written yet', expected 'passes'"
}

a_reference_that_fails_its_own_cases_is_reported() { # test
    finished_lab
    sed -i 's/x\[i\] - mean/x[i] - mean - 1/' $lab/laid_out.c
    check
    refused_by whole "center__takes_the_mean_from_every_number ends as 'wrong'"
}

a_mutant_that_survives_is_reported() { # test
    finished_lab
    mutant mean written_otherwise 'i < n' 'n > i'
    check
    refused_by mutants "written_otherwise: survives all 2 cases of mean"
}

a_mutant_that_does_not_fit_or_compile_is_reported() { # test
    finished_lab
    mutant mean none 'no such text' ''
    mutant center broken 'i < n' 'i <'
    check
    refused_by mutants "mean.mutants:18: does not stand in the exercise mean: no such text"
    refused_by mutants "broken: does not compile: expected expression"
}

a_mutant_that_only_crashes_is_rejected_and_marked() { # test
    finished_lab
    mutant mean far_away '(double)x[i]' '(double)x[i + 100000000]'
    check
    gave 0
    grep -q 'far_away .*(crash or time only)' out || complain "is not marked"
}

a_line_of_a_solution_that_is_given_away_is_reported() { # test
    finished_lab
    echo '// y[i]: for (size_t i = 0; i < n; i++) y[i] = x[i]  -  mean;' >>$lab/laid_out.h
    sed -i 's/One loop that writes/return (float)(sum\/(double)n), and/' $lab/lab.json
    check
    refused_by secrets "laid_out.h holds a line of the solution of center"
    refused_by hints "hint 3 of center holds a line of the solution of mean"
}

a_hint_that_says_nothing_is_reported() { # test
    finished_lab
    sed -i 's/"The idea. Every.*"/"Think."/; s/"the idea. Every.*"/"Think."/' $lab/lab.json
    check
    refused_by hints "hint 1 of mean is 'Think.'"
}

a_program_that_does_without_an_exercise_is_reported() { # test
    finished_lab
    sed -i 's/"id": "center",/& "run": "--help",/' $lab/lab.json # so that it ends before
    check
    refused_by program "center: laid_out --smoke --help never calls laid_out_center"
}

a_lab_of_another_folder_is_started_checked_and_run() { # test
    own_labs
    run "$LAB" start laid_out
    gave 0
    run "$LAB" check laid_out
    gave 1
    says out "not written yet"
    sed '/solution\|end /d' $lab/laid_out.c >mine/laid_out/laid_out.c
    run "$LAB" check laid_out
    gave 0
    run env OMP_NUM_THREADS=1 "$LAB" run laid_out --mine --smoke --out out_folder
    gave 0
    says out "mean of 1000 numbers"
}

run_sentence "$@"
