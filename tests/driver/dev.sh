#!/bin/sh
# `lab dev`: a new lab is laid out whole and builds; each gate refuses what it has to refuse.
# Needs LAB (the program, with the lab laid_out built from the template beside it) and ROOT.
# shellcheck disable=SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

# A folder of labs with the template's lab in it, for LAB_PATH, and a scratch of its own.
own_labs() {
    export LAB_MINE="$scratch/mine"
    "$LAB" dev new 1_foundations placeholder --in house >/dev/null
    export LAB_PATH="$scratch/house"
    lab=house/1_foundations/laid_out # a target of the build: the program refuses the name
    mv house/1_foundations/placeholder $lab
    for file in "$lab"/placeholder.*; do mv "$file" "$lab/laid_out.${file##*.}"; done
    find $lab -type f -exec sed -i 's/placeholder/laid_out/g' {} +
}

mutant() { # exercise, name, old, new
    printf '\n%s [formula]: It is a test.\n- %s\n+ %s\n' "$2" "$3" "$4" >>"$lab/mutants/$1.mutants"
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

a_new_lab_passes_all_gates() { # test
    own_labs
    check
    gave 0
    says out "laid_out holds"
    grep -qE '  formula +divided_by_variance +gives_what_a_hand_computes' out || complain "no line for a mutant"
    run "$LAB" dev check laid_out --json
    gave 0
    says out '"holds":	true'
    says out '"first":	"gives_what_a_hand_computes"'
}

a_line_that_waits_to_be_replaced_is_found() { # test
    own_labs
    echo 'REPLACE: what the title promises' >>"$lab/README.md"
    check
    refused_by words "REPLACE: what the title promises"
    says out "next  LAB_PATH=$LAB_PATH ./lab dev check laid_out"
    [ "$(grep -c ' ok ' out)" = 8 ] || complain "expected the other gates to hold"
}

an_exercise_with_few_mutants_is_found() { # test
    own_labs
    sed -i '/^sum_in_float/,$d' "$lab/mutants/standardize.mutants"
    check
    refused_by mutants "standardize has 3 mutants, expected 4 or more"
}

a_kind_without_a_mutant_and_an_unknown_kind_are_found() { # test
    own_labs
    sed -i '1s/, boundary//' "$lab/mutants/standardize.mutants"
    sed -i 's/tie_counts .boundary./tie_counts [edge]/' "$lab/mutants/accuracy.mutants"
    check
    refused_by mutants "standardize has no mutant of the kinds boundary: add one of each"
    refused_by mutants "there is no kind 'edge': expected one of formula, contract,"
    refused_by mutants "accuracy has no mutant of the kinds boundary"
    sed -i '1s/shape/size/' "$lab/mutants/standardize.mutants"
    check
    refused_by mutants "last_number_left_out is of the kind 'size', which line 1 says is not applicable"
}

an_unknown_stage_or_an_invalid_name_is_refused() { # test
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
    for name in Som 3som so-m so.m ../som double kernels autoencoder math string unistd png bool typeof m gomp \
        test_rng bench_sgemm keynumbers ''; do
        run "$LAB" dev new 2_core "$name" --in house
        gave 2
    done
    says err "a lab cannot be called ''"
    run "$LAB" dev new 2_core math --in house
    says err "a lab cannot be called 'math': <math.h> would be its header"
    run "$LAB" dev new 2_core test_rng --in house
    says err "a lab cannot be called 'test_rng': the build has a target of that name"
    [ ! -e house ] || complain "a refused lab was laid out"
    run "$LAB" dev new 2_core autoencoder
    says err "there is a lab 'autoencoder' already"
    run "$LAB" dev new 2_core
    gave 2
    run "$LAB" dev
    gave 2
}

an_existing_folder_is_not_changed() { # test
    mkdir -p house/2_core/som
    echo mine >house/2_core/som/file
    run "$LAB" dev new 2_core som --in house
    gave 1
    says err "som already exists"
    [ "$(find house -type f)" = house/2_core/som/file ] || complain "$(find house)"
}

a_failed_write_leaves_nothing_behind() { # test
    mkdir house
    : >house/2_core # no folder
    run "$LAB" dev new 2_core som --in house
    gave 1
    [ "$(ls -A house)" = 2_core ] || complain "$(ls -A house)"
}

differing_names_are_reported() { # test
    own_labs
    sed -i 's/accuracy/precision/g' $lab/README.md
    sed -i 's/float laid_out_accuracy/float laid_out_precision/' $lab/laid_out.h
    check
    refused_by agree "laid_out.h does not declare laid_out_accuracy"
    refused_by agree "README.md does not mention accuracy"
}

a_case_without_an_exercise_and_an_exercise_without_a_case_are_reported() { # test
    own_labs
    sed -i 's/"id": "accuracy"/"id": "share"/' $lab/lab.json
    sed -i 's,\(// [a-z]*\) accuracy,\1 share,' $lab/laid_out.c
    check
    refused_by agree "the case accuracy__counts_a_tie_as_a_miss belongs to no exercise"
    refused_by agree "share has no case"
    says out "not looked at"
}

unclosed_marks_are_reported() { # test
    own_labs
    sed -i '/end standardize/d' $lab/laid_out.c
    check
    refused_by agree " house/1_foundations/laid_out/laid_out.c:"
    says out "laid_out: 2 exercises, 13 cases"
    never_says out "0 mutants"
}

a_warning_in_the_skeleton_is_reported() { # test
    own_labs
    sed -i 's,    // solution standardize,    int forgotten;\n&,' $lab/laid_out.c
    check
    refused_by skeleton "says: error: unused variable 'forgotten'"
    [ "$(grep -c "unused variable" out)" = 1 ] || complain "expected it once"
}

a_skeleton_that_returns_is_reported() { # test
    own_labs
    sed -i 's,    // solution standardize,    if (n > 100000) {\n&,; s,    // end standardize,&\n    },' $lab/laid_out.c
    check
    refused_by skeleton "although standardize is blank: it has to call laid_out_standardize"
}

an_exercise_that_needs_a_later_one_is_reported() { # test
    own_labs
    sed -i 's/double mean = /if (n < 9) laid_out_accuracy(x, (int32_t[]){0}, 1, 1);\n    &/' $lab/laid_out.c
    check
    refused_by progress "standardize__gives_what_a_hand_computes ends as 'not written yet', expected 'passes'"
}

a_reference_that_fails_its_own_cases_is_reported() { # test
    own_labs
    sed -i 's/ - mean) . deviation/&+1/' $lab/laid_out.c
    check
    refused_by whole "standardize__gives_what_a_hand_computes ends as 'wrong'"
}

a_mutant_that_survives_is_reported() { # test
    own_labs
    mutant accuracy written_otherwise 'b < B' 'B > b'
    check
    refused_by mutants "written_otherwise: survives all 4 cases of accuracy"
}

a_mutant_that_does_not_fit_or_compile_is_reported() { # test
    own_labs
    mutant standardize none 'no such text' ''
    mutant standardize broken 'sum / (double)n' ''
    check
    ! grep -v ^next out | grep -q "$scratch" || complain "an absolute path among relative ones"
    refused_by mutants "standardize.mutants:52: does not stand in the exercise standardize: no such text"
    refused_by mutants "broken: does not compile: expected expression"
}

a_mutant_that_only_crashes_is_rejected_and_marked() { # test
    own_labs
    mutant accuracy far_away 'labels[b]' 'labels[b + 100000000]'
    check
    gave 0
    grep -q 'far_away .*(crash or time only)' out || complain "is not marked"
}

a_mutant_that_is_a_blank_is_reported() { # test
    own_labs
    mutant accuracy blank 'size_t correct = 0;' 'size_t correct = 0; LAB_TODO(accuracy);'
    check
    refused_by mutants "blank: is LAB_TODO"
}

a_line_of_a_solution_that_is_given_away_is_reported() { # test
    own_labs
    echo '// double deviation = sqrt(squares  /  (double)n);' >>$lab/laid_out.h
    sed -i 's/A row starts as correct/double mean = sum \/(double)n;/' $lab/lab.json
    check
    refused_by secrets "laid_out.h holds a line of the solution of standardize"
    refused_by hints "hint 3 of accuracy holds a line of the solution of standardize"
}

a_hint_that_says_nothing_is_reported() { # test
    own_labs
    sed -i 's/"Move the numbers.*"/"Think."/' $lab/lab.json
    check
    refused_by hints "hint 1 of standardize is 'Think.'"
}

a_program_that_does_without_an_exercise_is_reported() { # test
    own_labs
    sed -i 's/"id": "accuracy",/& "run": "--help",/' $lab/lab.json # so that it ends before
    check
    refused_by program "accuracy: laid_out --smoke --help never calls laid_out_accuracy"
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
    says out "test accuracy"
}

run_sentence "$@"
