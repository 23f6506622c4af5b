#include "labs/5_frontier/paged_kv/app/serve/worker.h"
#include <stdlib.h>
#include "labs/5_frontier/paged_kv/app/memory/domain.h"
#include "labs/5_frontier/paged_kv/app/serve/block_view.h"
#include "labs/5_frontier/paged_kv/app/serve/constraints.h"

static const double VIEW_SECONDS = 0.1, LOOKED_SECONDS = 5;    // between two; after the last look

struct Worker {
    Engine *engine;
    const Served *served;
    int most;
    Domains domains;
    Constraints constraints;
    Job *live;    // submitted to the engine, in the order of arrival
    double viewed;
    pthread_mutex_t lock;    // of what follows
    pthread_cond_t wake;
    Job *queue, **last;
    int sequences;    // of jobs in the queue and in the engine
    bool woken, stops, at_once;
    EngineStatistics statistics;
    Bytes blocks;
    double looked;    // when a client last asked for the block map
};

Worker *worker_new(Engine *engine, const Served *served, const TokenIndex *index, int most)
{
    Worker *w = calloc(1, sizeof *w);
    REQUIRE(w != NULL, "no memory for a queue");
    *w =
        (Worker){.engine = engine, .served = served, .most = most, .constraints = {.index = index}};
    w->last = &w->queue;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->statistics = engine_statistics(engine);
    return w;
}

void worker_free(Worker *w)
{
    if (w == NULL) return;
    domains_free(&w->domains);
    constraints_free(&w->constraints);
    free(w->blocks.data);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

// ---- from any thread ----

static int sequences_of(const Job *job)
{
    return job->asked.prompt_count * job->asked.request.choices;
}

bool worker_submit(Worker *w, Job *job)
{
    job_retain(job);
    pthread_mutex_lock(&w->lock);
    const bool room = !w->stops && w->sequences + sequences_of(job) <= w->most;
    if (room) {
        w->sequences += sequences_of(job);
        *w->last = job;
        w->last = &job->next;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (!room) job_release(job);
    return room;
}

void worker_wake(Worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->woken = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void worker_stop(Worker *w, bool at_once)
{
    pthread_mutex_lock(&w->lock);
    w->stops = true;
    w->at_once |= at_once;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

EngineStatistics worker_statistics(Worker *w)
{
    pthread_mutex_lock(&w->lock);
    const EngineStatistics statistics = w->statistics;
    pthread_mutex_unlock(&w->lock);
    return statistics;
}

void worker_write_blocks(Worker *w, Bytes *out)
{
    pthread_mutex_lock(&w->lock);
    w->looked = job_now();
    w->woken = true;    // an engine at rest makes one, too
    pthread_cond_signal(&w->wake);
    bytes_add(out, w->blocks.data, w->blocks.count);
    pthread_mutex_unlock(&w->lock);
    if (out->count == 0) bytes_add(out, "{}", 2);
}

// ---- the engine's thread ----

// The job is over for the engine.
static void let_go(Worker *w, Job *job)
{
    if (job->constraint != NULL) constraints_return(&w->constraints, job->constraint);
    pthread_mutex_lock(&w->lock);
    w->sequences -= sequences_of(job);
    pthread_mutex_unlock(&w->lock);
    job_release(job);
}

static void cancel_all(Worker *w, Job *job)
{
    for (int i = 0; i < job->asked.prompt_count; i++)
        if (job->prompts[i].id >= 0) engine_cancel(w->engine, job->prompts[i].id);
    job_give_up(job);
}

static void fail(Job *job, const char *sentence)
{
    Refusal refusal;
    refuse(&refusal, 400, job->asked.api == API_CHAT ? "messages" : "prompt", "%s", sentence);
    job_refuse(job, &refusal);
}

static bool submit(Worker *w, Job *job)
{
    Error err;
    Request request = job->asked.request;
    const char *const names[] = {w->served->name, job->asked.salt};
    job_begin(job);
    if (job->asked.schema != NULL)
        job->constraint = constraints_use(&w->constraints, job->asked.schema, &job->asked.grammar);
    request.constraint = job->constraint;
    request.domain = domain_find(&w->domains, names, 2);
    request.on_event = job_event;
    for (int i = 0; i < job->asked.prompt_count; i++) {
        request.prompt = job->asked.prompts[i].ids;
        request.prompt_count = (int)job->asked.prompts[i].count;
        request.context = &job->prompts[i];
        job->prompts[i].id = engine_submit(w->engine, &request, &err);
        if (job->prompts[i].id >= 0) continue;
        fail(job, err.message);
        return false;
    }
    return true;
}

static void submit_all(Worker *w, Job *queue)
{
    Job **last = &w->live;
    while (*last != NULL) last = &(*last)->next;
    for (Job *job = queue, *next; job != NULL; job = next) {
        next = job->next;
        job->next = NULL;
        if (submit(w, job)) {
            *last = job;
            last = &job->next;
        } else {
            // Those of its prompts that the engine has taken.
            job_cancel(job, 1);
            cancel_all(w, job);
            let_go(w, job);
        }
    }
}

// Cancels whose client has gone, and lets go of those that have ended.
static void sweep(Worker *w, bool at_once)
{
    for (Job **at = &w->live; *at != NULL;) {
        Job *job = *at;
        if (at_once) job_cancel(job, 503);
        if (job->cancel != 0 && job->live > 0) cancel_all(w, job);
        if (job->live > 0) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        let_go(w, job);
    }
}

static void view(Worker *w, bool now)
{
    const double time = job_now();
    if (!now && time - w->viewed < VIEW_SECONDS) return;
    w->viewed = time;
    const EngineStatistics statistics = engine_statistics(w->engine);
    Bytes blocks = {0};
    pthread_mutex_lock(&w->lock);
    const bool looked = time - w->looked < LOOKED_SECONDS;
    pthread_mutex_unlock(&w->lock);
    if (looked) block_view_write(&blocks, w->engine);
    pthread_mutex_lock(&w->lock);
    w->statistics = statistics;
    if (looked) {
        free(w->blocks.data);
        w->blocks = blocks;
    }
    pthread_mutex_unlock(&w->lock);
}

// Waits for something to do. False: nothing will come.
static bool take(Worker *w, Job **queue, bool *at_once)
{
    pthread_mutex_lock(&w->lock);
    while (w->queue == NULL && w->live == NULL && !w->stops && !w->woken)
        pthread_cond_wait(&w->wake, &w->lock);
    w->woken = false;
    *queue = w->queue;
    w->queue = NULL;
    w->last = &w->queue;
    *at_once = w->at_once;
    const bool more = *queue != NULL || w->live != NULL || !w->stops;
    pthread_mutex_unlock(&w->lock);
    return more;
}

void worker_run(Worker *w)
{
    Job *queue;
    bool at_once;
    while (take(w, &queue, &at_once)) {
        submit_all(w, queue);
        sweep(w, at_once);
        const bool busy = engine_step(w->engine);
        sweep(w, at_once);
        view(w, !busy || w->live == NULL);
    }
}
