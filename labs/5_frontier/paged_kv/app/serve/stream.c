#include "labs/5_frontier/paged_kv/app/serve/stream.h"
#include "labs/5_frontier/paged_kv/app/serve/answer.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

static const char CALL[] = "<tool_call>";

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

size_t stream_certain(const char *text, size_t bytes, bool json_calls)
{
    size_t end = 0, first = 0;
    while (first < bytes && is_space(text[first])) first++;
    // Llama writes a call as JSON and nothing else.
    if (json_calls && (first == bytes || text[first] == '{')) return 0;
    for (; end < bytes; end++) {
        const size_t left = bytes - end, length = sizeof CALL - 1;
        if (memcmp(text + end, CALL, left < length ? left : length) == 0) break;
    }
    while (end > 0 && is_space(text[end - 1])) end--;
    return end;
}

// ---- events ----

static void begin(Bytes *out)
{
    write_text(out, "data: ");
}

static void end(Bytes *out)
{
    write_text(out, "\n\n");
}

static void send(Bytes *out, Job *job, int k, const char *text, size_t bytes, FinishReason finish,
                 const ChatAnswer *calls)
{
    begin(out);
    answer_piece(out, job, k, text, bytes, finish, calls);
    end(out);
    logprobs_clear(&job->choices[k].logprobs);
    job->choices[k].begun = true;
}

// With tools all of the text is kept: at the end it is read as a whole.
static void send_with_tools(Bytes *out, Job *job, int k, FinishReason finish)
{
    JobChoice *c = &job->choices[k];
    const char *text = c->text.data != NULL ? (const char *)c->text.data : "";
    size_t skip = 0;    // leading white space
    while (skip < c->text.count && is_space(text[skip])) skip++;
    if (finish != FINISH_NONE) {
        ChatAnswer answer;
        answer_read_calls(&answer, job->arena, job, k);
        const size_t bytes = strlen(answer.content), shown = c->shown < bytes ? c->shown : bytes;
        send(out, job, k, answer.content + shown, bytes - shown, finish, &answer);
        return;
    }
    const bool llama = strcmp(chat_template_end(job->served->template), "<|eot_id|>") == 0;
    const size_t certain =
        job->asked.must_call ? 0 : stream_certain(text + skip, c->text.count - skip, llama);
    if (certain > c->shown || c->logprobs.count > 0 || !c->begun)
        send(out, job, k, text + skip + c->shown, certain > c->shown ? certain - c->shown : 0,
             finish, NULL);
    if (certain > c->shown) c->shown = certain;
}

void stream_piece(Bytes *out, Job *job, int k, FinishReason finish)
{
    JobChoice *c = &job->choices[k];
    if (job->asked.has_tools) {
        send_with_tools(out, job, k, finish);
        return;
    }
    if (c->text.count > 0 || c->logprobs.count > 0 || !c->begun || finish != FINISH_NONE)
        send(out, job, k, (const char *)c->text.data, c->text.count, finish, NULL);
    c->text.count = 0;
}

void stream_end(Bytes *out, const Job *job)
{
    if (job->asked.include_usage) {
        begin(out);
        answer_usage(out, job);
        end(out);
    }
    write_text(out, "data: [DONE]\n\n");
}

void stream_error(Bytes *out, const Refusal *refusal)
{
    begin(out);
    refusal_write(out, refusal);
    end(out);
}
