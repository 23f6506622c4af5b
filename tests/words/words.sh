#!/bin/sh
# words.sh -- no paraphrase where the field has a term: paraphrases.txt is the list, find.awk finds them.
# Needs ROOT (the checkout).
#     ROOT=$PWD sh tests/words/words.sh the_labs_use_standard_terms
# shellcheck disable=SC2016,SC2317 # the sentence is called by name
. "$ROOT/tests/driver/sentences.sh"

list=$ROOT/tests/words/paraphrases.txt
find_in() { run awk -f "$ROOT/tests/words/find.awk" "$list" "$@"; }
finds() { # line, phrase, term: in `out`
    [ "$status" = 1 ] || complain "exit status $status, expected 1"
    grep -q "^[^:]*:$1: \"$2\": write $3" out || complain "not found: $2 in line $1"
}

# Files with words in them. Not the list itself, and not names of models and GPUs.
sources() {
    find "$@" -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.md' -o -name '*.in' -o -name '*.html' \
        -o -name '*.mutants' -o -name 'lab.json' -o -name 'roadmap.json' -o -name '*.cmake' \
        -o -name CMakeLists.txt -o -path lab -o -path .ci/run \) ! -path 'tests/words/*' ! -path '*/facts/*' | LC_ALL=C sort
}

all_clean() { # folders and files
    cd "$ROOT"
    # shellcheck disable=SC2046 # no blanks in their names
    found=$(awk -f tests/words/find.awk tests/words/paraphrases.txt $(sources "$@")) && return
    printf '%s\n' "$found"
    echo "$(echo "$found" | wc -l) paraphrases: use the term, or see tests/words/paraphrases.txt"
    exit 1
}

the_core_and_the_driver_use_standard_terms() { # test
    all_clean bench common datasets kernels tests labs/driver labs/grader labs/roadmap.json README.md \
        CMakeLists.txt labs/CMakeLists.txt lab .ci
}

the_labs_use_standard_terms() { # test
    (cd "$ROOT" && ls -d labs/[0-9]*_*) >folders
    # shellcheck disable=SC2046
    all_clean $(cat folders)
}

a_paraphrase_is_found_in_prose_and_printed_text() { # test
    cat >lesson.md <<'END_OF_FILE'
The network learns its images by heart, and its images to
learn from are few.
END_OF_FILE
    find_in lesson.md
    finds 1 'by heart' overfit
    finds 2 'images to learn from' 'training set'
    [ "$(wc -l <out)" = 2 ] || complain "expected two"
    printf 'int main(void)\n{\n    puts("it goes both ways");    // learned By Heart\n}\n' >lab.c
    find_in lab.c
    finds 3 'both ways' bidirectional
    finds 3 'by heart' overfit
    echo 'tied: The network is taught backwards.' >tied.mutants
    find_in tied.mutants
    finds 1 'is taught' trained
}

a_paraphrase_is_found_in_identifiers_and_case_names() { # test
    printf 'static void tell_all(void)\n{\n    int wishCount = 0;\n}\n' >lab.c
    find_in lab.c
    finds 1 tell report
    finds 3 wish options
    printf 'a_mistake_is_told() { # test\n    echo told\n}\n' >cases.sh
    find_in cases.sh
    finds 1 told reported
    [ "$(wc -l <out)" = 1 ] || complain "expected one"
    echo >desk.h
    find_in desk.h
    finds 1 desk workspace
}

what_only_identifiers_may_not_be_is_fine_in_prose() { # test
    echo '// It tells the slope from the height; "nothing is said".' >lab.c
    echo 'The slope of the loss tells how far; degrees of freedom: 3.' >lesson.md
    echo 'double degrees_of_freedom;' >lab.h
    find_in lab.c lab.h lesson.md
    gave 0
}

an_image_is_allowed_after_its_term() { # test
    cat >lesson.md <<'END_OF_FILE'
It can overfit:
it learns its images by heart. <!-- image: by heart -->
It learns them by heart.
END_OF_FILE
    find_in lesson.md
    finds 3 'by heart' overfit
    [ "$(wc -l <out)" = 1 ] || complain "expected one"
}

an_image_before_its_term_is_refused() { # test
    printf '%s\n' 'It learns its images by heart. <!-- image: by heart -->' 'It can overfit.' >lesson.md
    find_in lesson.md
    gave 1
    says out 'lesson.md:1: "by heart" is marked as an image, but its term does not come before it: overfit'
}

a_paraphrase_of_one_folder_is_fine_in_another() { # test
    mkdir -p labs/grader labs/1_first
    echo 'int trials;' | tee labs/grader/a.c >labs/1_first/a.c
    find_in labs/grader/a.c labs/1_first/a.c
    finds 1 trials 'test process'
    [ "$(wc -l <out)" = 1 ] || complain "expected one"
}

a_broken_line_of_the_list_is_refused() { # test
    printf 'any | by heart\n' >list
    list=list
    echo >lesson.md
    find_in lesson.md
    gave 1
    says out 'list:1: expected KIND | PARAPHRASE | TERM'
}

run_sentence "$@"
