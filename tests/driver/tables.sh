#!/bin/sh
# A table of the user's own: what linear_algebra says of it, and of one that is broken.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/linear_algebra" ] || skip "no LAPACK" "./lab setup"

algebra() { run "$LAB" run linear_algebra --plot none --out results "$@"; }

a_line_through_a_table_is_written_out() { # test
    printf 'x,y\n0,2\n1,5\n4,14\n' >t.csv
    algebra --csv t.csv
    gave 0
    says out 'y = 2 + 3 x'
    says out 'R squared 1.000'
    grep -qE '^ +1 +100\.0 %' out || complain 'no explained variance of the first component'
}

a_column_is_fitted_by_several_others() { # test
    printf 'age;no,area,name,price\n' >t.csv
    printf '%s\n' '1,10,Ann,27' '5,20,"B, C",35' '2,50,,104' '9,30,,43' >>t.csv
    algebra --csv t.csv --columns 'area,age;no,price'
    gave 0
    says out 'price = 10 + 2 area - 3 age;no'
}

a_curve_is_fitted_where_a_degree_is_asked_for() { # test
    printf 'x,y\r\n-1,2\r\n0,1\r\n1,2\r\n2,5\r\n' >t.csv
    algebra --csv t.csv --degree 2
    gave 0
    says out 'x^2'
    says out 'R squared 1.000'
}

columns_of_very_different_units_are_fitted() { # test
    # y = 1 + 2e9 a + 3e-6 b: independent, near 1e-9 and 1e6.
    printf 'a,b,y\n1e-9,1e6,6\n2e-9,3e6,14\n3e-9,2e6,13\n4e-9,5e6,24\n' >t.csv
    algebra --csv t.csv
    gave 0
    says out 'y = 1 + 2e+09 a + 3e-06 b'
}

a_line_far_from_the_origin_is_written_around_its_centre() { # test
    # y = 20 + (t - 1700000000) / 60: a line without its centre would need ten digits.
    printf 't,y\n' >t.csv
    for minute in 0 1 2 3 4 5 6 7 8; do
        echo "$((1700000000 + 60 * minute)),$((20 + minute))" >>t.csv
    done
    algebra --csv t.csv
    gave 0
    says out 'y = 23.3333 + 0.0166667 (t - 1700000200)'
    says out 'R squared 1.000'
}

a_table_of_another_separator_is_read() { # test
    printf 'x;"y, net"\r\n0;2\r\n1;5\r\n4;14\r\n' >t.csv
    algebra --csv t.csv --columns 'x,"y, net"'
    gave 0
    says out 'y, net = 2 + 3 x'
    printf 'x\ty\n0\t2\n1\t5\n4\t14\n' >t.tsv
    algebra --csv t.tsv
    gave 0
    says out 'y = 2 + 3 x'
    printf 'x;y\n0;2\n1,5;5\n' >t.csv
    algebra --csv t.csv
    gave 1
    says err 't.csv:3:1: x is "1,5", expected a number with a decimal point and no commas'
}

numbers_close_to_each_other_keep_their_digits() { # test
    printf 't\n1700000000\n1700000100\n1700000200\n1700000300\n' >t.csv
    run "$LAB" run probability --plot none --out results --csv t.csv
    gave 0
    says out 'mean 1700000150, standard deviation 129.099'
    says out 'minimum 1700000000, quartiles 1700000075, 1700000150, 1700000225, maximum 1700000300'
    says out '[1699999944.6, 1700000355.4]'
    printf 't\n0.1\n0.1\n0.1\n' >t.csv
    run "$LAB" run probability --plot none --out results --csv t.csv
    gave 1
    says err 't: all 3 numbers are 0.1; zero variance cannot be tested'
}

a_line_to_numbers_close_to_each_other_keeps_their_digits() { # test
    printf 'x,t\n1,1700000060\n2,1700000120\n3,1700000180\n4,1700000240\n' >t.csv
    algebra --csv t.csv
    gave 0
    says out 't = 1700000000 + 60 x'
    # Floats near 1.7e9 are 128 apart: the plot's are from 1700000150.
    grep -q '^1,-90,"rows"$' results/table_fit.csv || complain "$(head -3 results/table_fit.csv)"
}

a_table_of_any_magnitude_is_fitted() { # test
    printf 'x,y\n0,2e200\n1e-200,5e200\n4e-200,14e200\n' >t.csv
    algebra --csv t.csv
    gave 0
    says out 'R squared 1.000'
    printf 'x,y\n0,2e-170\n1e-170,5e-170\n4e-170,14e-170\n' >t.csv
    algebra --csv t.csv
    gave 0
    says out 'y = 2e-170 + 3 x'
    says out 'R squared 1.000'
}

a_broken_table_is_refused_with_its_place() { # test
    printf 'a,b\n1,2\n3\n' >ragged.csv
    printf 'a,b\n1,two\n' >text.csv
    printf 'a,b\n1,\n' >missing.csv
    algebra --csv ragged.csv
    gave 1
    says err 'ragged.csv:3:1: the row has 1 field, expected 2'
    algebra --csv text.csv
    gave 1
    says err 'text.csv:2:3: b is "two", expected a number'
    algebra --csv missing.csv
    gave 1
    says err 'missing.csv:2:3: b is missing'
    algebra --csv missing.csv --columns a,c
    gave 1
    says err 'there is no column "c"; there are a, b'
    algebra --csv nothing.csv
    gave 1
    says err 'nothing.csv: No such file'
}

a_table_that_determines_nothing_is_refused() { # test
    printf 'a,b\n1,2\n1,3\n1,5\n' >constant.csv
    printf 'a,b,c\n1,2,3\n4,5,7\n' >few.csv
    algebra --csv constant.csv
    gave 1
    says err 'b cannot be fitted: a column is constant, or follows from the others'
    algebra --csv few.csv
    gave 1
    says err 'has 2 rows; a fit of 3 coefficients needs as many'
    algebra --csv few.csv --columns a
    gave 1
    says err 'one column alone'
    algebra --columns "$(printf 'a\033[31m')"
    gave 2
    says err 'columns a?[31m: expected --csv FILE'
}

run_sentence "$@"
