/* optimizer.h -- moves parameters against their gradients: SGD with momentum, Adam, AdamW.
 *
 *     Optimizer *adam = optimizer_new(keep, params, (OptimizerConfig){
 *         .kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}, .clip_norm = 1.0f});
 *     tape_backward(tape, loss);
 *     optimizer_step(adam);    // moves the parameters; their gradients are used up
 *
 * Gradients of several backward passes may be added up before one step. A step is a few kernel calls
 * over the block of parameters, and reads nothing back from the device.
 */
#pragma once
#include "common/params.h"
#include "common/schedule.h"
#include "kernels/kernels.h"

typedef enum OptimizerKind {
    OPTIMIZER_SGD,     // v = momentum v + (g + decay p);  p -= rate v       (PyTorch's form)
    OPTIMIZER_ADAM,    // Kingma & Ba 2015, Algorithm 1; decay > 0 makes it AdamW (decoupled,
                       // Loshchilov & Hutter 2019, Algorithm 2)
} OptimizerKind;

typedef struct OptimizerConfig {
    OptimizerKind kind;
    Schedule schedule;              // .peak alone is a constant rate
    float momentum;                 // SGD
    float beta1, beta2, epsilon;    // Adam; 0 stands for 0.9, 0.999, 1e-8
    float decay;                    // of the parameters that decay (params.h)
    float clip_norm;                // > 0: gradients are scaled down to this 2-norm over all
} OptimizerConfig;

typedef struct Optimizer {
    OptimizerConfig config;
    Params *params;
    long step;            // steps taken so far
    float *moments[2];    // as large as the block of parameters: v, or m and v
    Span *spans;          // on the device: parts of the block with one rate and decay
    int span_count;
    float *clip;        // on the device: the last step's factor, and the norm before it
    int state_count;    // what a checkpoint must hold beside the parameters
    Param *state;       // "sgd.v.NAME"; "adam.m.NAME", "adam.v.NAME": parts of the moments
} Optimizer;

// Of parameters that were added to `params` itself, all of them before this.
Optimizer *optimizer_new(Arena *keep, Params *params, OptimizerConfig config);
void optimizer_step(Optimizer *optimizer);

// The 2-norm of all gradients in the last step, before clipping; 0 when clip_norm is 0. Waits for the device.
float optimizer_grad_norm(const Optimizer *optimizer);
