#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/fit.h"

enum { RANKS = 8, NAMED = 8, MACHINE = 8 };    // lines; GPUs named in a sentence; GPUs of a machine

// "2 GPUs: 70.6 + 0.7 + 0.2 + 1.1 = 72.6 GB"
static const char *sum(Arena *arena, const Serving *serving)
{
    const ServingBytes *b = &serving->per_gpu;
    if (serving->gpus == 0) return "fewer GPUs: none";
    return arena_print(arena, "%" PRIu64 " GPU%s: %.4g + %.4g + %.4g + %.4g = %.4g GB",
                       serving->gpus, serving->gpus == 1 ? "" : "s", b->weights / 1e9,
                       b->cache / 1e9, b->work / 1e9, b->runtime / 1e9, b->total / 1e9);
}

static void explain_gpus(Rows *rows, Row *row, const Question *question, const Serving *serving,
                         const Serving *less)
{
    const GpuSpec *spec = &question->gpu_spec;
    row_explain(
        rows, row,
        "fewest of 1, 2, 4, 8 and whole machines of 8 with weights + cache + work + runtime of the "
        "fullest <= memory x utilisation",
        "%s; %s; of %.4g x %g = %.4g GB", sum(rows->arena, less),
        serving->gpus > 0 ? sum(rows->arena, serving) : "more: not looked at", spec->memory / 1e9,
        question->utilisation, spec->memory * question->utilisation / 1e9);
}

static void tell_split(Rows *rows, const FitOption *option, const Serving *serving)
{
    // On one GPU these are what is said of inference.
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

static bool tell_best(Rows *rows, const Model *model, const Question *question, Error *err)
{
    Serving best;
    const WeightBytes *weights = &best.weights;
    const char *label = "best weights on one";
    if (!fit_best(rows->arena, model, question, FIT_FORMATS, &best, err)) return false;
    if (weights->format == NULL) {
        row_null(rows, "fit.here.best_weights", label, "not even as q2_k");
        return true;
    }
    Row *row = row_text(rows, "fit.here.best_weights", label, weights->format);
    row_explain(rows, row,
                "as published, else what has most bits of bf16, q8_0, fp8, q6_k, q5_k_m, q4_k_m, "
                "q3_k_m, q2_k with weights + cache + work + runtime <= memory x utilisation",
                "%.5g bits: %s <= %.4g GB", weights->bits_per_weight, sum(rows->arena, &best),
                best.budget / 1e9);
    row_real(rows, "fit.here.best_bits", NULL, weights->bits_per_weight, UNIT_BITS);
    return true;
}

static bool tell_here(Rows *rows, const Model *model, const Question *question, Error *err)
{
    FitOption option;
    Serving serving, less;
    if (!fit_asked(rows->arena, model, question, &option, &serving, &less, err)) return false;
    const char *label = "GPUs like the asked one";
    row_text(rows, "fit.here.gpu", NULL, question->gpu_spec.id);
    if (question->gpu_spec.note != NULL)
        row_text(rows, "fit.here.note", "about the asked one", question->gpu_spec.note);
    row_flag(rows, "fit.here.fits", NULL, option.gpus > 0);
    Row *row = option.gpus > 0
                   ? row_count(rows, "fit.here.gpus", label, option.gpus, UNIT_GPUS)
                   : row_null(rows, "fit.here.gpus", label,
                              question->gpu_spec.shared
                                  ? "it is alone in its machine, and does not hold the model"
                                  : "64 of them do not hold it");
    explain_gpus(rows, row, question, &serving, &less);
    if (option.gpus > 0) tell_split(rows, &option, &serving);

    return tell_best(rows, model, question, err);
}

static void tell_option(Rows *rows, const FitOption *option, int i)
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

static void tell_ranking(Rows *rows, const FitOption *options, int count)
{
    uint64_t most = next_in_rank(options, count, 0, MACHINE) < count ? MACHINE : FIT_MOST;
    int rank = 0, next;
    for (int i = next_in_rank(options, count, 0, most); i < count && rank < RANKS;
         i = next_in_rank(options, count, next, most)) {
        for (next = i + 1; next < count && alike(&options[i], &options[next]);) next++;
        Row *row =
            row_text(rows, row_path(rows, "fit.ranking[%d]", rank), rank == 0 ? "cheapest" : "then",
                     rank_text(rows->arena, &options[i], next - i - 1));
        if (rank++ > 0) continue;
        row_explain(rows, row,
                    "within one machine if that can be; least memory of all GPUs together; then "
                    "fewest GPUs; then most bandwidth",
                    "%" PRIu64 " x %g GB at %.4g GB/s", options[i].gpus,
                    options[i].gpu_spec.vendor_gb, options[i].gpu_spec.bandwidth / 1e9);
    }
    if (rank == 0)
        row_null(rows, "fit.ranking", "cheapest", "no card of the table, not even 64 of them");
}

static void tell_single(Rows *rows, const FitOption *options, int count)
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

bool fit_tell(Rows *rows, const Model *model, const Question *question, Error *err)
{
    const FitOption *options;
    if (model->layers == 0)
        row_text(rows, "fit.counted", "what is counted",
                 "weights alone, divided evenly: its layers are not known");
    if (!tell_here(rows, model, question, err)) return false;
    int count = fit_options(rows->arena, model, question, &options, err);
    if (count < 0) return false;
    tell_ranking(rows, options, count);
    tell_single(rows, options, count);
    for (int i = 0; i < count; i++) tell_option(rows, &options[i], i);
    return true;
}
