/* tensor.h -- dense, row-major arrays of up to four dimensions, on the device in use.
 *
 *     Arena  *step = arena_new("step", 64u << 20);
 *     Tensor *x = tensor_zeros(step, SHAPE(32, 784));        // [B,D] of F32
 *     Tensor *labels = tensor_from_ints(step, SHAPE(32), y); // [B] of I32
 *     Tensor *row = tensor_rows(step, x, 5, 1);              // [1,D], shares x's memory
 *     printf("%s\n", TENSOR_TEXT(x));                        // [32,784]
 *     arena_reset(step);                                     // x and row are gone
 *
 * A tensor lives as long as the arena it was made in; none is freed by itself. Its numbers lie where
 * the device keeps them: only tensor_write, tensor_read and tensor_copy move them, and only kernels
 * compute with them. What computes with gradients is in ops.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/rng.h"
#include "kernels/dtype.h"

enum { TENSOR_MAX_DIMS = 4 };

typedef struct Shape {
    int dims;                     // 0 for a scalar
    int size[TENSOR_MAX_DIMS];    // outermost first; each >= 0
} Shape;

typedef struct Tensor {
    void *data;     // owned by the arena, on the device
    float *grad;    // d(loss)/d(data), as large as data; NULL until it is needed (tape.h)
    Shape shape;
    DType type;
    bool wants_grad;    // a parameter, or computed from one
    bool has_grad;      // grad holds a value: what comes is added to it

    struct Tensor *base;    // of a view: whose memory it shares, and from which element on
    size_t offset;
} Tensor;

// SHAPE(32, 784) is [32,784]; SCALAR is [].
#define SHAPE(...)                                                                                 \
    ((Shape){.dims = (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), .size = {__VA_ARGS__}})
#define SCALAR ((Shape){0})

Tensor *tensor_new(Arena *arena, Shape shape);               // F32, uninitialised
Tensor *tensor_of(Arena *arena, DType type, Shape shape);    // any type; rows of whole blocks
Tensor *tensor_zeros(Arena *arena, Shape shape);             // F32
Tensor *tensor_from(Arena *arena, Shape shape,
                    const float *values);    // F32, a copy from host memory
Tensor *tensor_from_ints(Arena *arena, Shape shape, const int32_t *values);    // I32, the same

// Views share x's memory and its gradient.
Tensor *tensor_rows(Arena *arena, Tensor *x, int first,
                    int count);                               // rows first .. first + count - 1
Tensor *tensor_view(Arena *arena, Tensor *x, Shape shape);    // the same elements

// Makes x, which no op computed, take part: d(loss)/dx is put in memory of the arena. Not a view; and
// views of x are made after this.
void tensor_want_grad(Arena *arena, Tensor *x);

// The numbers, for kernels: stops the program where x is of another type.
float *tensor_floats(const Tensor *x);
int32_t *tensor_ints(const Tensor *x);

void tensor_write(Tensor *x, const float *values);    // all elements of an F32, from host memory
void tensor_read(const Tensor *x, float *values);     // all elements of an F32, to host memory
void tensor_read_ints(const Tensor *x,
                      int32_t *values);    // all elements of an I32, to host memory
float *tensor_values(Arena *arena,
                     const Tensor *x);               // a copy of an F32 in the arena's host memory
void tensor_copy(Tensor *to, const Tensor *from);    // same shape and type, any two arenas
float tensor_item(const Tensor *x);                  // the one element of a one-element F32

void shape_require(Shape shape);    // stops the program where there is no such shape
size_t shape_count(Shape shape);    // number of elements; 1 for a scalar
bool shape_equal(Shape a, Shape b);
size_t tensor_count(const Tensor *x);
size_t tensor_bytes(const Tensor *x);

// "[32,784]" in a buffer that lives until the end of the enclosing block.
#define SHAPE_TEXT(shape) shape_text((char[64]){0}, shape)
#define TENSOR_TEXT(x)    SHAPE_TEXT((x)->shape)
char *shape_text(char buffer[64], Shape shape);
