#include "bench/peer.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench/harness.h"

extern char **environ;

// Starts `program script` with its input and output on two pipes of ours; script may be NULL. False when it
// cannot run.
static bool start(Peer *peer, const char *program, const char *script)
{
    int to[2], from[2];
    if (pipe(to) != 0) return false;
    if (pipe(from) != 0) return close(to[0]), close(to[1]), false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    int ours[] = {to[0], to[1], from[0], from[1]};
    for (int i = 0; i < 4; i++) posix_spawn_file_actions_addclose(&actions, ours[i]);
    unsetenv("GOMP_SPINCOUNT");    // what ./lab set for us: a peer runs as it is shipped
    char *argv[] = {(char *)program, (char *)script, NULL};
    int failed = posix_spawnp(&peer->pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    if (failed) return close(to[1]), close(from[0]), false;
    peer->to = fdopen(to[1], "w");
    peer->from = fdopen(from[0], "r");
    return true;
}

static void stop(Peer *peer)
{
    fclose(peer->to);
    fclose(peer->from);
    waitpid(peer->pid, NULL, 0);
}

// The next line as JSON, the caller's; NULL when there is none.
static cJSON *read_json(Peer *peer)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size = getline(&line, &room, peer->from);
    cJSON *json = size > 0 ? cJSON_Parse(line) : NULL;
    free(line);
    return json;
}

void peer_keep_memory(void)
{
    setenv("MALLOC_MMAP_THRESHOLD_", "4294967296", 1);
    setenv("MALLOC_TRIM_THRESHOLD_", "-1", 1);
    setenv("MALLOC_TOP_PAD_", "268435456", 1);
}

// Reads the hello; ends the process that gave none.
static bool meet(Peer *peer)
{
    peer->hello = read_json(peer);
    const cJSON *name = cJSON_GetObjectItem(peer->hello, "name");
    if (cJSON_IsString(name)) return peer->name = name->valuestring, true;
    cJSON_Delete(peer->hello);
    stop(peer);
    return false;
}

Peer *peer_start(Arena *keep, const char *program, Error *err)
{
    signal(SIGPIPE, SIG_IGN);    // a peer that died is a failed question, not our end
    Peer *peer = arena_zeros(keep, sizeof *peer);
    if (start(peer, program, NULL) && meet(peer)) return peer;
    error_set(err, "no peer: %s does not run, or says no hello", program);
    return NULL;
}

Peer *peer_open(Arena *keep, const char *script, Error *err)
{
    signal(SIGPIPE, SIG_IGN);
    const char *chosen = getenv("LAB_PYTHON");
    const char *pythons[] = {chosen != NULL ? chosen : "python3", "/usr/bin/python3"};
    int count = chosen != NULL ? 1 : 2;
    const char *path = arena_print(keep, "%s/bench/peers/%s", LAB_SOURCE_DIR, script);
    Peer *peer = arena_zeros(keep, sizeof *peer);
    for (int i = 0; i < count; i++) {
        if (start(peer, pythons[i], path) && meet(peer)) return peer;
    }
    error_set(
        err,
        "no peer: %s%s cannot import what bench/peers/%s needs (LAB_PYTHON names another Python)",
        pythons[0], count == 2 ? " and /usr/bin/python3" : "", script);
    return NULL;
}

// Waits until this process's threads have gone to sleep: an OpenMP runtime spins for a while after
// its last work, on the cores the peer is about to use.
static bool wait_until_quiet(Error *err)
{
    for (int i = 0; i < 200; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        bench_sleep(0.01);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        double used = (double)(after.tv_sec - before.tv_sec) +
                      1e-9 * (double)(after.tv_nsec - before.tv_nsec);
        if (used < 1e-3) return true;
    }
    return error_set(err, "our own idle threads still use the processor after 2 s; "
                          "OMP_WAIT_POLICY=passive makes them sleep");
}

double peer_ask(Peer *peer, Error *err, const char *format, ...)
{
    if (!wait_until_quiet(err)) return -1;
    va_list args;
    va_start(args, format);
    vfprintf(peer->to, format, args);
    va_end(args);
    fputc('\n', peer->to);
    fflush(peer->to);
    cJSON *answer = read_json(peer);
    const cJSON *seconds = cJSON_GetObjectItem(answer, "seconds");
    const cJSON *why = cJSON_GetObjectItem(answer, "error");
    const cJSON *grown = cJSON_GetObjectItem(answer, "grown_mb");
    double result = cJSON_IsNumber(seconds) ? seconds->valuedouble : -1;
    peer->grown_mb = cJSON_IsNumber(grown) ? grown->valuedouble : 0;
    if (result < 0)
        error_set(err, "%s: %s", peer->name,
                  cJSON_IsString(why) ? why->valuestring : "the script gave no answer");
    cJSON_Delete(answer);
    return result;
}

void peer_close(Peer *peer)
{
    if (peer == NULL) return;
    stop(peer);
    cJSON_Delete(peer->hello);
}
