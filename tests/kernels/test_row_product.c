// What rounded activations cost, and that they give the same bits on all processors that multiply whole numbers.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "common/rng.h"
#include "kernels/cpu/cpu.h"

enum { M = 7, ROWS = 61, COLS = 1024 };
static const DType types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K};
enum { TYPES = sizeof types / sizeof *types };

static float x[M * COLS], numbers[ROWS * COLS];
static uint8_t blocks[2 * ROWS * COLS];

static WeightRows draw(DType type)
{
    Rng rng = rng_from_seed(type);
    for (int i = 0; i < M * COLS; i++) x[i] = rng_normal(&rng);
    for (int i = 0; i < ROWS * COLS; i++) numbers[i] = rng_normal(&rng);
    assert_true(dtype_from_floats(type, blocks, numbers, ROWS * COLS));
    return (WeightRows){blocks, type, ROWS, COLS};
}

// By what share of the results' standard deviation: as row_product.h states.
static void check_error(Activations activations, double least, double most)
{
    for (int t = 0; t < TYPES; t++) {
        const WeightRows w = draw(types[t]);
        float exact[M * ROWS], rounded[M * ROWS];
        kernels_ref.row_product(exact, ROWS, x, COLS, M, w, ACTIVATIONS_F32);
        kernels_ref.row_product(rounded, ROWS, x, COLS, M, w, activations);
        double off = 0, size = 0;
        for (int i = 0; i < M * ROWS; i++) {
            off += ((double)rounded[i] - exact[i]) * ((double)rounded[i] - exact[i]);
            size += (double)exact[i] * exact[i];
        }
        const double error = sqrt(off / size);
        print_message("%s: error %.2g %%\n", dtype_name(types[t]), 100 * error);
        assert_true(error > least && error < most);
    }
}

static void activations_of_8_bits_are_off_by_half_a_percent(void **state)
{
    (void)state;
    check_error(ACTIVATIONS_Q8, 0.004, 0.006);
}

static void activations_of_16_bits_are_254_times_as_exact(void **state)
{
    (void)state;
    check_error(ACTIVATIONS_Q16, 0.004 / ACTIVATION_REST, 0.006 / ACTIVATION_REST);
}

static void all_that_multiply_whole_numbers_give_the_same_bits(void **state)
{
    (void)state;
    for (int t = 0; t < 2 * TYPES; t++) {
        const WeightRows w = draw(types[t / 2]);
        float want[M * ROWS], got[M * ROWS];
        bool first = true;
        for (int v = 0; v < CPU_VARIANTS; v++) {
            const Kernels *table = cpu_variants[v].table;
            if (!cpu_variants[v].can_run() || strcmp(table->variant, "plain") == 0) continue;
            table->row_product(got, ROWS, x, COLS, M, w,
                               t % 2 == 0 ? ACTIVATIONS_Q8 : ACTIVATIONS_Q16);
            if (first) memcpy(want, got, sizeof want);
            assert_memory_equal(want, got, sizeof want);
            first = false;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_of_8_bits_are_off_by_half_a_percent),
        cmocka_unit_test(activations_of_16_bits_are_254_times_as_exact),
        cmocka_unit_test(all_that_multiply_whole_numbers_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
