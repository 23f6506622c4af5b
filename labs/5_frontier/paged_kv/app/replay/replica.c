#include "labs/5_frontier/paged_kv/app/replay/replica.h"
#include <stdlib.h>

// A request in flight: the owner of a sequence.
typedef struct InFlight {
    const Request *request;
    Served *served;
} InFlight;

Replica *replica_open(Arena *keep, const ReplicaSettings *settings)
{
    Replica *r = arena_zeros(keep, sizeof *r);
    r->settings = *settings;
    r->arena = keep;
    r->pool = block_pool_new(keep, settings->blocks, settings->block_size, settings->kind);
    r->scheduler = scheduler_open(&r->pool, settings->scheduler);
    r->auditor = auditor_new(keep, &r->pool);
    REQUIRE(r->scheduler != NULL, "no memory for a scheduler of %d sequences",
            settings->scheduler.max_running);
    return r;
}

bool replica_is_busy(const Replica *replica)
{
    return !scheduler_is_idle(replica->scheduler);
}

static void discard(Sequence *sequence)
{
    free(sequence->owner);
    sequence_free(sequence);
}

static void cancel(Scheduler *scheduler, Sequence *sequence)
{
    scheduler_cancel(scheduler, sequence);
    discard(sequence);
}

void replica_close(Replica *replica)
{
    Scheduler *s = replica->scheduler;
    while (s->running_count > 0) cancel(s, s->running[s->running_count - 1]);
    while (s->waiting.count > 0) cancel(s, waiting_first(&s->waiting));
    scheduler_close(s);
}

bool replica_submit(Replica *replica, const Request *request, Served *served, double now,
                    Error *err)
{
    int32_t *prompt = malloc((size_t)request->prompt * sizeof *prompt);
    InFlight *flight = malloc(sizeof *flight);
    REQUIRE(prompt != NULL && flight != NULL, "no memory for %d tokens", request->prompt);
    for (int i = 0; i < request->prompt; i++) prompt[i] = request_token(request, i);
    Sequence *s = sequence_new(request->id, prompt, request->prompt,
                               request->prompt + request->output, replica->pool.block_size);
    REQUIRE(s != NULL, "no memory for %d tokens", request->prompt + request->output);
    free(prompt);
    *flight = (InFlight){request, served};
    s->owner = flight;
    if (!scheduler_submit(replica->scheduler, s, err)) {
        served->refused = true;
        discard(s);
        return false;
    }
    if (replica->clock < now) replica->clock = now;
    replica->in_flight++;
    return true;
}

static double seconds_of(const Replica *r, const Scheduled *list, int count)
{
    const StepCost *cost = &r->settings.cost;
    int64_t tokens = 0, context = 0;
    for (int i = 0; i < count; i++) {
        tokens += list[i].count;
        context += list[i].first + list[i].count;
    }
    return cost->step + cost->token * (double)tokens + cost->context * (double)context;
}

static void take_account(Replica *r)
{
    if (r->settings.account_every == 0 || r->steps % r->settings.account_every != 0) return;
    const Account now = account_take(r->auditor, r->scheduler);
    const int64_t slots = (int64_t)r->pool.blocks * r->pool.block_size;
    REQUIRE(account_sum(&now) == slots, "step %lld accounts for %lld slots of %lld",
            (long long)r->steps, (long long)account_sum(&now), (long long)slots);
    account_add(&r->account, &now);
    r->accounts++;
}

static void sample(Replica *r, const Scheduled *entry)
{
    Sequence *s = entry->sequence;
    InFlight *flight = s->owner;
    Served *served = flight->served;
    const int32_t token = request_token(flight->request, s->count);
    if (s->count == s->prompt) {
        served->first = r->clock;
        served->hits = s->hits;
    } else if (r->clock - served->last > served->gap) served->gap = r->clock - served->last;
    served->last = r->clock;
    r->sampled++;
    scheduler_done(r->scheduler, entry, &token, 1);
    if (s->state != SEQUENCE_FINISHED) return;
    served->preemptions = s->preemptions;
    r->in_flight--;
    discard(s);
}

void replica_step(Replica *r)
{
    const Scheduled *list;
    const int count = scheduler_step(r->scheduler, &list);
    REQUIRE(count > 0, "step %lld computes nothing", (long long)r->steps);
    r->clock += seconds_of(r, list, count);
    r->entries += count;
    if (r->scheduler->running_count > r->max_running) r->max_running = r->scheduler->running_count;
    for (int i = 0; i < count; i++) {
        r->computed += list[i].count;
        list[i].sequence->computed = list[i].first + list[i].count;
    }
    take_account(r);    // before finished sequences release their blocks
    for (int i = 0; i < count; i++)
        if (!list[i].samples) scheduler_done(r->scheduler, &list[i], NULL, 0);
    for (int i = 0; i < count; i++)
        if (list[i].samples) sample(r, &list[i]);
    r->steps++;
}
