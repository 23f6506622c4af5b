/* serve.c -- a model over HTTP, in the form of the OpenAI API: `lab serve`.
 *
 *     serve smollm2                                        http://127.0.0.1:8080/ in a browser
 *     curl http://127.0.0.1:8080/v1/completions -d '{"prompt": "Once upon a time"}'
 *     LAB_API_KEY=... serve smollm2 --host 0.0.0.0         for other machines, too
 *
 * The first thread runs the engine. SIGTERM or Ctrl-C: what has begun is answered, then it ends; a second one
 * ends it at once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "common/console.h"
#include "common/file.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/app/serve/http.h"

enum { KEY_MAX = 255, TEMPLATE_MAX = 1 << 20 };

typedef struct Settings {
    LoadOptions how;
    HttpOptions http;
    const char *name, *key_file, *template;
    int requests, body_kb, drain_seconds;
} Settings;

static Options *declare(Arena *keep, Settings *s, const char ***words, int *count)
{
    Options *o = options_new(keep, "serve", "A model over HTTP, in the form of the OpenAI API.");
    options_rest(o, words, count, "MODEL");
    options_group(o, "the server");
    options_string(o, "host", 0, &s->http.host, "ADDRESS",
                   "to listen on; 0.0.0.0: all of this machine's");
    options_int(o, "port", 'p', &s->http.port, 0, 65535, "0: a free one");
    options_string(o, "name", 0, &s->name, "NAME",
                   "of the model, in requests; default: the file's");
    options_string(o, "api-key-file", 0, &s->key_file, "FILE",
                   "its first line is the key that requests need; or set LAB_API_KEY");
    options_string(o, "chat-template", 0, &s->template, "FILE", "in place of the model's own");
    options_group(o, "limits");
    options_int(o, "requests", 0, &s->requests, 1, 1 << 20,
                "sequences that run and wait; beyond, requests get 429");
    options_int(o, "connections", 0, &s->http.connections, 1, 1 << 20, "open at once");
    options_int(o, "body-kb", 0, &s->body_kb, 1, 1 << 16, "of a request, at most");
    options_int(o, "answer-seconds", 0, &s->http.answer_seconds, 1, 1 << 20,
                "that an answer may take");
    options_int(o, "quiet-seconds", 0, &s->http.quiet_seconds, 1, 1 << 20,
                "that a request may take to come");
    options_int(o, "drain-seconds", 0, &s->drain_seconds, 0, 1 << 20,
                "that answers may take after SIGTERM");
    loaded_declare(o, &s->how);
    return o;
}

// ---- what is read at the start ----

static bool read_key(Arena *keep, Settings *s, Error *err)
{
    char line[KEY_MAX + 2] = "";
    const char *key = getenv("LAB_API_KEY");
    if (s->key_file != NULL) {
        FILE *file = file_open(s->key_file, err);
        if (file == NULL) return false;
        if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
        fclose(file);
        line[strcspn(line, "\r\n")] = '\0';
        key = line;
    }
    if (key == NULL) return true;
    const size_t bytes = strlen(key);
    if (bytes < 1 || bytes > KEY_MAX || strcspn(key, " \t\r\n") != bytes)
        return error_set(err, "%s: the key is not a word of 1 to %d bytes",
                         s->key_file != NULL ? s->key_file : "LAB_API_KEY", KEY_MAX);
    s->http.key = arena_print(keep, "%s", key);
    return true;
}

static ChatTemplate *read_template(const Settings *s, const char *model, Error *err)
{
    FileView view;
    if (s->template == NULL) return chat_template_open(model, err);
    if (!file_map(&view, s->template, err)) return NULL;
    ChatTemplate *t =
        chat_template_parse(view.bytes != NULL ? view.bytes : "", view.size, s->template, err);
    file_unmap(view);
    return t;
}

// "SmolLM2.Q4_1" of a path to SmolLM2.Q4_1.gguf; a data set's name as it is.
static const char *name_of(Arena *keep, const char *model)
{
    const char *slash = strrchr(model, '/'),
               *last = slash != NULL && slash[1] != '\0' ? slash + 1 : model;
    size_t bytes = strlen(last);
    if (text_ends(last, ".gguf")) bytes -= 5;
    if (text_ends(last, ".bin")) bytes -= 4;
    char *name = arena_print(keep, "%.*s", (int)bytes, last);
    text_clean(name);
    return name;
}

// Each connection is a file.
static void raise_file_limit(int connections)
{
    struct rlimit limit;
    const rlim_t wanted = (rlim_t)connections + 256;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// ---- the end ----

typedef struct Ending {
    sigset_t signals;
    Http *http;
    Worker *worker;
    int drain_seconds;
    bool at_once;         // a second signal
    _Atomic bool over;    // the worker has ended
} Ending;

static void *await_signals(void *context)
{
    Ending *e = context;
    int which;
    sigwait(&e->signals, &which);
    if (e->over) return NULL;
    fprintf(stderr, "  ending: no new requests; those at hand have %d seconds (again: at once)\n",
            e->drain_seconds);
    http_drain(e->http);
    worker_stop(e->worker, false);
    const struct timespec patience = {.tv_sec = e->drain_seconds};
    e->at_once = sigtimedwait(&e->signals, NULL, &patience) > 0 && !e->over;
    worker_stop(e->worker, true);
    return NULL;
}

// Every block is back, and no sequence is left.
static bool check_account(Engine *engine, Error *err)
{
    engine_step(engine);    // frees what has finished
    const EngineStatistics s = engine_statistics(engine);
    const BlockPool *pool = engine_scheduler(engine)->pool;
    int referenced = 0;
    for (int b = 0; b < pool->blocks; b++) referenced += pool->references[b] > 0;
    return (s.held == 0 && referenced == 0 && s.running == 0 && s.waiting == 0) ||
           error_set(err,
                     "a leak: %d of %d blocks are held (%d referenced), %d sequences run, %d wait",
                     s.held, s.blocks, referenced, s.running, s.waiting);
}

// ---- serving ----

static bool serve(const Settings *s, const Loaded *l, const Served *served, Error *err)
{
    const ModelConfig *c = &l->weights->config;
    int stops[STOPS_MAX + 1], count = c->stop_count;
    memcpy(stops, c->stops, (size_t)count * sizeof *stops);
    if (served->end >= 0) stops[count++] = served->end;
    TokenIndex *index = token_index_new(l->tokenizer, stops, count);
    REQUIRE(index != NULL, "no memory for an index of the vocabulary");
    Worker *worker = worker_new(l->engine, served, index, s->requests);
    Ending ending = {.worker = worker, .drain_seconds = s->drain_seconds};
    // Blocked before there are threads, which inherit that: they wait for sigwait().
    sigemptyset(&ending.signals);
    sigaddset(&ending.signals, SIGINT);
    sigaddset(&ending.signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending.signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    ending.http = http_open(&s->http, worker, served, err);
    pthread_t signals;
    bool good = ending.http != NULL;
    if (good && pthread_create(&signals, NULL, await_signals, &ending) != 0)
        good = error_set(err, "no thread for signals");
    if (good) {
        printf("%s  (Ctrl-C ends it)\n", http_url(ending.http));
        fflush(stdout);
        worker_run(worker);
        ending.over = true;
        // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): that thread waits for it in sigwait()
        pthread_kill(signals, SIGTERM);
        pthread_join(signals, NULL);
        good = check_account(l->engine, err) &&
               (!ending.at_once || error_set(err, "ended by a second signal"));
    }
    http_close(ending.http);
    worker_free(worker);
    token_index_free(index);
    return good;
}

static bool open_and_serve(Arena *keep, Settings *s, const char *model, Error *err)
{
    Error no_template = {""};
    Loaded l;
    if (!read_key(keep, s, err) || !loaded_open(&l, keep, model, &s->how, err)) return false;
    loaded_print(&l);
    ChatTemplate *template = read_template(s, l.path, &no_template);
    const ModelConfig *c = &l.weights->config;
    const int end =
        template != NULL ? tokenizer_token(l.tokenizer, chat_template_end(template)) : -1;
    const Served served = {.name = s->name != NULL ? s->name : name_of(keep, model),
                           .tokenizer = l.tokenizer,
                           .template = template,
                           .no_template = no_template.message,
                           .end = end,
                           .vocabulary = c->vocabulary,
                           .context = c->context,
                           .bos = c->bos >= 0 ? c->bos : tokenizer_bos(l.tokenizer),
                           .sequences =
                               s->how.sequences < s->requests ? s->how.sequences : s->requests};
    bool good =
        template != NULL || s->template == NULL || error_set(err, "%s", no_template.message);
    good = good && serve(s, &l, &served, err);
    if (good) loaded_print_speed(&l);
    chat_template_close(template);
    loaded_close(&l);
    return good;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("serve", (size_t)1 << 30);
    Settings s = {.how = loaded_defaults,
                  .http = {.host = "127.0.0.1",
                           .port = 8080,
                           .connections = 1024,
                           .quiet_seconds = 30,
                           .answer_seconds = 600},
                  .requests = 256,
                  .body_kb = 1024,
                  .drain_seconds = 30};
    const char **words;
    int count, status;
    Error err;
    s.how.sequences = 64;
    Options *options = declare(keep, &s, &words, &count);
    if (!options_parse(options, argc, argv, &status)) return status;
    console_check_output();
    if (count != 1) return error_print("takes one model, and %d are given", count), 2;
    s.http.body = (size_t)s.body_kb << 10;
    raise_file_limit(s.http.connections);
    status = open_and_serve(keep, &s, words[0], &err) ? 0 : error_report(&err);
    arena_free(keep);
    return status;
}
