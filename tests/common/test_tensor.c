#include "common/tensor.h"
#include "tests/stops.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void shapes_count_compare_and_print(void **state)
{
    (void)state;
    assert_int_equal(shape_count(SCALAR), 1);
    assert_int_equal(shape_count(SHAPE(7)), 7);
    assert_int_equal(shape_count(SHAPE(2, 3, 5, 7)), 210);
    assert_int_equal(shape_count(SHAPE(2, 0, 5)), 0);
    assert_int_equal(shape_count(SHAPE(100000, 100000)), 10000000000);

    assert_true(shape_equal(SCALAR, SCALAR));
    assert_true(shape_equal(SHAPE(2, 3), SHAPE(2, 3)));
    assert_false(shape_equal(SHAPE(2, 3), SHAPE(3, 2)));
    assert_false(shape_equal(SHAPE(6), SHAPE(6, 1)));
    assert_false(shape_equal(SCALAR, SHAPE(1)));

    assert_string_equal(SHAPE_TEXT(SCALAR), "[]");
    assert_string_equal(SHAPE_TEXT(SHAPE(32, 784)), "[32,784]");
    assert_string_equal(SHAPE_TEXT(SHAPE(INT_MAX, INT_MAX, INT_MIN, INT_MIN)),
                        "[2147483647,2147483647,-2147483648,-2147483648]");
}

static void zeros_are_zero_and_have_no_gradient(void **state)
{
    (void)state;
    memset(arena_alloc(arena, 4096), 0xAB, 4096);
    arena_reset(arena);
    Tensor *x = tensor_zeros(arena, SHAPE(3, 5));
    for (int i = 0; i < 15; i++) assert_true(x->data[i] == 0);
    assert_null(x->grad);
    assert_int_equal(tensor_count(x), 15);
}

static void values_go_in_and_come_out_unchanged(void **state)
{
    (void)state;
    float   values[6] = {1, -2, 3.5f, 0, 1e-30f, -1e30f}, back[6];
    Tensor *x         = tensor_from(arena, SHAPE(2, 3), values);
    values[0]         = 99;    // a copy was taken
    tensor_read(x, back);
    assert_true(back[0] == 1 && back[5] == -1e30f);
    tensor_write(x, (float[]){6, 5, 4, 3, 2, 1});
    tensor_read(x, back);
    assert_memory_equal(back, ((float[]){6, 5, 4, 3, 2, 1}), sizeof back);
}

static void item_is_the_one_element(void **state)
{
    (void)state;
    assert_true(tensor_item(tensor_from(arena, SCALAR, (float[]){2.5f})) == 2.5f);
    assert_true(tensor_item(tensor_from(arena, SHAPE(1, 1), (float[]){-1})) == -1);
    stops_with("x is [2]; expected one element", tensor_item(tensor_zeros(arena, SHAPE(2))));
    stops_with("x is [0]; expected one element", tensor_item(tensor_zeros(arena, SHAPE(0))));
}

static void rows_share_data_and_gradient(void **state)
{
    (void)state;
    Tensor *x = tensor_from(arena, SHAPE(3, 2), (float[]){0, 1, 10, 11, 20, 21});
    x->grad   = tensor_zeros(arena, SHAPE(3, 2))->data;
    Tensor *rows = tensor_rows(arena, x, 1, 2);
    assert_string_equal(TENSOR_TEXT(rows), "[2,2]");
    assert_ptr_equal(rows->data, x->data + 2);
    assert_ptr_equal(rows->grad, x->grad + 2);
    rows->data[0] = -10;
    assert_true(x->data[2] == -10);

    assert_string_equal(TENSOR_TEXT(tensor_rows(arena, x, 3, 0)), "[0,2]");
    assert_null(tensor_rows(arena, tensor_zeros(arena, SHAPE(2)), 0, 1)->grad);
    Tensor *image = tensor_rows(arena, tensor_zeros(arena, SHAPE(2, 3, 5, 7)), 1, 1);
    assert_string_equal(TENSOR_TEXT(image), "[1,3,5,7]");
}

static void rows_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    Tensor *x = tensor_zeros(arena, SHAPE(3, 2));
    stops_with("rows 2..3 of [3,2] do not exist", tensor_rows(arena, x, 2, 2));
    stops_with("rows -1..0 of [3,2] do not exist", tensor_rows(arena, x, -1, 2));
    stops_with("of [3,2] do not exist", tensor_rows(arena, x, 0, -1));
    stops_with("of [3,2] do not exist", tensor_rows(arena, x, INT_MAX, 1));
    stops_with("of [3,2] do not exist", tensor_rows(arena, x, 1, INT_MAX));
    stops_with("x is []; expected at least one dimension",
               tensor_rows(arena, tensor_zeros(arena, SCALAR), 0, 1));
}

static void a_view_has_another_shape_and_the_same_memory(void **state)
{
    (void)state;
    Tensor *x = tensor_zeros(arena, SHAPE(6, 2)), *y = tensor_view(arena, x, SHAPE(3, 2, 2));
    assert_ptr_equal(y->data, x->data);
    assert_string_equal(TENSOR_TEXT(y), "[3,2,2]");
    assert_string_equal(TENSOR_TEXT(tensor_view(arena, tensor_zeros(arena, SHAPE(1)), SCALAR)), "[]");
    stops_with("x is [6,2] and cannot be seen as [5,2]", tensor_view(arena, x, SHAPE(5, 2)));
    stops_with("[-3,-4]", tensor_view(arena, x, SHAPE(-3, -4)));
}

static void shapes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    stops_with("5 dimensions; expected 0 to 4", tensor_new(arena, (Shape){.dims = 5}));
    stops_with("-1 dimensions; expected 0 to 4", tensor_new(arena, (Shape){.dims = -1}));
    stops_with("[2,-3]", tensor_new(arena, SHAPE(2, -3)));
    stops_with("arena 'test' is full", tensor_new(arena, SHAPE(1000, 1000)));
    // 2^64 elements, and 2^62 of four bytes: each would be 0 bytes if the product were let wrap.
    stops_with("[65536,65536,65536,65536]", tensor_new(arena, SHAPE(65536, 65536, 65536, 65536)));
    stops_with("arena 'test' is full", tensor_new(arena, SHAPE(INT_MAX, INT_MAX)));
    stops_with("[32768,32768,65536,65536]", tensor_new(arena, SHAPE(32768, 32768, 65536, 65536)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(shapes_count_compare_and_print),
        CASE(zeros_are_zero_and_have_no_gradient),
        CASE(values_go_in_and_come_out_unchanged),
        CASE(item_is_the_one_element),
        CASE(rows_share_data_and_gradient),
        CASE(rows_that_do_not_exist_are_refused),
        CASE(a_view_has_another_shape_and_the_same_memory),
        CASE(shapes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
