/* ref.h -- what the sources of `ref` share. Families that have a file of their own are declared here;
 * the tests compile these files too with `float` defined as double (tests/double.h).
 */
#pragma once
#include "kernels/kernels.h"

#define X(name, prototype, arguments, work) void ref_##name prototype;
CONVOLUTION_KERNELS(X)    // conv.c
POOLING_KERNELS(X)        // pool.c
NORM_KERNELS(X)           // norm.c
ATTENTION_KERNELS(X)      // attention.c
ROW_NORM_KERNELS(X)       // row_norm.c
GATE_KERNELS(X)           // gates.c
RECURRENT_KERNELS(X)      // recurrent.c
TOKEN_KERNELS(X)          // tokens.c
ROW_PRODUCT_KERNELS(X)    // row_product.c
PAGED_KERNELS(X)          // paged.c
PLANNING_KERNELS(X)       // value_sweep.c
#undef X

static inline float blend(float beta, const float *c, double sum)
{
    return (float)(beta == 0 ? sum : beta * *c + sum);    // beta 0 does not read c: it may be NaN
}
