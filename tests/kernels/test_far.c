// The device for tests catches what would fail on a GPU, and computes as ref does.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "kernels/device.h"
#include "tests/stops.h"

enum { N = 3000 };

static float *far_new(size_t n)
{
    float *x = device->reserve(n * sizeof *x);
    assert_non_null(x);
    device->commit(x, 0, n * sizeof *x);
    return x;
}

static float *far_of(const float *host, size_t n)
{
    float *x = far_new(n);
    device->put(x, host, n * sizeof *x);
    return x;
}

static void far_free(float *x, size_t n)
{
    device->release(x, n * sizeof *x);
}

static float first_of(const float *x)
{
    float first;
    device->get(&first, x, sizeof first);
    return first;
}

// Whether it ends in a segmentation fault, told from a refusal and from a sanitizer's own report.
static bool crashes(void (*touch)(float *x), float *x)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        touch(x);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
}

static void read_it(float *x)
{
    (void)*(volatile float *)x;
}

static void write_it(float *x)
{
    *(volatile float *)x = 1;
}

static void relu_of_two(float *x)
{
    kernels.relu(x, x, 2);
}

static void the_host_can_neither_read_nor_write_a_number(void **state)
{
    (void)state;
    float *x = far_new(N), on_host = 0;
    assert_true(crashes(read_it, x) && crashes(read_it, x + N - 1));
    assert_true(crashes(write_it, x) && crashes(write_it, x + N - 1));
    assert_false(crashes(read_it, &on_host) || crashes(write_it, &on_host));
    far_free(x, N);
}

static void the_hosts_memory_is_refused_with_the_kernels_name(void **state)
{
    (void)state;
    static const float host[4];
    float *x = far_new(4);
    float y[4];
    stops_with("device far: kernels.relu: was given an address that is not the device's",
               kernels.relu(y, x, 4));
    stops_with("device far: kernels.add: was given an address that is not the device's",
               kernels.add(x, x, host, 4));
    stops_with("device far: kernels.matmul: was given an address that is not the device's",
               matmul(x, x, host, 2, 2, 2, 0));
    stops_with("device far: kernels.put: was given an address", device->put(y, host, sizeof host));
    stops_with("device far: kernels.get: was given an address", device->get(y, host, sizeof host));
    stops_with("device far: kernels.copy: was given an address",
               device->copy(x, host, sizeof host));
    far_free(x, 4);
    stops_with("device far: kernels.relu: was given an address that is not the device's",
               kernels.relu(x, x, 4));    // released
}

static void what_is_not_committed_is_refused(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), floats = page / sizeof(float);
    static float host[4];
    float *x = device->reserve(4 * page), *end = x + floats;
    device->commit(x, 0, page);
    kernels.relu(end - 2, end - 2, 2);
    kernels.relu(end, end, 0);
    stops_with("device far: kernels.relu: was given memory that is not committed",
               kernels.relu(x, end + 1, 0));
    stops_with("device far: kernels.put: was given memory that is not committed",
               device->put(end - 3, host, 16));
    stops_with("device far: kernels.get: was given memory that is not committed",
               device->get(host, end - 3, 16));
    assert_true(crashes(relu_of_two, end - 1));    // begins inside

    device->commit(x, page, 2 * page);
    kernels.relu(end - 1, end - 1, 2);
    stops_with("device far: kernels.commit: was given what was not reserved",
               device->commit(x, 3 * page, 4 * page));
    stops_with("device far: kernels.commit: was given what was not reserved",
               device->commit(x, 0, 5 * page));
    stops_with("device far: kernels.release: was given what was not reserved",
               device->release(end, 3 * page));
    device->release(x, 4 * page);
}

static void numbers_are_zero_at_first_and_survive_every_way(void **state)
{
    (void)state;
    static float from[N], to[N];
    for (int i = 0; i < N; i++) from[i] = (float)(i + 1);
    float *x = far_new(N);
    device->get(to, x, sizeof to);
    for (int i = 0; i < N; i++) assert_true(to[i] == 0);
    device->put(x, from, sizeof from);
    device->copy(x + 1, x, (N - 1) * sizeof *x);    // these overlap
    device->get(to, x, sizeof to);
    assert_true(to[0] == 1);
    assert_memory_equal(to + 1, from, (N - 1) * sizeof *x);
    device->get(to, x + 7, 2 * sizeof *x);
    assert_true(to[0] == 7 && to[1] == 8);
    far_free(x, N);
}

static void many_regions_live_side_by_side_and_are_given_back(void **state)
{
    (void)state;
    enum { MANY = 200 };
    float *x[MANY];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < MANY; i++) x[i] = far_of(&(float){(float)i}, 1);
        for (int i = 0; i < MANY; i += 2) far_free(x[i], 1);
        for (int i = 0; i < MANY; i += 2) x[i] = far_of(&(float){(float)-i}, 1);
        for (int i = 0; i < MANY; i++) assert_true(first_of(x[i]) == (float)(i % 2 ? i : -i));
        for (int i = 0; i < MANY; i++) far_free(x[i], 1);
    }
}

// Together they are more than the addresses of a process, 2^47 bytes.
static void addresses_are_given_back(void **state)
{
    (void)state;
    const size_t bytes = (size_t)1 << 38;
    for (int i = 0; i < 600; i++) {
        void *x = device->reserve(bytes);
        assert_non_null(x);
        device->release(x, bytes);
    }
}

static void a_product_finds_both_of_its_matrices(void **state)
{
    (void)state;
    // [2,3] [3,2], the second stored transposed, in a c whose rows are 3 apart
    float c_host[6] = {-1, -1, -1, -1, -1, -1};
    const float want[6] = {14, 32, -1, 32, 77, -1};
    float *a = far_of((const float[]){1, 2, 3, 4, 5, 6}, 6), *c = far_of(c_host, 6);
    kernels.matmul(c, 3, 0, (Mat){a, 3, 1, 0}, (Mat){a, 1, 3, 0}, 1, 2, 2, 3, 0);
    device->get(c_host, c, sizeof c_host);
    assert_memory_equal(c_host, want, sizeof want);
    far_free(a, 6), far_free(c, 6);
}

static void null_stays_null(void **state)
{
    (void)state;
    const Span all = {1, 1, 0};
    float *p = far_of(&(float){1}, 1), *v = far_new(1), *g = far_of(&(float){2}, 1);
    Span *spans = device->reserve(sizeof all);
    device->commit(spans, 0, sizeof all);
    device->put(spans, &all, sizeof all);
    kernels.sgd_step(p, v, g, NULL, spans, 1, 1, (SgdStep){.learning_rate = 0.25f});
    assert_true(first_of(p) == 0.5f && first_of(v) == 2);
    far_free(p, 1), far_free(v, 1), far_free(g, 1);
    device->release(spans, sizeof all);
}

static int use_far(void **state)
{
    (void)state;
    const char *why;
    return device_use("far", &why) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_can_neither_read_nor_write_a_number),
        cmocka_unit_test(the_hosts_memory_is_refused_with_the_kernels_name),
        cmocka_unit_test(what_is_not_committed_is_refused),
        cmocka_unit_test(numbers_are_zero_at_first_and_survive_every_way),
        cmocka_unit_test(many_regions_live_side_by_side_and_are_given_back),
        cmocka_unit_test(addresses_are_given_back),
        cmocka_unit_test(a_product_finds_both_of_its_matrices),
        cmocka_unit_test(null_stays_null),
    };
    return cmocka_run_group_tests(tests, use_far, NULL);
}
