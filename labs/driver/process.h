/* process.h -- runs a program that may do anything, and comes back: a bound on all it can take.
 *
 *     Process compiler = {.argv = argv, .folder = folder, .input = text, .seconds = 10,
 *                         .memory = 1u << 30, .file = 64 << 20, .output = 1 << 20};
 *     Ending ending;
 *     if (!process_run(arena, &compiler, &ending, &err)) return false;    // it could not be started
 *     if (ending.how == ENDED_TIMEOUT) puts("the compiler took too long");
 *
 * It gets a session of its own, so that it cannot ask at the terminal, and Ctrl-C means us alone.
 * When process_run() returns, it and everything it has started are gone; and so is any other child
 * that we have, since one that was left behind cannot be told from it.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef struct Process {
    const char *const *argv;    // NULL ends it; argv[0] is searched in PATH when it has no slash
    const char *const *set;     // "LC_ALL=C", put into its environment; NULL ends it; may be NULL
    const char *folder;         // where it runs; NULL: here
    const char *input;          // what it reads; NULL: nothing
    double seconds;             // by the clock; 0 in this and what follows: no limit
    double silence;             // seconds without output
    size_t memory, file;        // bytes of address space, and of any file it writes
    size_t output;              // bytes that it may say, on both streams together
} Process;

typedef enum EndingKind {
    ENDED,            // by itself: `status`
    ENDED_SIGNAL,     // by `signal`
    ENDED_TIMEOUT,    // killed: out of time, or silent for too long
    ENDED_OUTPUT,     // killed: said too much
} EndingKind;

typedef struct Ending {
    EndingKind how;
    int status, signal;
    const char *out, *err;    // what it output, with no NUL inside
} Ending;

bool process_run(Arena *arena, const Process *process, Ending *ending, Error *err);

double process_clock(void);    // seconds from some moment on
