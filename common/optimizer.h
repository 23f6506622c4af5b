/* optimizer.h -- moves parameters against their gradients: SGD with momentum, Adam, AdamW.
 *
 *     Optimizer *adam = optimizer_new(keep, params, (OptimizerConfig){
 *         .kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}, .clip_norm = 1.0f});
 *     tape_backward(tape, loss);
 *     optimizer_step(adam);    // moves the parameters; every grad is 0 again
 *
 * Gradients of several backward passes may be added up before one step.
 */
#pragma once
#include "common/params.h"
#include "common/schedule.h"

typedef enum OptimizerKind {
    OPTIMIZER_SGD,     // v = momentum v + (g + decay p);  p -= rate v       (PyTorch's form)
    OPTIMIZER_ADAM,    // Kingma & Ba 2015, Algorithm 1; decay > 0 makes it AdamW (decoupled,
                       // Loshchilov & Hutter 2019, Algorithm 2)
} OptimizerKind;

typedef struct OptimizerConfig {
    OptimizerKind kind;
    Schedule      schedule;                 // .peak alone is a constant rate
    float         momentum;                 // SGD
    float         beta1, beta2, epsilon;    // Adam; 0 stands for 0.9, 0.999, 1e-8
    float         decay;
    float         clip_norm;                // > 0: gradients are scaled down to this 2-norm over all
} OptimizerConfig;

typedef struct Optimizer {
    OptimizerConfig config;
    Params         *params;
    long            step;           // steps taken so far
    float           grad_norm;      // of the last step, before clipping; 0 when clip_norm is 0
    int             state_count;    // what a checkpoint must hold beside the parameters
    Param          *state;          // "sgd.v.NAME"; "adam.m.NAME", "adam.v.NAME"
} Optimizer;

Optimizer *optimizer_new(Arena *keep, Params *params, OptimizerConfig config);
void       optimizer_step(Optimizer *optimizer);
