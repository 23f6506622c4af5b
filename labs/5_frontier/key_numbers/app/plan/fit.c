#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// what %llu takes

// One machine has 8 GPUs, and further ones come whole.
static const uint64_t sizes[] = {1, 2, 4, 8, 16, 24, 32, 40, 48, 56, FIT_MOST};
enum { SIZES = sizeof sizes / sizeof *sizes };

// What each number of GPUs needs: the same for all GPUs.
typedef struct Plans {
    Arena *arena;
    const ServingBasis *basis;
    Question question;
    Serving serving[SIZES];
    bool made[SIZES], possible[SIZES];
} Plans;

static Plans *plans_new(Arena *arena, const ServingBasis *basis, const Question *question)
{
    Plans *plans = arena_zeros(arena, sizeof *plans);
    plans->arena = arena, plans->basis = basis, plans->question = *question;
    return plans;
}

// Of a model whose layers are not known, all that can be divided is the sum of its weights.
static void divide_weights(Serving *serving, uint64_t gpus)
{
    serving->tp = serving->gpus = gpus;
    serving->per_gpu.total -= serving->per_gpu.weights;
    serving->per_gpu.weights /= (double)gpus;
    serving->per_gpu.total += serving->per_gpu.weights;
}

// On sizes[s] of such GPUs; false where the model cannot be divided like that.
static bool serve_on(const Plans *plans, int s, const GpuSpec *spec, Serving *serving)
{
    const Model *model = plans->basis->model;
    Question question = plans->question;
    Split split = split_choose(model, model->layers > 0 ? sizes[s] : 1);
    question.gpu_spec = *spec, question.tp = split.tp, question.pp = split.pp, question.ep = 1;
    if (!inference_split(plans->arena, plans->basis, &question, serving, NULL)) return false;
    if (model->layers == 0) divide_weights(serving, sizes[s]);
    return true;
}

// Bytes on the fullest of sizes[s] GPUs.
static double need(Plans *plans, int s)
{
    if (!plans->made[s]) {
        plans->made[s] = true;
        plans->possible[s] = serve_on(plans, s, &plans->question.gpu_spec, &plans->serving[s]);
    }
    return plans->possible[s] ? plans->serving[s].per_gpu.total : INFINITY;
}

static double budget(const Plans *plans, const GpuSpec *spec)
{
    return spec->memory * plans->question.utilisation;
}

// The fewest that hold it, as a place in sizes[]; -1: none does.
static int fewest(Plans *plans, const GpuSpec *spec)
{
    for (int s = 0; s < (spec->shared ? 1 : SIZES); s++)
        if (need(plans, s) <= budget(plans, spec)) return s;
    return -1;
}

// ---- every GPU ----

static int by_cost(const void *left, const void *right)
{
    const FitOption *a = left, *b = right;
    if ((a->gpus == 0) != (b->gpus == 0)) return a->gpus == 0 ? 1 : -1;
    if (a->memory != b->memory) return a->memory < b->memory ? -1 : 1;
    if (a->gpus != b->gpus) return a->gpus < b->gpus ? -1 : 1;
    if (a->gpu_spec.bandwidth != b->gpu_spec.bandwidth)
        return a->gpu_spec.bandwidth > b->gpu_spec.bandwidth ? -1 : 1;
    return strcmp(a->gpu_spec.id, b->gpu_spec.id);
}

// What comes of `s`, the place in sizes[] that fewest() gave; of -1 that it holds nothing.
static FitOption option_of(const Plans *plans, const GpuSpec *spec, int s, Serving *serving)
{
    FitOption option = {.gpu_spec = *spec,
                        .weights = plans->basis->weights.format,
                        .memory = spec->vendor_gb * 1e9};
    if (s < 0 || !serve_on(plans, s, spec, serving)) return option;
    option.gpus = sizes[s], option.tp = serving->tp, option.pp = serving->pp;
    option.memory *= (double)sizes[s];
    option.free = budget(plans, spec) - serving->per_gpu.total;
    option.requests = serving->max_requests;
    return option;
}

int fit_options(Arena *arena, const Model *model, const Question *question,
                const FitOption **options, Error *err)
{
    const GpuSpec *specs;
    ServingBasis basis;
    Serving serving;
    int count = gpu_spec_list(arena, &specs, err);
    if (count < 0 || !inference_basis(arena, model, question, &basis, err)) return -1;
    Plans *plans = plans_new(arena, &basis, question);
    FitOption *list = arena_alloc(arena, ((size_t)count + 1) * sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = option_of(plans, &specs[i], fewest(plans, &specs[i]), &serving);
    qsort(list, (size_t)count, sizeof *list, by_cost);
    *options = list;
    return count;
}

// ---- the asked GPU ----

bool fit_asked(Arena *arena, const Model *model, const Question *question, FitOption *option,
               Serving *serving, Serving *less, Error *err)
{
    ServingBasis basis;
    *serving = *less = (Serving){.gpus = 0};
    if (!inference_basis(arena, model, question, &basis, err)) return false;
    Plans *plans = plans_new(arena, &basis, question);
    int s = fewest(plans, &question->gpu_spec);
    *option = option_of(plans, &question->gpu_spec, s, serving);
    for (int k = s < 0 ? (question->gpu_spec.shared ? 1 : SIZES) : s; k > 0 && less->gpus == 0; k--)
        if (plans->possible[k - 1]) *less = plans->serving[k - 1];
    return true;
}

bool fit_alone(Arena *arena, const Model *model, const Question *question, const char *weights,
               Serving *serving)
{
    WeightBytes bytes;
    ServingBasis basis;
    Question alone = *question;
    alone.weights = weights;
    alone.tp = alone.pp = alone.ep = 1;
    // The weights' bytes alone are a bound, and soon said.
    return format_weights(arena, model, weights, &bytes, NULL) &&
           (double)bytes.bytes <= question->gpu_spec.memory * question->utilisation &&
           inference_basis(arena, model, &alone, &basis, NULL) &&
           inference_split(arena, &basis, &alone, serving, NULL) && serving->fits;
}

const char *const fit_formats[FIT_FORMATS] = {"bf16",   "q8_0",   "fp8",    "q6_k",
                                              "q5_k_m", "q4_k_m", "q3_k_m", "q2_k"};

static int by_bits(const void *left, const void *right)
{
    const WeightBytes *a = left, *b = right;
    return a->bits_per_weight < b->bits_per_weight   ? 1
           : a->bits_per_weight > b->bits_per_weight ? -1
                                                     : 0;
}

bool fit_best(Arena *arena, const Model *model, const Question *question, int count, Serving *best,
              Error *err)
{
    WeightBytes published, list[FIT_FORMATS];
    int tried = 0;
    if (!format_weights(arena, model, NULL, &published, err)) return false;
    if (fit_alone(arena, model, question, NULL, best)) return true;
    // Which of two has more bits depends on the model: a rule may leave large embeddings alone.
    for (int i = 0; i < count; i++)
        if (format_weights(arena, model, fit_formats[i], &list[tried], NULL) &&
            list[tried].bits_per_weight <= published.bits_per_weight)
            tried++;
    qsort(list, (size_t)tried, sizeof *list, by_bits);
    for (int i = 0; i < tried; i++)
        if (fit_alone(arena, model, question, list[i].format, best)) return true;
    *best = (Serving){.weights.format = NULL};
    return true;
}
