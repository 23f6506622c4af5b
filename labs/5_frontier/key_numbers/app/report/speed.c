// What speed.c worked out, as compute.prefill.*, compute.decode.* and compute.batches[] of a report. Each
// path is told whatever the question, so that a sweep finds it in every answer.
#include "labs/5_frontier/key_numbers/app/plan/compute.h"
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/plan/speed.h"

enum { BATCHES = 9 };    // 1, 2, 4, ... 256

static const char *bound_word(const Step *step)
{
    return step->bounds.memory_bound ? "memory" : "compute";
}

static void explain_bounds(Rows *rows, Row *row, const Load *load, const Step *step)
{
    const Question *q = load->question;
    row_explain(rows, row,
                "max(FLOPs / (peak u_compute), bytes / (bandwidth u_memory)), of one GPU",
                "max(%.4g / (%.4g x %g), %.4g / (%.4g x %g))", step->flops, load->peak,
                q->u_compute, step->bytes, load->bandwidth, q->u_memory);
}

static void link_tell(Rows *rows, const char *path, const Load *load, const Step *step,
                      double tokens)
{
    double link = load->question->gpu_spec.link;
    if (load->split.tp > 1 && !(link > 0)) {
        row_null(rows, path, NULL, "the card's link to its neighbours is not known");
        return;
    }
    const char *label = load->split.tp > 1 ? "  all-reduces, not in it" : NULL;
    Row *row = row_real(rows, path, label, step->link, UNIT_SECONDS);
    if (load->split.tp == 1) return;
    row_explain(rows, row,
                "2 L all-reduces of T h numbers of 2 bytes, each 2 (tp - 1) / tp of that / link",
                "2 x %d x %.0f x %" PRIu64 " x 2 x 2 x %" PRIu64 " / %" PRIu64 " / %.4g",
                load->model->layers, tokens, load->model->width, (load->split.tp - 1),
                load->split.tp, link);
}

static void machine_tell(Rows *rows, const Load *load)
{
    row_real(rows, "compute.peak", NULL, load->peak, UNIT_FLOPS_PER_SECOND);
    row_real(rows, "compute.bandwidth", NULL, load->bandwidth, UNIT_BYTES_PER_SECOND);
    const char *label = arena_print(rows->arena, "ridge of %s", load->question->gpu_spec.name);
    Row *row =
        row_real(rows, "compute.ridge", label, load->peak / load->bandwidth, UNIT_FLOPS_PER_BYTE);
    row_explain(rows, row, "peak / bandwidth: below it memory bounds (Williams et al. 2009)",
                "%.4g / %.4g", load->peak, load->bandwidth);
}

static void prefill_tell(Rows *rows, const Load *load)
{
    uint64_t context = load->question->context;
    Step step = load_prefill(load);
    double steps = load_prefill_steps(load), written = load->cache_token * (double)context;
    Row *row = row_real(rows, "compute.prefill.flops", NULL, step.flops, UNIT_FLOPS);
    row_explain(rows, row, "(s (layers + causal attention) + the last token's head) / tp",
                "%.4g / %" PRIu64, load->prompt_flops, load->split.tp);
    row = row_real(rows, "compute.prefill.bytes", NULL, step.bytes, UNIT_BYTES);
    row_explain(
        rows, row,
        "steps x (weights, with the experts that a step touches) + cache written, of one GPU",
        "%.0f x %.0f + %.0f", steps, (step.bytes - written) / steps, written);
    const char *label = arena_print(rows->arena,
                                    load->decodes ? "time to first token, after %" PRIu64
                                                  : "time for %" PRIu64 " tokens",
                                    context);
    row = row_real(rows, "compute.prefill.seconds", label, step.bounds.seconds, UNIT_SECONDS);
    explain_bounds(rows, row, load, &step);
    row_text(rows, "compute.prefill.bound", "  bound by", bound_word(&step));
    row_real(rows, "compute.prefill.tokens_per_second", NULL, (double)context / step.bounds.seconds,
             UNIT_TOKENS_PER_SECOND);
    link_tell(rows, "compute.prefill.link_seconds", load, &step, (double)context);
}

static void decode_work_tell(Rows *rows, const Load *load, const Step *step)
{
    uint64_t batch = load->question->batch;
    double requests = load_requests(load, batch), touched = load_touched(load, (double)batch);
    Row *row = row_real(rows, "compute.decode.flops", NULL, step->flops, UNIT_FLOPS);
    row_explain(rows, row, "batch x (layers + attention over the context + head) / (tp x ep)",
                "%" PRIu64 " x %.4g / (%" PRIu64 " x %" PRIu64 ")", batch, load->token_flops,
                load->split.tp, load->split.ep);
    row = row_real(rows, "compute.decode.bytes", NULL, step->bytes, UNIT_BYTES);
    if (load->routed > 0)
        row_explain(rows, row,
                    "weights + experts (1 - (1 - k/E)^batch) + requests x cache, of one GPU",
                    "%.0f + %.0f x %.4g + %.0f x %.0f", load->token_weights, load->experts, touched,
                    requests, load->cache_request);
    else
        row_explain(rows, row, "weights + requests x cache, of one GPU", "%.0f + %.0f x %.0f",
                    load->token_weights, requests, load->cache_request);
    row = row_real(rows, "compute.decode.experts_touched", NULL, touched * (double)load->routed,
                   UNIT_NONE);
    if (load->routed > 0)
        row_explain(rows, row,
                    "E (1 - (1 - k/E)^batch): expected of each layer, tokens sent evenly",
                    "%" PRIu64 " x (1 - (1 - %" PRIu64 "/%" PRIu64 ")^%" PRIu64 ")", load->routed,
                    load->active, load->routed, batch);
}

static void decode_tell(Rows *rows, const Load *load)
{
    uint64_t batch = load->question->batch;
    Step step = load_decode(load, batch);
    decode_work_tell(rows, load, &step);
    const char *label = arena_print(rows->arena, "time for an output token, batch %" PRIu64, batch);
    Row *row = row_real(rows, "compute.decode.seconds_per_token", label, step.bounds.seconds,
                        UNIT_SECONDS);
    explain_bounds(rows, row, load, &step);
    row_text(rows, "compute.decode.bound", "  bound by", bound_word(&step));
    link_tell(rows, "compute.decode.link_seconds", load, &step, load_requests(load, batch));
    row = row_real(rows, "compute.decode.tokens_per_second", "  tokens a second, of all requests",
                   (double)batch / step.bounds.seconds, UNIT_TOKENS_PER_SECOND);
    row_explain(rows, row, "batch / time", "%" PRIu64 " / %.4g", batch, step.bounds.seconds);
    row_real(rows, "compute.decode.tokens_per_second_per_request", NULL, 1 / step.bounds.seconds,
             UNIT_TOKENS_PER_SECOND);
    uint64_t bound = load_compute_bound_batch(load);
    label = "  compute-bound from batch";
    if (bound > 0) row_count(rows, "compute.compute_bound_batch", label, bound, UNIT_REQUESTS);
    else
        row_null(rows, "compute.compute_bound_batch", label,
                 "none: reading a request's cache takes longer than computing with it");
}

static const char *batch_path(Rows *rows, int i, const char *field)
{
    return row_path(rows, "compute.batches[%d].%s", i, field);
}

// What a chart is drawn from; batches that memory has no room for are marked.
static bool batches_tell(Rows *rows, const Load *load, const ServingBasis *basis, Error *err)
{
    Question one = *load->question;
    one.tp = load->split.tp, one.pp = load->split.pp, one.ep = load->split.ep;
    for (int i = 0; i < BATCHES; i++) {
        Serving serving;
        one.batch = (uint64_t)1 << i;
        if (!inference_split(rows->arena, basis, &one, &serving, err)) return false;
        Step step = load_decode(load, one.batch);
        double seconds = step.bounds.seconds;
        row_count(rows, batch_path(rows, i, "batch"), NULL, one.batch, UNIT_REQUESTS);
        row_real(rows, batch_path(rows, i, "tokens_per_second"), NULL, (double)one.batch / seconds,
                 UNIT_TOKENS_PER_SECOND);
        row_real(rows, batch_path(rows, i, "seconds_per_token"), NULL, seconds, UNIT_SECONDS);
        row_text(rows, batch_path(rows, i, "bound"), NULL, bound_word(&step));
        row_flag(rows, batch_path(rows, i, "fits"), NULL, serving.fits);
    }
    return true;
}

// ---- where there is no answer ----

static void nulls_tell(Rows *rows, const char *const *paths, const char *label, const char *why)
{
    for (int i = 0; paths[i] != NULL; i++) row_null(rows, paths[i], i == 0 ? label : NULL, why);
}

static void no_machine_tell(Rows *rows, const char *why)
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
    nulls_tell(rows, paths, "speed", why);
}

static void no_decode_tell(Rows *rows, const char *label, const char *why)
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
    nulls_tell(rows, paths, label, why);
    for (int i = 0; i < BATCHES; i++) {
        row_count(rows, batch_path(rows, i, "batch"), NULL, (uint64_t)1 << i, UNIT_REQUESTS);
        for (int f = 0; f < 4; f++) row_null(rows, batch_path(rows, i, fields[f]), NULL, why);
    }
}

bool speed_tell(Rows *rows, const Model *model, const Question *question, Error *err)
{
    ServingBasis basis;
    Split split;
    Load load;
    Error unknown;
    if (!inference_basis(rows->arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err))
        return false;
    if (!load_of(&load, rows->arena, &basis, question, split, &unknown)) {
        const char *why = arena_print(rows->arena, "%s", unknown.message);
        no_machine_tell(rows, why);
        no_decode_tell(rows, NULL, why);
        return true;
    }
    machine_tell(rows, &load);
    prefill_tell(rows, &load);
    if (!load.decodes) {
        no_decode_tell(rows, "time for an output token", "an encoder writes no tokens");
        return true;
    }
    decode_tell(rows, &load);
    return batches_tell(rows, &load, &basis, err);
}
