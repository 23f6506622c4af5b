#include "labs/5_frontier/key_numbers/app/output/lists.h"
#include <stdio.h>
#include <string.h>
#include "common/console.h"
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/model/family.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"

static bool show_models(Arena *arena, const Console *console, Error *err)
{
    const CatalogueEntry *entries;
    int count = catalogue_list(arena, &entries, err);
    for (int i = 0; i < count; i++)
        console_item(console, 0, 48, entries[i].name, entries[i].family);
    return count >= 0;
}

// A peak in TFLOP/s, or "-" where none is known.
static const char *tera(Arena *arena, double peak)
{
    return peak > 0 ? arena_print(arena, "%.4g", peak / 1e12) : "-";
}

static bool show_gpus(Arena *arena, const Console *console, Error *err)
{
    const GpuSpec *specs;
    int count = gpu_spec_list(arena, &specs, err);
    for (int i = 0; i < count; i++) {
        const GpuSpec *c = &specs[i];
        console_item(
            console, 0, 20, c->id,
            arena_print(
                arena, "%s: %g GB (%.1f GiB %s), %.0f GB/s, dense TFLOP/s 16-bit %s, fp8 %s; %g W",
                c->name, c->vendor_gb, c->memory / 0x1p30, c->memory_measured ? "seen" : "at most",
                c->bandwidth / 1e9, tera(arena, c->bf16), tera(arena, c->fp8), c->watts));
    }
    return count >= 0;
}

static bool show_formats(Arena *arena, const Console *console, Error *err)
{
    const FormatInfo *formats;
    int count = format_list(&formats);
    (void)arena, (void)err;
    for (int i = 0; i < count; i++)
        console_item(console, 0, 14, formats[i].name,
                     arena_print(arena, "%s%s", formats[i].about,
                                 formats[i].weights && formats[i].cache ? " (weights and cache)"
                                 : formats[i].cache                     ? " (cache)"
                                                                        : ""));
    return true;
}

static bool show_settings(Arena *arena, const Console *console, Error *err)
{
    Question question = question_default();
    (void)err;
    for (int i = 0; i < question_field_count; i++) {
        const QuestionField *field = &question_fields[i];
        const char *text = question_text(&question, arena, field);
        console_item(console, 0, 14, field->name,
                     arena_print(arena, "%s%s%s%s%s%s", field->about, field->choices ? ": " : "",
                                 field->choices ? field->choices : "", text ? " (" : "",
                                 text ? text : "", text ? ")" : ""));
    }
    return true;
}

// What may stand in a config.json's model_type, and the beginning of its class's name.
static bool show_families(Arena *arena, const Console *console, Error *err)
{
    static const char *const names[][2] = {
#define X(type, config, class, lay) {type, class},
        FAMILY_LIST(X)
#undef X
    };
    (void)arena, (void)err;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        console_item(console, 0, 20, names[i][0], names[i][1]);
    return true;
}

bool lists_show(Arena *arena, const char *what, Error *err)
{
    static const struct {
        const char *name;
        bool (*show)(Arena *arena, const Console *console, Error *err);
    } lists[] = {{"models", show_models},
                 {"families", show_families},
                 {"gpus", show_gpus},
                 {"formats", show_formats},
                 {"settings", show_settings}};
    Console console = console_begin();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].name, what) == 0) return lists[i].show(arena, &console, err);
    return error_set(err, "--list: '%s' is none of models, families, gpus, formats, settings",
                     what);
}
