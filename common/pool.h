/* pool.h -- pooling: [B,C,H,W] -> [B,C,H',W'], each plane on its own.
 *
 *     Tensor *y = op_max_pool(tape, x, (PoolConfig){.kernel = 2});             // [B,C,28,28] -> [B,C,14,14]
 *     Tensor *z = op_avg_pool(tape, x, (PoolConfig){.kernel = 3, .stride = 2, .pad = 1});
 *     Tensor *h = op_global_avg_pool(tape, x);                                 // -> [B,C]
 *
 * H' = (H + 2 pad - kernel) / stride + 1, rounded down: what is left at the edge is not read. All as
 * PyTorch's.
 */
#pragma once
#include "common/tape.h"

typedef struct PoolConfig {
    int kernel;    // windows are square
    int stride;    // 0: the kernel
    int pad;       // at most half the kernel
} PoolConfig;

// The largest of each window; the gradient goes to the first of several. The padding is never it, and a
// NaN always is.
Tensor *op_max_pool(Tape *tape, Tensor *x, PoolConfig config);

// The mean of each window, in which the padding counts as zeros.
Tensor *op_avg_pool(Tape *tape, Tensor *x, PoolConfig config);

// The mean of each plane: Lin et al. 2014, section 3.2.
Tensor *op_global_avg_pool(Tape *tape, Tensor *x);
