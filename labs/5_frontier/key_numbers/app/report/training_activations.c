#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/app/report/training_section.h"

// A sequence of 1e8 tokens whose scores are stored passes 2^64 bytes.
Row *training_bytes_row(const TrainingSection *section, const char *path, const char *label,
                        double bytes)
{
    if (bytes < 1e18)
        return row_count(section->rows, path, label, (uint64_t)ceil(bytes), UNIT_BYTES);
    return row_real(section->rows, path, label, bytes, UNIT_BYTES);
}

// The sum behind kn_activation_bytes(), of one token, with this block's numbers.
static const char *block_sum(const TrainingSection *section, const KnBlock *b)
{
    const KnPass *pass = &section->training->pass;
    const char *sp = pass->sequence_parallel
                         ? arena_print(section->arena, " / %" PRIu64, pass->tensor_parallel)
                         : "";
    if (pass->recompute == KN_FULL)
        return arena_print(section->arena, "2 x %" PRIu64 "%s", b->width, sp);
    const char *text = arena_print(section->arena, "(8 x %" PRIu64, b->width);
    if (pass->dropout) sum_add(section->arena, &text, "2 x %" PRIu64, b->width);
    if (b->kv_rank > 0)
        sum_add(section->arena, &text, "4 x (%" PRIu64 " + %" PRIu64 ")", b->q_rank, b->kv_rank);
    if (b->active_experts > 0)
        sum_add(section->arena, &text, "4 x %" PRIu64 " x %" PRIu64, b->active_experts, b->width);
    bool latent = b->kv_rank > 0;
    uint64_t k = latent ? b->heads : b->kv_heads;
    uint64_t d_q = latent ? b->nope_dim + b->rope_dim : b->head_dim;
    uint64_t d_v = latent ? b->value_dim : b->head_dim;
    text = arena_print(section->arena,
                       "%s)%s + (2 x (%" PRIu64 " + %" PRIu64 ") x (%" PRIu64 " + %" PRIu64
                       ") + 2 x %d x %" PRIu64,
                       text, sp, b->heads, k, d_q, d_v, b->gated ? 3 : 2, activations_ffn(b));
    if (b->qk_norm)
        sum_add(section->arena, &text, "2 x (%" PRIu64 " + %" PRIu64 ") x %" PRIu64, b->heads, k,
                d_q);
    if (pass->recompute == KN_KEEP_ALL && pass->flash)
        sum_add(section->arena, &text, "4 x %" PRIu64, b->heads);
    else if (pass->recompute == KN_KEEP_ALL)
        sum_add(section->arena, &text, "%d x %" PRIu64 " x %" PRIu64, pass->dropout ? 5 : 2,
                b->heads, pass->sequence);
    return arena_print(section->arena, "%s) / %" PRIu64, text, pass->tensor_parallel);
}

static const char *beside_sum(const TrainingSection *section, int kind)
{
    const LayerActivations *layer = &section->training->layers[kind];
    const struct {
        double bytes;
        const char *what;
    } parts[] = {{layer->norms, "more norms"},
                 {layer->router, "the experts' probabilities"},
                 {layer->cross, "the attention over the encoder"},
                 {section->training->adapters[kind], "the adapters"},
                 {section->training->plain[kind], "transformers' modules"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].bytes > 0)
            text =
                arena_print(section->arena, "%s + %.0f of %s", text, parts[i].bytes, parts[i].what);
    return text;
}

void training_layers_rows(const TrainingSection *section)
{
    const KnPass *pass = &section->training->pass;
    for (int k = 0; k < section->model->kind_count; k++) {
        const LayerKind *kind = &section->model->kinds[k];
        double bytes = section->training->layers[k].total + section->training->adapters[k] +
                       section->training->plain[k];
        row_text(section->rows, row_path(section->rows, "training.layers[%d].kind", k), NULL,
                 kind->name);
        Row *row = training_bytes_row(
            section, row_path(section->rows, "training.layers[%d].activations_bytes", k), NULL,
            bytes);
        row_explain(section->rows, row,
                    pass->recompute == KN_FULL ? "s b x the layer's input"
                                               : "s b x (norms' inputs and outputs + q, k, v, "
                                                 "o's input, the MLP's inside and the scores)",
                    "%" PRIu64 " x %" PRIu64 " x (%s)%s%s", pass->sequence, pass->batch,
                    block_sum(section, &kind->block),
                    section->training->number == 4 ? " in 16 bits, twice that in fp32" : "",
                    beside_sum(section, k));
    }
}

static const char *stage_sum(const TrainingSection *section)
{
    const TrainingMemory *t = section->training;
    const TrainingStage *stage = &t->stages[t->fullest];
    const char *text = "";
    for (int k = 0; k < section->model->kind_count; k++) {
        int count = 0;
        for (int l = stage->from; l < stage->to; l++) count += section->model->kind_of[l] == k;
        if (count == 0) continue;
        sum_add(section->arena, &text, "%d x %.0f", count,
                t->layers[k].total + t->adapters[k] + t->plain[k]);
    }
    return text;
}

void training_activations_rows(const TrainingSection *section)
{
    const TrainingMemory *t = section->training;
    const TrainingBytes *gpu = &t->per_gpu;
    const TrainingStage *stage = &t->stages[t->fullest];
    if (section->model->layers == 0) {
        const char *why = "its layers are not known: the tensors came without a config.json";
        row_null(section->rows, "training.per_gpu.activations_bytes", "  activations", why);
        row_null(section->rows, "training.per_gpu.logits_bytes", NULL, why);
        return;
    }
    Row *row = training_bytes_row(section, "training.per_gpu.activations_bytes",
                                  "  activations (estimate)", gpu->activations);
    row_explain(section->rows, row,
                "micro-batches in flight x (layers' activations + tokens, dropout's mask) + "
                "final norm, head's input",
                "%" PRIu64 " x (%s + %.0f) + %.0f", stage->in_flight, stage_sum(section),
                stage->first, stage->last);
    row = training_bytes_row(section, "training.per_gpu.logits_bytes",
                             "  logits and their gradient", gpu->logits);
    if (t->vocab == 0) row_explain(section->rows, row, "none: the model has no output head", "0");
    else if (stage->logits > 0)
        row_explain(section->rows, row,
                    t->options.runtime == RUNTIME_TRANSFORMERS
                        ? "14 bytes x s b V / t: 2, as floats 4, log-softmax 4, gradient 4"
                        : "2 x 4 bytes x s b V / t, in fp32",
                    "%d x %" PRIu64 " x %" PRIu64 " x %" PRIu64 " / %" PRIu64,
                    t->options.runtime == RUNTIME_TRANSFORMERS ? 14 : 8, t->pass.sequence,
                    t->pass.batch, t->vocab, t->split.tp);
    else row_explain(section->rows, row, "none: the head is in the last stage", "0");
}
