#include "common/schedule.h"
#include "tests/facts.h"
#include "tests/stops.h"

static void constant_is_the_zero_value(void **state)
{
    (void)state;
    Schedule s = {.peak = 0.25f};
    assert_close(schedule_rate(&s, 0), 0.25, 0);
    assert_close(schedule_rate(&s, 1000000000), 0.25, 0);
}

static void a_warmup_climbs_to_the_peak_and_never_stands_at_0(void **state)
{
    (void)state;
    for (ScheduleShape shape = SCHEDULE_CONSTANT; shape <= SCHEDULE_STEPS; shape++) {
        Schedule s = {.shape = shape,
                      .peak = 8,
                      .floor = 1,
                      .warmup = 4,
                      .total = 104,
                      .every = 10,
                      .factor = 0.5f};
        for (long step = 0; step < 4; step++)
            assert_close(schedule_rate(&s, step), 2.0 * (step + 1), 0);
        assert_close(schedule_rate(&s, 4), 8, 0);    // where the shape begins
    }
}

static void linear_goes_straight_to_the_floor_and_stays(void **state)
{
    (void)state;
    Schedule s = {.shape = SCHEDULE_LINEAR, .peak = 9, .floor = 1, .warmup = 100, .total = 500};
    assert_close(schedule_rate(&s, 100), 9, 0);
    assert_close(schedule_rate(&s, 200), 7, 1e-6);
    assert_close(schedule_rate(&s, 300), 5, 1e-6);
    assert_close(schedule_rate(&s, 500), 1, 0);
    assert_close(schedule_rate(&s, 1000000), 1, 0);
}

// Loshchilov & Hutter 2017, eq. 5: floor + (peak - floor) (1 + cos(pi done)) / 2.
static void cosine_falls_slowly_then_fast_then_slowly(void **state)
{
    (void)state;
    Schedule s = {.shape = SCHEDULE_COSINE, .peak = 9, .floor = 1, .warmup = 100, .total = 700};
    assert_close(schedule_rate(&s, 100), 9, 0);
    assert_close(schedule_rate(&s, 200), 1 + 8 * (1 + sqrt(3) / 2) / 2, 1e-6);    // cos 30 degrees
    assert_close(schedule_rate(&s, 300), 1 + 8 * 0.75, 1e-6);                     // cos 60 degrees
    assert_close(schedule_rate(&s, 400), 5, 1e-6);
    assert_close(schedule_rate(&s, 500), 1 + 8 * 0.25, 1e-6);
    assert_close(schedule_rate(&s, 700), 1, 0);
    assert_close(schedule_rate(&s, 1000000), 1, 0);
}

static void steps_fall_after_every_so_many_and_never_under_the_floor(void **state)
{
    (void)state;
    Schedule s = {.shape = SCHEDULE_STEPS,
                  .peak = 8,
                  .floor = 1.5f,
                  .warmup = 5,
                  .every = 10,
                  .factor = 0.5f};
    assert_close(schedule_rate(&s, 5), 8, 0);
    assert_close(schedule_rate(&s, 14), 8, 0);
    assert_close(schedule_rate(&s, 15), 4, 0);
    assert_close(schedule_rate(&s, 24), 4, 0);
    assert_close(schedule_rate(&s, 25), 2, 0);
    assert_close(schedule_rate(&s, 35), 1.5, 0);
    assert_close(schedule_rate(&s, 1000000000), 1.5, 0);
}

static void a_schedule_that_cannot_be_is_refused(void **state)
{
    (void)state;
    Schedule constant = {.peak = 1}, steps = {.shape = SCHEDULE_STEPS, .peak = 1},
             late = {.shape = SCHEDULE_COSINE, .peak = 1, .warmup = 10, .total = 5};
    stops_with("step -1; expected 0 or more", schedule_rate(&constant, -1));
    stops_with("a schedule in steps needs .every > 0, got 0", schedule_rate(&steps, 0));
    stops_with("ends at step 5, not after its warm-up of 10", schedule_rate(&late, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_the_zero_value),
        cmocka_unit_test(a_warmup_climbs_to_the_peak_and_never_stands_at_0),
        cmocka_unit_test(linear_goes_straight_to_the_floor_and_stays),
        cmocka_unit_test(cosine_falls_slowly_then_fast_then_slowly),
        cmocka_unit_test(steps_fall_after_every_so_many_and_never_under_the_floor),
        cmocka_unit_test(a_schedule_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
