/* names.h -- the states or the actions of a JSON file: a list of texts, or how many there are.
 *
 *     Names states;
 *     if (!names_read(arena, tree, "w.json", "states", 1000, &states, &err)) ...
 *     if (!names_find(arena, &states, node, "state", &index, &err)) ...    // a text or a number
 */
#pragma once
#include <cjson/cJSON.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Names {
    const char **names;    // clean text
    int count, *order;     // in order of their text, to look them up; NULL: they are numbers
} Names;

bool names_read(Arena *arena, const cJSON *tree, const char *where, const char *field, int most,
                Names *names, Error *err);

// What a node calls one of them. The message does not say where the node stands: the caller does.
bool names_find(Arena *arena, const Names *names, const cJSON *node, const char *what, int *index,
                Error *err);
