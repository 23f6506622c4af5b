/* job.h -- runs a function in a process of its own, so that it can be ended at any moment.
 *
 *     Job job = {0};
 *     if (!job_start(&job, check, &question, &err)) return error_report(&err);
 *     while (job_runs(&job)) { ...; if (saved) job_end(&job); }
 *     puts(job_output(arena, &job));
 *
 * Its output, both streams, goes to an unnamed file. Output up to a form feed is complete; more may
 * follow later. Processes that it started end with it.
 */
#pragma once
#include <stdio.h>
#include <sys/types.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Job {
    pid_t process;    // 0: none runs
    FILE *output;     // NULL: not started yet
    int status;       // of exit, or 128 + the signal
} Job;

bool job_start(Job *job, int (*work)(void *subject), void *subject, Error *err);
bool job_runs(Job *job);
void job_end(Job *job);    // at once; may have ended already

// While it runs, its output up to the last form feed, "" if there is none; afterwards what follows the
// last form feed.
char *job_output(Arena *arena, const Job *job);
