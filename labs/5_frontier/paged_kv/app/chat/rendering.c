#include "labs/5_frontier/paged_kv/app/chat/rendering.h"
#include <stdlib.h>
#include <string.h>

void *chat_checked(void *memory)
{
    REQUIRE(memory != NULL, "no memory for a conversation");
    return memory;
}

// ---- text ----

void chat_add_span(Rendering *r, Span span)
{
    bytes_add(&r->text, span.text, span.bytes);
}

void chat_add(Rendering *r, const char *text)
{
    chat_add_span(r, chat_span(text));
}

void chat_add_special(Rendering *r, const char *name)
{
    if (r->count == r->room) {
        r->room = 2 * r->room + 16;
        r->specials = chat_checked(realloc(r->specials, (size_t)r->room * sizeof *r->specials));
    }
    r->specials[r->count++] = (Special){r->text.count, name};
    chat_add(r, name);
}

Span chat_span(const char *text)
{
    return (Span){text != NULL ? text : "", text != NULL ? strlen(text) : 0};
}

// Bytes of white space at the text's start, as Python's str.strip() takes it.
static size_t space_length(Span s)
{
    if (s.bytes == 0) return 0;
    const unsigned char *c = (const unsigned char *)s.text;
    if ((c[0] >= 9 && c[0] <= 13) || (c[0] >= 28 && c[0] <= 32)) return 1;
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (s.bytes >= strlen(wide[i]) && memcmp(c, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return 0;
}

Span chat_trim(Span s)
{
    for (size_t n; (n = space_length(s)) > 0; s.bytes -= n) s.text += n;
    for (bool again = true; again;) {
        again = false;
        for (size_t n = 1; n <= 3 && n <= s.bytes && !again; n++)
            if (space_length((Span){s.text + s.bytes - n, n}) == n) {
                s.bytes -= n;
                again = true;
            }
    }
    return s;
}

// ---- messages ----

bool chat_has_role(const ChatMessage *message, const char *role)
{
    return strcmp(message->role, role) == 0;
}

bool chat_role_at(const Chat *chat, int i, const char *role)
{
    return i >= 0 && i < chat->count && chat_has_role(&chat->messages[i], role);
}

static bool check(const ChatTemplate *t, const Chat *chat, Error *err)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    const bool tools = t->style != CHATML && t->style != LLAMA3;
    if (chat->count < 1) return error_set(err, "a conversation has no messages, expected one");
    if (chat->tool_count > 0 && !tools)
        return error_set(err, "this model's chat template (%s) has no tools",
                         chat_template_about(t));
    for (int i = 0; i < chat->count; i++) {
        const ChatMessage *message = &chat->messages[i];
        int known = 0;
        while (known < 4 && !chat_has_role(message, roles[known])) known++;
        if (known == 4)
            return error_set(err,
                             "message %d has the role \"%.40s\", expected system, user, assistant "
                             "or tool",
                             i, message->role);
        if (!tools && (known == 3 || message->call_count > 0))
            return error_set(err,
                             "message %d is of a tool, and this model's chat template (%s) has "
                             "no tools",
                             i, chat_template_about(t));
        if (message->call_count > 0 && known != 2)
            return error_set(err, "message %d calls a tool, and is not the assistant's", i);
    }
    return true;
}

static bool render(Rendering *r, Error *err)
{
    if (!check(r->template, r->chat, err)) return false;
    return r->template->style < LLAMA3 ? render_chatml(r, err) : render_llama(r, err);
}

char *chat_render(const ChatTemplate *t, const Chat *chat, size_t *bytes, Error *err)
{
    Rendering r = {.template = t, .chat = chat};
    const bool good = render(&r, err);
    *bytes = r.text.count;
    free(r.specials);
    if (good) bytes_add(&r.text, "", 1);
    else free(r.text.data);
    return good ? (char *)r.text.data : NULL;
}

bool chat_encode(const ChatTemplate *t, const Tokenizer *tokenizer, const Chat *chat, TokenIds *out,
                 Error *err)
{
    Rendering r = {.template = t, .chat = chat};
    const size_t before = out->count;
    bool good = render(&r, err);
    size_t done = 0;
    for (int i = 0; i <= r.count && good; i++) {
        const size_t end = i < r.count ? r.specials[i].at : r.text.count;
        const char *text = (const char *)r.text.data + done;
        good = end == done ||
               tokenizer_encode(tokenizer, text, end - done, (EncodeOptions){0}, out, err);
        if (i == r.count || !good) continue;
        const char *name = r.specials[i].name;
        const int id = tokenizer_token(tokenizer, name);
        done = end + strlen(name);
        if (id >= 0) ids_add(out, id);
        else
            good = error_set(err, "the tokenizer lacks '%s', which the chat template (%s) needs",
                             name, chat_template_about(t));
    }
    free(r.specials);
    free(r.text.data);
    if (!good) out->count = before;
    return good;
}
