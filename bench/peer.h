/* peer.h -- the same work done by a script or another program in a process of its own.
 *
 *     Peer *peer = peer_open(keep, "train_autoencoder.py", &err);    // NULL: no Python that can
 *     double seconds = peer_ask(peer, &err, "{\"threads\": 2, \"calls\": 10}");
 *     peer_close(peer);
 *
 * The script says hello with one line of JSON, then answers each line it reads with a line
 * {"seconds": s}, timed by its own clock, or {"error": why}; beside the seconds it may say "grown_mb", what
 * the work took of memory. Never do both sides work at the same
 * moment: before a question is sent this process waits until its own threads have stopped
 * spinning, and the script does the same before it answers (peers/serve.py).
 *
 * Pythons tried: $LAB_PYTHON alone where it is set; otherwise python3, then /usr/bin/python3.
 */
#pragma once
#include <cjson/cJSON.h>
#include <stdio.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Peer {
    const char *name;    // "PyTorch 2.1.0"
    cJSON *hello;        // {"name", "libraries", ...}; owned by the peer
    double grown_mb;     // of the last answer; 0: it did not say
    int pid;
    FILE *to, *from;
} Peer;

// Lets the peers that are opened from here on keep what they freed instead of giving it back to the system
// (glibc): as shipped, large new tensors cost PyTorch up to half of its time in page faults.
void peer_keep_memory(void);

Peer *peer_open(Arena *keep, const char *script, Error *err);
Peer *peer_start(Arena *keep, const char *program,
                 Error *err);    // one that speaks as the scripts do
double peer_ask(Peer *peer, Error *err, const char *format, ...)    // negative upon failure
    __attribute__((format(printf, 3, 4)));
void peer_close(Peer *peer);    // NULL is fine; the script ends when its input does
