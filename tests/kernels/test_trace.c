// The profiler counts exactly what was called, the check finds the first number that is not finite, and
// neither changes a result.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/device.h"
#include "kernels/trace.h"

static void use(const char *name)
{
    const char *why;
    assert_true(device_use(name, &why));
}

static int off(void **state)
{
    (void)state;
    trace_start(false, false);
    use("ref");
    return 0;
}

static TraceRow row_of(int kernel)
{
    TraceRow rows[KERNEL_COUNT];
    trace_rows(rows);
    return rows[kernel];
}

static void assert_row(int kernel, const char *name, long calls, double flops, double bytes)
{
    const TraceRow row = row_of(kernel);
    assert_string_equal(row.kernel, name);
    assert_int_equal(row.calls, calls);
    assert_true(row.flops == flops && row.bytes == bytes);
    assert_true(calls > 0 ? row.seconds >= 0 : row.seconds == 0);
}

static void calls_flops_and_bytes_are_counted(void **state)
{
    (void)state;
    static float x[4 * 35], c[4 * 21], p[10];
    const Span all = {10, 1, 0};
    trace_start(true, false);
    for (int i = 0; i < 3; i++)    // 4 times [3,5] [5,7]
        kernels.matmul(c, 7, 21, (Mat){x, 5, 1, 15}, (Mat){x, 7, 1, 35}, 4, 3, 7, 5, 0);
    kernels.adam_step(p, x, c, x + 10, NULL, &all, 1, 10,
                      (AdamStep){.epsilon = 1, .correction1 = 1, .correction2 = 1});
    kernels.sum_rows(c, x, 7, 5, 1);
    kernels.sum(c, x, 100);
    kernels.relu(c, x, 0);
    assert_row(KERNEL_matmul, "matmul", 3, 3 * 2.0 * 4 * 3 * 7 * 5, 3 * 4.0 * 4 * (15 + 35 + 21));
    assert_row(KERNEL_adam_step, "adam_step", 1, 0, 7 * 10 * 4);
    assert_row(KERNEL_sum_rows, "sum_rows", 1, 0, (7 * 5 + 2 * 5) * 4);
    assert_row(KERNEL_sum, "sum", 1, 0, 100 * 4);
    assert_row(KERNEL_relu, "relu", 1, 0, 0);
    assert_row(KERNEL_exp, "exp", 0, 0, 0);
    trace_start(true, false);    // anew
    assert_row(KERNEL_matmul, "matmul", 0, 0, 0);
}

static void seconds_are_those_of_the_calls(void **state)
{
    (void)state;
    enum { N = 100000 };
    static float x[N];
    trace_start(true, false);
    kernels.tanh(x, x, N);
    const double one = row_of(KERNEL_tanh).seconds;
    assert_true(one > 1e-9 * N / 100 && one < 60);    // 100 numbers in a nanosecond, or a minute
    kernels.tanh(x, x, N);
    assert_true(row_of(KERNEL_tanh).seconds > one);
    assert_true(row_of(KERNEL_exp).seconds == 0);
}

static void on_and_off_before_and_after_the_choice_of_a_device(void **state)
{
    (void)state;
    use("cpu");
    const Kernels untraced = kernels;
    trace_start(true, false);    // after
    assert_string_equal(kernels.variant, untraced.variant);
    assert_true(kernels.relu != untraced.relu);
    use("ref");    // before
    float x = -1;
    kernels.relu(&x, &x, 1);
    assert_row(KERNEL_relu, "relu", 1, 0, 8);
    use("cpu");
    trace_start(true, true);    // on already: what is called is still the device's
    kernels.relu(&x, &x, 1);
    assert_row(KERNEL_relu, "relu", 1, 0, 8);
    trace_start(false, false);
    assert_memory_equal(&kernels, &untraced, sizeof kernels);
    kernels.relu(&x, &x, 1);
    assert_row(KERNEL_relu, "relu", 0, 0, 0);
}

static void calls_of_the_hosts_kernels_are_counted_too(void **state)
{
    (void)state;
    float x = -1;
    trace_start(true, true);
    use("far");
    device_enter_host();
    kernels.relu(&x, &x, 1);
    device_leave_host();
    assert_true(x == 0);
    assert_row(KERNEL_relu, "relu", 1, 0, 8);
    assert_null(trace_not_finite());
    trace_start(false, false);
    assert_memory_equal(&kernels, device->kernels, sizeof kernels);
}

static void results_are_unchanged(void **state)
{
    (void)state;
    float x[1000], want[1000], got[1000];
    for (int i = 0; i < 1000; i++) x[i] = (float)(i - 500) / 77;
    use("cpu");
    kernels.tanh(want, x, 1000);
    trace_start(true, true);
    kernels.tanh(got, x, 1000);
    assert_memory_equal(got, want, sizeof want);
}

static void assert_found(const char *text)
{
    const char *found = trace_not_finite();
    assert_non_null(found);
    assert_string_equal(found, text);
    assert_null(trace_not_finite());    // told once
}

static void the_first_output_that_is_not_finite_is_kept_until_asked_for(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 1000, 5, NAN, -INFINITY}, y[7];
    use("cpu");
    trace_start(false, true);
    assert_null(trace_not_finite());
    kernels.exp(y, x, 3);
    assert_null(trace_not_finite());
    kernels.exp(y, x, 7);    // exp(-inf) is 0
    kernels.relu(y, x, 7);
    kernels.exp(y, x, 3);
    assert_found("kernels.exp gave inf at [0,3], the first of 2 in [1,7]");
    kernels.relu(y, x + 5, 1);
    assert_found("kernels.relu gave NaN at [0,0], the first of 1 in [1,1]");
    kernels.add(y, x + 6, x, 1);
    trace_start(false, true);    // anew: nothing is left of before
    assert_null(trace_not_finite());
    trace_start(true, false);    // only counts
    kernels.exp(y, x, 7);
    assert_null(trace_not_finite());
}

// Two products [2,1] [1,2] whose rows are 4 apart and whose matrices are 10 apart.
static void of_a_strided_output_only_what_is_written_counts(void **state)
{
    (void)state;
    enum { N = 20 };
    float ab[4] = {1, 2, 3, 4}, c[N];
    static const char *const names[] = {"ref", "far"};
    for (int i = 0; i < 2; i++) {
        use(names[i]);
        trace_start(false, true);
        float *there = device->reserve(sizeof c + sizeof ab), *x = there + N;
        device->commit(there, 0, sizeof c + sizeof ab);
        for (int j = 0; j < N; j++) c[j] = NAN;
        device->put(there, c, sizeof c);
        device->put(x, ab, sizeof ab);
        kernels.matmul(there, 4, 10, (Mat){x, 1, 1, 2}, (Mat){x, 1, 1, 2}, 2, 2, 2, 1, 0);
        assert_null(trace_not_finite());
        device->put(x + 2, &(float){-INFINITY}, sizeof(float));    // row and column 0 of the second
        kernels.matmul(there, 4, 10, (Mat){x, 1, 1, 0}, (Mat){x, 1, 1, 2}, 2, 2, 2, 1, 0);
        assert_found("kernels.matmul gave -inf at [2,0], the first of 2 in [4,2]");
        device->release(there, sizeof c + sizeof ab);
        trace_start(false, false);
    }
}

// Far numbers are looked at piece by piece.
static void a_far_number_behind_thousands_is_found(void **state)
{
    (void)state;
    enum { N = 5000 };
    use("far");
    float *x = device->reserve(N * sizeof *x);
    device->commit(x, 0, N * sizeof *x);
    device->put(x + 4567, &(float){INFINITY}, sizeof *x);
    trace_start(true, true);
    kernels.relu(x, x, N);
    assert_found("kernels.relu gave inf at [0,4567], the first of 1 in [1,5000]");
    assert_row(KERNEL_relu, "relu", 1, 0, 2 * N * 4);
    device->release(x, N * sizeof *x);
}

#define CASE(name) cmocka_unit_test_teardown(name, off)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(calls_flops_and_bytes_are_counted),
        CASE(seconds_are_those_of_the_calls),
        CASE(on_and_off_before_and_after_the_choice_of_a_device),
        CASE(calls_of_the_hosts_kernels_are_counted_too),
        CASE(results_are_unchanged),
        CASE(the_first_output_that_is_not_finite_is_kept_until_asked_for),
        CASE(of_a_strided_output_only_what_is_written_counts),
        CASE(a_far_number_behind_thousands_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
