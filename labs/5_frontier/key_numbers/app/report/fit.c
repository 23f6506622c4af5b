#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

enum { RANKS = 8, NAMED = 8, MACHINE = 8 };    // lines; GPUs named in a sentence; GPUs of a machine

// "2 GPUs: 70.6 + 0.7 + 0.2 + 1.1 = 72.6 GB"
static const char *sum(Arena *arena, const Serving *serving)
{
    const ServingBytes *b = &serving->per_gpu;
    uint64_t gpus = split_gpus(serving->of.split);
    if (gpus == 0) return "fewer GPUs: none";
    return arena_print(arena, "%" PRIu64 " GPU%s: %.4g + %.4g + %.4g + %.4g = %.4g GB", gpus,
                       gpus == 1 ? "" : "s", b->weights / 1e9, b->cache / 1e9, b->work / 1e9,
                       b->runtime / 1e9, b->total / 1e9);
}

static void explain_gpus(Rows *rows, Row *row, const Fit *fit)
{
    row_explain(
        rows, row,
        "fewest of 1, 2, 4, 8 and whole machines of 8 with weights + cache + work + runtime of the "
        "fullest <= memory x utilisation",
        "%s; %s; of %.4g x %g = %.4g GB", sum(rows->arena, &fit->less),
        fit->asked.gpus > 0 ? sum(rows->arena, &fit->serving) : "more: not looked at",
        fit->limit.memory / 1e9, fit->limit.utilisation, memory_usable(&fit->limit) / 1e9);
}

static void split_rows(Rows *rows, const FitOption *option, const Serving *serving)
{
    // On one GPU these are the rows of inference again.
    bool shown = option->gpus > 1;
    row_count(rows, "fit.here.tp", NULL, option->tp, UNIT_GPUS);
    row_count(rows, "fit.here.pp", NULL, option->pp, UNIT_GPUS);
    row_real(rows, "fit.here.free_bytes", NULL, option->free, UNIT_BYTES);
    row_count(rows, "fit.here.max_context", shown ? "largest context on those" : NULL,
              serving->max_context, UNIT_TOKENS);
    if (serving->cache_count > 0)
        row_count(rows, "fit.here.requests", shown ? "requests on those" : NULL, option->requests,
                  UNIT_REQUESTS);
    else row_null(rows, "fit.here.requests", NULL, "nothing is kept for a request");
}

static void best_rows(Rows *rows, const Serving *best)
{
    const char *label = "best weights on one";
    if (best->of.basis == NULL) {
        row_null(rows, "fit.here.best_weights", label, "not even as q2_k");
        return;
    }
    const WeightBytes *weights = &best->of.basis->weights;
    Row *row = row_text(rows, "fit.here.best_weights", label, weights->format);
    row_explain(rows, row,
                "as published, else what has most bits of bf16, q8_0, fp8, q6_k, q5_k_m, q4_k_m, "
                "q3_k_m, q2_k with weights + cache + work + runtime <= memory x utilisation",
                "%.5g bits: %s <= %.4g GB", weights->bits_per_weight, sum(rows->arena, best),
                best->budget / 1e9);
    row_real(rows, "fit.here.best_bits", NULL, weights->bits_per_weight, UNIT_BITS);
}

static void asked_rows(Rows *rows, const Fit *fit)
{
    const GpuSpec *spec = &fit->gpu_spec;
    uint64_t gpus = fit->asked.gpus;
    const char *label = "GPUs like the asked one";
    row_text(rows, "fit.here.gpu", NULL, spec->id);
    if (spec->note != NULL) row_text(rows, "fit.here.note", "about the asked one", spec->note);
    row_flag(rows, "fit.here.fits", NULL, gpus > 0);
    Row *row =
        gpus > 0 ? row_count(rows, "fit.here.gpus", label, gpus, UNIT_GPUS)
                 : row_null(rows, "fit.here.gpus", label,
                            spec->shared ? "it is alone in its machine, and does not hold the model"
                                         : "64 of them do not hold it");
    explain_gpus(rows, row, fit);
    if (gpus > 0) split_rows(rows, &fit->asked, &fit->serving);
    best_rows(rows, &fit->best);
}

static void option_rows(Rows *rows, const FitOption *option, int i)
{
    const char *at = row_path(rows, "fit.options[%d]", i);
    row_text(rows, row_path(rows, "%s.gpu", at), NULL, option->gpu_spec.id);
    row_text(rows, row_path(rows, "%s.name", at), NULL, option->gpu_spec.name);
    row_count(rows, row_path(rows, "%s.gpus", at), NULL, option->gpus, UNIT_GPUS);
    if (option->gpus == 0) return;
    row_count(rows, row_path(rows, "%s.tp", at), NULL, option->tp, UNIT_GPUS);
    row_count(rows, row_path(rows, "%s.pp", at), NULL, option->pp, UNIT_GPUS);
    row_real(rows, row_path(rows, "%s.memory_bytes", at), NULL, option->memory, UNIT_BYTES);
    row_real(rows, row_path(rows, "%s.free_bytes", at), NULL, option->free, UNIT_BYTES);
    row_count(rows, row_path(rows, "%s.requests", at), NULL, option->requests, UNIT_REQUESTS);
}

static bool alike(const FitOption *a, const FitOption *b)
{
    return a->gpus == b->gpus && a->memory == b->memory;
}

// One machine is simpler than several: those come first where one can hold the model.
static int next_in_rank(const FitOption *options, int count, int from, uint64_t most)
{
    while (from < count && (options[from].gpus == 0 || options[from].gpus > most)) from++;
    return from;
}

// Those of as many GPUs and as much memory are one line: "24 GB: 1 x rtx-4090 or 7 others".
static const char *rank_text(Arena *arena, const FitOption *option, int others)
{
    const char *text = arena_print(arena, "%g GB: %" PRIu64 " x %s", option->memory / 1e9,
                                   option->gpus, option->gpu_spec.id);
    if (others == 0) return text;
    return others == 1 ? arena_print(arena, "%s or %s", text, option[1].gpu_spec.id)
                       : arena_print(arena, "%s or %d others", text, others);
}

static void ranking_rows(Rows *rows, const FitOption *options, int count)
{
    uint64_t most = next_in_rank(options, count, 0, MACHINE) < count ? MACHINE : FIT_MOST;
    int rank = 0, next;
    for (int i = next_in_rank(options, count, 0, most); i < count && rank < RANKS;
         i = next_in_rank(options, count, next, most)) {
        for (next = i + 1; next < count && alike(&options[i], &options[next]);) next++;
        Row *row = row_text(rows, row_path(rows, "fit.ranking[%d]", rank),
                            rank == 0 ? "least memory" : "then",
                            rank_text(rows->arena, &options[i], next - i - 1));
        if (rank++ > 0) continue;
        row_explain(rows, row,
                    "within one machine if that can be; least memory of all GPUs together; then "
                    "fewest GPUs; then most bandwidth",
                    "%" PRIu64 " x %g GB at %.4g GB/s", options[i].gpus,
                    options[i].gpu_spec.vendor_gb, options[i].gpu_spec.bandwidth / 1e9);
    }
    if (rank == 0)
        row_null(rows, "fit.ranking", "least memory", "no card of the table, not even 64 of them");
}

static void single_rows(Rows *rows, const FitOption *options, int count)
{
    const char *names = "";
    int single = 0;
    for (int i = 0; i < count; i++) {
        if (options[i].gpus != 1) continue;
        if (single++ < NAMED)
            names = arena_print(rows->arena, "%s%s%s", names, single > 1 ? ", " : "",
                                options[i].gpu_spec.id);
    }
    if (single > NAMED) names = arena_print(rows->arena, "%s and %d more", names, single - NAMED);
    row_count(rows, "fit.single.count", NULL, (uint64_t)single, UNIT_NONE);
    if (single > 0) row_text(rows, "fit.single.gpus", "on one GPU", names);
    else row_null(rows, "fit.single.gpus", "on one GPU", "none of the table");
}

static void largest_rows(Rows *rows, const FitModel *models, int count)
{
    for (int i = 0; i < count; i++) {
        const Model *model = models[i].model;
        const WeightBytes *weights = &models[i].serving.of.basis->weights;
        const char *at = row_path(rows, "fit.largest_models[%d]", i);
        const char *text = arena_print(rows->arena, "%s: %.4ge9 in %s, %.4g GB", model->name,
                                       (double)model_params(model) / 1e9, weights->format,
                                       (double)weights->bytes / 1e9);
        row_text(rows, row_path(rows, "%s.summary", at), i == 0 ? "largest models on one" : "then",
                 text);
        row_text(rows, row_path(rows, "%s.model", at), NULL, model->name);
        row_count(rows, row_path(rows, "%s.parameters", at), NULL, model_params(model),
                  UNIT_PARAMETERS);
        row_text(rows, row_path(rows, "%s.weights", at), NULL, weights->format);
        row_count(rows, row_path(rows, "%s.bytes", at), NULL, weights->bytes, UNIT_BYTES);
        row_count(rows, row_path(rows, "%s.requests", at), NULL, models[i].serving.max_requests,
                  UNIT_REQUESTS);
    }
    if (count == 0)
        row_null(rows, "fit.largest_models", "largest models on one",
                 "it holds none of the catalogue");
}

void fit_rows(Rows *rows, const ModelPlan *plan)
{
    const Fit *fit = &plan->fit;
    if (plan->model->layers == 0)
        row_text(rows, "fit.counted", "what is counted",
                 "weights alone, divided evenly: its layers are not known");
    asked_rows(rows, fit);
    ranking_rows(rows, fit->options, fit->count);
    single_rows(rows, fit->options, fit->count);
    for (int i = 0; i < fit->count; i++) option_rows(rows, &fit->options[i], i);
    largest_rows(rows, plan->largest, plan->largest_count);
}
