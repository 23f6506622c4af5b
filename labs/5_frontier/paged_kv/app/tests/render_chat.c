/* render_chat.c -- for chat_live.py: lines of JSON {"template": ..., "case": ...} in, the texts as JSON out; null
 * where a template or a conversation is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/chat/chat_json.h"

static char *render(Arena *arena, const cJSON *line)
{
    const char *jinja = cJSON_GetStringValue(cJSON_GetObjectItem(line, "template"));
    const cJSON *body = cJSON_GetObjectItem(line, "case");
    ChatTemplate *t = jinja != NULL ? chat_template_parse(jinja, strlen(jinja), "", NULL) : NULL;
    Chat chat;
    size_t bytes;
    char *text = NULL;
    if (t != NULL && chat_json_read(&chat, arena, body, NULL)) {
        chat.no_answer = cJSON_HasObjectItem(body, "no_answer");
        chat.no_thinking = cJSON_HasObjectItem(body, "no_thinking");
        chat.date = "29 Nov 2026";
        text = chat_render(t, &chat, &bytes, NULL);
    }
    chat_template_close(t);
    return text;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    Arena *arena = arena_new("conversations", (size_t)1 << 28);
    while (getline(&line, &room, stdin) > 0) {
        cJSON *tree = cJSON_Parse(line);
        char *text = render(arena, tree);
        cJSON *out = text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull();
        char *shown = cJSON_PrintUnformatted(out);
        puts(shown != NULL ? shown : "null");
        cJSON_free(shown);
        cJSON_Delete(out);
        cJSON_Delete(tree);
        free(text);
        arena_reset(arena);
    }
    free(line);
    arena_free(arena);
    return EXIT_SUCCESS;
}
