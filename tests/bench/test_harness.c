/* The harness with contenders whose time is made up, so that every expected figure is exact. */
#include "bench/harness.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"

typedef struct Script {
    double seconds;    // of one call
    double growth;     // each sample's call takes so many times the one before; 1 for none
    long calls_made;
    long fails_after;    // calls; 0: never
} Script;

static double run_script(void *work, long calls, Error *err)
{
    Script *script = work;
    script->calls_made += calls;
    if (script->fails_after > 0 && script->calls_made > script->fails_after)
        return error_set(err, "the wire was cut"), -1;
    double taken = script->seconds * (double)calls;
    if (calls > 1) script->seconds *= script->growth;
    return taken;
}

static void ratio_above_one_means_that_the_first_is_faster(void **state)
{
    (void)state;
    Script fast = {.seconds = 0.001, .growth = 1}, slow = {.seconds = 0.004, .growth = 1};
    Contender pair[] = {{"fast", run_script, &fast}, {"slow", run_script, &slow}};
    Timing timings[2];
    Error err;
    assert_true(bench_compare(pair, 2, (Plan){.rounds = 5, .sample_seconds = 0.01}, timings, &err));
    assert_close(timings[0].ratio.median, 1, 1e-12);
    assert_close(timings[1].ratio.median, 4, 1e-12);
    assert_close(timings[0].seconds.median, 0.001, 1e-12);
    assert_close(timings[1].seconds.median, 0.004, 1e-12);
}

// A machine that slows down tenfold during the run moves the medians and no ratio.
static void ratios_survive_a_drift_that_both_sides_feel(void **state)
{
    (void)state;
    Script a = {.seconds = 0.001, .growth = 1.25}, b = {.seconds = 0.002, .growth = 1.25};
    Contender pair[] = {{"a", run_script, &a}, {"b", run_script, &b}};
    Timing timings[2];
    Error err;
    assert_true(
        bench_compare(pair, 2, (Plan){.rounds = 11, .sample_seconds = 0.003}, timings, &err));
    assert_true(timings[0].seconds.max > 9 * timings[0].seconds.min);
    assert_true(stats_spread(timings[1].ratio) < 1e-9);
}

static void samples_of_short_work_repeat_it_until_they_last(void **state)
{
    (void)state;
    Script script = {.seconds = 1e-6, .growth = 1};
    Contender one = {"one", run_script, &script};
    Timing timing;
    Error err;
    assert_true(bench_compare(&one, 1, (Plan){.rounds = 3, .sample_seconds = 1e-3}, &timing, &err));
    assert_true((double)timing.calls * 1e-6 >= 1e-3);
    assert_true((double)timing.calls * 1e-6 < 4e-3);
}

static void both_the_rounds_and_the_seconds_are_reached(void **state)
{
    (void)state;
    Script script = {.seconds = 0.25, .growth = 1};
    Contender one = {"one", run_script, &script};
    Timing timing;
    Error err;
    assert_true(bench_compare(&one, 1, (Plan){.rounds = 7, .seconds = 0.1}, &timing, &err));
    assert_int_equal(timing.seconds.count, 7);
    assert_true(bench_compare(&one, 1, (Plan){.rounds = 1, .seconds = 3}, &timing, &err));
    assert_int_equal(timing.seconds.count, 12);
}

static void a_contender_that_fails_is_named_with_its_reason(void **state)
{
    (void)state;
    Script good = {.seconds = 1, .growth = 1}, bad = {.seconds = 1, .growth = 1, .fails_after = 4};
    Contender pair[] = {{"good", run_script, &good}, {"bad", run_script, &bad}};
    Timing timings[2];
    Error err;
    assert_false(bench_compare(pair, 2, (Plan){.rounds = 9}, timings, &err));
    assert_string_equal(err.message, "bad: the wire was cut");
}

static void a_spread_over_a_tenth_is_noisy(void **state)
{
    (void)state;
    assert_true(bench_noisy((Stats){.count = 5, .quartile1 = 0.9, .median = 1, .quartile3 = 1.1}));
    assert_false(
        bench_noisy((Stats){.count = 5, .quartile1 = 0.96, .median = 1, .quartile3 = 1.04}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_above_one_means_that_the_first_is_faster),
        cmocka_unit_test(ratios_survive_a_drift_that_both_sides_feel),
        cmocka_unit_test(samples_of_short_work_repeat_it_until_they_last),
        cmocka_unit_test(both_the_rounds_and_the_seconds_are_reached),
        cmocka_unit_test(a_contender_that_fails_is_named_with_its_reason),
        cmocka_unit_test(a_spread_over_a_tenth_is_noisy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
