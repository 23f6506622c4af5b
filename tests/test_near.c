/* The comparison is right about right and wrong, and each likeness is said in its own words. */
#include "tests/near.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static char report[4096];

// All wanted tensors here are [3,4] with values that no pattern takes for another.
enum { ROWS = 3, COLS = 4, COUNT = ROWS * COLS };
static const double want[COUNT] = {1, -2, 3, 5, 7, 11, -13, 17, 19, 23, -29, 31};

typedef float Twelve[COUNT];

static bool near_want(const Twelve got, Near near)
{
    near.name = near.name ? near.name : "y";
    return near_report(report, sizeof report, NUMBERS(got), want, SHAPE(ROWS, COLS), near);
}

static void assert_says(const char *words)
{
    if (strstr(report, words) == NULL) fail_msg("\"%s\" is not in this report:\n%s", words, report);
}

static void assert_says_nothing_like(const char *words)
{
    if (strstr(report, words) != NULL) fail_msg("\"%s\" is in this report:\n%s", words, report);
}

static void copy_want(Twelve got)
{
    for (int i = 0; i < COUNT; i++) got[i] = (float)want[i];
}

static void equal_tensors_are_near_and_the_report_is_empty(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    assert_true(near_want(got, (Near){.exact = true}));
    assert_string_equal(report, "");
}

static void the_tolerance_is_absolute_plus_relative(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    got[11] = 31.75f;
    assert_true(near_want(got, (Near){.atol = 0.13, .rtol = 0.02}));    // 0.13 + 0.62 = 0.75
    assert_false(near_want(got, (Near){.atol = 0.12, .rtol = 0.02}));
    assert_says("1 of 12 outside 0.12 + 0.02 |want|, first at [2,3]: got 31.75, want 31\n");
}

static void nan_and_infinity_are_never_near(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    got[5] = NAN;
    got[6] = INFINITY;
    assert_false(near_want(got, (Near){.atol = 1e30}));
    assert_says("2 of 12 outside");
    assert_says("looks like: 1 NaN and 1 infinite, the first at [1,1]: infinity over infinity");
    copy_want(got);
    got[6] = INFINITY;
    assert_false(near_want(got, (Near){0}));
    assert_says("looks like: 1 infinite, the first at [1,2]: overflow (exp of a large number?)");
}

static void uninitialized_memory_and_overflow_are_distinguished(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    memset(&got[5], 0xff, sizeof got[5]);
    got[5] = got[5] * 2 + 1;    // arithmetic keeps it
    memset(&got[7], 0xfe, sizeof got[7]);
    got[7] += 17;
    assert_false(near_want(got, (Near){0}));
    assert_says(
        "looks like: 2 of 12 elements, the first at [1,1], come from memory that was never");
    copy_want(got);
    volatile float zero = 0;
    got[5] = zero / zero;
    assert_false(near_want(got, (Near){0}));
    assert_says("looks like: 1 NaN, the first at [1,1]: infinity over infinity (exp of a large "
                "number?), 0/0, 0 times infinity");
    assert_says_nothing_like("never written");
}

static void a_wrong_shape_is_reported_by_both(void **state)
{
    (void)state;
    Twelve data;
    copy_want(data);
    Tensor y = {.data = data, .shape = SHAPE(3, 4)};
    Near near = {.name = "y", .formula = "y = x'"};
    assert_true(near_tensor_report(report, sizeof report, &y, want, SHAPE(3, 4), near));
    assert_false(near_tensor_report(report, sizeof report, &y, want, SHAPE(4, 3), near));
    assert_string_equal(report, "y = x'\ny has shape [3,4], expected [4,3]\n");
    data[3] = 0;
    assert_false(near_tensor_report(report, sizeof report, &y, want, SHAPE(3, 4), near));
    assert_says("first at [0,3]: got 0, want 5");
    y.data = NULL;
    assert_false(near_tensor_report(report, sizeof report, &y, want, SHAPE(3, 4), near));
    assert_says("y has no data");
    assert_false(near_tensor_report(report, sizeof report, NULL, want, SHAPE(3, 4), near));
    assert_says("y is NULL, expected a tensor of shape [3,4]");
}

static void an_infinity_that_is_wanted_is_near(void **state)
{
    (void)state;
    assert_true(near_report(report, sizeof report, NUMBERS((float[]){INFINITY}),
                            (double[]){INFINITY}, SCALAR, (Near){.name = "y"}));
}

static void a_number_is_wrong_where_an_infinity_or_a_nan_is_wanted(void **state)
{
    (void)state;
    const double wanted[] = {INFINITY, -INFINITY, NAN, NAN, INFINITY};
    const float got[] = {3, INFINITY, 0, NAN, INFINITY};
    assert_false(near_report(report, sizeof report, NUMBERS(got), wanted, SHAPE(5),
                             (Near){.name = "y", .atol = 1e30}));
    assert_says("3 of 5 outside 1e+30, first at [0]: got 3, want inf\n");
    assert_false(near_report(report, sizeof report, NUMBERS(got + 2), wanted + 2, SHAPE(2),
                             (Near){.name = "y"}));
    assert_says("looks like: 1 element, the first at [0], should be NaN");
}

static void no_elements_are_near(void **state)
{
    (void)state;
    assert_true(
        near_report(report, sizeof report, (Numbers){0}, NULL, SHAPE(0, 4), (Near){.name = "y"}));
    assert_true(
        near_report(report, sizeof report, (Numbers){0}, NULL, SHAPE(4, 0), (Near){.name = "y"}));
}

static void the_report_shows_formula_map_and_the_first_wrong_row(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    got[5] = 0.5f;
    got[8] = 0.25f;
    assert_false(near_want(got, (Near){.formula = "y = x + 1"}));
    assert_string_equal(
        report, "y = x + 1\n"
                "y [3,4]: 2 of 12 outside 1e-05 + 1e-05 |want|, first at [1,1]: got 0.5, want 11\n"
                "  row 0   ....\n"
                "  row 1   .X..\n"
                "  row 2   X...\n"
                "  got  [1,:]  7 0.5 -13 17\n"
                "  want [1,:]  7 11 -13 17\n"
                "looks like: the first row is right and later ones are wrong: "
                "it works for a batch of 1 only\n");
}

static void a_large_tensor_has_a_small_map(void **state)
{
    (void)state;
    enum { R = 40, C = 100 };
    static float got[R * C];
    static double wanted[R * C];
    for (int i = 0; i < R * C; i++) got[i] = (float)(wanted[i] = i % 7 + i % 11);
    got[17 * C + 62] += 1;
    assert_false(near_report(report, sizeof report, NUMBERS(got), wanted, SHAPE(2, 20, C),
                             (Near){.name = "y"}));
    assert_says("first at [0,17,62]");
    assert_says("  row 15  ....................X.............\n");
    assert_says("  row 20  ..................................\n");
    assert_says("(a mark stands for 5 x 3 elements)");
    assert_says("got  [0,17,:]  .. 8 9 4 6 8 10 ..\n");
    assert_says_nothing_like("looks like");
}

static void a_longest_report_is_cut_to_the_room_there_is(void **state)
{
    (void)state;
    Twelve got = {0};
    char small[40];
    memset(small, 'x', sizeof small);
    assert_false(near_report(small, sizeof small - 1, NUMBERS(got), want, SHAPE(ROWS, COLS),
                             (Near){.name = "y"}));
    assert_int_equal(strlen(small), sizeof small - 2);
    assert_int_equal(small[sizeof small - 1], 'x');
}

static void zeros_are_recognised(void **state)
{
    (void)state;
    assert_false(near_want((Twelve){0}, (Near){0}));
    assert_says("looks like: all of it is zero");
}

static void a_flipped_sign_is_recognised(void **state)
{
    (void)state;
    Twelve got;
    for (int i = 0; i < COUNT; i++) got[i] = (float)-want[i];
    assert_false(near_want(got, (Near){0}));
    assert_says("got = -1 x want: the sign is flipped");
}

static void a_constant_factor_is_named(void **state)
{
    (void)state;
    static const struct {
        double factor;
        int batch;
        const char *words;
    } examples[] = {
        {8, 8, "got = 8 x want: is a factor 1/B missing? (B = 8)"},
        {0.125, 8, "got = 0.125 x want: was it divided by B once too often? (B = 8)"},
        {2, 8, "got = 2 x want: is a factor 1/2 missing, or was it added twice?"},
        {0.5, 8, "got = 0.5 x want: is a factor 2 missing?"},
        {0.25, 0, "got = 0.25 x want: was it averaged over the row too?"},
        {0.37, 0, "got = 0.37 x want: is a constant factor missing, or one too many?"},
    };
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        Twelve got;
        for (int i = 0; i < COUNT; i++) got[i] = (float)(examples[k].factor * want[i]);
        assert_false(near_want(got, (Near){.batch = examples[k].batch}));
        assert_says(examples[k].words);
    }
}

static void a_scalar_has_a_factor_only_where_one_comes_to_mind(void **state)
{
    (void)state;
    Near loss = {.name = "loss", .batch = 3};
    assert_false(near_report(report, sizeof report, NUMBERS((float[]){7.5f}), (double[]){2.5},
                             SCALAR, loss));
    assert_string_equal(report, "loss outside 1e-05 + 1e-05 |want|: got 7.5, want 2.5\n"
                                "looks like: got = 3 x want: is a factor 1/B missing? (B = 3)\n");
    assert_false(near_report(report, sizeof report, NUMBERS((float[]){7.7f}), (double[]){2.5},
                             SCALAR, loss));
    assert_says_nothing_like("looks like");
}

static void a_transposed_result_is_recognised(void **state)
{
    (void)state;
    Twelve got;
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) got[c * ROWS + r] = (float)want[r * COLS + c];
    assert_false(near_want(got, (Near){0}));
    assert_says("it is transposed");
}

static void a_shift_by_one_is_recognised_in_both_directions(void **state)
{
    (void)state;
    Twelve late = {-99}, early = {0};
    for (int i = 0; i + 1 < COUNT; i++) {
        late[i + 1] = (float)want[i];
        early[i] = (float)want[i + 1];
    }
    assert_false(near_want(late, (Near){0}));
    assert_says("shifted by one: each value stands one place too late");
    assert_false(near_want(early, (Near){0}));
    assert_says("shifted by one: each value stands one place too early");
}

static void a_wrong_far_edge_is_recognised(void **state)
{
    (void)state;
    Twelve row, column;
    copy_want(row);
    copy_want(column);
    for (int c = 0; c < COLS; c++) row[8 + c] += (float)(1 + c);
    for (int r = 0; r < ROWS; r++) column[4 * r + 3] += (float)(1 + r);
    assert_false(near_want(row, (Near){0}));
    assert_says("only the last row is wrong");
    assert_false(near_want(column, (Near){0}));
    assert_says("only the last column is wrong");
}

static void a_result_for_a_batch_of_one_is_recognised(void **state)
{
    (void)state;
    Twelve got = {1, -2, 3, 5, 70, 71, 72, 73, 74, 75, 76, 78};
    assert_false(near_want(got, (Near){0}));
    assert_says("it works for a batch of 1 only");
}

static void rows_that_repeat_the_first_are_recognised(void **state)
{
    (void)state;
    Twelve got = {2, -3, 4, 6, 2, -3, 4, 6, 2, -3, 4, 6};
    assert_false(near_want(got, (Near){0}));
    assert_says("every row is a copy of the first");
    const double zeros[COUNT] = {0};    // that are to be the same
    const float halves[COUNT] = {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f};
    assert_false(near_report(report, sizeof report, NUMBERS(halves), zeros, SHAPE(ROWS, COLS),
                             (Near){.name = "dlogvar"}));
    assert_says_nothing_like("looks like");
}

static void a_missing_bias_is_recognised(void **state)
{
    (void)state;
    Twelve got;
    for (int i = 0; i < COUNT; i++) got[i] = (float)(want[i] - (double[]){1, 0, -2, 3}[i % COLS]);
    assert_false(near_want(got, (Near){0}));
    assert_says("is the bias missing or doubled?");
}

static void previous_contents_distinguish_untouched_overwritten_and_added(void **state)
{
    (void)state;
    Twelve before, overwritten, added;
    for (int i = 0; i < COUNT; i++) {
        before[i] = (float)(100 - i * i);
        overwritten[i] = (float)(want[i] - (double)before[i]);
        added[i] = (float)(want[i] + (double)before[i]);
    }
    assert_false(near_want(before, (Near){.added_to = before}));
    assert_says("y holds what it held before the call: nothing was written");
    assert_false(near_want(before, (Near){.replaces = before}));
    assert_says("nothing was written");
    assert_false(near_want(overwritten, (Near){.added_to = before}));
    assert_says("what y held before the call was overwritten: add to it (+=)");
    assert_false(near_want(added, (Near){.replaces = before}));
    assert_says("what y held before the call was added in: overwrite it (=)");
}

static void a_factor_is_seen_in_what_was_added(void **state)
{
    (void)state;
    Twelve before, got;
    for (int i = 0; i < COUNT; i++) {
        before[i] = (float)(100 - i * i);
        got[i] = (float)((double)before[i] + 5 * (want[i] - (double)before[i]));
    }
    assert_false(near_want(got, (Near){.added_to = before, .batch = 5}));
    assert_says("what was added = 5 x what should be: is a factor 1/B missing? (B = 5)");
}

static void a_few_unwritten_elements_and_all_are_distinguished(void **state)
{
    (void)state;
    Twelve got, before = {0};
    copy_want(got);
    before[10] = before[11] = 0.5f;
    got[10] = got[11] = 0.5f;
    assert_false(near_want(got, (Near){.replaces = before}));
    assert_says("looks like: 2 of 12 elements, the first at [2,2], hold what they held before");
    assert_says("does a loop end too early?");
    assert_false(near_want(got, (Near){.added_to = before}));
    assert_says("does a loop end too early?");
}

static void untouched_elements_before_right_ones_are_no_short_loop(void **state)
{
    (void)state;
    static const int places[][2] = {{0, 1}, {1, 5}, {4, 9}};
    for (int k = 0; k < 3; k++) {
        Twelve got, before = {0};
        copy_want(got);
        for (int i = 0; i < 2; i++) before[places[k][i]] = got[places[k][i]] = 0.5f;
        assert_false(near_want(got, (Near){.added_to = before}));
        assert_says("looks like: 2 of 12 elements, the first at ");
        assert_says("hold what they held before the call\n");
    }
    const float before[] = {7, 7, 7, 7}, one[] = {1, -2, 7, 5};
    assert_false(near_report(report, sizeof report, NUMBERS(one), want, SHAPE(4),
                             (Near){.name = "dbias", .added_to = before}));
    assert_says(
        "looks like: 1 of 4 elements, the first at [2], holds what it held before the call\n");
    // A whole row that is followed by a right one.
    Twelve got, held = {0};
    copy_want(got);
    for (int i = COLS; i < 2 * COLS; i++) held[i] = got[i] = 0.5f;
    assert_false(near_want(got, (Near){.replaces = held}));
    assert_says("hold what they held before the call\n");
}

static void an_edge_is_named_only_where_the_shape_has_one(void **state)
{
    (void)state;
    static const Shape shapes[] = {SHAPE(4), SHAPE(1, 4), SHAPE(4, 1), SHAPE(2, 2)};
    const float got[] = {1, -2, 3, 55};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        assert_false(
            near_report(report, sizeof report, NUMBERS(got), want, shapes[k], (Near){.name = "s"}));
        assert_says_nothing_like("the last");
    }
    Twelve corner;
    copy_want(corner);
    corner[11] = 7;
    assert_false(near_want(corner, (Near){0}));
    assert_says_nothing_like("the last");
    float got_tall[24] = {0};
    const double want_tall[24] = {0};    // [8,3]: two of the last column's eight
    got_tall[5] = got_tall[23] = 7;
    assert_false(near_report(report, sizeof report, NUMBERS(got_tall), want_tall, SHAPE(8, 3),
                             (Near){.name = "s"}));
    assert_says_nothing_like("the last");
}

static void missing_digits_are_counted(void **state)
{
    (void)state;
    Twelve got;
    copy_want(got);
    got[3] = 5.002f;
    assert_false(near_want(got, (Near){0}));
    assert_says("first at [0,3]: got 5.002, want 5\n");
    assert_says("looks like: right to 3 digits; 5 are asked for\n");
    assert_false(near_want(got, (Near){.exact = true}));
    assert_says("right to 3 digits; asked for are exactly the same numbers\n");
}

// ---- doubles ----

static bool doubles_near(const double got[COUNT], Near near)
{
    near.name = "a";
    return near_report(report, sizeof report, NUMBERS(got), want, SHAPE(ROWS, COLS), near);
}

static void doubles_keep_the_digits_that_a_float_would_lose(void **state)
{
    (void)state;
    double got[COUNT];
    memcpy(got, want, sizeof got);
    assert_true(doubles_near(got, (Near){.exact = true}));
    got[5] += 2e-11;
    assert_true(doubles_near(got, (Near){.atol = 2.1e-11}));
    assert_false(doubles_near(got, (Near){.atol = 1.9e-11}));
    assert_false(doubles_near(got, (Near){0}));    // 1e-12 + 1e-12 |want| is what is asked for
    assert_string_equal(report,
                        "a [3,4]: 1 of 12 outside 1e-12 + 1e-12 |want|, first at [1,1]: got "
                        "11.00000000002, want 11\n"
                        "  row 0   ....\n"
                        "  row 1   .X..\n"
                        "  row 2   ....\n"
                        "  got  [1,:]  7 11.00000000002 -13 17\n"
                        "  want [1,:]  7 11 -13 17\n"
                        "looks like: right to 11 digits; 12 are asked for\n");
}

static void a_tolerance_in_eps_is_of_the_number_or_of_one(void **state)
{
    (void)state;
    const double eps = 0x1p-52, wanted[] = {1024, 0};
    double got[] = {1024 * (1 + 3 * eps), 3 * eps};
    Near near = {.name = "s", .eps = 3};
    assert_true(near_report(report, sizeof report, NUMBERS(got), wanted, SHAPE(2), near));
    near.eps = 2;
    assert_false(near_report(report, sizeof report, NUMBERS(got), wanted, SHAPE(2), near));
    assert_says(
        "s [2]: 2 of 2 not within 2 eps, first at [0]: got 1024.0000000000007, want 1024\n");
}

static void likenesses_are_seen_in_doubles_too(void **state)
{
    (void)state;
    double got[COUNT], before[COUNT];
    for (int i = 0; i < COUNT; i++) got[i] = 2 * want[i], before[i] = i;
    assert_false(doubles_near(got, (Near){0}));
    assert_says("got = 2 x want");
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) got[c * ROWS + r] = want[r * COLS + c];
    assert_false(doubles_near(got, (Near){0}));
    assert_says("it is transposed");
    for (int i = 0; i < COUNT; i++) got[i] = want[i] + before[i];
    assert_false(doubles_near(got, (Near){.replaces = before}));
    assert_says("was added in: overwrite it (=)");
    assert_false(doubles_near(before, (Near){.replaces = before}));
    assert_says("nothing was written");
    for (int i = 0; i < 2; i++) {
        memcpy(got, want, sizeof got);
        memset(&got[5], i == 0 ? 0xff : 0xfe, sizeof got[5]);
        got[5] += 1;
        assert_false(doubles_near(got, (Near){0}));
        assert_says("1 of 12 elements, the first at [1,1], comes from memory that was never");
    }
}

// What a batch is does not matter for a matrix.
static void later_rows_of_a_matrix_are_not_a_batch(void **state)
{
    (void)state;
    const double got[COUNT] = {1, -2, 3, 5, 70, 71, 72, 73, 74, 75, 76, 78};
    assert_false(doubles_near(got, (Near){0}));
    assert_says("looks like: the first row is right and later ones are wrong\n");
}

static void an_unknown_pattern_is_not_guessed(void **state)
{
    (void)state;
    Twelve got;
    for (int i = 0; i < COUNT; i++) got[i] = (float)(want[i] + i * i % 5 + 1);
    assert_false(near_want(got, (Near){0}));
    assert_says_nothing_like("looks like");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tensors_are_near_and_the_report_is_empty),
        cmocka_unit_test(the_tolerance_is_absolute_plus_relative),
        cmocka_unit_test(nan_and_infinity_are_never_near),
        cmocka_unit_test(uninitialized_memory_and_overflow_are_distinguished),
        cmocka_unit_test(a_wrong_shape_is_reported_by_both),
        cmocka_unit_test(an_infinity_that_is_wanted_is_near),
        cmocka_unit_test(no_elements_are_near),
        cmocka_unit_test(the_report_shows_formula_map_and_the_first_wrong_row),
        cmocka_unit_test(a_large_tensor_has_a_small_map),
        cmocka_unit_test(a_longest_report_is_cut_to_the_room_there_is),
        cmocka_unit_test(zeros_are_recognised),
        cmocka_unit_test(a_flipped_sign_is_recognised),
        cmocka_unit_test(a_constant_factor_is_named),
        cmocka_unit_test(a_scalar_has_a_factor_only_where_one_comes_to_mind),
        cmocka_unit_test(a_transposed_result_is_recognised),
        cmocka_unit_test(a_shift_by_one_is_recognised_in_both_directions),
        cmocka_unit_test(a_wrong_far_edge_is_recognised),
        cmocka_unit_test(a_result_for_a_batch_of_one_is_recognised),
        cmocka_unit_test(rows_that_repeat_the_first_are_recognised),
        cmocka_unit_test(a_missing_bias_is_recognised),
        cmocka_unit_test(previous_contents_distinguish_untouched_overwritten_and_added),
        cmocka_unit_test(a_factor_is_seen_in_what_was_added),
        cmocka_unit_test(a_number_is_wrong_where_an_infinity_or_a_nan_is_wanted),
        cmocka_unit_test(a_few_unwritten_elements_and_all_are_distinguished),
        cmocka_unit_test(untouched_elements_before_right_ones_are_no_short_loop),
        cmocka_unit_test(an_edge_is_named_only_where_the_shape_has_one),
        cmocka_unit_test(missing_digits_are_counted),
        cmocka_unit_test(doubles_keep_the_digits_that_a_float_would_lose),
        cmocka_unit_test(a_tolerance_in_eps_is_of_the_number_or_of_one),
        cmocka_unit_test(likenesses_are_seen_in_doubles_too),
        cmocka_unit_test(later_rows_of_a_matrix_are_not_a_batch),
        cmocka_unit_test(an_unknown_pattern_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
