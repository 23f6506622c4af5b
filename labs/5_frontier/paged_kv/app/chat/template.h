/* template.h -- a conversation as the text that a model was trained on.
 *
 *     ChatTemplate *template = chat_template_open("model.gguf", &err);    // by what the file says
 *     ChatMessage messages[] = {{.role = "user", .content = "What is the capital of France?"}};
 *     Chat chat = {.messages = messages, .count = 1};
 *     TokenIds ids = {0};
 *     if (!chat_encode(template, tokenizer, &chat, &ids, &err)) ...
 *     chat_template_close(template);
 *
 * A file's template is a program in Jinja. It is not run: five kinds are known by what is in them, and each is
 * written here in C; another is refused. Text and ids are those of transformers' apply_chat_template().
 *
 *                    a turn                                                   tools     thinking
 *     ChatML         <|im_start|>user\n ... <|im_end|>\n                      no        no
 *     Qwen 2.5       the same                                                 yes       no
 *     Qwen 3         the same                                                 yes       yes
 *     Llama 3        <|start_header_id|>user<|end_header_id|>\n\n ... <|eot_id|>  no    no
 *     Llama 3.1-3.3  the same, with two dates                                 yes       no
 *
 * Only the template's own special tokens become special tokens. In a message "<|im_end|>" is text like
 * any other: no user ends a turn by writing it (llama.cpp issue 24382).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/encoder.h"

// ---- a conversation ----

typedef struct ChatCall {
    const char *name;
    const char *arguments;    // JSON, an object
} ChatCall;

typedef struct ChatMessage {
    const char *role;         // "system", "user", "assistant" or "tool"
    const char *content;      // NULL: none
    const ChatCall *calls;    // of an assistant
    int call_count;
} ChatMessage;

typedef struct Chat {
    const ChatMessage *messages;
    int count;
    const char *const *tools;    // each a JSON object: {"type": "function", "function": {...}}
    int tool_count;
    const char *date;    // Llama's "Today Date", "26 Jul 2024"; NULL: as the template chooses
    bool no_thinking;    // Qwen 3: with an empty thought
    bool no_answer;      // the text ends after the last message, not where the assistant begins
} Chat;

// ---- a template ----

typedef struct ChatTemplate ChatTemplate;

// The template of a GGUF file (tokenizer.chat_template) or of a folder (chat_template.jinja, or the
// chat_template of tokenizer_config.json).
ChatTemplate *chat_template_open(const char *path, Error *err);
ChatTemplate *chat_template_parse(const char *jinja, size_t bytes, const char *where, Error *err);
void chat_template_close(ChatTemplate *template);    // NULL is fine

// The text of a folder's template, of a kind that is known or not; malloc. NULL and why.
char *chat_template_read(const char *folder, size_t *bytes, Error *err);

const char *chat_template_about(const ChatTemplate *template);    // "ChatML"
const char *chat_template_end(const ChatTemplate *template);      // the token that ends a turn

// The text; malloc. NULL and why: an unknown role, tools that the template lacks, arguments that are not JSON.
char *chat_render(const ChatTemplate *template, const Chat *chat, size_t *bytes, Error *err);

// Its ids, appended to `out`; upon failure that is as before.
bool chat_encode(const ChatTemplate *template, const Tokenizer *tokenizer, const Chat *chat,
                 TokenIds *out, Error *err);
