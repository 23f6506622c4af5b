// mat.h -- a strided, batched matrix, as the operands of products are.
#pragma once
#include <stddef.h>

// Borrowed: element (i,j) of matrix b is data[b * batch + i * row + j * col]. One matrix for all products
// has batch 0.
typedef struct Mat {
    const float *data;
    size_t row, col, batch;
} Mat;
