/* tape_fixture.h -- what a case on the core begins with: parameters, and a tape for one step.
 *
 *     cmocka_unit_test_prestate_setup_teardown(a_case, setup, teardown, "cpu")
 *
 * For one test program, which includes it once: all of it is new for each case.
 */
#pragma once
#include "common/params.h"
#include "common/tape.h"
#include "tests/devices.h"

static Arena *keep;
static Params *params;    // in keep
static Tape *tape;        // in an arena of its own

static int setup(void **state)
{
    device_for_case(*state);
    keep = arena_new("keep", 4u << 20);
    params = params_new(keep);
    tape = tape_new(arena_new("step", 1u << 20));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(tape->arena);
    arena_free(keep);
    return 0;
}
