#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/app/report/training_section.h"

static const char *const methods[] = {"full", "lora", "qlora"};
static const char *const precisions[] = {"mixed", "fp32", "bf16"};

// ---- what is trained ----

static const char *adapters_sum(const TrainingSection *section)
{
    const char *text = "";
    for (int i = 0; i < section->model->weight_count; i++) {
        const Weight *w = &section->model->weights[i];
        if (!adapters_on(w, section->options->targets)) continue;
        uint64_t copies = w->copies * (uint64_t)weight_layers(section->model, w);
        sum_add(section->arena, &text, "%" PRIu64 " x (%" PRIu64 " + %" PRIu64 ")", copies, w->cols,
                w->rows);
    }
    return arena_print(section->arena, "%" PRIu64 " x (%s)", section->options->rank, text);
}

static void trained_rows(const TrainingSection *section)
{
    const TrainingOptions *q = section->options;
    const TrainingMemory *t = section->training;
    Rows *rows = section->rows;
    row_count(rows, "training.parameters", NULL, t->params, UNIT_PARAMETERS);
    Row *row =
        row_count(rows, "training.trained", "trained parameters", t->trained, UNIT_PARAMETERS);
    if (q->method == METHOD_FULL) row_explain(rows, row, "all parameters", "%" PRIu64, t->params);
    else
        row_explain(rows, row, "r x sum over targeted matrices of d_in + d_out", "%s",
                    adapters_sum(section));
    row_text(rows, "training.method", NULL, methods[q->method]);
    row_text(rows, "training.optimizer", NULL, optimizer_name(q->optimizer));
    row_text(rows, "training.optimizer_about", NULL, optimizer_about(q->optimizer));
    row_text(rows, "training.precision", NULL, precisions[q->precision]);
    row_flag(rows, "training.dropout", NULL, t->pass.dropout);
    row_count(rows, "training.zero", NULL, (uint64_t)q->zero, UNIT_NONE);
    row_text(rows, "training.gpu", NULL, section->gpu_spec->name);
    row = row_count(rows, "training.gpus", "GPUs", t->gpus, UNIT_GPUS);
    row_explain(rows, row, "data-parallel x tensor-parallel x pipeline stages",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64, t->dp, t->split.tp, t->split.pp);
    row_count(rows, "training.fullest_stage",
              t->split.pp > 1 ? "  the fullest is in stage, from 0" : NULL, (uint64_t)t->fullest,
              UNIT_NONE);
}

// ---- weights and what goes with them ----

// "2 x 1000 / 8 + ...": `each` bytes for what the parts hold, divided by ZeRO from stage `from` on.
static const char *state_sum(const TrainingSection *section, double each, bool frozen, int from)
{
    const TrainingMemory *t = section->training;
    const TrainingStage *stage = &t->stages[t->fullest];
    const char *text = "";
    for (int p = 0; p < TRAINING_PARTS; p++) {
        const TrainingPart *part = &stage->parts[p];
        uint64_t n = t->dp / part->groups;
        bool divided = section->options->zero >= from && n > 1;
        const char *by = divided ? arena_print(section->arena, " / %" PRIu64, n) : "";
        if (part->trained > 0 && each > 0) {
            sum_add(section->arena, &text, "%g x %" PRIu64 "%s", each, part->trained, by);
        }
        if (frozen && part->frozen > 0) {
            sum_add(section->arena, &text, "%.0f%s", part->frozen, by);
        }
    }
    return text[0] != '\0' ? text : "0";
}

static double moments_each(const TrainingStage *stage)
{
    double trained = 0, moments = 0;
    for (int p = 0; p < TRAINING_PARTS; p++) {
        trained += (double)stage->parts[p].trained;
        moments += stage->parts[p].moments;
    }
    return trained > 0 ? moments / trained : 0;
}

static void explain_state(const TrainingSection *section, Row *row, const char *formula,
                          const char *sum, bool on_host)
{
    if (on_host) row_explain(section->rows, row, "none: kept in the host's memory", "0");
    else row_explain(section->rows, row, formula, "%s", sum);
}

static void state_rows(const TrainingSection *section)
{
    const TrainingMemory *t = section->training;
    const TrainingBytes *gpu = &t->per_gpu;
    const TrainingStage *stage = &t->stages[t->fullest];
    bool frozen = stage->parts[PART_DENSE].frozen + stage->parts[PART_EXPERTS].frozen > 0;
    bool state_off = section->options->offload != OFFLOAD_NONE;
    bool all_off = section->options->offload == OFFLOAD_ALL;

    Row *row =
        training_bytes_row(section, "training.per_gpu.weights_bytes", "  weights", gpu->weights);
    explain_state(
        section, row,
        frozen ? "bytes x adapters' parameters + the frozen base; ZeRO 3: / data-parallel GPUs"
               : "bytes x parameters on this GPU; ZeRO 3: / data-parallel GPUs",
        state_sum(section, t->recipe.weights, true, 3), all_off);
    row = training_bytes_row(section, "training.per_gpu.gradients_bytes", "  gradients",
                             gpu->gradients);
    explain_state(section, row, "bytes x trained parameters; ZeRO 2 and 3: / data-parallel GPUs",
                  state_sum(section, t->recipe.gradients, false, 2), state_off);
    row = training_bytes_row(section, "training.per_gpu.optimizer_bytes", "  optimizer state",
                             gpu->optimizer);
    explain_state(section, row,
                  arena_print(section->arena, "%s: %s; ZeRO 1 to 3: / data-parallel GPUs",
                              optimizer_name(section->options->optimizer),
                              optimizer_about(section->options->optimizer)),
                  state_sum(section, moments_each(stage), false, 1),
                  state_off || optimizer_paged(section->options->optimizer));
    row =
        training_bytes_row(section, "training.per_gpu.master_bytes", "  fp32 copies", gpu->master);
    explain_state(section, row,
                  t->recipe.state > 0
                      ? "mixed precision: 4 x trained parameters; ZeRO 1 to 3: / data-parallel GPUs"
                      : "none: only mixed precision has them",
                  state_sum(section, t->recipe.state, false, 1), state_off);
}

// ---- work space ----

static void work_rows(const TrainingSection *section)
{
    const TrainingBytes *gpu = &section->training->per_gpu;
    Row *row = training_bytes_row(section, "training.per_gpu.work_bytes", "  work space (estimate)",
                                  gpu->work);
    row_explain(
        section->rows, row,
        "one layer's recomputed activations + gradients of activations + gathered weights and "
        "gradients + an unpacked matrix",
        "%.0f + %.0f + %.0f + %.0f", gpu->recomputed, gpu->backward, gpu->gathered, gpu->unpacked);
    training_bytes_row(section, "training.per_gpu.work.recomputed_bytes", NULL, gpu->recomputed);
    training_bytes_row(section, "training.per_gpu.work.backward_bytes", NULL, gpu->backward);
    training_bytes_row(section, "training.per_gpu.work.gathered_bytes", NULL, gpu->gathered);
    training_bytes_row(section, "training.per_gpu.work.unpacked_bytes", NULL, gpu->unpacked);
    row = training_bytes_row(section, "training.per_gpu.runtime_bytes", "  runtime (estimate)",
                             gpu->runtime);
    row_explain(section->rows, row,
                "overhead x 2^30: CUDA context and libraries; set it with --overhead", "%g x 2^30",
                gpu->runtime / 0x1p30);
}

// ---- sums ----

static void total_rows(const TrainingSection *section)
{
    const TrainingBytes *gpu = &section->training->per_gpu;
    const char *label =
        section->model->layers > 0 ? "memory on the fullest GPU" : "memory, without activations";
    Row *row = training_bytes_row(section, "training.per_gpu.total_bytes", label, gpu->total);
    row_explain(section->rows, row,
                "weights + gradients + optimizer + fp32 copies + activations + logits + work "
                "space + runtime",
                "%.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f", gpu->weights,
                gpu->gradients, gpu->optimizer, gpu->master, gpu->activations, gpu->logits,
                gpu->work, gpu->runtime);
}

static void range_row(const TrainingSection *section, const char *name, const char *label,
                      Range range)
{
    training_bytes_row(section, row_path(section->rows, "training.range.%s_low_bytes", name), NULL,
                       range.low);
    training_bytes_row(section, row_path(section->rows, "training.range.%s_high_bytes", name), NULL,
                       range.high);
    if (label == NULL) return;
    row_text(section->rows, row_path(section->rows, "training.range.%s", name), label,
             arena_print(section->arena, "%.4g to %.4g GB", range.low / 1e9, range.high / 1e9));
}

// The estimates' two ends, and what decides between them.
static void ranges_rows(const TrainingSection *section)
{
    const TrainingMemory *t = section->training;
    if (section->model->layers == 0) return;
    range_row(section, "activations", NULL, t->activations);
    range_row(section, "logits", NULL, t->logits);
    range_row(section, "beside_state", NULL, t->beside);
    range_row(section, "total", "  from low to high", t->total);
    row_text(section->rows, "training.range.decided_by", NULL,
             t->options.runtime == RUNTIME_TRANSFORMERS
                 ? "low: transformers of today, work space after the logits are gone; high: its "
                   "versions of 2023, all at once"
                 : "low: fused norms, MLP and loss; high: transformers' own modules, all at once");
}

static void host_rows(const TrainingSection *section)
{
    double host = section->training->per_gpu.host;
    Row *row = training_bytes_row(section, "training.host_bytes",
                                  host > 0 ? "host's memory, for each GPU" : NULL, host);
    if (host > 0 && section->options->offload == OFFLOAD_NONE)
        row_explain(section->rows, row, "moments of a paged optimizer, at most", "%.0f", host);
    else if (host > 0)
        row_explain(section->rows, row, "what is offloaded x 1.5 for buffers", "%.0f x %g",
                    host / TRAINING_BUFFERS, TRAINING_BUFFERS);
}

// The same recipe at each ZeRO stage: what a stacked chart is drawn from.
static void stages_rows(const TrainingSection *section)
{
    for (int z = 0; z < ZERO_STAGES; z++) {
        const TrainingBytes *gpu = &section->training->by_zero[z];
        const struct {
            const char *what;
            double bytes;
        } parts[] = {{"weights", gpu->weights},
                     {"gradients", gpu->gradients},
                     {"optimizer", gpu->optimizer},
                     {"master", gpu->master},
                     {"activations", gpu->activations},
                     {"logits", gpu->logits},
                     {"work", gpu->work},
                     {"runtime", gpu->runtime},
                     {"total", gpu->total}};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            training_bytes_row(
                section, row_path(section->rows, "training.by_zero[%d].%s_bytes", z, parts[i].what),
                NULL, parts[i].bytes);
        const char *path = row_path(section->rows, "training.by_zero[%d].fewest_gpus", z);
        if (section->training->fewest_by_zero[z] > 0)
            row_count(section->rows, path, NULL, section->training->fewest_by_zero[z], UNIT_GPUS);
        else row_null(section->rows, path, NULL, "it does not fit with any number");
    }
}

static const char *why_none(const TrainingSection *section)
{
    int zero = section->options->zero;
    for (int z = zero + 1; z < ZERO_STAGES; z++)
        if (section->training->fewest_by_zero[z] > 0)
            return arena_print(section->arena,
                               "none at ZeRO stage %d; at stage %d, %" PRIu64 " GPUs", zero, z,
                               section->training->fewest_by_zero[z]);
    return "none at any ZeRO stage: split it (--tp, --pp), recompute or offload";
}

static void room_rows(const TrainingSection *section)
{
    const TrainingMemory *t = section->training;
    Rows *rows = section->rows;
    bool known = section->model->layers > 0;
    Row *row = training_bytes_row(
        section, "training.budget_bytes",
        arena_print(section->arena, "memory of %s", section->gpu_spec->name), t->budget);
    row_explain(rows, row, "training may use all of it", "%.0f", t->budget);
    if (known || !t->fits) row_flag(rows, "training.fits", "  fits", t->fits);
    else row_null(rows, "training.fits", "  fits", "without its activations, which are not known");
    const char *label =
        arena_print(section->arena, "fewest GPUs, ZeRO stage %d", section->options->zero);
    if (!known || t->fewest_gpus == 0) {
        row_null(rows, "training.fewest_gpus", label,
                 known ? why_none(section) : "activations are not known");
        return;
    }
    row = row_count(rows, "training.fewest_gpus", label, t->fewest_gpus, UNIT_GPUS);
    row_explain(rows, row, "smallest dp with which it fits x tp x pp",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64,
                t->fewest_gpus / (t->split.tp * t->split.pp), t->split.tp, t->split.pp);
}

void training_rows(Rows *rows, const ModelPlan *plan)
{
    const TrainingMemory *training = &plan->training;
    const TrainingSection section = {rows,     rows->arena,       plan->model, &plan->gpu_spec,
                                     training, &training->options};
    trained_rows(&section);
    total_rows(&section);
    ranges_rows(&section);
    state_rows(&section);
    training_activations_rows(&section);
    work_rows(&section);
    host_rows(&section);
    training_layers_rows(&section);
    room_rows(&section);
    stages_rows(&section);
}
