/* job.h -- a piece of `lab` in a process of its own, so that it can be ended at any moment.
 *
 *     Job job = {0};
 *     if (!job_start(&job, check, &question, &err)) return error_report(&err);
 *     while (job_runs(&job)) { ...; if (saved) job_end(&job); }
 *     puts(job_output(arena, &job));
 *
 * What it prints, on both streams, is caught in a file without a name. Words that end in a form feed
 * are whole: a later look may find others after it. Whatever it has started ends with it.
 */
#pragma once
#include <stdio.h>
#include <sys/types.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Job {
    pid_t process;    // 0: none runs
    FILE *words;      // NULL: there was none yet
    int status;       // of exit, or 128 + the signal
} Job;

bool job_start(Job *job, int (*work)(void *subject), void *subject, Error *err);
bool job_runs(Job *job);
void job_end(Job *job);    // at once; also one that does not run

// What it has said up to its last form feed; while it runs "" when there is none, afterwards all that
// follows the last.
char *job_output(Arena *arena, const Job *job);
