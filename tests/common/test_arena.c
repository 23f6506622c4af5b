#include "common/arena.h"
#include "kernels/device.h"
#include "tests/devices.h"
#include "tests/stops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void each_piece_is_aligned_and_apart_from_the_others(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 0, 63, 64, 65, 4097, 3};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    Arena *arena = arena_new("test", 1u << 20);
    char *piece[COUNT];
    for (int i = 0; i < COUNT; i++) {
        piece[i] = arena_alloc(arena, sizes[i]);
        assert_int_equal((uintptr_t)piece[i] % 64, 0);
        memset(piece[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++) assert_int_equal(piece[i][j], i + 1);
    arena_free(arena);
}

static void zeros_are_zero_even_in_memory_that_was_used(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    memset(arena_alloc(arena, 1000), 0xAB, 1000);
    arena_reset(arena);
    const char *zeros = arena_zeros(arena, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(zeros[i], 0);
    arena_free(arena);
}

static void reset_hands_out_the_same_memory_again(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    void *first = arena_alloc(arena, 100), *second = arena_alloc(arena, 100);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    assert_ptr_equal(arena_alloc(arena, 100), first);
    assert_ptr_equal(arena_alloc(arena, 100), second);
    arena_free(arena);
}

static void all_of_the_capacity_can_be_used(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    memset(arena_alloc(arena, (1u << 16) - 64), 1, (1u << 16) - 64);    // 64: a sanitizer's gap
    arena_free(arena);
}

static void a_full_arena_stops_with_its_name_and_both_sizes(void **state)
{
    (void)state;
    // One page, in front of it the arena's own struct of two lines.
    Arena *arena = arena_new("small", 4096 - 128);
    stops_with("arena 'small' is full: 3969 bytes asked, 3968 of 3968 left",
               arena_alloc(arena, 3969));
    stops_with("arena 'small' is full: 18446744073709551615 bytes asked",
               arena_alloc(arena, SIZE_MAX));
    stops_with("arena 'small' is full: 18446744073709551553 bytes asked",
               arena_alloc(arena, SIZE_MAX - 62));
    arena_alloc(arena, 1000);
    stops_with("arena 'small' is full: 4000 bytes asked", arena_zeros(arena, 4000));
    arena_alloc(arena, 1000);    // a refusal took nothing
    arena_free(arena);
}

static void an_absurd_capacity_stops_the_program(void **state)
{
    (void)state;
    stops_with("arena 'huge': a capacity of 18446744073709551615 bytes is absurd",
               arena_new("huge", SIZE_MAX));
    stops_with("arena 'huge': no room for ", arena_new("huge", SIZE_MAX / 2));
}

static void peak_remembers_the_most_that_was_used(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    assert_int_equal(arena_peak(arena), 0);
    arena_alloc(arena, 5000);
    size_t most = arena_used(arena);
    assert_true(most >= 5000);
    arena_reset(arena);
    arena_alloc(arena, 10);
    assert_int_equal(arena_peak(arena), most);
    assert_true(arena_used(arena) < most);
    arena_free(arena);
}

static void print_makes_strings_of_any_length(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    assert_string_equal(arena_print(arena, "%s.%d.%s", "encoder", 3, "weight"), "encoder.3.weight");
    assert_string_equal(arena_print(arena, "%s", ""), "");
    const char *wide = arena_print(arena, "%9000d", 7);
    assert_int_equal(strlen(wide), 9000);
    assert_int_equal(wide[8999], '7');
    arena_free(arena);
}

static void freeing_null_is_allowed(void **state)
{
    (void)state;
    arena_free(NULL);
}

static int setup(void **state)
{
    device_for_case(*state);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    device_for_case(NULL);
    return 0;
}

static void numbers_are_the_devices_and_apart_from_each_other(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 0, 63, 64, 65, 4097, 3u << 20, 3};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    Arena *arena = arena_new("test", 8u << 20);
    char *piece[COUNT], *bytes = malloc(3u << 20);
    for (int i = 0; i < COUNT; i++) {
        piece[i] = arena_numbers(arena, sizes[i]);
        assert_int_equal((uintptr_t)piece[i] % 64, 0);
        memset(bytes, i + 1, sizes[i]);
        device->put(piece[i], bytes, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        device->get(bytes, piece[i], sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++) assert_int_equal(bytes[j], i + 1);
    }
    free(bytes);
    arena_free(arena);
}

static void both_sides_are_counted_and_reset(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 20);
    assert_int_equal(arena_numbers_peak(arena), 0);
    arena_alloc(arena, 5000);
    size_t host = arena_used(arena);
    void *numbers = arena_numbers(arena, 9000);
    size_t used = arena_numbers_used(arena);
    assert_true(used >= 9000);
    assert_int_equal(arena_used(arena), host + used);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    assert_int_equal(arena_numbers_used(arena), 0);
    assert_int_equal(arena_numbers_peak(arena), used);
    assert_int_equal(arena_peak(arena), host + used);
    assert_ptr_equal(arena_numbers(arena, 9000), numbers);
    arena_free(arena);
}

static void a_full_side_of_numbers_stops_with_its_name_and_both_sizes(void **state)
{
    (void)state;
    Arena *arena = arena_new("small", 1u << 20);
    arena_numbers(arena, 1u << 20);    // at least the capacity is there
    size_t left = (2u << 20) - arena_numbers_used(arena);
    char sentence[128];
    snprintf(sentence, sizeof sentence, "arena 'small' is full: %zu bytes asked, %zu of %u left",
             left + 1, left, 2u << 20);
    stops_with(sentence, arena_numbers(arena, left + 1));
    assert_int_equal((2u << 20) - arena_numbers_used(arena), left);    // a refusal took nothing
    assert_true(arena_capacity(arena) >= 1u << 20);
    arena_free(arena);
}

static void marks_take_back_both_sides(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 20);
    void *kept = arena_numbers(arena, 100);
    arena_alloc(arena, 100);
    ArenaMark mark = arena_mark(arena);
    void *text = arena_alloc(arena, 200), *numbers = arena_numbers(arena, 300);
    size_t numbers_used = arena_numbers_used(arena), used = arena_used(arena);
    arena_rewind(arena, mark);
    assert_true(arena_numbers_used(arena) < numbers_used);
    assert_ptr_equal(arena_alloc(arena, 200), text);
    assert_ptr_equal(arena_numbers(arena, 300), numbers);
    assert_int_equal(arena_used(arena), used);

    device->put(kept, "kept", 5);
    arena_rewind(arena, mark);
    char back[5];
    device->get(back, kept, 5);
    assert_string_equal(back, "kept");

    ArenaMark late = mark;
    late.numbers += 1;
    stops_with("arena 'test' was rewound past the mark already", arena_rewind(arena, late));
    late = mark;
    late.host += 1;
    stops_with("arena 'test' was rewound past the mark already", arena_rewind(arena, late));
    arena_free(arena);
}

static void an_arena_belongs_to_one_device(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 20);
    arena_numbers(arena, 100);
    device_for_case("far");
    stops_with("arena 'test' has its numbers on device ref; far is in use",
               arena_numbers(arena, 1));
    arena_alloc(arena, 100);    // the host's side is anyone's
    arena_free(arena);          // gives the numbers back to the device that they came from
    assert_int_equal(arena_used(arena = arena_new("test", 1u << 20)), 0);
    arena_numbers(arena, 1);
    arena_free(arena);
}

static char released[16];

static void note(void *what)
{
    strncat(released, what, 1);
}

static void resources_are_released_in_reverse_order(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    arena_on_release(arena, note, (char[]){"a"});
    ArenaMark mark = arena_mark(arena);
    arena_on_release(arena, note, (char[]){"b"});
    arena_on_release(arena, note, (char[]){"c"});
    assert_string_equal(released, "");
    arena_rewind(arena, mark);
    assert_string_equal(released, "cb");
    arena_rewind(arena, mark);
    assert_string_equal(released, "cb");
    arena_on_release(arena, note, (char[]){"d"});
    arena_reset(arena);
    assert_string_equal(released, "cbda");
    arena_reset(arena);
    assert_string_equal(released, "cbda");
    arena_on_release(arena, note, (char[]){"e"});
    arena_on_release(arena, note, (char[]){"f"});
    arena_free(arena);
    assert_string_equal(released, "cbdafe");
}

#ifdef LAB_SANITIZE
static void the_sanitizer_reports_numbers_used_after_a_reset(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    volatile float *piece = arena_numbers(arena, 100);
    arena_reset(arena);
    stops_with("use-after-poison", piece[0] = 1);
    arena_free(arena);
}

static void the_sanitizer_reports_use_after_a_reset(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    volatile char *piece = arena_alloc(arena, 100);
    arena_reset(arena);
    stops_with("use-after-poison", piece[0] = 1);
    arena_free(arena);
}

static void the_sanitizer_reports_use_past_the_end_of_a_piece(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 16);
    volatile char *piece = arena_alloc(arena, 101);
    arena_alloc(arena, 100);
    piece[100] = 1;
    stops_with("use-after-poison", piece[101] = 1);
    arena_free(arena);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_aligned_and_apart_from_the_others),
        cmocka_unit_test(zeros_are_zero_even_in_memory_that_was_used),
        cmocka_unit_test(reset_hands_out_the_same_memory_again),
        cmocka_unit_test(all_of_the_capacity_can_be_used),
        cmocka_unit_test(a_full_arena_stops_with_its_name_and_both_sizes),
        cmocka_unit_test(an_absurd_capacity_stops_the_program),
        cmocka_unit_test(peak_remembers_the_most_that_was_used),
        cmocka_unit_test(print_makes_strings_of_any_length),
        cmocka_unit_test(freeing_null_is_allowed),
        EACH_DEVICE(numbers_are_the_devices_and_apart_from_each_other),
        EACH_DEVICE(both_sides_are_counted_and_reset),
        EACH_DEVICE(a_full_side_of_numbers_stops_with_its_name_and_both_sizes),
        EACH_DEVICE(marks_take_back_both_sides),
        ON_DEVICE(an_arena_belongs_to_one_device, "ref"),
        cmocka_unit_test(resources_are_released_in_reverse_order),
#ifdef LAB_SANITIZE
        cmocka_unit_test(the_sanitizer_reports_numbers_used_after_a_reset),
        cmocka_unit_test(the_sanitizer_reports_use_after_a_reset),
        cmocka_unit_test(the_sanitizer_reports_use_past_the_end_of_a_piece),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
