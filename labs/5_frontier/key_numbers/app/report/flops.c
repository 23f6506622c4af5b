#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

static void explain_kinds(Rows *rows, Row *row, const Flops *flops, const Model *model)
{
    const char *text = "";
    for (int k = 0; k < model->kind_count; k++) {
        const KindFlops *kind = &flops->kinds[k];
        text = arena_print(rows->arena, "%s%d x (2 x %.0f + %.0f x %g) + ", text,
                           model->kinds[k].count, kind->matrices / 2, kind->attention,
                           kind->positions);
    }
    row_explain(rows, row,
                "sum over kinds: layers x (2 x parameters in matrices + 2 a (d_q + d_v) x "
                "positions, s/2 or a window's) + 2 V h",
                "%s%.0f", text, flops->causal.head);
}

static void conventions_rows(Rows *rows, const Flops *flops)
{
    double n = flops->six_n / 6;
    TokenFlops full = flops->full;
    Row *row = row_real(rows, "compute.conventions.six_n", "  as 6 N", flops->six_n, UNIT_FLOPS);
    row_explain(rows, row,
                "6 N, N active parameters without what is looked up, vision and pooler (Kaplan "
                "et al. 2020)",
                "6 x %.0f", n);
    row = row_real(rows, "compute.conventions.palm", "  as PaLM counts", flops->palm, UNIT_FLOPS);
    row_explain(
        rows, row,
        "6 N + 12 L a d s: attention over the full square (Chowdhery et al. 2022, appendix B)",
        "6 x %.0f + 3 x %.0f", n, full.attention);
    row = row_real(rows, "compute.conventions.palm_recomputed", NULL, flops->palm_recomputed,
                   UNIT_FLOPS);
    row_explain(rows, row, "8 N + 16 L a d s: and all of forward computed again",
                "8 x %.0f + 4 x %.0f", n, full.attention);
    row = row_real(rows, "compute.conventions.narayanan", NULL, flops->narayanan, UNIT_FLOPS);
    row_explain(rows, row,
                "96 L h^2 (1 + s/(6h) + V/(16 L h)) of a GPT: layers computed again, logits not "
                "(Narayanan et al. 2021)",
                "4 x (%.0f + %.0f) + 3 x %.0f", full.matrices, full.attention, full.head);
    row = row_real(rows, "compute.conventions.kaplan_forward", NULL, flops->kaplan_forward,
                   UNIT_FLOPS);
    row_explain(rows, row,
                "2 N + 2 L s d_attn, N without embeddings and head (Kaplan et al. 2020, table 1)",
                "%.0f + %.0f", full.matrices, full.attention / 2);
}

void flops_rows(Rows *rows, const Flops *flops, const Model *model)
{
    TokenFlops one = flops->causal;
    Row *row = row_real(
        rows, "compute.forward_flops_per_token",
        arena_print(rows->arena, "FLOPs per token of %" PRIu64 ", forward", flops->sequence),
        flops->forward, UNIT_FLOPS);
    explain_kinds(rows, row, flops, model);
    row_real(rows, "compute.forward.matrices", NULL, one.matrices, UNIT_FLOPS);
    row_real(rows, "compute.forward.attention", NULL, one.attention, UNIT_FLOPS);
    row_real(rows, "compute.forward.head", NULL, one.head, UNIT_FLOPS);
    row = row_real(rows, "compute.training_flops_per_token", "  training", flops->training,
                   UNIT_FLOPS);
    row_explain(rows, row, "3 x forward: backward multiplies by each matrix twice", "3 x %.0f",
                flops->forward);
    row = row_real(rows, "compute.recomputed_flops_per_token", NULL, flops->recomputed, UNIT_FLOPS);
    row_explain(rows, row, "4 x layers + 3 x head: with full recomputation",
                "4 x (%.0f + %.0f) + 3 x %.0f", one.matrices, one.attention, one.head);
    row_text(rows, "compute.convention", NULL,
             "2 for a multiplication and addition; attention with a causal mask; head counted, "
             "look-ups not");
    for (int k = 0; k < model->kind_count; k++) {
        if (model->kinds[k].index_dim == 0) continue;
        row_text(rows, "compute.note", "note",
                 "FLOPs count every position; its indexer picks fewer at long contexts");
        break;
    }
    conventions_rows(rows, flops);
}
