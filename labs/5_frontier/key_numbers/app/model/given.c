#include "labs/5_frontier/key_numbers/app/model/given.h"
#include <inttypes.h>
#include <string.h>

static void add_note(Arena *arena, Model *model, const char *text)
{
    const char **notes = arena_alloc(arena, ((size_t)model->note_count + 1) * sizeof *notes);
    for (int i = 0; i < model->note_count; i++) notes[i] = model->notes[i];
    notes[model->note_count++] = text;
    model->notes = notes;
}

// Of a file that was read: towers are not quantized, and so in the largest type of 16 or 32 bits.
static void take_bytes(Arena *arena, Model *model, uint64_t elements, uint64_t bytes)
{
    StoredType *types = arena_alloc(arena, ((size_t)model->stored_count + 1) * sizeof *types);
    bool taken = false;
    for (int i = 0; i < model->stored_count; i++) {
        types[i] = model->stored[i];
        bool wide = strcmp(types[i].name, "BF16") == 0 || strcmp(types[i].name, "F16") == 0 ||
                    strcmp(types[i].name, "F32") == 0;
        if (taken || !wide || types[i].bytes < bytes || types[i].elements < elements) continue;
        types[i].bytes -= bytes, types[i].elements -= elements;
        taken = true;
    }
    model->stored = types;
}

static void drop_towers(Arena *arena, Model *model)
{
    Weight *weights = arena_alloc(arena, ((size_t)model->weight_count + 1) * sizeof *weights);
    uint64_t elements = 0, bytes = 0;
    int count = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (weight_in_tower(w)) elements += weight_elements(model, w), bytes += w->stored_bytes;
        else weights[count++] = *w;
    }
    if (elements == 0) return;
    model->weights = weights, model->weight_count = count;
    take_bytes(arena, model, elements, bytes);
    add_note(arena, model,
             arena_print(arena, "the towers are left out: %" PRIu64 " parameters", elements));
}

static bool set_heads(KnBlock *b, uint64_t kv_heads, Error *err)
{
    uint64_t keys = b->kv_heads * b->head_dim, queries = b->heads * b->head_dim;
    if (keys == 0 || b->kv_rank > 0) return true;
    if (keys % kv_heads != 0 || queries % (keys / kv_heads) != 0)
        return error_set(
            err, "kv_heads: %" PRIu64 " numbers of keys do not divide into %" PRIu64 " heads", keys,
            kv_heads);
    b->head_dim = keys / kv_heads, b->kv_heads = kv_heads, b->heads = queries / b->head_dim;
    return true;
}

const Model *model_given(Arena *arena, const Model *model, const ModelGiven *given, Error *err)
{
    bool says = given->kv_heads > 0 || given->window > 0 || given->active_experts > 0;
    if (given->towers && !says) return model;
    if (says && !model->named) {
        error_set(err,
                  "kv-heads, window and active-experts are for a model of an unknown family; "
                  "%s says them itself",
                  model->name);
        return NULL;
    }
    Model *copy = arena_alloc(arena, sizeof *copy);
    *copy = *model;
    if (!given->towers) drop_towers(arena, copy);
    for (int k = 0; k < copy->kind_count; k++) {
        LayerKind *kind = &copy->kinds[k];
        KnBlock *b = &kind->block;
        if (given->window > 0 && kind->caches) kind->window = given->window;
        if (given->kv_heads > 0 && !set_heads(b, given->kv_heads, err)) return NULL;
        if (given->active_experts == 0 || b->experts == 0) continue;
        if (given->active_experts > b->experts) {
            error_set(err, "active_experts: there are %" PRIu64, b->experts);
            return NULL;
        }
        b->active_experts = given->active_experts;
    }
    return copy;
}
