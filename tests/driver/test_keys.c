#include "labs/driver/keys.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static int ends[2];    // standard input is [0]

static int enter(void **state)
{
    (void)state;
    return pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    close(ends[0]);
    return close(ends[1]);
}

// Until nothing comes any more.
static void expect_keys(Keys *keys, const char *sent, const char *want)
{
    char got[64] = "";
    size_t count = 0;
    assert_int_equal(write(ends[1], sent, strlen(sent)), strlen(sent));
    // A key that is passed over is KEYS_NONE as well: so more often than there are bytes.
    for (size_t i = 0; i <= strlen(sent); i++) {
        int key = keys_wait(keys, 0);
        if (key != KEYS_NONE) got[count++] = (char)key;
    }
    assert_string_equal(got, want);
}

static void letters_come_in_lower_case(void **state)
{
    (void)state;
    Keys keys;
    keys_open(&keys);
    expect_keys(&keys, "hN 3\nq", "hnq");
    keys_close(&keys);
}

static void escape_sequences_are_ignored(void **state)
{
    (void)state;
    Keys keys;
    keys_open(&keys);
    expect_keys(&keys, "\033[A\033[1;5Ch\033OHl\033q\033[2~", "hl");
    expect_keys(&keys, "\033[", "");    // in two pieces
    expect_keys(&keys, "Br", "r");
    expect_keys(&keys, "\303\244n", "n");
    keys_close(&keys);
}

static void the_end_of_the_input_is_reported_once(void **state)
{
    (void)state;
    Keys keys;
    keys_open(&keys);
    expect_keys(&keys, "h", "h");
    close(ends[1]);
    assert_int_equal(keys_wait(&keys, 1), KEYS_OVER);
    assert_int_equal(keys_wait(&keys, 0), KEYS_NONE);
    assert_true(keys.over);
    keys_close(&keys);
    assert_int_equal(pipe(ends), 0);
}

static void signals_are_distinguished(void **state)
{
    (void)state;
    Keys keys;
    keys_open(&keys);
    raise(SIGWINCH);
    assert_int_equal(keys_wait(&keys, 1), KEYS_DRAW);
    raise(SIGCHLD);
    assert_int_equal(keys_wait(&keys, 1), KEYS_NONE);
    raise(SIGINT);
    assert_int_equal(keys_wait(&keys, 1), KEYS_END);
    assert_int_equal(keys.signal, SIGINT);
    keys_close(&keys);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(letters_come_in_lower_case),
        CASE(escape_sequences_are_ignored),
        CASE(the_end_of_the_input_is_reported_once),
        CASE(signals_are_distinguished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
