/* Windows of tokens: their labels, their number, and the ends of a text. */
#include "datasets/tokens.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/facts.h"
#include "tests/guarded.h"

enum { T = 4 };

static Arena *arena;

static int make(void **state)
{
    (void)state;
    arena = arena_new("tokens", 1u << 26);
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

// `count` tokens 100, 101, ... that end at a guard page.
static Tokens counting(size_t count)
{
    int32_t *ids = guarded_new(count, sizeof *ids);
    for (size_t i = 0; i < count; i++) ids[i] = 100 + (int32_t)i;
    return (Tokens){.ids = ids, .count = count};
}

static void check_window(const TokenWindows *windows, int index, int32_t first)
{
    Batches batches = token_batches(windows);
    Batch batch = {.rows = 1, .arena = arena};
    batches.make(&batch, batches.data, &index);
    int32_t x[T], labels[T];
    assert_string_equal(TENSOR_TEXT(batch.x), "[1,4]");
    assert_string_equal(TENSOR_TEXT(batch.labels), "[1,4]");
    tensor_read_ints(batch.x, x);
    tensor_read_ints(batch.labels, labels);
    for (int t = 0; t < T; t++) {
        assert_integer("token", x[t], first + t);
        assert_integer("label", labels[t], first + t + 1);
    }
}

static void a_text_of_one_token_more_than_the_window_has_one(void **state)
{
    (void)state;
    TokenWindows windows;
    Error err;
    assert_true(token_windows(&windows, counting(T + 1), T, 1, "text", &err));
    assert_integer("windows", windows.count, 1);
    check_window(&windows, 0, 100);
}

static void shorter_texts_are_refused_with_both_numbers(void **state)
{
    (void)state;
    TokenWindows windows;
    for (size_t count = 0; count <= T; count++) {
        Error err = {""};
        assert_false(token_windows(&windows, counting(count), T, 1, "text", &err));
        char want[128];
        snprintf(want, sizeof want,
                 "text: has %zu token%s, expected 5 or more: a window of 4 and its labels", count,
                 count == 1 ? "" : "s");
        assert_string_equal(err.message, want);
    }
}

static void windows_reach_the_last_token_and_no_further(void **state)
{
    (void)state;
    TokenWindows windows;
    Error err;
    assert_true(token_windows(&windows, counting(2 * T), T, 1, "text", &err));
    assert_integer("windows", windows.count, T);
    check_window(&windows, T - 1, 100 + T - 1);
    assert_true(token_windows(&windows, counting(2 * T), T, T, "text", &err));
    assert_integer("windows of each token once", windows.count, 1);
    assert_true(token_windows(&windows, counting(2 * T + 1), T, T, "text", &err));
    assert_integer("windows of each token once", windows.count, 2);
    check_window(&windows, 1, 100 + T);
}

static void windows_begin_at_the_starts(void **state)
{
    (void)state;
    static const size_t starts[] = {0, 3, 9, 15, 16};
    Tokens tokens = counting(20);
    tokens.starts = starts;
    tokens.start_count = 5;
    TokenWindows windows;
    Error err = {""};
    assert_true(token_windows(&windows, tokens, T, 1, "text", &err));
    assert_integer("windows", windows.count, 4);    // at 16 the last label is missing
    check_window(&windows, 1, 103);
    check_window(&windows, 3, 115);

    tokens.starts = starts + 4, tokens.start_count = 1;
    assert_false(token_windows(&windows, tokens, T, 1, "text", &err));
    assert_string_equal(err.message,
                        "text: has no beginning with 4 tokens after it, as a window of "
                        "4 needs");
}

static void a_limit_spreads_over_the_whole_text(void **state)
{
    (void)state;
    TokenWindows windows;
    Error err;
    assert_true(token_windows(&windows, counting(1004), T, 1, "text", &err));
    assert_integer("windows", windows.count, 1000);
    token_windows_limit(&windows, 10);
    assert_integer("windows", windows.count, 10);
    check_window(&windows, 9, 1000);
    token_windows_limit(&windows, 3);
    assert_integer("windows", windows.count, 3);
    check_window(&windows, 2, 700);
}

static void a_split_has_each_token_once(void **state)
{
    (void)state;
    Tokens all = counting(100), train, validation;
    tokens_split(&all, 0.1f, &train, &validation);
    assert_integer("training tokens", (long long)train.count, 90);
    assert_integer("validation tokens", (long long)validation.count, 10);
    assert_integer("the first of them", validation.ids[0], 190);
    tokens_split(&all, 0, &train, &validation);
    assert_integer("training tokens", (long long)train.count, 100);
    assert_integer("validation tokens", (long long)validation.count, 0);
}

static void a_split_keeps_lines_whole(void **state)
{
    (void)state;
    static const size_t starts[] = {0, 3, 9, 15};
    Tokens all = counting(20), train, validation;
    all.starts = starts;
    all.start_count = 4;
    tokens_split(&all, 0.25f, &train, &validation);
    assert_integer("training tokens", (long long)train.count, 15);
    assert_integer("training lines", (long long)train.start_count, 3);
    assert_integer("validation lines", (long long)validation.start_count, 1);
    TokenWindows windows;
    Error err;
    assert_true(token_windows(&windows, train, T, 1, "text", &err));
    for (int i = 0; i < windows.count; i++)
        assert_that(token_window_first(&windows, i) + T < 15, "window %d reaches into validation",
                    i);
    assert_true(token_windows(&windows, validation, T, 1, "text", &err));
    check_window(&windows, 0, 115);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_one_token_more_than_the_window_has_one),
        cmocka_unit_test(shorter_texts_are_refused_with_both_numbers),
        cmocka_unit_test(windows_reach_the_last_token_and_no_further),
        cmocka_unit_test(windows_begin_at_the_starts),
        cmocka_unit_test(a_limit_spreads_over_the_whole_text),
        cmocka_unit_test(a_split_has_each_token_once),
        cmocka_unit_test(a_split_keeps_lines_whole),
    };
    return cmocka_run_group_tests(tests, make, release);
}
