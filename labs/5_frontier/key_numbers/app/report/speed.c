#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

static const char *bound_word(const StepTime *step)
{
    if (step->host > step->bounds.seconds - step->host) return "the host's memory";
    return step->bounds.memory_bound ? "memory" : "compute";
}

static void explain_bounds(Rows *rows, Row *row, const Load *load, const StepTime *step)
{
    const char *gpu = arena_print(rows->arena, "max(%.4g / (%.4g x %g), %.4g / (%.4g x %g))",
                                  step->flops, load->peak, load->efficiency.compute, step->bytes,
                                  load->bandwidth, load->efficiency.memory);
    if (step->host > 0)
        row_explain(
            rows, row,
            "max(FLOPs / (peak u_compute), bytes / (bandwidth u_memory)) of the GPU + bytes "
            "/ host_bandwidth",
            "%s + %.4g / %.4g", gpu, step->host * load->efficiency.host, load->efficiency.host);
    else
        row_explain(rows, row,
                    "max(FLOPs / (peak u_compute), bytes / (bandwidth u_memory)), of one GPU", "%s",
                    gpu);
}

static void link_row(Rows *rows, const char *path, const Load *load, const StepTime *step)
{
    if (load->split.tp > 1 && !(load->link > 0)) {
        row_null(rows, path, NULL, "the card's link to its neighbours is not known");
        return;
    }
    const char *label = load->split.tp > 1 ? "  all-reduces, not in it" : NULL;
    Row *row = row_real(rows, path, label, step->link, UNIT_SECONDS);
    if (load->split.tp == 1) return;
    row_explain(rows, row,
                "2 L all-reduces of T h numbers of 2 bytes, each 2 (tp - 1) / tp of that / link",
                "2 x %d x %.0f x %" PRIu64 " x 2 x 2 x %" PRIu64 " / %" PRIu64 " / %.4g",
                load->model->layers, step->tokens, load->model->width, load->split.tp - 1,
                load->split.tp, load->link);
}

static void machine_rows(Rows *rows, const Load *load, const char *gpu)
{
    row_real(rows, "compute.peak", NULL, load->peak, UNIT_FLOPS_PER_SECOND);
    row_real(rows, "compute.bandwidth", NULL, load->bandwidth, UNIT_BYTES_PER_SECOND);
    const char *label = arena_print(rows->arena, "ridge of %s", gpu);
    Row *row =
        row_real(rows, "compute.ridge", label, load->peak / load->bandwidth, UNIT_FLOPS_PER_BYTE);
    row_explain(rows, row, "peak / bandwidth: below it memory bounds (Williams et al. 2009)",
                "%.4g / %.4g", load->peak, load->bandwidth);
}

static void prefill_rows(Rows *rows, const Load *load, const StepTime *step, const StepTime *cached)
{
    uint64_t context = load->context;
    double steps = load->steps, written = load->cache_token * (double)context;
    Row *row = row_real(rows, "compute.prefill.flops", NULL, step->flops, UNIT_FLOPS);
    row_explain(rows, row, "(s (layers + causal attention) + the last token's head) / tp",
                "%.4g / %" PRIu64, load->prompt_flops, load->split.tp);
    row = row_real(rows, "compute.prefill.bytes", NULL, step->bytes, UNIT_BYTES);
    row_explain(
        rows, row,
        "steps x (weights, with the experts that a step touches) + cache written, of one GPU",
        "%.0f x %.0f + %.0f", steps, (step->bytes - written) / steps, written);
    const char *label = arena_print(rows->arena,
                                    load->decodes ? "time to first token, after %" PRIu64
                                                  : "time for %" PRIu64 " tokens",
                                    context);
    row = row_real(rows, "compute.prefill.seconds", label, step->bounds.seconds, UNIT_SECONDS);
    explain_bounds(rows, row, load, step);
    row_text(rows, "compute.prefill.bound", "  bound by", bound_word(step));
    bool prefix = load->prefix_flops > 0;
    row = row_real(rows, "compute.prefill.cached_seconds",
                   prefix ? "  with the common prefix cached" : NULL, cached->bounds.seconds,
                   UNIT_SECONDS);
    explain_bounds(rows, row, load, cached);
    row_real(rows, "compute.prefill.tokens_per_second", NULL,
             (double)context / step->bounds.seconds, UNIT_TOKENS_PER_SECOND);
    link_row(rows, "compute.prefill.link_seconds", load, step);
}

static void decode_work_rows(Rows *rows, const Load *load, const StepTime *step, uint64_t batch)
{
    double requests = step->tokens, touched = step->touched;
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

static void decode_rows(Rows *rows, const Speed *speed)
{
    const Load *load = &speed->load;
    const StepTime *step = &speed->decode;
    uint64_t batch = speed->batch;
    decode_work_rows(rows, load, step, batch);
    const char *label = arena_print(rows->arena, "time for an output token, batch %" PRIu64, batch);
    Row *row = row_real(rows, "compute.decode.seconds_per_token", label, step->bounds.seconds,
                        UNIT_SECONDS);
    explain_bounds(rows, row, load, step);
    row_text(rows, "compute.decode.bound", "  bound by", bound_word(step));
    row_real(rows, "compute.decode.host_seconds",
             step->host > 0 ? "  of it in the host's memory" : NULL, step->host, UNIT_SECONDS);
    link_row(rows, "compute.decode.link_seconds", load, step);
    row = row_real(rows, "compute.decode.tokens_per_second", "  tokens a second, of all requests",
                   speed->tokens_per_second, UNIT_TOKENS_PER_SECOND);
    row_explain(rows, row, "batch / time", "%" PRIu64 " / %.4g", batch, step->bounds.seconds);
    row_real(rows, "compute.decode.tokens_per_second_per_request", NULL, 1 / step->bounds.seconds,
             UNIT_TOKENS_PER_SECOND);
    uint64_t bound = speed->compute_bound_batch;
    label = "  compute-bound from batch";
    if (bound > 0) row_count(rows, "compute.compute_bound_batch", label, bound, UNIT_REQUESTS);
    else
        row_null(rows, "compute.compute_bound_batch", label,
                 load->host.dense + load->host.experts > 0
                     ? "none: the host reads its part of the weights"
                     : "none: reading a request's cache takes longer than computing with it");
}

static void draft_rows(Rows *rows, const Speed *speed)
{
    bool drafts = speed->draft_kept > 0;
    uint64_t k = speed->drafting.tokens;
    double a = speed->drafting.acceptance;
    Row *row =
        row_real(rows, "compute.draft.tokens_per_step",
                 drafts ? "  drafting: tokens kept of a step" : NULL, speed->draft_kept, UNIT_NONE);
    row_explain(rows, row, "(1 - a^(k+1)) / (1 - a) (Leviathan et al. 2023)",
                "(1 - %g^%" PRIu64 ") / (1 - %g)", a, k + 1, a);
    row_real(rows, "compute.draft.seconds", NULL, speed->draft_seconds, UNIT_SECONDS);
    row_real(rows, "compute.draft.verify_seconds", NULL, speed->verify_seconds, UNIT_SECONDS);
    row = row_real(rows, "compute.draft.tokens_per_second",
                   drafts ? "    tokens a second, of all requests" : NULL, speed->draft_rate,
                   UNIT_TOKENS_PER_SECOND);
    row_explain(rows, row, "batch x tokens kept / (k drafts + a step that checks k + 1)",
                "%" PRIu64 " x %.4g / (%.4g + %.4g)", speed->batch, speed->draft_kept,
                speed->draft_seconds, speed->verify_seconds);
}

static void price_row(Rows *rows, const char *path, const char *label, double price, double dollars)
{
    if (!(price > 0)) {
        row_null(rows, path, NULL, "no price is given; --price says dollars for a GPU and hour");
        return;
    }
    Row *row = row_real(rows, path, label, dollars, UNIT_DOLLARS);
    row_explain(rows, row, "1e6 x seconds for a token x GPUs x price / 3600", "%.4g x %g / 3600",
                dollars * 3600 / price, price);
}

static const char *batch_path(Rows *rows, int i, const char *field)
{
    return row_path(rows, "compute.batches[%d].%s", i, field);
}

// What a chart is drawn from; batches that memory has no room for are marked.
static void batches_rows(Rows *rows, const Speed *speed)
{
    for (int i = 0; i < SPEED_BATCHES; i++) {
        const StepTime *step = &speed->batches[i];
        uint64_t batch = (uint64_t)1 << i;
        row_count(rows, batch_path(rows, i, "batch"), NULL, batch, UNIT_REQUESTS);
        row_real(rows, batch_path(rows, i, "tokens_per_second"), NULL,
                 (double)batch / step->bounds.seconds, UNIT_TOKENS_PER_SECOND);
        row_real(rows, batch_path(rows, i, "seconds_per_token"), NULL, step->bounds.seconds,
                 UNIT_SECONDS);
        row_text(rows, batch_path(rows, i, "bound"), NULL, bound_word(step));
        row_flag(rows, batch_path(rows, i, "fits"), NULL, speed->fits[i]);
    }
}

// ---- where there is no answer ----

static void nulls_rows(Rows *rows, const char *const *paths, const char *label, const char *why)
{
    for (int i = 0; paths[i] != NULL; i++) row_null(rows, paths[i], i == 0 ? label : NULL, why);
}

static void no_machine_rows(Rows *rows, const char *why)
{
    static const char *const paths[] = {"compute.peak",
                                        "compute.bandwidth",
                                        "compute.ridge",
                                        "compute.prefill.flops",
                                        "compute.prefill.bytes",
                                        "compute.prefill.seconds",
                                        "compute.prefill.bound",
                                        "compute.prefill.cached_seconds",
                                        "compute.prefill.tokens_per_second",
                                        "compute.prefill.link_seconds",
                                        "compute.prefill.dollars_per_million",
                                        NULL};
    nulls_rows(rows, paths, "speed", why);
}

static void no_decode_rows(Rows *rows, const char *label, const char *why)
{
    static const char *const paths[] = {"compute.decode.seconds_per_token",
                                        "compute.decode.flops",
                                        "compute.decode.bytes",
                                        "compute.decode.experts_touched",
                                        "compute.decode.bound",
                                        "compute.decode.host_seconds",
                                        "compute.decode.link_seconds",
                                        "compute.decode.tokens_per_second",
                                        "compute.decode.tokens_per_second_per_request",
                                        "compute.decode.dollars_per_million",
                                        "compute.draft.tokens_per_step",
                                        "compute.draft.seconds",
                                        "compute.draft.verify_seconds",
                                        "compute.draft.tokens_per_second",
                                        "compute.compute_bound_batch",
                                        NULL};
    static const char *const fields[] = {"tokens_per_second", "seconds_per_token", "bound", "fits"};
    nulls_rows(rows, paths, label, why);
    for (int i = 0; i < SPEED_BATCHES; i++) {
        row_count(rows, batch_path(rows, i, "batch"), NULL, (uint64_t)1 << i, UNIT_REQUESTS);
        for (int f = 0; f < 4; f++) row_null(rows, batch_path(rows, i, fields[f]), NULL, why);
    }
}

void speed_rows(Rows *rows, const Speed *speed, const GpuSpec *gpu)
{
    if (speed->unknown != NULL) {
        no_machine_rows(rows, speed->unknown);
        no_decode_rows(rows, NULL, speed->unknown);
        return;
    }
    machine_rows(rows, &speed->load, gpu->name);
    prefill_rows(rows, &speed->load, &speed->prefill, &speed->cached);
    price_row(rows, "compute.prefill.dollars_per_million", "  cost of a million prompt tokens",
              speed->price, speed->prompt_dollars);
    if (!speed->load.decodes) {
        no_decode_rows(rows, "time for an output token", "an encoder writes no tokens");
        return;
    }
    decode_rows(rows, speed);
    price_row(rows, "compute.decode.dollars_per_million", "  cost of a million of them",
              speed->price, speed->token_dollars);
    draft_rows(rows, speed);
    batches_rows(rows, speed);
}
