/* norm.h -- batch normalisation (Ioffe & Szegedy 2015).
 *
 *     BatchNorm norm = batch_norm_new(params, "layer1.bn", 64);
 *     Tensor *y = batch_norm_forward(tape, &norm, x);    // [B,64,H,W] or [B,64], the same shape
 *     tape_quiet(tape, true);                            // from here on by the running statistics
 *
 * Training: y = weight (x - mean) / sqrt(var + eps) + bias, with the mean and the variance of the
 * channel's values in this batch, and the running ones move by the momentum towards them. Evaluating:
 * the same by the running ones. As in PyTorch the variance divides by n where it normalises, by n - 1
 * where it is remembered.
 */
#pragma once
#include "common/params.h"
#include "common/tape.h"

typedef struct BatchNorm {
    Tensor *weight, *bias;    // [C], from 1 and 0
    Tensor *running_mean,
        *running_var;       // [C], from 0 and 1; frozen parameters, so that files hold them
    float momentum, eps;    // 0.1 and 1e-5 unless changed
} BatchNorm;

// Adds "NAME.weight", "NAME.bias", "NAME.running_mean" and "NAME.running_var" to params.
BatchNorm batch_norm_new(Params *params, const char *name, int channels);

// In training a channel must have 2 values or more: of one there is no variance.
Tensor *batch_norm_forward(Tape *tape, const BatchNorm *norm, Tensor *x);
