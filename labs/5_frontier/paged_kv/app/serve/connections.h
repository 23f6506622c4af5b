/* connections.h -- who is connected, since when, and what for: the deadlines.
 *
 *     Connection *one = connections_add(&list, fd);     // closes the most silent one where all places are taken
 *     connections_set(&list, one, CONNECTION_BUSY, job);
 *     connections_sweep(&list, worker);                 // several times a second
 *     connections_remove(&list, one);
 *
 * Sockets stay libmicrohttpd's: they are shut down here, which it notices as if the other side had done it.
 */
#pragma once
#include <pthread.h>
#include "labs/5_frontier/paged_kv/app/serve/worker.h"

typedef enum ConnectionPhase {
    CONNECTION_FREE,     // the place is
    CONNECTION_QUIET,    // no request has come, or not all of it
    CONNECTION_BUSY      // it is being answered
} ConnectionPhase;

typedef struct Connection {
    ConnectionPhase phase;
    int socket;
    double since;    // that phase; also, that a request line has come
    bool closing;
    Job *job;    // borrowed, or NULL
} Connection;

typedef struct Connections {
    Connection *list;
    int most, room;    // room: some more, until those that were shut down have gone
    int quiet_seconds, answer_seconds;
    pthread_mutex_t lock;
} Connections;

void connections_open(Connections *c, int most, int quiet_seconds, int answer_seconds);
void connections_close(Connections *c);

Connection *connections_add(Connections *c, int socket);    // NULL: no place at all
void connections_remove(Connections *c, Connection *one);
// `one` may be NULL.
void connections_set(Connections *c, Connection *one, ConnectionPhase phase, Job *job);
void connections_sweep(Connections *c, Worker *worker);
int connections_busy(Connections *c);
void connections_shutdown(Connections *c);    // all of them
