/* Tables: what a reader sees in a terminal. */
#include "common/table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("table", 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void expect_printed(const Table *table, int indent, const char *want)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    table_print(table, indent, stream);
    fclose(stream);
    assert_string_equal(text, want);
    free(text);
}

static void numbers_are_aligned_to_the_right_and_texts_to_the_left(void **state)
{
    (void)state;
    Table table = table_new(arena, "method|time [ms]|n");
    table_row(&table, "%s|%.1f|%d", "plain", 259.2, 7);
    table_row(&table, "%s|%.1f|%d", "by blocks", 4.62, 1000);
    expect_printed(&table, 2,
                   "  method      time [ms]      n\n"
                   "  plain           259.2      7\n"
                   "  by blocks         4.6   1000\n");
}

static void percentages_exponents_and_no_numbers_are_numbers(void **state)
{
    (void)state;
    Table table = table_new(arena, "a|b|c|words");
    table_row(&table, "%.1f %%|%.1e|%.1f|%d of them", 5.0, 1e-16, (double)NAN, 3);
    table_row(&table, "%.1f %%|%.1e|%.1f|%d of them", 15.0, -1.0, (double)-INFINITY, 30);
    expect_printed(&table, 0,
                   "     a          b      c   words\n"
                   " 5.0 %    1.0e-16    nan   3 of them\n"
                   "15.0 %   -1.0e+00   -inf   30 of them\n");
}

static void an_empty_cell_leaves_no_blanks_at_the_end_of_a_line(void **state)
{
    (void)state;
    Table table = table_new(arena, "x|note|y");
    table_row(&table, "1||");
    table_row(&table, "2|long note|3");
    expect_printed(&table, 0,
                   "x   note        y\n"
                   "1\n"
                   "2   long note   3\n");
}

static void a_table_without_headings_or_rows_is_printed_too(void **state)
{
    (void)state;
    Table bare = table_new(arena, "|"), empty = table_new(arena, "a|b");
    table_row(&bare, "seed|42");
    expect_printed(&bare, 1, " seed   42\n");
    expect_printed(&empty, 0, "a   b\n");
}

static void a_text_with_a_bar_or_control_characters_stays_in_its_cell(void **state)
{
    (void)state;
    Table table = table_new(arena, "column|value");
    table_row(&table, "%s|%d", "a|b\n\033[31m", 1);
    expect_printed(&table, 0,
                   "column      value\n"
                   "a|b??[31m       1\n");
}

static void letters_beyond_ascii_take_one_column(void **state)
{
    (void)state;
    Table table = table_new(arena, "name|x");
    table_row(&table, "%s|1", "M\xc3\xbcller");
    expect_printed(&table, 0,
                   "name     x\n"
                   "M\xc3\xbcller   1\n");
}

static void a_row_too_wide_for_the_terminal_becomes_lines(void **state)
{
    (void)state;
    Table table = table_new(arena, "method|time [ms]|what it does");
    table_row(&table, "blocked|1.5|keeps a tile in the cache");
    table_row(&table, "plain||follows the definition");
    setenv("COLUMNS", "48", 1);
    expect_printed(&table, 2,
                   "  method   time [ms]  what it does\n"
                   "  blocked        1.5  keeps a tile in the cache\n"
                   "  plain               follows the definition\n");
    setenv("COLUMNS", "40", 1);
    expect_printed(&table, 2,
                   "  method blocked\n"
                   "    time [ms]     1.5\n"
                   "    what it does  keeps a tile in the cache\n"
                   "  method plain\n"
                   "    what it does  follows the definition\n");
    unsetenv("COLUMNS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_aligned_to_the_right_and_texts_to_the_left),
        cmocka_unit_test(percentages_exponents_and_no_numbers_are_numbers),
        cmocka_unit_test(an_empty_cell_leaves_no_blanks_at_the_end_of_a_line),
        cmocka_unit_test(a_table_without_headings_or_rows_is_printed_too),
        cmocka_unit_test(a_text_with_a_bar_or_control_characters_stays_in_its_cell),
        cmocka_unit_test(letters_beyond_ascii_take_one_column),
        cmocka_unit_test(a_row_too_wide_for_the_terminal_becomes_lines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
