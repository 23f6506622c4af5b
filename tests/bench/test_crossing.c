// Crossing points, ratios and rooflines against values computed by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "bench/crossing.h"
#include "bench/limits.h"
#include "bench/machine.h"

static void a_crossing_is_interpolated_in_logarithms(void **state)
{
    (void)state;
    const double sizes[] = {64, 256, 1024}, faster[] = {0.5, 2, 8};
    const Crossing crossing = crossing_of(sizes, faster, 3);
    assert_int_equal(crossing.kind, CROSSING_AT);
    assert_true(fabs(crossing.at - 128) < 1e-9);    // halfway from 64 to 256, as 1 is from 1/2 to 2
    const double tenth[] = {0.1, 1, 10};
    assert_true(fabs(crossing_of(sizes, tenth, 3).at - 256) < 1e-9);
}

static void the_last_of_several_crossings_counts(void **state)
{
    (void)state;
    const double sizes[] = {1, 10, 100, 1000}, faster[] = {2, 0.5, 0.25, 4};
    const Crossing crossing = crossing_of(sizes, faster, 4);
    assert_int_equal(crossing.kind, CROSSING_AT);
    assert_true(fabs(crossing.at - 100 * sqrt(10)) < 1e-9);
}

static void no_crossing_is_always_never_or_no_size(void **state)
{
    (void)state;
    const double sizes[] = {8, 16}, quick[] = {1, 3}, slow[] = {3, 0.99};
    Arena *arena = arena_new("text", 1u << 20);
    assert_int_equal(crossing_of(sizes, quick, 2).kind, CROSSING_ALWAYS);
    assert_int_equal(crossing_of(sizes, slow, 2).kind, CROSSING_NEVER);
    assert_int_equal(crossing_of(sizes, slow, 0).kind, CROSSING_NONE);
    assert_string_equal(crossing_text(arena, crossing_of(sizes, quick, 2)), "always, from 8");
    assert_string_equal(crossing_text(arena, crossing_of(sizes, slow, 2)), "not up to 16");
    assert_string_equal(crossing_text(arena, crossing_of(sizes, slow, 0)), "");
    arena_free(arena);
}

static void the_limit_is_the_slower_of_arithmetic_and_memory(void **state)
{
    (void)state;
    const Limits limits = {.gflops = 100, .copy_gbs = 10};
    assert_true(fabs(limits_ridge(limits) - 10) < 1e-12);
    assert_true(fabs(limits_seconds(limits, 2e9, 1e8) - 0.02) < 1e-12);    // 20 FLOPs a byte
    assert_string_equal(limits_bound(limits, 2e9, 1e8), "arithmetic");
    assert_true(fabs(limits_seconds(limits, 1e8, 1e8) - 0.01) < 1e-12);    // 1 FLOP a byte
    assert_string_equal(limits_bound(limits, 1e8, 1e8), "memory");
    assert_string_equal(limits_bound(limits, 0, 1e8), "memory");
}

static void limits_of_the_cpu_are_measured_and_finite(void **state)
{
    (void)state;
    Error err;
    Limits limits;
    const char *why;
    assert_true(device_use("cpu", &why));
    assert_true(limits_measure(&limits, device, 1, true, &err));
    assert_true(limits.gflops > 0.1 && limits.gflops < 1e5);
    assert_true(limits.copy_gbs > 0.1 && limits.copy_gbs < 1e5);
    assert_true(limits.put_gbs == 0);
}

static void limits_of_the_emulated_device_are_measured_too(void **state)
{
    (void)state;
    Error err;
    Limits limits;
    const char *why;
    assert_true(device_use("emulated", &why));
    assert_true(limits_measure(&limits, device, 1, true, &err));
    assert_true(limits.gflops > 0 && limits.copy_gbs > 0 && limits.put_gbs > 0);
}

static void files_are_named_by_the_machine(void **state)
{
    (void)state;
    Arena *arena = arena_new("text", 1u << 20);
    assert_string_equal(machine_file(arena, "NVIDIA H200"), "nvidia-h200.json");
    assert_string_equal(machine_file(arena, " AMD EPYC 9355 (32-Core) "),
                        "amd-epyc-9355-32-core.json");
    assert_string_equal(machine_file(arena, "../../etc/x"), "etc-x.json");
    assert_string_equal(machine_file(arena, ""), "unknown.json");
    assert_string_equal(machine_file(arena, "///"), "unknown.json");
    arena_free(arena);
}

static void the_driver_is_found_in_its_line(void **state)
{
    (void)state;
    Arena *arena = arena_new("text", 1u << 20);
    assert_string_equal(
        machine_driver_in(arena, "NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024"),
        "550.54.15");
    assert_string_equal(
        machine_driver_in(arena, "NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release"),
        "570.86.15");
    assert_string_equal(machine_driver_in(arena, "no version"), "");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crossing_is_interpolated_in_logarithms),
        cmocka_unit_test(the_last_of_several_crossings_counts),
        cmocka_unit_test(no_crossing_is_always_never_or_no_size),
        cmocka_unit_test(the_limit_is_the_slower_of_arithmetic_and_memory),
        cmocka_unit_test(limits_of_the_cpu_are_measured_and_finite),
        cmocka_unit_test(limits_of_the_emulated_device_are_measured_too),
        cmocka_unit_test(files_are_named_by_the_machine),
        cmocka_unit_test(the_driver_is_found_in_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
