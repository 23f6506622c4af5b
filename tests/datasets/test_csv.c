/* The CSV reader: what it reads, and that every fault is refused with file, line and column. */
#include "datasets/csv.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

// Writes the bytes to a file, reads it, and removes it. The file's folder is cut off the message.
static bool reads(Arena *keep, Csv *csv, const char *bytes, size_t size, const char *columns,
                  Error *err)
{
    char path[] = "/tmp/lab-csv-XXXXXX";
    int handle = mkstemp(path);
    FILE *file = fdopen(handle, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    bool ok = csv_read(keep, csv, path, columns, err);
    unlink(path);
    if (!ok) {
        assert_memory_equal(err->message, path, strlen(path));
        memmove(err->message, err->message + strlen(path), strlen(err->message + strlen(path)) + 1);
    }
    return ok;
}

static void expect(const char *text, const char *columns, int rows, int width, const double *want)
{
    Arena *keep = arena_new("csv", 1u << 20);
    Error err = {""};
    Csv csv;
    if (!reads(keep, &csv, text, strlen(text), columns, &err)) fail_msg("refused: %s", err.message);
    assert_int_equal(csv.rows, rows);
    assert_int_equal(csv.columns, width);
    for (int i = 0; i < rows * width; i++)
        if (csv.values[i] != want[i])
            fail_msg("value %d is %g, expected %g", i, csv.values[i], want[i]);
    arena_free(keep);
}

static void refuses(const char *text, const char *columns, const char *sentence)
{
    Arena *keep = arena_new("csv", 1u << 20);
    Error err = {""};
    Csv csv;
    if (reads(keep, &csv, text, strlen(text), columns, &err))
        fail_msg("was accepted; expected \"%s\"", sentence);
    assert_string_equal(err.message, sentence);
    arena_free(keep);
}

static void columns_come_in_the_order_in_which_they_are_asked_for(void **state)
{
    (void)state;
    expect("area,rooms,price\n50,2,100\n80,3,170\n", "price,area", 2, 2,
           (double[]){100, 50, 170, 80});
    expect("area,rooms,price\n50,2,100\n", " price , area ", 1, 2, (double[]){100, 50});
}

static void tabs_and_semicolons_separate_where_no_comma_does(void **state)
{
    (void)state;
    expect("a;b\n1;2\n3;4\n", NULL, 2, 2, (double[]){1, 2, 3, 4});
    expect("\xEF\xBB\xBF\n\"a, m\";\"b;c\"\r\n1;2\r\n", "\"a, m\",b;c", 1, 2, (double[]){1, 2});
    expect("a\tb c\td\n 1 \t 2\t3\n\t5\t4", "d,b c", 2, 2, (double[]){3, 2, 4, 5});
    expect("note\ta\tb\n\t1\t2\nx;y, z\t3\t4\n", "a,b", 2, 2, (double[]){1, 2, 3, 4});
    expect("weight; kg,b\n1,2\n", "weight; kg", 1, 1, (double[]){1});
    expect("a\t\n1\n2\n", NULL, 2, 1, (double[]){1, 2});
    refuses("a;b\n1,5;2\n", NULL,
            ":2:1: a is \"1,5\", expected a number with a decimal point and no commas");
    refuses("a;b\n12\n", NULL, ":2:1: the row has 1 field, expected 2 separated by semicolons");
    refuses("a\tb\n1\t2\t3\n", NULL, ":2:1: the row has 3 fields, expected 2 separated by tabs");
    refuses("a\tb\n\"1\"2\t3\n", NULL,
            ":2:4: a quote inside a field: expected \"\" in a quoted field, or a tab");
}

static void a_name_with_a_comma_is_asked_for_in_quotes(void **state)
{
    (void)state;
    const char *text = "\"size, m2\",b,\"5\"\" pipes\"\n1,2,3\n";
    expect(text, "b, \"size, m2\" ", 1, 2, (double[]){2, 1});
    expect(text, "\"5\"\" pipes\",\"b\"", 1, 2, (double[]){3, 2});
    refuses(text, "size, m2",
            ":1:1: there is no column \"size\"; there are \"size, m2\", b, \"5\"\" pipes\"");
    refuses(text, "\"size, m2", ":1:1: the columns asked for: a quote is never closed");
    refuses(text, "\"b\"b", ":1:1: the columns asked for: expected a comma after \"b\"");
}

static void all_columns_are_read_when_none_is_named(void **state)
{
    (void)state;
    expect("a,b\n1,2\n3,4\n", NULL, 2, 2, (double[]){1, 2, 3, 4});
    expect("a\n1\n", NULL, 1, 1, (double[]){1});
}

static void names_are_kept(void **state)
{
    (void)state;
    Arena *keep = arena_new("csv", 1u << 20);
    const char *text = "\"size, m2\",b\n1,2\n";
    Error err;
    Csv csv;
    assert_true(reads(keep, &csv, text, strlen(text), NULL, &err));
    assert_string_equal(csv.names[0], "size, m2");
    assert_string_equal(csv.names[1], "b");
    arena_free(keep);
}

static void names_are_fit_to_be_shown(void **state)
{
    (void)state;
    const char *text = ",\"a\033[31m\n!\", \xFF\n1,2,3\n";
    Csv csv;
    Error err;
    Arena *keep = arena_new("test", 1u << 20);
    assert_true(reads(keep, &csv, text, strlen(text), NULL, &err));
    assert_string_equal(csv.names[0], "column 1");
    assert_string_equal(csv.names[1], "a?[31m?!");
    assert_string_equal(csv.names[2], "?");
    assert_true(reads(keep, &csv, text, strlen(text), "a\033[31m\n!,column 1", &err));
    assert_true(csv.values[0] == 2 && csv.values[1] == 1);
    arena_free(keep);
}

static void quotes_crlf_blanks_and_a_missing_last_newline_are_read(void **state)
{
    (void)state;
    expect("a,b\r\n\"1\", 2 \r\n3,\"4\"", NULL, 2, 2, (double[]){1, 2, 3, 4});
    expect("\n\na,b\n\n1,2\n\n", NULL, 1, 2, (double[]){1, 2});
    expect("name,x\n\"Smith, \"\"J.\"\"\nof York\",5\n", "x", 1, 1, (double[]){5});
    expect("\xEF\xBB\xBF"
           "a,b\n1,2\n",
           "a", 1, 1, (double[]){1});
}

static void numbers_are_read_to_the_last_digit(void **state)
{
    (void)state;
    expect("x\n-1.5e-3\n+7\n.5\n0.1\n1e308\n", "x", 5, 1, (double[]){-1.5e-3, 7, 0.5, 0.1, 1e308});
}

static void other_columns_may_hold_anything(void **state)
{
    (void)state;
    expect("name,x,y\nAnn,1,\n,2,n/a\n", "x", 2, 1, (double[]){1, 2});
}

static void many_rows_are_read(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    char *text = malloc(16 * ROWS), *end = text + sprintf(text, "i,square\n");
    double *want = malloc(sizeof *want * 2 * ROWS);
    for (int i = 0; i < ROWS; i++) {
        end += sprintf(end, "%d,%d\n", i, i * i);
        want[2 * i] = i;
        want[2 * i + 1] = i * i;
    }
    expect(text, NULL, ROWS, 2, want);
    free(text);
    free(want);
}

static void a_ragged_row_is_refused_with_its_line(void **state)
{
    (void)state;
    refuses("a,b\n1,2\n3\n", NULL, ":3:1: the row has 1 field, expected 2");
    refuses("a,b\n1,2,3\n", NULL, ":2:1: the row has 3 fields, expected 2");
    refuses("a,b\r\n1,2\r\n3,4,5", NULL, ":3:1: the row has 3 fields, expected 2");
}

static void text_in_a_column_of_numbers_is_refused_with_its_place(void **state)
{
    (void)state;
    refuses("area,price\n50,n/a\n", NULL, ":2:4: price is \"n/a\", expected a number");
    refuses("area,price\n50,12 000\n", NULL, ":2:4: price is \"12 000\", expected a number");
    refuses("x\n1\n\n0x10\n", NULL, ":4:1: x is \"0x10\", expected a number");
    refuses("x\r\n1\r\nnan\r\n", NULL, ":3:1: x is \"nan\", expected a number");
    refuses("n,x\n\"two\nlines\",-\n", "x", ":3:8: x is \"-\", expected a number");
    refuses("x,y\n\"1\n2\",3\n", NULL, ":2:1: x is \"1?2\", expected a number");
    refuses("x,y\n   \n1,2\n3,z\n", NULL, ":4:3: y is \"z\", expected a number");
    refuses("x\n1e999\n", NULL, ":2:1: x is 1e999, too large for a double");
}

static void a_missing_value_is_refused_with_its_place(void **state)
{
    (void)state;
    refuses("a,b,c\n1,2,3\n4,,6\n", NULL, ":3:3: b is missing");
    refuses("a,b\n1,2\n3,\n", "b", ":3:3: b is missing");
    refuses("a,b\n,2\n", NULL, ":2:1: a is missing");
}

static void an_unknown_name_is_refused_with_the_known_ones(void **state)
{
    (void)state;
    refuses("area,price\n1,2\n", "prise",
            ":1:1: there is no column \"prise\"; there are area, price");
    refuses("area;price\n1;2\n", "prise",
            ":1:1: there is no column \"prise\"; there are area, price");
    refuses("a,b\n1,2\n", "a,", ":1:1: there is no column \"\"; there are a, b");
}

static void a_name_that_stands_twice_is_refused(void **state)
{
    (void)state;
    refuses("a,b,a\n1,2,3\n", "a", ":1:1: two columns are called \"a\"");
    refuses("a,b\n1,2\n", "a,a", ":1:1: column \"a\" was asked for twice");
}

static void a_file_without_rows_is_refused(void **state)
{
    (void)state;
    refuses("", NULL, ": is empty, expected a row of names");
    refuses("\n\n", NULL, ": is empty, expected a row of names");
    refuses("a,b\n", NULL, ": has no row below its names");
}

static void quotes_out_of_place_are_refused(void **state)
{
    (void)state;
    refuses("a,b\n1,\"2\n3,4\n", NULL, ":2:3: a quote that opens here is never closed");
    refuses("a,b\n1,2\"3\n", NULL,
            ":2:4: a quote inside a field: expected \"\" in a quoted field, or a comma");
}

static void a_file_that_is_not_text_is_refused(void **state)
{
    (void)state;
    Arena *keep = arena_new("csv", 1u << 20);
    Error err = {""};
    Csv csv;
    assert_false(reads(keep, &csv, "a\n1\0\n", 6, NULL, &err));
    assert_string_equal(err.message, ":2:2: a byte of 0: this is not a text file");
    assert_false(csv_read(keep, &csv, "/nonexistent/file.csv", NULL, &err));
    assert_string_equal(err.message, "/nonexistent/file.csv: No such file or directory");
    assert_false(csv_read(keep, &csv, "/tmp", NULL, &err));
    assert_string_equal(err.message, "/tmp: is a folder, expected a file");
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_in_the_order_in_which_they_are_asked_for),
        cmocka_unit_test(tabs_and_semicolons_separate_where_no_comma_does),
        cmocka_unit_test(a_name_with_a_comma_is_asked_for_in_quotes),
        cmocka_unit_test(all_columns_are_read_when_none_is_named),
        cmocka_unit_test(names_are_kept),
        cmocka_unit_test(names_are_fit_to_be_shown),
        cmocka_unit_test(quotes_crlf_blanks_and_a_missing_last_newline_are_read),
        cmocka_unit_test(numbers_are_read_to_the_last_digit),
        cmocka_unit_test(other_columns_may_hold_anything),
        cmocka_unit_test(many_rows_are_read),
        cmocka_unit_test(a_ragged_row_is_refused_with_its_line),
        cmocka_unit_test(text_in_a_column_of_numbers_is_refused_with_its_place),
        cmocka_unit_test(a_missing_value_is_refused_with_its_place),
        cmocka_unit_test(an_unknown_name_is_refused_with_the_known_ones),
        cmocka_unit_test(a_name_that_stands_twice_is_refused),
        cmocka_unit_test(a_file_without_rows_is_refused),
        cmocka_unit_test(quotes_out_of_place_are_refused),
        cmocka_unit_test(a_file_that_is_not_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
