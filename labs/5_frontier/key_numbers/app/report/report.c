#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

static void unknown_rows(Rows *rows)
{
    static const char *const paths[] = {
        "compute.forward_flops_per_token",  "compute.training_flops_per_token",
        "compute.prefill.seconds",          "compute.decode.seconds_per_token",
        "compute.decode.tokens_per_second", "compute.training.flops"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        row_null(rows, paths[i], i == 0 ? "FLOPs" : NULL,
                 "its layers are not known: the tensors came without a config.json");
}

static void compute_rows(Rows *rows, const ModelPlan *plan)
{
    row_count(rows, "compute.sequence", NULL, plan->sequence, UNIT_TOKENS);
    if (plan->model->layers == 0) {
        unknown_rows(rows);
        return;
    }
    flops_rows(rows, &plan->flops, plan->model);
    speed_rows(rows, &plan->speed, &plan->gpu_spec);
    training_cost_rows(rows, &plan->run, &plan->flops);
}

// Memory and time can be computed for any context, but the model was not trained beyond its own.
static void context_note(Rows *rows, const char *path, const char *option, uint64_t tokens,
                         const Model *model)
{
    if (model->max_context == 0 || tokens <= model->max_context) return;
    const char *text = row_path(rows,
                                "a %s of %" PRIu64 " tokens exceeds the model's maximum context "
                                "length of %" PRIu64 ": use --%s %" PRIu64,
                                option, tokens, model->max_context, option, model->max_context);
    row_text(rows, path, "note", text)->warns = true;
}

static void notes_rows(Rows *rows, const PlanNotes *notes, PlanPart part, const char *path)
{
    for (int i = 0, at = 0; i < notes->count; i++)
        if (notes->list[i].part == part)
            row_text(rows, row_path(rows, "%s.notes[%d]", path, at++), "note", notes->list[i].text)
                ->warns = true;
}

Rows *report_rows(Arena *arena, const ModelPlan *plan)
{
    Rows *rows = rows_new(arena);
    if (plan->parts >> PART_PARAMETERS & 1) parameters_rows(rows, plan->model);
    if (plan->parts >> PART_INFERENCE & 1) {
        inference_rows(rows, plan);
        context_note(rows, "inference.note", "context", plan->deployment.workload.context,
                     plan->model);
        notes_rows(rows, &plan->notes, PART_INFERENCE, "inference");
    }
    if (plan->parts >> PART_TRAINING & 1) {
        training_rows(rows, plan);
        context_note(rows, "training.note", "sequence", plan->training.options.pass.sequence,
                     plan->model);
        notes_rows(rows, &plan->notes, PART_TRAINING, "training");
    }
    if (plan->parts >> PART_COMPUTE & 1) {
        compute_rows(rows, plan);
        notes_rows(rows, &plan->notes, PART_COMPUTE, "compute");
    }
    if (plan->parts >> PART_FIT & 1) fit_rows(rows, plan);
    verdict_rows(rows, plan);
    return rows;
}

Rows *report_of(Arena *arena, const Model *model, const Question *question, Error *err)
{
    const ModelPlan *plan = plan_new(arena, model, question, PARTS_ALL, err);
    return plan != NULL ? report_rows(arena, plan) : NULL;
}

const Rows *report_of_parts(const Rows *rows, unsigned parts)
{
    if (parts == PARTS_ALL) return rows;
    Rows *some = rows_new(rows->arena);
    for (const Row *row = rows->first; row != NULL; row = row->next)
        if (strncmp(row->path, "model.", 6) == 0 || (parts >> part_of(row->path) & 1))
            rows_copy(some, row);
    return some;
}
