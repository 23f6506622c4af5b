/* rendering.h -- a conversation's text as it grows, and which of it are special tokens.
 *
 *     chat_add_special(r, "<|im_start|>");    // the template's own
 *     chat_add(r, message->role);
 *     chat_add_span(r, chat_trim(chat_span(message->content)));
 */
#pragma once
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"

// The kinds whose turns are ChatML's come first.
typedef enum Style { CHATML, QWEN2, QWEN3, LLAMA3, LLAMA31, STYLES } Style;

struct ChatTemplate {
    Style style;
    char *system;    // of a conversation without one, or NULL
    bool asks_clock;
};

// Part of a text.
typedef struct Span {
    const char *text;
    size_t bytes;
} Span;

// A special token that the template put into the text.
typedef struct Special {
    size_t at;
    const char *name;
} Special;

typedef struct Rendering {
    const ChatTemplate *template;
    const Chat *chat;
    Bytes text;
    Special *specials;
    int count, room;
} Rendering;

void *chat_checked(void *memory);

void chat_add(Rendering *r, const char *text);
void chat_add_span(Rendering *r, Span span);
void chat_add_special(Rendering *r, const char *name);

Span chat_span(const char *text);    // NULL is empty
Span chat_trim(Span span);           // white space at both ends, as Python's str.strip() takes it

bool chat_has_role(const ChatMessage *message, const char *role);
bool chat_role_at(const Chat *chat, int i, const char *role);    // false where there is no message

bool render_chatml(Rendering *r, Error *err);
bool render_llama(Rendering *r, Error *err);
