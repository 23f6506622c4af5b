/* crew.h -- runs trials, several at a time, each in a process of its own, and outlives them all.
 *
 *     Job jobs[] = {{.test = test, .seconds = 5}, ...};
 *     Crew crew = {.answer = "libanswer_cnn.so", .source = "cnn.c", .jobs = jobs, .count = n,
 *                  .at_a_time = 2, .told = print};
 *     if (!crew_run(&crew, &err)) return error_report(&err);
 *
 * Each job is told of once, as soon as it is over. Its process, and what that has started, are gone
 * by then.
 */
#pragma once
#include <sys/types.h>
#include "common/error.h"
#include "labs/grader/trial.h"

// Bytes; more than the limit is a verdict.
enum { OUTPUT_KEPT = 16 << 10, OUTPUT_LIMIT = 1 << 20 };

typedef struct Stream {    // what a trial prints, read through a pipe
    int fd;
    size_t seen, kept;
    char text[OUTPUT_KEPT + 1];
} Stream;

typedef struct Job {
    const struct CMUnitTest *test;
    int group;         // after a timeout the others of its group are not begun
    double seconds;    // of processor time; four times as many by the clock

    // How it went, when it is told of.
    Verdict verdict;
    const char *message, *detail;
    int line;
    double took;
    Stream out, err;

    // While it runs.
    pid_t pid;    // 0 when it does not
    double begun;
    bool over, late, loud;
    Slate *slate;
    char sentence[512];
} Job;

typedef struct Crew {
    const char *answer, *source;
    Job *jobs;
    int count, at_a_time;
    void (*told)(const Job *job);
} Crew;

bool crew_run(Crew *crew, Error *err);
