#include "common/tensor.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "tests/devices.h"
#include "tests/near.h"
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
    device_for_case(*state);
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
    kernels.fill(arena_numbers(arena, 4096), 7, 1024);
    arena_reset(arena);
    Tensor *x = tensor_zeros(arena, SHAPE(3, 5));
    assert_near(values_of(x), (double[15]){0}, SHAPE(3, 5), .name = "x", .exact = true);
    assert_null(x->grad);
    assert_false(x->wants_grad);
    assert_int_equal(tensor_count(x), 15);
}

static void values_go_in_and_come_out_unchanged(void **state)
{
    (void)state;
    float values[6] = {1, -2, 3.5f, 0, 1e-30f, -1e30f}, back[6];
    Tensor *x = tensor_from(arena, SHAPE(2, 3), values);
    values[0] = 99;    // a copy was taken
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

static void integers_go_in_and_come_out_unchanged(void **state)
{
    (void)state;
    int32_t values[3] = {INT_MIN, 16777217, INT_MAX}, back[3];    // 2^24 + 1 is no float
    Tensor *x = tensor_from_ints(arena, SHAPE(3), values);
    assert_int_equal(x->type, DTYPE_I32);
    tensor_read_ints(x, back);
    assert_memory_equal(back, values, sizeof back);
    assert_ptr_equal(tensor_ints(x), x->data);
}

static void a_tensor_of_another_type_is_not_taken_for_floats(void **state)
{
    (void)state;
    Tensor *x = tensor_zeros(arena, SHAPE(2, 3)),
           *labels = tensor_from_ints(arena, SHAPE(2), (int32_t[]){1, 2});
    float values[6];
    stops_with("x is [2] of I32; expected F32", tensor_floats(labels));
    stops_with("x is [2] of I32; expected F32", tensor_read(labels, values));
    stops_with("x is [2] of I32; expected F32", tensor_write(labels, values));
    stops_with("x is [2] of I32; expected F32", tensor_values(arena, labels));
    stops_with("x is [1] of I32; expected F32", tensor_item(tensor_rows(arena, labels, 0, 1)));
    stops_with("x is [2] of I32; expected F32", tensor_want_grad(arena, labels));
    stops_with("x is [2,3] of F32; expected I32", tensor_ints(x));
    stops_with("x is [2] of I32; expected F32",
               op_relu(tape_new(arena_new("step", 1u << 16)), labels));
}

static void a_row_is_whole_blocks_of_its_type(void **state)
{
    (void)state;
    Tensor *x = tensor_of(arena, DTYPE_Q8_0, SHAPE(3, 64));
    assert_int_equal(tensor_count(x), 192);
    assert_int_equal(tensor_bytes(x), 6 * 34);
    assert_int_equal(tensor_bytes(tensor_of(arena, DTYPE_Q4_K, SHAPE(2, 256))), 2 * 144);
    assert_int_equal(tensor_bytes(tensor_of(arena, DTYPE_BF16, SHAPE(3, 5))), 30);
    stops_with("a row of [3,65] is not whole blocks of 32 numbers, as Q8_0 has them",
               tensor_of(arena, DTYPE_Q8_0, SHAPE(3, 65)));
    // Two rows of 16 would fill a block; but a row must be found by its own address.
    stops_with("a row of [2,16] is not whole blocks", tensor_of(arena, DTYPE_Q4_0, SHAPE(2, 16)));
    stops_with("a row of [] is not whole blocks", tensor_of(arena, DTYPE_Q4_0, SCALAR));
    Tensor *row = tensor_rows(arena, x, 2, 1);
    assert_ptr_equal(row->data, (char *)x->data + 4 * 34);
    stops_with("a row of [12,16] is not whole blocks", tensor_view(arena, x, SHAPE(12, 16)));
    stops_with("a row of [32] is not whole blocks",
               tensor_rows(arena, tensor_view(arena, x, SHAPE(192)), 16, 32));
}

static void rows_share_data_and_know_their_base(void **state)
{
    (void)state;
    Tensor *x = tensor_from(arena, SHAPE(3, 2), (float[]){0, 1, 10, 11, 20, 21});
    Tensor *rows = tensor_rows(arena, x, 1, 2), *last = tensor_rows(arena, rows, 1, 1);
    assert_string_equal(TENSOR_TEXT(rows), "[2,2]");
    assert_near(values_of(rows), ((double[]){10, 11, 20, 21}), SHAPE(2, 2), .name = "rows",
                .exact = true);
    assert_ptr_equal(rows->base, x);
    assert_int_equal(rows->offset, 2);
    assert_ptr_equal(last->base, x);    // a view of a view is one of the owner
    assert_int_equal(last->offset, 4);
    tensor_write(last, (float[]){-20, -21});
    assert_near(values_of(x), ((double[]){0, 1, 10, 11, -20, -21}), SHAPE(3, 2), .name = "x",
                .exact = true);

    assert_string_equal(TENSOR_TEXT(tensor_rows(arena, x, 3, 0)), "[0,2]");
    Tensor *image = tensor_rows(arena, tensor_zeros(arena, SHAPE(2, 3, 5, 7)), 1, 1);
    assert_string_equal(TENSOR_TEXT(image), "[1,3,5,7]");
    int32_t back[2];
    tensor_read_ints(
        tensor_rows(arena, tensor_from_ints(arena, SHAPE(4), (int32_t[]){1, 2, 3, 4}), 2, 2), back);
    assert_memory_equal(back, ((int32_t[]){3, 4}), sizeof back);
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
    assert_string_equal(TENSOR_TEXT(tensor_view(arena, tensor_zeros(arena, SHAPE(1)), SCALAR)),
                        "[]");
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
    stops_with("arena 'test' is full", tensor_new(arena, SHAPE(INT_MAX, 1 << 20)));
    stops_with("[2147483647,2147483647] is larger than any memory",
               tensor_new(arena, SHAPE(INT_MAX, INT_MAX)));
    stops_with("[32768,32768,65536,65536]", tensor_new(arena, SHAPE(32768, 32768, 65536, 65536)));
}

static void copies_cross_arenas(void **state)
{
    (void)state;
    Arena *other = arena_new("other", 1u << 20);
    Tensor *x = tensor_from(other, SHAPE(2, 3), (float[]){1, 2, 3, 4, 5, 6}),
           *y = tensor_zeros(arena, SHAPE(2, 3));
    tensor_copy(y, x);
    Tensor *labels = tensor_of(arena, DTYPE_I32, SHAPE(2));
    tensor_copy(labels, tensor_from_ints(other, SHAPE(2), (int32_t[]){7, -8}));
    tensor_copy(tensor_rows(arena, y, 0, 1), tensor_rows(other, x, 1, 1));
    arena_free(other);
    assert_near(values_of(y), ((double[]){4, 5, 6, 4, 5, 6}), SHAPE(2, 3), .name = "y",
                .exact = true);
    int32_t back[2];
    tensor_read_ints(labels, back);
    assert_memory_equal(back, ((int32_t[]){7, -8}), sizeof back);

    stops_with("to is [2,3] of F32 and from is [3,2] of F32; expected the same",
               tensor_copy(y, tensor_zeros(arena, SHAPE(3, 2))));
    stops_with("to is [2,3] of F32 and from is [2] of I32; expected the same",
               tensor_copy(y, labels));
}

// The host that follows a pointer of its own device gets the numbers, of far a fault.
static void fars_numbers_cannot_be_touched(void **state)
{
    (void)state;
    volatile float *data = tensor_floats(tensor_zeros(arena, SHAPE(2)));
    stops_with("", data[0] = 1);
    stops_with("was given an address that is not the device's", kernels.fill((float[2]){0}, 1, 2));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(shapes_count_compare_and_print),
        EACH_DEVICE(zeros_are_zero_and_have_no_gradient),
        EACH_DEVICE(values_go_in_and_come_out_unchanged),
        EACH_DEVICE(integers_go_in_and_come_out_unchanged),
        EACH_DEVICE(item_is_the_one_element),
        CASE(a_tensor_of_another_type_is_not_taken_for_floats),
        CASE(a_row_is_whole_blocks_of_its_type),
        EACH_DEVICE(rows_share_data_and_know_their_base),
        CASE(rows_that_do_not_exist_are_refused),
        CASE(a_view_has_another_shape_and_the_same_memory),
        EACH_DEVICE(copies_cross_arenas),
        ON_DEVICE(fars_numbers_cannot_be_touched, "far"),
        CASE(shapes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
