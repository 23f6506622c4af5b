#include "labs/5_frontier/paged_kv/app/chat/chat_json.h"
#include <stdio.h>
#include <string.h>

enum { MESSAGES_MAX = 4096, MESSAGE_CALLS_MAX = 128, TOOLS_MAX = 128 };

static const cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *copy(Arena *arena, const char *text)
{
    return arena_print(arena, "%s", text);
}

// Parts are one text.
static bool read_parts(const char **text, Arena *arena, const cJSON *list, int i, Error *err)
{
    size_t bytes = 1;
    const cJSON *part;
    cJSON_ArrayForEach(part, list)
    {
        const cJSON *type = field(part, "type"), *one = field(part, "text");
        if (!cJSON_IsString(type) || strcmp(type->valuestring, "text") != 0 || !cJSON_IsString(one))
            return error_set(err, "messages[%d].content: has a part that is not text", i);
        bytes += strlen(one->valuestring);
    }
    char *joined = arena_zeros(arena, bytes);
    size_t used = 0;
    cJSON_ArrayForEach(part, list) used +=
        (size_t)snprintf(joined + used, bytes - used, "%s", field(part, "text")->valuestring);
    *text = joined;
    return true;
}

static bool read_content(const char **text, Arena *arena, const cJSON *content, int i, Error *err)
{
    *text = NULL;
    if (content == NULL || cJSON_IsNull(content)) return true;
    if (cJSON_IsArray(content)) return read_parts(text, arena, content, i, err);
    if (!cJSON_IsString(content)) return error_set(err, "messages[%d].content: is not a text", i);
    *text = copy(arena, content->valuestring);
    return true;
}

// An object as a text, or the text that is one already.
static const char *object_text(Arena *arena, const cJSON *item)
{
    if (cJSON_IsString(item)) {
        cJSON *tree = cJSON_Parse(item->valuestring);
        const bool object = cJSON_IsObject(tree);
        cJSON_Delete(tree);
        return object ? copy(arena, item->valuestring) : NULL;
    }
    if (!cJSON_IsObject(item)) return NULL;
    char *text = cJSON_PrintUnformatted(item);
    REQUIRE(text != NULL, "no memory for an object");
    const char *kept = copy(arena, text);
    cJSON_free(text);
    return kept;
}

static bool read_calls(ChatMessage *message, Arena *arena, const cJSON *list, int i, Error *err)
{
    if (list == NULL || cJSON_IsNull(list)) return true;
    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
    if (count < 0 || count > MESSAGE_CALLS_MAX)
        return error_set(err, "messages[%d].tool_calls: is not a list of at most %d", i,
                         MESSAGE_CALLS_MAX);
    ChatCall *calls = arena_zeros(arena, ((size_t)count + 1) * sizeof *calls);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *function = field(item, "function"), *name = field(function, "name");
        ChatCall *call = &calls[message->call_count];
        if (cJSON_IsString(name)) call->name = copy(arena, name->valuestring);
        call->arguments = object_text(arena, field(function, "arguments"));
        if (call->name == NULL || call->arguments == NULL)
            return error_set(err,
                             "messages[%d].tool_calls[%d]: expected {\"function\": {\"name\": a "
                             "text, \"arguments\": an object}}",
                             i, message->call_count);
        message->call_count++;
    }
    message->calls = calls;
    return true;
}

static bool read_message(ChatMessage *message, Arena *arena, const cJSON *item, int i, Error *err)
{
    const cJSON *role = field(item, "role");
    *message = (ChatMessage){0};
    if (!cJSON_IsString(role)) return error_set(err, "messages[%d].role: is not a text", i);
    const bool developer = strcmp(role->valuestring, "developer") == 0;
    message->role = developer ? "system" : copy(arena, role->valuestring);
    return read_content(&message->content, arena, field(item, "content"), i, err) &&
           read_calls(message, arena, field(item, "tool_calls"), i, err);
}

static bool read_tools(Chat *chat, Arena *arena, const cJSON *list, Error *err)
{
    if (list == NULL || cJSON_IsNull(list)) return true;
    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
    if (count < 0 || count > TOOLS_MAX)
        return error_set(err, "tools: is not a list of at most %d", TOOLS_MAX);
    const char **tools = arena_zeros(arena, ((size_t)count + 1) * sizeof *tools);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *function = field(item, "function");
        if (!cJSON_IsObject(item) || !cJSON_IsString(field(function, "name")))
            return error_set(err,
                             "tools[%d]: expected {\"type\": \"function\", \"function\": "
                             "{\"name\": ...}}",
                             chat->tool_count);
        tools[chat->tool_count++] = object_text(arena, item);
    }
    chat->tools = tools;
    return true;
}

bool chat_json_read(Chat *chat, Arena *arena, const cJSON *body, Error *err)
{
    *chat = (Chat){0};
    const cJSON *list = field(body, "messages"), *item;
    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
    if (count < 1 || count > MESSAGES_MAX)
        return error_set(err, "messages: is not a list of 1 to %d", MESSAGES_MAX);
    ChatMessage *messages = arena_zeros(arena, (size_t)count * sizeof *messages);
    cJSON_ArrayForEach(item, list)
    {
        if (!read_message(&messages[chat->count], arena, item, chat->count, err)) return false;
        chat->count++;
    }
    chat->messages = messages;
    return read_tools(chat, arena, field(body, "tools"), err);
}
