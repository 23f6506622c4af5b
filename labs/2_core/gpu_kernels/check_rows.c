/* check_rows.c -- cases of softmax_rows and layer_norm. */
#include "labs/2_core/gpu_kernels/check.h"

// So long that a pass of half the threads weighs more than any way to reduce the block's numbers to one.
enum { LONG = 100 * 128 + 9 };

// ---- softmax_rows ----

static void softmax_in_double(double *want, const float *x, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < cols; c++) largest = fmax(largest, (double)x[r * cols + c]);
        for (int c = 0; c < cols; c++) sum += exp((double)x[r * cols + c] - largest);
        for (int c = 0; c < cols; c++)
            want[r * cols + c] = exp((double)x[r * cols + c] - largest) / sum;
    }
}

static void softmax_of(const float *x, int rows, int cols)
{
    size_t n = (size_t)rows * (size_t)cols;
    float *y = blank(n);
    double *want = expected(n);
    softmax_in_double(want, x, rows, cols);
    emulator_clear();
    run_softmax_rows(y, x, rows, cols);
    expect_clean();
    assert_near(y, want, SHAPE(rows, cols), .name = "y",
                .formula = "y[r,c] = exp(x[r,c]) / sum_j exp(x[r,j])", .atol = 1e-7, .rtol = 1e-5);
}

CASE(softmax_rows__normalizes_rows_longer_than_a_block)
{
    softmax_of(numbers(3 * 300, 8), 3, 300);
}

CASE(softmax_rows__normalizes_long_rows)
{
    softmax_of(numbers(2 * 1101, 24), 2, 1101);
}

CASE(softmax_rows__normalizes_rows_shorter_than_a_warp)
{
    softmax_of(numbers(5 * 7, 9), 5, 7);
}

CASE(softmax_rows__normalizes_rows_of_one_element)
{
    softmax_of(numbers(4, 10), 4, 1);
}

CASE(softmax_rows__normalizes_rows_around_the_size_of_a_block)
{
    softmax_of(numbers(2 * 127, 11), 2, 127);
    softmax_of(numbers(2 * 129, 12), 2, 129);
}

// The largest element is in the last column, then in the first, then in a warp in the middle.
CASE(softmax_rows__is_stable_for_large_numbers)
{
    enum { COLS = 200 };
    float *x = numbers(3 * COLS, 13);
    for (int i = 0; i < 3 * COLS; i++) x[i] *= 50;
    x[COLS - 1] = 1000;
    x[COLS] = 990;
    x[2 * COLS + 70] = 1e4f;
    softmax_of(x, 3, COLS);
}

CASE(softmax_rows__is_stable_for_numbers_far_below_zero)
{
    enum { COLS = 150 };
    float *x = numbers(2 * COLS, 14);
    for (int i = 0; i < 2 * COLS; i++) x[i] -= 3000;
    softmax_of(x, 2, COLS);
    for (int i = 0; i < 2 * COLS; i++) x[i] *= 1e30f;
    softmax_of(x, 2, COLS);
}

// Of the smallest numbers too: from e^-80 on, which a float holds to all its digits.
CASE(softmax_rows__keeps_the_digits_of_small_probabilities)
{
    enum { COLS = 200 };
    float *x = numbers(2 * COLS, 16), *y = blank(2 * COLS);
    double *want = expected(2 * COLS);
    for (int i = 0; i < 2 * COLS; i++) x[i] *= 20;
    softmax_in_double(want, x, 2, COLS);
    emulator_clear();
    run_softmax_rows(y, x, 2, COLS);
    expect_clean();
    assert_near(y, want, SHAPE(2, COLS), .name = "y",
                .formula = "y[r,c] = exp(x[r,c]) / sum_j exp(x[r,j])", .atol = 1e-37, .rtol = 1e-4);
}

CASE(softmax_rows__reads_and_writes_full_sectors)
{
    softmax_of(numbers(3 * 304, 15), 3, 304);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(softmax_rows__shares_out_the_row)
{
    softmax_of(numbers(LONG, 15), 1, LONG);
    expect_shared_out(1.15, 1);
    expect_written_once(2 * LONG);    // exponentials may be kept in y
    expect_at_most(traffic_of(emulator_report(), SPACE_GLOBAL, false).lanes, LONG, 4,
                   "reads from global memory for each element of a row");
}

// ---- layer_norm ----

static void norm_of(const float *x, int rows, int cols, float eps, double rtol)
{
    size_t n = (size_t)rows * (size_t)cols;
    float *y = blank(n), *gamma = numbers((size_t)cols, 16), *beta = numbers((size_t)cols, 17);
    double *want = expected(n);
    for (int r = 0; r < rows; r++) {
        double mean = 0, variance = 0;
        for (int c = 0; c < cols; c++) mean += (double)x[r * cols + c] / cols;
        for (int c = 0; c < cols; c++) variance += pow((double)x[r * cols + c] - mean, 2) / cols;
        for (int c = 0; c < cols; c++)
            want[r * cols + c] =
                (double)gamma[c] * ((double)x[r * cols + c] - mean) / sqrt(variance + (double)eps) +
                (double)beta[c];
    }
    emulator_clear();
    run_layer_norm(y, x, gamma, beta, eps, rows, cols);
    expect_clean();
    assert_near(y, want, SHAPE(rows, cols), .name = "y",
                .formula = "y[r,c] = gamma[c] (x[r,c] - mean) / sqrt(variance + eps) + beta[c]",
                .atol = rtol, .rtol = rtol);
}

CASE(layer_norm__normalizes_rows_longer_than_a_block)
{
    norm_of(numbers(3 * 300, 18), 3, 300, 1e-5f, 1e-4);
}

CASE(layer_norm__normalizes_long_rows)
{
    norm_of(numbers(2 * 1101, 25), 2, 1101, 1e-5f, 1e-4);
}

CASE(layer_norm__normalizes_rows_shorter_than_a_warp)
{
    norm_of(numbers(5 * 7, 19), 5, 7, 1e-5f, 1e-4);
}

CASE(layer_norm__gives_beta_for_a_row_of_one_element)
{
    norm_of(numbers(4, 20), 4, 1, 1e-5f, 1e-4);
}

CASE(layer_norm__adds_eps_to_the_variance)
{
    norm_of(numbers(2 * 129, 21), 2, 129, 0.7f, 1e-4);
}

// The means are 4096 and -4096, exact in float as their squares are not.
CASE(layer_norm__keeps_its_digits_far_from_zero)
{
    enum { COLS = 140 };
    float *x = numbers(2 * COLS, 22);
    for (int i = 0; i < 2 * COLS; i++) x[i] += i < COLS ? 4096 : -4096;
    norm_of(x, 2, COLS, 1e-5f, 4e-3);
}

CASE(layer_norm__reads_and_writes_full_sectors)
{
    norm_of(numbers(3 * 304, 23), 3, 304, 1e-5f, 1e-4);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(layer_norm__shares_out_the_row)
{
    norm_of(numbers(LONG, 23), 1, LONG, 1e-5f, 1e-4);
    expect_shared_out(1.15, 1);
    expect_written_once(LONG);
    // With those of gamma and beta.
    expect_at_most(traffic_of(emulator_report(), SPACE_GLOBAL, false).lanes, LONG, 6,
                   "reads from global memory for each element of a row");
}

// ----

const struct CMUnitTest row_cases[] = {
    cmocka_unit_test(softmax_rows__normalizes_rows_longer_than_a_block),
    cmocka_unit_test(softmax_rows__normalizes_long_rows),
    cmocka_unit_test(softmax_rows__normalizes_rows_shorter_than_a_warp),
    cmocka_unit_test(softmax_rows__normalizes_rows_of_one_element),
    cmocka_unit_test(softmax_rows__normalizes_rows_around_the_size_of_a_block),
    cmocka_unit_test(softmax_rows__is_stable_for_large_numbers),
    cmocka_unit_test(softmax_rows__is_stable_for_numbers_far_below_zero),
    cmocka_unit_test(softmax_rows__keeps_the_digits_of_small_probabilities),
    cmocka_unit_test(softmax_rows__reads_and_writes_full_sectors),
    cmocka_unit_test(softmax_rows__shares_out_the_row),
    cmocka_unit_test(layer_norm__normalizes_rows_longer_than_a_block),
    cmocka_unit_test(layer_norm__normalizes_long_rows),
    cmocka_unit_test(layer_norm__normalizes_rows_shorter_than_a_warp),
    cmocka_unit_test(layer_norm__gives_beta_for_a_row_of_one_element),
    cmocka_unit_test(layer_norm__adds_eps_to_the_variance),
    cmocka_unit_test(layer_norm__keeps_its_digits_far_from_zero),
    cmocka_unit_test(layer_norm__reads_and_writes_full_sectors),
    cmocka_unit_test(layer_norm__shares_out_the_row),
    {0}};
