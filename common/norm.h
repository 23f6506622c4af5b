/* norm.h -- normalisation of a batch, channel by channel (Ioffe & Szegedy 2015), and of each row by itself: layer
 * normalisation (Ba et al. 2016) and RMS normalisation (Zhang & Sennrich 2019).
 *
 *     BatchNorm norm = batch_norm_new(params, "layer1.bn", 64);
 *     Tensor *y = batch_norm_forward(tape, &norm, x);    // [B,64,H,W] or [B,64], the same shape
 *     tape_quiet(tape, true);                            // from here on by the running statistics
 *
 *     LayerNorm ln = layer_norm_new(params, "ln_1", 768);
 *     Tensor *h = layer_norm_forward(tape, &ln, x);      // [...,768], the same shape
 *
 * Batch, training: y = weight (x - mean) / sqrt(var + eps) + bias, with the mean and the variance of the
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

typedef struct LayerNorm {
    Tensor *weight, *bias;    // [C], from 1 and 0; bias may be set to NULL
    float eps;                // 1e-5 unless changed
} LayerNorm;

// Adds "NAME.weight" and "NAME.bias" to params.
LayerNorm layer_norm_new(Params *params, const char *name, int cols);
Tensor *layer_norm_forward(Tape *tape, const LayerNorm *norm, Tensor *x);

typedef struct RmsNorm {
    Tensor *weight;    // [C], from 1
    float eps;         // 1e-5 unless changed
} RmsNorm;

// Adds "NAME.weight" to params.
RmsNorm rms_norm_new(Params *params, const char *name, int cols);
Tensor *rms_norm_forward(Tape *tape, const RmsNorm *norm, Tensor *x);

// gamma (x - mean) / sqrt(var + eps) + shift over the last dimension, var divided by n: [...,C] [C] [C]; shift
// may be NULL.
Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gamma, Tensor *shift, float eps);

// gamma x / sqrt(mean of x^2 + eps) over the last dimension: [...,C] [C].
Tensor *op_rms_norm(Tape *tape, Tensor *x, Tensor *gamma, float eps);

// The same of each of the first `heads` heads by gamma_q and of the next `kv_heads` by gamma_k, as Qwen3 has it;
// what follows stays: [...,(heads + 2 kv_heads) D] [D] [D].
Tensor *op_head_rms_norm(Tape *tape, Tensor *qkv, Tensor *gamma_q, Tensor *gamma_k, int heads,
                         int kv_heads, float eps);
