/* serve.h -- the calculator as one web page, for this machine: the replies of reply.h, over HTTP.
 *
 *     if (!serve("127.0.0.1", 8020, &err)) return error_report(&err);
 *     // http://127.0.0.1:8020/  (Ctrl-C ends it)
 *
 * Requests are answered one after the other on a thread of their own; what they need
 * is gone after them. The page itself is page.html, read once at the start. A connection that takes too
 * long over a request, to send it or to read the reply, is closed; when all slots are taken, the
 * oldest connection is closed.
 *
 * What is asked for may come from any web site that this machine's browser shows, so: a Host that is a
 * name other than localhost is refused (DNS rebinding needs one), no other site may read an answer,
 * and nothing is loaded from outside or kept.
 */
#pragma once
#include "common/error.h"

typedef struct Server Server;

enum { SERVER_SECONDS = 10 };    // that a request may take, and the silence before one

// Listens on an IP address or localhost; port 0 picks a free one. NULL upon failure.
Server *server_open(const char *address, int port, int seconds, Error *err);
const char *server_url(const Server *server);    // "http://127.0.0.1:8020/"
void server_close(Server *server);               // NULL is fine

// Opens one, says where, and closes it upon Ctrl-C or SIGTERM.
bool serve(const char *address, int port, Error *err);
