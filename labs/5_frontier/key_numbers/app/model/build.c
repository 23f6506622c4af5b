#include "labs/5_frontier/key_numbers/app/model/build.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "common/text.h"

enum { WEIGHTS_MAX = 4096, NOTES_MAX = 32, EXTRAS_MAX = 16, NOTE_BYTES = 512 };

// The arena is asked for again by notes, long after build_model(): the model remembers it in front.
typedef struct Built {
    Model model;
    Arena *arena;
} Built;

static Arena *arena_of(Model *model)
{
    return ((Built *)model)->arena;
}

// What stands in files is data: nothing of it may steer a terminal.
static const char *print_clean(Model *model, const char *format, va_list arguments)
{
    char text[NOTE_BYTES];
    vsnprintf(text, sizeof text, format, arguments);
    text_clean(text);
    return arena_print(arena_of(model), "%s", text);
}

Model *build_model(Arena *arena, const char *family, const char *name)
{
    Built *built = arena_zeros(arena, sizeof *built);
    built->arena = arena;
    Model *model = &built->model;
    char *shown = arena_print(arena, "%s", name);
    text_clean(shown);
    model->family = family, model->name = shown, model->published = "bf16";
    model->weights = arena_alloc(arena, WEIGHTS_MAX * sizeof *model->weights);
    model->notes = arena_alloc(arena, NOTES_MAX * sizeof *model->notes);
    model->extras = arena_alloc(arena, EXTRAS_MAX * sizeof *model->extras);
    return model;
}

int build_kind(Model *model, LayerKind kind)
{
    REQUIRE(model->kind_count < KINDS_MAX, "%s has more than %d kinds of layers", model->name,
            KINDS_MAX);
    model->kinds[model->kind_count] = kind;
    return model->kind_count++;
}

Weight *build_weight(Model *model, int kind, Component component, Role role, const char *name,
                     uint64_t rows, uint64_t cols)
{
    REQUIRE(model->weight_count < WEIGHTS_MAX, "%s has more than %d kinds of tensors", model->name,
            WEIGHTS_MAX);
    Weight *weight = &model->weights[model->weight_count++];
    *weight = (Weight){.name = name,
                       .component = component,
                       .role = role,
                       .rows = rows,
                       .cols = cols,
                       .copies = 1,
                       .kind = kind};
    return weight;
}

Weight *build_vector(Model *model, int kind, Component component, Role role, const char *name,
                     uint64_t size)
{
    return build_weight(model, kind, component, role, name, 1, size);
}

const char *build_name(Model *model, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *name = print_clean(model, format, arguments);
    va_end(arguments);
    return name;
}

static void add_note(Model *model, bool warns, const char *format, va_list arguments)
{
    REQUIRE(model->note_count < NOTES_MAX, "%s has more than %d notes", model->name, NOTES_MAX);
    if (warns) model->warnings |= UINT32_C(1) << model->note_count;
    ((const char **)model->notes)[model->note_count++] = print_clean(model, format, arguments);
}

void build_note(Model *model, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_note(model, false, format, arguments);
    va_end(arguments);
}

void build_warning(Model *model, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_note(model, true, format, arguments);
    va_end(arguments);
}

void build_extra(Model *model, uint64_t elements, uint64_t bytes, const char *format, ...)
{
    REQUIRE(model->extra_count < EXTRAS_MAX, "%s has more than %d extras", model->name, EXTRAS_MAX);
    va_list arguments;
    va_start(arguments, format);
    model->extras[model->extra_count++] =
        (Extra){print_clean(model, format, arguments), elements, bytes};
    va_end(arguments);
}

static bool is_vector(const Weight *weight)
{
    return weight->role == ROLE_NORM || weight->role == ROLE_BIAS || weight->rows == 1;
}

void build_finish(Model *model)
{
    int layers = 0;
    for (int k = 0; k < model->kind_count; k++) {
        LayerKind *kind = &model->kinds[k];
        layers += kind->count;
        uint64_t all = 0, vectors = 0;    // of all layers of the kind
        for (int i = 0; i < model->weight_count; i++) {
            const Weight *w = &model->weights[i];
            if (w->kind != k) continue;
            all += weight_elements(model, w);
            if (is_vector(w)) vectors += weight_active(model, w);
        }
        uint64_t count = (uint64_t)kind->count;
        uint64_t formula = kn_block_params(&kind->block).total;
        if (count == 0) continue;
        kind->other = (int64_t)(all / count) - (int64_t)formula;
        kind->vectors = vectors / count;
    }
    if (model->kind_of != NULL) return;
    model->layers = layers;
    model->kind_of =
        arena_alloc(arena_of(model), (size_t)(layers > 0 ? layers : 1) * sizeof *model->kind_of);
    for (int k = 0, at = 0; k < model->kind_count; k++)
        for (int i = 0; i < model->kinds[k].count; i++) model->kind_of[at++] = k;
}
