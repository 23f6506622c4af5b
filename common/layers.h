/* layers.h -- parameters with a forward, and how they start.
 *
 *     Linear encode = linear_new(params, "encoder.0", 784, 256, init_he, &rng);
 *     Tensor *h = op_relu(tape, linear_forward(tape, &encode, x));    // [B,784] -> [B,256]
 *
 * Weights are [out,in], as PyTorch stores them. Biases start at 0.
 */
#pragma once
#include "common/ops.h"
#include "common/params.h"
#include "common/rng.h"

// Fills a weight of the given fan-in and fan-out. Glorot keeps the variance of what flows through
// sigmoid, tanh and linear units; He doubles it for the half that a ReLU drops.
typedef void Init(Tensor *weight, int fan_in, int fan_out, Rng *rng);
Init init_glorot;    // U(-a, a), a = sqrt(6 / (in + out)): Glorot & Bengio 2010, eq. 16
Init init_he;        // N(0, 2 / in): He et al. 2015, eq. 10

typedef struct Linear {
    Tensor *weight;    // [out,in]
    Tensor *bias;      // [out]
} Linear;

// Adds "NAME.weight" and "NAME.bias" to params.
Linear linear_new(Params *params, const char *name, int in, int out, Init *init, Rng *rng);
Tensor *linear_forward(Tape *tape, const Linear *layer, Tensor *x);    // [B,in] -> [B,out]
