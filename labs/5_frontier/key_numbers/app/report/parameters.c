#include "labs/5_frontier/key_numbers/app/report/report.h"
#include <inttypes.h>
#include <stdio.h>

static const char *const labels[COMPONENT_COUNT] = {
    [COMPONENT_EMBED] = "  token embeddings",
    [COMPONENT_POS] = "  position embeddings",
    [COMPONENT_ATTN] = "  attention",
    [COMPONENT_LINEAR] = "  linear attention, Mamba",
    [COMPONENT_MLP] = "  MLP",
    [COMPONENT_DENSE_MLP] = "  MLP of the dense layers",
    [COMPONENT_ROUTER] = "  routers",
    [COMPONENT_EXPERTS] = "  routed experts",
    [COMPONENT_SHARED] = "  shared experts",
    [COMPONENT_NORM] = "  norms",
    [COMPONENT_POOLER] = "  pooler",
    [COMPONENT_HEAD] = "  output head",
    [COMPONENT_VISION] = "  vision tower",
    [COMPONENT_AUDIO] = "  audio tower",
};

static void model_rows(Rows *rows, const Model *model)
{
    row_text(rows, "model.name", "model", model->name);
    row_text(rows, "model.family", "family", model->family);
    row_text(rows, "model.source", NULL, model->source);
    row_text(rows, "model.published", "published as", model->published);
    row_count(rows, "model.layers", NULL, (uint64_t)model->layers, UNIT_NONE);
    row_count(rows, "model.width", NULL, model->width, UNIT_NONE);
    row_count(rows, "model.vocabulary", NULL, model->vocab, UNIT_NONE);
    row_count(rows, "model.max_context", NULL, model->max_context, UNIT_TOKENS);
    row_flag(rows, "model.tied_embeddings", NULL, model->tied);
    for (int i = 0; i < model->note_count; i++)
        row_text(rows, row_path(rows, "model.notes[%d]", i), "note", model->notes[i])->warns =
            model->warnings >> i & 1;
}

// "q_proj 4096 x 4096", "128 experts.up_proj 768 x 2048", "input_layernorm 4096".
static const char *shape(Arena *arena, const Weight *weight)
{
    const char *copies =
        weight->copies > 1 ? arena_print(arena, "%" PRIu64 " ", weight->copies) : "";
    if (weight->rows == 1)
        return arena_print(arena, "%s%s %" PRIu64, copies, weight->name, weight->cols);
    return arena_print(arena, "%s%s %" PRIu64 " x %" PRIu64, copies, weight->name, weight->rows,
                       weight->cols);
}

// The tensors of one component that stand in one kind of layer: "32 x (q_proj ... + k_proj ...)".
static const char *tensors(Arena *arena, const Model *model, Component component, int kind)
{
    const char *text = "";
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->component != component || w->kind != kind) continue;
        sum_add(arena, &text, "%s", shape(arena, w));
    }
    if (kind == OUTSIDE || text[0] == '\0') return text;
    return arena_print(arena, "%d x (%s)", model->kinds[kind].count, text);
}

static void component_rows(Rows *rows, const Model *model, Component component)
{
    uint64_t count = model_component(model, component);
    if (count == 0) return;
    const char *text = "";
    for (int kind = OUTSIDE; kind < model->kind_count; kind++) {
        const char *part = tensors(rows->arena, model, component, kind);
        if (part[0] == '\0') continue;
        sum_add(rows->arena, &text, "%s", part);
    }
    const char *path = row_path(rows, "parameters.components.%s", component_names[component]);
    Row *row = row_count(rows, path, labels[component], count, UNIT_PARAMETERS);
    row_explain(rows, row, "sum over its tensors of rows x columns", "%s", text);
}

static void total_rows(Rows *rows, const Model *model)
{
    const char *text = "";
    for (int c = 0; c < COMPONENT_COUNT; c++) {
        uint64_t count = model_component(model, (Component)c);
        if (count == 0) continue;
        sum_add(rows->arena, &text, "%s %" PRIu64, component_names[c], count);
    }
    Row *row =
        row_count(rows, "parameters.total", "parameters", model_params(model), UNIT_PARAMETERS);
    row_explain(rows, row, "sum over its components", "%s", text);
}

static void active_rows(Rows *rows, const Model *model)
{
    uint64_t total = model_params(model), active = model_active(model),
             looked = model_looked_up(model);
    bool experts = active != total;
    Row *row = row_count(rows, "parameters.active", experts ? "active for a token" : NULL, active,
                         UNIT_PARAMETERS);
    row_explain(rows, row, "all but the experts that a token is not sent to",
                "%" PRIu64 " - %" PRIu64, total, (total - active));
    row_text(
        rows, "parameters.active_convention", NULL,
        "all parameters, embeddings and head too, without the experts that a token is not sent to");
    row = row_count(rows, "parameters.active_multiplied",
                    experts ? "  without what is only looked up" : NULL, active - looked,
                    UNIT_PARAMETERS);
    row_explain(rows, row, "active - embeddings that are looked up and not multiplied",
                "%" PRIu64 " - %" PRIu64, active, looked);
}

static void stored_rows(Rows *rows, const Model *model)
{
    uint64_t params = model_params(model), stored = model_stored(model);
    bool differs = stored != params;
    Row *row = row_count(rows, "parameters.stored", differs ? "elements in its file" : NULL, stored,
                         UNIT_PARAMETERS);
    const char *text = arena_print(rows->arena, "%" PRIu64, params);
    for (int i = 0; i < model->extra_count; i++)
        sum_add(rows->arena, &text, "%" PRIu64, model->extras[i].elements);
    if (model->stored_count == 0)
        row_explain(rows, row, "parameters + what else the file holds", "%s", text);
    for (int i = 0; i < model->extra_count; i++) {
        const Extra *extra = &model->extras[i];
        row_text(rows, row_path(rows, "parameters.stored_beside[%d].what", i),
                 "  beside the parameters", extra->what);
        row_count(rows, row_path(rows, "parameters.stored_beside[%d].elements", i), NULL,
                  extra->elements, UNIT_PARAMETERS);
    }
    for (int i = 0; i < model->stored_count; i++) {
        const char *type = model->stored[i].name;
        row_count(rows, row_path(rows, "parameters.stored_as.%s.elements", type), NULL,
                  model->stored[i].elements, UNIT_PARAMETERS);
        row_count(rows, row_path(rows, "parameters.stored_as.%s.bytes", type), NULL,
                  model->stored[i].bytes, UNIT_BYTES);
    }
}

// The closed form of a block beside what the ledger's tensors come to: two ways to the same number.
static void kind_rows(Rows *rows, const Model *model, int k)
{
    const LayerKind *kind = &model->kinds[k];
    KnParams block = kn_block_params(&kind->block);
    bool alone = model->kind_count == 1;
    const char *at = row_path(rows, "parameters.kinds[%d]", k);
    row_text(rows, row_path(rows, "%s.name", at), NULL, kind->name);
    row_count(rows, row_path(rows, "%s.layers", at), NULL, (uint64_t)kind->count, UNIT_NONE);
    const char *label = arena_print(rows->arena, "in a layer%s%s, of %d", alone ? "" : ": ",
                                    alone ? "" : kind->name, kind->count);
    Row *row = row_count(rows, row_path(rows, "%s.parameters", at), label,
                         block.total + (uint64_t)kind->other, UNIT_PARAMETERS);
    const KnBlock *b = &kind->block;
    const char *text = arena_print(rows->arena, "attention %" PRIu64, kn_attention_params(b));
    if (b->ffn > 0)
        sum_add(rows->arena, &text, "MLP %" PRIu64,
                kn_mlp_params(b->width, b->ffn, b->gated, b->mlp_bias));
    if (b->experts > 0)
        sum_add(rows->arena, &text, "router %" PRIu64 " + %" PRIu64 " experts of %" PRIu64,
                b->experts * (b->width + b->router_bias), b->experts,
                kn_mlp_params(b->width, b->expert_ffn, b->gated, b->mlp_bias));
    if (b->shared_ffn > 0)
        sum_add(rows->arena, &text, "shared %" PRIu64,
                kn_mlp_params(b->width, b->shared_ffn, b->gated, b->mlp_bias));
    sum_add(rows->arena, &text, "norms %" PRIu64, b->norms);
    if (kind->other != 0) sum_add(rows->arena, &text, "other %" PRId64, kind->other);
    row_explain(rows, row, "attention + MLP or router and experts + norms", "%s", text);
    row_count(rows, row_path(rows, "%s.active", at), NULL, block.active + (uint64_t)kind->other,
              UNIT_PARAMETERS);
}

static void ledger_rows(Rows *rows, const Model *model)
{
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        const char *at = row_path(rows, "parameters.ledger[%d]", i);
        row_text(rows, row_path(rows, "%s.tensor", at), NULL, w->name);
        row_text(rows, row_path(rows, "%s.component", at), NULL, component_names[w->component]);
        row_count(rows, row_path(rows, "%s.rows", at), NULL, w->rows, UNIT_NONE);
        row_count(rows, row_path(rows, "%s.columns", at), NULL, w->cols, UNIT_NONE);
        row_count(rows, row_path(rows, "%s.copies", at), NULL, w->copies, UNIT_NONE);
        row_count(rows, row_path(rows, "%s.layers", at), NULL, (uint64_t)weight_layers(model, w),
                  UNIT_NONE);
        row_count(rows, row_path(rows, "%s.elements", at), NULL, weight_elements(model, w),
                  UNIT_PARAMETERS);
    }
}

void parameters_rows(Rows *rows, const Model *model)
{
    model_rows(rows, model);
    total_rows(rows, model);
    for (int c = 0; c < COMPONENT_COUNT; c++) component_rows(rows, model, (Component)c);
    for (int k = 0; k < model->kind_count; k++) kind_rows(rows, model, k);
    active_rows(rows, model);
    stored_rows(rows, model);
    ledger_rows(rows, model);
}
