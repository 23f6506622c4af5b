#include "labs/5_frontier/paged_kv/app/serve/sse_client.h"
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool sse_begin(SseClient *c, const char *host, int port, const char *path, const char *json)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int yes = 1;
    *c = (SseClient){.socket = -1, .wants = POLLOUT, .begun = now()};
    if (inet_pton(AF_INET, host, &at.sin_addr) != 1) return false;
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (c->socket < 0) return false;
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    write_format(&c->sent,
                 "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                 "Connection: close\r\nContent-Length: %zu\r\n\r\n",
                 path, host, strlen(json));
    write_text(&c->sent, json);
    return connect(c->socket, (struct sockaddr *)&at, sizeof at) == 0 || errno == EINPROGRESS;
}

void sse_end(SseClient *c)
{
    if (c->socket >= 0) close(c->socket);
    free(c->gaps);
    free(c->sent.data);
    free(c->got.data);
    *c = (SseClient){.socket = -1, .done = true};
}

static void count_gap(SseClient *c, double time)
{
    if (c->first == 0) c->first = time;
    else {
        if (c->gap_count == c->gap_room) {
            c->gap_room = c->gap_room > 0 ? 2 * c->gap_room : 64;
            c->gaps = realloc(c->gaps, (size_t)c->gap_room * sizeof *c->gaps);
            REQUIRE(c->gaps != NULL, "no memory for %d gaps", c->gap_room);
        }
        c->gaps[c->gap_count++] = time - c->latest;
    }
    c->latest = time;
}

static int number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

static void read_event(SseClient *c, const char *json, size_t bytes, double time)
{
    if (bytes >= 6 && strncmp(json, "[DONE]", 6) == 0) {
        c->complete = true;
        return;
    }
    cJSON *tree = cJSON_ParseWithLength(json, bytes);
    const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(tree, "choices"), 0);
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(tree, "usage");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(choice, "text"));
    if (text != NULL && text[0] != '\0') count_gap(c, time);
    if (cJSON_IsObject(usage)) {
        c->prompt_tokens = number(usage, "prompt_tokens");
        c->output_tokens = number(usage, "completion_tokens");
        c->cached_tokens = number(cJSON_GetObjectItemCaseSensitive(usage, "prompt_tokens_details"),
                                  "cached_tokens");
    }
    cJSON_Delete(tree);
}

// Whole lines of what has come. The sizes of chunks (HTTP's) stand on lines of their own, and are passed over:
// servers end a chunk where an event ends.
static void read_lines(SseClient *c, double time)
{
    char *text = (char *)c->got.data, *end;
    while ((end = memchr(text + c->read, '\n', c->got.count - c->read)) != NULL) {
        const char *line = text + c->read;
        c->read = (size_t)(end + 1 - text);
        if (c->status == 0 && sscanf(line, "HTTP/1.1 %d", &c->status) == 1) continue;
        if (strncmp(line, "data: ", 6) == 0)
            read_event(c, line + 6, (size_t)(end - line) - 6, time);
    }
    c->got.count -= c->read;
    memmove(c->got.data, c->got.data + c->read, c->got.count);
    c->read = 0;
}

void sse_step(SseClient *c)
{
    char piece[1 << 14];
    if (c->written < c->sent.count) {
        const ssize_t bytes =
            send(c->socket, c->sent.data + c->written, c->sent.count - c->written, MSG_NOSIGNAL);
        if (bytes < 0 && errno != EAGAIN) c->done = true;
        if (bytes > 0) c->written += (size_t)bytes;
        if (c->written == c->sent.count) c->wants = POLLIN;
        return;
    }
    const ssize_t bytes = recv(c->socket, piece, sizeof piece, 0);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) c->done = true;
    if (bytes <= 0) return;
    bytes_add(&c->got, piece, (size_t)bytes);
    read_lines(c, now());
    if (c->complete) c->done = true;
}
