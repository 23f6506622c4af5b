/* job.h -- a request between the thread that speaks HTTP and the one that runs the engine.
 *
 *     Job *job = job_new(served, metrics, suspend, resume);    // HTTP: one reference
 *     if (!api_request_read(&job->asked, ...)) ...
 *     worker_submit(worker, job);                      // a second one, until the engine is done with it
 *     if (job_suspends(job, connection)) ...           // HTTP: nothing yet; resume(connection) comes
 *     job_status(job), job_read(job, buffer, room)     // HTTP: what is ready of the answer
 *     job_cancel(job, 0, NULL);                        // any thread: the client has gone
 *     job_release(job);
 *
 * A stream's answer is ready piece by piece, any other as a whole. The engine never waits for a client: what one
 * does not read is kept up to UNREAD_MAX, and beyond that the request is cancelled.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "labs/5_frontier/paged_kv/app/serve/api_request.h"
#include "labs/5_frontier/paged_kv/app/serve/logprobs.h"
#include "labs/5_frontier/paged_kv/app/serve/metrics.h"

enum { UNREAD_MAX = 1 << 20 };    // bytes

typedef struct Job Job;

// A choice of one of the prompts.
typedef struct JobChoice {
    Bytes text;      // so far; of a stream without tools, what has not been sent
    size_t shown;    // bytes of it that were sent
    Logprobs logprobs;
    bool begun;    // its first piece was sent
    FinishReason finish;
    double latest;    // when its last token came
} JobChoice;

// The context of a prompt's events.
typedef struct JobPrompt {
    Job *job;
    int index;
    int id;    // the engine's; -1: not submitted
    int cached;
} JobPrompt;

struct Job {
    const Served *served;
    Metrics *metrics;
    Arena *arena;
    ApiRequest asked;
    char id[48];
    int64_t created;    // Unix time
    double submitted, first;
    // The engine's thread.
    Constraint *constraint;    // borrowed
    JobPrompt *prompts;        // [asked.prompt_count]
    JobChoice *choices;        // [prompt_count * request.choices]: those of a prompt side by side
    int live;                  // choices that have not ended
    int output_tokens;
    char error[sizeof(Error)];
    Job *next;    // in a list of the worker's
    // Any thread.
    _Atomic int cancel;    // an HTTP status, or 1: the client has gone; 0: it goes on
    // Under the lock.
    pthread_mutex_t lock;
    int references;
    int status;                                            // of the answer; 0: nothing is ready
    Bytes out;                                             // ready
    size_t taken;                                          // bytes of it that were read
    bool ended;                                            // no more will come
    void *suspended;                                       // who waits, or NULL
    void (*suspend)(void *whom), (*resume)(void *whom);    // called under the lock
};

Job *job_new(const Served *served, Metrics *metrics, void (*suspend)(void *whom),
             void (*resume)(void *whom));
void job_retain(Job *job);
void job_release(Job *job);    // NULL is fine

// ---- HTTP ----

int job_status(Job *job);    // 0: not known yet
// True: nothing is ready, and `whom` is suspended until something is.
bool job_suspends(Job *job, void *whom);
long job_size(Job *job);    // of all that is still to be read; -1: not known yet
// Bytes; 0: none are ready; -1: the end.
long job_read(Job *job, char *out, size_t room);
void job_cancel(Job *job, int status);    // 1: the client has gone

// ---- the engine's thread ----

void job_begin(Job *job);                                  // memory for the choices
void job_event(void *prompt, const EngineEvent *event);    // a JobPrompt
void job_refuse(Job *job, const Refusal *refusal);         // a stream says so in its last event
// After it was cancelled in the engine, which has no events of choices that have not begun.
void job_give_up(Job *job);

double job_now(void);
