#include "labs/5_frontier/key_numbers/app/output/serve.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "common/address.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "datasets/root.h"
#include "labs/5_frontier/key_numbers/app/output/reply.h"

enum {
    SLOTS = 256,    // connections; when one more comes, the oldest is closed
    BURST = 64,     // more, until libmicrohttpd has closed those
    URL_MAX = 4096,
    BODY_MAX = 1 << 22,    // a config.json has some kilobytes; with a format for each expert 2.4 MB
    PAGE_MAX = 1 << 20
};

// A connection, as long as it is open.
typedef struct Slot {
    int socket;      // -1: the slot is free
    double since;    // when its request began; between two, when the first ended
    bool closing;
} Slot;

// One request, from its first line to the last byte of its reply.
typedef struct Request {
    Server *server;
    bool begun;
    char url[URL_MAX + 1];    // as it came
    bool url_long;
    char *body;
    size_t body_bytes;    // more than BODY_MAX: too many
} Request;

struct Server {
    Arena *keep, *answer;    // `answer` is reset after each: one thread gives them all
    const char *url;
    char *page;
    int seconds;    // that a request may take
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;    // of what follows
    pthread_cond_t wake;
    Slot slots[SLOTS + BURST];
    bool closes, watched;
    pthread_t watch;
};

// ---- what is sent ----

typedef struct HttpReply {
    unsigned status;
    const char *type;
    char *text;    // in the server's arenas
} HttpReply;

static HttpReply error_reply(Request *request, unsigned status, const char *sentence)
{
    char *clean = arena_print(request->server->answer, "%s", sentence);
    text_clean(clean);    // it may quote what was sent
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "error", clean);
    char *text = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    HttpReply reply = {status, "application/json",
                       arena_print(request->server->answer, "%s", text)};
    cJSON_free(text);
    return reply;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, HttpReply reply)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; "
         "form-action 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cache-Control", "no-store"},
    };
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(reply.text), reply.text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.type);
    if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    enum MHD_Result queued = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

// ---- what is asked ----

// The config.json that came with the request; NULL for none.
static bool read_config(const Request *request, cJSON **config, Error *err)
{
    *config = NULL;
    if (request->body_bytes == 0) return true;
    if (request->body_bytes > BODY_MAX)
        return error_set(err, "the config.json has more than %d bytes", BODY_MAX);
    request->body[request->body_bytes] = '\0';
    if (!text_is_utf8(request->body, request->body_bytes))
        return error_set(err, "config.json: is not UTF-8, as JSON has to be");
    *config = json_parse(request->body, request->body_bytes, "config.json", err);
    if (*config == NULL || cJSON_IsObject(*config)) return *config != NULL;
    cJSON_Delete(*config);
    *config = NULL;
    return error_set(err, "config.json: expected a JSON object");
}

static HttpReply answer_question(Request *request, Reply *reply, const char *query_text)
{
    Error err;
    Query query;
    cJSON *config = NULL;
    char *json;
    bool answered = query_read(request->server->answer, query_text, &query, &err) &&
                    read_config(request, &config, &err) &&
                    reply(request->server->answer, &query, config, &json, &err);
    cJSON_Delete(config);
    if (!answered) return error_reply(request, MHD_HTTP_BAD_REQUEST, err.message);
    return (HttpReply){MHD_HTTP_OK, "application/json", json};
}

static HttpReply answer_request(Request *request, const char *host, const char *method)
{
    if (host == NULL || !address_is_nameless(host))
        return error_reply(
            request, MHD_HTTP_FORBIDDEN,
            "this page is for the machine it runs on: expected localhost or an IP address as Host");
    if (request->url_long)
        return error_reply(
            request, MHD_HTTP_BAD_REQUEST,
            arena_print(request->server->answer, "the address has more than %d bytes", URL_MAX));
    size_t length = strcspn(request->url, "?");
    const char *path = arena_print(request->server->answer, "%.*s", (int)length, request->url);
    const char *query = request->url + length + (request->url[length] == '?');
    bool page = strcmp(path, "/") == 0;
    Reply *reply = reply_find(path);
    if (!page && reply == NULL)
        return error_reply(request, MHD_HTTP_NOT_FOUND, "there is no such page here");
    bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    // A config.json is brought by POST; nothing is changed by it.
    bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0 && strncmp(path, "/answer", 7) == 0;
    if (!get && !post)
        return error_reply(request, MHD_HTTP_METHOD_NOT_ALLOWED,
                           "expected GET, or POST with a config.json to /answer");
    if (page) return (HttpReply){MHD_HTTP_OK, "text/html; charset=utf-8", request->server->page};
    return answer_question(request, reply, query);
}

// ---- slots ----

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// The socket stays libmicrohttpd's, which closes it as it does one that the other side has ended.
static void slot_shutdown(Slot *slot)
{
    slot->closing = true;
    shutdown(slot->socket, SHUT_RDWR);
}

// ---- libmicrohttpd's side ----

static Slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void slot_renew(Server *server, Slot *slot)
{
    if (slot == NULL) return;
    pthread_mutex_lock(&server->lock);
    slot->since = now();
    pthread_mutex_unlock(&server->lock);
}

// At the first line, before anything is decoded. NULL ends it.
static void *on_url(void *context, const char *url, struct MHD_Connection *connection)
{
    Server *server = context;
    Request *request = calloc(1, sizeof *request);
    if (request == NULL) return NULL;
    slot_renew(server, slot_of(connection));
    request->server = server;
    request->url_long = strlen(url) > URL_MAX;
    snprintf(request->url, sizeof request->url, "%s", url);
    return request;
}

static bool keep_body(Request *request, const char *bytes, size_t count)
{
    size_t all = request->body_bytes + count;
    request->body_bytes = all <= BODY_MAX ? all : BODY_MAX + 1;    // too many, and stays so
    if (all > BODY_MAX) return true;
    char *body = realloc(request->body, all + 1);
    if (body == NULL) return false;
    request->body = body;
    memcpy(body + all - count, bytes, count);
    return true;
}

// Called with the headers, then with each piece of the body, then once more.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_bytes, void **state)
{
    Request *request = *state;
    (void)context, (void)url, (void)version;
    if (request == NULL) return MHD_NO;
    if (!request->begun) {
        request->begun = true;
        return MHD_YES;
    }
    if (*data_bytes > 0) {
        bool kept = keep_body(request, data, *data_bytes);
        *data_bytes = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    enum MHD_Result sent = send_reply(connection, answer_request(request, host, method));
    arena_reset(request->server->answer);
    return sent;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    Request *request = *state;
    (void)why;
    slot_renew(context, slot_of(connection));
    if (request != NULL) free(request->body);
    free(request);
    *state = NULL;
}

// A new connection gets a slot, if need be by closing the oldest.
static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    Server *server = context;
    Slot *free_one = NULL, *oldest = NULL;
    int taken = 0;
    pthread_mutex_lock(&server->lock);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*slot != NULL) ((Slot *)*slot)->socket = -1;
        pthread_mutex_unlock(&server->lock);
        return;
    }
    for (Slot *p = server->slots; p < server->slots + SLOTS + BURST; p++) {
        if (p->socket < 0) free_one = p;
        if (p->socket < 0 || p->closing) continue;
        taken++;
        if (oldest == NULL || p->since < oldest->since) oldest = p;
    }
    if (taken >= SLOTS) slot_shutdown(oldest);
    *slot = free_one;
    if (free_one != NULL)
        *free_one = (Slot){
            .socket =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            .since = now()};
    pthread_mutex_unlock(&server->lock);
}

// libmicrohttpd only looks at how long nothing has come: a byte a second would hold a slot for ever.
static void *watch_slots(void *context)
{
    Server *server = context;
    pthread_mutex_lock(&server->lock);
    while (!server->closes) {
        struct timespec second;
        clock_gettime(CLOCK_REALTIME, &second);
        second.tv_sec++;
        pthread_cond_timedwait(&server->wake, &server->lock, &second);
        for (Slot *p = server->slots; p < server->slots + SLOTS + BURST; p++)
            if (p->socket >= 0 && !p->closing && now() - p->since >= server->seconds)
                slot_shutdown(p);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// ---- opening ----

static char *page_read(Arena *keep, Error *err)
{
    const char *path =
        arena_print(keep, "%s/labs/5_frontier/key_numbers/app/output/page.html", root_dir());
    char *text = arena_alloc(keep, PAGE_MAX);
    FILE *file = file_open(path, err);
    if (file == NULL) return NULL;
    size_t read = fread(text, 1, PAGE_MAX, file);
    bool page = !ferror(file) && read > 0 && read < PAGE_MAX;
    if (page) text[read] = '\0';
    else error_set(err, "%s: %s", path, ferror(file) ? strerror(errno) : "is not a page");
    fclose(file);
    return page ? text : NULL;
}

static struct MHD_Daemon *daemon_start(Server *server, int listener)
{
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, server,
                            MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_URI_LOG_CALLBACK, on_url,
                            server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)(SLOTS + BURST), MHD_OPTION_END);
}

Server *server_open(const char *address, int port, int seconds, Error *err)
{
    Arena *keep = arena_new("server", 8u << 20);
    Server *server = arena_zeros(keep, sizeof *server);
    server->keep = keep;
    server->answer = arena_new("answer", 256u << 20);
    server->seconds = seconds;
    server->page = page_read(keep, err);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->wake, NULL);
    for (int i = 0; i < SLOTS + BURST; i++) server->slots[i].socket = -1;
    Listener listener;
    if (server->page != NULL && address_listen(&listener, address, port, err)) {
        server->url = arena_print(keep, "%s", listener.url);
        server->watched = pthread_create(&server->watch, NULL, watch_slots, server) == 0;
        server->daemon = server->watched ? daemon_start(server, listener.socket) : NULL;
        if (server->daemon != NULL) return server;
        error_set(err, "%s: the server cannot be started", server->url);
        close(listener.socket);
    }
    server_close(server);
    return NULL;
}

const char *server_url(const Server *server)
{
    return server->url;
}

void server_close(Server *server)
{
    if (server == NULL) return;
    pthread_mutex_lock(&server->lock);
    server->closes = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    if (server->watched) pthread_join(server->watch, NULL);
    if (server->daemon != NULL) MHD_stop_daemon(server->daemon);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
    arena_free(server->answer);
    arena_free(server->keep);
}

bool serve(const char *address, int port, Error *err)
{
    // Blocked before the server's thread starts, which inherits that: they wait for sigwait().
    sigset_t ends, before;
    int which;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, &before);
    Server *server = server_open(address, port, SERVER_SECONDS, err);
    if (server != NULL) {
        printf("%s  (Ctrl-C ends it)\n", server_url(server));
        fflush(stdout);
        sigwait(&ends, &which);
        server_close(server);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return server != NULL;
}
