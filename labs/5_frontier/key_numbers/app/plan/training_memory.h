/* training_memory.h -- memory while a model is trained, on the fullest GPU.
 *
 *     TrainingMemory training;
 *     if (!training_memory_plan(arena, model, &options, &training, &err)) ...
 *     training.per_gpu.weights, .gradients, .optimizer, .master, .activations, .logits, .work
 *
 * First the model is split over tp x pp GPUs (split.h), then what those hold is divided by ZeRO over the
 * dp that hold the same. With ep > 1 routed experts are divided over tp x ep, ep of the dp, and dp / ep
 * hold the same of them.
 *
 * Pipeline stages run one forward, one backward (1F1B; Narayanan et al. 2021): stage i of pp keeps the
 * activations of pp - i micro-batches, where a step has that many. Interleaved stages keep more, by
 * 1 + (pp - 1) / (pp chunks).
 *
 * An estimate ends somewhere: the allocator's cracks, buffers of collective operations, a vision
 * tower's activations and an optimizer step's temporaries are not in it.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/activations.h"
#include "labs/5_frontier/key_numbers/app/plan/memory_limit.h"
#include "labs/5_frontier/key_numbers/app/plan/optimizer.h"
#include "labs/5_frontier/key_numbers/app/plan/split.h"

enum { ZERO_STAGES = 4 };

// In the order of question.h's choices.
typedef enum Method { METHOD_FULL, METHOD_LORA, METHOD_QLORA } Method;
typedef enum Offload { OFFLOAD_NONE, OFFLOAD_OPTIMIZER, OFFLOAD_ALL } Offload;

typedef struct TrainingOptions {
    Method method;
    uint64_t rank;    // of LoRA's matrices
    LoraTargets targets;
    Optimizer optimizer;
    Precision precision;
    int gradient_bytes;    // of an accumulated gradient
    int zero;              // ZeRO's stage
    Offload offload;
    Split split;
    uint64_t gpus, dp;    // in all (0: none is given); data-parallel ones
    KnPass pass;          // of a micro-batch; whether there is dropout is the model's
    Runtime runtime;      // transformers: its own modules and loss; else fused ones
    MemoryLimit limit;    // training may use all of the memory
} TrainingOptions;

// Of the host's memory for an offloaded byte (DeepSpeed's documentation, Memory Requirements).
#define TRAINING_BUFFERS 1.5

// What one GPU of a pipeline stage holds before ZeRO; dp / groups of them hold the same.
typedef struct TrainingPart {
    uint64_t trained;    // parameters
    double moments;      // bytes of the optimizer for them
    double frozen;       // bytes of weights that are not trained: LoRA's base
    uint64_t groups;     // 1; ep for routed experts
} TrainingPart;

enum { PART_DENSE, PART_EXPERTS, TRAINING_PARTS };

// The same with activations, in bytes.
typedef struct TrainingStage {
    int from, to;          // layers from..to-1
    uint64_t in_flight;    // micro-batches whose activations are kept
    TrainingPart parts[TRAINING_PARTS];
    TrainingPart largest;    // the largest layer, or tensor outside the layers
    double layers;           // activations of one micro-batch in the stage's layers,
    double first;            // before the model's first layer,
    double last;             // and behind its last: gone before the next micro-batch comes
    Range plain;             // of `layers`, what transformers' modules keep beside
    double logits;
    double recomputed, backward, unpacked;    // as below
} TrainingStage;

typedef struct TrainingBytes {
    double weights, gradients, optimizer, master;
    double activations, logits, work, runtime, total;
    // Work space is the sum of:
    double recomputed;    // one layer's activations while they are computed again
    double backward;      // gradients of activations in one layer
    double gathered;      // one layer's weights and gradients, where they are divided or offloaded
    double unpacked;      // QLoRA: one matrix as numbers
    double host;          // in the host's memory, for this GPU; no part of the total
} TrainingBytes;

typedef struct TrainingMemory {
    TrainingOptions options;
    uint64_t params, trained;              // of the model; that the optimizer changes
    Split split;                           // tp, pp, ep
    uint64_t dp, gpus;                     // gpus = dp x tp x pp
    KnRecipe recipe;                       // its `state` is the fp32 copy alone
    KnPass pass;                           // of a micro-batch
    int number;                            // bytes of an activation
    uint64_t vocab;                        // words that the loss sees; 0 without a head
    TrainingStage *stages;                 // [split.pp]
    int fullest;                           // of the stages
    LayerActivations layers[KINDS_MAX];    // of one layer, one micro-batch
    double adapters[KINDS_MAX];            // beside them, of LoRA
    double plain[KINDS_MAX];               // beside them, of transformers' modules
    TrainingBytes per_gpu;                 // on the fullest GPU
    double budget;                         // the GPU's memory
    Range activations, logits, total;      // of per_gpu: fused kernels, or transformers' modules
    Range beside;                          // activations, logits and work space
    bool fits;                             // per_gpu.total within the budget
    uint64_t fewest_gpus;                  // with which it fits, with more dp; 0: with none
    // per_gpu and fewest_gpus at each ZeRO stage, not only the one that is asked for.
    TrainingBytes by_zero[ZERO_STAGES];
    uint64_t fewest_by_zero[ZERO_STAGES];
} TrainingMemory;

bool training_memory_plan(Arena *arena, const Model *model, const TrainingOptions *options,
                          TrainingMemory *training, Error *err);
