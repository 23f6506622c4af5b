#include "labs/5_frontier/paged_kv/app/chat/calls.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/chat/rendering.h"

static const char OPEN[] = "<tool_call>", CLOSE[] = "</tool_call>";

// One call, if the text is nothing else.
static bool read_call(ChatAnswer *answer, Arena *arena, Span text, const char *arguments)
{
    if (answer->call_count == CALLS_MAX) return false;
    text = chat_trim(text);
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text.text, text.bytes, &end, false);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(tree, "name");
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(tree, arguments);
    const bool good = tree != NULL && end == text.text + text.bytes && cJSON_IsString(name) &&
                      cJSON_IsObject(given);
    if (good) {
        char *shown = cJSON_PrintUnformatted(given);
        REQUIRE(shown != NULL, "no memory for a call");
        answer->calls[answer->call_count++] = (ChatCall){
            arena_print(arena, "%s", name->valuestring), arena_print(arena, "%s", shown)};
        cJSON_free(shown);
    }
    cJSON_Delete(tree);
    return good;
}

static void read_tagged(ChatAnswer *answer, Arena *arena, Bytes *content, const char *text)
{
    for (const char *open; (open = strstr(text, OPEN)) != NULL;) {
        const char *first = open + strlen(OPEN), *close = strstr(first, CLOSE);
        // A model that stops there may leave out the end.
        const char *end = close != NULL ? close : first + strlen(first);
        const char *next = close != NULL ? close + strlen(CLOSE) : end;
        const bool call =
            read_call(answer, arena, (Span){first, (size_t)(end - first)}, "arguments");
        bytes_add(content, text, (size_t)((call ? open : next) - text));
        text = next;
    }
    bytes_add(content, text, strlen(text));
}

void chat_calls_read(ChatAnswer *answer, Arena *arena, const ChatTemplate *template,
                     const char *text, size_t bytes)
{
    *answer = (ChatAnswer){.content = ""};
    char *copy = arena_zeros(arena, bytes + 1);
    memcpy(copy, text, bytes);
    if (template->style == LLAMA31) {
        if (!read_call(answer, arena, chat_span(copy), "parameters")) answer->content = copy;
        return;
    }
    if (template->style != QWEN2 && template->style != QWEN3) {
        answer->content = copy;
        return;
    }
    Bytes content = {0};
    read_tagged(answer, arena, &content, copy);
    const Span rest = {(const char *)content.data, content.count};
    const Span kept = answer->call_count > 0 ? chat_trim(rest) : rest;
    if (kept.bytes > 0) answer->content = arena_print(arena, "%.*s", (int)kept.bytes, kept.text);
    free(content.data);
}
