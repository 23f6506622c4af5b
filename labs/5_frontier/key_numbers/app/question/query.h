/* query.h -- the settings in an address, read strictly.
 *
 *     Query query;
 *     if (!query_read(arena, "model=Qwen%2FQwen3-8B&context=8k", &query, &err)) ...
 *     query_text(&query, "model")    // "Qwen/Qwen3-8B"; NULL when it is not there
 *
 * What browsers make of a form (the URL standard's application/x-www-form-urlencoded): pairs with &
 * between them, %XX for a byte, + for a space. Nothing is guessed: a name that comes twice, half a
 * %XX, a byte that is no printable ASCII character is one sentence. A name's dashes become underscores,
 * as an option's do.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

enum { QUERY_MOST = 64 };

typedef struct Query {
    int count;
    struct {
        const char *name, *value;
    } pairs[QUERY_MOST];
} Query;

bool query_read(Arena *arena, const char *text, Query *query, Error *err);
const char *query_text(const Query *query, const char *name);
