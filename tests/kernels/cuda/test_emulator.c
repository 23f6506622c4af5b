// The emulator: each planted fault is found, in its line, and nothing else; the cost of known accesses is
// exact; its headers compute what CUDA's do.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/kernels/cuda/planted.h"

#define CASE(name) static void name(__attribute__((unused)) void **state)

// The line of a .cu file of this folder that ends with the mark; 0 where none does.
static int line_of(const char *file, const char *mark)
{
    char path[512], wanted[160], line[256];
    snprintf(path, sizeof path, "%s/%s", CUDA_SOURCES, file);
    snprintf(wanted, sizeof wanted, "// <- %s\n", mark);
    FILE *in = fopen(path, "r");
    if (in == NULL) fail_msg("%s: cannot be read", path);
    const size_t length = strlen(wanted);
    int at = 0, found = 0;
    while (found == 0 && fgets(line, sizeof line, in) != NULL) {
        at++;
        if (strlen(line) > length && strcmp(line + strlen(line) - length, wanted) == 0) found = at;
    }
    fclose(in);
    return found;
}

// ---- faults

static bool is_one_of(int line, int one, int other)
{
    return line == one || (other > 0 && line == other);
}

// A race may be found at either of its lines, between these two and at each with itself.
static bool is_expected(const Fault *f, const Planted *p)
{
    char mark[128];
    snprintf(mark, sizeof mark, "%s, other", p->name);
    const int line = line_of("faults.cu", p->name), other = line_of("faults.cu", mark);
    return f->kind == p->kind && is_one_of(f->at.line, line, other) &&
           (f->other.line == 0 || is_one_of(f->other.line, line, other)) &&
           (other == 0 || f->kind != FAULT_RACE || f->at.line == line || f->other.line == line);
}

static void finds(void **state)
{
    const Planted *p = *state;
    emulator_clear();
    p->launch();
    const EmulatorReport *report = emulator_report();
    if (report->faults == 0) fail_msg("%s: nothing was found", p->name);
    for (size_t i = 0; i < report->faults; i++) {
        print_message("%s\n", report->fault[i].message);
        if (!is_expected(&report->fault[i], p))
            fail_msg("that is not the %s that was planted in line %d", fault_name(p->kind),
                     line_of("faults.cu", p->name));
    }
}

// ---- costs

// Of the only access that stands in the line of the mark.
static LineCounts count_of(const char *mark)
{
    const EmulatorReport *report = emulator_report();
    const int line = line_of("costs.cu", mark);
    const LineCounts *found = NULL;
    for (size_t i = 0; i < report->lines; i++) {
        if (report->line[i].at.line != line) continue;
        if (found != NULL) fail_msg("two accesses were counted in line %d of costs.cu", line);
        found = &report->line[i];
    }
    if (found == NULL) fail_msg("nothing was counted in line %d of costs.cu", line);
    return *found;
}

typedef struct Cost {
    const char *what;
    void (*run)(const int *index, int lanes);
    const char *mark;
    int lanes, stride, start;    // index[i] = start + i stride
    unsigned transactions, ideal;
} Cost;

// clang-format off
static const Cost costs[] = {
    // sectors of 32 bytes
    {"consecutive floats",              cost_global_4,  "global", 32,  1, 0,  4,  4},
    {"every second float",              cost_global_4,  "global", 32,  2, 0,  8,  4},
    {"every fourth float",              cost_global_4,  "global", 32,  4, 0, 16,  4},
    {"floats, one beyond a sector",     cost_global_4,  "global", 32,  1, 1,  5,  4},
    {"floats of seven lanes",           cost_global_4,  "global",  7,  1, 0,  1,  1},
    {"the same float",                  cost_global_4,  "global", 32,  0, 5,  1,  1},
    {"floats a row of 32 apart",        cost_global_4,  "global", 32, 32, 0, 32,  4},
    {"consecutive doubles in a row",    cost_global_8,  "global", 32,  1, 0,  8,  8},
    {"every second double",             cost_global_8,  "global", 32,  2, 0, 16,  8},
    {"doubles, one beyond a sector",    cost_global_8,  "global", 32,  1, 1,  9,  8},
    {"the same double",                 cost_global_8,  "global", 32,  0, 5,  1,  1},
    {"doubles backwards",               cost_global_8,  "global", 32, -1, 31, 8,  8},
    {"doubles a row of 32 apart",       cost_global_8,  "global", 32, 32, 0, 32,  8},
    {"consecutive halves",              cost_global_2,  "global", 32,  1, 0,  2,  2},
    {"every second half",               cost_global_2,  "global", 32,  2, 0,  4,  2},
    {"halves 16 apart",                 cost_global_2,  "global", 32, 16, 0, 32,  2},
    {"consecutive bytes",               cost_global_1,  "global", 32,  1, 0,  1,  1},
    {"bytes across a sector",           cost_global_1,  "global", 32,  1, 7,  2,  1},
    {"consecutive float4",              cost_global_16, "global", 32,  1, 0, 16, 16},
    {"every second float4",             cost_global_16, "global", 32,  2, 0, 32, 16},
    {"float4 of half a warp",           cost_global_16, "global", 16,  1, 0,  8,  8},
    {"one lane",                        cost_global_8,  "global",  1,  1, 0,  1,  1},
    // wavefronts of 32 banks
    {"consecutive words",               cost_shared_4,  "shared", 32,  1, 0,  1,  1},
    {"every second word",               cost_shared_4,  "shared", 32,  2, 0,  2,  1},
    {"every third word",                cost_shared_4,  "shared", 32,  3, 0,  1,  1},
    {"words 4 apart",                   cost_shared_4,  "shared", 32,  4, 0,  4,  1},
    {"words 8 apart",                   cost_shared_4,  "shared", 32,  8, 0,  8,  1},
    {"words 16 apart",                  cost_shared_4,  "shared", 32, 16, 0, 16,  1},
    {"a column of a tile 32 wide",      cost_shared_4,  "shared", 32, 32, 0, 32,  1},
    {"a column of a tile 33 wide",      cost_shared_4,  "shared", 32, 33, 0,  1,  1},
    {"a column of half a warp",         cost_shared_4,  "shared", 16, 32, 0, 16,  1},
    {"the same word",                   cost_shared_4,  "shared", 32,  0, 9,  1,  1},
    {"words backwards",                 cost_shared_4,  "shared", 32, -1, 31, 1,  1},
    {"consecutive halves in a bank",    cost_shared_2,  "shared", 32,  1, 0,  1,  1},
    {"halves 64 apart",                 cost_shared_2,  "shared", 32, 64, 0, 32,  1},
    {"consecutive bytes in a bank",     cost_shared_1,  "shared", 32,  1, 0,  1,  1},
    {"consecutive doubles",             cost_shared_8,  "shared", 32,  1, 0,  2,  2},
    {"every second double in a bank",   cost_shared_8,  "shared", 32,  2, 0,  4,  2},
    {"a column of doubles",             cost_shared_8,  "shared", 32, 16, 0, 32,  2},
    {"consecutive float4 in a bank",    cost_shared_16, "shared", 32,  1, 0,  4,  4},
    {"every second float4 in a bank",   cost_shared_16, "shared", 32,  2, 0,  8,  4},
    {"atomics on 32 words",             cost_shared_atomic, "atomic", 32, 1, 0, 1, 1},
    {"atomics on one word",             cost_shared_atomic, "atomic", 32, 0, 3, 32, 1},
    {"atomics on a column",             cost_shared_atomic, "atomic", 32, 32, 0, 32, 1},
};
// clang-format on
enum { COSTS = sizeof costs / sizeof *costs };

static void costs_as_much(void **state)
{
    const Cost *c = *state;
    int index[32];
    for (int i = 0; i < c->lanes; i++) index[i] = c->start + i * c->stride;
    emulator_clear();
    c->run(index, c->lanes);
    const LineCounts got = count_of(c->mark);
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
    if (got.requests != 1 || got.lanes != (uint64_t)c->lanes ||
        got.transactions != c->transactions || got.ideal != c->ideal)
        fail_msg("%s: %u requests, %u lanes, %u transactions, ideal %u; expected 1, %d, %u, %u",
                 c->what, (unsigned)got.requests, (unsigned)got.lanes, (unsigned)got.transactions,
                 (unsigned)got.ideal, c->lanes, c->transactions, c->ideal);
}

// Lane i goes round i + 1 times: a warp goes round 32 times with 32, 31, ... lanes.
CASE(lanes_of_uneven_loops_step_together)
{
    int trips[32];
    for (int i = 0; i < 32; i++) trips[i] = i + 1;
    emulator_clear();
    cost_loop(trips, 32);
    assert_int_equal(count_of("loop").requests, 32);
    assert_int_equal(count_of("loop").lanes, 32 * 33 / 2);
}

// A lane reads its count, so many elements, and writes the sum. The last one has the most; a block that only loops has one
// interval, and one that fills shared memory first has two.
CASE(a_block_takes_as_long_as_its_busiest_thread_between_barriers)
{
    int trips[32], index[7] = {0};
    for (int i = 0; i < 32; i++) trips[i] = i + 1;
    emulator_clear();
    cost_loop(trips, 32);
    const KernelLaunch *loop = &emulator_report()->launch[0];
    assert_int_equal(loop->accesses, 32 + 32 * 33 / 2 + 32);
    assert_int_equal(loop->span, 1 + 32 + 1);
    assert_int_equal(loop->worst.most, 34);
    assert_int_equal(loop->worst.thread[0], 31);
    assert_int_equal(loop->worst.end.line, 0);
    emulator_clear();
    cost_shared_4(index, 7);    // 4096 elements: 585 or 586 for each, then three accesses
    const KernelLaunch *filled = &emulator_report()->launch[0];
    assert_int_equal(filled->span, 2 * 586 + 3);
    assert_int_equal(filled->worst.thread[0], 0);
    assert_true(filled->worst.end.line > 0);
}

// Of each launch: the kernel's name, its block and the shared memory of a block.
CASE(launches_are_listed)
{
    const int index[32] = {0};
    emulator_clear();
    cost_shared_8(index, 32);
    cost_global_4(index, 7);
    const EmulatorReport *report = emulator_report();
    assert_int_equal(report->launches, 2);
    assert_string_equal(report->launch[0].kernel, "read_shared<double>");
    assert_int_equal(report->launch[0].shared, 4096 * sizeof(double));
    assert_string_equal(report->launch[1].kernel, "read_global<float>");
    assert_int_equal(report->launch[1].shared, 0);
    assert_int_equal(report->launch[1].block[0], 7);
    assert_int_equal(report->launch[1].grid[0], 1);
}

CASE(headers_compute_what_cuda_does)
{
    emulator_clear();
    const int failed = features_that_fail();
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
    assert_int_equal(failed, 0);
}

CASE(correct_kernels_are_without_fault)
{
    emulator_clear();
    const int failed = kernels_that_fail();
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(lanes_of_uneven_loops_step_together),
        cmocka_unit_test(a_block_takes_as_long_as_its_busiest_thread_between_barriers),
        cmocka_unit_test(launches_are_listed),
        cmocka_unit_test(headers_compute_what_cuda_does),
        cmocka_unit_test(correct_kernels_are_without_fault),
    };
    enum { OWN = sizeof own / sizeof *own };
    const size_t count = OWN + planted_count + COSTS;
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    if (tests == NULL) return 1;
    memcpy(tests, own, sizeof own);
    for (size_t i = 0; i < planted_count; i++)
        tests[OWN + i] =
            (struct CMUnitTest){planted[i].name, finds, NULL, NULL, (void *)&planted[i]};
    for (size_t i = 0; i < COSTS; i++)
        tests[OWN + planted_count + i] =
            (struct CMUnitTest){costs[i].what, costs_as_much, NULL, NULL, (void *)&costs[i]};
    const int failed = _cmocka_run_group_tests("emulator", tests, count, NULL, NULL);
    free(tests);
    return failed;
}
