/* loopback.h -- a web server on 127.0.0.1 that misbehaves on purpose, in a thread of the test.
 *
 *     Loopback *server = loopback_open(content, size);
 *     server->manner = LOOPBACK_CUTS_OFF;
 *     ... download from server->address, a string like "http://127.0.0.1:41234/" ...
 *     loopback_close(server);
 *
 * It serves the one content under every name; a path that begins with /missing/ is answered 404.
 */
#pragma once
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef enum LoopbackManner {
    LOOPBACK_WELL,               // with ranges, as a good server
    LOOPBACK_SLOW,               // in small pieces with pauses
    LOOPBACK_CUTS_OFF,           // announces all, sends a quarter, closes
    LOOPBACK_CUTS_OFF_ONCE,      // the same, and from then on closes at once
    LOOPBACK_STALLS,             // sends LOOPBACK_FEW bytes, then nothing, and stays open
    LOOPBACK_IGNORES_RANGES,     // sends all from the start, 200
    LOOPBACK_REFUSES_RANGES,     // answers a range with 416
    LOOPBACK_GARBAGE,            // other bytes of the right size
    LOOPBACK_TOO_MUCH,           // announces and sends more
    LOOPBACK_ENDLESS,            // announces nothing and sends until the client goes
    LOOPBACK_TOO_LITTLE,         // announces and sends half, as if that were all
    LOOPBACK_500,                // answers 500 with a page
    LOOPBACK_CLOSES,             // takes the request and closes without a response
    LOOPBACK_REDIRECTS,          // to /moved/, which is served well
    LOOPBACK_REDIRECT_LOOP,      // to itself
    LOOPBACK_REDIRECTS_TO_FTP    // where nothing listens
} LoopbackManner;

enum { LOOPBACK_FEW = 100 };

typedef struct Loopback {
    _Atomic LoopbackManner manner;
    atomic_int requests;             // so far
    atomic_long range;               // of the last request: where it starts, -1 for none
    volatile sig_atomic_t *raise;    // set to 1 by a server that stalls, if not NULL
    char address[64];
    const uint8_t *content;
    size_t size;
    int listener;
    atomic_bool closing;
    pthread_t thread;
} Loopback;

Loopback *loopback_open(const uint8_t *content, size_t size);    // NULL when there is no socket
void loopback_close(Loopback *server);
