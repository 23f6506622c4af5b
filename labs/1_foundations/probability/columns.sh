#!/bin/sh
# A table of the user's own: what probability says of it, and of one that is broken or says nothing.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/probability" ] || skip "no LAPACK" "./lab setup"

told() { run "$LAB" run probability --plot none --out results "$@"; }

one_column_is_described() { # test
    printf 'x\n2\n4\n4\n4\n5\n5\n7\n9\n' >t.csv
    told --csv t.csv
    gave 0
    says out 'mean 5, deviation 2.13809'
    says out 'least 2, quarters 4, 4.5, 5.5, largest 9'
    says out 'as Poisson      5'
}

two_columns_are_compared_as_samples_and_row_by_row() { # test
    # "Student" 1908: p = 0.079394 and 0.0028329 in every textbook.
    printf 'first,second\n0.7,1.9\n-1.6,0.8\n-0.2,1.1\n-1.2,0.1\n-0.1,-0.1\n' >t.csv
    printf '3.4,4.4\n3.7,5.5\n0.8,1.6\n0,4.6\n2,3.4\n' >>t.csv
    told --csv t.csv --columns first,second
    gave 0
    says out 't -1.8608, freedom 17.776, p 0.079394'
    says out 't -4.0621, freedom 9.000, p 0.0028329'
    says out 'as exponential  impossible'
}

a_broken_table_is_refused_with_its_place() { # test
    printf 'a,b\n1,2\n3\n' >ragged.csv
    printf 'a,b\n1,two\n' >text.csv
    printf 'a,b\n1,\n' >missing.csv
    told --csv ragged.csv
    gave 1
    says err 'ragged.csv:3:1: the row has 1 fields, expected 2'
    told --csv text.csv --columns b
    gave 1
    says err 'text.csv:2:3: b is "two", expected a number'
    told --csv missing.csv
    gave 1
    says err 'missing.csv:2:3: b is missing'
}

numbers_that_say_nothing_are_refused() { # test
    printf 'a,b,c\n3,1,2\n3,2,2\n3,5,7\n' >t.csv
    printf 'a\n7\n' >one.csv
    told --csv t.csv --columns b,a
    gave 1
    says err 'a: all 3 numbers are 3; without spread there is nothing to test'
    told --csv one.csv
    gave 1
    says err 'a: one number has no spread; give two at least'
    told --csv t.csv
    gave 1
    says err '3 columns; name one or two of them with --columns'
    told --columns a
    gave 2
    says err 'expected --csv FILE'
}

run_sentence "$@"
