/* chat.c -- a conversation with a model: `lab chat`.
 *
 *     chat smollm2
 *     chat smollm2 --say "What is the capital of France?"      one turn, then it ends
 *
 * All turns are one text, of which the prefix cache has what was computed before: a turn costs its own tokens.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/console.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"

enum { MESSAGES_MAX = 1000 };

typedef struct Job {
    LoadOptions how;
    const char *say, *system;
    int tokens;
    float temperature, top_p;
    uint64_t seed;
} Job;

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static Options *declare(Arena *keep, Job *job, const char ***words, int *count)
{
    Options *o = options_new(keep, "chat", "A conversation with a model.");
    options_rest(o, words, count, "MODEL");
    options_group(o, "the conversation");
    options_string(o, "say", 0, &job->say, "TEXT", "this one message, then it ends");
    options_string(o, "system", 0, &job->system, "TEXT", "the system message");
    options_int(o, "tokens", 'n', &job->tokens, 1, 1 << 20, "of an answer, at most");
    options_float(o, "temperature", 0, &job->temperature, 0, 100,
                  "0: the likeliest token; 0.7: some variety");
    options_float(o, "top-p", 0, &job->top_p, 0, 1, "the likeliest with this probability");
    options_uint64(o, "seed", 's', &job->seed, "of the random numbers");
    loaded_declare(o, &job->how);
    return o;
}

// ---- one turn ----

typedef struct Answer {
    char *text;    // malloc
    size_t bytes;
    char error[sizeof(Error)];
} Answer;

static void receive(void *context, const EngineEvent *event)
{
    Answer *a = context;
    if (event->error != NULL) snprintf(a->error, sizeof a->error, "%s", event->error);
    char *more = realloc(a->text, a->bytes + event->bytes + 1);
    REQUIRE(more != NULL, "no memory for an answer of %zu bytes", a->bytes);
    a->text = more;
    memcpy(a->text + a->bytes, event->text, event->bytes);
    a->bytes += event->bytes;
    a->text[a->bytes] = '\0';
    fwrite(event->text, 1, event->bytes, stdout);
    fflush(stdout);
}

// The model's answer to the conversation so far. Ctrl-C ends it, and the text so far is kept.
static bool answer(const Loaded *l, const ChatTemplate *template, const Job *job, const Chat *chat,
                   Answer *out, Error *err)
{
    TokenIds ids = {0};
    if (!chat_encode(template, l->tokenizer, chat, &ids, err)) return false;
    const int32_t end = tokenizer_token(l->tokenizer, chat_template_end(template));
    const int room = l->weights->config.context - (int)ids.count;
    const Request request = {.prompt = ids.ids,
                             .prompt_count = (int)ids.count,
                             .max_tokens = room > 0 && job->tokens > room ? room : job->tokens,
                             .stop_tokens = &end,
                             .stop_token_count = end >= 0,
                             .sampling = {.temperature = job->temperature,
                                          .top_p = job->top_p,
                                          .seed = job->seed,
                                          .log_probabilities = -1},
                             .on_event = receive,
                             .context = out};
    const int id = engine_submit(l->engine, &request, err);
    free(ids.ids);
    if (id < 0) return false;
    while (engine_step(l->engine))
        if (interrupted) {
            engine_cancel(l->engine, id);
            interrupted = 0;
        }
    putchar('\n');
    return out->error[0] == '\0' || error_set(err, "%s", out->error);
}

// ---- the conversation ----

// The next message. False at the end of the input.
static bool read_message(Arena *keep, const char **message)
{
    char *line = NULL;
    size_t room = 0;
    if (isatty(STDIN_FILENO)) fputs("> ", stdout), fflush(stdout);
    ssize_t bytes = getline(&line, &room, stdin);
    while (bytes > 0 && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r')) line[--bytes] = '\0';
    *message = bytes >= 0 ? arena_print(keep, "%s", line) : NULL;
    free(line);
    return *message != NULL;
}

static bool converse(Arena *keep, const Loaded *l, const ChatTemplate *template, const Job *job,
                     Error *err)
{
    ChatMessage *messages = arena_zeros(keep, MESSAGES_MAX * sizeof *messages);
    Chat chat = {.messages = messages};
    const char *text = job->say;
    if (job->system != NULL)
        messages[chat.count++] = (ChatMessage){.role = "system", .content = job->system};
    while (chat.count + 2 <= MESSAGES_MAX && (job->say != NULL || read_message(keep, &text))) {
        if (text[0] == '\0') continue;
        Answer reply = {0};
        messages[chat.count++] = (ChatMessage){.role = "user", .content = text};
        const bool good = answer(l, template, job, &chat, &reply, err);
        if (good && reply.text != NULL)
            messages[chat.count++] =
                (ChatMessage){.role = "assistant", .content = arena_print(keep, "%s", reply.text)};
        free(reply.text);
        if (!good) return false;
        if (job->say != NULL) break;
    }
    return true;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("chat", (size_t)1 << 30);
    Job job = {.how = loaded_defaults, .tokens = 512, .top_p = 0.95f, .seed = 42};
    const char **words;
    int count, status;
    Error err;
    Options *options = declare(keep, &job, &words, &count);
    if (!options_parse(options, argc, argv, &status)) return status;
    console_check_output();
    if (count != 1) return error_print("takes one model, and %d are given", count), 2;
    signal(SIGINT, interrupt);
    Loaded loaded;
    bool good = loaded_open(&loaded, keep, words[0], &job.how, &err);
    if (good) {
        ChatTemplate *template = chat_template_open(loaded.path, &err);
        loaded_print(&loaded);
        good = template != NULL && converse(keep, &loaded, template, &job, &err);
        if (good) loaded_print_speed(&loaded);
        chat_template_close(template);
        loaded_close(&loaded);
    }
    status = good ? 0 : error_report(&err);
    arena_free(keep);
    return status;
}
