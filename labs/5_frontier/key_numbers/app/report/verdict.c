#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

// "one H100 SXM 80 GB", "4 x H100 SXM 80 GB".
static const char *machine(Arena *arena, uint64_t gpus, const char *name)
{
    return gpus == 1 ? arena_print(arena, "one %s", name)
                     : arena_print(arena, "%" PRIu64 " x %s", gpus, name);
}

// 8192 as "8K".
static const char *tokens_text(Arena *arena, uint64_t tokens)
{
    if (tokens >= 1024 && tokens % 1024 == 0)
        return arena_print(arena, "%" PRIu64 "K", tokens >> 10);
    return arena_print(arena, "%" PRIu64, tokens);
}

static const char *requests_text(Arena *arena, uint64_t requests, uint64_t context)
{
    return arena_print(arena, "%" PRIu64 " request%s of %s tokens", requests,
                       requests == 1 ? "" : "s", tokens_text(arena, context));
}

static const char *short_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : name;
}

// ---- inference ----

// What the budget runs out for when requests are added, or has run out for.
static const char *first_limit(const Serving *serving)
{
    const ServingBytes *gpu = &serving->per_gpu;
    uint64_t own = serving->of.basis->model->max_context;
    if (serving->fits && own > 0 && own < serving->of.workload.context)
        return "the model's own context";
    if (gpu->weights > serving->budget) return "weights";
    double fixed = gpu->weights + gpu->work + gpu->runtime;
    return fixed > serving->budget || serving->cache_count == 0 ? "work space" : "KV cache";
}

// What would hold it: more of these GPUs, or fewer bits.
static const char *remedy(Arena *arena, const ModelPlan *plan)
{
    const Serving *serving = &plan->serving;
    const char *text = "";
    uint64_t gpus = plan->fit.asked.gpus, have = split_gpus(serving->of.split);
    const ServingBasis *best = plan->fit.best.of.basis;
    if (serving->max_requests > 0)
        text =
            arena_print(arena, "; it has room for %s",
                        requests_text(arena, serving->max_requests, serving->of.workload.context));
    if (gpus > have && serving->of.cards == NULL)
        text = arena_print(arena, "%s; %" PRIu64 " of them hold it", text, gpus);
    if (best != NULL && strcmp(best->weights.format, plan->basis.weights.format) != 0)
        text = arena_print(arena, "%s; in %s it fits one", text, best->weights.format);
    return text;
}

static const char *serving_text(Arena *arena, const ModelPlan *plan)
{
    const Serving *serving = &plan->serving;
    const Workload *work = &serving->of.workload;
    const char *where = machine(arena, split_gpus(serving->of.split), plan->gpu_spec.name);
    const Cards *cards = serving->of.cards;
    for (int c = 0; cards != NULL && c < cards->count; c++)
        where = c == 0 ? cards->specs[0].name
                       : arena_print(arena, "%s + %s", where, cards->specs[c].name);
    const char *what =
        arena_print(arena, "%s%s in %s", plan->model->layers == 0 ? "what is known of " : "",
                    short_name(plan->model->name), plan->basis.weights.format);
    if (!serving->fits)
        return arena_print(
            arena, "%s does not fit %s with %s: %.4g of %.4g GB%s; first limit: %s%s", what, where,
            requests_text(arena, work->batch, work->context), serving->per_gpu.total / 1e9,
            serving->budget / 1e9, split_gpus(serving->of.split) > 1 ? " on the fullest" : "",
            first_limit(serving), remedy(arena, plan));
    double host = serving->host.dense + serving->host.experts + serving->host.cache;
    if (host > 0) where = arena_print(arena, "%s and %.4g GB of the host", where, host / 1e9);
    if (serving->max_requests == 0)
        return arena_print(arena, "%s fits %s; no cache limits the requests", what, where);
    const char *requests = requests_text(arena, serving->max_requests, work->context);
    if (serving->most_requests > serving->max_requests)
        requests = arena_print(arena, "%" PRIu64 " to %s", serving->max_requests,
                               requests_text(arena, serving->most_requests, work->context));
    return arena_print(arena, "%s fits %s with %s; first limit: %s", what, where, requests,
                       first_limit(serving));
}

// ---- training ----

static const char *largest_part(const TrainingBytes *gpu)
{
    const struct {
        double bytes;
        const char *name;
    } parts[] = {{gpu->weights, "weights"},
                 {gpu->gradients, "gradients"},
                 {gpu->optimizer, "optimizer state"},
                 {gpu->master, "fp32 copies"},
                 {gpu->activations, "activations"},
                 {gpu->logits, "logits"},
                 {gpu->work, "work space"}};
    size_t most = 0;
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].bytes > parts[most].bytes) most = i;
    return parts[most].name;
}

static const char *training_text(Arena *arena, const ModelPlan *plan)
{
    static const char *const methods[] = {"full training", "LoRA training", "QLoRA training"};
    const TrainingMemory *training = &plan->training;
    const char *text = arena_print(
        arena, "%s%s with %s %s %s: %.4g of %.4g GB%s; largest part: %s",
        methods[training->options.method],
        plan->model->layers == 0 ? ", activations left out," : "",
        optimizer_name(training->options.optimizer), training->fits ? "fits" : "does not fit",
        machine(arena, training->gpus, plan->gpu_spec.name), training->per_gpu.total / 1e9,
        training->budget / 1e9, training->gpus > 1 ? " on the fullest" : "",
        largest_part(&training->per_gpu));
    for (int zero = training->options.zero; !training->fits && zero < ZERO_STAGES; zero++)
        if (training->fewest_by_zero[zero] > 0)
            return arena_print(arena, "%s; %" PRIu64 " of them hold it at ZeRO stage %d", text,
                               training->fewest_by_zero[zero], zero);
    return text;
}

void verdict_rows(Rows *rows, const ModelPlan *plan)
{
    if (plan->parts >> PART_INFERENCE & 1)
        row_text(rows, "inference.verdict", NULL, serving_text(rows->arena, plan));
    if (plan->parts >> PART_TRAINING & 1)
        row_text(rows, "training.verdict", NULL, training_text(rows->arena, plan));
}
