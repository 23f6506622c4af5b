#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPLICAS = 256 };

Route route_find(const char *name)
{
    return strcmp(name, "prefix") == 0         ? ROUTE_PREFIX
           : strcmp(name, "least-loaded") == 0 ? ROUTE_LEAST_LOADED
                                               : ROUTE_ROUND_ROBIN;
}

// ---- the router ----

typedef struct Fleet {
    Replica *replicas[MAX_REPLICAS];
    int count;
    Route route;
    int64_t routed;
    int32_t *tokens, *list;    // scratch: a prompt, and blocks of its prefix
} Fleet;

static int least_loaded(const Fleet *f)
{
    int best = 0;
    for (int i = 1; i < f->count; i++)
        if (f->replicas[i]->in_flight < f->replicas[best]->in_flight) best = i;
    return best;
}

// The replica with the longest cached prefix, among those not much busier than the least loaded one.
static int best_prefix(const Fleet *f, const Request *request)
{
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is at least one replica
    const int least = least_loaded(f), limit = f->replicas[least]->in_flight * 3 / 2 + 4;
    int best = least, longest = 0;
    for (int i = 0; i < request->prompt; i++) f->tokens[i] = request_token(request, i);
    for (int i = 0; i < f->count; i++) {
        const Replica *r = f->replicas[i];
        if (r->pool.cache == NULL || r->in_flight > limit) continue;
        int found = prefix_cache_match(r->pool.cache, 0, f->tokens, request->prompt, f->list);
        if (found > longest) longest = found, best = i;
    }
    return best;
}

static Replica *route(Fleet *f, const Request *request)
{
    const int64_t turn = f->routed++;
    switch (f->route) {
    case ROUTE_ROUND_ROBIN: return f->replicas[turn % f->count];
    case ROUTE_LEAST_LOADED: return f->replicas[least_loaded(f)];
    case ROUTE_PREFIX: break;
    }
    return f->replicas[best_prefix(f, request)];
}

// ---- the run ----

static Replica *next_to_step(const Fleet *f)
{
    Replica *next = NULL;
    for (int i = 0; i < f->count; i++) {
        Replica *r = f->replicas[i];
        if (replica_is_busy(r) && (next == NULL || r->clock < next->clock)) next = r;
    }
    return next;
}

static void serve(Fleet *f, const Trace *trace, Served *served, FleetResult *result)
{
    for (int arrived = 0;;) {
        Replica *next = next_to_step(f);
        const Request *request = arrived < trace->count ? &trace->requests[arrived] : NULL;
        if (next == NULL && request == NULL) return;
        if (request == NULL || (next != NULL && next->clock < request->arrival)) {
            replica_step(next);
            continue;
        }
        Error err;
        if (!replica_submit(route(f, request), request, &served[arrived], request->arrival, &err) &&
            result->refused++ == 0)
            snprintf(result->why, sizeof result->why, "%s", err.message);
        arrived++;
    }
}

// ---- the result ----

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(const float *sorted, int count, double p)
{
    if (count == 0) return 0;
    int rank = (int)ceil(p / 100 * count) - 1;
    return (double)sorted[rank < 0 ? 0 : rank];
}

static void summarize(const Trace *trace, const Served *served, FleetResult *result)
{
    float *first = malloc(((size_t)trace->count + 1) * sizeof *first);
    float *gap = malloc(((size_t)trace->count + 1) * sizeof *gap);
    REQUIRE(first != NULL && gap != NULL, "no memory for %d requests", trace->count);
    int count = 0, gaps = 0;
    double end = 0;
    for (int i = 0; i < trace->count; i++) {
        const Request *request = &trace->requests[i];
        if (served[i].refused) continue;
        first[count++] = (float)(served[i].first - request->arrival);
        if (request->output > 1) gap[gaps++] = (float)served[i].gap;
        if (served[i].last > end) end = served[i].last;
        result->prompt_tokens += request->prompt;
        result->output_tokens += request->output;
        result->hit_tokens += served[i].hits;
        result->preemptions += served[i].preemptions;
    }
    qsort(first, (size_t)count, sizeof *first, by_value);
    qsort(gap, (size_t)gaps, sizeof *gap, by_value);
    result->served = count;
    result->seconds = end - trace->requests[0].arrival;
    result->first_p50 = percentile(first, count, 50);
    result->first_p99 = percentile(first, count, 99);
    result->gap_p50 = percentile(gap, gaps, 50);
    result->gap_p99 = percentile(gap, gaps, 99);
    result->gap_worst = percentile(gap, gaps, 100);
    free(first);
    free(gap);
}

void fleet_run(const Trace *trace, const ReplicaSettings *settings, int replicas, Route way,
               const FleetLog *log, FleetResult *result)
{
    REQUIRE(replicas >= 1 && replicas <= MAX_REPLICAS, "%d replicas", replicas);
    Fleet f = {.count = replicas, .route = way};
    Arena *arena = arena_new("fleet", (size_t)64 << 30);
    int longest = 1;
    for (int i = 0; i < trace->count; i++)
        if (trace->requests[i].prompt > longest) longest = trace->requests[i].prompt;
    f.tokens = arena_alloc(arena, (size_t)longest * sizeof *f.tokens);
    f.list = arena_alloc(arena, (size_t)longest * sizeof *f.list);
    Served *served = arena_zeros(arena, (size_t)trace->count * sizeof *served);
    for (int i = 0; i < replicas; i++) {
        f.replicas[i] = replica_open(arena, settings);
        if (log == NULL) continue;
        f.replicas[i]->scheduler->on_event = log->on_event;
        f.replicas[i]->scheduler->context = log->context;
    }
    *result = (FleetResult){.slots = (int64_t)settings->blocks * settings->block_size};
    serve(&f, trace, served, result);
    summarize(trace, served, result);
    int64_t entries = 0;
    for (int i = 0; i < replicas; i++) {
        const Replica *r = f.replicas[i];
        result->steps += r->steps;
        result->computed += r->computed;
        result->evicted += r->pool.evicted;
        result->accounts += r->accounts;
        entries += r->entries;
        account_add(&result->account, &r->account);
        if (r->max_running > result->max_running) result->max_running = r->max_running;
        replica_close(f.replicas[i]);
    }
    result->running = result->steps > 0 ? (double)entries / (double)result->steps : 0;
    arena_free(arena);
}

int64_t fleet_ideal_hits(const Trace *trace, int block_size)
{
    // A cache with room for every block of the trace.
    int64_t blocks = 0, hits = 0;
    int longest = 1;
    for (int i = 0; i < trace->count; i++) {
        const Request *r = &trace->requests[i];
        blocks += (r->prompt + r->output) / block_size;
        if (r->prompt + r->output > longest) longest = r->prompt + r->output;
    }
    if (blocks > 1 << 26) return -1;
    Arena *arena = arena_new("ideal", (size_t)64 << 30);
    PrefixCache *cache = prefix_cache_new(arena, &hash_chain, (int)blocks + 1, block_size);
    int32_t *tokens = arena_alloc(arena, (size_t)longest * sizeof *tokens);
    int32_t *list = arena_alloc(arena, (size_t)longest * sizeof *list);
    int32_t next = 0;
    for (int i = 0; i < trace->count; i++) {
        const Request *r = &trace->requests[i];
        const int count = r->prompt + r->output;
        for (int t = 0; t < count; t++) tokens[t] = request_token(r, t);
        int found = prefix_cache_match(cache, 0, tokens, r->prompt, list);
        const int hit = found * block_size;
        hits += hit < r->prompt ? hit : r->prompt - 1;
        for (int32_t parent = found > 0 ? list[found - 1] : PREFIX_ROOT;
             (found + 1) * block_size < count; found++) {
            const int32_t block = prefix_cache_insert(
                cache, parent, 0, tokens + (size_t)found * (size_t)block_size, next);
            if (block == next) next++;
            parent = block;
        }
    }
    arena_free(arena);
    return hits;
}
