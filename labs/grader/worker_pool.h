/* worker_pool.h -- runs trials, several at a time, each in a process of its own, and outlives them all.
 *
 *     Job jobs[] = {{.test = test, .seconds = 5}, ...};
 *     WorkerPool pool = {.submission = "libexercises_cnn.so", .source = "cnn.c", .jobs = jobs, .count = n,
 *                  .at_a_time = 2, .on_result = print};
 *     if (!worker_pool_run(&pool, &err)) return error_report(&err);
 *
 * Each job is told of once, as soon as it is over. Its process, and what that has started, are gone
 * by then.
 */
#pragma once
#include <sys/types.h>
#include "common/error.h"
#include "labs/grader/test_process.h"

// Bytes; more than the limit is a verdict.
enum { OUTPUT_KEPT = 16 << 10, OUTPUT_LIMIT = 1 << 20 };

typedef struct Stream {    // what a test process prints, read through a pipe
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
    SharedResult *result;
    char sentence[512];
} Job;

typedef struct WorkerPool {
    const char *submission, *source;
    Job *jobs;
    int count, at_a_time;
    void (*on_result)(const Job *job);
} WorkerPool;

bool worker_pool_run(WorkerPool *pool, Error *err);
