/* scratch.h -- an arena for one test program, and a catalogue model in it.
 *
 *     int main(void) { ... return cmocka_run_group_tests(tests, scratch_begin, scratch_end); }
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "tests/cases.h"

static Arena *arena;

static inline int scratch_begin(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)1 << 30);
    return 0;
}

static inline int scratch_end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static inline Model *model_of(const char *name)
{
    Error err = {""};
    Model *model = catalogue_model(arena, name, &err);
    if (model == NULL) fail_msg("%s", err.message);
    return model;
}
