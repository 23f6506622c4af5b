#include "common/params.h"
#include "tests/stops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static Arena *keep;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static void a_parameter_starts_at_0_with_a_gradient_of_0(void **state)
{
    (void)state;
    Params *params = params_new(keep);
    Tensor *w      = params_add(params, "w", SHAPE(2, 3));
    assert_string_equal(TENSOR_TEXT(w), "[2,3]");
    for (int i = 0; i < 6; i++) assert_true(w->data[i] == 0 && w->grad[i] == 0);
}

static void parameters_are_found_by_name_and_kept_in_order(void **state)
{
    (void)state;
    Params *params = params_new(keep);
    char    name[] = "encoder.0.weight";
    Tensor *w = params_add(params, name, SHAPE(2, 3)), *b = params_add(params, "encoder.0.bias", SHAPE(2));
    name[0] = 'X';    // the name was copied
    assert_ptr_equal(params_find(params, "encoder.0.weight"), w);
    assert_ptr_equal(params_find(params, "encoder.0.bias"), b);
    assert_null(params_find(params, "encoder.0"));
    assert_null(params_find(params, ""));
    assert_int_equal(params->count, 2);
    assert_ptr_equal(params->items[0].tensor, w);
    assert_int_equal(params_total(params), 8);
    assert_int_equal(params_total(params_new(keep)), 0);
}

static void included_parameters_are_shared(void **state)
{
    (void)state;
    Params *part = params_new(keep), *all = params_new(keep);
    params_add(all, "own", SHAPE(3));
    Tensor *w = params_add(part, "w", SHAPE(2));
    params_include(all, part);
    assert_int_equal(all->count, 2);
    assert_int_equal(params_total(all), 5);
    assert_ptr_equal(params_find(all, "w"), w);
    stops_with("there is already a parameter 'w'", params_include(all, part));
}

static void a_name_is_given_once(void **state)
{
    (void)state;
    Params *params = params_new(keep);
    params_add(params, "w", SHAPE(1));
    stops_with("there is already a parameter 'w'", params_add(params, "w", SHAPE(2)));
}

static void one_parameter_too_many_is_refused(void **state)
{
    (void)state;
    Params *params = params_new(keep);
    for (int i = 0; i < PARAMS_MAX; i++) params_add(params, arena_print(keep, "w%d", i), SHAPE(1));
    stops_with("no room for 'w' after 512 parameters", params_add(params, "w", SHAPE(1)));
}

static void clearing_leaves_values_and_zeroes_gradients(void **state)
{
    (void)state;
    Params *params = params_new(keep);
    Tensor *tensors[] = {params_add(params, "w", SHAPE(2, 3)), params_add(params, "b", SHAPE(6))};
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < 6; i++) tensors[t]->data[i] = tensors[t]->grad[i] = (float)(i + 1);
    params_clear_grads(params);
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < 6; i++) {
            assert_true(tensors[t]->data[i] == (float)(i + 1));
            assert_true(tensors[t]->grad[i] == 0);
        }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_parameter_starts_at_0_with_a_gradient_of_0),
        CASE(parameters_are_found_by_name_and_kept_in_order),
        CASE(included_parameters_are_shared),
        CASE(a_name_is_given_once),
        CASE(one_parameter_too_many_is_refused),
        CASE(clearing_leaves_values_and_zeroes_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
