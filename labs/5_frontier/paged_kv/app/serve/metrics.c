#include "labs/5_frontier/paged_kv/app/serve/metrics.h"
#include <inttypes.h>
#include "labs/5_frontier/paged_kv/app/serve/write.h"

static const double bounds[BUCKETS] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                       0.5,   1,     2,     5,    10,   20,   50,  100};

void metrics_observe(Histogram *h, double seconds)
{
    int i = 0;
    while (i < BUCKETS && seconds > bounds[i]) i++;
    atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->microseconds, (uint64_t)(seconds * 1e6), memory_order_relaxed);
}

static void head(Bytes *out, const char *name, const char *type, const char *help)
{
    write_format(out, "# HELP lab_%s %s\n# TYPE lab_%s %s\n", name, help, name, type);
}

static void histogram(Bytes *out, const char *name, const char *help, const Histogram *h)
{
    uint64_t sum = 0;
    head(out, name, "histogram", help);
    for (int i = 0; i < BUCKETS; i++) {
        sum += h->buckets[i];
        write_format(out, "lab_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds[i], sum);
    }
    sum += h->buckets[BUCKETS];
    write_format(out, "lab_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    write_format(out, "lab_%s_sum %.6f\nlab_%s_count %" PRIu64 "\n", name,
                 (double)h->microseconds * 1e-6, name, sum);
}

static void value(Bytes *out, const char *name, const char *type, const char *help, double number)
{
    head(out, name, type, help);
    write_format(out, "lab_%s %.15g\n", name, number);
}

void metrics_write(Bytes *out, const Metrics *m, const EngineStatistics *s)
{
    histogram(out, "time_to_first_token_seconds", "From the request to its first token.",
              &m->first_token);
    histogram(out, "inter_token_gap_seconds", "Between two tokens of a choice.", &m->gap);
    histogram(out, "request_seconds", "From the request to the end of its answer.", &m->whole);
    const struct {
        const char *name, *help;
        double number;
    } counters[] = {
        {"requests_total", "Requests for completions.", (double)m->requests},
        {"requests_refused_total", "Of these, not valid.", (double)m->refused},
        {"requests_overloaded_total", "Of these, refused for want of room.", (double)m->overloaded},
        {"requests_cancelled_total", "Of these, given up: gone, too slow, too late.",
         (double)m->cancelled},
        {"requests_failed_total", "Of these, failed.", (double)m->failed},
        {"prompt_tokens_total", "Tokens of prompts.", (double)s->prompt_tokens},
        {"prefix_cache_hit_tokens_total", "Of these, found in the prefix cache.",
         (double)s->hit_tokens},
        {"output_tokens_total", "Tokens of answers.", (double)s->output_tokens},
        {"computed_tokens_total", "Rows of the model's batches.", (double)s->computed_tokens},
        {"steps_total", "Steps of the engine.", (double)s->steps},
        {"step_seconds_total", "Time in steps.", s->seconds},
        {"preemptions_total", "Sequences that lost their blocks for a while.",
         (double)s->preemptions},
        {"draft_tokens_total", "Tokens drafted.", (double)s->drafted},
        {"accepted_draft_tokens_total", "Of these, accepted.", (double)s->accepted},
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        value(out, counters[i].name, "counter", counters[i].help, counters[i].number);
    value(out, "sequences_running", "gauge", "Sequences that hold blocks.", s->running);
    value(out, "sequences_waiting", "gauge", "Sequences in the queue.", s->waiting);
    value(out, "blocks", "gauge", "Blocks of the KV cache.", s->blocks);
    value(out, "blocks_held", "gauge", "Of these, held by sequences.", s->held);
    value(out, "blocks_cached_idle", "gauge", "Of these, held by none, and in the prefix cache.",
          s->cached_idle);
}
