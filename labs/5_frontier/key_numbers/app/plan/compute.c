#include "labs/5_frontier/key_numbers/app/plan/compute.h"
#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/app/plan/training_run.h"

// ---- one token ----

static double positions_of(const LayerKind *kind, uint64_t sequence, Positions positions)
{
    double s = (double)sequence, w = kind->window > 0 ? fmin((double)kind->window, s) : s;
    switch (positions) {
    case POSITIONS_FULL: return s;
    case POSITIONS_LAST: return w;
    case POSITIONS_CAUSAL: break;
    }
    return kind->causal ? w - w * w / (2 * s) : w;
}

// Scores and values of one position.
static double attention_of(const LayerKind *kind, Positions positions)
{
    const KnBlock *b = &kind->block;
    if (b->kv_rank > 0 && positions == POSITIONS_LAST && kind->caches)
        return 2 * (double)(b->heads * (2 * b->kv_rank + b->rope_dim));
    return kn_forward_flops(b, kind->vectors, 1) - kn_forward_flops(b, kind->vectors, 0);
}

// An encoder-decoder's prompt goes through its encoder, a new token through its decoder.
static bool in_phase(const Model *model, const LayerKind *kind, Phase phase)
{
    bool encoder = false;
    for (int k = 0; k < model->kind_count; k++) encoder = encoder || !model->kinds[k].caches;
    return phase == PHASE_BOTH || !encoder || kind->caches == (phase == PHASE_DECODE);
}

TokenFlops compute_token(const Model *model, uint64_t sequence, Positions positions, Phase phase)
{
    TokenFlops flops = {0};
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (!in_phase(model, kind, phase)) continue;
        double layers = kind->count, at = attention_of(kind, positions);
        flops.matrices +=
            layers * (kn_forward_flops(&kind->block, kind->vectors, 0) + 2 * (double)kind->other);
        flops.attention += layers * at * positions_of(kind, sequence, positions);
        if (kind->cross)
            flops.attention += layers * at * (double)sequence;    // all of the encoder's tokens
    }
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->role == ROLE_HEAD || (w->role == ROLE_EMBED && model->tied))
            flops.head += 2 * (double)weight_elements(model, w);
    }
    return flops;
}

double compute_forward(const Model *model, uint64_t sequence, Positions positions)
{
    TokenFlops flops = compute_token(model, sequence, positions, PHASE_BOTH);
    return flops.matrices + flops.attention + flops.head;
}

double compute_six_n(const Model *model)
{
    uint64_t beside = model_looked_up(model);
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        bool once = w->component == COMPONENT_VISION || w->component == COMPONENT_POOLER;
        if (once && w->role != ROLE_POSITION) beside += weight_elements(model, w);
    }
    return 6 * (double)(model_active(model) - beside);
}

double compute_training(const Model *model, uint64_t sequence)
{
    return 3 * compute_forward(model, sequence, POSITIONS_CAUSAL);
}

double compute_recomputed(const Model *model, uint64_t sequence, Positions positions)
{
    TokenFlops flops = compute_token(model, sequence, positions, PHASE_BOTH);
    return 4 * (flops.matrices + flops.attention) + 3 * flops.head;
}

// ---- telling ----

static void explain_kinds(Rows *rows, Row *entry, const Model *model, uint64_t sequence)
{
    TokenFlops flops = compute_token(model, sequence, POSITIONS_CAUSAL, PHASE_BOTH);
    const char *text = "";
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        double matrices =
            kn_forward_flops(&kind->block, kind->vectors, 0) + 2 * (double)kind->other;
        text = arena_print(rows->arena, "%s%d x (2 x %.0f + %.0f x %g) + ", text, kind->count,
                           matrices / 2, attention_of(kind, POSITIONS_CAUSAL),
                           positions_of(kind, sequence, POSITIONS_CAUSAL));
    }
    row_explain(rows, entry,
                "sum over kinds: layers x (2 x parameters in matrices + 2 a (d_q + d_v) x "
                "positions, s/2 or a window's) + 2 V h",
                "%s%.0f", text, flops.head);
}

static void conventions_tell(Rows *rows, const Model *model, uint64_t sequence)
{
    double six_n = compute_six_n(model), n = six_n / 6;
    TokenFlops full = compute_token(model, sequence, POSITIONS_FULL, PHASE_BOTH);
    Row *entry = row_real(rows, "compute.conventions.six_n", "  as 6 N", six_n, UNIT_FLOPS);
    row_explain(rows, entry,
                "6 N, N active parameters without what is looked up, vision and pooler (Kaplan "
                "et al. 2020)",
                "6 x %.0f", n);
    entry = row_real(rows, "compute.conventions.palm", "  as PaLM counts",
                     six_n + 3 * full.attention, UNIT_FLOPS);
    row_explain(
        rows, entry,
        "6 N + 12 L a d s: attention over the full square (Chowdhery et al. 2022, appendix B)",
        "6 x %.0f + 3 x %.0f", n, full.attention);
    entry = row_real(rows, "compute.conventions.palm_recomputed", NULL,
                     (4 * six_n + 12 * full.attention) / 3, UNIT_FLOPS);
    row_explain(rows, entry, "8 N + 16 L a d s: and all of forward computed again",
                "8 x %.0f + 4 x %.0f", n, full.attention);
    entry = row_real(rows, "compute.conventions.narayanan", NULL,
                     compute_recomputed(model, sequence, POSITIONS_FULL), UNIT_FLOPS);
    row_explain(rows, entry,
                "96 L h^2 (1 + s/(6h) + V/(16 L h)) of a GPT: layers computed again, logits not "
                "(Narayanan et al. 2021)",
                "4 x (%.0f + %.0f) + 3 x %.0f", full.matrices, full.attention, full.head);
    entry = row_real(rows, "compute.conventions.kaplan_forward", NULL,
                     full.matrices + full.attention / 2, UNIT_FLOPS);
    row_explain(rows, entry,
                "2 N + 2 L s d_attn, N without embeddings and head (Kaplan et al. 2020, table 1)",
                "%.0f + %.0f", full.matrices, full.attention / 2);
}

static void flops_tell(Rows *rows, const Model *model, uint64_t sequence)
{
    TokenFlops flops = compute_token(model, sequence, POSITIONS_CAUSAL, PHASE_BOTH);
    double forward = flops.matrices + flops.attention + flops.head;
    Row *entry =
        row_real(rows, "compute.forward_flops_per_token",
                 arena_print(rows->arena, "FLOPs per token of %" PRIu64 ", forward", sequence),
                 forward, UNIT_FLOPS);
    explain_kinds(rows, entry, model, sequence);
    row_real(rows, "compute.forward.matrices", NULL, flops.matrices, UNIT_FLOPS);
    row_real(rows, "compute.forward.attention", NULL, flops.attention, UNIT_FLOPS);
    row_real(rows, "compute.forward.head", NULL, flops.head, UNIT_FLOPS);
    entry = row_real(rows, "compute.training_flops_per_token", "  training",
                     compute_training(model, sequence), UNIT_FLOPS);
    row_explain(rows, entry, "3 x forward: backward multiplies by each matrix twice", "3 x %.0f",
                forward);
    entry = row_real(rows, "compute.recomputed_flops_per_token", NULL,
                     compute_recomputed(model, sequence, POSITIONS_CAUSAL), UNIT_FLOPS);
    row_explain(rows, entry, "4 x layers + 3 x head: with full recomputation",
                "4 x (%.0f + %.0f) + 3 x %.0f", flops.matrices, flops.attention, flops.head);
    row_text(rows, "compute.convention", NULL,
             "2 for a multiplication and addition; attention with a causal mask; head counted, "
             "look-ups not");
    for (int k = 0; k < model->kind_count; k++) {
        if (model->kinds[k].index_dim == 0) continue;
        row_text(rows, "compute.note", "note",
                 "FLOPs count every position; its indexer picks fewer at long contexts");
        break;
    }
    conventions_tell(rows, model, sequence);
}

static void unknown_tell(Rows *rows)
{
    static const char *const paths[] = {
        "compute.forward_flops_per_token",  "compute.training_flops_per_token",
        "compute.prefill.seconds",          "compute.decode.seconds_per_token",
        "compute.decode.tokens_per_second", "compute.training.flops"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        row_null(rows, paths[i], i == 0 ? "FLOPs" : NULL,
                 "its layers are not known: the tensors came without a config.json");
}

bool compute_tell(Rows *rows, const Model *model, const Question *question, Error *err)
{
    row_count(rows, "compute.sequence", NULL, question->sequence, UNIT_TOKENS);
    if (model->layers == 0) {
        unknown_tell(rows);
        return true;
    }
    flops_tell(rows, model, question->sequence);
    if (!speed_tell(rows, model, question, err)) return false;
    training_run_tell(rows, model, question);
    return true;
}
