/* render_chatml.c -- the turns of ChatML, and what Qwen adds: tools and thoughts. */
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/chat/rendering.h"

static void begin_turn(Rendering *r, const char *role)
{
    chat_add_special(r, "<|im_start|>");
    chat_add(r, role);
    chat_add(r, "\n");
}

static void end_turn(Rendering *r)
{
    chat_add_special(r, "<|im_end|>");
    chat_add(r, "\n");
}

static void add_turn(Rendering *r, const char *role, Span content)
{
    begin_turn(r, role);
    chat_add_span(r, content);
    end_turn(r);
}

static bool add_tools(Rendering *r, Error *err)
{
    chat_add(r,
             "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
             "You are provided with function signatures within <tools></tools> XML tags:\n<tools>");
    for (int i = 0; i < r->chat->tool_count; i++) {
        chat_add(r, "\n");
        if (!json_text_add(&r->text, r->chat->tools[i], 0, err))
            return error_wrap(err, "tool %d", i);
    }
    chat_add(r, "\n</tools>\n\nFor each function call, return a json object with function name and "
                "arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": "
                "<function-name>, \"arguments\": <args-json-object>}\n</tool_call>");
    return true;
}

// The system's turn; *first is the message after it.
static bool add_system(Rendering *r, int *first, Error *err)
{
    const Chat *chat = r->chat;
    const bool given = chat_role_at(chat, 0, "system"), tools = chat->tool_count > 0;
    const Span text = chat_span(given ? chat->messages[0].content : r->template->system);
    *first = given ? 1 : 0;
    if (!tools) {
        if (given || text.bytes > 0) add_turn(r, "system", text);
        return true;
    }
    begin_turn(r, "system");
    chat_add_span(r, text);
    if (given || r->template->style == QWEN2) chat_add(r, "\n\n");
    if (!add_tools(r, err)) return false;
    end_turn(r);
    return true;
}

static bool add_calls(Rendering *r, const ChatMessage *message, bool line_before, Error *err)
{
    for (int i = 0; i < message->call_count; i++) {
        if (i > 0 || line_before) chat_add(r, "\n");
        chat_add(r, "<tool_call>\n{\"name\": \"");
        chat_add(r, message->calls[i].name);
        chat_add(r, "\", \"arguments\": ");
        if (!json_text_add(&r->text, message->calls[i].arguments, 0, err))
            return error_wrap(err, "arguments of %.40s", message->calls[i].name);
        chat_add(r, "}\n</tool_call>");
    }
    return true;
}

// Answers of tools are one turn of the user.
static void add_tool_answer(Rendering *r, int i)
{
    if (!chat_role_at(r->chat, i - 1, "tool")) {
        chat_add_special(r, "<|im_start|>");
        chat_add(r, "user");
    }
    const Span content = chat_span(r->chat->messages[i].content);
    chat_add(r, "\n<tool_response>\n");
    chat_add_span(r, content);
    chat_add(r, "\n</tool_response>");
    if (!chat_role_at(r->chat, i + 1, "tool")) end_turn(r);
}

static Span strip_lines(Span s)    // '\n' at both ends
{
    while (s.bytes > 0 && s.text[0] == '\n') s.text++, s.bytes--;
    while (s.bytes > 0 && s.text[s.bytes - 1] == '\n') s.bytes--;
    return s;
}

static Span strip_first_lines(Span s)
{
    while (s.bytes > 0 && s.text[0] == '\n') s.text++, s.bytes--;
    return s;
}

// What follows the last `mark` of the text, or all of it.
static Span behind_last(Span s, const char *mark)
{
    const size_t n = strlen(mark);
    for (size_t i = s.bytes >= n ? s.bytes - n + 1 : 0; i-- > 0;)
        if (memcmp(s.text + i, mark, n) == 0) return (Span){s.text + i + n, s.bytes - i - n};
    return s;
}

// Thoughts of earlier turns are left out: those before the user's last question.
static bool add_qwen3_assistant(Rendering *r, int i, int last_question, Error *err)
{
    const ChatMessage *message = &r->chat->messages[i];
    Span content = chat_span(message->content), thought = {"", 0};
    const char *end = strstr(content.text, "</think>");
    if (end != NULL) {
        thought = strip_lines((Span){content.text, (size_t)(end - content.text)});
        thought = strip_lines(behind_last(thought, "<think>"));
        content = strip_first_lines(behind_last(content, "</think>"));
    }
    begin_turn(r, "assistant");
    const bool last = i == r->chat->count - 1, recent = i > last_question;
    if (recent && (last || thought.bytes > 0)) {
        chat_add(r, "<think>\n");
        chat_add_span(r, thought);
        chat_add(r, "\n</think>\n\n");
        chat_add_span(r, strip_first_lines(content));
    } else {
        chat_add_span(r, content);
    }
    if (!add_calls(r, message, content.bytes > 0, err)) return false;
    end_turn(r);
    return true;
}

static bool add_qwen2_assistant(Rendering *r, int i, Error *err)
{
    const ChatMessage *message = &r->chat->messages[i];
    const Span content = chat_span(message->content);
    if (message->call_count == 0) {
        add_turn(r, "assistant", content);
        return true;
    }
    chat_add_special(r, "<|im_start|>");
    chat_add(r, "assistant");
    if (content.bytes > 0) chat_add(r, "\n");
    chat_add_span(r, content);
    if (!add_calls(r, message, true, err)) return false;
    end_turn(r);
    return true;
}

// The last message of the user that is no tool's answer.
static int last_question(const Chat *chat)
{
    for (int i = chat->count - 1; i >= 0; i--) {
        const char *content = chat->messages[i].content;
        const bool answer = content != NULL && strncmp(content, "<tool_response>", 15) == 0 &&
                            text_ends(content, "</tool_response>");
        if (chat_has_role(&chat->messages[i], "user") && !answer) return i;
    }
    return chat->count - 1;
}

bool render_chatml(Rendering *r, Error *err)
{
    const Chat *chat = r->chat;
    const Style style = r->template->style;
    const int question = last_question(chat);
    int first;
    if (!add_system(r, &first, err)) return false;
    for (int i = first; i < chat->count; i++) {
        const ChatMessage *message = &chat->messages[i];
        bool done = true;
        if (style != CHATML && chat_has_role(message, "tool")) add_tool_answer(r, i);
        else if (style == QWEN3 && chat_has_role(message, "assistant"))
            done = add_qwen3_assistant(r, i, question, err);
        else if (style == QWEN2 && chat_has_role(message, "assistant"))
            done = add_qwen2_assistant(r, i, err);
        else add_turn(r, message->role, chat_span(message->content));
        if (!done) return false;
    }
    if (chat->no_answer) return true;
    begin_turn(r, "assistant");
    if (style == QWEN3 && chat->no_thinking) chat_add(r, "<think>\n\n</think>\n\n");
    return true;
}
