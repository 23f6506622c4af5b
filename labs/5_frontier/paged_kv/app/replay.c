/* replay.c -- simulates a server's block manager and scheduler without a model: `lab replay`.
 *
 *     replay qwen_traceA.jsonl --blocks 20000          a trace
 *     replay --workload chat --replicas 4 --route prefix
 *     replay --paper                                   the PagedAttention paper's figures
 *     replay ... --log events.jsonl                    every decision as JSON lines
 *     replay --verify events.jsonl                     repeats that run and compares the bytes
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/console.h"
#include "common/file.h"
#include "common/json.h"
#include "common/options.h"
#include "common/table.h"
#include "labs/5_frontier/paged_kv/app/replay/event_log.h"
#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include "labs/5_frontier/paged_kv/app/replay/papers.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"

typedef struct Job {
    const char *trace, *workload, *cache, *route, *admission, *log, *verify;
    int requests, blocks, block_size, budget, running, chunk, watermark, replicas, account;
    float rate, step_ms, token_us, context_us;
    uint64_t seed;
    bool paper;
} Job;

// ---- the command line ----

static const Job defaults = {
    .workload = "chat",
    .cache = "radix",
    .route = "prefix",
    .admission = "optimistic",
    .requests = 1000,
    .blocks = 4000,
    .block_size = 16,
    .budget = 2048,
    .running = 256,
    .watermark = 100,
    .replicas = 1,
    .account = 100,
    .rate = 2,
    .step_ms = 16.7f,
    .token_us = 83,
    .context_us = 0.5f,
    .seed = 42,
};

static Options *declare(Arena *keep, Job *job, const char ***words, int *count)
{
    Options *o = options_new(keep, "replay", "Simulates a server with a paged KV cache.");
    options_rest(o, words, count, "[TRACE.jsonl]");
    options_group(o, "synthetic requests, without a trace");
    options_choice(o, "workload", 'w', &job->workload, WORKLOADS, "lengths and turns");
    options_int(o, "requests", 'n', &job->requests, 1, 10000000, "how many");
    options_float(o, "rate", 'r', &job->rate, 0, 1e6f, "requests per second; 0: all at the start");
    options_uint64(o, "seed", 's', &job->seed, "of the random numbers");
    options_group(o, "the engine");
    options_int(o, "blocks", 'b', &job->blocks, 1, 1 << 24, "of the KV cache");
    options_int(o, "block-size", 0, &job->block_size, 1, 4096, "tokens per block");
    options_choice(o, "cache", 'c', &job->cache, "none|hash|radix", "prefix cache");
    options_int(o, "budget", 0, &job->budget, 1, 1 << 24, "tokens per step");
    options_int(o, "running", 0, &job->running, 1, 1 << 16, "most sequences at once");
    options_int(o, "chunk", 0, &job->chunk, 0, 1 << 24,
                "most prefill tokens of a request per step");
    options_choice(o, "admission", 0, &job->admission, "optimistic|worst-case",
                   "how waiting requests are admitted");
    options_int(o, "watermark", 0, &job->watermark, 0, 1 << 24,
                "blocks that admission leaves idle");
    options_group(o, "several replicas");
    options_int(o, "replicas", 0, &job->replicas, 1, 256, "how many");
    options_choice(o, "route", 0, &job->route, ROUTES, "default: all, compared");
    options_group(o, "duration of a step");
    options_float(o, "step-ms", 0, &job->step_ms, 0, 1e6f,
                  "milliseconds per step (OPT-13B on an A100)");
    options_float(o, "token-us", 0, &job->token_us, 0, 1e6f, "microseconds per token computed");
    options_float(o, "context-us", 0, &job->context_us, 0, 1e6f,
                  "microseconds per token attended to");
    options_group(o, "output");
    options_int(o, "account", 0, &job->account, 0, 1 << 24, "steps between accounts; 0: none");
    options_string(o, "log", 0, &job->log, "FILE", "write every decision as JSON lines");
    options_string(o, "verify", 0, &job->verify, "FILE",
                   "repeat the run of such a log and compare");
    options_flag(o, "paper", 0, &job->paper, "reproduce the PagedAttention paper's figures");
    return o;
}

static const PrefixKind *kind_of(const char *cache)
{
    if (strcmp(cache, "none") == 0) return NULL;
    return strcmp(cache, "hash") == 0 ? &hash_chain : &radix_tree;
}

static ReplicaSettings settings_of(const Job *job)
{
    return (ReplicaSettings){
        .blocks = job->blocks,
        .block_size = job->block_size,
        .kind = kind_of(job->cache),
        .scheduler = {.budget = job->budget > job->running ? job->budget : job->running,
                      .max_running = job->running,
                      .chunk = job->chunk,
                      .watermark = job->watermark,
                      .worst_case = strcmp(job->admission, "worst-case") == 0},
        .cost = {(double)job->step_ms * 1e-3, (double)job->token_us * 1e-6,
                 (double)job->context_us * 1e-6},
        .account_every = job->account,
    };
}

static bool read_requests(Arena *keep, const Job *job, Trace *trace, Error *err)
{
    if (job->trace != NULL) return trace_read(keep, job->trace, trace, err);
    *trace = workload_make(keep, workload_find(job->workload), job->requests, (double)job->rate,
                           job->seed);
    return true;
}

// ---- output ----

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? 100 * (double)part / (double)whole : 0;
}

static void print_account(Arena *arena, const FleetResult *r)
{
    const Account *a = &r->account;
    const struct {
        const char *name, *what;
        int64_t slots;
    } rows[] = {{"used", "computed tokens, each counted once", a->used},
                {"duplicate", "full blocks that repeat another block", a->duplicate},
                {"tail", "not written yet: internal fragmentation", a->tail},
                {"reserved", "idle, reserved for running sequences", a->reserved},
                {"cached idle", "idle, in the prefix cache", a->cached},
                {"free", "idle, not cached", a->free}};
    if (r->accounts == 0) return;
    printf("\n%" PRId64 " slots, on average over %" PRId64 " steps\n", r->slots, r->accounts);
    Table table = table_new(arena, "slots|share|");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        table_row(&table, "%s|%.2f %%|%s", rows[i].name, share(rows[i].slots, account_sum(a)),
                  rows[i].what);
    table_print(&table, 2, stdout);
}

static void print_result(Arena *arena, const FleetResult *r, int64_t ideal)
{
    Table table = table_new(arena, "|");
    table_row(&table, "%s|%d", "requests served", r->served);
    if (r->refused > 0) table_row(&table, "%s|%d (%s)", "refused", r->refused, r->why);
    table_row(&table, "%s|%" PRId64, "prompt tokens", r->prompt_tokens);
    table_row(&table, "%s|%.1f %%", "found in the prefix cache",
              share(r->hit_tokens, r->prompt_tokens));
    if (ideal >= 0)
        table_row(&table, "%s|%.1f %%", "an infinite cache would find",
                  share(ideal, r->prompt_tokens));
    table_row(&table, "%s|%" PRId64, "tokens computed", r->computed);
    table_row(&table, "%s|%" PRId64 ", %.1f per second", "output tokens", r->output_tokens,
              r->seconds > 0 ? (double)r->output_tokens / r->seconds : 0);
    table_row(&table, "%s|%.3f s, p99 %.3f s", "time to first token (TTFT), p50", r->first_p50,
              r->first_p99);
    table_row(&table, "%s|%.3f s, p99 %.3f s, worst %.3f s", "longest gap between tokens, p50",
              r->gap_p50, r->gap_p99, r->gap_worst);
    table_row(&table, "%s|%" PRId64, "steps", r->steps);
    table_row(&table, "%s|%.2f, most %d", "sequences per step, mean", r->running, r->max_running);
    table_row(&table, "%s|%" PRId64, "preemptions", r->preemptions);
    table_row(&table, "%s|%" PRId64, "cached blocks evicted", r->evicted);
    table_print(&table, 2, stdout);
    print_account(arena, r);
}

static void print_routes(Arena *arena, const Job *job, const Trace *trace, int64_t ideal)
{
    static const char *const names[] = {"round-robin", "least-loaded", "prefix"};
    const ReplicaSettings settings = settings_of(job);
    Table table = table_new(arena, "route|prefix hits|tokens computed|TTFT p50 [s]|p99 [s]|"
                                   "gap p99 [s]|tokens/s|preemptions");
    for (int i = 0; i < 3; i++) {
        FleetResult r;
        fleet_run(trace, &settings, job->replicas, route_find(names[i]), NULL, &r);
        table_row(&table, "%s|%.1f %%|%" PRId64 "|%.3f|%.3f|%.3f|%.0f|%" PRId64, names[i],
                  share(r.hit_tokens, r.prompt_tokens), r.computed, r.first_p50, r.first_p99,
                  r.gap_p99, (double)r.output_tokens / r.seconds, r.preemptions);
        if (i == 2 && ideal >= 0)
            table_row(&table, "%s|%.1f %%||||||", "infinite cache", share(ideal, r.prompt_tokens));
    }
    table_print(&table, 2, stdout);
}

// ---- the event log ----

// The first line holds the options of the run.
static void write_command(FILE *stream, const Job *job)
{
    cJSON *list = cJSON_CreateArray(), *line = cJSON_CreateObject();
    Arena *arena = arena_new("command", 1u << 20);
    const char *const words[] = {
        job->trace != NULL ? job->trace : "--",
        arena_print(arena, "--workload=%s", job->workload),
        arena_print(arena, "--requests=%d", job->requests),
        arena_print(arena, "--rate=%.9g", (double)job->rate),
        arena_print(arena, "--seed=%" PRIu64, job->seed),
        arena_print(arena, "--blocks=%d", job->blocks),
        arena_print(arena, "--block-size=%d", job->block_size),
        arena_print(arena, "--cache=%s", job->cache),
        arena_print(arena, "--budget=%d", job->budget),
        arena_print(arena, "--running=%d", job->running),
        arena_print(arena, "--chunk=%d", job->chunk),
        arena_print(arena, "--admission=%s", job->admission),
        arena_print(arena, "--watermark=%d", job->watermark),
        arena_print(arena, "--step-ms=%.9g", (double)job->step_ms),
        arena_print(arena, "--token-us=%.9g", (double)job->token_us),
        arena_print(arena, "--context-us=%.9g", (double)job->context_us),
    };
    for (size_t i = job->trace == NULL; i < sizeof words / sizeof *words; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(words[i]));
    cJSON_AddItemToObject(line, "replay", list);
    char *text = cJSON_PrintUnformatted(line);
    fprintf(stream, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(line);
    arena_free(arena);
}

static int64_t run_logged(const Job *job, const Trace *trace, FILE *stream, FleetResult *result)
{
    const ReplicaSettings settings = settings_of(job);
    EventLog log = {.stream = stream, .block_size = job->block_size};
    const FleetLog events = {event_log_write, &log};
    write_command(stream, job);
    fleet_run(trace, &settings, 1, ROUTE_ROUND_ROBIN, &events, result);
    return log.lines + 1;
}

// Parses the options in a log's first line.
static bool read_command(Arena *keep, const char *path, Job *job, Error *err)
{
    FILE *file = file_open(path, err);
    if (file == NULL) return false;
    char *text = NULL;
    size_t room = 0;
    const ssize_t bytes = getline(&text, &room, file);
    cJSON *tree = bytes > 0 ? json_parse(text, (size_t)bytes, path, err) : NULL;
    const char **words = NULL, **rest;
    int count = 0, rest_count, status;
    bool good = (tree != NULL && json_texts(keep, tree, path, "replay", &words, &count, err)) ||
                error_set(err, "%s: does not begin as a log of this program", path);
    fclose(file);
    free(text);
    cJSON_Delete(tree);
    if (!good) return false;
    char **argv = arena_alloc(keep, ((size_t)count + 2) * sizeof *argv);
    argv[0] = arena_print(keep, "replay");
    for (int i = 0; i < count; i++) argv[i + 1] = arena_print(keep, "%s", words[i]);
    argv[count + 1] = NULL;
    *job = defaults;
    Options *options = declare(keep, job, &rest, &rest_count);
    if (!options_parse(options, count + 1, argv, &status))
        return error_set(err, "%s: its first line has other options than this program", path);
    job->trace = rest_count > 0 ? rest[0] : NULL;
    return true;
}

static bool compare(FILE *now, const char *path, int64_t lines, Error *err)
{
    FILE *then = file_open(path, err);
    if (then == NULL) return false;
    int64_t line = 1;
    int a, b;
    rewind(now);
    do {
        a = getc(then);
        b = getc(now);
        if (a == b && a == '\n') line++;
    } while (a == b && a != EOF);
    fclose(then);
    if (a != b) return error_set(err, "%s: line %" PRId64 " differs in this run", path, line);
    printf("%s: %" PRId64 " lines, identical in this run\n", path, lines);
    return true;
}

static bool verify(Arena *keep, const char *path, Error *err)
{
    Job job;
    Trace trace;
    FleetResult result;
    if (!read_command(keep, path, &job, err) || !read_requests(keep, &job, &trace, err))
        return false;
    FILE *now = tmpfile();
    if (now == NULL) return error_set(err, "a temporary file: %s", strerror(errno));
    const int64_t lines = run_logged(&job, &trace, now, &result);
    bool good = compare(now, path, lines, err);
    fclose(now);
    return good;
}

// ---- main ----

static bool run(Arena *keep, const Job *job, bool routed, Error *err)
{
    Trace trace;
    FleetResult result;
    if (!read_requests(keep, job, &trace, err)) return false;
    const int64_t ideal = fleet_ideal_hits(&trace, job->block_size);
    printf("%d requests (%s), %d replica%s of %d blocks of %d tokens, prefix cache: %s\n",
           trace.count, job->trace != NULL ? job->trace : job->workload, job->replicas,
           job->replicas > 1 ? "s" : "", job->blocks, job->block_size, job->cache);
    if (job->replicas > 1 && !routed) {
        print_routes(keep, job, &trace, ideal);
        return true;
    }
    const ReplicaSettings settings = settings_of(job);
    if (job->log == NULL)
        fleet_run(&trace, &settings, job->replicas, route_find(job->route), NULL, &result);
    else {
        NewFile file;
        if (!file_begin(&file, job->log, err)) return false;
        run_logged(job, &trace, file.stream, &result);
        if (!file_commit(&file, err)) return false;
    }
    print_result(keep, &result, ideal);
    return true;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("replay", (size_t)64 << 30);
    Job job = defaults;
    const char **words;
    int count, status;
    Error err;
    Options *options = declare(keep, &job, &words, &count);
    if (!options_parse(options, argc, argv, &status)) return status;
    console_check_output();
    if (count > 1) return error_print("takes one trace, but '%s' is a second one", words[1]), 2;
    job.trace = count > 0 ? words[0] : NULL;
    if (job.log != NULL && job.replicas > 1) return error_print("--log needs one replica"), 2;
    bool good = true;
    if (job.verify != NULL) good = verify(keep, job.verify, &err);
    else if (job.paper) papers_print(keep, job.requests, job.seed);
    else good = run(keep, &job, options_given(options, "route"), &err);
    status = good ? 0 : error_report(&err);
    arena_free(keep);
    return status;
}
