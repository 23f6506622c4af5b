// What training.c worked out, as training.* of a report. Each path is told whatever the question, so
// that a sweep finds it in every answer.
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/adapters.h"
#include "labs/5_frontier/key_numbers/app/plan/optimizer.h"
#include "labs/5_frontier/key_numbers/app/plan/training.h"

// What the functions below tell of.
typedef struct Told {
    Rows *rows;
    Arena *arena;
    const Model *model;
    const Question *question;
    const Training *training;
} Told;

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

// A sequence of 1e8 tokens whose scores are stored passes 2^64 bytes.
static Row *bytes_tell(const Told *told, const char *path, const char *label, double bytes)
{
    if (bytes < 1e18) return row_count(told->rows, path, label, (uint64_t)ceil(bytes), UNIT_BYTES);
    return row_real(told->rows, path, label, bytes, UNIT_BYTES);
}

// ---- what is trained ----

static const char *adapters_sum(const Told *told)
{
    const char *text = arena_print(told->arena, "%" PRIu64 " x (", told->question->rank);
    const char *plus = "";
    for (int i = 0; i < told->model->weight_count; i++) {
        const Weight *w = &told->model->weights[i];
        if (!adapters_on(w, told->question->targets)) continue;
        uint64_t copies = w->copies * (uint64_t)weight_layers(told->model, w);
        text = arena_print(told->arena, "%s%s%" PRIu64 " x (%" PRIu64 " + %" PRIu64 ")", text, plus,
                           copies, w->cols, w->rows);
        plus = " + ";
    }
    return arena_print(told->arena, "%s)", text);
}

static void trained_tell(const Told *told)
{
    const Question *q = told->question;
    const Training *t = told->training;
    Rows *rows = told->rows;
    row_count(rows, "training.parameters", NULL, t->params, UNIT_PARAMETERS);
    Row *row =
        row_count(rows, "training.trained", "trained parameters", t->trained, UNIT_PARAMETERS);
    if (is(q->method, "full")) row_explain(rows, row, "all parameters", "%" PRIu64, t->params);
    else
        row_explain(rows, row, "r x sum over targeted matrices of d_in + d_out", "%s",
                    adapters_sum(told));
    row_text(rows, "training.method", NULL, q->method);
    row_text(rows, "training.optimizer", NULL, q->optimizer);
    row_text(rows, "training.optimizer_about", NULL, optimizer_about(q->optimizer));
    row_text(rows, "training.precision", NULL, q->precision);
    row_flag(rows, "training.dropout", NULL, t->pass.dropout);
    row_count(rows, "training.zero", NULL, q->zero, UNIT_NONE);
    row_text(rows, "training.gpu", NULL, q->gpu_spec.name);
    row = row_count(rows, "training.gpus", "GPUs", t->gpus, UNIT_GPUS);
    row_explain(rows, row, "data-parallel x tensor-parallel x pipeline stages",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64, t->dp, t->split.tp, t->split.pp);
    row_count(rows, "training.fullest_stage",
              t->split.pp > 1 ? "  the fullest is in stage, from 0" : NULL, (uint64_t)t->fullest,
              UNIT_NONE);
}

// ---- weights and what goes with them ----

// "2 x 1000 / 8 + ...": `each` bytes for what the parts hold, divided by ZeRO from stage `from` on.
static const char *state_sum(const Told *told, double each, bool frozen, uint64_t from)
{
    const Training *t = told->training;
    const TrainingStage *stage = &t->stages[t->fullest];
    const char *text = "", *plus = "";
    for (int p = 0; p < TRAINING_PARTS; p++) {
        const TrainingPart *part = &stage->parts[p];
        uint64_t n = t->dp / part->groups;
        bool divided = told->question->zero >= from && n > 1;
        const char *by = divided ? arena_print(told->arena, " / %" PRIu64, n) : "";
        if (part->trained > 0 && each > 0) {
            text = arena_print(told->arena, "%s%s%g x %" PRIu64 "%s", text, plus, each,
                               part->trained, by);
            plus = " + ";
        }
        if (frozen && part->frozen > 0) {
            text = arena_print(told->arena, "%s%s%.0f%s", text, plus, part->frozen, by);
            plus = " + ";
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

static void explain_state(const Told *told, Row *row, const char *formula, const char *sum,
                          bool on_host)
{
    if (on_host) row_explain(told->rows, row, "none: kept in the host's memory", "0");
    else row_explain(told->rows, row, formula, "%s", sum);
}

static void state_tell(const Told *told)
{
    const Training *t = told->training;
    const TrainingBytes *gpu = &t->per_gpu;
    const TrainingStage *stage = &t->stages[t->fullest];
    bool frozen = stage->parts[PART_DENSE].frozen + stage->parts[PART_EXPERTS].frozen > 0;
    bool state_off = !is(told->question->offload, "none");
    bool all_off = is(told->question->offload, "all");

    Row *row = bytes_tell(told, "training.per_gpu.weights_bytes", "  weights", gpu->weights);
    explain_state(
        told, row,
        frozen ? "bytes x adapters' parameters + the frozen base; ZeRO 3: / data-parallel GPUs"
               : "bytes x parameters on this GPU; ZeRO 3: / data-parallel GPUs",
        state_sum(told, t->recipe.weights, true, 3), all_off);
    row = bytes_tell(told, "training.per_gpu.gradients_bytes", "  gradients", gpu->gradients);
    explain_state(told, row, "bytes x trained parameters; ZeRO 2 and 3: / data-parallel GPUs",
                  state_sum(told, t->recipe.gradients, false, 2), state_off);
    row = bytes_tell(told, "training.per_gpu.optimizer_bytes", "  optimizer state", gpu->optimizer);
    explain_state(told, row,
                  arena_print(told->arena, "%s: %s; ZeRO 1 to 3: / data-parallel GPUs",
                              told->question->optimizer,
                              optimizer_about(told->question->optimizer)),
                  state_sum(told, moments_each(stage), false, 1), state_off);
    row = bytes_tell(told, "training.per_gpu.master_bytes", "  fp32 copies", gpu->master);
    explain_state(told, row,
                  t->recipe.state > 0
                      ? "mixed precision: 4 x trained parameters; ZeRO 1 to 3: / data-parallel GPUs"
                      : "none: only mixed precision has them",
                  state_sum(told, t->recipe.state, false, 1), state_off);
}

// ---- activations ----

// The sum behind kn_activation_bytes(), of one token, with this block's numbers.
static const char *block_sum(const Told *told, const KnBlock *b)
{
    const KnPass *pass = &told->training->pass;
    const char *sp = pass->sequence_parallel
                         ? arena_print(told->arena, " / %" PRIu64, pass->tensor_parallel)
                         : "";
    if (pass->recompute == KN_FULL)
        return arena_print(told->arena, "2 x %" PRIu64 "%s", b->width, sp);
    const char *text = arena_print(told->arena, "(8 x %" PRIu64, b->width);
    if (pass->dropout) text = arena_print(told->arena, "%s + 2 x %" PRIu64, text, b->width);
    if (b->kv_rank > 0)
        text = arena_print(told->arena, "%s + 4 x (%" PRIu64 " + %" PRIu64 ")", text, b->q_rank,
                           b->kv_rank);
    if (b->active_experts > 0)
        text = arena_print(told->arena, "%s + 4 x %" PRIu64 " x %" PRIu64, text, b->active_experts,
                           b->width);
    bool latent = b->kv_rank > 0;
    uint64_t k = latent ? b->heads : b->kv_heads;
    uint64_t d_q = latent ? b->nope_dim + b->rope_dim : b->head_dim;
    uint64_t d_v = latent ? b->value_dim : b->head_dim;
    text = arena_print(told->arena,
                       "%s)%s + (2 x (%" PRIu64 " + %" PRIu64 ") x (%" PRIu64 " + %" PRIu64
                       ") + 2 x %d x %" PRIu64,
                       text, sp, b->heads, k, d_q, d_v, b->gated ? 3 : 2, activations_ffn(b));
    if (b->qk_norm)
        text = arena_print(told->arena, "%s + 2 x (%" PRIu64 " + %" PRIu64 ") x %" PRIu64, text,
                           b->heads, k, d_q);
    if (pass->recompute == KN_KEEP_ALL && pass->flash)
        text = arena_print(told->arena, "%s + 4 x %" PRIu64, text, b->heads);
    else if (pass->recompute == KN_KEEP_ALL)
        text = arena_print(told->arena, "%s + %d x %" PRIu64 " x %" PRIu64, text,
                           pass->dropout ? 5 : 2, b->heads, pass->sequence);
    return arena_print(told->arena, "%s) / %" PRIu64, text, pass->tensor_parallel);
}

static const char *beside_sum(const Told *told, int kind)
{
    const LayerActivations *layer = &told->training->layers[kind];
    const struct {
        double bytes;
        const char *what;
    } parts[] = {{layer->norms, "more norms"},
                 {layer->router, "the experts' probabilities"},
                 {layer->cross, "the attention over the encoder"},
                 {told->training->adapters[kind], "the adapters"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].bytes > 0)
            text = arena_print(told->arena, "%s + %.0f of %s", text, parts[i].bytes, parts[i].what);
    return text;
}

static void layers_tell(const Told *told)
{
    const KnPass *pass = &told->training->pass;
    for (int k = 0; k < told->model->kind_count; k++) {
        const LayerKind *kind = &told->model->kinds[k];
        double bytes = told->training->layers[k].total + told->training->adapters[k];
        row_text(told->rows, row_path(told->rows, "training.layers[%d].kind", k), NULL, kind->name);
        Row *row = bytes_tell(
            told, row_path(told->rows, "training.layers[%d].activations_bytes", k), NULL, bytes);
        row_explain(told->rows, row,
                    pass->recompute == KN_FULL ? "s b x the layer's input"
                                               : "s b x (norms' inputs and outputs + q, k, v, "
                                                 "o's input, the MLP's inside and the scores)",
                    "%" PRIu64 " x %" PRIu64 " x (%s)%s%s", pass->sequence, pass->batch,
                    block_sum(told, &kind->block),
                    told->training->number == 4 ? " in 16 bits, twice that in fp32" : "",
                    beside_sum(told, k));
    }
}

static const char *stage_sum(const Told *told)
{
    const Training *t = told->training;
    const TrainingStage *stage = &t->stages[t->fullest];
    const char *text = "", *plus = "";
    for (int k = 0; k < told->model->kind_count; k++) {
        int count = 0;
        for (int l = stage->from; l < stage->to; l++) count += told->model->kind_of[l] == k;
        if (count == 0) continue;
        text = arena_print(told->arena, "%s%s%d x %.0f", text, plus, count,
                           t->layers[k].total + t->adapters[k]);
        plus = " + ";
    }
    return text;
}

static void activations_tell(const Told *told)
{
    const Training *t = told->training;
    const TrainingBytes *gpu = &t->per_gpu;
    const TrainingStage *stage = &t->stages[t->fullest];
    if (told->model->layers == 0) {
        const char *why = "its layers are not known: the tensors came without a config.json";
        row_null(told->rows, "training.per_gpu.activations_bytes", "  activations", why);
        row_null(told->rows, "training.per_gpu.logits_bytes", NULL, why);
        return;
    }
    Row *row = bytes_tell(told, "training.per_gpu.activations_bytes", "  activations (estimate)",
                          gpu->activations);
    row_explain(told->rows, row,
                "micro-batches in flight x (layers' activations + tokens, dropout's mask) + "
                "final norm, head's input",
                "%" PRIu64 " x (%s + %.0f) + %.0f", stage->in_flight, stage_sum(told), stage->first,
                stage->last);
    row = bytes_tell(told, "training.per_gpu.logits_bytes", "  logits and their gradient",
                     gpu->logits);
    if (t->vocab == 0) row_explain(told->rows, row, "none: the model has no output head", "0");
    else if (stage->logits > 0)
        row_explain(told->rows, row, "2 x 4 bytes x s b V / t, in fp32",
                    "2 x 4 x %" PRIu64 " x %" PRIu64 " x %" PRIu64 " / %" PRIu64, t->pass.sequence,
                    t->pass.batch, t->vocab, t->split.tp);
    else row_explain(told->rows, row, "none: the head is in the last stage", "0");
}

static void work_tell(const Told *told)
{
    const TrainingBytes *gpu = &told->training->per_gpu;
    Row *row =
        bytes_tell(told, "training.per_gpu.work_bytes", "  work space (estimate)", gpu->work);
    row_explain(
        told->rows, row,
        "one layer's recomputed activations + gradients of activations + gathered weights and "
        "gradients + an unpacked matrix",
        "%.0f + %.0f + %.0f + %.0f", gpu->recomputed, gpu->backward, gpu->gathered, gpu->unpacked);
    bytes_tell(told, "training.per_gpu.work.recomputed_bytes", NULL, gpu->recomputed);
    bytes_tell(told, "training.per_gpu.work.backward_bytes", NULL, gpu->backward);
    bytes_tell(told, "training.per_gpu.work.gathered_bytes", NULL, gpu->gathered);
    bytes_tell(told, "training.per_gpu.work.unpacked_bytes", NULL, gpu->unpacked);
    row = bytes_tell(told, "training.per_gpu.runtime_bytes", "  runtime (estimate)", gpu->runtime);
    row_explain(told->rows, row,
                "runtime x 2^30: CUDA context and libraries; set it with --runtime", "%g x 2^30",
                told->question->runtime);
}

// ---- sums ----

static void total_tell(const Told *told)
{
    const TrainingBytes *gpu = &told->training->per_gpu;
    const char *label =
        told->model->layers > 0 ? "memory on the fullest GPU" : "memory, without activations";
    Row *row = bytes_tell(told, "training.per_gpu.total_bytes", label, gpu->total);
    row_explain(told->rows, row,
                "weights + gradients + optimizer + fp32 copies + activations + logits + work "
                "space + runtime",
                "%.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f", gpu->weights,
                gpu->gradients, gpu->optimizer, gpu->master, gpu->activations, gpu->logits,
                gpu->work, gpu->runtime);
}

static void host_tell(const Told *told)
{
    double host = told->training->per_gpu.host;
    Row *row = bytes_tell(told, "training.host_bytes",
                          host > 0 ? "host's memory, for each GPU" : NULL, host);
    if (host > 0)
        row_explain(told->rows, row, "what is offloaded x 1.5 for buffers", "%.0f x %g",
                    host / TRAINING_BUFFERS, TRAINING_BUFFERS);
}

// The same recipe at each ZeRO stage: what a stacked chart is drawn from.
static void stages_tell(const Told *told)
{
    for (int z = 0; z < ZERO_STAGES; z++) {
        const TrainingBytes *gpu = &told->training->by_zero[z];
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
            bytes_tell(told,
                       row_path(told->rows, "training.by_zero[%d].%s_bytes", z, parts[i].what),
                       NULL, parts[i].bytes);
        const char *path = row_path(told->rows, "training.by_zero[%d].fewest_gpus", z);
        if (told->training->fewest_by_zero[z] > 0)
            row_count(told->rows, path, NULL, told->training->fewest_by_zero[z], UNIT_GPUS);
        else row_null(told->rows, path, NULL, "it does not fit with any number");
    }
}

static const char *why_none(const Told *told)
{
    int zero = (int)told->question->zero;
    for (int z = zero + 1; z < ZERO_STAGES; z++)
        if (told->training->fewest_by_zero[z] > 0)
            return arena_print(told->arena, "none at ZeRO stage %d; at stage %d, %" PRIu64 " GPUs",
                               zero, z, told->training->fewest_by_zero[z]);
    return "none at any ZeRO stage: split it (--tp, --pp), recompute or offload";
}

static void room_tell(const Told *told)
{
    const Training *t = told->training;
    Rows *rows = told->rows;
    bool known = told->model->layers > 0;
    Row *row = bytes_tell(told, "training.budget_bytes",
                          arena_print(told->arena, "memory of %s", told->question->gpu_spec.name),
                          t->budget);
    row_explain(rows, row, "training may use all of it", "%.0f", t->budget);
    if (known || !t->fits) row_flag(rows, "training.fits", "  fits", t->fits);
    else row_null(rows, "training.fits", "  fits", "without its activations, which are not known");
    const char *label =
        arena_print(told->arena, "fewest GPUs, ZeRO stage %" PRIu64, told->question->zero);
    if (!known || t->fewest_gpus == 0) {
        row_null(rows, "training.fewest_gpus", label,
                 known ? why_none(told) : "activations are not known");
        return;
    }
    row = row_count(rows, "training.fewest_gpus", label, t->fewest_gpus, UNIT_GPUS);
    row_explain(rows, row, "smallest dp with which it fits x tp x pp",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64,
                (t->fewest_gpus / (t->split.tp * t->split.pp)), t->split.tp, t->split.pp);
}

bool training_tell(Rows *rows, const Model *model, const Question *question, Error *err)
{
    Training training;
    if (!training_plan(rows->arena, model, question, &training, err)) return false;
    Told told = {rows, rows->arena, model, question, &training};
    trained_tell(&told);
    total_tell(&told);
    state_tell(&told);
    activations_tell(&told);
    work_tell(&told);
    host_tell(&told);
    layers_tell(&told);
    room_tell(&told);
    stages_tell(&told);
    return true;
}
