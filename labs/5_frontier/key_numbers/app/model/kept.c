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
    // Of a plain name in one layer: what follows the layer's number ("" where nothing does), else NULL.
    const char *rest;
    int next;    // of the same layer, in Patterns.of_layer; -1: the last
    regex_t regex;
} Pattern;

typedef struct Patterns {
    Pattern *list;
    int count;
    int *of_layer;    // [layers] the first plain name of that layer; -1: none
    int *others;      // the rest, by number, which are looked at for each module
    int other_count;
} Patterns;

// What stands before the layer's number, wherever a file has its layers.
static const char *const before_number[] = {
    "model.layers",   "language_model.model.layers", "model.language_model.layers",
    "transformer.h",  "model.decoder.layers",        "transformer.encoder.layers",
    "gpt_neox.layers"};
#define INSIDE (sizeof before_number / sizeof *before_number)

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
    bool plain = digits == 1 || (digits > 1 && digits < 9 && *number != '0');
    return whole && plain ? atoi(number) : OUTSIDE;
}

// "layers", "model.layers": some last words of what stands before a layer's number.
static bool is_before_number(const char *text, size_t length)
{
    for (size_t f = 0; f < INSIDE; f++) {
        size_t all = strlen(before_number[f]);
        if (length > all || strncmp(before_number[f] + all - length, text, length) != 0) continue;
        if (length == all || before_number[f][all - length - 1] == '.') return true;
    }
    return false;
}

// "experts.7.w1": a single expert, which the ledger does not tell apart.
static bool is_one_expert(const char *text)
{
    const char *at = strstr(text, "experts.");
    if (strncmp(text, "re:", 3) == 0 || strpbrk(text, "*?[") != NULL) return false;
    return at != NULL && strspn(at + strlen("experts."), "0123456789") > 0;
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
    if (pattern->layer == OUTSIDE || pattern->is_glob) return length > 0;
    const char *number = strstr(pattern->text, "layers.") + strlen("layers.");
    const char *rest = number + strspn(number, "0123456789");
    if (is_before_number(pattern->text, (size_t)(number - 1 - pattern->text)))
        pattern->rest = *rest == '.' ? rest + 1 : rest;
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

// `rest` is the first words of the module's name within its layer, or nothing.
static bool begins_with(const char *name, size_t length, const char *rest)
{
    size_t part = strlen(rest);
    return part == 0 || (part <= length && strncmp(name, rest, part) == 0 &&
                         (part == length || name[part] == '.'));
}

// The names that it may go by: a ledger's has no prefix and no number.
static bool any_matches(const Patterns *patterns, const Weight *weight, int layer)
{
    static const char *const outside[] = {"model.",
                                          "",
                                          "language_model.",
                                          "transformer.",
                                          "model.language_model.",
                                          "language_model.model."};
    enum { FORMS = 7 };
    _Static_assert(sizeof outside / sizeof *outside <= FORMS, "room for each form");
    _Static_assert(INSIDE <= FORMS, "room for each form");
    char names[FORMS][NAME_BYTES];
    size_t length = strlen(weight->name);
    // A name within a layer has one number of a layer, unless its rest brings another.
    bool one = layer != OUTSIDE && strstr(weight->name, "layers.") == NULL;
    int forms = layer == OUTSIDE ? (int)(sizeof outside / sizeof *outside) : (int)INSIDE;
    if (text_ends(weight->name, ".weight")) length -= strlen(".weight");
    for (int i = one ? patterns->of_layer[layer] : -1; i >= 0; i = patterns->list[i].next)
        if (begins_with(weight->name, length, patterns->list[i].rest)) return true;
    int all = one ? patterns->other_count : patterns->count;
    for (int f = 0; f < forms && all > 0; f++) {
        if (layer == OUTSIDE)
            snprintf(names[f], NAME_BYTES, "%s%.*s", outside[f], (int)length, weight->name);
        else
            snprintf(names[f], NAME_BYTES, "%s.%d.%.*s", before_number[f], layer, (int)length,
                     weight->name);
    }
    for (int i = 0; i < all; i++) {
        const Pattern *p = &patterns->list[one ? patterns->others[i] : i];
        if (one && p->layer != OUTSIDE && p->layer != layer) continue;
        for (int f = 0; f < forms; f++)
            if (matches(p, names[f])) return true;
    }
    return false;
}

static void mark(Arena *arena, const Model *model, Weight *weight, const Patterns *patterns,
                 bool listed)
{
    int layers = weight->kind == OUTSIDE ? 1 : model->layers;
    for (int l = 0; l < layers; l++) {
        if (weight->kind != OUTSIDE && model->kind_of[l] != weight->kind) continue;
        int layer = weight->kind == OUTSIDE ? OUTSIDE : l;
        if (any_matches(patterns, weight, layer) != listed) continue;
        if (weight->kept == NULL) weight->kept = arena_zeros(arena, (size_t)layers * sizeof(bool));
        weight->kept[l] = true;
    }
}

const char *kept_mark(Arena *arena, Model *model, const char *const *list, int count, bool listed)
{
    const size_t room = (size_t)count + 1, layers = (size_t)model->layers;
    Patterns all = {.list = arena_alloc(arena, room * sizeof *all.list),
                    .of_layer = arena_alloc(arena, (layers + 1) * sizeof(int)),
                    .others = arena_alloc(arena, room * sizeof(int))};
    const char *wrong = NULL;
    for (int l = 0; l < model->layers; l++) all.of_layer[l] = -1;
    for (int i = 0; i < count; i++) {
        if (is_one_expert(list[i])) continue;
        Pattern *pattern = &all.list[all.count];
        if (!pattern_read(arena, pattern, list[i])) {
            if (wrong == NULL) wrong = list[i];
            continue;
        }
        if (pattern->layer >= model->layers) continue;
        if (pattern->rest == NULL) all.others[all.other_count++] = all.count;
        else pattern->next = all.of_layer[pattern->layer], all.of_layer[pattern->layer] = all.count;
        all.count++;
    }
    bool over = (uint64_t)all.other_count * (layers + 1) > WORK_MAX;
    if (over) wrong = list[0];
    for (int i = 0; i < model->weight_count && !over; i++)
        mark(arena, model, &model->weights[i], &all, listed);
    for (int i = 0; i < all.count; i++)
        if (all.list[i].is_regex) regfree(&all.list[i].regex);
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
