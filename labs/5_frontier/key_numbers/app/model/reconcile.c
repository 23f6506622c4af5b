#include "labs/5_frontier/key_numbers/app/model/reconcile.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"
#include "common/text.h"

enum { MOST_GROUPS = 256, MOST_EXTRAS = 12, MOST_MISSING = 4 };

// Parameters that integers of one type hold, several in each.
typedef struct Packed {
    uint64_t tensors, parameters, elements;
    const char *type, *name;    // of the first
} Packed;

// Tensors beside the ledger, of one name, or of one ending that explains them.
typedef struct Group {
    const char *name, *ends, *why;
    uint64_t tensors, elements, bytes;
} Group;

typedef struct Reconciling {
    Model *model;
    Arena *arena;
    uint64_t *found;    // [weight_count] numbers of each weight
    Packed packed[DTYPE_COUNT];
    Group groups[MOST_GROUPS];
    int group_count;
    int decoder;    // the first layer of the second stack, where there are two
} Reconciling;

// ---- the weight that a tensor belongs to ----

static uint64_t bits_of(const SafetensorsEntry *entry)
{
    return 8 * (entry->end - entry->begin);
}

// "norm.weight" ends "language_model.norm.weight", but not "q_norm.weight".
static bool ends_at_dot(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return text_ends(name, end) && (length == tail || name[length - tail - 1] == '.');
}

static bool same_shape(const SafetensorsEntry *entry, const Weight *w);

// Of those with one name the one of this shape (`entry`, or NULL).
static int find_weight(const Reconciling *r, const TensorName *name, const char *plain,
                       const SafetensorsEntry *entry)
{
    const Model *model = r->model;
    int layer = name->layer != OUTSIDE && name->decoder ? name->layer + r->decoder : name->layer;
    int kind = layer == OUTSIDE ? OUTSIDE : model->kind_of[layer], best = -1;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        // What is in a layer has that name; T5's biases by distance are listed outside.
        if (layer != OUTSIDE && (w->kind == kind || w->kind == OUTSIDE) &&
            strcmp(w->name, plain) == 0)
            return i;
        if (layer != OUTSIDE || w->kind != OUTSIDE || name->vision != weight_in_tower(w)) continue;
        if (!ends_at_dot(plain, w->name)) continue;
        size_t length = strlen(w->name), longest = best < 0 ? 0 : strlen(model->weights[best].name);
        if (length > longest || (length == longest && entry != NULL && same_shape(entry, w)))
            best = i;
    }
    return best;
}

// A tensor of one copy, or of all in one; a matrix may lie the other way round (GPT-2).
static bool same_shape(const SafetensorsEntry *entry, const Weight *w)
{
    uint64_t one = w->rows * w->cols;
    if (entry->count == one * w->copies && w->copies > 1) return true;
    if (entry->count != one) return false;
    if (entry->dims != 2) return true;
    return (entry->shape[0] == w->rows && entry->shape[1] == w->cols) ||
           (entry->shape[0] == w->cols && entry->shape[1] == w->rows);
}

// The numbers of `w` that integers hold, packed to 1 to 8 bits each; 0: they cannot be.
static uint64_t packed_numbers(const SafetensorsEntry *entry, const Weight *w)
{
    const uint64_t one = w->rows * w->cols, candidates[] = {one, one * w->copies};
    const bool integers = dtype_info[entry->type].kind == DTYPE_KIND_INTEGER;
    for (int c = 0; c < 2; c++)
        for (uint64_t bits = 1; bits <= 8 && integers; bits++)
            if (candidates[c] * bits == bits_of(entry) && candidates[c] > entry->count)
                return candidates[c];
    return 0;
}

static void pack(Reconciling *r, const SafetensorsEntry *entry, uint64_t numbers)
{
    Packed *packed = &r->packed[entry->type];
    packed->tensors++;
    packed->parameters += numbers;
    packed->elements += entry->count;
    packed->type = dtype_name(entry->type);
    if (packed->name == NULL) packed->name = arena_print(r->arena, "%s", entry->name);
}

// True when the tensor is, or is a part of, a weight of the ledger.
static bool take(Reconciling *r, const SafetensorsEntry *entry, const TensorName *name)
{
    const char *instead = "", *packed = tensor_name_packed(name->plain, &instead);
    size_t length = strlen(name->plain) - (packed != NULL ? strlen(packed) : 0);
    char usual[TENSOR_NAME_MAX + 8];
    snprintf(usual, sizeof usual, "%.*s%s", (int)length, name->plain, instead);
    int i = find_weight(r, name, usual, entry);
    if (i < 0) return false;
    Weight *w = &r->model->weights[i];
    bool as_is = packed == NULL && same_shape(entry, w);
    uint64_t numbers = as_is ? entry->count : packed_numbers(entry, w);
    if (numbers == 0 || r->found[i] + numbers > weight_elements(r->model, w)) return false;
    if (!as_is) pack(r, entry, numbers);
    r->found[i] += numbers;
    w->stored_bytes += entry->end - entry->begin;
    return true;
}

// ---- what belongs to none ----

static Group *group_of(Reconciling *r, const char *name, const char *ends, const char *why)
{
    for (int i = 0; i < r->group_count; i++) {
        Group *group = &r->groups[i];
        bool same = strcmp(group->name, name) == 0;
        if (group->ends != ends || strcmp(group->why, why) != 0 || (ends == NULL && !same))
            continue;
        if (!same) group->name = arena_print(r->arena, "*%s", ends);
        return group;
    }
    if (r->group_count == MOST_GROUPS)
        return &r->groups[MOST_GROUPS - 1];    // with what is noted together
    Group *group = &r->groups[r->group_count++];
    *group = (Group){.name = arena_print(r->arena, "%s", name), .ends = ends, .why = why};
    return group;
}

static void put_aside(Reconciling *r, const SafetensorsEntry *entry, const TensorName *name)
{
    const Model *model = r->model;
    const TensorBeside *known = tensor_name_beside(name->plain);
    const uint64_t *shape = entry->shape;
    bool embeds = entry->dims == 2 && shape[0] == model->vocab && shape[1] == model->width;
    const char *what = name->plain, *ends = NULL, *why = "not in the configuration";
    if (name->ahead) what = "tensors", why = "a module that predicts further tokens (MTP)";
    else if (known != NULL) ends = known->ends, why = known->what;
    else if (embeds) why = "the embedding once more";
    else if (find_weight(r, name, name->plain, NULL) >= 0) why = "not as the configuration says";
    Group *group = group_of(r, what, ends, why);
    group->tensors++;
    group->elements += entry->count;
    group->bytes += entry->end - entry->begin;
}

static int compare_groups(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    return (x->elements < y->elements) - (x->elements > y->elements);
}

static void note_groups(Reconciling *r)
{
    Group rest = {.tensors = 0};
    qsort(r->groups, (size_t)r->group_count, sizeof *r->groups, compare_groups);
    for (int i = 0; i < r->group_count; i++) {
        const Group *group = &r->groups[i];
        if (i < MOST_EXTRAS) {
            build_extra(r->model, group->elements, group->bytes, "%" PRIu64 " %s%s: %s",
                        group->tensors, strcmp(group->name, "tensors") == 0 ? "" : "x ",
                        group->name, group->why);
            continue;
        }
        rest.tensors += group->tensors;
        rest.elements += group->elements;
        rest.bytes += group->bytes;
    }
    if (rest.tensors > 0)
        build_extra(r->model, rest.elements, rest.bytes, "%" PRIu64 " other tensors of %d names",
                    rest.tensors, r->group_count - MOST_EXTRAS);
}

static void note_packed(Reconciling *r)
{
    for (int t = 0; t < DTYPE_COUNT; t++) {
        const Packed *packed = &r->packed[t];
        if (packed->tensors > 0)
            build_note(r->model,
                       "%" PRIu64 " parameters are packed into %" PRIu64
                       " elements of %s, in %" PRIu64 " tensors such as %s",
                       packed->parameters, packed->elements, packed->type, packed->tensors,
                       packed->name);
    }
}

// Of all weights of one name, in whatever kind of layer.
static void note_missing(Reconciling *r)
{
    Model *model = r->model;
    int missing = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const char *name = model->weights[i].name;
        uint64_t all = 0, lacks = 0;
        bool noted = false;
        for (int k = 0; k < model->weight_count; k++) {
            const Weight *w = &model->weights[k];
            if (strcmp(w->name, name) != 0) continue;
            noted |= k < i;
            all += weight_elements(model, w) / (w->rows * w->cols);
            lacks += (weight_elements(model, w) - r->found[k]) / (w->rows * w->cols);
        }
        if (noted || lacks == 0) continue;
        if (missing++ < MOST_MISSING)
            build_warning(model, "not in the files: %" PRIu64 " of %" PRIu64 " x %s", lacks, all,
                          name);
    }
    if (missing > MOST_MISSING)
        build_warning(model, "not in the files: tensors of %d other names", missing - MOST_MISSING);
}

bool reconcile(Model *model, const Shards *shards, Arena *arena, Error *err)
{
    Reconciling *r = arena_zeros(arena, sizeof *r);
    r->model = model, r->arena = arena;
    r->found = arena_zeros(arena, (size_t)model->weight_count * sizeof *r->found);
    while (r->decoder < model->layers && !model->kinds[model->kind_of[r->decoder]].cross)
        r->decoder++;
    if (r->decoder == model->layers) r->decoder = 0;    // one stack

    bool any = false;
    model->extra_count = 0;    // what the published file has is not what this one has
    for (int i = 0; i < shards->count; i++) {
        const SafetensorsEntry *entry = shards->tensors[i].entry;
        TensorName name;
        tensor_name_read(&name, entry->name);
        int stack = name.decoder     ? model->layers - r->decoder
                    : r->decoder > 0 ? r->decoder
                                     : model->layers;
        if (name.layer != OUTSIDE && name.layer >= stack) name.ahead = true;
        bool taken = !name.ahead && take(r, entry, &name);
        any |= taken;
        if (!taken) put_aside(r, entry, &name);
    }
    if (!any)
        return error_set(
            err, "%s: its tensors are not named as those of the family %s (the first is '%s')",
            shards->paths[0], model->family,
            shards->count > 0 ? shards->tensors[0].entry->name : "");
    note_groups(r);
    note_packed(r);
    note_missing(r);
    return true;
}
