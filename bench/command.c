#include "bench/command.h"
#include "kernels/device.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

Options *command_options(Arena *keep, Command *command, const char *program, const char *summary)
{
    int cores = omp_get_num_procs();
    command->threads_text = cores == 1 ? "1" : arena_print(keep, "1,%d", cores);
    Options *options = options_new(keep, program, summary);
    options_group(options, "Measuring");
    options_string(options, "threads", 't', &command->threads_text, "LIST", "numbers of threads");
    options_string(options, "json", 'j', &command->json, "FILE",
                   "the report as JSON; into a folder, as NAME.json");
    options_flag(options, "peers", 'p', &command->peers,
                 "hold against PyTorch or SciPy in the same run");
    options_flag(options, "quick", 'q', &command->quick,
                 "little work, for tests: no figures to quote");
    return options;
}

static bool parse_threads(Command *command)
{
    const char *text = command->threads_text;
    for (command->thread_counts = 0; command->thread_counts < COMMAND_MAX_THREAD_COUNTS;) {
        char *end;
        long threads = strtol(text, &end, 10);
        if (end == text || threads < 1 || threads > 1024) return false;
        command->threads[command->thread_counts++] = (int)threads;
        if (*end == '\0') return true;
        if (*end != ',') return false;
        text = end + 1;
    }
    return false;
}

bool command_parse(Arena *keep, Options *options, int argc, char **argv, Command *command,
                   int *status)
{
    if (!options_parse(options, argc, argv, status)) return false;
    command->plan = command->quick ? BENCH_QUICK : BENCH_PLAN;
    struct stat entry;
    if (command->json != NULL && stat(command->json, &entry) == 0 && S_ISDIR(entry.st_mode)) {
        command->json_folder = command->json;
        command->json = arena_print(keep, "%s/%s.json", command->json, options_program(options));
    }
    const char *why;
    if (!parse_threads(command))
        fprintf(stderr, "%s: --threads %s: expected up to %d numbers from 1 to 1024, as 1,2\n",
                options_program(options), command->threads_text, COMMAND_MAX_THREAD_COUNTS);
    else if (!device_use(NULL, &why)) fprintf(stderr, "%s: %s\n", options_program(options), why);
    else return true;
    *status = 2;
    return false;
}
