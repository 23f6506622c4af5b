/* tensor.h -- dense, row-major float arrays of up to four dimensions.
 *
 *     Arena  *step = arena_new("step", 64u << 20);
 *     Tensor *x = tensor_zeros(step, SHAPE(32, 784));      // [B,D]
 *     Tensor *row = tensor_rows(step, x, 5, 1);            // [1,D], shares x's memory
 *     printf("%s\n", TENSOR_TEXT(x));                      // [32,784]
 *     arena_reset(step);                                   // x and row are gone
 *
 * A tensor lives as long as the arena it was made in; none is freed by itself. What computes with
 * gradients is in ops.h. Values go in and out through tensor_write and tensor_read, which are also
 * right when the data lives on a device.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/arena.h"
#include "common/rng.h"

enum { TENSOR_MAX_DIMS = 4 };

typedef struct Shape {
    int dims;                     // 0 for a scalar
    int size[TENSOR_MAX_DIMS];    // outermost first; each >= 0
} Shape;

typedef struct Tensor {
    float *data;     // owned by the arena
    float *grad;     // d(loss)/d(data), as large as data; NULL where no gradient is wanted
    Shape  shape;
} Tensor;

// SHAPE(32, 784) is [32,784]; SCALAR is [].
#define SHAPE(...)                                                                                 \
    ((Shape){.dims = (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), .size = {__VA_ARGS__}})
#define SCALAR ((Shape){0})

Tensor *tensor_new(Arena *arena, Shape shape);                          // uninitialised
Tensor *tensor_zeros(Arena *arena, Shape shape);
Tensor *tensor_from(Arena *arena, Shape shape, const float *values);    // a copy
Tensor *tensor_rows(Arena *arena, Tensor *x, int first, int count);     // view of rows; data, grad
Tensor *tensor_view(Arena *arena, Tensor *x, Shape shape);              // same count, same memory

void  tensor_write(Tensor *x, const float *values);    // all elements, from host memory
void  tensor_read(const Tensor *x, float *values);     // all elements, to host memory
float tensor_item(const Tensor *x);                    // the one element of a one-element tensor

size_t shape_count(Shape shape);            // number of elements; 1 for a scalar
bool   shape_equal(Shape a, Shape b);
size_t tensor_count(const Tensor *x);

// "[32,784]" in a buffer that lives until the end of the enclosing block.
#define SHAPE_TEXT(shape) shape_text((char[64]){0}, shape)
#define TENSOR_TEXT(x)    SHAPE_TEXT((x)->shape)
char *shape_text(char buffer[64], Shape shape);
