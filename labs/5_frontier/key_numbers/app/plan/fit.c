#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/open.h"

// One machine has 8 GPUs, and further ones come whole.
static const uint64_t sizes[] = {1, 2, 4, 8, 16, 24, 32, 40, 48, 56, FIT_MOST};
enum { SIZES = sizeof sizes / sizeof *sizes };

// ---- a number of GPUs ----

// What each number of GPUs needs: the same for all kinds of GPUs.
typedef struct Needs {
    Arena *arena;
    Deployment deployment;
    Serving serving[SIZES];
    bool made[SIZES], possible[SIZES];
} Needs;

// Of a model whose layers are not known, all that can be divided is the sum of its weights.
static void divide_weights(Serving *serving, uint64_t gpus)
{
    serving->of.split.tp = gpus;
    serving->per_gpu.total -= serving->per_gpu.weights;
    serving->per_gpu.weights /= (double)gpus;
    serving->per_gpu.total += serving->per_gpu.weights;
}

// On sizes[s] GPUs of so much memory; false where the model cannot be divided like that.
static bool serve_on(const Needs *needs, int s, double memory, Serving *serving)
{
    Deployment deployment = needs->deployment;
    const Model *model = deployment.basis->model;
    deployment.split = split_choose(model, model->layers > 0 ? sizes[s] : 1);
    deployment.limit.memory = memory;
    if (!inference_plan(needs->arena, &deployment, serving, NULL)) return false;
    if (model->layers == 0) divide_weights(serving, sizes[s]);
    return true;
}

// Bytes on the fullest of sizes[s] GPUs.
static double need(Needs *needs, int s)
{
    if (!needs->made[s]) {
        needs->made[s] = true;
        needs->possible[s] = serve_on(needs, s, needs->deployment.limit.memory, &needs->serving[s]);
    }
    return needs->possible[s] ? needs->serving[s].per_gpu.total : INFINITY;
}

static double budget(const Needs *needs, const GpuSpec *gpu)
{
    return gpu->memory * needs->deployment.limit.utilisation;
}

// The fewest that hold it, as a place in sizes[]; -1: none does.
static int fewest(Needs *needs, const GpuSpec *gpu)
{
    for (int s = 0; s < (gpu->shared ? 1 : SIZES); s++)
        if (need(needs, s) <= budget(needs, gpu)) return s;
    return -1;
}

// What comes of `s`, the place in sizes[] that fewest() gave; of -1 that it holds nothing.
static FitOption option_of(const Needs *needs, const GpuSpec *gpu, int s, Serving *serving)
{
    FitOption option = {.gpu_spec = *gpu, .memory = gpu->vendor_gb * 1e9};
    if (s < 0 || !serve_on(needs, s, gpu->memory, serving)) return option;
    option.gpus = sizes[s];
    option.tp = serving->of.split.tp, option.pp = serving->of.split.pp;
    option.memory *= (double)sizes[s];
    option.free = budget(needs, gpu) - serving->per_gpu.total;
    option.requests = serving->max_requests;
    return option;
}

// ---- every GPU, and the asked one ----

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

static bool fit_table(Needs *needs, Fit *fit, Error *err)
{
    const GpuSpec *specs = fit->gpu_spec.table;
    Serving serving;
    fit->count =
        specs != NULL ? fit->gpu_spec.table_count : gpu_spec_list(needs->arena, &specs, err);
    if (fit->count < 0) return false;
    FitOption *list = arena_alloc(needs->arena, ((size_t)fit->count + 1) * sizeof *list);
    for (int i = 0; i < fit->count; i++)
        list[i] = option_of(needs, &specs[i], fewest(needs, &specs[i]), &serving);
    qsort(list, (size_t)fit->count, sizeof *list, by_cost);
    fit->options = list;
    return true;
}

static void fit_asked(Needs *needs, Fit *fit)
{
    int s = fewest(needs, &fit->gpu_spec);
    fit->asked = option_of(needs, &fit->gpu_spec, s, &fit->serving);
    for (int k = s < 0 ? (fit->gpu_spec.shared ? 1 : SIZES) : s; k > 0; k--) {
        if (!needs->possible[k - 1]) continue;
        fit->less = needs->serving[k - 1];
        break;
    }
}

// ---- one GPU, in a format ----

// Whether one GPU holds the model in this format (NULL: as published); then `serving` says how.
static bool fits_alone(Arena *arena, const Model *model, const char *weights, const char *cache,
                       const Workload *workload, const MemoryLimit *limit, Serving *serving)
{
    WeightBytes bytes;
    ServingBasis *basis = arena_zeros(arena, sizeof *basis);
    Deployment alone = {.basis = basis, .workload = *workload, .limit = *limit, .split = {1, 1, 1}};
    // The weights' bytes alone are a bound, and soon computed.
    return format_weights(arena, model, weights, &bytes, NULL) &&
           (double)bytes.bytes <= memory_usable(limit) &&
           inference_basis(arena, model, weights, cache, basis, NULL) &&
           inference_plan(arena, &alone, serving, NULL) && serving->fits;
}

const char *const fit_formats[FIT_FORMATS] = {"bf16",   "q8_0",   "fp8",    "q6_k",
                                              "q5_k_m", "q4_k_m", "q3_k_m", "q2_k"};

static int by_bits(const void *left, const void *right)
{
    double a = ((const WeightBytes *)left)->bits_per_weight;
    double b = ((const WeightBytes *)right)->bits_per_weight;
    return a < b ? 1 : a > b ? -1 : 0;
}

// As published, or in the best of the first `count` formats; without a basis where it fits in none.
static bool fits_best(Arena *arena, const Model *model, const char *cache, const Workload *workload,
                      const MemoryLimit *limit, int count, Serving *best, Error *err)
{
    WeightBytes published, list[FIT_FORMATS];
    int tried = 0;
    if (!format_weights(arena, model, NULL, &published, err)) return false;
    if (fits_alone(arena, model, NULL, cache, workload, limit, best)) return true;
    // Which of two has more bits depends on the model: a rule may leave large embeddings alone.
    for (int i = 0; i < count; i++)
        if (format_weights(arena, model, fit_formats[i], &list[tried], NULL) &&
            list[tried].bits_per_weight <= published.bits_per_weight)
            tried++;
    qsort(list, (size_t)tried, sizeof *list, by_bits);
    for (int i = 0; i < tried; i++)
        if (fits_alone(arena, model, list[i].format, cache, workload, limit, best)) return true;
    *best = (Serving){.fits = false};
    return true;
}

bool fit_plan(Arena *arena, const Deployment *deployment, const GpuSpec *gpu, Fit *fit, Error *err)
{
    const ServingBasis *basis = deployment->basis;
    Needs *needs = arena_zeros(arena, sizeof *needs);
    needs->arena = arena, needs->deployment = *deployment;
    needs->deployment.cards = NULL;    // of one kind each
    *fit = (Fit){.gpu_spec = *gpu, .limit = deployment->limit};
    fit_asked(needs, fit);
    return fits_best(arena, basis->model, basis->cache_name, &deployment->workload,
                     &deployment->limit, FIT_FORMATS, &fit->best, err) &&
           fit_table(needs, fit, err);
}

// ---- the catalogue ----

static int by_size(const void *left, const void *right)
{
    uint64_t a = model_params(*(const Model *const *)left);
    uint64_t b = model_params(*(const Model *const *)right);
    return a < b ? 1 : a > b ? -1 : 0;
}

int fit_largest(Arena *arena, const char *weights, const char *cache, const Workload *workload,
                const MemoryLimit *limit, FitModel models[FIT_MODELS], Error *err)
{
    const Model **all;
    int found = 0, count = catalogue_all(arena, &all, err);
    if (count < 0) return -1;
    qsort(all, (size_t)count, sizeof *all, by_size);
    for (int i = 0; i < count && found < FIT_MODELS; i++) {
        Serving *serving = &models[found].serving;
        if (all[i]->max_context > 0 && all[i]->max_context < workload->context) continue;
        bool holds = weights != NULL
                         ? fits_alone(arena, all[i], weights, cache, workload, limit, serving)
                         : fits_best(arena, all[i], cache, workload, limit, FIT_GOOD_FORMATS,
                                     serving, NULL) &&
                               serving->of.basis != NULL;
        if (holds) models[found++].model = all[i];
    }
    return found;
}
