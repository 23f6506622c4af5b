#include "labs/5_frontier/paged_kv/app/chat/template.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/gguf.h"
#include "common/json.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/chat/rendering.h"

// ---- known by what is in them ----

static const struct {
    const char *about;
    const char *has[4], *lacks[6];    // NULL ends them
} KNOWN[STYLES] = {
    [CHATML] = {"ChatML",
                {"<|im_start|>", "<|im_end|>", "add_generation_prompt"},
                {"tool", "think", "bos_token", "eos_token", "raise_exception", "trim"}},
    [QWEN2] = {"Qwen 2.5",
               {"<|im_start|>", "<tool_call>", "You may call one or more functions"},
               {"think", "bos_token", "<function="}},
    [QWEN3] = {"Qwen 3",
               {"<|im_start|>", "enable_thinking", "last_query_index",
                "You may call one or more functions"},
               {"bos_token", "<function=", "image"}},
    [LLAMA3] = {"Llama 3",
                {"<|start_header_id|>", "<|eot_id|>", "bos_token", "trim"},
                {"tool", "function", "Cutting Knowledge", "system_message", "think"}},
    [LLAMA31] = {"Llama 3.1",
                 {"<|start_header_id|>", "<|eot_id|>", "Cutting Knowledge Date: December 2023",
                  "tools_in_user_message"},
                 {"think"}},
};

static bool matches(const char *jinja, Style style)
{
    for (int i = 0; i < 4 && KNOWN[style].has[i] != NULL; i++)
        if (strstr(jinja, KNOWN[style].has[i]) == NULL) return false;
    for (int i = 0; i < 6 && KNOWN[style].lacks[i] != NULL; i++)
        if (strstr(jinja, KNOWN[style].lacks[i]) != NULL) return false;
    return true;
}

// The text of '<|im_start|>system\nYou are ...<|im_end|>' in one literal; NULL: there is none.
static char *default_system(const char *jinja)
{
    static const char HEAD[] = "<|im_start|>system", END[] = "<|im_end|>";
    for (const char *at = strstr(jinja, HEAD); at != NULL; at = strstr(at + 1, HEAD)) {
        const char *first = at + strlen(HEAD), *end = strstr(first, END);
        if (first[0] == '\n') first++;
        else if (first[0] == '\\' && first[1] == 'n') first += 2;
        else continue;
        if (end == NULL || first > end || strcspn(first, "'\"{") < (size_t)(end - first)) continue;
        char *text = chat_checked(calloc((size_t)(end - first) + 1, 1));
        size_t used = 0;
        while (first < end) {
            const bool escape = first[0] == '\\' && first[1] == 'n';
            text[used++] = escape ? '\n' : *first;
            first += escape ? 2 : 1;
        }
        return text;
    }
    return NULL;
}

ChatTemplate *chat_template_parse(const char *jinja, size_t bytes, const char *where, Error *err)
{
    char *text = chat_checked(strndup(jinja, bytes));
    ChatTemplate *t = NULL;
    for (Style style = 0; style < STYLES && t == NULL; style++) {
        if (!matches(text, style)) continue;
        t = chat_checked(calloc(1, sizeof *t));
        *t = (ChatTemplate){.style = style, .asks_clock = strstr(text, "strftime_now") != NULL};
        if (style <= QWEN2) t->system = default_system(text);
    }
    free(text);
    if (t == NULL)
        error_set(err,
                  "%s: the chat template is not one of those that are known: ChatML, Qwen 2.5, "
                  "Qwen 3, Llama 3, Llama 3.1 to 3.3",
                  where);
    return t;
}

void chat_template_close(ChatTemplate *t)
{
    if (t != NULL) free(t->system);
    free(t);
}

const char *chat_template_about(const ChatTemplate *t)
{
    return KNOWN[t->style].about;
}

const char *chat_template_end(const ChatTemplate *t)
{
    return t->style < LLAMA3 ? "<|im_end|>" : "<|eot_id|>";
}

// ---- where it is ----

static void *none(const char *path, Error *err)
{
    error_set(err, "%s: has no chat template: it is a model that continues text", path);
    return NULL;
}

static ChatTemplate *of_gguf(const char *path, Error *err)
{
    Gguf *file = gguf_open_header(path, err);
    if (file == NULL) return NULL;
    GgufText text = {NULL, 0};
    ChatTemplate *t = gguf_next_text(gguf_value(file, "tokenizer.chat_template"), &text)
                          ? chat_template_parse(text.bytes, text.length, path, err)
                          : none(path, err);
    gguf_close(file);
    return t;
}

static char *copy(const char *text, size_t bytes)
{
    char *made = malloc(bytes + 1);
    REQUIRE(made != NULL, "no memory for a template of %zu bytes", bytes);
    memcpy(made, text, bytes);
    made[bytes] = '\0';
    return made;
}

static char *of_jinja(const char *path, size_t *bytes, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return NULL;
    char *text = copy(view.bytes != NULL ? view.bytes : "", *bytes = view.size);
    file_unmap(view);
    return text;
}

static char *of_config(const char *path, size_t *bytes, Error *err)
{
    cJSON *tree = json_load(path, err);
    if (tree == NULL) return NULL;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "chat_template"), *one;
    // A list has several, by name.
    if (cJSON_IsArray(item)) {
        const cJSON *list = item;
        item = NULL;
        cJSON_ArrayForEach(one, list)
        {
            const cJSON *name = cJSON_GetObjectItemCaseSensitive(one, "name");
            if (cJSON_IsString(name) && strcmp(name->valuestring, "default") == 0)
                item = cJSON_GetObjectItemCaseSensitive(one, "template");
        }
    }
    const char *jinja = cJSON_GetStringValue(item);
    char *text = jinja != NULL ? copy(jinja, *bytes = strlen(jinja)) : none(path, err);
    cJSON_Delete(tree);
    return text;
}

char *chat_template_read(const char *folder, size_t *bytes, Error *err)
{
    struct stat status;
    char inside[4096];
    snprintf(inside, sizeof inside, "%s/chat_template.jinja", folder);
    if (stat(inside, &status) == 0) return of_jinja(inside, bytes, err);
    snprintf(inside, sizeof inside, "%s/tokenizer_config.json", folder);
    return stat(inside, &status) == 0 ? of_config(inside, bytes, err) : none(folder, err);
}

ChatTemplate *chat_template_open(const char *path, Error *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        error_set(err, "%s: does not exist", path);
        return NULL;
    }
    if (!S_ISDIR(status.st_mode))
        return text_ends(path, ".gguf") ? of_gguf(path, err) : none(path, err);
    size_t bytes;
    char *text = chat_template_read(path, &bytes, err);
    ChatTemplate *t = text != NULL ? chat_template_parse(text, bytes, path, err) : NULL;
    free(text);
    return t;
}
