/* worker_pool.h -- runs test processes in parallel and survives whatever they do.
 *
 *     Job jobs[] = {{.test = test, .seconds = 5}, ...};
 *     WorkerPool pool = {.submission = "libexercises_cnn.so", .source = "cnn.c",
 *                        .jobs = jobs, .count = n, .workers = 2, .on_result = print};
 *     if (!worker_pool_run(&pool, &err)) return error_report(&err);
 *
 * `on_result` is called once for each job, as soon as it has ended. By then its process, and every
 * process that it started, is gone.
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
    int group;         // after a timeout the other jobs of the group are skipped
    double seconds;    // limit on CPU time; the limit on wall time is four times as long

    // The result, valid in on_result.
    Verdict verdict;
    const char *message, *detail;
    int line;
    double took;
    Stream out, err;

    // While it runs.
    pid_t pid;    // 0 when it does not
    double begun;
    bool over, timed_out, output_exceeded;
    SharedResult *result;
    char sentence[512];
} Job;

typedef struct WorkerPool {
    const char *submission, *source;
    Job *jobs;
    int count, workers;
    bool first;    // the first wrong result of a group is enough: its other jobs are skipped
    void (*on_result)(const Job *job);
} WorkerPool;

bool worker_pool_run(WorkerPool *pool, Error *err);
