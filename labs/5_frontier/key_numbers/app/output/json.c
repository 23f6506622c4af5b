#include "labs/5_frontier/key_numbers/app/output/json.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/error.h"

enum { NUMBER_MAX = 32, KEY_MAX = 128 };

// The shortest of 15 to 17 digits that reads back as the same number.
static void print_real(char text[NUMBER_MAX], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, NUMBER_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}

static cJSON *value_of(const Entry *entry)
{
    char number[NUMBER_MAX];
    switch (entry->kind) {
    case ENTRY_COUNT:
        // cJSON's own numbers are doubles: they end at 2^53, and at 15 digits before.
        snprintf(number, sizeof number, "%llu", (unsigned long long)entry->count);
        return cJSON_CreateRaw(number);
    case ENTRY_REAL:
        if (!isfinite(entry->real)) return cJSON_CreateNull();
        print_real(number, entry->real);
        return cJSON_CreateRaw(number);
    case ENTRY_TEXT: return cJSON_CreateString(entry->text);
    case ENTRY_FLAG: return cJSON_CreateBool(entry->flag);
    case ENTRY_NULL: break;
    }
    return cJSON_CreateNull();
}

// The object or list at the key of an object, made where it is not there yet.
static cJSON *child(cJSON *object, const char *key, bool list)
{
    cJSON *node = cJSON_GetObjectItemCaseSensitive(object, key);
    if (node != NULL) return node;
    node = list ? cJSON_CreateArray() : cJSON_CreateObject();
    cJSON_AddItemToObject(object, key, node);
    return node;
}

// Puts the value where the path says. The elements of a list come in their order.
static void put(cJSON *object, const char *path, cJSON *value)
{
    char key[KEY_MAX];
    for (;;) {
        size_t length = strcspn(path, ".[");
        REQUIRE(length > 0 && length < sizeof key, "'%s' is no path", path);
        memcpy(key, path, length);
        key[length] = '\0';
        path += length;
        if (*path == '[') {
            cJSON *list = child(object, key, true);
            int index = (int)strtol(path + 1, (char **)&path, 10);
            path++;    // ]
            if (*path == '\0') {
                cJSON_AddItemToArray(list, value);
                return;
            }
            if (index == cJSON_GetArraySize(list)) cJSON_AddItemToArray(list, cJSON_CreateObject());
            object = cJSON_GetArrayItem(list, index);
            REQUIRE(object != NULL, "%s[%d] comes before %s[%d]", key, index, key, index - 1);
        } else if (*path == '\0') {
            cJSON_AddItemToObject(object, key, value);
            return;
        } else {
            object = child(object, key, false);
        }
        path++;    // .
    }
}

cJSON *sheet_tree(const Sheet *sheet)
{
    cJSON *tree = cJSON_CreateObject();
    for (const Entry *entry = sheet->first; entry != NULL; entry = entry->next)
        put(tree, entry->path, value_of(entry));
    return tree;
}

// Takes the tree.
static char *print_tree(Arena *arena, cJSON *tree)
{
    char *text = cJSON_Print(tree);
    REQUIRE(text != NULL, "no memory to print JSON");
    char *kept = arena_print(arena, "%s", text);
    cJSON_free(text);
    cJSON_Delete(tree);
    return kept;
}

char *sheet_json(const Sheet *sheet)
{
    return print_tree(sheet->arena, sheet_tree(sheet));
}

char *sheets_json(Arena *arena, const Sheet *const *sheets, int count, const char *name,
                  const char *const *values)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON *named = cJSON_AddArrayToObject(tree, name);
    cJSON *answers = cJSON_AddArrayToObject(tree, "answers");
    for (int s = 0; s < count; s++) {
        cJSON_AddItemToArray(named, cJSON_CreateString(values[s]));
        cJSON_AddItemToArray(answers, sheet_tree(sheets[s]));
    }
    return print_tree(arena, tree);
}

// ---- CSV ----

// As RFC 4180 has it: in quotes where a comma, a quote or a line's end would mislead.
static void write_field(FILE *stream, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void write_value(FILE *stream, const Entry *entry)
{
    char number[NUMBER_MAX];
    if (entry == NULL) return;
    switch (entry->kind) {
    case ENTRY_COUNT: fprintf(stream, "%llu", (unsigned long long)entry->count); break;
    case ENTRY_REAL:
        print_real(number, entry->real);
        if (isfinite(entry->real)) fputs(number, stream);
        break;
    case ENTRY_TEXT: write_field(stream, entry->text); break;
    case ENTRY_FLAG: fputs(entry->flag ? "true" : "false", stream); break;
    case ENTRY_NULL: break;
    }
}

void sheets_csv(FILE *stream, const Sheet *const *sheets, int count, const char *name,
                const char *const *values)
{
    // The paths of all, in the order in which they are first met.
    size_t most = 0, paths = 0;
    for (int s = 0; s < count; s++) most += (size_t)sheets[s]->count;
    const char **path = calloc(most + 1, sizeof *path);
    REQUIRE(path != NULL, "no memory for %zu paths", most);
    for (int s = 0; s < count; s++)
        for (const Entry *entry = sheets[s]->first; entry != NULL; entry = entry->next) {
            bool known = false;
            for (int before = 0; before < s && !known; before++)
                known = sheet_find(sheets[before], entry->path) != NULL;
            if (!known) path[paths++] = entry->path;
        }
    if (name != NULL) write_field(stream, name);
    for (size_t p = 0; p < paths; p++) {
        if (p > 0 || name != NULL) fputc(',', stream);
        write_field(stream, path[p]);
    }
    fputc('\n', stream);
    for (int s = 0; s < count; s++) {
        if (name != NULL) write_field(stream, values[s]);
        for (size_t p = 0; p < paths; p++) {
            if (p > 0 || name != NULL) fputc(',', stream);
            write_value(stream, sheet_find(sheets[s], path[p]));
        }
        fputc('\n', stream);
    }
    free(path);
}
