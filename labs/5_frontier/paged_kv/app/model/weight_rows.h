/* weight_rows.h -- a matrix of weights as it lies in a file: WeightRows of kernels/row_product.h. */
#pragma once
#if __has_include("kernels/row_product.h")
#include "kernels/row_product.h"
#else    // until that is there
#include "kernels/dtype.h"
typedef struct WeightRows {
    const void *data;    // [rows,cols]
    DType type;
    int rows, cols;    // cols is a multiple of the type's block
} WeightRows;
#endif
