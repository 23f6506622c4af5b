/* worker.h -- the engine's thread: takes jobs from a queue, submits them, steps, and hands on what comes.
 *
 *     Worker *worker = worker_new(engine, &served, index);
 *     worker_run(worker);                      // until worker_stop(); here it is the program's first thread
 *     if (!worker_submit(worker, job)) ...     // HTTP: too many
 *     worker_stop(worker, true);               // a signal: no new jobs, and those at hand are given up
 *     worker_free(worker);
 *
 * The queue is a list under a lock that is held for some instructions; a step is never waited for.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/engine.h"
#include "labs/5_frontier/paged_kv/app/serve/job.h"

typedef struct Worker Worker;

// `most`: sequences that run and wait at the same time.
Worker *worker_new(Engine *engine, const Served *served, const TokenIndex *index, int most);
void worker_free(Worker *worker);    // NULL is fine
void worker_run(Worker *worker);

// ---- from any thread ----

// Retains the job. False: there is no room, and nothing has changed.
bool worker_submit(Worker *worker, Job *job);
void worker_wake(Worker *worker);    // a job was cancelled
// The jobs at hand are finished, or `at_once`: cancelled with 503. Then worker_run() returns.
void worker_stop(Worker *worker, bool at_once);

// What the engine looked like lately. The block map is JSON, and made while a client looks at it.
EngineStatistics worker_statistics(Worker *worker);
void worker_write_blocks(Worker *worker, Bytes *out);
