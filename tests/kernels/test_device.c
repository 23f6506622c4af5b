// The choice of a device, the way to the host's kernels and back, and the devices of the host's memory.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/device.h"
#include "tests/skip.h"
#include "tests/stops.h"

static void use(const char *name)
{
    const char *why = NULL;
    assert_true(device_use(name, &why));
    assert_null(why);
}

static int to_ref(void **state)
{
    (void)state;
    use("ref");
    return 0;
}

static void ref_is_in_use_before_a_choice(void **state)
{
    (void)state;
    assert_string_equal(device->name, "ref");
    assert_true(device_is_host());
    assert_memory_equal(&kernels, &kernels_ref, sizeof kernels);
}

static void each_device_is_known_by_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *variant;
        bool on_host;
    } devices[] = {{"ref", "plain", true},
                   {"far", "ref", false},
                   {"emulated", "cuda", false},
                   {"cpu", NULL, true}};
    for (int i = 0; i < 4; i++) {
        use(devices[i].name);
        assert_string_equal(device->name, devices[i].name);
        assert_string_equal(kernels.variant,
                            devices[i].variant ? devices[i].variant : kernels_cpu()->variant);
        assert_true(device->on_host == devices[i].on_host &&
                    device_is_host() == devices[i].on_host);
        assert_non_null(strstr("|" DEVICE_NAMES "|", devices[i].name));
#define X(name, prototype, arguments, work) assert_non_null(device->kernels->name);
        KERNEL_LIST(X)
#undef X
    }
}

static void no_name_means_the_best_there_is(void **state)
{
    (void)state;
    use(NULL);
    assert_string_equal(device->name, "cpu");
    assert_ptr_equal(kernels.matmul, kernels_cpu()->matmul);
}

static void an_unknown_device_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"nonsense", "unknown device; expected"},
                                           {"", "unknown device; expected"},
                                           {"cuda:", "unknown device; expected"},
                                           {"cuda:1x", "unknown device; expected"}};
    use("far");
    const Kernels before = kernels;
    for (int i = 0; i < 4; i++) {
        const char *why = NULL;
        assert_false(device_use(names[i][0], &why));
        assert_memory_equal(why, names[i][1], strlen(names[i][1]));
        assert_string_equal(device->name, "far");
        assert_memory_equal(&kernels, &before, sizeof before);
    }
}

// Built or not, the name is known; and then the products are its own.
static void onednn_is_used_or_says_why_not(void **state)
{
    (void)state;
    const char *why = NULL;
    use("cpu");
    if (!device_use("onednn", &why)) {
        assert_non_null(strstr(why, "./lab setup --peers"));
        assert_string_equal(device->name, "cpu");
        SKIP(why, "./lab setup --peers");
    }
    assert_string_equal(device->name, "onednn");
    assert_string_equal(kernels.variant, "onednn");
    assert_true(kernels.matmul != kernels_cpu()->matmul && kernels.relu == kernels_cpu()->relu);
}

// Not built, no driver, an old one, no GPU: one sentence, and nothing has changed.
static void cuda_is_used_or_says_why_not(void **state)
{
    (void)state;
    const char *why = NULL;
    use("cpu");
    if (!device_use("cuda:0", &why)) {
        assert_non_null(why);
        assert_null(strchr(why, '\n'));
        assert_string_equal(device->name, "cpu");
        SKIP(why, "run this test on a machine with an NVIDIA GPU");
    }
    assert_string_equal(device->name, "cuda:0");
    assert_false(device->on_host);
    assert_false(device_use("cuda:999", &why));
    assert_non_null(strstr(why, "there is no GPU 999"));
    assert_string_equal(device->name, "cuda:0");
}

// A GPU's memory or what stands for it: zero at first, in pieces, copied over itself.
static void numbers_of_a_gpu_survive_every_way(const char *name)
{
    enum { N = 100003 };
    static float to[N], from[N];
    use(name);
    for (int i = 0; i < N; i++) from[i] = (float)i;
    float *x = device->reserve((size_t)1 << 32);
    assert_non_null(x);
    device->commit(x, 0, 4096);
    device->commit(x, 4096, sizeof from);
    device->get(to, x, sizeof to);
    for (int i = 0; i < N; i++) assert_true(to[i] == 0);
    device->put(x, from, sizeof from);
    device->copy(x + 1, x, (N - 1) * sizeof *x);    // these overlap
    kernels.add(x, x, x, N);
    device->get(to, x, sizeof to);
    assert_true(to[0] == 0 && to[1] == 0 && to[N - 1] == 2 * (N - 2));
    device->release(x, (size_t)1 << 32);
}

static void numbers_of_the_emulated_gpu_survive_every_way(void **state)
{
    (void)state;
    numbers_of_a_gpu_survive_every_way("emulated");
    float *x = device->reserve(4096), on_host = 0;
    device->commit(x, 0, 4096);
    stops_with("device emulated: kernels.relu: was given an address that is not the device's",
               kernels.relu(x, &on_host, 1));
    device->release(x, 4096);
}

static void numbers_of_a_real_gpu_survive_every_way(void **state)
{
    (void)state;
    const char *why;
    if (!device_use("cuda", &why)) SKIP(why, "run this test on a machine with an NVIDIA GPU");
    numbers_of_a_gpu_survive_every_way("cuda");
}

static void a_kernel_that_the_device_lacks_stops_the_program_with_both_names(void **state)
{
    (void)state;
    static Kernels sparse;
    sparse = kernels_ref;
    sparse.relu = NULL;
    const Device small = {.name = "small", .kernels = &sparse};
    float x = -1;
    device_put_in_use(&small);
    kernels.tanh(&x, &x, 1);
    stops_with("device small: kernels.relu: this device has no such kernel",
               kernels.relu(&x, &x, 1));

    device_enter_host();    // the host's kernels are complete
    kernels.relu(&x, &x, 1);
    assert_true(x == 0);
    device_leave_host();
    stops_with("device small: kernels.relu: this device has no such kernel",
               kernels.relu(&x, &x, 1));
}

static void the_hosts_kernels_are_in_use_from_enter_to_the_last_leave(void **state)
{
    (void)state;
    use("far");
    const Kernels before = kernels;
    float x = -1;
    device_enter_host();
    device_enter_host();
    assert_true(device_is_host());
    device_leave_host();
    assert_true(device_is_host());
    assert_string_equal(device->name, "far");
    assert_memory_equal(&kernels, &kernels_ref, sizeof kernels);    // far computes as ref does
    kernels.relu(&x, &x, 1);
    assert_true(x == 0);
    device_leave_host();
    assert_false(device_is_host());
    assert_memory_equal(&kernels, &before, sizeof before);
}

static void a_device_of_the_host_keeps_its_kernels_between_enter_and_leave(void **state)
{
    (void)state;
    static const char *const names[] = {"ref", "cpu"};
    for (int i = 0; i < 2; i++) {
        use(names[i]);
        const Kernels before = kernels;
        device_enter_host();
        assert_memory_equal(&kernels, &before, sizeof before);
        device_leave_host();
        assert_memory_equal(&kernels, &before, sizeof before);
    }
}

static void numbers_of_the_host_are_zero_at_first_and_survive_every_way(void **state)
{
    (void)state;
    enum { N = 100003 };
    static float to[N], from[N];
    static const char *const names[] = {"ref", "cpu"};
    for (int i = 0; i < N; i++) from[i] = (float)i;
    for (int i = 0; i < 2; i++) {
        use(names[i]);
        float *x = device->reserve(sizeof from);
        assert_non_null(x);
        assert_true((uintptr_t)x % 4096 == 0);
        device->commit(x, 0, 1000);
        device->commit(x, 1000, sizeof from);
        for (int j = 0; j < N; j += 511) assert_true(x[j] == 0);
        device->put(x, from, sizeof from);
        device->copy(x + 1, x, (N - 1) * sizeof *x);    // these overlap
        device->get(to, x, sizeof to);
        assert_true(to[0] == 0);
        assert_memory_equal(to + 1, from, (N - 1) * sizeof *x);
        device->copy(x, x + 1, (N - 1) * sizeof *x);
        assert_memory_equal(x, from, (N - 1) * sizeof *x);
        device->release(x, sizeof from);
    }
}

static void no_bytes_are_fine(void **state)
{
    (void)state;
    static const char *const names[] = {"ref", "cpu", "far", "emulated"};
    for (int i = 0; i < 4; i++) {
        use(names[i]);
        void *x = device->reserve(0);
        assert_non_null(x);
        device->commit(x, 0, 0);
        device->put(x, NULL, 0);
        device->get(NULL, x, 0);
        device->copy(x, NULL, 0);
        device->put(NULL, NULL, 0);
        kernels.relu(x, x, 0);
        device->release(x, 0);
        device->release(NULL, 0);
    }
}

static void unknown_addresses_are_null(void **state)
{
    (void)state;
    use("ref");
    assert_null(device->reserve(SIZE_MAX / 4));
    use("far");
    assert_null(device->reserve(SIZE_MAX / 4));
}

#define CASE(name) cmocka_unit_test_teardown(name, to_ref)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ref_is_in_use_before_a_choice),
        CASE(each_device_is_known_by_its_name),
        CASE(no_name_means_the_best_there_is),
        CASE(an_unknown_device_is_refused_and_changes_nothing),
        CASE(onednn_is_used_or_says_why_not),
        CASE(cuda_is_used_or_says_why_not),
        CASE(numbers_of_the_emulated_gpu_survive_every_way),
        CASE(numbers_of_a_real_gpu_survive_every_way),
        CASE(a_kernel_that_the_device_lacks_stops_the_program_with_both_names),
        CASE(the_hosts_kernels_are_in_use_from_enter_to_the_last_leave),
        CASE(a_device_of_the_host_keeps_its_kernels_between_enter_and_leave),
        CASE(numbers_of_the_host_are_zero_at_first_and_survive_every_way),
        CASE(no_bytes_are_fine),
        CASE(unknown_addresses_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
