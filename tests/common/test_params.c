#include "common/params.h"
#include "kernels/device.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

static void a_parameter_starts_at_0_and_wants_a_gradient(void **state)
{
    (void)state;
    Tensor *w = params_add(params, "w", SHAPE(2, 3));
    assert_near(values_of(w), (double[6]){0}, SHAPE(2, 3), .name = "w", .exact = true);
    assert_true(w->wants_grad);
    assert_false(w->has_grad);
    assert_non_null(w->grad);
}

static void parameters_are_found_by_name_and_kept_in_order(void **state)
{
    (void)state;
    assert_null(params_find(params, "w"));
    char name[] = "encoder.0.weight";
    Tensor *w = params_add(params, name, SHAPE(2, 3)),
           *b = params_add(params, "encoder.0.bias", SHAPE(2));
    name[0] = 'X';    // the name was copied
    assert_ptr_equal(params_find(params, "encoder.0.weight"), w);
    assert_ptr_equal(params_find(params, "encoder.0.bias"), b);
    assert_null(params_find(params, "encoder.0"));
    assert_null(params_find(params, ""));
    assert_int_equal(params->count, 2);
    assert_ptr_equal(params->items[0].tensor, w);
    assert_ptr_equal(params_item(params, "encoder.0.bias"), &params->items[1]);
    assert_int_equal(params_total(params), 8);
    assert_int_equal(params_total(params_new(keep)), 0);
}

static void there_may_be_thousands_of_parameters(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    Tensor *all[MANY];
    for (int i = 0; i < MANY; i++)
        all[i] = params_add(params, arena_print(keep, "layer.%d.weight", i), SHAPE(1));
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(params_find(params, arena_print(keep, "layer.%d.weight", i)), all[i]);
    assert_null(params_find(params, "layer.5000.weight"));
    int run = 0, longest = 0;    // a search ends where a run of taken slots ends
    for (int i = 0; i < params->slot_count; i++) {
        run = params->slots[i] != 0 ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    assert_in_range(longest, 1, 20);
    assert_int_equal(params->count, MANY);
    stops_with("there is already a parameter 'layer.77.weight'",
               params_add(params, "layer.77.weight", SHAPE(1)));
}

static const float *line_after(const float *x, size_t count)
{
    return x + (count + 15) / 16 * 16;
}

// Each parameter at a cache line, right behind the one before it; zeros between, and the same for gradients.
static void trained_parameters_lie_end_to_end(void **state)
{
    (void)state;
    static const int sizes[] = {5, 16, 1, 0, 33, 600000};    // the last is over a committed chunk
    enum { COUNT = sizeof sizes / sizeof *sizes };
    const float *data = NULL, *grad = NULL;
    for (int i = 0; i < COUNT; i++) {
        Tensor *x = params_add(params, arena_print(keep, "%d", i), SHAPE(sizes[i]));
        assert_ptr_equal(x->data, data != NULL ? data : params->trained.at);
        assert_ptr_equal(x->grad, grad != NULL ? grad : params->grads.at);
        assert_int_equal((uintptr_t)x->data % 64, 0);
        data = line_after(x->data, (size_t)sizes[i]);
        grad = line_after(x->grad, (size_t)sizes[i]);
        kernels.fill(x->data, 1, tensor_count(x));
        kernels.fill(x->grad, 2, tensor_count(x));
    }
    assert_int_equal(params->trained.count, data - params->trained.at);
    assert_int_equal(params->grads.count, params->trained.count);
    const float *p = numbers_at(params->trained.at, params->trained.count),
                *g = numbers_at(params->grads.at, params->grads.count);
    double p_sum = 0, g_sum = 0;
    for (size_t i = 0; i < params->trained.count; i++) p_sum += (double)p[i], g_sum += (double)g[i];
    assert_true(p_sum == (double)params_total(params) && g_sum == 2 * p_sum);    // the rest is 0
}

static void a_frozen_parameter_has_no_gradient_and_no_place_in_the_block(void **state)
{
    (void)state;
    params_add(params, "w", SHAPE(5));
    params->frozen = true;
    Tensor *e = params_add(params, "e", SHAPE(3)), *f = params_add(params, "f", SHAPE(3));
    params->frozen = false;
    Tensor *w2 = params_add(params, "w2", SHAPE(5));
    assert_false(e->wants_grad);
    assert_null(e->grad);
    assert_ptr_equal(w2->data, params->trained.at + 16);    // nothing in between
    assert_int_equal(params->trained.count, 32);
    tensor_write(e, (float[]){1, 2, 3});
    assert_near(values_of(e), ((double[]){1, 2, 3}), SHAPE(3), .name = "e", .exact = true);
    assert_near(values_of(f), ((double[]){0, 0, 0}), SHAPE(3), .name = "f", .exact = true);
    assert_ptr_equal(params_find(params, "e"), e);    // for files
    assert_int_equal(params_total(params), 16);
}

static void decay_is_for_two_dimensions_on_unless_set(void **state)
{
    (void)state;
    params_add(params, "norm", SHAPE(4));
    params_add(params, "scale", SCALAR);
    params_add(params, "weight", SHAPE(4, 3));
    params_add(params, "kernel", SHAPE(4, 3, 2, 2));
    static const bool decays[] = {false, false, true, true};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(params->items[i].decay, decays[i]);
        assert_true(params->items[i].rate == 1);
    }
}

static void included_parameters_are_shared(void **state)
{
    (void)state;
    Params *part = params_new(keep);
    params_add(params, "own", SHAPE(3));
    Tensor *w = params_add(part, "w", SHAPE(2));
    params_include(params, part);
    assert_int_equal(params->count, 2);
    assert_int_equal(params_total(params), 5);
    assert_ptr_equal(params_find(params, "w"), w);
    assert_int_equal(params->trained.count, 16);    // w stays in its own block
    stops_with("there is already a parameter 'w'", params_include(params, part));
}

static void clearing_makes_the_next_gradient_the_first(void **state)
{
    (void)state;
    Tensor *tensors[] = {params_add(params, "w", SHAPE(2, 3)), params_add(params, "b", SHAPE(6))};
    for (int t = 0; t < 2; t++) {
        tensor_write(tensors[t], (float[]){1, 2, 3, 4, 5, 6});
        tensors[t]->has_grad = true;
    }
    params_clear_grads(params);
    for (int t = 0; t < 2; t++) {
        assert_false(tensors[t]->has_grad);
        assert_near(values_of(tensors[t]), ((double[]){1, 2, 3, 4, 5, 6}), tensors[t]->shape,
                    .name = "data", .exact = true);
    }
}

static void shapes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    stops_with("shape [-1] has a negative size", params_add(params, "w", SHAPE(-1)));
    stops_with("is larger than any memory",
               params_add(params, "w", SHAPE(1 << 30, 1 << 30, 1 << 30)));
}

static void blocks_belong_to_one_device_and_have_an_end(void **state)
{
    (void)state;
    params_add(params, "w", SHAPE(3));
    stops_with("no room for 2000000 parameters more after 16",
               params_add(params, "large", SHAPE(2000000)));
    device_for_case("far");
    stops_with("the parameters are on device ref; far is in use",
               params_add(params, "b", SHAPE(3)));
}

// The device's memory, too: 300 reservations are more than far has at a time.
static void blocks_are_released_with_their_arena(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        ArenaMark mark = arena_mark(keep);
        params_add(params_new(keep), "w", SHAPE(3));
        arena_rewind(keep, mark);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_parameter_starts_at_0_and_wants_a_gradient),
        CASE(parameters_are_found_by_name_and_kept_in_order),
        CASE(there_may_be_thousands_of_parameters),
        EACH_DEVICE(trained_parameters_lie_end_to_end),
        EACH_DEVICE(a_frozen_parameter_has_no_gradient_and_no_place_in_the_block),
        CASE(decay_is_for_two_dimensions_on_unless_set),
        CASE(included_parameters_are_shared),
        EACH_DEVICE(clearing_makes_the_next_gradient_the_first),
        CASE(shapes_that_cannot_be_are_refused),
        ON_DEVICE(blocks_belong_to_one_device_and_have_an_end, "ref"),
        ON_DEVICE(blocks_are_released_with_their_arena, "far"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
