#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/app/model/given.h"

// ---- a question taken apart ----

Workload plan_workload(const Question *q)
{
    return (Workload){q->context, q->batch, q->page, q->step_tokens};
}

MemoryLimit plan_limit(const Question *q)
{
    return (MemoryLimit){q->gpu_spec.memory, q->utilisation, q->runtime};
}

static Split asked_split(const Question *q)
{
    return (Split){q->tp, q->pp, q->ep};
}

static TrainingOptions training_options(const Question *q)
{
    return (TrainingOptions){.method = (Method)question_choice(q, "method"),
                             .rank = q->rank,
                             .targets = (LoraTargets)question_choice(q, "targets"),
                             .optimizer = (Optimizer)question_choice(q, "optimizer"),
                             .precision = (Precision)question_choice(q, "precision"),
                             .gradient_bytes = question_choice(q, "gradients") == 0 ? 2 : 4,
                             .zero = (int)q->zero,
                             .offload = (Offload)question_choice(q, "offload"),
                             .split = asked_split(q),
                             .gpus = q->gpus,
                             .dp = q->dp,
                             .pass = {.sequence = q->sequence,
                                      .batch = q->micro_batch,
                                      .tensor_parallel = q->tp,
                                      .sequence_parallel = q->sp,
                                      .flash = q->flash,
                                      .recompute = (KnRecompute)question_choice(q, "recompute")},
                             .limit = plan_limit(q)};
}

static RunOptions run_options(const Question *q)
{
    return (RunOptions){.tokens = q->train_tokens,
                        .gpus = q->train_gpus > 0 ? q->train_gpus : q->dp * q->tp * q->pp,
                        .mfu = q->mfu,
                        .price = q->price,
                        .budget = q->budget,
                        .frozen = question_choice(q, "method") != METHOD_FULL,
                        .fp32 = question_choice(q, "precision") == PRECISION_FP32};
}

// ---- the parts ----

static bool has(const ModelPlan *plan, PlanPart part)
{
    return plan->parts >> part & 1;
}

static bool plan_basis(ModelPlan *plan, Arena *arena, const Question *q, Error *err)
{
    plan->deployment = (Deployment){&plan->basis, plan_workload(q), plan_limit(q), asked_split(q)};
    const char *kv = q->kv_given || plan->model->cache == NULL ? q->kv : plan->model->cache;
    return inference_basis(arena, plan->model, q->weights, kv, &plan->basis, err);
}

static bool plan_training(ModelPlan *plan, Arena *arena, const Question *q, Error *err)
{
    TrainingOptions options = training_options(q);
    return training_memory_plan(arena, plan->model, &options, &plan->training, err);
}

static bool plan_compute(ModelPlan *plan, Arena *arena, const Question *q, Error *err)
{
    RunOptions options = run_options(q);
    plan->sequence = q->sequence;
    if (plan->model->layers == 0) return true;
    plan->flops = flops_plan(plan->model, q->sequence);
    plan->run = training_cost(plan->model, &plan->flops, &plan->gpu_spec, &options);
    return speed_plan(arena, &plan->deployment, &plan->gpu_spec,
                      (Efficiency){q->u_compute, q->u_memory}, &plan->speed, err);
}

ModelPlan *plan_new(Arena *arena, const Model *model, const Question *question, unsigned parts,
                    Error *err)
{
    model = model_given(arena, model,
                        &(ModelGiven){question->towers, question->kv_heads, question->window,
                                      question->active_experts},
                        err);
    if (model == NULL) return NULL;
    ModelPlan *plan = arena_zeros(arena, sizeof *plan);
    plan->model = model, plan->parts = parts, plan->gpu_spec = question->gpu_spec;
    plan->largest_count = -1;
    bool splits = has(plan, PART_INFERENCE) || (has(plan, PART_COMPUTE) && model->layers > 0);
    if ((splits || has(plan, PART_FIT)) && !plan_basis(plan, arena, question, err)) return NULL;
    if (splits &&
        !split_resolve(model, asked_split(question), question->gpus, &plan->deployment.split, err))
        return NULL;
    if (has(plan, PART_INFERENCE) && !inference_plan(arena, &plan->deployment, &plan->serving, err))
        return NULL;
    if (has(plan, PART_TRAINING) && !plan_training(plan, arena, question, err)) return NULL;
    if (has(plan, PART_COMPUTE) && !plan_compute(plan, arena, question, err)) return NULL;
    if (has(plan, PART_FIT) &&
        !fit_plan(arena, &plan->deployment, &plan->gpu_spec, &plan->fit, err))
        return NULL;
    return plan;
}

bool plan_largest(Arena *arena, ModelPlan *plan, const Question *question, Error *err)
{
    const Workload workload = plan_workload(question);
    const MemoryLimit limit = plan_limit(question);
    plan->largest_count =
        fit_largest(arena, question->weights, question->kv, &workload, &limit, plan->largest, err);
    return plan->largest_count >= 0;
}
