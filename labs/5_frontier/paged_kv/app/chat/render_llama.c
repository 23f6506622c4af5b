/* render_llama.c -- the turns of Llama 3, and of Llama 3.1 to 3.3 with dates and tools. */
#include <string.h>
#include <time.h>
#include "labs/5_frontier/paged_kv/app/chat/rendering.h"

static const char DATE[] = "26 Jul 2024";    // where the template asks no clock

static void add_header(Rendering *r, const char *role)
{
    chat_add_special(r, "<|start_header_id|>");
    chat_add(r, role);
    chat_add_special(r, "<|end_header_id|>");
    chat_add(r, "\n\n");
}

static void add_trimmed(Rendering *r, const char *content)
{
    chat_add_span(r, chat_trim(chat_span(content)));
}

static void add_date(Rendering *r)
{
    char today[32];
    const time_t now = time(NULL);
    struct tm parts;
    const char *date = r->chat->date;
    if (date == NULL && r->template->asks_clock && localtime_r(&now, &parts) != NULL &&
        strftime(today, sizeof today, "%d %b %Y", &parts) > 0)
        date = today;
    chat_add(r, "Cutting Knowledge Date: December 2023\nToday Date: ");
    chat_add(r, date != NULL ? date : DATE);
    chat_add(r, "\n\n");
}

// The functions, before the user's first message.
static bool add_llama_tools(Rendering *r, int message, Error *err)
{
    if (!chat_role_at(r->chat, message, "user"))
        return error_set(err, "tools come with the user's first message, and there is none");
    add_header(r, "user");
    chat_add(
        r, "Given the following functions, please respond with a JSON for a function call with its "
           "proper arguments that best answers the given prompt.\n\nRespond in the format "
           "{\"name\": function name, \"parameters\": dictionary of argument name and its value}."
           "Do not use variables.\n\n");
    for (int i = 0; i < r->chat->tool_count; i++) {
        if (!json_text_add(&r->text, r->chat->tools[i], 4, err))
            return error_wrap(err, "tool %d", i);
        chat_add(r, "\n\n");
    }
    add_trimmed(r, r->chat->messages[message].content);
    chat_add_special(r, "<|eot_id|>");
    return true;
}

static bool add_llama_call(Rendering *r, const ChatMessage *message, Error *err)
{
    if (message->call_count > 1)
        return error_set(err, "a message has %d calls of tools, and Llama 3.1 has one in a message",
                         message->call_count);
    add_header(r, "assistant");
    chat_add(r, "{\"name\": \"");
    chat_add(r, message->calls[0].name);
    chat_add(r, "\", \"parameters\": ");
    if (!json_text_add(&r->text, message->calls[0].arguments, 0, err))
        return error_wrap(err, "arguments of %.40s", message->calls[0].name);
    chat_add(r, "}");
    chat_add_special(r, "<|eot_id|>");
    return true;
}

static bool add_llama_head(Rendering *r, int *first, Error *err)
{
    const Chat *chat = r->chat;
    const bool given = chat_role_at(chat, 0, "system");
    *first = given ? 1 : 0;
    add_header(r, "system");
    if (chat->tool_count > 0) chat_add(r, "Environment: ipython\n");
    add_date(r);
    if (given) add_trimmed(r, chat->messages[0].content);
    chat_add_special(r, "<|eot_id|>");
    if (chat->tool_count > 0) return add_llama_tools(r, (*first)++, err);
    return true;
}

bool render_llama(Rendering *r, Error *err)
{
    const Chat *chat = r->chat;
    int first = 0;
    chat_add_special(r, "<|begin_of_text|>");
    if (r->template->style == LLAMA31 && !add_llama_head(r, &first, err)) return false;
    for (int i = first; i < chat->count; i++) {
        const ChatMessage *message = &chat->messages[i];
        const bool tool = chat_has_role(message, "tool");
        if (message->call_count > 0) {
            if (!add_llama_call(r, message, err)) return false;
            continue;
        }
        add_header(r, tool ? "ipython" : message->role);
        // A tool's answer is a text, which the template shows as JSON.
        if (tool) json_text_quote(&r->text, chat_span(message->content).text);
        else add_trimmed(r, message->content);
        chat_add_special(r, "<|eot_id|>");
    }
    if (!chat->no_answer) add_header(r, "assistant");
    return true;
}
