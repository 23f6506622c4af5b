#include "common/error.h"
#include "tests/stops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void set_writes_the_sentence_and_returns_false(void **state)
{
    (void)state;
    Error err;
    assert_false(error_set(&err, "%s: has %d bytes, expected %d", "x.idx", 7, 16));
    assert_string_equal(err.message, "x.idx: has 7 bytes, expected 16");
}

static void wrap_puts_the_context_in_front(void **state)
{
    (void)state;
    Error err;
    error_set(&err, "no such file");
    assert_false(error_wrap(&err, "epoch %d", 3));
    assert_false(error_wrap(&err, "training"));
    assert_string_equal(err.message, "training: epoch 3: no such file");
}

static void err_may_be_null(void **state)
{
    (void)state;
    assert_false(error_set(NULL, "%d", 1));
    assert_false(error_wrap(NULL, "%d", 1));
}

static void long_messages_are_cut_at_511_bytes(void **state)
{
    (void)state;
    Error err;
    error_set(&err, "%600d", 1);
    assert_int_equal(strlen(err.message), 511);
    error_set(&err, "inner");
    error_wrap(&err, "%600d", 1);
    assert_int_equal(strlen(err.message), 511);
    error_set(&err, "%511d", 1);
    error_wrap(&err, "context");
    assert_int_equal(strlen(err.message), 511);
    assert_memory_equal(err.message, "context:  ", 10);
}

static void a_message_may_quote_itself_as_context(void **state)
{
    (void)state;
    Error err;
    error_set(&err, "again");
    error_wrap(&err, "%s", err.message);
    assert_string_equal(err.message, "again: again");
}

static void report_writes_program_and_message_and_returns_1(void **state)
{
    (void)state;
    Error err;
    error_set(&err, "x.idx: no such file");
    stops_with("test_error: x.idx: no such file\n", _exit(error_report(&err) == 1 ? 1 : 0));
}

static void require_stops_with_place_function_and_message(void **state)
{
    (void)state;
    int n = 3;
    stops_with("test_error.c:", REQUIRE(n == 4, "n is %d; expected %d", n, 4));
    stops_with(": require_stops_with_place_function_and_message: n is 3; expected 4\n",
               REQUIRE(n == 4, "n is %d; expected %d", n, 4));
}

static void require_that_holds_does_nothing_and_asks_once(void **state)
{
    (void)state;
    int asked = 0, printed = 0;
    REQUIRE(++asked == 1, "%d", ++printed);
    assert_int_equal(asked, 1);
    assert_int_equal(printed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_writes_the_sentence_and_returns_false),
        cmocka_unit_test(wrap_puts_the_context_in_front),
        cmocka_unit_test(err_may_be_null),
        cmocka_unit_test(long_messages_are_cut_at_511_bytes),
        cmocka_unit_test(a_message_may_quote_itself_as_context),
        cmocka_unit_test(report_writes_program_and_message_and_returns_1),
        cmocka_unit_test(require_stops_with_place_function_and_message),
        cmocka_unit_test(require_that_holds_does_nothing_and_asks_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
