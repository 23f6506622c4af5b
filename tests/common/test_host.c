/* Functions that work in the host's memory, on any device. */
#include "common/host.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})

static void numbers_go_in_come_out_and_are_added_to(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(3), 1, 2, 3), *y = VALUES(SHAPE(3), 7, 7, 7),
           *sum = VALUES(SHAPE(3), 10, 20, 30);
    Host host = host_begin(tape->arena);
    const float *in = host_in(&host, x->data, 3);
    float *out = host_out(&host, y->data, 3), *inout = host_inout(&host, sum->data, 3);
    for (int i = 0; i < 3; i++) {
        out[i] = 2 * in[i];
        inout[i] += in[i];
    }
    host_end(&host);
    assert_near(values_of(x), ((double[]){1, 2, 3}), SHAPE(3), .name = "x", .exact = true);
    assert_near(values_of(y), ((double[]){2, 4, 6}), SHAPE(3), .name = "y", .exact = true);
    assert_near(values_of(sum), ((double[]){11, 22, 33}), SHAPE(3), .name = "sum", .exact = true);
}

static void on_the_hosts_devices_these_are_the_very_pointers(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(3), 1, 2, 3);
    Host host = host_begin(tape->arena);
    assert_ptr_equal(host_in(&host, x->data, 3), x->data);
    assert_ptr_equal(host_out(&host, x->data, 3), x->data);
    assert_ptr_equal(host_inout(&host, x->data, 3), x->data);
    host_end(&host);
}

static void null_stays_null(void **state)
{
    (void)state;
    Host host = host_begin(tape->arena);
    assert_null(host_in(&host, NULL, 3));
    assert_null(host_out(&host, NULL, 3));
    assert_null(host_inout(&host, NULL, 3));
    host_end(&host);
}

static void kernels_follow_begin_and_end(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(3), -1, 2, -3);
    float on[3] = {-1, 2, -3};
    Host host = host_begin(tape->arena), inner;
    kernels.relu(on, on, 3);
    inner = host_begin(tape->arena);    // they nest
    host_end(&inner);
    float *data = host_inout(&host, x->data, 3);
    kernels.relu(data, data, 3);
    host_end(&host);
    assert_near(on, ((double[]){0, 2, 0}), SHAPE(3), .name = "the host's", .exact = true);
    assert_near(values_of(x), ((double[]){0, 2, 0}), SHAPE(3), .name = "x", .exact = true);
    kernels.add(x->data, x->data, x->data, 3);    // the device's again
    assert_near(values_of(x), ((double[]){0, 4, 0}), SHAPE(3), .name = "x", .exact = true);
}

static void outside_a_kernel_refuses_the_hosts_memory(void **state)
{
    (void)state;
    float on[3] = {-1, 2, -3};
    Host host = host_begin(tape->arena);
    host_end(&host);
    stops_with("device far: kernels.relu: was given an address that is not the device's",
               kernels.relu(on, on, 3));
}

static void copies_are_gone_and_the_devices_numbers_stay(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(3), 1, 2, 3);
    size_t host_used = arena_used(tape->arena) - arena_numbers_used(tape->arena);
    Host host = host_begin(tape->arena);
    host_in(&host, x->data, 3);
    float *numbers = arena_numbers(tape->arena, 12);
    size_t taken = arena_numbers_used(tape->arena);
    host_end(&host);
    assert_int_equal(arena_numbers_used(tape->arena), taken);
    device->put(numbers, (float[]){4, 5, 6}, 12);
    assert_near(numbers_at(numbers, 3), ((double[]){4, 5, 6}), SHAPE(3), .name = "numbers",
                .exact = true);
    assert_int_equal(arena_used(tape->arena) - arena_numbers_used(tape->arena), host_used);
}

static void more_arrays_than_it_holds_are_refused(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1), 1);
    Host host = host_begin(tape->arena);
    for (int i = 0; i < HOST_MAX; i++) host_inout(&host, x->data, 1);
    stops_with("more than 12 arrays go back to the device", host_inout(&host, x->data, 1));
    host_end(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(numbers_go_in_come_out_and_are_added_to),
        ON_DEVICE(on_the_hosts_devices_these_are_the_very_pointers, "ref"),
        ON_DEVICE(on_the_hosts_devices_these_are_the_very_pointers, "cpu"),
        EACH_DEVICE(null_stays_null),
        EACH_DEVICE(kernels_follow_begin_and_end),
        ON_DEVICE(outside_a_kernel_refuses_the_hosts_memory, "far"),
        EACH_DEVICE(copies_are_gone_and_the_devices_numbers_stay),
        ON_DEVICE(more_arrays_than_it_holds_are_refused, "far"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
