// What training.c worked out, as training.* of a sheet. Each path is told whatever the question, so
// that a sweep finds it in every answer.
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/adapters.h"
#include "labs/5_frontier/key_numbers/app/plan/optimizer.h"
#include "labs/5_frontier/key_numbers/app/plan/training.h"

typedef unsigned long long Digits;    // what %llu takes

// What the functions below tell of.
typedef struct Told {
    Sheet *sheet;
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
static Entry *bytes_tell(const Told *told, const char *path, const char *label, double bytes)
{
    if (bytes < 1e18)
        return sheet_count(told->sheet, path, label, (uint64_t)ceil(bytes), UNIT_BYTES);
    return sheet_real(told->sheet, path, label, bytes, UNIT_BYTES);
}

// ---- what is trained ----

static const char *adapters_sum(const Told *told)
{
    const char *text = arena_print(told->arena, "%llu x (", (Digits)told->question->rank);
    const char *plus = "";
    for (int i = 0; i < told->model->weight_count; i++) {
        const Weight *w = &told->model->weights[i];
        if (!adapters_on(w, told->question->targets)) continue;
        uint64_t copies = w->copies * (uint64_t)weight_layers(told->model, w);
        text = arena_print(told->arena, "%s%s%llu x (%llu + %llu)", text, plus, (Digits)copies,
                           (Digits)w->cols, (Digits)w->rows);
        plus = " + ";
    }
    return arena_print(told->arena, "%s)", text);
}

static void trained_tell(const Told *told)
{
    const Question *q = told->question;
    const Training *t = told->training;
    Sheet *sheet = told->sheet;
    sheet_count(sheet, "training.parameters", NULL, t->params, UNIT_PARAMETERS);
    Entry *entry =
        sheet_count(sheet, "training.trained", "trained parameters", t->trained, UNIT_PARAMETERS);
    if (is(q->method, "full"))
        entry_explain(sheet, entry, "all parameters", "%llu", (Digits)t->params);
    else
        entry_explain(sheet, entry, "r x sum over targeted matrices of d_in + d_out", "%s",
                      adapters_sum(told));
    sheet_text(sheet, "training.method", NULL, q->method);
    sheet_text(sheet, "training.optimizer", NULL, q->optimizer);
    sheet_text(sheet, "training.optimizer_about", NULL, optimizer_about(q->optimizer));
    sheet_text(sheet, "training.precision", NULL, q->precision);
    sheet_flag(sheet, "training.dropout", NULL, t->pass.dropout);
    sheet_count(sheet, "training.zero", NULL, q->zero, UNIT_NONE);
    sheet_text(sheet, "training.gpu", NULL, q->card.name);
    entry = sheet_count(sheet, "training.gpus", "GPUs", t->gpus, UNIT_GPUS);
    entry_explain(sheet, entry, "data-parallel x tensor-parallel x pipeline stages",
                  "%llu x %llu x %llu", (Digits)t->dp, (Digits)t->split.tp, (Digits)t->split.pp);
    sheet_count(sheet, "training.fullest_stage",
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
        const char *by = divided ? arena_print(told->arena, " / %llu", (Digits)n) : "";
        if (part->trained > 0 && each > 0) {
            text = arena_print(told->arena, "%s%s%g x %llu%s", text, plus, each,
                               (Digits)part->trained, by);
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

static void explain_state(const Told *told, Entry *entry, const char *formula, const char *sum,
                          bool on_host)
{
    if (on_host) entry_explain(told->sheet, entry, "none: kept in the host's memory", "0");
    else entry_explain(told->sheet, entry, formula, "%s", sum);
}

static void state_tell(const Told *told)
{
    const Training *t = told->training;
    const TrainingBytes *gpu = &t->per_gpu;
    const TrainingStage *stage = &t->stages[t->fullest];
    bool frozen = stage->parts[PART_DENSE].frozen + stage->parts[PART_EXPERTS].frozen > 0;
    bool state_off = !is(told->question->offload, "none");
    bool all_off = is(told->question->offload, "all");

    Entry *entry = bytes_tell(told, "training.per_gpu.weights_bytes", "  weights", gpu->weights);
    explain_state(
        told, entry,
        frozen ? "bytes x adapters' parameters + the frozen base; ZeRO 3: / data-parallel GPUs"
               : "bytes x parameters on this GPU; ZeRO 3: / data-parallel GPUs",
        state_sum(told, t->recipe.weights, true, 3), all_off);
    entry = bytes_tell(told, "training.per_gpu.gradients_bytes", "  gradients", gpu->gradients);
    explain_state(told, entry, "bytes x trained parameters; ZeRO 2 and 3: / data-parallel GPUs",
                  state_sum(told, t->recipe.gradients, false, 2), state_off);
    entry =
        bytes_tell(told, "training.per_gpu.optimizer_bytes", "  optimizer state", gpu->optimizer);
    explain_state(told, entry,
                  arena_print(told->arena, "%s: %s; ZeRO 1 to 3: / data-parallel GPUs",
                              told->question->optimizer,
                              optimizer_about(told->question->optimizer)),
                  state_sum(told, moments_each(stage), false, 1), state_off);
    entry = bytes_tell(told, "training.per_gpu.master_bytes", "  fp32 copies", gpu->master);
    explain_state(told, entry,
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
                         ? arena_print(told->arena, " / %llu", (Digits)pass->tensor_parallel)
                         : "";
    if (pass->recompute == KN_FULL)
        return arena_print(told->arena, "2 x %llu%s", (Digits)b->width, sp);
    const char *text = arena_print(told->arena, "(8 x %llu", (Digits)b->width);
    if (pass->dropout) text = arena_print(told->arena, "%s + 2 x %llu", text, (Digits)b->width);
    if (b->kv_rank > 0)
        text = arena_print(told->arena, "%s + 4 x (%llu + %llu)", text, (Digits)b->q_rank,
                           (Digits)b->kv_rank);
    if (b->active_experts > 0)
        text = arena_print(told->arena, "%s + 4 x %llu x %llu", text, (Digits)b->active_experts,
                           (Digits)b->width);
    bool latent = b->kv_rank > 0;
    uint64_t k = latent ? b->heads : b->kv_heads;
    uint64_t d_q = latent ? b->nope_dim + b->rope_dim : b->head_dim;
    uint64_t d_v = latent ? b->value_dim : b->head_dim;
    text = arena_print(told->arena, "%s)%s + (2 x (%llu + %llu) x (%llu + %llu) + 2 x %d x %llu",
                       text, sp, (Digits)b->heads, (Digits)k, (Digits)d_q, (Digits)d_v,
                       b->gated ? 3 : 2, (Digits)activations_ffn(b));
    if (b->qk_norm)
        text = arena_print(told->arena, "%s + 2 x (%llu + %llu) x %llu", text, (Digits)b->heads,
                           (Digits)k, (Digits)d_q);
    if (pass->recompute == KN_KEEP_ALL && pass->flash)
        text = arena_print(told->arena, "%s + 4 x %llu", text, (Digits)b->heads);
    else if (pass->recompute == KN_KEEP_ALL)
        text = arena_print(told->arena, "%s + %d x %llu x %llu", text, pass->dropout ? 5 : 2,
                           (Digits)b->heads, (Digits)pass->sequence);
    return arena_print(told->arena, "%s) / %llu", text, (Digits)pass->tensor_parallel);
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
        sheet_text(told->sheet, sheet_path(told->sheet, "training.layers[%d].kind", k), NULL,
                   kind->name);
        Entry *entry = bytes_tell(
            told, sheet_path(told->sheet, "training.layers[%d].activations_bytes", k), NULL, bytes);
        entry_explain(told->sheet, entry,
                      pass->recompute == KN_FULL ? "s b x the layer's input"
                                                 : "s b x (norms' inputs and outputs + q, k, v, "
                                                   "o's input, the MLP's inside and the scores)",
                      "%llu x %llu x (%s)%s%s", (Digits)pass->sequence, (Digits)pass->batch,
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
        sheet_null(told->sheet, "training.per_gpu.activations_bytes", "  activations", why);
        sheet_null(told->sheet, "training.per_gpu.logits_bytes", NULL, why);
        return;
    }
    Entry *entry = bytes_tell(told, "training.per_gpu.activations_bytes",
                              "  activations (estimate)", gpu->activations);
    entry_explain(told->sheet, entry,
                  "micro-batches in flight x (layers' activations + tokens, dropout's mask) + "
                  "final norm, head's input",
                  "%llu x (%s + %.0f) + %.0f", (Digits)stage->in_flight, stage_sum(told),
                  stage->first, stage->last);
    entry = bytes_tell(told, "training.per_gpu.logits_bytes", "  logits and their gradient",
                       gpu->logits);
    if (t->vocab == 0) entry_explain(told->sheet, entry, "none: the model has no output head", "0");
    else if (stage->logits > 0)
        entry_explain(told->sheet, entry, "2 x 4 bytes x s b V / t, in fp32",
                      "2 x 4 x %llu x %llu x %llu / %llu", (Digits)t->pass.sequence,
                      (Digits)t->pass.batch, (Digits)t->vocab, (Digits)t->split.tp);
    else entry_explain(told->sheet, entry, "none: the head is in the last stage", "0");
}

static void work_tell(const Told *told)
{
    const TrainingBytes *gpu = &told->training->per_gpu;
    Entry *entry =
        bytes_tell(told, "training.per_gpu.work_bytes", "  work space (estimate)", gpu->work);
    entry_explain(
        told->sheet, entry,
        "one layer's recomputed activations + gradients of activations + gathered weights and "
        "gradients + an unpacked matrix",
        "%.0f + %.0f + %.0f + %.0f", gpu->recomputed, gpu->backward, gpu->gathered, gpu->unpacked);
    bytes_tell(told, "training.per_gpu.work.recomputed_bytes", NULL, gpu->recomputed);
    bytes_tell(told, "training.per_gpu.work.backward_bytes", NULL, gpu->backward);
    bytes_tell(told, "training.per_gpu.work.gathered_bytes", NULL, gpu->gathered);
    bytes_tell(told, "training.per_gpu.work.unpacked_bytes", NULL, gpu->unpacked);
    entry =
        bytes_tell(told, "training.per_gpu.runtime_bytes", "  runtime (estimate)", gpu->runtime);
    entry_explain(told->sheet, entry,
                  "runtime x 2^30: CUDA context and libraries; set it with --runtime", "%g x 2^30",
                  told->question->runtime);
}

// ---- sums ----

static void total_tell(const Told *told)
{
    const TrainingBytes *gpu = &told->training->per_gpu;
    const char *label =
        told->model->layers > 0 ? "memory on the fullest GPU" : "memory, without activations";
    Entry *entry = bytes_tell(told, "training.per_gpu.total_bytes", label, gpu->total);
    entry_explain(told->sheet, entry,
                  "weights + gradients + optimizer + fp32 copies + activations + logits + work "
                  "space + runtime",
                  "%.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f + %.0f", gpu->weights,
                  gpu->gradients, gpu->optimizer, gpu->master, gpu->activations, gpu->logits,
                  gpu->work, gpu->runtime);
}

static void host_tell(const Told *told)
{
    double host = told->training->per_gpu.host;
    Entry *entry = bytes_tell(told, "training.host_bytes",
                              host > 0 ? "host's memory, for each GPU" : NULL, host);
    if (host > 0)
        entry_explain(told->sheet, entry, "what is offloaded x 1.5 for buffers", "%.0f x %g",
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
                       sheet_path(told->sheet, "training.by_zero[%d].%s_bytes", z, parts[i].what),
                       NULL, parts[i].bytes);
        const char *path = sheet_path(told->sheet, "training.by_zero[%d].fewest_gpus", z);
        if (told->training->fewest_by_zero[z] > 0)
            sheet_count(told->sheet, path, NULL, told->training->fewest_by_zero[z], UNIT_GPUS);
        else sheet_null(told->sheet, path, NULL, "it does not fit with any number");
    }
}

static const char *why_none(const Told *told)
{
    int zero = (int)told->question->zero;
    for (int z = zero + 1; z < ZERO_STAGES; z++)
        if (told->training->fewest_by_zero[z] > 0)
            return arena_print(told->arena, "none at ZeRO stage %d; at stage %d, %llu GPUs", zero,
                               z, (Digits)told->training->fewest_by_zero[z]);
    return "none at any ZeRO stage: split it (--tp, --pp), recompute or offload";
}

static void room_tell(const Told *told)
{
    const Training *t = told->training;
    Sheet *sheet = told->sheet;
    bool known = told->model->layers > 0;
    Entry *entry =
        bytes_tell(told, "training.budget_bytes",
                   arena_print(told->arena, "memory of %s", told->question->card.name), t->budget);
    entry_explain(sheet, entry, "training may use all of it", "%.0f", t->budget);
    if (known || !t->fits) sheet_flag(sheet, "training.fits", "  fits", t->fits);
    else
        sheet_null(sheet, "training.fits", "  fits",
                   "without its activations, which are not known");
    const char *label =
        arena_print(told->arena, "fewest GPUs, ZeRO stage %llu", (Digits)told->question->zero);
    if (!known || t->fewest_gpus == 0) {
        sheet_null(sheet, "training.fewest_gpus", label,
                   known ? why_none(told) : "activations are not known");
        return;
    }
    entry = sheet_count(sheet, "training.fewest_gpus", label, t->fewest_gpus, UNIT_GPUS);
    entry_explain(sheet, entry, "smallest dp with which it fits x tp x pp", "%llu x %llu x %llu",
                  (Digits)(t->fewest_gpus / (t->split.tp * t->split.pp)), (Digits)t->split.tp,
                  (Digits)t->split.pp);
}

bool training_tell(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    Training training;
    if (!training_plan(sheet->arena, model, question, &training, err)) return false;
    Told told = {sheet, sheet->arena, model, question, &training};
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
