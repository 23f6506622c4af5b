/* json.h -- JSON files whose every field is checked when it is read.
 *
 *     cJSON *tree = json_load("labs/roadmap.json", &err);
 *     const char *title;
 *     if (!json_text(arena, tree, "labs/roadmap.json", "title", &title, &err)) ...
 *     // labs/roadmap.json: "title" is missing, expected a text
 *     cJSON_Delete(tree);
 *
 * `where` opens every message: the file, and the place in it when that is deeper. Texts are copied
 * into the arena; the tree belongs to the caller, and what the getters return borrows from it.
 */
#pragma once
#include <cjson/cJSON.h>
#include <stdbool.h>
#include "common/arena.h"
#include "common/error.h"

cJSON *json_load(const char *path, Error *err);    // an object, or NULL
// The same of a file that Python wrote: Infinity is as good as null, NaN a text.
cJSON *json_load_python(const char *path, Error *err);
// And that, once `edit` has changed the text, and told the bytes that are left: fewer, or as many.
cJSON *json_load_edited(const char *path, size_t (*edit)(char *text, size_t bytes), Error *err);
// Of any kind; text[bytes] is 0. NULL, and the line that is not JSON.
cJSON *json_parse(const char *text, size_t bytes, const char *where, Error *err);
void json_print(cJSON *tree);    // on standard output; takes the tree

// Whether each field is one of `names`, and there once.
bool json_fields(const cJSON *object, const char *where, const char *const *names, int count,
                 Error *err);
bool json_text(Arena *arena, const cJSON *object, const char *where, const char *field,
               const char **text, Error *err);    // not empty
bool json_number(const cJSON *object, const char *where, const char *field, double least,
                 double most, double *number, Error *err);
// An array, or NULL.
const cJSON *json_array(const cJSON *object, const char *where, const char *field, Error *err);
// An array of texts, each not empty.
bool json_texts(Arena *arena, const cJSON *object, const char *where, const char *field,
                const char ***texts, int *count, Error *err);
