/* What gcc and clang say, read as complaints about a learner's own file. */
#include "labs/driver/compile.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static Compiled read_output(Arena *arena, const char *output)
{
    Compiled compiled = {0};
    compile_read(arena, "/me/a.c", output, &compiled);
    return compiled;
}

static int setup(void **state)
{
    *state = arena_new("test", 8u << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void the_first_error_counts_with_line_and_column(void **state)
{
    Compiled compiled =
        read_output(*state, "/me/a.c: In function 'f':\n"
                            "/me/a.c:12:5: warning: unused variable 'k' [-Wunused-variable]\n"
                            "/me/a.c:14:9: error: expected ';' before 'return'\n"
                            "/me/a.c:20:1: error: another\n");
    assert_int_equal(compiled.first.line, 14);
    assert_int_equal(compiled.first.column, 9);
    assert_string_equal(compiled.first.message, "expected ';' before 'return'");
    assert_int_equal(compiled.warning_count, 1);
    assert_int_equal(compiled.warnings[0].line, 12);
    assert_string_equal(compiled.warnings[0].message, "unused variable 'k'");
}

static void an_error_in_a_header_is_reported_at_its_include(void **state)
{
    Compiled gcc = read_output(*state, "In file included from /x/b.h:1,\n"
                                       "                 from /me/a.c:3:\n"
                                       "/x/c.h: In function 'g':\n"
                                       "/x/c.h:7:1: error: unknown type name 'flot'\n");
    Compiled clang = read_output(*state, "In file included from /me/a.c:3:\n"
                                         "In file included from /x/b.h:1:\n"
                                         "/x/c.h:7:1: error: unknown type name 'flot'\n");
    assert_int_equal(gcc.first.line, 3);
    assert_int_equal(clang.first.line, 3);
}

static void a_file_with_a_longer_name_is_another(void **state)
{
    Compiled compiled =
        read_output(*state, "/me/a.c.h:4:1: error: wrong\n/me/a.cc:5:1: warning: odd\n");
    assert_int_equal(compiled.first.line, 0);
    assert_string_equal(compiled.first.message, "wrong");
    assert_int_equal(compiled.warning_count, 0);
}

static void a_fatal_error_without_a_place_is_still_an_error(void **state)
{
    Compiled compiled =
        read_output(*state, "cc1: fatal error: cannot do that\ncompilation terminated.\n");
    assert_int_equal(compiled.first.line, 0);
    assert_string_equal(compiled.first.message, "cannot do that");
}

static void no_output_is_no_error(void **state)
{
    Compiled compiled = read_output(*state, "");
    assert_null(compiled.first.message);
    assert_int_equal(compiled.warning_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_counts_with_line_and_column),
        cmocka_unit_test(an_error_in_a_header_is_reported_at_its_include),
        cmocka_unit_test(a_file_with_a_longer_name_is_another),
        cmocka_unit_test(a_fatal_error_without_a_place_is_still_an_error),
        cmocka_unit_test(no_output_is_no_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
