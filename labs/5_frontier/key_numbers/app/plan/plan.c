#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/model/given.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"

// ---- a question taken apart ----

// vLLM samples more sequences at once on a large GPU; llama.cpp's micro-batch is 512 tokens.
Workload plan_workload(const Question *q)
{
    static const double large = 70 * 0x1p30;
    Workload workload = {.context = q->context,
                         .batch = q->batch,
                         .page = q->page,
                         .step_tokens = q->step_tokens,
                         .runtime = (Runtime)question_choice(q, "runtime"),
                         .sequences = q->sequences,
                         .prefix = q->prefix};
    if (workload.sequences == 0) workload.sequences = q->gpu_spec.memory >= large ? 1024 : 256;
    if (workload.runtime == RUNTIME_LLAMA_CPP && !question_given(q, "step_tokens"))
        workload.step_tokens = 512;
    if (workload.runtime == RUNTIME_TRANSFORMERS && !question_given(q, "page")) workload.page = 1;
    return workload;
}

// Only an engine that allocates its cache at the start has a share of the memory to keep to.
MemoryLimit plan_limit(const Question *q)
{
    int runtime = question_choice(q, "runtime");
    bool named = runtime != RUNTIME_ANY, shares = runtime <= RUNTIME_VLLM;
    return (MemoryLimit){q->gpu_spec.memory,
                         shares || question_given(q, "utilisation") ? q->utilisation : 1,
                         named && !question_given(q, "overhead") ? -1 : q->overhead};
}

static Split asked_split(const Question *q)
{
    return (Split){q->tp, q->pp, q->ep};
}

// vLLM and llama.cpp do not train.
static TrainingOptions training_options(const Question *q)
{
    Runtime runtime = (Runtime)question_choice(q, "runtime");
    MemoryLimit limit = plan_limit(q);
    if (runtime != RUNTIME_TRANSFORMERS) runtime = RUNTIME_ANY, limit.overhead_gib = q->overhead;
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
                             .runtime = runtime,
                             .limit = limit};
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

// In 16 bits. Each GPU of a tensor-parallel group has all of them: vLLM cuts one of the two matrices only.
static double adapters_bytes(const Model *model, const Question *q)
{
    if (q->lora_slots == 0) return 0;
    LoraTargets targets = (LoraTargets)question_choice(q, "targets");
    return 2 * (double)q->lora_slots * (double)adapters_params(model, targets, q->rank);
}

// llama.cpp, common/speculative.cpp: sizes of vocabularies may differ by so much, since some are padded.
enum { VOCAB_DIFFERENCE = 128 };

// As it is published; its words have to be the model's own, and it has to be smaller.
static bool plan_draft(ModelPlan *plan, Arena *arena, const Question *q, const char *kv, Error *err)
{
    if (q->draft == NULL) return true;
    const Model *model = catalogue_model(arena, q->draft, err);
    if (model == NULL) return error_wrap(err, "draft");
    uint64_t vocab = plan->model->vocab;
    uint64_t apart = model->vocab > vocab ? model->vocab - vocab : vocab - model->vocab;
    if (!model_has_decoder(model))
        return error_set(err, "draft: %s is an encoder and writes no tokens", model->name);
    if (apart > VOCAB_DIFFERENCE)
        return error_set(err,
                         "draft: %s has a vocabulary of %" PRIu64 ", %s one of %" PRIu64
                         ": tokens of the one are none of the other",
                         model->name, model->vocab, plan->model->name, vocab);
    if (model_params(model) >= model_params(plan->model))
        return error_set(err,
                         "draft: %s has %.4g B parameters, no fewer than %s with %.4g B: expected "
                         "a smaller model",
                         model->name, (double)model_params(model) / 1e9, plan->model->name,
                         (double)model_params(plan->model) / 1e9);
    plan->deployment.draft = &plan->draft;
    return inference_basis(arena, model, NULL, kv, &plan->draft, err);
}

static bool plan_basis(ModelPlan *plan, Arena *arena, const Question *q, Error *err)
{
    plan->deployment = (Deployment){.basis = &plan->basis,
                                    .workload = plan_workload(q),
                                    .limit = plan_limit(q),
                                    .split = asked_split(q),
                                    .adapters = adapters_bytes(plan->model, q),
                                    .host = {q->cpu_layers, q->cpu_experts}};
    const char *kv =
        question_given(q, "kv") || plan->model->cache == NULL ? q->kv : plan->model->cache;
    return inference_basis(arena, plan->model, q->weights, kv, &plan->basis, err) &&
           plan_draft(plan, arena, q, kv, err);
}

// A stage for each card.
static bool plan_cards(ModelPlan *plan, const Question *q, Error *err)
{
    const Cards *cards = &q->card_list;
    if (split_gpus(asked_split(q)) > 1 || q->gpus > 0)
        return error_set(err, "cards: they are a stage each; expected no gpus, tp, pp or ep");
    if (plan->model->layers < cards->count)
        return error_set(err, "cards: %s has %d layers, too few for %d cards", plan->model->name,
                         plan->model->layers, cards->count);
    plan->cards = *cards;
    plan->deployment.cards = &plan->cards;
    plan->deployment.split = (Split){1, (uint64_t)cards->count, 1};
    return true;
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
                      (Efficiency){q->u_compute, q->u_memory, q->host_bandwidth * 1e9},
                      (Drafting){q->draft_tokens, q->acceptance}, q->price, &plan->speed, err);
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
    if (splits && question->cards != NULL) {
        if (!plan_cards(plan, question, err)) return NULL;
    } else if (splits && !split_resolve(model, asked_split(question), question->gpus,
                                        &plan->deployment.split, err))
        return NULL;
    if (has(plan, PART_INFERENCE) && !inference_plan(arena, &plan->deployment, &plan->serving, err))
        return NULL;
    if (has(plan, PART_TRAINING) && !plan_training(plan, arena, question, err)) return NULL;
    if (has(plan, PART_COMPUTE) && !plan_compute(plan, arena, question, err)) return NULL;
    if (has(plan, PART_FIT) &&
        !fit_plan(arena, &plan->deployment, &plan->gpu_spec, &plan->fit, err))
        return NULL;
    plan->notes = notes_of(arena, plan, question);
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
