/* plan.h -- all that is worked out for one question about one model: each plan once.
 *
 *     ModelPlan *plan = plan_new(arena, model, &question, PARTS_ALL, &err);
 *     plan->serving.per_gpu.total, plan->speed.decode.bounds.seconds, plan->fit.options[0] ...
 *
 * Here alone a question is taken apart: each plan gets the few values that it needs.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include "labs/5_frontier/key_numbers/app/plan/flops.h"
#include "labs/5_frontier/key_numbers/app/plan/notes.h"
#include "labs/5_frontier/key_numbers/app/plan/part.h"
#include "labs/5_frontier/key_numbers/app/plan/speed.h"
#include "labs/5_frontier/key_numbers/app/plan/training_cost.h"
#include "labs/5_frontier/key_numbers/app/plan/training_memory.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"

typedef struct ModelPlan {
    const Model *model;
    unsigned parts;           // a bit for each PART_ that was asked for; without it all of it is 0
    GpuSpec gpu_spec;         // the asked GPU
    ServingBasis basis;       // of inference, compute and fit
    Cards cards;              // where they are of different kinds
    ServingBasis draft;       // of the model that drafts tokens, if there is one
    Deployment deployment;    // as asked, on `basis`
    Serving serving;          // inference
    TrainingMemory training;    // training
    uint64_t sequence;          // compute, with what follows; only this where no layers are known
    Flops flops;
    Speed speed;
    TrainingCost run;
    Fit fit;              // fit
    int largest_count;    // of plan_largest(); -1 before
    FitModel largest[FIT_MODELS];
    PlanNotes notes;    // of the parts above
} ModelPlan;

Workload plan_workload(const Question *question);
MemoryLimit plan_limit(const Question *question);

// NULL and one sentence when it cannot be answered.
ModelPlan *plan_new(Arena *arena, const Model *model, const Question *question, unsigned parts,
                    Error *err);
// Adds the largest models of the catalogue that the asked GPU holds.
bool plan_largest(Arena *arena, ModelPlan *plan, const Question *question, Error *err);
