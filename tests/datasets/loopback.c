#include "tests/datasets/loopback.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static bool send_all(int client, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t sent = send(client, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += (size_t)sent;
    }
    return true;
}

static bool read_request(int client, char *request, size_t size)
{
    for (size_t got = 0; got + 1 < size;) {
        ssize_t read = recv(client, request + got, size - 1 - got, 0);
        if (read <= 0) return false;
        got += (size_t)read;
        request[got] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL) return true;
    }
    return false;
}

static void answer(int client, const char *status, const char *header)
{
    char text[512];
    int length =
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sConnection: close\r\n\r\n", status, header);
    send_all(client, text, (size_t)length);
}

// The head of a content of `size` bytes from `from` on; a range only when one was asked for.
static void answer_content(int client, size_t from, size_t size, bool range)
{
    char header[256];
    int used = snprintf(header, sizeof header, "Content-Length: %zu\r\n", size - from);
    if (range)
        snprintf(header + used, sizeof header - (size_t)used,
                 "Content-Range: bytes %zu-%zu/%zu\r\n", from, size - 1, size);
    answer(client, range ? "206 Partial Content" : "200 OK", header);
}

static void send_slowly(int client, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size; done += 1000) {
        if (!send_all(client, data + done, size - done < 1000 ? size - done : 1000)) return;
        pause_ms(5);
    }
}

static void send_zeros(int client, size_t size)
{
    static const uint8_t zeros[4096];
    for (size_t done = 0; done < size; done += sizeof zeros)
        if (!send_all(client, zeros, size - done < sizeof zeros ? size - done : sizeof zeros))
            return;
}

// Until the client closes, the test ends, or ten seconds have passed.
static void wait_for_the_end(Loopback *server, int client)
{
    char byte;
    for (int i = 0; i < 1000 && !server->closing; i++) {
        pause_ms(10);
        if (recv(client, &byte, 1, MSG_DONTWAIT) == 0) return;
    }
}

static void serve(Loopback *server, int client, const char *request)
{
    const char *asked = strstr(request, "Range: bytes=");
    const uint8_t *content = server->content;
    size_t size = server->size, quarter = size / 4, from = 0;
    LoopbackManner manner = server->manner;
    if (asked != NULL) from = strtoul(asked + strlen("Range: bytes="), NULL, 10);
    server->range = asked != NULL ? (long)from : -1;
    server->requests++;

    if (strncmp(request, "GET /missing/", 13) == 0) return answer(client, "404 Not Found", "");
    if (manner == LOOPBACK_REDIRECTS && strncmp(request, "GET /moved/", 11) == 0)
        manner = LOOPBACK_WELL;
    if (manner == LOOPBACK_REFUSES_RANGES && asked == NULL) manner = LOOPBACK_WELL;
    if (manner == LOOPBACK_IGNORES_RANGES) asked = NULL, from = 0;
    if (from >= size) manner = LOOPBACK_REFUSES_RANGES;

    switch (manner) {
    case LOOPBACK_WELL:
    case LOOPBACK_IGNORES_RANGES:
    case LOOPBACK_SLOW:
        answer_content(client, from, size, asked != NULL);
        if (manner == LOOPBACK_SLOW) send_slowly(client, content + from, size - from);
        else send_all(client, content + from, size - from);
        break;
    case LOOPBACK_CUTS_OFF:
    case LOOPBACK_CUTS_OFF_ONCE:
        if (manner == LOOPBACK_CUTS_OFF_ONCE) server->manner = LOOPBACK_CLOSES;
        answer_content(client, from, size, asked != NULL);
        send_all(client, content + from, size - from < quarter ? size - from : quarter);
        break;
    case LOOPBACK_STALLS:
        answer_content(client, from, size, asked != NULL);
        send_all(client, content + from, LOOPBACK_FEW);
        if (server->raise != NULL) {
            pause_ms(50);
            *server->raise = 1;
        }
        wait_for_the_end(server, client);
        break;
    case LOOPBACK_GARBAGE:
        answer_content(client, from, size, asked != NULL);
        send_zeros(client, size - from);
        break;
    case LOOPBACK_TOO_MUCH:
        answer_content(client, from, size + quarter, asked != NULL);
        send_all(client, content + from, size - from);
        send_zeros(client, quarter);
        break;
    case LOOPBACK_ENDLESS:
        answer(client, "200 OK", "");
        send_all(client, content, size);
        send_zeros(client, (size_t)1 << 40);
        break;
    case LOOPBACK_TOO_LITTLE:
        answer_content(client, 0, size / 2, false);
        send_all(client, content, size / 2);
        break;
    case LOOPBACK_REFUSES_RANGES: answer(client, "416 Range Not Satisfiable", ""); break;
    case LOOPBACK_500:
        answer(client, "500 Internal Server Error", "Content-Length: 4\r\n");
        send_all(client, "Oh!\n", 4);
        break;
    case LOOPBACK_CLOSES: break;
    case LOOPBACK_REDIRECTS: answer(client, "302 Found", "Location: /moved/abc.bin\r\n"); break;
    case LOOPBACK_REDIRECT_LOOP: answer(client, "302 Found", "Location: /again\r\n"); break;
    case LOOPBACK_REDIRECTS_TO_FTP:
        answer(client, "302 Found", "Location: ftp://127.0.0.1:1/abc.bin\r\n");
        break;
    }
}

static void *run(void *argument)
{
    Loopback *server = argument;
    for (;;) {
        int client = accept(server->listener, NULL, NULL);
        if (client < 0) return NULL;
        const struct timeval patience = {.tv_sec = 5};
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        char request[4096];
        if (read_request(client, request, sizeof request)) serve(server, client, request);
        shutdown(client, SHUT_WR);
        close(client);
    }
}

Loopback *loopback_open(const uint8_t *content, size_t size)
{
    Loopback *server = calloc(1, sizeof *server);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    if (server == NULL) return NULL;
    server->content = content;
    server->size = size;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(server->listener, 8) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&at, &length) != 0 ||
        pthread_create(&server->thread, NULL, run, server) != 0) {
        if (server->listener >= 0) close(server->listener);
        free(server);
        return NULL;
    }
    snprintf(server->address, sizeof server->address, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    return server;
}

void loopback_close(Loopback *server)
{
    server->closing = true;
    shutdown(server->listener, SHUT_RDWR);    // accept() returns
    pthread_join(server->thread, NULL);
    close(server->listener);
    free(server);
}
