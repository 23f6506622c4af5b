#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(Bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text));
}

static void new_line(Bytes *out, int indent, int depth)
{
    add(out, "\n");
    for (int i = 0; i < indent * depth; i++) add(out, " ");
}

static unsigned hex4(const char *digits)
{
    char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};
    return (unsigned)strtoul(text, NULL, 16);
}

static void add_code_point(Bytes *out, unsigned c)
{
    char text[5] = "";
    if (c < 0x80) {
        text[0] = (char)c;
    } else if (c < 0x800) {
        text[0] = (char)(0xc0 | c >> 6), text[1] = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        text[0] = (char)(0xe0 | c >> 12), text[1] = (char)(0x80 | (c >> 6 & 63));
        text[2] = (char)(0x80 | (c & 63));
    } else {
        text[0] = (char)(0xf0 | c >> 18), text[1] = (char)(0x80 | (c >> 12 & 63));
        text[2] = (char)(0x80 | (c >> 6 & 63)), text[3] = (char)(0x80 | (c & 63));
    }
    add(out, text);
}

// A character within a string, escaped where it has to be.
static void add_escaped(Bytes *out, unsigned c)
{
    static const char *const shorts[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    if (c == '"' || c == '\\') add(out, "\\");
    if (c <= '\r' && shorts[c] != NULL) {
        add(out, shorts[c]);
    } else if (c < 0x20) {
        char text[8];
        snprintf(text, sizeof text, "\\u%04x", c);
        add(out, text);
    } else {
        add_code_point(out, c);
    }
}

// "\u00e9" as the letter; returns what follows.
static const char *add_unicode_escape(Bytes *out, const char *at)
{
    unsigned c = hex4(at + 2);
    const char *end = at + 6;
    if (c >= 0xd800 && c < 0xdc00 && end[0] == '\\' && end[1] == 'u') {
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(end + 2) - 0xdc00);
        end += 6;
    }
    add_escaped(out, c);
    return end;
}

// At a string's first quote; returns what follows its last.
static const char *add_string(Bytes *out, const char *at)
{
    bytes_add(out, at++, 1);
    while (*at != '"') {
        if (at[0] == '\\' && at[1] == 'u') {
            at = add_unicode_escape(out, at);
        } else if (at[0] == '\\' && at[1] == '/') {
            add(out, "/");
            at += 2;
        } else {
            const size_t count = *at == '\\' ? 2 : 1;
            bytes_add(out, at, count);
            at += count;
        }
    }
    bytes_add(out, at, 1);
    return at + 1;
}

static bool is_json(const char *json)
{
    const char *end;
    cJSON *tree = cJSON_ParseWithOpts(json, &end, true);
    cJSON_Delete(tree);
    return tree != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool json_text_add(Bytes *out, const char *json, int indent, Error *err)
{
    if (!is_json(json)) return error_set(err, "\"%.40s\" is not JSON", json);
    int depth = 0;
    for (const char *at = json; *at != '\0';) {
        if (is_space(*at)) {
            at++;
            continue;
        }
        if (*at == '"') {
            at = add_string(out, at);
            continue;
        }
        const char *next = at + 1;
        const bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
        while (opens && is_space(*next)) next++;
        const bool empty = opens && (*next == '}' || *next == ']');
        if (closes && indent > 0) new_line(out, indent, depth - 1);
        bytes_add(out, at, 1);
        if (*at == ':' || (*at == ',' && indent == 0)) add(out, " ");
        if (empty) {
            bytes_add(out, next++, 1);
        } else {
            depth += opens - closes;
            if (indent > 0 && (opens || *at == ',')) new_line(out, indent, depth);
        }
        at = next;
    }
    return true;
}

void json_text_quote_bytes(Bytes *out, const char *text, size_t bytes)
{
    add(out, "\"");
    for (const char *end = text + bytes; text < end; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x80) add_escaped(out, c);
        else bytes_add(out, text, 1);
    }
    add(out, "\"");
}

void json_text_quote(Bytes *out, const char *text)
{
    json_text_quote_bytes(out, text, strlen(text));
}
