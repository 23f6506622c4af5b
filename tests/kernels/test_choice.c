// Which table is used, how a sparse one is completed, and that threads change no bit.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"
#include "tests/kernels/numbers.h"

static void ref_is_in_use_before_a_choice_is_made(void **state)
{
    (void)state;
    assert_string_equal(kernels.backend, "ref");
    assert_ptr_equal(kernels.matmul, kernels_ref.matmul);
}

static void an_unknown_backend_is_refused_with_a_sentence_and_changes_nothing(void **state)
{
    (void)state;
    const char *why      = NULL;
    const Kernels before = kernels;
    assert_false(kernels_use("nonsense", &why));
    assert_non_null(why);
    assert_non_null(strchr(why, ' '));
    assert_memory_equal(&kernels, &before, sizeof before);
}

static void no_name_means_the_best_there_is(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_true(kernels_use(NULL, &why));
    assert_string_equal(kernels.backend, "cpu");
    assert_string_equal(kernels.variant, kernels_cpu()->variant);
    assert_true(kernels_use("ref", &why));
    assert_string_equal(kernels.backend, "ref");
    assert_null(why);
}

static void an_empty_entry_takes_refs_and_a_filled_one_stays(void **state)
{
    (void)state;
    const Kernels sparse = {.backend = "sparse", .variant = "test", .relu = kernels_ref.tanh};
    const Kernels full   = kernels_complete(&sparse);
    assert_string_equal(full.backend, "sparse");
    assert_ptr_equal(full.relu, kernels_ref.tanh);
#define X(name, args) assert_non_null(full.name);
    KERNEL_LIST(X)
#undef X
    assert_ptr_equal(full.adam_step, kernels_ref.adam_step);
}

static void the_best_table_is_the_first_that_can_run(void **state)
{
    (void)state;
    int i = 0;
    while (!cpu_variants[i].can_run()) i++;
    assert_ptr_equal(kernels_cpu(), cpu_variants[i].table);
    assert_true(cpu_variants[CPU_VARIANTS - 1].can_run());
}

// ---- the same bits

enum { M = 130, N = 259, K = 301, ROWS = 211, COLS = 331, LONG = 70001 };

// Every kernel whose sums could be made in another order by other threads.
static void run_all(float *out, const Kernels *table, const float *a, const float *b)
{
    kernels = *table;
    matmul(out, a, b, M, N, K, 0), out += M * N;
    matmul_nt(out, a, b, M, N, K, 0), out += M * N;
    matmul_tn(out, a, b, M, N, K, 0), out += M * N;
    matmul_nt(out, a, b, 3, N, K, 0), out += 3 * N;
    table->sum(out++, a, LONG);
    table->sum_squares(out++, a, LONG);
    table->squared_error(out++, a, b, LONG);
    table->bce_logits(out++, a, b, LONG);
    table->fill(out, 0, COLS);
    table->sum_rows(out, a, ROWS, COLS), out += COLS;
    table->softmax_rows(out, a, ROWS, COLS), out += ROWS * COLS;
    table->tanh(out, a, LONG);
}

enum { ALL = 3 * M * N + 3 * N + 4 + COLS + ROWS * COLS + LONG };

static void one_thread_and_more_give_the_same_bits(void **state)
{
    (void)state;
    float *a = numbers_new(K * N, NORMAL), *b = numbers_new(K * N, NORMAL);
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        const Kernels table = kernels_complete(cpu_variants[v].table);
        float *one = numbers_new(ALL, NANS), *more = numbers_new(ALL, NANS);
        omp_set_num_threads(1);
        run_all(one, &table, a, b);
        for (int threads = 2; threads <= 5; threads++) {
            omp_set_num_threads(threads);
            run_all(more, &table, a, b);
            assert_memory_equal(one, more, ALL * sizeof *one);
        }
    }
    numbers_free();
}

// Large on all sides: OpenBLAS's work where it is there. Every 997th element against a sum in double.
static void large_products_are_right_whoever_makes_them(void **state)
{
    (void)state;
    enum { ROWS_C = 513, COLS_C = 520, DEPTH_C = 515 };
    const Kernels table = kernels_complete(kernels_cpu());
    const float  *a = numbers_new(ROWS_C * DEPTH_C, NORMAL), *b = numbers_new(DEPTH_C * COLS_C, NORMAL);
    float        *c[3];
    for (int kind = 0; kind < 3; kind++) {
        c[kind] = numbers_new(ROWS_C * COLS_C, NORMAL);
        table.fill(c[kind], 2.0f, ROWS_C * COLS_C);
    }
    kernels = table;
    matmul(c[0], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    matmul_nt(c[1], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    matmul_tn(c[2], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    for (int at = 0; at < ROWS_C * COLS_C; at += 997) {
        int    i = at / COLS_C, j = at % COLS_C;
        double want[3] = {1, 1, 1};
        for (int p = 0; p < DEPTH_C; p++) {
            want[0] += (double)a[i * DEPTH_C + p] * b[p * COLS_C + j];
            want[1] += (double)a[i * DEPTH_C + p] * b[j * DEPTH_C + p];
            want[2] += (double)a[p * ROWS_C + i] * b[p * COLS_C + j];
        }
        // Rounding errors of K products of size 1 add up like a random walk: far below K eps K = 0.03.
        for (int kind = 0; kind < 3; kind++)
            assert_true(fabs(c[kind][at] - want[kind]) <= 1e-3);
    }
    numbers_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref_is_in_use_before_a_choice_is_made),
        cmocka_unit_test(an_unknown_backend_is_refused_with_a_sentence_and_changes_nothing),
        cmocka_unit_test(no_name_means_the_best_there_is),
        cmocka_unit_test(an_empty_entry_takes_refs_and_a_filled_one_stays),
        cmocka_unit_test(the_best_table_is_the_first_that_can_run),
        cmocka_unit_test(one_thread_and_more_give_the_same_bits),
        cmocka_unit_test(large_products_are_right_whoever_makes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
