#include "labs/5_frontier/key_numbers/app/output/json.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
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

static cJSON *value_of(const Row *row)
{
    char number[NUMBER_MAX];
    switch (row->kind) {
    case ROW_COUNT:
        // cJSON's own numbers are doubles: they end at 2^53, and at 15 digits before.
        snprintf(number, sizeof number, "%" PRIu64, row->count);
        return cJSON_CreateRaw(number);
    case ROW_REAL:
        if (!isfinite(row->real)) return cJSON_CreateNull();
        print_real(number, row->real);
        return cJSON_CreateRaw(number);
    case ROW_TEXT: return cJSON_CreateString(row->text);
    case ROW_FLAG: return cJSON_CreateBool(row->flag);
    case ROW_NULL: break;
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

cJSON *rows_tree(const Rows *rows)
{
    cJSON *tree = cJSON_CreateObject();
    for (const Row *row = rows->first; row != NULL; row = row->next)
        put(tree, row->path, value_of(row));
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

char *rows_json(const Rows *rows)
{
    return print_tree(rows->arena, rows_tree(rows));
}

char *reports_json(Arena *arena, const Rows *const *reports, int count, const char *name,
                   const char *const *values)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON *named = cJSON_AddArrayToObject(tree, name);
    cJSON *answers = cJSON_AddArrayToObject(tree, "answers");
    for (int s = 0; s < count; s++) {
        cJSON_AddItemToArray(named, cJSON_CreateString(values[s]));
        cJSON_AddItemToArray(answers, rows_tree(reports[s]));
    }
    return print_tree(arena, tree);
}

// ---- CSV ----

void csv_field(FILE *stream, const char *text)
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

static void write_value(FILE *stream, const Row *row)
{
    char number[NUMBER_MAX];
    if (row == NULL) return;
    switch (row->kind) {
    case ROW_COUNT: fprintf(stream, "%" PRIu64, row->count); break;
    case ROW_REAL:
        print_real(number, row->real);
        if (isfinite(row->real)) fputs(number, stream);
        break;
    case ROW_TEXT: csv_field(stream, row->text); break;
    case ROW_FLAG: fputs(row->flag ? "true" : "false", stream); break;
    case ROW_NULL: break;
    }
}

void reports_csv(FILE *stream, const Rows *const *reports, int count, const char *name,
                 const char *const *values)
{
    // The paths of all, in the order in which they are first met.
    size_t most = 0, paths = 0;
    for (int s = 0; s < count; s++) most += (size_t)reports[s]->count;
    const char **path = calloc(most + 1, sizeof *path);
    REQUIRE(path != NULL, "no memory for %zu paths", most);
    for (int s = 0; s < count; s++)
        for (const Row *row = reports[s]->first; row != NULL; row = row->next) {
            bool known = false;
            for (int before = 0; before < s && !known; before++)
                known = rows_find(reports[before], row->path) != NULL;
            if (!known) path[paths++] = row->path;
        }
    if (name != NULL) csv_field(stream, name);
    for (size_t p = 0; p < paths; p++) {
        if (p > 0 || name != NULL) fputc(',', stream);
        csv_field(stream, path[p]);
    }
    fputc('\n', stream);
    for (int s = 0; s < count; s++) {
        if (name != NULL) csv_field(stream, values[s]);
        for (size_t p = 0; p < paths; p++) {
            if (p > 0 || name != NULL) fputc(',', stream);
            write_value(stream, rows_find(reports[s], path[p]));
        }
        fputc('\n', stream);
    }
    free(path);
}
