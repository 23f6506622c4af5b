/* The conversation with a peer, held by a shell script in the place of Python. */
#include "bench/peer.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"

typedef struct Stage {
    Arena *keep;
    char python[32];    // the script's path
} Stage;

// Makes `body` the Python that peer_open() finds.
static void set_python(Stage *stage, const char *body)
{
    strcpy(stage->python, "/tmp/bench-peer-XXXXXX");
    int fd = mkstemp(stage->python);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    chmod(stage->python, 0700);
    setenv("LAB_PYTHON", stage->python, 1);
}

static int set_stage(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    stage->keep = arena_new("keep", 1u << 20);
    *state = stage;
    return 0;
}

static int clear_stage(void **state)
{
    Stage *stage = *state;
    remove(stage->python);
    arena_free(stage->keep);
    free(stage);
    return 0;
}

static const char *const ANSWERS = "echo '{\"name\": \"Fake 1.0\"}'\n"
                                   "while read -r line; do\n"
                                   "  case $line in\n"
                                   "  *good*) echo '{\"seconds\": 0.25}' ;;\n"
                                   "  *bad*) echo '{\"error\": \"no such form\"}' ;;\n"
                                   "  *odd*) echo 'what?' ;;\n"
                                   "  *) exit ;;\n"
                                   "  esac\n"
                                   "done";

static void the_seconds_of_a_reply_are_returned(void **state)
{
    Stage *stage = *state;
    Error err;
    set_python(stage, ANSWERS);
    Peer *peer = peer_open(stage->keep, "script.py", &err);
    assert_non_null(peer);
    assert_string_equal(peer->name, "Fake 1.0");
    for (int i = 0; i < 2; i++)
        assert_close(peer_ask(peer, &err, "{\"form\": \"%s\"}", "good"), 0.25, 0);
    peer_close(peer);
}

static void a_refusal_is_passed_on_with_the_peer_s_name(void **state)
{
    Stage *stage = *state;
    Error err;
    set_python(stage, ANSWERS);
    Peer *peer = peer_open(stage->keep, "script.py", &err);
    assert_non_null(peer);
    assert_true(peer_ask(peer, &err, "bad") < 0);
    assert_string_equal(err.message, "Fake 1.0: no such form");
    assert_true(peer_ask(peer, &err, "odd") < 0);
    assert_close(peer_ask(peer, &err, "good"), 0.25, 0);    // it goes on after a refusal
    peer_close(peer);
}

static void a_peer_that_died_fails_twice(void **state)
{
    Stage *stage = *state;
    Error err;
    set_python(stage, ANSWERS);
    Peer *peer = peer_open(stage->keep, "script.py", &err);
    assert_non_null(peer);
    for (int i = 0; i < 2; i++) {    // the second time, its input is closed as well
        assert_true(peer_ask(peer, &err, "die") < 0);
        assert_string_equal(err.message, "Fake 1.0: the script gave no answer");
    }
    peer_close(peer);
}

static void a_python_without_a_valid_greeting_is_not_a_peer(void **state)
{
    const char *const bodies[] = {"exit 3", "echo hello", "echo '{\"name\": 1}'", "echo '[]'"};
    for (int i = 0; i < 4; i++) {
        Stage *stage = *state;
        Error err;
        set_python(stage, bodies[i]);
        assert_null(peer_open(stage->keep, "script.py", &err));
        assert_non_null(strstr(err.message, stage->python));
        remove(stage->python);
    }
}

int main(void)
{
#define PEER_TEST(test) cmocka_unit_test_setup_teardown(test, set_stage, clear_stage)
    const struct CMUnitTest tests[] = {
        PEER_TEST(the_seconds_of_a_reply_are_returned),
        PEER_TEST(a_refusal_is_passed_on_with_the_peer_s_name),
        PEER_TEST(a_peer_that_died_fails_twice),
        PEER_TEST(a_python_without_a_valid_greeting_is_not_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
