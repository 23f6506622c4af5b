#include "labs/5_frontier/paged_kv/app/serve/http.h"
#include <microhttpd.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include "labs/5_frontier/paged_kv/app/serve/access.h"
#include "labs/5_frontier/paged_kv/app/serve/connections.h"
#include "labs/5_frontier/paged_kv/app/serve/listen.h"
#include "labs/5_frontier/paged_kv/app/serve/page.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

enum { MEMORY_PER_CONNECTION = 16 << 10, SENT_AT_ONCE = 16 << 10, SWEEP_MS = 200 };

struct Http {
    HttpOptions options;
    Worker *worker;
    const Served *served;
    Metrics metrics;
    char url[128];
    struct MHD_Daemon *daemon;
    Connections connections;
    pthread_t watch;
    bool watched;
    _Atomic bool drains, closes;
};

// From its first line to the last byte of its answer.
typedef struct HttpRequest {
    Http *http;
    struct MHD_Connection *connection;
    const struct Route *route;
    bool begun;
    Bytes body;
    bool too_long;
    Job *job;
} HttpRequest;

typedef struct Route {
    const char *method, *path;
    bool open;    // without a key
    Api api;      // a job's, or 0
    void (*write)(HttpRequest *request, Bytes *out);
    const char *type;
} Route;

// ---- short answers ----

static enum MHD_Result send_bytes(HttpRequest *request, int status, const char *type,
                                  const void *bytes, size_t count)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(
        response, "Content-Security-Policy",
        "default-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
    if (status == 429 || status == 503)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, status == 429 ? "1" : "10");
    if (status == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == 405)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->route->method);
    if (request->http->drains)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const enum MHD_Result queued =
        MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_refusal(HttpRequest *request, const Refusal *refusal)
{
    Bytes out = {0};
    if (request->route != NULL && request->route->api != 0)
        request->http->metrics.refused += refusal->status < 429;
    refusal_write(&out, refusal);
    write_text(&out, "\n");
    const enum MHD_Result sent =
        send_bytes(request, refusal->status, "application/json", out.data, out.count);
    free(out.data);
    return sent;
}

static void write_page(HttpRequest *request, Bytes *out)
{
    (void)request;
    bytes_add(out, page_html, page_html_bytes);
}

static void write_health(HttpRequest *request, Bytes *out)
{
    write_text(out,
               request->http->drains ? "{\"status\":\"draining\"}\n" : "{\"status\":\"ok\"}\n");
}

static void write_models(HttpRequest *request, Bytes *out)
{
    const Served *served = request->http->served;
    write_text(out, "{\"object\":\"list\",\"data\":[{\"id\":");
    json_text_quote(out, served->name);
    write_format(
        out, ",\"object\":\"model\",\"created\":0,\"owned_by\":\"lab\",\"max_model_len\":%d}]}\n",
        served->context);
}

static void write_metrics(HttpRequest *request, Bytes *out)
{
    const EngineStatistics statistics = worker_statistics(request->http->worker);
    metrics_write(out, &request->http->metrics, &statistics);
}

static void write_blocks(HttpRequest *request, Bytes *out)
{
    worker_write_blocks(request->http->worker, out);
}

static const Route routes[] = {
    {"GET", "/", true, 0, write_page, "text/html; charset=utf-8"},
    {"GET", "/health", true, 0, write_health, "application/json"},
    {"GET", "/v1/models", false, 0, write_models, "application/json"},
    {"GET", "/metrics", false, 0, write_metrics, "text/plain; version=0.0.4"},
    {"GET", "/blocks", false, 0, write_blocks, "application/json"},
    {"POST", "/v1/completions", false, API_COMPLETIONS, NULL, NULL},
    {"POST", "/v1/chat/completions", false, API_CHAT, NULL, NULL},
};

// ---- who may ask ----

static const char *header(HttpRequest *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool may_ask(HttpRequest *request, Refusal *refusal)
{
    const char *key = request->http->options.key;
    if (key == NULL) {
        const char *origin = header(request, "Origin");
        return origin == NULL || access_is_own_origin(origin) ||
               refuse(refusal, 403, "", "a web page of another host needs an API key here");
    }
    if (request->route->open) return true;
    const char *given = header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (given != NULL && strncasecmp(given, "Bearer ", 7) == 0 && access_key_equals(given + 7, key))
        return true;
    refuse(refusal, 401, "", "expected the API key: \"Authorization: Bearer KEY\"");
    refusal->code = "invalid_api_key";
    return false;
}

// When the headers have come: what needs no body.
static bool check_head(HttpRequest *request, const char *path, const char *method, Refusal *refusal)
{
    bool found = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !found; i++) {
        if (strcmp(routes[i].path, path) != 0) continue;
        request->route = &routes[i];
        found = strcmp(routes[i].method, method) == 0 ||
                (strcmp(routes[i].method, "GET") == 0 && strcmp(method, "HEAD") == 0);
    }
    if (request->route == NULL) return refuse(refusal, 404, "", "there is no such path here");
    if (!found) return refuse(refusal, 405, "", "expected %s", request->route->method);
    if (!may_ask(request, refusal)) return false;
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length == NULL || strtoull(length, NULL, 10) <= request->http->options.body) return true;
    return refuse(refusal, 413, "", "the body has more than %zu bytes",
                  request->http->options.body);
}

// ---- completions ----

static void suspend(void *connection)
{
    MHD_suspend_connection(connection);
}

static void resume(void *connection)
{
    MHD_resume_connection(connection);
}

static Connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static bool submit(HttpRequest *request, Refusal *refusal)
{
    Http *http = request->http;
    Bytes *body = &request->body;
    http->metrics.requests++;
    if (http->drains) return refuse(refusal, 503, "", "the server is shutting down");
    if (request->too_long)
        return refuse(refusal, 413, "", "the body has more than %zu bytes", http->options.body);
    bytes_add(body, "", 1);
    Job *job = job_new(http->served, &http->metrics, suspend, resume);
    if (!api_request_read(&job->asked, request->route->api, job->arena, http->served,
                          (char *)body->data, body->count - 1, refusal)) {
        job_release(job);
        return false;
    }
    // Before it is submitted: from then on the engine may answer.
    connections_set(&http->connections, connection_of(request->connection), CONNECTION_BUSY, job);
    request->job = job;
    if (worker_submit(http->worker, job)) return true;
    http->metrics.overloaded++;
    return refuse(refusal, http->drains ? 503 : 429, "",
                  "there are as many requests as can wait; try again in a second");
}

static ssize_t read_answer(void *context, uint64_t position, char *out, size_t room)
{
    HttpRequest *request = context;
    (void)position;
    while (true) {
        const long bytes = job_read(request->job, out, room);
        if (bytes != 0) return bytes > 0 ? bytes : MHD_CONTENT_READER_END_OF_STREAM;
        if (job_suspends(request->job, request->connection)) return 0;
    }
}

static enum MHD_Result send_answer(HttpRequest *request)
{
    const int status = job_status(request->job);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): submit() has made a job
    const bool stream = request->job->asked.stream && status == 200;
    const long size = stream ? -1 : job_size(request->job);
    struct MHD_Response *response = MHD_create_response_from_callback(
        size >= 0 ? (uint64_t)size : MHD_SIZE_UNKNOWN, SENT_AT_ONCE, read_answer, request, NULL);
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            stream ? "text/event-stream" : "application/json");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (stream) MHD_add_response_header(response, "X-Accel-Buffering", "no");    // nginx
    if (status == 503) MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "10");
    if (request->http->drains)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const enum MHD_Result queued =
        MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

// ---- libmicrohttpd's side ----

// At the first line. NULL ends it.
static void *on_line(void *context, const char *line, struct MHD_Connection *connection)
{
    Http *http = context;
    (void)line;
    HttpRequest *request = calloc(1, sizeof *request);
    if (request == NULL) return NULL;
    *request = (HttpRequest){.http = http, .connection = connection};
    connections_set(&http->connections, connection_of(connection), CONNECTION_QUIET, NULL);
    return request;
}

static enum MHD_Result answer(HttpRequest *request)
{
    Refusal refusal = {0};
    Bytes out = {0};
    const Route *route = request->route;
    if (route->api != 0) {
        if (request->job == NULL && !submit(request, &refusal))
            return send_refusal(request, &refusal);
        if (job_suspends(request->job, request->connection)) return MHD_YES;
        return send_answer(request);
    }
    connections_set(&request->http->connections, connection_of(request->connection),
                    CONNECTION_BUSY, NULL);
    route->write(request, &out);
    const bool health = route->write == write_health && request->http->drains;
    const enum MHD_Result sent =
        send_bytes(request, health ? 503 : 200, route->type, out.data, out.count);
    free(out.data);
    return sent;
}

// Called with the headers, with each piece of the body, once more, and when it is resumed.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *bytes, void **state)
{
    HttpRequest *request = *state;
    Refusal refusal;
    (void)context, (void)connection, (void)version;
    if (request == NULL) return MHD_NO;
    if (!request->begun) {
        request->begun = true;
        return check_head(request, path, method, &refusal) ? MHD_YES
                                                           : send_refusal(request, &refusal);
    }
    if (*bytes == 0) return answer(request);
    request->too_long |= request->body.count + *bytes > request->http->options.body;
    if (!request->too_long) bytes_add(&request->body, data, *bytes);
    *bytes = 0;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    HttpRequest *request = *state;
    Http *http = context;
    (void)why;
    connections_set(&http->connections, connection_of(connection), CONNECTION_QUIET, NULL);
    if (request == NULL) return;
    if (request->job != NULL) {
        job_cancel(request->job, 1);    // no matter once it has ended
        worker_wake(http->worker);
    }
    job_release(request->job);
    free(request->body.data);
    free(request);
    *state = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode what)
{
    Http *http = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        connections_remove(&http->connections, *place);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *place = connections_add(&http->connections, info->connect_fd);
}

static void *watch(void *context)
{
    Http *http = context;
    while (!http->closes) {
        connections_sweep(&http->connections, http->worker);
        usleep(SWEEP_MS * 1000);
    }
    return NULL;
}

// ---- opening and closing ----

static struct MHD_Daemon *daemon_start(Http *http, int listener)
{
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_URI_LOG_CALLBACK, on_line, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)http->connections.room,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)http->options.quiet_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_END);
}

Http *http_open(const HttpOptions *options, Worker *worker, const Served *served, Error *err)
{
    Http *http = calloc(1, sizeof *http);
    REQUIRE(http != NULL, "no memory for a server");
    *http = (Http){.options = *options, .worker = worker, .served = served};
    connections_open(&http->connections, options->connections, options->quiet_seconds,
                     options->answer_seconds);
    int port = options->port;
    const int listener = listen_on(options->host, &port, err);
    if (listener >= 0) {
        const bool v6 = strchr(options->host, ':') != NULL;
        snprintf(http->url, sizeof http->url, "http://%s%s%s:%d/", v6 ? "[" : "", options->host,
                 v6 ? "]" : "", port);
        http->watched = pthread_create(&http->watch, NULL, watch, http) == 0;
        http->daemon = http->watched ? daemon_start(http, listener) : NULL;
        if (http->daemon != NULL) return http;
        error_set(err, "%s: the server cannot be started", http->url);
        close(listener);
    }
    http_close(http);
    return NULL;
}

const char *http_url(const Http *http)
{
    return http->url;
}

void http_drain(Http *http)
{
    if (http->drains) return;
    http->drains = true;
    const int listener = MHD_quiesce_daemon(http->daemon);
    if (listener >= 0) close(listener);
}

void http_close(Http *http)
{
    if (http == NULL) return;
    // What is ready is sent, to those who read it.
    const double until = job_now() + 5;
    while (http->daemon != NULL && connections_busy(&http->connections) > 0 && job_now() < until)
        usleep(10000);
    http->closes = true;
    if (http->watched) pthread_join(http->watch, NULL);
    connections_shutdown(&http->connections);
    if (http->daemon != NULL) MHD_stop_daemon(http->daemon);
    connections_close(&http->connections);
    free(http);
}
