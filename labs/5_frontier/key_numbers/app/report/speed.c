// What speed.c worked out, as compute.prefill.*, compute.decode.* and compute.batches[] of a sheet. Each
// path is told whatever the question, so that a sweep finds it in every answer.
#include "labs/5_frontier/key_numbers/app/plan/compute.h"
#include "labs/5_frontier/key_numbers/app/plan/speed.h"

typedef unsigned long long Digits;    // what %llu takes

enum { BATCHES = 9 };    // 1, 2, 4, ... 256

static const char *bound_word(const Step *step)
{
    return step->bounds.memory_bound ? "memory" : "compute";
}

static void explain_bounds(Sheet *sheet, Entry *entry, const Load *load, const Step *step)
{
    const Question *q = load->question;
    entry_explain(sheet, entry,
                  "max(FLOPs / (peak u_compute), bytes / (bandwidth u_memory)), of one GPU",
                  "max(%.4g / (%.4g x %g), %.4g / (%.4g x %g))", step->flops, load->peak,
                  q->u_compute, step->bytes, load->bandwidth, q->u_memory);
}

static void link_tell(Sheet *sheet, const char *path, const Load *load, const Step *step,
                      double tokens)
{
    double link = load->question->card.link;
    if (load->split.tp > 1 && !(link > 0)) {
        sheet_null(sheet, path, NULL, "the card's link to its neighbours is not known");
        return;
    }
    const char *label = load->split.tp > 1 ? "  all-reduces, not in it" : NULL;
    Entry *entry = sheet_real(sheet, path, label, step->link, UNIT_SECONDS);
    if (load->split.tp == 1) return;
    entry_explain(sheet, entry,
                  "2 L all-reduces of T h numbers of 2 bytes, each 2 (tp - 1) / tp of that / link",
                  "2 x %d x %.0f x %llu x 2 x 2 x %llu / %llu / %.4g", load->model->layers, tokens,
                  (Digits)load->model->width, (Digits)(load->split.tp - 1), (Digits)load->split.tp,
                  link);
}

static void machine_tell(Sheet *sheet, const Load *load)
{
    sheet_real(sheet, "compute.peak", NULL, load->peak, UNIT_FLOPS_PER_SECOND);
    sheet_real(sheet, "compute.bandwidth", NULL, load->bandwidth, UNIT_BYTES_PER_SECOND);
    const char *label = arena_print(sheet->arena, "ridge of %s", load->question->card.name);
    Entry *entry = sheet_real(sheet, "compute.ridge", label, load->peak / load->bandwidth,
                              UNIT_FLOPS_PER_BYTE);
    entry_explain(sheet, entry, "peak / bandwidth: below it memory bounds (Williams et al. 2009)",
                  "%.4g / %.4g", load->peak, load->bandwidth);
}

static void prefill_tell(Sheet *sheet, const Load *load)
{
    uint64_t context = load->question->context;
    Step step = load_prefill(load);
    double steps = load_prefill_steps(load), written = load->cache_token * (double)context;
    Entry *entry = sheet_real(sheet, "compute.prefill.flops", NULL, step.flops, UNIT_FLOPS);
    entry_explain(sheet, entry, "(s (layers + causal attention) + the last token's head) / tp",
                  "%.4g / %llu", load->prompt_flops, (Digits)load->split.tp);
    entry = sheet_real(sheet, "compute.prefill.bytes", NULL, step.bytes, UNIT_BYTES);
    entry_explain(
        sheet, entry,
        "steps x (weights, with the experts that a step touches) + cache written, of one GPU",
        "%.0f x %.0f + %.0f", steps, (step.bytes - written) / steps, written);
    const char *label = arena_print(
        sheet->arena, load->decodes ? "time to first token, after %llu" : "time for %llu tokens",
        (Digits)context);
    entry = sheet_real(sheet, "compute.prefill.seconds", label, step.bounds.seconds, UNIT_SECONDS);
    explain_bounds(sheet, entry, load, &step);
    sheet_text(sheet, "compute.prefill.bound", "  bound by", bound_word(&step));
    sheet_real(sheet, "compute.prefill.tokens_per_second", NULL,
               (double)context / step.bounds.seconds, UNIT_TOKENS_PER_SECOND);
    link_tell(sheet, "compute.prefill.link_seconds", load, &step, (double)context);
}

static void decode_work_tell(Sheet *sheet, const Load *load, const Step *step)
{
    uint64_t batch = load->question->batch;
    double requests = load_requests(load, batch), touched = load_touched(load, (double)batch);
    Entry *entry = sheet_real(sheet, "compute.decode.flops", NULL, step->flops, UNIT_FLOPS);
    entry_explain(sheet, entry, "batch x (layers + attention over the context + head) / (tp x ep)",
                  "%llu x %.4g / (%llu x %llu)", (Digits)batch, load->token_flops,
                  (Digits)load->split.tp, (Digits)load->split.ep);
    entry = sheet_real(sheet, "compute.decode.bytes", NULL, step->bytes, UNIT_BYTES);
    if (load->routed > 0)
        entry_explain(sheet, entry,
                      "weights + experts (1 - (1 - k/E)^batch) + requests x cache, of one GPU",
                      "%.0f + %.0f x %.4g + %.0f x %.0f", load->token_weights, load->experts,
                      touched, requests, load->cache_request);
    else
        entry_explain(sheet, entry, "weights + requests x cache, of one GPU", "%.0f + %.0f x %.0f",
                      load->token_weights, requests, load->cache_request);
    entry = sheet_real(sheet, "compute.decode.experts_touched", NULL,
                       touched * (double)load->routed, UNIT_NONE);
    if (load->routed > 0)
        entry_explain(sheet, entry,
                      "E (1 - (1 - k/E)^batch): expected of each layer, tokens sent evenly",
                      "%llu x (1 - (1 - %llu/%llu)^%llu)", (Digits)load->routed,
                      (Digits)load->active, (Digits)load->routed, (Digits)batch);
}

static void decode_tell(Sheet *sheet, const Load *load)
{
    uint64_t batch = load->question->batch;
    Step step = load_decode(load, batch);
    decode_work_tell(sheet, load, &step);
    const char *label =
        arena_print(sheet->arena, "time for an output token, batch %llu", (Digits)batch);
    Entry *entry = sheet_real(sheet, "compute.decode.seconds_per_token", label, step.bounds.seconds,
                              UNIT_SECONDS);
    explain_bounds(sheet, entry, load, &step);
    sheet_text(sheet, "compute.decode.bound", "  bound by", bound_word(&step));
    link_tell(sheet, "compute.decode.link_seconds", load, &step, load_requests(load, batch));
    entry =
        sheet_real(sheet, "compute.decode.tokens_per_second", "  tokens a second, of all requests",
                   (double)batch / step.bounds.seconds, UNIT_TOKENS_PER_SECOND);
    entry_explain(sheet, entry, "batch / time", "%llu / %.4g", (Digits)batch, step.bounds.seconds);
    sheet_real(sheet, "compute.decode.tokens_per_second_per_request", NULL, 1 / step.bounds.seconds,
               UNIT_TOKENS_PER_SECOND);
    uint64_t bound = load_compute_bound_batch(load);
    label = "  compute-bound from batch";
    if (bound > 0) sheet_count(sheet, "compute.compute_bound_batch", label, bound, UNIT_REQUESTS);
    else
        sheet_null(sheet, "compute.compute_bound_batch", label,
                   "none: reading a request's cache takes longer than computing with it");
}

static const char *batch_path(Sheet *sheet, int i, const char *field)
{
    return sheet_path(sheet, "compute.batches[%d].%s", i, field);
}

// What a chart is drawn from; batches that memory has no room for are marked.
static bool batches_tell(Sheet *sheet, const Load *load, const ServingBasis *basis, Error *err)
{
    Question one = *load->question;
    one.tp = load->split.tp, one.pp = load->split.pp, one.ep = load->split.ep;
    for (int i = 0; i < BATCHES; i++) {
        Serving serving;
        one.batch = (uint64_t)1 << i;
        if (!inference_split(sheet->arena, basis, &one, &serving, err)) return false;
        Step step = load_decode(load, one.batch);
        double seconds = step.bounds.seconds;
        sheet_count(sheet, batch_path(sheet, i, "batch"), NULL, one.batch, UNIT_REQUESTS);
        sheet_real(sheet, batch_path(sheet, i, "tokens_per_second"), NULL,
                   (double)one.batch / seconds, UNIT_TOKENS_PER_SECOND);
        sheet_real(sheet, batch_path(sheet, i, "seconds_per_token"), NULL, seconds, UNIT_SECONDS);
        sheet_text(sheet, batch_path(sheet, i, "bound"), NULL, bound_word(&step));
        sheet_flag(sheet, batch_path(sheet, i, "fits"), NULL, serving.fits);
    }
    return true;
}

// ---- where there is no answer ----

static void nulls_tell(Sheet *sheet, const char *const *paths, const char *label, const char *why)
{
    for (int i = 0; paths[i] != NULL; i++) sheet_null(sheet, paths[i], i == 0 ? label : NULL, why);
}

static void no_machine_tell(Sheet *sheet, const char *why)
{
    static const char *const paths[] = {"compute.peak",
                                        "compute.bandwidth",
                                        "compute.ridge",
                                        "compute.prefill.flops",
                                        "compute.prefill.bytes",
                                        "compute.prefill.seconds",
                                        "compute.prefill.bound",
                                        "compute.prefill.tokens_per_second",
                                        "compute.prefill.link_seconds",
                                        NULL};
    nulls_tell(sheet, paths, "speed", why);
}

static void no_decode_tell(Sheet *sheet, const char *label, const char *why)
{
    static const char *const paths[] = {"compute.decode.seconds_per_token",
                                        "compute.decode.flops",
                                        "compute.decode.bytes",
                                        "compute.decode.experts_touched",
                                        "compute.decode.bound",
                                        "compute.decode.link_seconds",
                                        "compute.decode.tokens_per_second",
                                        "compute.decode.tokens_per_second_per_request",
                                        "compute.compute_bound_batch",
                                        NULL};
    static const char *const fields[] = {"tokens_per_second", "seconds_per_token", "bound", "fits"};
    nulls_tell(sheet, paths, label, why);
    for (int i = 0; i < BATCHES; i++) {
        sheet_count(sheet, batch_path(sheet, i, "batch"), NULL, (uint64_t)1 << i, UNIT_REQUESTS);
        for (int f = 0; f < 4; f++) sheet_null(sheet, batch_path(sheet, i, fields[f]), NULL, why);
    }
}

bool speed_tell(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    ServingBasis basis;
    Split split;
    Load load;
    Error unknown;
    if (!inference_basis(sheet->arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err))
        return false;
    if (!load_of(&load, sheet->arena, &basis, question, split, &unknown)) {
        const char *why = arena_print(sheet->arena, "%s", unknown.message);
        no_machine_tell(sheet, why);
        no_decode_tell(sheet, NULL, why);
        return true;
    }
    machine_tell(sheet, &load);
    prefill_tell(sheet, &load);
    if (!load.decodes) {
        no_decode_tell(sheet, "time for an output token", "an encoder writes no tokens");
        return true;
    }
    decode_tell(sheet, &load);
    return batches_tell(sheet, &load, &basis, err);
}
