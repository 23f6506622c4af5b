#include "common/html.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "common/file.h"

const char *html_escaped(Arena *arena, const char *text)
{
    char *out = arena_alloc(arena, 6 * strlen(text) + 1), *end = out;
    for (; *text != '\0'; text++) switch (*text) {
        case '<': end = stpcpy(end, "&lt;"); break;
        case '>': end = stpcpy(end, "&gt;"); break;
        case '&': end = stpcpy(end, "&amp;"); break;
        case '"': end = stpcpy(end, "&quot;"); break;
        case '\'': end = stpcpy(end, "&#39;"); break;
        default:
            if (iscntrl((unsigned char)*text) && *text != '\n') end = stpcpy(end, "\xef\xbf\xbd");
            else *end++ = *text;
        }
    *end = '\0';
    return out;
}

const char *html_url(Arena *arena, const char *path)
{
    char *out = arena_alloc(arena, 3 * strlen(path) + 1), *end = out;
    for (; *path != '\0'; path++)
        if (isalnum((unsigned char)*path) || strchr("/-_.", *path)) *end++ = *path;
        else end += sprintf(end, "%%%02X", (unsigned char)*path);
    *end = '\0';
    return out;
}

// RFC 4648.
static const char *base64(Arena *arena, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, 4 * ((count + 2) / 3) + 1), *end = out;
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        uint32_t three = (uint32_t)bytes[i] << 16;
        if (left > 1) three |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2) three |= bytes[i + 2];
        *end++ = digits[three >> 18];
        *end++ = digits[three >> 12 & 63];
        *end++ = '=';
        *end++ = '=';
        if (left > 1) end[-2] = digits[three >> 6 & 63];
        if (left > 2) end[-1] = digits[three & 63];
    }
    *end = '\0';
    return out;
}

const char *html_data_url(Arena *arena, const char *path, size_t most)
{
    static const char *const types[][2] = {{".png", "png"}, {".svg", "svg+xml"}};
    const char *dot = strrchr(path, '.'), *type = NULL;
    for (int t = 0; t < 2 && dot != NULL; t++)
        if (strcmp(dot, types[t][0]) == 0) type = types[t][1];
    FILE *stream = type != NULL ? file_open(path, NULL) : NULL;
    if (stream == NULL) return NULL;
    ArenaMark mark = arena_mark(arena);
    uint8_t *bytes = arena_alloc(arena, most + 1);
    size_t count = fread(bytes, 1, most + 1, stream);
    bool whole = count <= most && !ferror(stream);
    fclose(stream);
    if (whole)
        return arena_print(arena, "data:image/%s;base64,%s", type, base64(arena, bytes, count));
    arena_rewind(arena, mark);
    return NULL;
}
