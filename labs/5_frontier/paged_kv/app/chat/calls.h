/* calls.h -- the calls of tools in what a model answered.
 *
 *     ChatAnswer answer;
 *     chat_calls_read(&answer, arena, template, text, bytes);
 *     // answer.content: the text before them; answer.calls[0].name, .arguments
 *
 * Qwen writes <tool_call>{"name": ..., "arguments": {...}}</tool_call>, as often as it likes; Llama 3.1 answers
 * with {"name": ..., "parameters": {...}} and nothing else. What is not such a call is text, and is left where it
 * is: a model may make mistakes. All is in the arena.
 */
#pragma once
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"

enum { CALLS_MAX = 32 };    // in one answer; further ones stay text

typedef struct ChatAnswer {
    const char *content;    // without the calls; "" where there is nothing else
    int call_count;
    ChatCall calls[CALLS_MAX];
} ChatAnswer;

void chat_calls_read(ChatAnswer *answer, Arena *arena, const ChatTemplate *template,
                     const char *text, size_t bytes);
