#include "common/arena.h"
#include "tests/stops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void each_piece_is_aligned_and_apart_from_the_others(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 0, 63, 64, 65, 4097, 3};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    Arena *arena = arena_new("test", 1u << 20);
    char  *piece[COUNT];
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
    void  *first = arena_alloc(arena, 100), *second = arena_alloc(arena, 100);
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
    // One page of capacity is left beside the header of 64 bytes.
    Arena *arena = arena_new("small", 4096 - 64);
    stops_with("arena 'small' is full: 4033 bytes asked, 4032 of 4032 left", arena_alloc(arena, 4033));
    stops_with("arena 'small' is full: 18446744073709551615 bytes asked", arena_alloc(arena, SIZE_MAX));
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

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    arena_free(NULL);
}

#ifdef LAB_SANITIZE
static void the_sanitizer_reports_use_after_a_reset(void **state)
{
    (void)state;
    Arena         *arena = arena_new("test", 1u << 16);
    volatile char *piece = arena_alloc(arena, 100);
    arena_reset(arena);
    stops_with("use-after-poison", piece[0] = 1);
    arena_free(arena);
}

static void the_sanitizer_reports_use_past_the_end_of_a_piece(void **state)
{
    (void)state;
    Arena         *arena = arena_new("test", 1u << 16);
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
        cmocka_unit_test(freeing_nothing_is_fine),
#ifdef LAB_SANITIZE
        cmocka_unit_test(the_sanitizer_reports_use_after_a_reset),
        cmocka_unit_test(the_sanitizer_reports_use_past_the_end_of_a_piece),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
