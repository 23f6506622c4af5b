#include "labs/5_frontier/paged_kv/app/serve/job.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "labs/5_frontier/paged_kv/app/serve/answer.h"
#include "labs/5_frontier/paged_kv/app/serve/stream.h"

double job_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- one ----

Job *job_new(const Served *served, Metrics *metrics, void (*suspend)(void *whom),
             void (*resume)(void *whom))
{
    Arena *arena = arena_new("request", (size_t)1 << 30);
    Job *job = arena_zeros(arena, sizeof *job);
    *job = (Job){.served = served,
                 .metrics = metrics,
                 .arena = arena,
                 .created = (int64_t)time(NULL),
                 .submitted = job_now(),
                 .references = 1,
                 .suspend = suspend,
                 .resume = resume};
    pthread_mutex_init(&job->lock, NULL);
    return job;
}

static void job_free(Job *job)
{
    const int count =
        job->choices != NULL ? job->asked.prompt_count * job->asked.request.choices : 0;
    for (int i = 0; i < count; i++) {
        free(job->choices[i].text.data);
        logprobs_free(&job->choices[i].logprobs);
    }
    free(job->out.data);
    api_request_free(&job->asked);
    pthread_mutex_destroy(&job->lock);
    arena_free(job->arena);
}

void job_retain(Job *job)
{
    pthread_mutex_lock(&job->lock);
    job->references++;
    pthread_mutex_unlock(&job->lock);
}

void job_release(Job *job)
{
    if (job == NULL) return;
    pthread_mutex_lock(&job->lock);
    const bool last = --job->references == 0;
    pthread_mutex_unlock(&job->lock);
    if (last) job_free(job);
}

// ---- HTTP ----

int job_status(Job *job)
{
    pthread_mutex_lock(&job->lock);
    const int status = job->status;
    pthread_mutex_unlock(&job->lock);
    return status;
}

bool job_suspends(Job *job, void *whom)
{
    pthread_mutex_lock(&job->lock);
    const bool waits = job->status == 0 || (job->taken == job->out.count && !job->ended);
    if (waits) job->suspend(job->suspended = whom);
    pthread_mutex_unlock(&job->lock);
    return waits;
}

long job_size(Job *job)
{
    pthread_mutex_lock(&job->lock);
    const long size = job->ended ? (long)(job->out.count - job->taken) : -1;
    pthread_mutex_unlock(&job->lock);
    return size;
}

long job_read(Job *job, char *out, size_t room)
{
    pthread_mutex_lock(&job->lock);
    const size_t ready = job->out.count - job->taken, taken = ready < room ? ready : room;
    const long result = taken > 0 ? (long)taken : job->ended ? -1 : 0;
    if (taken > 0) memcpy(out, job->out.data + job->taken, taken);
    job->taken += taken;
    if (job->taken == job->out.count) job->taken = job->out.count = 0;
    pthread_mutex_unlock(&job->lock);
    return result;
}

void job_cancel(Job *job, int status)
{
    int none = 0;
    atomic_compare_exchange_strong(&job->cancel, &none, status);
}

// ---- what comes of it ----

// Gives HTTP what is ready.
static void hand_over(Job *job, int status, const Bytes *piece, bool ended)
{
    pthread_mutex_lock(&job->lock);
    if (job->status == 0) job->status = status;
    bytes_add(&job->out, piece->data, piece->count);
    job->ended |= ended;
    const bool unread = job->asked.stream && job->out.count - job->taken > UNREAD_MAX;
    void *whom = job->suspended;
    job->suspended = NULL;
    if (whom != NULL) job->resume(whom);
    pthread_mutex_unlock(&job->lock);
    if (unread) job_cancel(job, 1);
}

void job_refuse(Job *job, const Refusal *refusal)
{
    Bytes out = {0};
    if (job->status == 0) refusal_write(&out, refusal);
    else stream_error(&out, refusal);    // the status has been sent
    hand_over(job, refusal->status, &out, true);
    free(out.data);
}

void job_begin(Job *job)
{
    const int prompts = job->asked.prompt_count;
    job->live = prompts * job->asked.request.choices;
    job->prompts = arena_zeros(job->arena, (size_t)prompts * sizeof *job->prompts);
    job->choices = arena_zeros(job->arena, (size_t)job->live * sizeof *job->choices);
    for (int i = 0; i < prompts; i++)
        job->prompts[i] = (JobPrompt){.job = job, .index = i, .id = -1};
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) number = (uintptr_t)job;
    snprintf(job->id, sizeof job->id, "%s-%016llx",
             job->asked.api == API_CHAT ? "chatcmpl" : "cmpl", (unsigned long long)number);
}

static void count_token(Job *job, JobChoice *choice)
{
    const double now = job_now();
    if (job->first == 0) {
        job->first = now;
        metrics_observe(&job->metrics->first_token, now - job->submitted);
    }
    if (choice->latest > 0) metrics_observe(&job->metrics->gap, now - choice->latest);
    choice->latest = now;
    job->output_tokens++;
}

// The last choice has ended.
static void finish(Job *job, Bytes *out)
{
    Refusal why = {0};
    const int cancel = job->cancel;
    if (job->ended) return;    // refused before
    metrics_observe(&job->metrics->whole, job_now() - job->submitted);
    if (cancel != 0) {
        job->metrics->cancelled++;
        refuse(&why, cancel == 1 ? 499 : cancel, "",
               cancel == 408   ? "the request took longer than it may"
               : cancel == 503 ? "the server is shutting down"
                               : "the answer is not being read");
    } else if (job->error[0] != '\0') {
        job->metrics->failed++;
        refuse(&why, 500, "", "%s", job->error);
    }
    if (why.status != 0) {
        if (out->count > 0) hand_over(job, 200, out, false);
        job_refuse(job, &why);
        return;
    }
    if (job->asked.stream) stream_end(out, job);
    else answer_whole(out, job);
    hand_over(job, 200, out, true);
}

void job_give_up(Job *job)
{
    Bytes out = {0};
    if (job->live == 0) return;
    job->live = 0;
    finish(job, &out);
}

void job_event(void *prompt, const EngineEvent *event)
{
    JobPrompt *p = prompt;
    Job *job = p->job;
    const int k = p->index * job->asked.request.choices + event->choice;
    JobChoice *choice = &job->choices[k];
    Bytes out = {0};
    if (event->choice == 0) p->cached = event->cached;
    if (event->sampled != NULL) {
        count_token(job, choice);
        if (job->asked.request.sampling.log_probabilities >= 0)
            logprobs_add(&choice->logprobs, job->asked.api, job->served->tokenizer, event->sampled);
    }
    bytes_add(&choice->text, event->text, event->bytes);
    if (event->error != NULL) snprintf(job->error, sizeof job->error, "%s", event->error);
    const bool ended = event->finish != FINISH_NONE;
    const bool good = event->finish != FINISH_CANCELLED && event->finish != FINISH_ERROR;
    choice->finish = event->finish;
    if (job->asked.stream && good) stream_piece(&out, job, k, event->finish);
    if (ended) job->live--;
    if (ended && job->live == 0) finish(job, &out);
    else if (out.count > 0) hand_over(job, 200, &out, false);
    free(out.data);
}
