/* process.h -- runs an untrusted program with limits on time, memory, files and output.
 *
 *     Process compiler = {.argv = argv, .folder = folder, .input = text, .seconds = 10,
 *                         .memory = 1u << 30, .file = 64 << 20, .output = 1 << 20};
 *     Ending ending;
 *     if (!process_run(arena, &compiler, &ending, &err)) return false;    // it could not be started
 *     if (ending.how == ENDED_TIMEOUT) puts("the compiler took too long");
 *
 * It runs in a session of its own: it cannot read from the terminal, and Ctrl-C does not reach it. When
 * process_run() returns, the program and every process that it started have ended; so has any other
 * child of ours, since orphans cannot be distinguished from it.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef struct Process {
    const char *const *argv;    // NULL ends it; argv[0] is searched in PATH when it has no slash
    const char *const *set;     // added to its environment: "LC_ALL=C"; NULL ends it; may be NULL
    const char *folder;         // its working directory; NULL: ours
    const char *input;          // its standard input; NULL: empty
    double seconds;             // wall time; in this and the following fields 0 means no limit
    double silence;             // seconds without output
    size_t memory, file;        // bytes of address space, and of any file it writes
    size_t output;              // bytes that it may print, on both streams together
} Process;

typedef enum EndingKind {
    ENDED,            // normally: `status`
    ENDED_SIGNAL,     // by `signal`
    ENDED_TIMEOUT,    // killed: out of time, or no output for too long
    ENDED_OUTPUT,     // killed: printed too much
} EndingKind;

typedef struct Ending {
    EndingKind how;
    int status, signal;
    const char *out, *err;    // its output, without NUL bytes
} Ending;

bool process_run(Arena *arena, const Process *process, Ending *ending, Error *err);

double process_clock(void);    // seconds, monotonic
