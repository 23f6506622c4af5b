/* transpose.h -- LANES vectors of LANES numbers, transposed in registers.
 *
 *     Vec block[LANES];    // rows
 *     transpose(block);    // columns
 */
#pragma once
#include "kernels/cpu/part.h"

#if LANES == 16
#define EACH_LANE(X, d)                                                                            \
    X(d, 0), X(d, 1), X(d, 2), X(d, 3), X(d, 4), X(d, 5), X(d, 6), X(d, 7), X(d, 8), X(d, 9),      \
        X(d, 10), X(d, 11), X(d, 12), X(d, 13), X(d, 14), X(d, 15)
#elif LANES == 8
#define EACH_LANE(X, d) X(d, 0), X(d, 1), X(d, 2), X(d, 3), X(d, 4), X(d, 5), X(d, 6), X(d, 7)
#else
#define EACH_LANE(X, d) X(d, 0), X(d, 1), X(d, 2), X(d, 3)
#endif

// In each pair of rows d apart, the columns with bit d of the upper row change places with those
// without it of the lower row. After all powers of two d < LANES the block is transposed.
#define UPPER(d, lane) ((lane) & (d) ? LANES + (lane) - (d) : (lane))
#define LOWER(d, lane) ((lane) & (d) ? LANES + (lane) : (lane) + (d))
#define EXCHANGE(x, d)                                                                             \
    UNROLL                                                                                         \
    for (int i = 0; i < LANES; i++)                                                                \
        if (!(i & (d))) {                                                                          \
            Vec upper = x[i], lower = x[i + (d)];                                                  \
            x[i] = __builtin_shufflevector(upper, lower, EACH_LANE(UPPER, d));                     \
            x[i + (d)] = __builtin_shufflevector(upper, lower, EACH_LANE(LOWER, d));               \
        }

INLINED void transpose(Vec x[LANES])
{
    EXCHANGE(x, 1)
    EXCHANGE(x, 2)
#if LANES >= 8
    EXCHANGE(x, 4)
#endif
#if LANES >= 16
    EXCHANGE(x, 8)
#endif
}
