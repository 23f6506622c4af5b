#!/bin/sh
# The user's table: what probability prints for it, and for one that is broken or degenerate.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/probability" ] || skip "no LAPACK" "./lab setup"

says_row() { tr -s ' ' <out >rows && says rows "$1"; }
report() { run "$LAB" run probability --plot none --out results "$@"; }

one_column_is_described() { # test
    printf 'x\n2\n4\n4\n4\n5\n5\n7\n9\n' >t.csv
    report --csv t.csv
    gave 0
    says out 'mean 5, standard deviation 2.13809'
    says out 'minimum 2, quartiles 4, 4.5, 5.5, maximum 9'
    says_row 'Poisson 5 0'
}

two_columns_are_compared_by_the_two_sample_and_the_paired_test() { # test
    # "Student" 1908: p = 0.079394 and 0.0028329 in every textbook.
    printf 'first,second\n0.7,1.9\n-1.6,0.8\n-0.2,1.1\n-1.2,0.1\n-0.1,-0.1\n' >t.csv
    printf '3.4,4.4\n3.7,5.5\n0.8,1.6\n0,4.6\n2,3.4\n' >>t.csv
    report --csv t.csv --columns first,second
    gave 0
    says_row 'Welch, two samples -1.8608 17.776 0.079394'
    says_row 'paired, row by row -4.0621 9.000 0.0028329'
    says_row 'exponential: outside its support'
}

a_constant_column_is_compared_with_one_that_varies() { # test
    # a is 3; b has the mean 8/3 and the variance 13/3: t = (1/3) / sqrt(13/9) = 0.2774, df = 2.
    printf 'a,b\n3,1\n3,2\n3,5\n' >t.csv
    report --csv t.csv
    gave 0
    says out 'All 3 numbers are 3: zero variance, no confidence interval'
    says_row 'Welch, two samples 0.2774 2.000'
    says_row 'paired, row by row 0.2774 2.000'
    report --csv t.csv --columns b,a
    gave 0
    says_row 'Welch, two samples -0.2774 2.000'
}

columns_of_any_magnitude_are_described() { # test
    printf 'x,y\n1e-200,-1e200\n2e-200,0\n3e-200,1e200\n' >t.csv
    report --csv t.csv
    gave 0
    says out 'mean 2e-200, standard deviation 1e-200'
    says out 'mean 0, standard deviation 1e+200'
    says_row 'normal 2e-200 8.16497e-201'
}

a_broken_table_is_refused_with_its_place() { # test
    printf 'a,b\n1,2\n3\n' >ragged.csv
    printf 'a,b\n1,two\n' >text.csv
    printf 'a,b\n1,\n' >missing.csv
    report --csv ragged.csv
    gave 1
    says err 'ragged.csv:3:1: the row has 1 field, expected 2'
    report --csv text.csv --columns b
    gave 1
    says err 'text.csv:2:3: b is "two", expected a number'
    report --csv missing.csv
    gave 1
    says err 'missing.csv:2:3: b is missing'
}

degenerate_data_are_refused() { # test
    printf 'a,b,c\n3,1,2\n3,2,2\n3,5,7\n' >t.csv
    printf 'a\n7\n' >one.csv
    report --csv t.csv --columns a
    gave 1
    says err 'a: all 3 numbers are 3; zero variance cannot be tested'
    report --csv one.csv
    gave 1
    says err 'a: one number has no variance; expected at least two'
    report --csv t.csv
    gave 1
    says err '3 columns; name one or two of them with --columns'
    report --columns "$(printf 'a\033[31m')"
    gave 2
    says err 'columns a?[31m: expected --csv FILE'
}

run_sentence "$@"
