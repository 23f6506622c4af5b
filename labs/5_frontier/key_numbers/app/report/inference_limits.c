#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

static void budget_rows(Rows *rows, const Serving *serving, const GpuSpec *spec)
{
    const MemoryLimit *limit = &serving->of.limit;
    row_bytes(rows, "inference.gpu_memory_bytes", NULL, serving->budget / limit->utilisation);
    Row *row =
        row_bytes(rows, "inference.budget_bytes",
                  serving->of.cards != NULL ? "usable of the fullest card"
                                            : arena_print(rows->arena, "usable of %s", spec->name),
                  serving->budget);
    row_explain(rows, row, "memory x utilisation, a share of all memory, not of what is free",
                "%.0f x %g", limit->memory, limit->utilisation);
    row_flag(rows, "inference.fits", "  fits", serving->fits);
    row = row_bytes(rows, "inference.missing_bytes", serving->fits ? NULL : "  missing",
                    serving->fits ? 0 : serving->per_gpu.total - serving->budget);
    if (!serving->fits)
        row_explain(rows, row, "total of the fullest GPU - usable", "%.0f - %.0f",
                    serving->per_gpu.total, serving->budget);
}

static void context_rows(Rows *rows, const Serving *serving)
{
    const char *label =
        arena_print(rows->arena, "longest context, batch %" PRIu64, serving->of.workload.batch);
    bool any = serving->memory_context == UINT64_MAX;
    const char *memory =
        any ? "any" : arena_print(rows->arena, "%" PRIu64, serving->memory_context);
    if (serving->max_context == UINT64_MAX) {
        row_null(rows, "inference.max_context", label,
                 "neither memory nor the model is known to set a limit");
    } else {
        Row *row =
            row_count(rows, "inference.max_context", label, serving->max_context, UNIT_TOKENS);
        row_explain(rows, row, "min(what memory allows, the model's own; 0: not known)",
                    "min(%s, %" PRIu64 ")", memory, serving->of.basis->model->max_context);
    }
    if (any) row_null(rows, "inference.max_context_by_memory", NULL, "memory sets no limit");
    else
        row_count(rows, "inference.max_context_by_memory", NULL, serving->memory_context,
                  UNIT_TOKENS);
}

static void requests_rows(Rows *rows, const Serving *serving)
{
    const char *label = arena_print(rows->arena, "requests of %" PRIu64 " tokens at once",
                                    serving->of.workload.context);
    if (!model_has_decoder(serving->of.basis->model)) {
        row_null(rows, "inference.max_requests", label, "no cache is kept that would limit them");
        return;
    }
    Row *row =
        row_count(rows, "inference.max_requests", label, serving->max_requests, UNIT_REQUESTS);
    row_count(rows, "inference.range.most_requests", NULL, serving->most_requests, UNIT_REQUESTS);
    row_explain(rows, row,
                "expert-parallel groups x whole part of (usable - weights - work space - "
                "runtime) / cache of a request, on the fullest GPU",
                "%" PRIu64 " x (%.0f - %.0f - %.0f - %.0f) / %.0f, work space growing with them",
                serving->of.split.ep, serving->budget, serving->per_gpu.weights,
                serving->per_gpu.work, serving->per_gpu.runtime,
                serving->per_gpu.cache / (double)serving->requests_per_group);
}

void inference_limit_rows(Rows *rows, const Serving *serving, const GpuSpec *spec)
{
    budget_rows(rows, serving, spec);
    context_rows(rows, serving);
    requests_rows(rows, serving);
}
