#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Workload workloads[] = {
    // Kwon et al., SOSP 2023, figure 11: mean lengths of the two data sets.
    {"sharegpt", 161.31, 337.99, 1.0, 0.875, 2048, 0, 0, 1, 0},
    {"alpaca", 19.31, 58.45, 1.0, 0.875, 2048, 0, 0, 1, 0},
    {"chat", 80, 200, 1.0, 0.875, 8192, 8, 512, 4, 30},
};

static const double READ_RATE = 40;    // tokens a second that a user reads before thinking

const Workload *workload_find(const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (strcmp(workloads[i].name, name) == 0) return &workloads[i];
    return NULL;
}

static double exponential(Rng *rng, double mean)
{
    return -mean * log1p(-(double)rng_uniform(rng));
}

// Lognormal, at least 1.
static int length(Rng *rng, double mean, double cv)
{
    const double variance = log1p(cv * cv);
    const double tokens = exp(log(mean) - variance / 2 + sqrt(variance) * (double)rng_normal(rng));
    return tokens < 1 ? 1 : tokens > 1e6 ? 1000000 : (int)lround(tokens);
}

static int by_arrival(const void *a, const void *b)
{
    const Request *x = a, *y = b;
    if (x->arrival != y->arrival) return x->arrival < y->arrival ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

// All turns share one list of ids, each up to its own length.
static int converse(Arena *keep, const Workload *w, Request *turns, int most, double now,
                    int *next_id, Rng *rng)
{
    const int system = w->systems > 0 ? (int)rng_below(rng, (uint32_t)w->systems) : 0;
    int length_so_far = w->system_tokens, count = 0;
    const double stop = 1 / w->turns;
    do {
        Request *r = &turns[count];
        r->arrival = now;
        r->prompt = length_so_far + length(rng, w->prompt, w->prompt_cv);
        r->output = length(rng, w->output, w->output_cv);
        if (r->prompt > w->max_count - 1) r->prompt = w->max_count - 1;
        if (r->output > w->max_count - r->prompt) r->output = w->max_count - r->prompt;
        length_so_far = r->prompt + r->output;
        r->id_count = w->systems > 0 ? length_so_far / TRACE_BLOCK : 0;
        now += r->output / READ_RATE + exponential(rng, w->think_seconds);
    } while (++count < most && length_so_far < w->max_count / 2 && (double)rng_uniform(rng) > stop);
    const int blocks = turns[count - 1].id_count;
    int32_t *ids = blocks > 0 ? arena_alloc(keep, (size_t)blocks * sizeof *ids) : NULL;
    for (int i = 0; i < count; i++) turns[i].ids = ids;
    for (int i = 0; i < blocks; i++)
        ids[i] = i < w->system_tokens / TRACE_BLOCK ? system * 4096 + i : (*next_id)++;
    return count;
}

Trace workload_make(Arena *keep, const Workload *workload, int count, double rate, uint64_t seed)
{
    Trace trace = {arena_zeros(keep, (size_t)count * sizeof *trace.requests), count};
    Rng rng = rng_from_seed(seed);
    int next_id = 1 << 20;
    double now = 0;
    for (int made = 0; made < count;) {
        if (rate > 0) now += exponential(&rng, workload->turns / rate);
        made += converse(keep, workload, trace.requests + made, count - made, now, &next_id, &rng);
    }
    for (int i = 0; i < count; i++) trace.requests[i].id = i;
    qsort(trace.requests, (size_t)count, sizeof *trace.requests, by_arrival);
    for (int i = 0; i < count; i++) trace.requests[i].id = i;
    return trace;
}
