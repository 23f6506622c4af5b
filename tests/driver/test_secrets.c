/* secrets.h: a line of a solution is found in any layout, and what everybody writes is none. */
#include "labs/driver/secrets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char REFERENCE[] = "void add(float *y, const float *x, int n)\n"
                                "{\n"
                                "    // solution add\n"
                                "    int i = 0;\n"
                                "    for (int k = 0; k < n; k++) {\n"
                                "        y[k] = x[k] + y[k] / 2;    // half of the old\n"
                                "    }\n"
                                "    // end add\n"
                                "}\n"
                                "void both(float *y, const float *x, int n)\n"
                                "{\n"
                                "    // solution both\n"
                                "    y[k] = x[k] + y[k]/2;\n"
                                "    y[0] = expf(x[0]) - 1;\n"
                                "    for (int k = 0; k < n; k++) y[k] = sqrtf(fabsf(x[k]));\n"
                                "    // end both\n"
                                "}\n";

static Exercise exercises[] = {{.id = "add", .function = "add"},
                               {.id = "both", .function = "both"}};

static Arena *arena;
static Secrets secrets;

static int set_up(void **state)
{
    (void)state;
    static const Lab lab = {.id = "tiny", .exercises = exercises, .exercise_count = 2};
    Source reference;
    arena = arena_new("test", 16u << 20);
    source_parse(arena, &lab, "tiny.c", REFERENCE, &reference);
    secrets = secrets_collect(arena, &lab, &reference);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int count(int solved, const char *text)
{
    int found = 0;
    const Secret *last = NULL;
    while ((last = secrets_find(arena, &secrets, last, solved, text)) != NULL) found++;
    return found;
}

static void formatting_and_comments_do_not_hide_a_line(void **state)
{
    (void)state;
    assert_int_equal(count(0, "write y[0]=expf( x[0] )\n   - 1 there"), 1);
    assert_int_equal(count(0, "y[k] = x[k] + y[k] / 2;"), 2);
    assert_int_equal(count(0, "y[0] = expf(x[1]) - 1;"), 0);
}

static void common_lines_are_not_secrets(void **state)
{
    (void)state;
    assert_int_equal(count(0, "int i = 0;\nfor (int k = 0; k < n; k++) {\n}\n"), 0);
}

static void what_a_loop_does_on_its_line_is_a_secret(void **state)
{
    (void)state;
    assert_int_equal(count(0, "for (int k = 0; k < n; k++) y[k] = sqrtf(fabsf(x[k]));"), 1);
    assert_int_equal(count(0, "at each k, y[k] = sqrtf(fabsf(x[k]))"), 1);
}

static void lines_of_solved_exercises_are_not_secrets(void **state)
{
    (void)state;
    assert_int_equal(count(1, "y[k] = x[k] + y[k] / 2;"), 0);
    assert_int_equal(count(1, "y[0] = expf(x[0]) - 1;"), 1);
    assert_int_equal(count(2, REFERENCE), 0);
}

static void the_line_is_reported_verbatim(void **state)
{
    (void)state;
    const Secret *found = secrets_find(arena, &secrets, NULL, 1, REFERENCE);
    assert_non_null(found);
    assert_int_equal(found->exercise, 1);
    assert_string_equal(found->line, "y[0] = expf(x[0]) - 1;");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(formatting_and_comments_do_not_hide_a_line),
        cmocka_unit_test(common_lines_are_not_secrets),
        cmocka_unit_test(what_a_loop_does_on_its_line_is_a_secret),
        cmocka_unit_test(lines_of_solved_exercises_are_not_secrets),
        cmocka_unit_test(the_line_is_reported_verbatim),
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
