/* Confusion matrices: the numbers of the table, the cells of the picture. */
#include "common/confusion.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 26);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static Confusion five(void)
{
    static const char *const names[] = {"cat", "dog", "owl", "fox", "bee"};
    static const int counts[] = {6, 1, 2, 2, 1,     // label cat
                                 0, 4, 0, 0, 0,     // dog
                                 0, 0, 0, 0, 0,     // owl: none
                                 3, 0, 0, 1, 0,     // fox
                                 0, 0, 0, 0, 7};    // bee
    Confusion confusion = confusion_new(arena, 5, names);
    for (int i = 0; i < 25; i++) assert_int_equal(confusion.counts[i], 0);
    memcpy(confusion.counts, counts, sizeof counts);
    return confusion;
}

static void assert_row(const TableRow *row, const char *const cells[5])
{
    for (int c = 0; c < 5; c++) assert_string_equal(row->cells[c], cells[c]);
}

static void the_table_has_recall_precision_and_the_most_frequent_errors(void **state)
{
    (void)state;
    Confusion confusion = five();
    Table table = confusion_table(arena, &confusion);
    const TableRow *row = table.first;
    assert_int_equal(table.rows, 5);
    assert_row(row, (const char *[]){"cat", "12", "50.00", "66.67", "owl (2), fox (2), dog (1)"});
    row = row->next;
    assert_row(row, (const char *[]){"dog", "4", "100.00", "80.00", ""});
    row = row->next;
    assert_row(row, (const char *[]){"owl", "0", "", "0.00", ""});
    row = row->next;
    assert_row(row, (const char *[]){"fox", "4", "25.00", "33.33", "cat (3)"});
}

static const uint8_t *cell(const Picture *picture, int left, int row, int column)
{
    int x = left + column * 56 + 2, y = 24 + row * 56 + 2;
    return picture->rgb + 3 * (y * picture->width + x);
}

static void the_diagonal_is_blue_and_errors_are_red(void **state)
{
    (void)state;
    Confusion confusion = five();
    const Picture *picture = confusion_picture(arena, &confusion);
    int left = picture_text_width("cat", 2) + 16;
    assert_memory_equal(cell(picture, left, 4, 4), ((uint8_t[]){128, 128, 255}), 3);    // the most
    assert_memory_equal(cell(picture, left, 3, 0), ((uint8_t[]){255, 128, 128}), 3);
    assert_memory_equal(cell(picture, left, 1, 0), ((uint8_t[]){255, 255, 255}), 3);
    const uint8_t *few = cell(picture, left, 0, 1);
    assert_int_equal(few[0], 255);
    assert_in_range(few[1], 190, 200);    // 1 of 3
}

static void a_picture_of_many_classes_is_not_too_large(void **state)
{
    (void)state;
    const char *names[256];
    for (int c = 0; c < 256; c++) names[c] = "a name that is long";
    Confusion confusion = confusion_new(arena, 256, names);
    assert_true(confusion_picture(arena, &confusion)->width <= 256 * 8 + 16);
    confusion.classes = 13;
    assert_int_equal(confusion_picture(arena, &confusion)->width, 19 * 12 + 16 + 13 * 28 + 8);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_table_has_recall_precision_and_the_most_frequent_errors),
        CASE(the_diagonal_is_blue_and_errors_are_red),
        CASE(a_picture_of_many_classes_is_not_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
