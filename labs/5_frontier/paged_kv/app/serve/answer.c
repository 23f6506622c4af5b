#include "labs/5_frontier/paged_kv/app/serve/answer.h"
#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

// ---- parts ----

static void write_head(Bytes *out, const Job *job, bool chunk)
{
    const char *object = job->asked.api == API_COMPLETIONS ? "text_completion"
                         : chunk                           ? "chat.completion.chunk"
                                                           : "chat.completion";
    write_format(out, "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%lld,\"model\":", job->id,
                 object, (long long)job->created);
    json_text_quote(out, job->served->name);
    write_text(out, ",\"choices\":[");
}

static void write_usage(Bytes *out, const Job *job)
{
    size_t prompt = 0, cached = 0;
    for (int i = 0; i < job->asked.prompt_count; i++) {
        prompt += job->asked.prompts[i].count;
        cached += (size_t)job->prompts[i].cached;
    }
    const size_t output = (size_t)job->output_tokens;
    write_format(out,
                 "\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":%zu}}",
                 prompt, output, prompt + output, cached);
}

static void write_calls(Bytes *out, const Job *job, int choice, const ChatAnswer *calls, bool chunk)
{
    write_text(out, "\"tool_calls\":[");
    for (int i = 0; i < calls->call_count; i++) {
        write_text(out, i > 0 ? ",{" : "{");
        if (chunk) write_format(out, "\"index\":%d,", i);
        write_format(out, "\"id\":\"call_%s_%d_%d\",\"type\":\"function\",\"function\":{\"name\":",
                     strchr(job->id, '-') + 1, choice, i);
        json_text_quote(out, calls->calls[i].name);
        write_text(out, ",\"arguments\":");
        json_text_quote(out, calls->calls[i].arguments);
        write_text(out, "}}");
    }
    write_text(out, "]");
}

static void write_end(Bytes *out, const Job *job, int choice, FinishReason finish, bool calls)
{
    static const char *const reasons[] = {
        [FINISH_STOP] = "\"stop\"", [FINISH_LENGTH] = "\"length\""};
    write_text(out, ",\"logprobs\":");
    logprobs_write(out, job->asked.api, &job->choices[choice].logprobs);
    write_text(out, ",\"finish_reason\":");
    write_text(out, calls                                              ? "\"tool_calls\""
                    : finish == FINISH_STOP || finish == FINISH_LENGTH ? reasons[finish]
                                                                       : "null");
    write_text(out, "}");
}

// "content":"...": null where there are calls and nothing else.
static void write_content(Bytes *out, const char *text, size_t bytes, bool calls)
{
    write_text(out, "\"content\":");
    if (calls && bytes == 0) write_text(out, "null");
    else json_text_quote_bytes(out, text, bytes);
}

// ---- a chunk ----

void answer_piece(Bytes *out, const Job *job, int choice, const char *text, size_t bytes,
                  FinishReason finish, const ChatAnswer *calls)
{
    const bool called = calls != NULL && calls->call_count > 0;
    write_head(out, job, true);
    write_format(out, "{\"index\":%d,", choice);
    if (job->asked.api == API_COMPLETIONS) {
        write_text(out, "\"text\":");
        json_text_quote_bytes(out, text, bytes);
    } else {
        const bool first = !job->choices[choice].begun;
        write_text(out, "\"delta\":{");
        if (first) write_text(out, "\"role\":\"assistant\",");
        if (first || bytes > 0) write_content(out, text, bytes, called);
        if (called) {
            if (first || bytes > 0) write_text(out, ",");
            write_calls(out, job, choice, calls, true);
        }
        write_text(out, "}");
    }
    write_end(out, job, choice, finish, called);
    write_text(out, job->asked.include_usage ? "],\"usage\":null}" : "]}");
}

void answer_usage(Bytes *out, const Job *job)
{
    write_head(out, job, true);
    write_text(out, "],");
    write_usage(out, job);
    write_text(out, "}");
}

// ---- the whole ----

void answer_read_calls(ChatAnswer *answer, Arena *arena, const Job *job, int choice)
{
    const Bytes *text = &job->choices[choice].text;
    const char *from = text->data != NULL ? (const char *)text->data : "";
    if (job->asked.must_call) {
        *answer = (ChatAnswer){.content = ""};
        cJSON *tree = cJSON_ParseWithLength(from, text->count);
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(tree, "name");
        char *arguments =
            cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(tree, "arguments"));
        if (cJSON_IsString(name) && arguments != NULL)
            answer->calls[answer->call_count++] = (ChatCall){
                arena_print(arena, "%s", name->valuestring), arena_print(arena, "%s", arguments)};
        else
            answer->content =
                arena_print(arena, "%.*s", (int)text->count, from);    // cut by max_tokens
        cJSON_free(arguments);
        cJSON_Delete(tree);
        return;
    }
    chat_calls_read(answer, arena, job->served->template, from, text->count);
    // A stream could not take back white space that turns out to stand before a call.
    answer->content += strspn(answer->content, " \t\r\n");
}

void answer_whole(Bytes *out, const Job *job)
{
    const int count = job->asked.prompt_count * job->asked.request.choices;
    write_head(out, job, false);
    for (int k = 0; k < count; k++) {
        const JobChoice *choice = &job->choices[k];
        const char *text = choice->text.data != NULL ? (const char *)choice->text.data : "";
        ChatAnswer answer = {.content = text};
        size_t bytes = choice->text.count;
        if (job->asked.has_tools) {
            answer_read_calls(&answer, job->arena, job, k);
            bytes = strlen(answer.content);
        }
        write_format(out, "%s{\"index\":%d,", k > 0 ? "," : "", k);
        if (job->asked.api == API_COMPLETIONS) {
            write_text(out, "\"text\":");
            json_text_quote_bytes(out, answer.content, bytes);
        } else {
            write_text(out, "\"message\":{\"role\":\"assistant\",");
            write_content(out, answer.content, bytes, answer.call_count > 0);
            if (answer.call_count > 0) {
                write_text(out, ",");
                write_calls(out, job, k, &answer, false);
            }
            write_text(out, "}");
        }
        write_end(out, job, k, choice->finish, answer.call_count > 0);
    }
    write_text(out, "],");
    write_usage(out, job);
    write_text(out, "}");
}
