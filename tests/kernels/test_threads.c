// How a sparse table is completed, and that threads change no bit.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/team.h"
#include "tests/kernels/numbers.h"

static void an_empty_entry_takes_refs_and_a_filled_one_stays(void **state)
{
    (void)state;
    const Kernels sparse = {.variant = "test", .relu = kernels_ref.tanh};
    const Kernels full = kernels_complete(&sparse);
    assert_string_equal(full.variant, "test");
    assert_ptr_equal(full.relu, kernels_ref.tanh);
#define X(name, prototype, arguments, work) assert_non_null(full.name);
    KERNEL_LIST(X)
#undef X
    assert_ptr_equal(full.adam_step, kernels_ref.adam_step);
}

// ---- the same bits

enum { M = 130, N = 259, K = 301, ROWS = 211, COLS = 331, LONG = 70001 };

// Numbers of many sizes whose sum is 0: what comes out is rounding alone, and shows another order even
// where a sum in double would round to the same float.
static const float *sums_to_zero(const float *a, const float *b)
{
    float *x = numbers_new(LONG, ZEROS);
    for (int i = 0; i < LONG / 2; i++) {
        x[i] = a[i] * expf(3 * b[i]);
        x[LONG - 1 - i] = -x[i];
    }
    return x;
}

// [16,11,20,19], and windows of 3 by 3 that overlap.
enum { CHANNELS = 11, IMAGES = 16 * CHANNELS * 20 * 19 };
static const NormShape images = {16, CHANNELS, 20 * 19};
static const PoolShape windows = {16 * CHANNELS, 20, 19, 3, 2, 1};

enum { EMBEDDED = COLS };    // rows of a table that labels choose

enum {
    CODED = 256,
    CODED_ROW = CODED / 32 * 34 / 4
};    // numbers of a row as Q8_0, and its size in floats

// Every kernel whose sums could be made in another order by other threads.
static void run_all(float *out, const float *a, const float *b, const float *zero,
                    const int32_t *label, const int32_t *place)
{
    kernels.sum(out++, zero, LONG);
    matmul(out, a, b, M, N, K, 0), out += M * N;
    matmul_nt(out, a, b, M, N, K, 0), out += M * N;
    matmul_tn(out, a, b, M, N, K, 0), out += M * N;
    matmul_nt(out, a, b, 3, N, K, 0), out += 3 * N;
    kernels.sum(out++, a, LONG);
    kernels.sum_squares(out++, a, LONG);
    kernels.squared_error(out++, a, b, LONG);
    kernels.bce_logits(out++, a, b, LONG);
    kernels.sum_rows(out, zero, ROWS, COLS, 0), out += COLS;
    kernels.softmax_rows(out, a, ROWS, COLS), out += ROWS * COLS;
    kernels.cross_entropy(out, out + 1, a, label, ROWS, COLS), out += 1 + ROWS * COLS;
    kernels.tanh(out, a, LONG), out += LONG;
    kernels.batch_norm(out, out + IMAGES, out + IMAGES + CHANNELS, zero, a, b, 1e-5f, images);
    const float *mean = out + IMAGES, *var = mean + CHANNELS;
    out += IMAGES + 2 * CHANNELS;
    kernels.batch_norm_backward(out, out + IMAGES, out + IMAGES + CHANNELS, b, zero, a, mean, var,
                                1e-5f, 0, images);
    out += IMAGES + 2 * CHANNELS;
    kernels.avg_pool_backward(out, a, 0, windows), out += IMAGES;
    kernels.max_pool_backward(out, a, place, 0, windows), out += IMAGES;
    float *rstd = out + 2 * COLS, *center = rstd + ROWS, *y = center + ROWS;
    kernels.layer_norm(y, center, rstd, zero, a, b, 1e-5f, norm_rows(ROWS, COLS));
    kernels.layer_norm_backward(y, out, out + COLS, b, zero, a, center, rstd, 0,
                                norm_rows(ROWS, COLS));
    out = y + ROWS * COLS;
    kernels.rms_norm_backward(out + COLS, out, b, zero, a, rstd, 0, norm_rows(ROWS, COLS));
    out += COLS + ROWS * COLS;
    kernels.fill(out, 0, EMBEDDED * COLS);
    kernels.embedding_backward(out, label, zero, ROWS, EMBEDDED, COLS), out += EMBEDDED * COLS;
    kernels.row_product(out, N, a, K, 5, (WeightRows){b, DTYPE_F32, N, K}, ACTIVATIONS_F32),
        out += 5 * N;
    kernels.rows_write(out, DTYPE_Q8_0, b, N, CODED);
    kernels.row_product(out + N * CODED_ROW, N, a, CODED, 5,
                        (WeightRows){out, DTYPE_Q8_0, N, CODED}, ACTIVATIONS_Q8);
    kernels.row_product(out + N * CODED_ROW + 5 * N, N, a, CODED, 5,
                        (WeightRows){out, DTYPE_Q8_0, N, CODED}, ACTIVATIONS_Q16);
}

enum {
    ALL = 3 * M * N + 3 * N + 5 + COLS + 2 * ROWS * COLS + 1 + LONG + 4 * IMAGES + 4 * CHANNELS +
          2 * ROWS + 3 * COLS + 2 * ROWS * COLS + EMBEDDED * COLS + 15 * N + N * CODED_ROW
};

static void one_thread_and_more_give_the_same_bits(void **state)
{
    (void)state;
    const float *a = numbers_new(K * N, NORMAL), *b = numbers_new(K * N, NORMAL);
    const float *zero = sums_to_zero(a, b);
    const int32_t *label = labels_new(ROWS, COLS), *place = labels_new(pool_out(windows), 20 * 19);
    team_scale(0);    // or they would work alone where another program has the core
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        kernels = kernels_complete(cpu_variants[v].table);
        float *one = numbers_new(ALL, NANS), *more = numbers_new(ALL, NANS);
        omp_set_num_threads(1);
        run_all(one, a, b, zero, label, place);
        for (int threads = 2; threads <= 5; threads++) {
            omp_set_num_threads(threads);
            memset(more, 0xff, ALL * sizeof *more);    // nothing is left of the round before
            run_all(more, a, b, zero, label, place);
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
    kernels = kernels_complete(kernels_cpu());
    const float *a = numbers_new(ROWS_C * DEPTH_C, NORMAL),
                *b = numbers_new(DEPTH_C * COLS_C, NORMAL);
    float *c[3];
    for (int kind = 0; kind < 3; kind++) {
        c[kind] = numbers_new(ROWS_C * COLS_C, NORMAL);
        kernels.fill(c[kind], 2.0f, ROWS_C * COLS_C);
    }
    matmul(c[0], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    matmul_nt(c[1], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    matmul_tn(c[2], a, b, ROWS_C, COLS_C, DEPTH_C, 0.5f);
    for (int at = 0; at < ROWS_C * COLS_C; at += 997) {
        int i = at / COLS_C, j = at % COLS_C;
        double want[3] = {1, 1, 1};
        for (int p = 0; p < DEPTH_C; p++) {
            want[0] += (double)a[i * DEPTH_C + p] * b[p * COLS_C + j];
            want[1] += (double)a[i * DEPTH_C + p] * b[j * DEPTH_C + p];
            want[2] += (double)a[p * ROWS_C + i] * b[p * COLS_C + j];
        }
        // Rounding errors of K products of size 1 add up like a random walk: far below K eps K = 0.03.
        for (int kind = 0; kind < 3; kind++) assert_true(fabs(c[kind][at] - want[kind]) <= 1e-3);
    }
    numbers_free();
}

// The caller waits 10 ms for another thread's share of some microseconds: another program has its core.
static void a_team_that_waited_works_alone_for_a_while(void **state)
{
    (void)state;
    enum { ENOUGH = 1000, WORK = 2 * ENOUGH };
    omp_set_num_threads(2);
    assert_int_equal(team_size(ENOUGH - 1, ENOUGH), 1);
    assert_int_equal(team_size(WORK, ENOUGH), 2);

    Team team = team_begin();
    team_arrive(&team);
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    team_end(&team, WORK, ENOUGH);
    assert_int_equal(team_size(WORK, ENOUGH), 1);
    assert_int_equal(team_size(100 * WORK, ENOUGH), 1);
    team_scale(0);    // asked for
    assert_int_equal(team_size(1, ENOUGH), 2);
    team_scale(1);
    nanosleep(&(struct timespec){.tv_nsec = 600 * 1000 * 1000}, NULL);    // longer than any pause
    assert_int_equal(team_size(WORK, ENOUGH), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_team_that_waited_works_alone_for_a_while),
        cmocka_unit_test(an_empty_entry_takes_refs_and_a_filled_one_stays),
        cmocka_unit_test(one_thread_and_more_give_the_same_bits),
        cmocka_unit_test(large_products_are_right_whoever_makes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
