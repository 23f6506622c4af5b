/* row_product.h -- rows of weights in any of a model file's types, multiplied as they are stored.
 *
 *     const WeightRows w = {data, DTYPE_Q4_1, 1536, 576};    // [1536,576], as the file has it
 *     kernels.row_product(y, 1536, x, 576, m, w, ACTIVATIONS_Q8);    // y [m,1536] = x [m,576] w^T
 *
 * The data may be mapped from a file: it is only read, never past its end, and any alignment will do. Row
 * follows row without gaps. Types: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K and Q6_K; products are summed in
 * float32.
 *
 * y[i,r] has the same bits whatever m is, whatever the other rows of x and w hold, and for any number of
 * threads: each is summed alone, in an order that depends on cols alone. So a request's numbers do not
 * depend on the requests that it is computed with.
 */
#pragma once
#include <math.h>
#include "kernels/dtype.h"

typedef struct WeightRows {
    const void *data;    // [rows,cols]
    DType type;
    int rows, cols;    // cols is a multiple of the type's block
} WeightRows;

// How x takes part in a product. With F32, F16 and BF16 weights it is always ACTIVATIONS_F32.
//
// ACTIVATIONS_Q8 rounds each 32 of a row of x to whole numbers of -127 ... 127 times d = max |x| / 127
// (Q8_0, but with d a float), so that products of a block are sums of small integers, which are exact. Each x
// is off by d / 2 at most: of normally distributed x and w, results are off by 0.5 % of their own standard
// deviation (tests/kernels/test_row_product.c). A block with a NaN or an infinity gives NaN.
//
// ACTIVATIONS_Q16 adds a second term: what the first leaves over, rounded to whole numbers of -127 ... 127 times
// d / 254. Each x is off by d / 508 at most, 1.6e-5 of the block's largest, and results by 0.002 %. Weights are
// still read and unpacked once, so that few rows of x cost little more than with one term.
typedef enum Activations { ACTIVATIONS_F32, ACTIVATIONS_Q8, ACTIVATIONS_Q16 } Activations;

enum {
    ACTIVATION_BLOCK = 32,
    ACTIVATION_REST = 254,    // the second term's d is so many times smaller
};

#ifdef __CUDACC__
#define ACTIVATION __host__ __device__ static inline
#else
#define ACTIVATION static inline
#endif

// d of a block whose largest |x| is this one (infinite also where an x is NaN), and 1 / d. What is so small
// that 1 / d could overflow counts as 0.
ACTIVATION float activation_scale(float largest)
{
    return largest > 1e-30f ? (isinf(largest) ? NAN : largest / 127) : 0;
}

ACTIVATION float activation_inverse(float scale)
{
    return scale > 0 ? 1 / scale : 0;
}

// x of a block as it takes part: rounded to one term or to two.
ACTIVATION float activation_rounded(float x, float scale, Activations activations)
{
    const float inverse = activation_inverse(scale), first = rintf(x * inverse);
    if (activations == ACTIVATIONS_Q8) return scale * first;
    const float rest = fmaf(-scale, first, x);
    return scale * first + scale / ACTIVATION_REST * rintf(rest * (inverse * ACTIVATION_REST));
}

static inline bool weight_rows_in_blocks(WeightRows w)
{
    return dtype_info[w.type].kind == DTYPE_KIND_QUANTIZED;
}

static inline double weight_rows_bytes(WeightRows w)
{
    return (double)w.rows * (double)dtype_bytes(w.type, (uint64_t)w.cols);
}
