#include "labs/5_frontier/key_numbers/app/report/parameters.h"
#include <stdio.h>

typedef unsigned long long Digits;    // what %llu takes

static const char *const labels[COMPONENT_COUNT] = {
    [COMPONENT_EMBED] = "  token embeddings",
    [COMPONENT_POS] = "  position embeddings",
    [COMPONENT_ATTN] = "  attention",
    [COMPONENT_MLP] = "  MLP",
    [COMPONENT_DENSE_MLP] = "  MLP of the dense layers",
    [COMPONENT_ROUTER] = "  routers",
    [COMPONENT_EXPERTS] = "  routed experts",
    [COMPONENT_SHARED] = "  shared experts",
    [COMPONENT_NORM] = "  norms",
    [COMPONENT_POOLER] = "  pooler",
    [COMPONENT_HEAD] = "  output head",
    [COMPONENT_VISION] = "  vision tower",
};

static void model_tell(Sheet *sheet, const Model *model)
{
    sheet_text(sheet, "model.name", "model", model->name);
    sheet_text(sheet, "model.family", "family", model->family);
    sheet_text(sheet, "model.source", NULL, model->source);
    sheet_text(sheet, "model.published", "published as", model->published);
    sheet_count(sheet, "model.layers", NULL, (uint64_t)model->layers, UNIT_NONE);
    sheet_count(sheet, "model.width", NULL, model->width, UNIT_NONE);
    sheet_count(sheet, "model.vocabulary", NULL, model->vocab, UNIT_NONE);
    sheet_count(sheet, "model.max_context", NULL, model->max_context, UNIT_TOKENS);
    sheet_flag(sheet, "model.tied_embeddings", NULL, model->tied);
    for (int i = 0; i < model->note_count; i++)
        sheet_text(sheet, sheet_path(sheet, "model.notes[%d]", i), "note", model->notes[i]);
}

// "q_proj 4096 x 4096", "128 experts.up_proj 768 x 2048", "input_layernorm 4096".
static const char *shape(Arena *arena, const Weight *weight)
{
    const char *copies =
        weight->copies > 1 ? arena_print(arena, "%llu ", (Digits)weight->copies) : "";
    if (weight->rows == 1)
        return arena_print(arena, "%s%s %llu", copies, weight->name, (Digits)weight->cols);
    return arena_print(arena, "%s%s %llu x %llu", copies, weight->name, (Digits)weight->rows,
                       (Digits)weight->cols);
}

// The tensors of one component that stand in one kind of layer: "32 x (q_proj ... + k_proj ...)".
static const char *tensors(Arena *arena, const Model *model, Component component, int kind)
{
    const char *text = "", *plus = "";
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->component != component || w->kind != kind) continue;
        text = arena_print(arena, "%s%s%s", text, plus, shape(arena, w));
        plus = " + ";
    }
    if (kind == OUTSIDE || text[0] == '\0') return text;
    return arena_print(arena, "%d x (%s)", model->kinds[kind].count, text);
}

static void component_tell(Sheet *sheet, const Model *model, Component component)
{
    uint64_t count = model_component(model, component);
    if (count == 0) return;
    const char *text = "", *plus = "";
    for (int kind = OUTSIDE; kind < model->kind_count; kind++) {
        const char *part = tensors(sheet->arena, model, component, kind);
        if (part[0] == '\0') continue;
        text = arena_print(sheet->arena, "%s%s%s", text, plus, part);
        plus = " + ";
    }
    const char *path = sheet_path(sheet, "parameters.components.%s", component_names[component]);
    Entry *entry = sheet_count(sheet, path, labels[component], count, UNIT_PARAMETERS);
    entry_explain(sheet, entry, "sum over its tensors of rows x columns", "%s", text);
}

static void total_tell(Sheet *sheet, const Model *model)
{
    const char *text = "", *plus = "";
    for (int c = 0; c < COMPONENT_COUNT; c++) {
        uint64_t count = model_component(model, (Component)c);
        if (count == 0) continue;
        text =
            arena_print(sheet->arena, "%s%s%s %llu", text, plus, component_names[c], (Digits)count);
        plus = " + ";
    }
    Entry *entry =
        sheet_count(sheet, "parameters.total", "parameters", model_params(model), UNIT_PARAMETERS);
    entry_explain(sheet, entry, "sum over its components", "%s", text);
}

static void active_tell(Sheet *sheet, const Model *model)
{
    uint64_t total = model_params(model), active = model_active(model),
             looked = model_looked_up(model);
    bool experts = active != total;
    Entry *entry = sheet_count(sheet, "parameters.active", experts ? "active for a token" : NULL,
                               active, UNIT_PARAMETERS);
    entry_explain(sheet, entry, "all but the experts that a token is not sent to", "%llu - %llu",
                  (Digits)total, (Digits)(total - active));
    sheet_text(
        sheet, "parameters.active_convention", NULL,
        "all parameters, embeddings and head too, without the experts that a token is not sent to");
    entry = sheet_count(sheet, "parameters.active_multiplied",
                        experts ? "  without what is only looked up" : NULL, active - looked,
                        UNIT_PARAMETERS);
    entry_explain(sheet, entry, "active - embeddings that are looked up and not multiplied",
                  "%llu - %llu", (Digits)active, (Digits)looked);
}

static void stored_tell(Sheet *sheet, const Model *model)
{
    uint64_t params = model_params(model), stored = model_stored(model);
    bool differs = stored != params;
    Entry *entry = sheet_count(sheet, "parameters.stored", differs ? "elements in its file" : NULL,
                               stored, UNIT_PARAMETERS);
    const char *text = arena_print(sheet->arena, "%llu", (Digits)params);
    for (int i = 0; i < model->extra_count; i++)
        text = arena_print(sheet->arena, "%s + %llu", text, (Digits)model->extras[i].elements);
    if (model->stored_count == 0)
        entry_explain(sheet, entry, "parameters + what else the file holds", "%s", text);
    for (int i = 0; i < model->extra_count; i++) {
        const Extra *extra = &model->extras[i];
        sheet_text(sheet, sheet_path(sheet, "parameters.stored_beside[%d].what", i),
                   "  beside the parameters", extra->what);
        sheet_count(sheet, sheet_path(sheet, "parameters.stored_beside[%d].elements", i), NULL,
                    extra->elements, UNIT_PARAMETERS);
    }
    for (int i = 0; i < model->stored_count; i++) {
        const char *type = model->stored[i].name;
        sheet_count(sheet, sheet_path(sheet, "parameters.stored_as.%s.elements", type), NULL,
                    model->stored[i].elements, UNIT_PARAMETERS);
        sheet_count(sheet, sheet_path(sheet, "parameters.stored_as.%s.bytes", type), NULL,
                    model->stored[i].bytes, UNIT_BYTES);
    }
}

// The closed form of a block beside what the ledger's tensors come to: two ways to the same number.
static void kind_tell(Sheet *sheet, const Model *model, int k)
{
    const LayerKind *kind = &model->kinds[k];
    KnParams block = kn_block_params(&kind->block);
    bool alone = model->kind_count == 1;
    sheet_text(sheet, sheet_path(sheet, "parameters.kinds[%d].name", k), NULL, kind->name);
    sheet_count(sheet, sheet_path(sheet, "parameters.kinds[%d].layers", k), NULL,
                (uint64_t)kind->count, UNIT_NONE);
    const char *label = arena_print(sheet->arena, "in a layer%s%s, of %d", alone ? "" : ": ",
                                    alone ? "" : kind->name, kind->count);
    Entry *entry = sheet_count(sheet, sheet_path(sheet, "parameters.kinds[%d].parameters", k),
                               label, block.total + kind->other, UNIT_PARAMETERS);
    const KnBlock *b = &kind->block;
    const char *text = arena_print(sheet->arena, "attention %llu", (Digits)kn_attention_params(b));
    if (b->ffn > 0)
        text = arena_print(sheet->arena, "%s + MLP %llu", text,
                           (Digits)kn_mlp_params(b->width, b->ffn, b->gated, b->mlp_bias));
    if (b->experts > 0)
        text = arena_print(sheet->arena, "%s + router %llu + %llu experts of %llu", text,
                           (Digits)b->experts * (b->width + b->router_bias), (Digits)b->experts,
                           (Digits)kn_mlp_params(b->width, b->expert_ffn, b->gated, b->mlp_bias));
    if (b->shared_ffn > 0)
        text = arena_print(sheet->arena, "%s + shared %llu", text,
                           (Digits)kn_mlp_params(b->width, b->shared_ffn, b->gated, b->mlp_bias));
    text = arena_print(sheet->arena, "%s + norms %llu", text, (Digits)b->norms);
    if (kind->other > 0)
        text = arena_print(sheet->arena, "%s + other %llu", text, (Digits)kind->other);
    entry_explain(sheet, entry, "attention + MLP or router and experts + norms", "%s", text);
    sheet_count(sheet, sheet_path(sheet, "parameters.kinds[%d].active", k), NULL,
                block.active + kind->other, UNIT_PARAMETERS);
}

static void ledger_tell(Sheet *sheet, const Model *model)
{
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        sheet_text(sheet, sheet_path(sheet, "parameters.ledger[%d].tensor", i), NULL, w->name);
        sheet_text(sheet, sheet_path(sheet, "parameters.ledger[%d].component", i), NULL,
                   component_names[w->component]);
        sheet_count(sheet, sheet_path(sheet, "parameters.ledger[%d].rows", i), NULL, w->rows,
                    UNIT_NONE);
        sheet_count(sheet, sheet_path(sheet, "parameters.ledger[%d].columns", i), NULL, w->cols,
                    UNIT_NONE);
        sheet_count(sheet, sheet_path(sheet, "parameters.ledger[%d].copies", i), NULL, w->copies,
                    UNIT_NONE);
        sheet_count(sheet, sheet_path(sheet, "parameters.ledger[%d].layers", i), NULL,
                    (uint64_t)weight_layers(model, w), UNIT_NONE);
        sheet_count(sheet, sheet_path(sheet, "parameters.ledger[%d].elements", i), NULL,
                    weight_elements(model, w), UNIT_PARAMETERS);
    }
}

void parameters_tell(Sheet *sheet, const Model *model)
{
    model_tell(sheet, model);
    total_tell(sheet, model);
    for (int c = 0; c < COMPONENT_COUNT; c++) component_tell(sheet, model, (Component)c);
    for (int k = 0; k < model->kind_count; k++) kind_tell(sheet, model, k);
    active_tell(sheet, model);
    stored_tell(sheet, model);
    ledger_tell(sheet, model);
}
