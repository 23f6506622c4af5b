#include "labs/5_frontier/paged_kv/app/serve/connections.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BURST = 64 };

#ifndef POLLRDHUP
#define POLLRDHUP 0    // POLLHUP alone
#endif

void connections_open(Connections *c, int most, int quiet_seconds, int answer_seconds)
{
    *c = (Connections){.most = most,
                       .room = most + BURST,
                       .quiet_seconds = quiet_seconds,
                       .answer_seconds = answer_seconds};
    c->list = calloc((size_t)c->room, sizeof *c->list);
    REQUIRE(c->list != NULL, "no memory for %d connections", most);
    pthread_mutex_init(&c->lock, NULL);
}

void connections_close(Connections *c)
{
    pthread_mutex_destroy(&c->lock);
    free(c->list);
}

static void close_one(Connection *one)
{
    one->closing = true;
    shutdown(one->socket, SHUT_RDWR);
}

Connection *connections_add(Connections *c, int socket)
{
    Connection *place = NULL, *oldest = NULL;
    int taken = 0;
    pthread_mutex_lock(&c->lock);
    for (Connection *one = c->list; one < c->list + c->room; one++) {
        if (one->phase == CONNECTION_FREE) place = one;
        if (one->phase == CONNECTION_FREE || one->closing) continue;
        taken++;
        if (one->phase == CONNECTION_QUIET && (oldest == NULL || one->since < oldest->since))
            oldest = one;
    }
    if (taken >= c->most && oldest != NULL) close_one(oldest);
    if (place != NULL)
        *place = (Connection){.phase = CONNECTION_QUIET, .socket = socket, .since = job_now()};
    // All are being answered: there is no place for one more.
    if (place == NULL || (taken >= c->most && oldest == NULL)) shutdown(socket, SHUT_RDWR);
    pthread_mutex_unlock(&c->lock);
    return place;
}

void connections_remove(Connections *c, Connection *one)
{
    pthread_mutex_lock(&c->lock);
    if (one != NULL) *one = (Connection){0};
    pthread_mutex_unlock(&c->lock);
}

void connections_set(Connections *c, Connection *one, ConnectionPhase phase, Job *job)
{
    if (one == NULL) return;
    pthread_mutex_lock(&c->lock);
    one->phase = phase;
    one->since = job_now();
    one->job = job;
    pthread_mutex_unlock(&c->lock);
}

// Whether the other side has closed.
static bool is_gone(const Connection *one)
{
    struct pollfd look = {.fd = one->socket, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static bool look_after(const Connections *c, Connection *one, double now)
{
    const double seconds = now - one->since;
    int cancel = 0;
    // Half a request, and its sender has gone, for which libmicrohttpd would wait.
    const bool half = seconds > 1 && is_gone(one);
    if (one->phase == CONNECTION_QUIET && (half || seconds > c->quiet_seconds)) close_one(one);
    if (one->phase != CONNECTION_BUSY) return false;
    if (one->job != NULL && is_gone(one)) cancel = 1;
    else if (seconds > c->answer_seconds) cancel = 408;
    // The answer has ended, and is not being read.
    if (seconds > c->answer_seconds + c->quiet_seconds) close_one(one);
    if (cancel == 0 || one->job == NULL || one->job->cancel != 0) return false;
    job_cancel(one->job, cancel);
    return true;
}

void connections_sweep(Connections *c, Worker *worker)
{
    const double now = job_now();
    bool cancelled = false;
    pthread_mutex_lock(&c->lock);
    for (Connection *one = c->list; one < c->list + c->room; one++)
        if (one->phase != CONNECTION_FREE && !one->closing) cancelled |= look_after(c, one, now);
    pthread_mutex_unlock(&c->lock);
    if (cancelled) worker_wake(worker);
}

int connections_busy(Connections *c)
{
    int busy = 0;
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < c->room; i++) busy += c->list[i].phase == CONNECTION_BUSY;
    pthread_mutex_unlock(&c->lock);
    return busy;
}

void connections_shutdown(Connections *c)
{
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < c->room; i++)
        if (c->list[i].phase != CONNECTION_FREE) close_one(&c->list[i]);
    pthread_mutex_unlock(&c->lock);
}
