#include "common/tensor.h"
#include "common/error.h"
#include "kernels/device.h"
#include <stdio.h>
#include <string.h>

size_t shape_count(Shape shape)
{
    size_t count = 1;
    for (int i = 0; i < shape.dims; i++) count *= (size_t)shape.size[i];
    return count;
}

bool shape_equal(Shape a, Shape b)
{
    if (a.dims != b.dims) return false;
    for (int i = 0; i < a.dims; i++)
        if (a.size[i] != b.size[i]) return false;
    return true;
}

char *shape_text(char buffer[64], Shape shape)
{
    int used = snprintf(buffer, 64, "[");
    for (int i = 0; i < shape.dims; i++)
        used += snprintf(buffer + used, 64 - (size_t)used, "%s%d", i ? "," : "", shape.size[i]);
    snprintf(buffer + used, 64 - (size_t)used, "]");
    return buffer;
}

size_t tensor_count(const Tensor *x)
{
    return shape_count(x->shape);
}

size_t tensor_bytes(const Tensor *x)
{
    return dtype_bytes(x->type, tensor_count(x));
}

void shape_require(Shape shape)
{
    REQUIRE(shape.dims >= 0 && shape.dims <= TENSOR_MAX_DIMS, "%d dimensions; expected 0 to %d",
            shape.dims, TENSOR_MAX_DIMS);
    size_t bytes = sizeof(double);
    for (int i = 0; i < shape.dims; i++) {
        REQUIRE(shape.size[i] >= 0, "shape %s has a negative size", SHAPE_TEXT(shape));
        REQUIRE(!__builtin_mul_overflow(bytes, (size_t)shape.size[i], &bytes),
                "shape %s is larger than any memory", SHAPE_TEXT(shape));
    }
}

// A row must be found by its own address.
static void require_whole_blocks(DType type, Shape shape, size_t offset)
{
    int row = shape.dims > 0 ? shape.size[shape.dims - 1] : 1;
    int block = (int)dtype_info[type].block;
    REQUIRE(row % block == 0 && offset % (size_t)block == 0,
            "a row of %s is not whole blocks of %d numbers, as %s has them", SHAPE_TEXT(shape),
            block, dtype_name(type));
}

Tensor *tensor_of(Arena *arena, DType type, Shape shape)
{
    shape_require(shape);
    require_whole_blocks(type, shape, 0);
    Tensor *x = arena_alloc(arena, sizeof *x);
    *x = (Tensor){.type = type, .shape = shape};
    x->data = arena_numbers(arena, tensor_bytes(x));
    return x;
}

Tensor *tensor_new(Arena *arena, Shape shape)
{
    return tensor_of(arena, DTYPE_F32, shape);
}

Tensor *tensor_zeros(Arena *arena, Shape shape)
{
    Tensor *x = tensor_new(arena, shape);
    kernels.fill(x->data, 0.0f, tensor_count(x));
    return x;
}

Tensor *tensor_from(Arena *arena, Shape shape, const float *values)
{
    Tensor *x = tensor_new(arena, shape);
    tensor_write(x, values);
    return x;
}

Tensor *tensor_from_ints(Arena *arena, Shape shape, const int32_t *values)
{
    Tensor *x = tensor_of(arena, DTYPE_I32, shape);
    device->put(x->data, values, tensor_bytes(x));
    return x;
}

static Tensor *view(Arena *arena, Tensor *x, Shape shape, size_t offset)
{
    require_whole_blocks(x->type, shape, offset);
    Tensor *seen = arena_alloc(arena, sizeof *seen);
    *seen = (Tensor){.data = (char *)x->data + dtype_bytes(x->type, offset),
                     .grad = x->grad ? x->grad + offset : NULL,
                     .shape = shape,
                     .type = x->type,
                     .wants_grad = x->wants_grad,
                     .base = x->base ? x->base : x,
                     .offset = x->offset + offset};
    return seen;
}

Tensor *tensor_rows(Arena *arena, Tensor *x, int first, int count)
{
    REQUIRE(x->shape.dims >= 1, "x is %s; expected at least one dimension", TENSOR_TEXT(x));
    REQUIRE(first >= 0 && count >= 0 && first <= x->shape.size[0] - count,
            "rows %d..%ld of %s do not exist", first, (long)first + count - 1, TENSOR_TEXT(x));
    Shape shape = x->shape;
    shape.size[0] = 1;
    size_t offset = (size_t)first * shape_count(shape);
    shape.size[0] = count;
    return view(arena, x, shape, offset);
}

Tensor *tensor_view(Arena *arena, Tensor *x, Shape shape)
{
    shape_require(shape);
    REQUIRE(shape_count(shape) == tensor_count(x), "x is %s and cannot be seen as %s",
            TENSOR_TEXT(x), SHAPE_TEXT(shape));
    return view(arena, x, shape, 0);
}

void tensor_want_grad(Arena *arena, Tensor *x)
{
    REQUIRE(x->base == NULL && x->type == DTYPE_F32, "x is %s of %s; expected F32",
            x->base != NULL ? "a view" : TENSOR_TEXT(x), dtype_name(x->type));
    x->grad = arena_numbers(arena, tensor_count(x) * sizeof *x->grad);
    x->wants_grad = true;
    x->has_grad = false;
}

static void *numbers(const Tensor *x, DType type)
{
    REQUIRE(x->type == type, "x is %s of %s; expected %s", TENSOR_TEXT(x), dtype_name(x->type),
            dtype_name(type));
    return x->data;
}

float *tensor_floats(const Tensor *x)
{
    return numbers(x, DTYPE_F32);
}

int32_t *tensor_ints(const Tensor *x)
{
    return numbers(x, DTYPE_I32);
}

void tensor_write(Tensor *x, const float *values)
{
    device->put(tensor_floats(x), values, tensor_bytes(x));
}

void tensor_read(const Tensor *x, float *values)
{
    device->get(values, tensor_floats(x), tensor_bytes(x));
}

void tensor_read_ints(const Tensor *x, int32_t *values)
{
    device->get(values, tensor_ints(x), tensor_bytes(x));
}

float *tensor_values(Arena *arena, const Tensor *x)
{
    float *values = arena_alloc(arena, tensor_bytes(x));
    tensor_read(x, values);
    return values;
}

void tensor_copy(Tensor *to, const Tensor *from)
{
    REQUIRE(to->type == from->type && shape_equal(to->shape, from->shape),
            "to is %s of %s and from is %s of %s; expected the same", TENSOR_TEXT(to),
            dtype_name(to->type), TENSOR_TEXT(from), dtype_name(from->type));
    device->copy(to->data, from->data, tensor_bytes(to));
}

float tensor_item(const Tensor *x)
{
    REQUIRE(tensor_count(x) == 1, "x is %s; expected one element", TENSOR_TEXT(x));
    float value;
    tensor_read(x, &value);
    return value;
}
