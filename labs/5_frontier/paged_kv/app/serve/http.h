/* http.h -- the server's side of HTTP: connections, their deadlines, and what answers a path.
 *
 *     Http *http = http_open(&(HttpOptions){.host = "127.0.0.1", .port = 8080, ...}, worker, &served, &err);
 *     puts(http_url(http));     // "http://127.0.0.1:8080/"
 *     http_drain(http);         // no new connections, no new requests; those at hand are answered
 *     http_close(http);         // when the worker has ended
 *
 * libmicrohttpd's thread reads requests and sends answers; a connection whose answer is not ready is suspended,
 * and costs nothing. A second thread looks after the connections: one that takes too long to bring its
 * request is closed, however many bytes a second it sends; when all places are taken, the one that has been
 * silent for the longest is closed; and a client that has gone frees what its request holds, although
 * libmicrohttpd does not look at suspended connections.
 *
 * With an API key all but the page and /health need it. Without one, a web page of another host is refused
 * (by its Origin), since any page may ask a browser to post to this machine.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/serve/worker.h"

typedef struct HttpOptions {
    const char *host;    // an IP address or localhost
    int port;            // 0: any
    const char *key;     // NULL: none is needed
    int connections;
    size_t body;           // bytes, at most
    int quiet_seconds;     // that a request may take to come, and a silence before one
    int answer_seconds;    // that an answer may take
} HttpOptions;

typedef struct Http Http;

Http *http_open(const HttpOptions *options, Worker *worker, const Served *served, Error *err);
const char *http_url(const Http *http);
void http_drain(Http *http);
void http_close(Http *http);    // NULL is fine
