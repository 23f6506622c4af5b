#include "labs/5_frontier/key_numbers/app/question/query.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 64 };    // of what was wrong, in a message

// The byte that two hexadecimal digits stand for; -1 when they are not two.
static int byte_of(const char *digits, size_t left)
{
    if (left < 2 || !isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
        return -1;
    return (int)strtol((const char[]){digits[0], digits[1], '\0'}, NULL, 16);
}

// NULL where it is not what a browser sends.
static char *decode(Arena *arena, const char *text, size_t length, Error *err)
{
    char *decoded = arena_alloc(arena, length + 1), *end = decoded;
    for (size_t i = 0; i < length; i++) {
        int byte = text[i] == '+' ? ' ' : (unsigned char)text[i];
        if (text[i] == '%') {
            byte = byte_of(text + i + 1, length - i - 1);
            i += 2;
        }
        if (byte < 0) {
            error_set(err, "'%.*s': a %% is not followed by two hexadecimal digits",
                      length > SHOWN_MAX ? SHOWN_MAX : (int)length, text);
            return NULL;
        }
        if (byte < ' ' || byte > '~') {
            error_set(err, "the address holds the byte 0x%02x; expected printable ASCII",
                      (unsigned)byte);
            return NULL;
        }
        *end++ = (char)byte;
    }
    *end = '\0';
    return decoded;
}

static bool add(Arena *arena, const char *pair, size_t length, Query *query, Error *err)
{
    const char *equals = memchr(pair, '=', length);
    if (equals == NULL || equals == pair)
        return error_set(err, "'%.*s': expected NAME=VALUE",
                         length > SHOWN_MAX ? SHOWN_MAX : (int)length, pair);
    size_t named = (size_t)(equals - pair);
    char *name = decode(arena, pair, named, err);
    char *value = name != NULL ? decode(arena, equals + 1, length - named - 1, err) : NULL;
    if (value == NULL) return false;
    for (char *at = name; *at != '\0'; at++)
        if (*at == '-') *at = '_';
    if (query_text(query, name) != NULL)
        return error_set(err, "'%.*s' is given twice", SHOWN_MAX, name);
    if (query->count == QUERY_MOST) return error_set(err, "more than %d settings", QUERY_MOST);
    query->pairs[query->count].name = name;
    query->pairs[query->count++].value = value;
    return true;
}

bool query_read(Arena *arena, const char *text, Query *query, Error *err)
{
    query->count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "&");
        if (!add(arena, text, length, query, err)) return false;
        text += length + (text[length] == '&');
    }
    return true;
}

const char *query_text(const Query *query, const char *name)
{
    for (int i = 0; i < query->count; i++)
        if (strcmp(query->pairs[i].name, name) == 0) return query->pairs[i].value;
    return NULL;
}
