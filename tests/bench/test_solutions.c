/* Both libraries are found, and a learner's function is tested before it is timed. */
#include "bench/solutions.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/facts.h"

enum { SLOW, WRONG, RIGHT, CRASHES, LEFT_OUT, GIVEN, COUNT };

static Arena *keep;
static Solutions solutions;

static bool try(const void *context, int index, Solution *own)
{
    if (context != &solutions || own == NULL) return false;
    if (index == SLOW) sleep(60);
    if (index == CRASHES) abort();
    return index != WRONG;
}

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 1u << 20);
    solutions = (Solutions){.lab = "probability", .test_seconds = 1};
    solutions_add(&solutions, "normal", "pr_normal");
    solutions_add(&solutions, "beta", "pr_beta");
    solutions_add(&solutions, "gamma", "pr_gamma");
    solutions_add(&solutions, "alias", "pr_alias");
    solutions_add(&solutions, "reject", "pr_reject");
    solutions_add(&solutions, "uniform", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static void assert_why(int index, const char *why)
{
    const Solved *solved = &solutions.all[index];
    assert_that(solved->own == NULL, "%s is timed", solved->exercise);
    assert_string_equal(solved->why_not, why);
}

static void what_fails_its_test_is_not_timed_and_says_why(void **state)
{
    (void)state;
    Error err;
    solutions.mine = ANSWER;
    solutions.left_out = "rejec=no,reject=not written yet";
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, &solutions, &err), true);
    assert_why(SLOW, "takes over 1 s at this size");
    assert_why(WRONG, "wrong at this size");
    assert_why(CRASHES, "crashes at this size");
    assert_why(LEFT_OUT, "not written yet");
    assert_pointer("why the right one is not timed", solutions.all[RIGHT].why_not, NULL);
    assert_that(solutions.all[RIGHT].own != NULL, "the right one is not timed");
    for (int i = 0; i < COUNT; i++)
        assert_boolean(solutions.all[i].exercise, solutions.all[i].reference != NULL, i != GIVEN);
}

static void one_alone_is_tested(void **state)
{
    (void)state;
    Error err;
    solutions.mine = ANSWER;
    solutions.only = "gamma";
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, &solutions, &err), true);
    for (int i = 0; i < COUNT; i++) {
        assert_boolean(solutions.all[i].exercise, solutions_asked(&solutions, i), i == RIGHT);
        assert_boolean(solutions.all[i].exercise, solutions.all[i].own != NULL, i == RIGHT);
    }
}

static void without_a_library_none_is_tested(void **state)
{
    (void)state;
    Error err;
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, NULL, &err), true);
    for (int i = 0; i < COUNT; i++) {
        assert_pointer(solutions.all[i].exercise, solutions.all[i].why_not, NULL);
        assert_boolean(solutions.all[i].exercise, solutions.all[i].own != NULL, false);
    }
}

static void an_unknown_exercise_function_or_library_is_refused(void **state)
{
    (void)state;
    Error err;
    solutions.only = "gam";
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, NULL, &err), false);
    assert_string_equal(err.message, "probability has no exercise 'gam' to time");
    solutions.only = NULL;
    solutions.mine = "/no/such/library.so";
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, NULL, &err), false);
    solutions.mine = NULL;
    solutions_add(&solutions, "more", "pr_no_such_function");
    assert_boolean("solutions_open", solutions_open(keep, &solutions, try, NULL, &err), false);
    assert_that(strstr(err.message, ": has no pr_no_such_function") != NULL, "said: %s",
                err.message);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_fails_its_test_is_not_timed_and_says_why),
        CASE(one_alone_is_tested),
        CASE(without_a_library_none_is_tested),
        CASE(an_unknown_exercise_function_or_library_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
