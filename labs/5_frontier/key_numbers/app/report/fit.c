#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/fit.h"

typedef unsigned long long Digits;    // what %llu takes

enum {
    RANKS = 8,
    NAMED = 8,
    MACHINE = 8
};    // lines; cards named in a sentence; GPUs of a machine

// "2 GPUs: 70.6 + 0.7 + 0.2 + 1.1 = 72.6 GB"
static const char *sum(Arena *arena, const Serving *serving)
{
    const ServingBytes *b = &serving->per_gpu;
    if (serving->gpus == 0) return "fewer GPUs: none";
    return arena_print(arena, "%llu GPU%s: %.4g + %.4g + %.4g + %.4g = %.4g GB",
                       (Digits)serving->gpus, serving->gpus == 1 ? "" : "s", b->weights / 1e9,
                       b->cache / 1e9, b->work / 1e9, b->runtime / 1e9, b->total / 1e9);
}

static void explain_gpus(Sheet *sheet, Entry *entry, const Question *question,
                         const Serving *serving, const Serving *less)
{
    const Card *card = &question->card;
    entry_explain(
        sheet, entry,
        "fewest of 1, 2, 4, 8 and whole machines of 8 with weights + cache + work + runtime of the "
        "fullest <= memory x utilisation",
        "%s; %s; of %.4g x %g = %.4g GB", sum(sheet->arena, less),
        serving->gpus > 0 ? sum(sheet->arena, serving) : "more: not looked at", card->memory / 1e9,
        question->utilisation, card->memory * question->utilisation / 1e9);
}

static void tell_split(Sheet *sheet, const FitOption *option, const Serving *serving)
{
    // On one GPU these are what is said of inference.
    bool shown = option->gpus > 1;
    sheet_count(sheet, "fit.here.tp", NULL, option->tp, UNIT_GPUS);
    sheet_count(sheet, "fit.here.pp", NULL, option->pp, UNIT_GPUS);
    sheet_real(sheet, "fit.here.free_bytes", NULL, option->free, UNIT_BYTES);
    sheet_count(sheet, "fit.here.max_context", shown ? "largest context on those" : NULL,
                serving->max_context, UNIT_TOKENS);
    if (serving->cache_count > 0)
        sheet_count(sheet, "fit.here.requests", shown ? "requests on those" : NULL,
                    option->requests, UNIT_REQUESTS);
    else sheet_null(sheet, "fit.here.requests", NULL, "nothing is kept for a request");
}

static bool tell_best(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    Serving best;
    const WeightBytes *weights = &best.weights;
    const char *label = "best weights on one";
    if (!fit_best(sheet->arena, model, question, FIT_FORMATS, &best, err)) return false;
    if (weights->format == NULL) {
        sheet_null(sheet, "fit.here.best_weights", label, "not even as q2_k");
        return true;
    }
    Entry *entry = sheet_text(sheet, "fit.here.best_weights", label, weights->format);
    entry_explain(sheet, entry,
                  "as published, else what has most bits of bf16, q8_0, fp8, q6_k, q5_k_m, q4_k_m, "
                  "q3_k_m, q2_k with weights + cache + work + runtime <= memory x utilisation",
                  "%.5g bits: %s <= %.4g GB", weights->bits_per_weight, sum(sheet->arena, &best),
                  best.budget / 1e9);
    sheet_real(sheet, "fit.here.best_bits", NULL, weights->bits_per_weight, UNIT_BITS);
    return true;
}

static bool tell_here(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    FitOption option;
    Serving serving, less;
    if (!fit_card(sheet->arena, model, question, &option, &serving, &less, err)) return false;
    const char *label = "GPUs like the asked one";
    sheet_text(sheet, "fit.here.gpu", NULL, question->card.id);
    if (question->card.note != NULL)
        sheet_text(sheet, "fit.here.note", "about the asked one", question->card.note);
    sheet_flag(sheet, "fit.here.fits", NULL, option.gpus > 0);
    Entry *entry = option.gpus > 0
                       ? sheet_count(sheet, "fit.here.gpus", label, option.gpus, UNIT_GPUS)
                       : sheet_null(sheet, "fit.here.gpus", label,
                                    question->card.shared
                                        ? "it is alone in its machine, and does not hold the model"
                                        : "64 of them do not hold it");
    explain_gpus(sheet, entry, question, &serving, &less);
    if (option.gpus > 0) tell_split(sheet, &option, &serving);

    return tell_best(sheet, model, question, err);
}

static void tell_option(Sheet *sheet, const FitOption *option, int i)
{
    const char *at = sheet_path(sheet, "fit.options[%d]", i);
    sheet_text(sheet, sheet_path(sheet, "%s.gpu", at), NULL, option->card.id);
    sheet_text(sheet, sheet_path(sheet, "%s.name", at), NULL, option->card.name);
    sheet_count(sheet, sheet_path(sheet, "%s.gpus", at), NULL, option->gpus, UNIT_GPUS);
    if (option->gpus == 0) return;
    sheet_count(sheet, sheet_path(sheet, "%s.tp", at), NULL, option->tp, UNIT_GPUS);
    sheet_count(sheet, sheet_path(sheet, "%s.pp", at), NULL, option->pp, UNIT_GPUS);
    sheet_real(sheet, sheet_path(sheet, "%s.memory_bytes", at), NULL, option->memory, UNIT_BYTES);
    sheet_real(sheet, sheet_path(sheet, "%s.free_bytes", at), NULL, option->free, UNIT_BYTES);
    sheet_count(sheet, sheet_path(sheet, "%s.requests", at), NULL, option->requests, UNIT_REQUESTS);
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
    const char *text = arena_print(arena, "%g GB: %llu x %s", option->memory / 1e9,
                                   (Digits)option->gpus, option->card.id);
    if (others == 0) return text;
    return others == 1 ? arena_print(arena, "%s or %s", text, option[1].card.id)
                       : arena_print(arena, "%s or %d others", text, others);
}

static void tell_ranking(Sheet *sheet, const FitOption *options, int count)
{
    uint64_t most = next_in_rank(options, count, 0, MACHINE) < count ? MACHINE : FIT_MOST;
    int rank = 0, next;
    for (int i = next_in_rank(options, count, 0, most); i < count && rank < RANKS;
         i = next_in_rank(options, count, next, most)) {
        for (next = i + 1; next < count && alike(&options[i], &options[next]);) next++;
        Entry *entry = sheet_text(sheet, sheet_path(sheet, "fit.ranking[%d]", rank),
                                  rank == 0 ? "cheapest" : "then",
                                  rank_text(sheet->arena, &options[i], next - i - 1));
        if (rank++ > 0) continue;
        entry_explain(sheet, entry,
                      "within one machine if that can be; least memory of all GPUs together; then "
                      "fewest GPUs; then most bandwidth",
                      "%llu x %g GB at %.4g GB/s", (Digits)options[i].gpus,
                      options[i].card.sheet_gb, options[i].card.bandwidth / 1e9);
    }
    if (rank == 0)
        sheet_null(sheet, "fit.ranking", "cheapest", "no card of the table, not even 64 of them");
}

static void tell_single(Sheet *sheet, const FitOption *options, int count)
{
    const char *names = "";
    int single = 0;
    for (int i = 0; i < count; i++) {
        if (options[i].gpus != 1) continue;
        if (single++ < NAMED)
            names = arena_print(sheet->arena, "%s%s%s", names, single > 1 ? ", " : "",
                                options[i].card.id);
    }
    if (single > NAMED) names = arena_print(sheet->arena, "%s and %d more", names, single - NAMED);
    sheet_count(sheet, "fit.single.count", NULL, (uint64_t)single, UNIT_NONE);
    if (single > 0) sheet_text(sheet, "fit.single.gpus", "on one GPU", names);
    else sheet_null(sheet, "fit.single.gpus", "on one GPU", "none of the table");
}

bool fit_tell(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    const FitOption *options;
    if (model->layers == 0)
        sheet_text(sheet, "fit.counted", "what is counted",
                   "weights alone, divided evenly: its layers are not known");
    if (!tell_here(sheet, model, question, err)) return false;
    int count = fit_options(sheet->arena, model, question, &options, err);
    if (count < 0) return false;
    tell_ranking(sheet, options, count);
    tell_single(sheet, options, count);
    for (int i = 0; i < count; i++) tell_option(sheet, &options[i], i);
    return true;
}
