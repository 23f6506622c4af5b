#include "labs/5_frontier/key_numbers/app/model/kept.h"
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"

enum { NAME_BYTES = 512, WORK_MAX = 1 << 18 };    // patterns x layers: published ones reach 2^16

// ---- a pattern ----

typedef struct Pattern {
    const char *text;    // of names and globs
    bool is_regex, is_glob;
    int layer;    // the only one that it may match in; OUTSIDE: any
    regex_t regex;
} Pattern;

// POSIX knows neither groups without a number, nor classes by a letter, nor lazy repetition.
static bool translate(char to[NAME_BYTES], const char *python)
{
    static const char *const words[][2] = {
        {"(?:", "("}, {"\\d", "[0-9]"}, {"\\w", "[A-Za-z0-9_]"}, {"*?", "*"}, {"+?", "+"}};
    size_t n = 0, taken;
    to[n++] = '^', to[n++] = '(';    // as re.match() begins
    for (; *python != '\0'; python += taken) {
        const char one[2] = {*python, '\0'}, *put = one;
        taken = 1;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strncmp(python, words[i][0], strlen(words[i][0])) == 0)
                put = words[i][1], taken = strlen(words[i][0]);
        // Look-ahead and the like; back references and counts, on which glibc may take exponential time.
        bool costly = *python == '{' || (*python == '\\' && python[1] >= '1' && python[1] <= '9');
        if (put == one && (costly || strncmp(python, "(?", 2) == 0)) return false;
        if (n + strlen(put) + 2 > NAME_BYTES) return false;
        memcpy(to + n, put, strlen(put));
        n += strlen(put);
    }
    to[n++] = ')', to[n] = '\0';
    return true;
}

// Of "model.layers.3.mlp" or a glob that begins so: lists name thousands, and most are of one layer.
static int layer_of(const char *text)
{
    static const char before[] = "layers.";
    const char *at = strstr(text, before);
    if (at == NULL || strcspn(text, "*?[") < (size_t)(at - text)) return OUTSIDE;
    const char *number = at + strlen(before);
    size_t digits = strspn(number, "0123456789");
    bool whole = (at == text || at[-1] == '.') && (number[digits] == '.' || number[digits] == '\0');
    return whole && digits > 0 && digits < 9 ? atoi(number) : OUTSIDE;
}

static bool pattern_read(Arena *arena, Pattern *pattern, const char *text)
{
    char posix[NAME_BYTES];
    *pattern = (Pattern){.is_regex = strncmp(text, "re:", 3) == 0, .layer = OUTSIDE};
    if (pattern->is_regex)
        return translate(posix, text + 3) &&
               regcomp(&pattern->regex, posix, REG_EXTENDED | REG_NOSUB) == 0;
    size_t length = strlen(text);    // some lists end their names in a dot
    pattern->text = arena_print(arena, "%.*s", (int)length - text_ends(text, "."), text);
    pattern->is_glob = strpbrk(text, "*?[") != NULL;
    pattern->layer = layer_of(pattern->text);
    return length > 0;
}

// `part` is some of the words of `name` that follow one another.
static bool has_words(const char *name, const char *part)
{
    size_t length = strlen(part);
    for (const char *at = name; length > 0 && (at = strstr(at, part)) != NULL; at++) {
        bool begins = at == name || at[-1] == '.', ends = at[length] == '\0' || at[length] == '.';
        if (begins && ends) return true;
    }
    return false;
}

static bool matches(const Pattern *pattern, const char *name)
{
    if (pattern->is_regex) return regexec(&pattern->regex, name, 0, NULL, 0) == 0;
    if (pattern->is_glob) return fnmatch(pattern->text, name, 0) == 0;
    return has_words(name, pattern->text);
}

// ---- a module ----

// The names that it may go by: a ledger's has no prefix and no number.
static bool any_matches(const Pattern *patterns, int count, const Weight *weight, int layer)
{
    static const char *const outside[] = {"model.",
                                          "",
                                          "language_model.",
                                          "transformer.",
                                          "model.language_model.",
                                          "language_model.model."};
    static const char *const inside[] = {
        "model.layers",   "language_model.model.layers", "model.language_model.layers",
        "transformer.h",  "model.decoder.layers",        "transformer.encoder.layers",
        "gpt_neox.layers"};
    enum { FORMS = 7 };
    _Static_assert(sizeof outside / sizeof *outside <= FORMS, "room for each form");
    _Static_assert(sizeof inside / sizeof *inside <= FORMS, "room for each form");
    char names[FORMS][NAME_BYTES];
    size_t length = strlen(weight->name);
    // A name within a layer has one number of a layer, unless its rest brings another.
    bool one = layer != OUTSIDE && strstr(weight->name, "layers.") == NULL;
    int forms = layer == OUTSIDE ? (int)(sizeof outside / sizeof *outside)
                                 : (int)(sizeof inside / sizeof *inside);
    if (text_ends(weight->name, ".weight")) length -= strlen(".weight");
    for (int f = 0; f < forms; f++) {
        if (layer == OUTSIDE)
            snprintf(names[f], NAME_BYTES, "%s%.*s", outside[f], (int)length, weight->name);
        else
            snprintf(names[f], NAME_BYTES, "%s.%d.%.*s", inside[f], layer, (int)length,
                     weight->name);
    }
    for (int i = 0; i < count; i++) {
        if (one && patterns[i].layer != OUTSIDE && patterns[i].layer != layer) continue;
        for (int f = 0; f < forms; f++)
            if (matches(&patterns[i], names[f])) return true;
    }
    return false;
}

static void mark(Arena *arena, const Model *model, Weight *weight, const Pattern *patterns,
                 int count, bool listed)
{
    int layers = weight->kind == OUTSIDE ? 1 : model->layers;
    for (int l = 0; l < layers; l++) {
        if (weight->kind != OUTSIDE && model->kind_of[l] != weight->kind) continue;
        int layer = weight->kind == OUTSIDE ? OUTSIDE : l;
        if (any_matches(patterns, count, weight, layer) != listed) continue;
        if (weight->kept == NULL) weight->kept = arena_zeros(arena, (size_t)layers * sizeof(bool));
        weight->kept[l] = true;
    }
}

const char *kept_mark(Arena *arena, Model *model, const char *const *list, int count, bool listed)
{
    if ((uint64_t)count * (uint64_t)(model->layers + 1) > WORK_MAX) return list[0];
    Pattern *patterns = arena_alloc(arena, ((size_t)count + 1) * sizeof *patterns);
    const char *wrong = NULL;
    int known = 0;
    for (int i = 0; i < count; i++) {
        if (pattern_read(arena, &patterns[known], list[i])) known++;
        else if (wrong == NULL) wrong = list[i];
    }
    for (int i = 0; i < model->weight_count; i++)
        mark(arena, model, &model->weights[i], patterns, known, listed);
    for (int i = 0; i < known; i++)
        if (patterns[i].is_regex) regfree(&patterns[i].regex);
    return wrong;
}

void kept_as(Arena *arena, Model *model, const char *module, const char *format)
{
    TensorName name;
    tensor_name_read(&name, module);
    size_t length = strlen(name.plain);
    for (int i = 0; i < model->weight_count && length > 0; i++) {
        Weight *w = &model->weights[i];
        bool within = strncmp(w->name, name.plain, length) == 0 &&
                      (w->name[length] == '.' || w->name[length] == '\0');
        bool outside =
            name.layer == OUTSIDE && w->kind == OUTSIDE && has_words(w->name, name.plain);
        bool inside = within && name.layer >= 0 && name.layer < model->layers &&
                      model->kind_of[name.layer] == w->kind;
        if (!outside && !inside) continue;
        int layers = w->kind == OUTSIDE ? 1 : model->layers;
        if (w->as == NULL) w->as = arena_zeros(arena, (size_t)layers * sizeof *w->as);
        w->as[outside ? 0 : name.layer] = format;
    }
}

const char *weight_format(const Weight *weight, int layer)
{
    return weight->as != NULL ? weight->as[layer == OUTSIDE ? 0 : layer] : NULL;
}

bool weight_kept(const Weight *weight, int layer)
{
    return weight->kept != NULL && weight->kept[layer == OUTSIDE ? 0 : layer];
}

uint64_t weight_kept_layers(const Model *model, const Weight *weight)
{
    uint64_t kept = 0;
    int layers = weight->kind == OUTSIDE ? 1 : model->layers;
    for (int l = 0; l < layers && weight->kept != NULL; l++) kept += weight->kept[l];
    return kept;
}
