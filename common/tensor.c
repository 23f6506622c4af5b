#include "common/tensor.h"
#include "common/error.h"
#include "kernels/kernels.h"
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

static Tensor *tensor_around(Arena *arena, Shape shape, float *data, float *grad)
{
    Tensor *x = arena_alloc(arena, sizeof *x);
    *x        = (Tensor){.data = data, .grad = grad, .shape = shape};
    return x;
}

static void require_shape(Shape shape)
{
    REQUIRE(shape.dims >= 0 && shape.dims <= TENSOR_MAX_DIMS, "%d dimensions; expected 0 to %d",
            shape.dims, TENSOR_MAX_DIMS);
    size_t bytes = sizeof(float);
    for (int i = 0; i < shape.dims; i++) {
        REQUIRE(shape.size[i] >= 0, "shape %s has a negative size", SHAPE_TEXT(shape));
        REQUIRE(!__builtin_mul_overflow(bytes, (size_t)shape.size[i], &bytes),
                "shape %s is larger than any memory", SHAPE_TEXT(shape));
    }
}

Tensor *tensor_new(Arena *arena, Shape shape)
{
    require_shape(shape);
    float *data = arena_alloc(arena, shape_count(shape) * sizeof *data);
    return tensor_around(arena, shape, data, NULL);
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

Tensor *tensor_rows(Arena *arena, Tensor *x, int first, int count)
{
    REQUIRE(x->shape.dims >= 1, "x is %s; expected at least one dimension", TENSOR_TEXT(x));
    REQUIRE(first >= 0 && count >= 0 && first <= x->shape.size[0] - count,
            "rows %d..%ld of %s do not exist", first, (long)first + count - 1, TENSOR_TEXT(x));
    Shape shape   = x->shape;
    shape.size[0] = 1;
    size_t offset = (size_t)first * shape_count(shape);
    shape.size[0] = count;
    return tensor_around(arena, shape, x->data + offset, x->grad ? x->grad + offset : NULL);
}

Tensor *tensor_view(Arena *arena, Tensor *x, Shape shape)
{
    require_shape(shape);
    REQUIRE(shape_count(shape) == tensor_count(x), "x is %s and cannot be seen as %s",
            TENSOR_TEXT(x), SHAPE_TEXT(shape));
    return tensor_around(arena, shape, x->data, x->grad);
}

void tensor_write(Tensor *x, const float *values)
{
    memcpy(x->data, values, tensor_count(x) * sizeof *values);
}

void tensor_read(const Tensor *x, float *values)
{
    memcpy(values, x->data, tensor_count(x) * sizeof *values);
}

float tensor_item(const Tensor *x)
{
    REQUIRE(tensor_count(x) == 1, "x is %s; expected one element", TENSOR_TEXT(x));
    float value;
    tensor_read(x, &value);
    return value;
}
