/* command.h -- the options that every benchmark has, and what follows from them.
 *
 *     Command  command = {.peers = false};
 *     Options *options = command_options(keep, &command, "sgemm", "Matrix products.");
 *     options_flag(options, ...);                              // the program's own, if any
 *     int status;
 *     if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
 *     for (int i = 0; i < command.thread_counts; i++) bench_threads(command.threads[i]);
 */
#pragma once
#include "bench/harness.h"
#include "common/options.h"

enum { COMMAND_MAX_THREAD_COUNTS = 8 };

typedef struct Command {
    const char *threads_text;    // "1,2"
    int threads[COMMAND_MAX_THREAD_COUNTS], thread_counts;
    const char *json;    // NULL: no file
    const char *
        json_folder;    // where --json named one, for a program whose reports have other names; or NULL
    bool peers, quick;
    Plan plan;
} Command;

Options *command_options(Arena *keep, Command *command, const char *program, const char *summary);

// As options_parse; a wrong --threads is refused like any other wrong value, with status 2. The kernels
// are chosen when it returns true.
bool command_parse(Arena *keep, Options *options, int argc, char **argv, Command *command,
                   int *status);
