/* chat_completions.c -- /v1/chat/completions: a conversation through the model's template, with tools. */
#include "labs/5_frontier/paged_kv/app/chat/chat_json.h"
#include "labs/5_frontier/paged_kv/app/serve/api_request.h"

// ---- tools ----

// A schema moves into a larger one: what it refers to comes along, and "#" would no longer be its own top.
static bool move_definitions(cJSON *root, cJSON *parameters, const char *name, Refusal *refusal)
{
    static const char *const places[] = {"$defs", "definitions"};
    for (int i = 0; i < 2; i++) {
        cJSON *list = cJSON_DetachItemFromObjectCaseSensitive(parameters, places[i]);
        if (list == NULL) continue;
        cJSON *all = cJSON_GetObjectItemCaseSensitive(root, places[i]);
        if (all == NULL) all = cJSON_AddObjectToObject(root, places[i]);
        while (list->child != NULL) {
            cJSON *one = cJSON_DetachItemViaPointer(list, list->child);
            const cJSON *same = cJSON_GetObjectItemCaseSensitive(all, one->string);
            if (same != NULL && !cJSON_Compare(same, one, true)) {
                refuse(refusal, 400, "tools", "tools: %.60s and another one differ in %s/%.60s",
                       name, places[i], one->string);
                cJSON_Delete(one);
                cJSON_Delete(list);
                return false;
            }
            if (same == NULL) cJSON_AddItemToObject(all, one->string, one);
            else cJSON_Delete(one);
        }
        cJSON_Delete(list);
    }
    return true;
}

// {"name": "f", "arguments": {...}}
static cJSON *call_schema(cJSON *root, const cJSON *function, Refusal *refusal)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(function, "name"));
    cJSON *given = cJSON_GetObjectItemCaseSensitive(function, "parameters");
    cJSON *parameters = cJSON_IsObject(given) ? cJSON_Duplicate(given, true) : cJSON_CreateObject();
    if (parameters->child == NULL) cJSON_AddStringToObject(parameters, "type", "object");
    if (!move_definitions(root, parameters, name, refusal)) {
        cJSON_Delete(parameters);
        return NULL;
    }
    cJSON *schema = cJSON_CreateObject(), *required = cJSON_CreateArray();
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "name"), "const", name);
    cJSON_AddItemToObject(properties, "arguments", parameters);
    cJSON_AddItemToArray(required, cJSON_CreateString("name"));
    cJSON_AddItemToArray(required, cJSON_CreateString("arguments"));
    cJSON_AddItemToObject(schema, "required", required);
    return schema;
}

// The texts that are a call of one of the tools: of the named one, or of any (NULL).
static bool make_schema(ApiRequest *asked, Arena *arena, const cJSON *tools, const char *named,
                        Refusal *refusal)
{
    cJSON *root = cJSON_CreateObject(), *ways = cJSON_AddArrayToObject(root, "anyOf");
    const cJSON *tool;
    bool good = true;
    cJSON_ArrayForEach(tool, tools)
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(tool, "function");
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(function, "name"));
        if (!good || (named != NULL && strcmp(name, named) != 0)) continue;
        cJSON *schema = call_schema(root, function, refusal);
        good = schema != NULL;
        if (good) cJSON_AddItemToArray(ways, schema);
    }
    if (good && ways->child == NULL)
        good = refuse(refusal, 400, "tool_choice", "tool_choice: there is no tool \"%.80s\"",
                      named != NULL ? named : "");
    char *text = cJSON_PrintUnformatted(root);
    REQUIRE(text != NULL, "no memory for a schema");
    if (good && strstr(text, "\"$ref\":\"#\"") != NULL)
        good = refuse(
            refusal, 400, "tools",
            "tools: \"$ref\": \"#\" is not supported where a call is required; name it in $defs");
    asked->schema = arena_print(arena, "%s", text);
    asked->must_call = true;
    cJSON_free(text);
    cJSON_Delete(root);
    return good;
}

// "none", "auto", "required", or {"type": "function", "function": {"name": "f"}}.
static bool read_tool_choice(ApiRequest *asked, Arena *arena, const Fields *f, Chat *chat)
{
    const cJSON *choice = field(f, "tool_choice"), *tools = field(f, "tools");
    const char *word = cJSON_IsString(choice) ? choice->valuestring : NULL;
    const cJSON *function = cJSON_GetObjectItemCaseSensitive(choice, "function");
    const char *named = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(function, "name"));
    if (word != NULL && strcmp(word, "none") == 0) {
        chat->tool_count = 0;
        return true;
    }
    const bool any = word != NULL && strcmp(word, "required") == 0;
    if (choice != NULL && named == NULL && !any && (word == NULL || strcmp(word, "auto") != 0))
        return refuse(f->refusal, 400, "tool_choice",
                      "tool_choice: expected none, auto, required, or a function with its name");
    if (chat->tool_count == 0)
        return (!any && named == NULL) ||
               refuse(f->refusal, 400, "tool_choice", "tool_choice: there are no tools");
    if (asked->schema != NULL)
        return refuse(f->refusal, 400, "response_format",
                      "response_format: JSON is not supported beside tools that may be called");
    bool parallel = true;
    if (!field_flag(f, "parallel_tool_calls", &parallel)) return false;
    if (!parallel && !any && named == NULL)
        return refuse(
            f->refusal, 400, "parallel_tool_calls",
            "parallel_tool_calls: false is not supported unless tool_choice requires a call");
    asked->has_tools = true;
    return (!any && named == NULL) || make_schema(asked, arena, tools, named, f->refusal);
}

// ---- the conversation ----

static bool read_template_options(Chat *chat, const Fields *f)
{
    static const FieldRule known[] = {{"enable_thinking", 1, NULL}};
    Fields inner = {.within = "chat_template_kwargs.", .refusal = f->refusal};
    bool thinks = true;
    if (!field_object(f, "chat_template_kwargs", &inner.object)) return false;
    if (inner.object != NULL &&
        (!fields_check(&inner, known, 1, 1) || !field_flag(&inner, "enable_thinking", &thinks)))
        return false;
    chat->no_thinking = !thinks;
    return true;
}

// logprobs: true; top_logprobs: how many.
static bool read_logprobs(ApiRequest *asked, const Fields *f)
{
    int *wanted = &asked->request.sampling.log_probabilities;
    bool given = false;
    int likeliest = 0;
    if (!field_flag(f, "logprobs", &given) ||
        !field_int(f, "top_logprobs", 0, LIKELIEST_MAX, &likeliest))
        return false;
    if (likeliest > 0 && !given)
        return refuse(f->refusal, 400, "top_logprobs", "top_logprobs: needs \"logprobs\": true");
    if (given) *wanted = likeliest;
    return true;
}

bool chat_completions_read(ApiRequest *asked, Arena *arena, const Served *served, const Fields *f)
{
    Chat chat;
    Error err;
    if (served->template == NULL)
        return refuse(f->refusal, 400, "messages", "%s; use /v1/completions", served->no_template);
    if (!field_int(f, "max_completion_tokens", 1, INT32_MAX, &asked->request.max_tokens))
        return false;
    if (!chat_json_read(&chat, arena, f->object, &err))
        return refuse_with(f->refusal, 400,
                           strncmp(err.message, "tools", 5) == 0 ? "tools" : "messages", NULL,
                           &err);
    if (!read_template_options(&chat, f) || !read_logprobs(asked, f) ||
        !read_tool_choice(asked, arena, f, &chat))
        return false;
    if (!chat_encode(served->template, served->tokenizer, &chat,
                     api_request_add_prompt(asked, arena, 1), &err))
        return refuse_with(f->refusal, 400, "messages", NULL, &err);
    return true;
}
