#include <ctype.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include "common/json.h"
#include "common/nearest.h"
#include "datasets/root.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/extras.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"

enum { KEY_BYTES = 96, CHOICES_SHOWN = 5 };

// The list itself and its tree, which the caller deletes; NULL upon failure.
static const cJSON *load(Arena *arena, cJSON **tree, const char **path, Error *err)
{
    *path = arena_print(arena, "%s/labs/5_frontier/key_numbers/app/facts/models.json", root_dir());
    *tree = json_load(*path, err);
    return *tree != NULL ? json_array(*tree, *path, "models", err) : NULL;
}

static const char *id_of(const cJSON *entry)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "id"));
    return id != NULL ? id : "";
}

static const char *short_of(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash != NULL ? slash + 1 : id;
}

// ---- names ----

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

// In small letters, and with '-' only between two digits, where it separates 2-7b from 27b. "Llama-2-7b",
// "llama2_7b" and "llama2:7b" are one.
static void make_key(char key[KEY_BYTES], const char *name)
{
    size_t n = 0;
    bool dash = false;
    for (; *name != '\0' && n + 2 < KEY_BYTES; name++) {
        if (strchr("-_ :", *name) != NULL) {
            dash = true;
            continue;
        }
        if (dash && n > 0 && is_digit(key[n - 1]) && is_digit(*name)) key[n++] = '-';
        key[n++] = (char)tolower((unsigned char)*name);
        dash = false;
    }
    key[n] = '\0';
}

// "phi-3" begins "phi-3-mini" and "mixtral-8x7" begins "mixtral-8x7b"; "llama-3.1-7" is not 70B's beginning.
static bool begins(const char *key, const char *whole)
{
    size_t length = strlen(key);
    if (length == 0 || strncmp(key, whole, length) != 0) return false;
    return !is_digit(key[length - 1]) || (!is_digit(whole[length]) && whole[length] != '.');
}

typedef enum Match { MATCH_NONE, MATCH_BEGINS, MATCH_EXACT } Match;

static Match match(const char *key, const char *id)
{
    char whole[KEY_BYTES], end[KEY_BYTES];
    make_key(whole, id);
    make_key(end, short_of(id));
    if (strcmp(key, whole) == 0 || strcmp(key, end) == 0) return MATCH_EXACT;
    return begins(key, whole) || begins(key, end) ? MATCH_BEGINS : MATCH_NONE;
}

// `key` stands in `whole`, and is not a part of one of its numbers.
static bool is_within(const char *key, const char *whole)
{
    size_t length = strlen(key);
    for (const char *at = whole; length > 0 && (at = strstr(at, key)) != NULL; at++) {
        bool cut = at > whole && (is_digit(at[-1]) || at[-1] == '.') && is_digit(*key);
        if (!cut && begins(key, at)) return true;
    }
    return false;
}

static bool same_numbers(const char *a, const char *b)
{
    for (;;) {
        while (*a != '\0' && !is_digit(*a)) a++;
        while (*b != '\0' && !is_digit(*b)) b++;
        if (*a == '\0' || *b == '\0') return *a == *b;
        while (is_digit(*a) && *a == *b) a++, b++;
        if (is_digit(*a) || is_digit(*b)) return false;
    }
}

// "3" in "llama3.1", but not in "30".
static bool has_number(const char *digits, const char *whole)
{
    size_t length = strlen(digits);
    for (const char *at = whole; (at = strstr(at, digits)) != NULL; at++)
        if (!is_digit(at[length]) && (at == whole || !is_digit(at[-1]))) return true;
    return false;
}

// Whether each run of letters or of digits in `key` stands in `whole`: "llama70b" in "llama-3.1-70b".
static bool has_runs(const char *key, const char *whole)
{
    char run[KEY_BYTES];
    while (*key != '\0') {
        size_t n = 0;
        bool digits = is_digit(*key);
        while (*key != '\0' && is_digit(*key) == digits && *key != '-' && *key != '.')
            run[n++] = *key++;
        if (digits && *key == 'b') run[n++] = *key++;
        run[n] = '\0';
        bool size = n > 0 && run[n - 1] == 'b';
        if (n == 0) key++;
        else if (!(digits && !size ? has_number(run, whole) : is_within(run, whole))) return false;
    }
    return true;
}

// "A, B or C": those of the catalogue that have all of it; at most three.
static const char *likely(Arena *arena, const cJSON *models, const char *key)
{
    const char *found[3];
    int count = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, models)
    {
        char whole[KEY_BYTES];
        make_key(whole, short_of(id_of(entry)));
        if (count < 3 && strlen(key) > 2 && has_runs(key, whole)) found[count++] = id_of(entry);
    }
    if (count == 0) return NULL;
    const char *text = found[0];
    for (int i = 1; i < count; i++)
        text = arena_print(arena, "%s%s%s", text, i == count - 1 ? " or " : ", ", found[i]);
    return text;
}

// What is nearest: a name that is a letter or two off, else the longest that stands in this one (another
// version of it, tuned further, or under another owner).
static const char *near_to(Arena *arena, const cJSON *models, const char *key)
{
    size_t room = 2 * (size_t)cJSON_GetArraySize(models), longest = 0;
    const char **keys = arena_alloc(arena, room * sizeof *keys),
               **ids = arena_alloc(arena, room * sizeof *ids);
    const char *shorter = NULL;
    int count = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, models)
    {
        const char *id = id_of(entry), *names[] = {id, short_of(id)};
        for (int i = 0; i < 2; i++) {
            char *made = arena_zeros(arena, KEY_BYTES);
            make_key(made, names[i]);
            if (is_within(made, key) && strlen(made) > longest)
                longest = strlen(made), shorter = id;
            keys[count] = made, ids[count++] = id;
        }
    }
    const char *near = nearest_typo(key, keys, count);
    // 70B is no slip of the pen for 7B.
    if (near == NULL || !same_numbers(key, near)) return shorter;
    int at = 0;
    while (keys[at] != near) at++;
    return ids[at];
}

static void error_unknown(Arena *arena, const cJSON *models, const char *name, const char *key,
                          Error *err)
{
    const char *near = near_to(arena, models, key);
    if (near == NULL) near = likely(arena, models, key);
    if (near != NULL) error_set(err, "there is no model '%.80s'; did you mean %s?", name, near);
    else
        error_set(err,
                  "there is no model '%.80s', and no file or folder of that name; a config.json of "
                  "it will do",
                  name);
}

static void error_ambiguous(const cJSON *models, const char *name, const char *key, Error *err)
{
    char text[400] = "";
    size_t length = 0;
    int count = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, models)
    {
        if (match(key, id_of(entry)) != MATCH_BEGINS) continue;
        if (++count > CHOICES_SHOWN || length >= sizeof text) continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                   count > 1 ? ", " : "", short_of(id_of(entry)));
    }
    if (count > CHOICES_SHOWN)
        error_set(err, "'%.40s' may be %s and %d more", name, text, count - CHOICES_SHOWN);
    else error_set(err, "'%.40s' may be %s", name, text);
}

static const cJSON *find(Arena *arena, const cJSON *models, const char *name, Error *err)
{
    char key[KEY_BYTES] = "";
    make_key(key, name);
    const cJSON *entry, *only = NULL;
    int count = 0;
    cJSON_ArrayForEach(entry, models)
    {
        Match how = match(key, id_of(entry));
        if (how == MATCH_EXACT) return entry;
        if (how == MATCH_BEGINS) only = entry, count++;
    }
    if (count == 0) error_unknown(arena, models, name, key, err);
    if (count > 1) error_ambiguous(models, name, key, err);
    return count == 1 ? only : NULL;
}

// ---- models ----

static bool add_habits(Model *model, const cJSON *entry, const char *where, Error *err)
{
    const cJSON *habit;
    cJSON_ArrayForEach(habit, cJSON_GetObjectItemCaseSensitive(entry, "stored"))
    {
        const char *name = cJSON_GetStringValue(habit);
        if (!extras_habit(model, name != NULL ? name : "", err))
            return error_wrap(err, "%s", where);
    }
    return true;
}

// As config_model() makes it, without its file's habits.
static Model *build(Arena *arena, const cJSON *entry, const char *where, Error *err)
{
    return config_model(arena, cJSON_GetObjectItemCaseSensitive(entry, "config"), id_of(entry),
                        where, err);
}

static Model *build_whole(Arena *arena, const cJSON *entry, const char *path, Error *err)
{
    const char *where = arena_print(arena, "%s: %s", path, id_of(entry));
    Model *model = build(arena, entry, where, err);
    if (model == NULL || !add_habits(model, entry, where, err)) return NULL;
    model->source = "catalogue";
    return model;
}

Model *catalogue_model(Arena *arena, const char *name, Error *err)
{
    cJSON *tree;
    const char *path;
    const cJSON *models = load(arena, &tree, &path, err);
    const cJSON *entry = models != NULL ? find(arena, models, name, err) : NULL;
    Model *model = entry != NULL ? build_whole(arena, entry, path, err) : NULL;
    cJSON_Delete(tree);
    return model;
}

int catalogue_all(Arena *arena, const Model ***models, Error *err)
{
    cJSON *tree;
    const char *path;
    const cJSON *list = load(arena, &tree, &path, err), *entry;
    int count = 0;
    bool made = list != NULL;
    *models = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof **models);
    cJSON_ArrayForEach(entry, list)
    {
        if (!made) continue;
        (*models)[count] = build_whole(arena, entry, path, err);
        made = (*models)[count++] != NULL;
    }
    cJSON_Delete(tree);
    return made ? count : -1;
}

int catalogue_list(Arena *arena, const CatalogueEntry **entries, Error *err)
{
    cJSON *tree;
    const char *path;
    const cJSON *models = load(arena, &tree, &path, err), *entry;
    int count = models != NULL ? 0 : -1;
    if (models != NULL) {
        CatalogueEntry *list =
            arena_alloc(arena, (size_t)cJSON_GetArraySize(models) * sizeof *list);
        *entries = list;
        cJSON_ArrayForEach(entry, models)
        {
            const cJSON *config = cJSON_GetObjectItemCaseSensitive(entry, "config");
            const char *type =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "model_type"));
            list[count++] = (CatalogueEntry){arena_print(arena, "%s", id_of(entry)),
                                             arena_print(arena, "%s", type != NULL ? type : "")};
        }
    }
    cJSON_Delete(tree);
    return count;
}

// ---- recognising ----

static bool same_weight(const Weight *a, const Weight *b)
{
    return strcmp(a->name, b->name) == 0 && a->rows == b->rows && a->cols == b->cols &&
           a->copies == b->copies && a->kind == b->kind;
}

// The same tensors in the same layers.
static bool same_model(const Model *a, const Model *b)
{
    bool same = strcmp(a->family, b->family) == 0 && a->max_context == b->max_context &&
                a->tied == b->tied && a->layers == b->layers && a->kind_count == b->kind_count &&
                a->weight_count == b->weight_count;
    for (int i = 0; same && i < a->layers; i++) same = a->kind_of[i] == b->kind_of[i];
    for (int i = 0; same && i < a->kind_count; i++) same = a->kinds[i].window == b->kinds[i].window;
    for (int i = 0; same && i < a->weight_count; i++)
        same = same_weight(&a->weights[i], &b->weights[i]);
    return same;
}

static bool says_format(const cJSON *config)
{
    static const char *const fields[] = {"torch_dtype", "dtype", "quantization_config",
                                         "quantization"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (cJSON_GetObjectItemCaseSensitive(config, fields[i]) != NULL) return true;
    return false;
}

// Another format is another file. A configuration that says none may well be the published one.
static bool recognise(Arena *aside, Model *model, const cJSON *config, const cJSON *entry,
                      const char *path, bool *found, Error *err)
{
    const cJSON *stored = cJSON_GetObjectItemCaseSensitive(entry, "stored");
    const char *where = arena_print(aside, "%s: %s", path, id_of(entry));
    if (stored == NULL) return true;
    Model *known = build(aside, entry, where, err);
    if (known == NULL) return false;
    *found = same_model(known, model) &&
             (!says_format(config) || strcmp(known->published, model->published) == 0);
    if (!*found) return true;
    build_note(
        model,
        "settings are those of %s: stored beside the parameters is what its published file has",
        id_of(entry));
    return add_habits(model, entry, where, err);
}

bool catalogue_recognise(Model *model, const cJSON *config, Error *err)
{
    Arena *aside = arena_new("recognise", (size_t)256 << 20);
    cJSON *tree;
    const char *path;
    const cJSON *models = load(aside, &tree, &path, err), *entry;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(config, "model_type");
    bool good = models != NULL, found = false;
    cJSON_ArrayForEach(entry, models)
    {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(entry, "config");
        if (!good || found) break;
        if (cJSON_Compare(cJSON_GetObjectItemCaseSensitive(other, "model_type"), type, true))
            good = recognise(aside, model, config, entry, path, &found, err);
    }
    cJSON_Delete(tree);
    arena_free(aside);
    return good;
}
