#include "labs/2_core/mdp/worlds/names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "common/nearest.h"
#include "common/text.h"

enum { LONGEST = 200 };    // a name, in bytes

static const char *const *sorting;    // qsort() passes no context
static int by_name(const void *a, const void *b)
{
    return strcmp(sorting[*(const int *)a], sorting[*(const int *)b]);
}

bool names_read(Arena *arena, const cJSON *tree, const char *where, const char *field, int most,
                Names *names, Error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(tree, field);
    double count;
    if (cJSON_IsNumber(node)) {
        if (!json_number(tree, where, field, 1, most, &count, err)) return false;
        if (count != floor(count))
            return error_set(err, "%s: \"%s\" is %g, expected a whole number or a list of names",
                             where, field, count);
        names->count = (int)count;
        names->names = arena_alloc(arena, (size_t)names->count * sizeof(char *));
        char(*digits)[12] = arena_alloc(arena, (size_t)names->count * sizeof *digits);
        for (int i = 0; i < names->count; i++) {
            snprintf(digits[i], sizeof *digits, "%d", i);
            names->names[i] = digits[i];
        }
        return true;
    }
    if (!json_texts(arena, tree, where, field, &names->names, &names->count, err)) return false;
    if (names->count < 1 || names->count > most)
        return error_set(err, "%s: \"%s\" has %d names, expected 1 to %d", where, field,
                         names->count, most);
    names->order = arena_alloc(arena, (size_t)names->count * sizeof(int));
    for (int i = 0; i < names->count; i++) {
        if (strlen(names->names[i]) > LONGEST)
            return error_set(err, "%s: \"%s\"[%d] has %zu bytes, expected at most %d", where, field,
                             i, strlen(names->names[i]), LONGEST);
        text_clean((char *)names->names[i]);
        names->order[i] = i;
    }
    sorting = names->names;
    qsort(names->order, (size_t)names->count, sizeof(int), by_name);
    for (int i = 1; i < names->count; i++)
        if (strcmp(names->names[names->order[i - 1]], names->names[names->order[i]]) == 0)
            return error_set(err, "%s: \"%s\" has '%.80s' twice, expected a name once", where,
                             field, names->names[names->order[i]]);
    return true;
}

static int find(const Names *names, const char *name)
{
    if (names->order == NULL) {
        long number = strtol(name, NULL, 10);
        bool is_one = number >= 0 && number < names->count;
        return is_one && strcmp(names->names[number], name) == 0 ? (int)number : -1;
    }
    int low = 0, high = names->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (strcmp(names->names[names->order[middle]], name) < 0) low = middle + 1;
        else high = middle;
    }
    bool found = low < names->count && strcmp(names->names[names->order[low]], name) == 0;
    return found ? names->order[low] : -1;
}

bool names_find(Arena *arena, const Names *names, const cJSON *node, const char *what, int *index,
                Error *err)
{
    if (cJSON_IsNumber(node)) {
        double number = node->valuedouble;
        *index = number >= 0 && number < names->count ? (int)number : -1;
        return (*index >= 0 && number == *index) ||
               error_set(err, "%g is no %s, expected its name or a number from 0 to %d", number,
                         what, names->count - 1);
    }
    if (!cJSON_IsString(node))
        return error_set(err, "%s, expected the name of one of the %d %ss",
                         node == NULL ? "missing" : "not a text", names->count, what);
    *index = find(names, node->valuestring);
    if (*index >= 0) return true;
    char *name = arena_print(arena, "%s", node->valuestring);
    text_clean(name);    // as the names are
    *index = find(names, name);
    if (*index >= 0) return true;
    const char *near = names->count <= 1000 ? nearest(name, names->names, names->count) : NULL;
    if (near != NULL)
        return error_set(err, "no %s is called '%.80s'; did you mean '%.80s'?", what, name, near);
    return error_set(err, "no %s is called '%.80s', expected one of the %d in \"%ss\"", what, name,
                     names->count, what);
}
