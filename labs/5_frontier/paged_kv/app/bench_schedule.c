/* schedule -- what the bookkeeping of a paged KV cache costs beside the model: finding a prompt's prefix in
 * a full cache, and scheduling a token.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/report.h"
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"

enum { BLOCK = 16, TEXTS = 1000, BLOCKS = 100, TOKENS = BLOCK * BLOCKS, PROMPT = 32, OUTPUT = 65 };

typedef struct Work {
    Arena *arena;
    BlockPool pool;
    int32_t *texts;    // [TEXTS, TOKENS]; pairs of them differ in their second half
    int32_t list[BLOCKS];
    int next, sequences;
} Work;

// ---- finding a prefix ----

static void fill_cache(Work *work)
{
    work->texts = arena_alloc(work->arena, (size_t)TEXTS * TOKENS * sizeof *work->texts);
    for (int t = 0; t < TEXTS; t++) {
        int32_t *text = work->texts + (size_t)t * TOKENS, parent = PREFIX_ROOT;
        for (int i = 0; i < TOKENS; i++) text[i] = (i < TOKENS / 2 ? t / 2 : t) * TOKENS + i;
        for (int b = 0; b < BLOCKS; b++)
            parent =
                prefix_cache_insert(work->pool.cache, parent, 0, text + b * BLOCK, t * BLOCKS + b);
    }
}

static double run_match(void *argument, long calls, Error *err)
{
    Work *work = argument;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        work->next = (work->next + 617) % TEXTS;    // far from the one before
        const int32_t *text = work->texts + (size_t)work->next * TOKENS;
        if (prefix_cache_match(work->pool.cache, 0, text, TOKENS, work->list) != BLOCKS)
            return error_set(err, "a text is not in the cache"), -1.0;
    }
    return bench_now() - start;
}

// ---- scheduling ----

// Sequences that arrive together, from prompt to end.
static bool serve(Work *work, Error *err)
{
    static const int32_t prompt[PROMPT];
    Scheduler *s = scheduler_open(
        &work->pool, (SchedulerOptions){.budget = 2048, .max_running = work->sequences});
    bool good = s != NULL || error_set(err, "no memory for a scheduler");
    for (int i = 0; good && i < work->sequences; i++) {
        Sequence *sequence = sequence_new(i, prompt, PROMPT, PROMPT + OUTPUT, BLOCK);
        if (sequence == NULL) return error_set(err, "no memory for a sequence");
        sequence->domain = i;
        good = scheduler_submit(s, sequence, err);
    }
    const Scheduled *list;
    while (good && !scheduler_is_idle(s)) {
        const int count = scheduler_step(s, &list);
        for (int i = 0; i < count; i++) {
            Sequence *sequence = list[i].sequence;
            scheduler_done(s, &list[i], &i, list[i].samples);
            if (sequence->state == SEQUENCE_FINISHED) sequence_free(sequence);
        }
    }
    scheduler_close(s);
    return good;
}

static double run_schedule(void *argument, long calls, Error *err)
{
    const double start = bench_now();
    for (long i = 0; i < calls; i++)
        if (!serve(argument, err)) return -1;
    return bench_now() - start;
}

// ---- the tables ----

static const PrefixKind *const kinds[] = {&hash_chain, &radix_tree, NULL};
static const char *const names[] = {"hash chain", "radix tree", "no prefix cache"};

static Work new_work(const PrefixKind *kind, int blocks, int sequences)
{
    Work work = {.arena = arena_new("bench", (size_t)1 << 31), .sequences = sequences};
    work.pool = block_pool_new(work.arena, blocks, BLOCK, kind);
    return work;
}

static bool time_and_print(const Command *command, BenchReport *report, const char *what,
                           Work *works, int count, Run *run, double units, Error *err)
{
    Contender contenders[3] = {0};
    Timing timings[3];
    for (int i = 0; i < count; i++) contenders[i] = (Contender){names[i], run, &works[i]};
    if (!bench_compare(contenders, count, command->plan, timings, err)) return false;
    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "work", what);
    printf("  %-28s", what);
    for (int i = 0; i < count; i++) {
        bench_report_timing(row, &timings[i]);
        printf("  %s %.1f ns%s", names[i], 1e9 * timings[i].seconds.median / units,
               bench_noisy(timings[i].seconds) ? " ~" : "");
        arena_free(works[i].arena);
    }
    putchar('\n');
    return true;
}

int main(int argc, char **argv)
{
    Error err = {""};
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 16u << 20);
    Options *options = command_options(keep, &command, "schedule",
                                       "Prefix look-up and scheduling of a paged KV cache.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "schedule", "");
    Work works[3];
    printf("\nA prefix of %d blocks among %d, for each block\n", BLOCKS, TEXTS * BLOCKS);
    for (int k = 0; k < 2; k++) {
        works[k] = new_work(kinds[k], TEXTS * BLOCKS, 0);
        fill_cache(&works[k]);
    }
    if (!time_and_print(&command, report, "match", works, 2, run_match, BLOCKS, &err))
        return error_report(&err);
    printf("\nSequences from prompt to end, for each token sampled\n");
    for (int n = 16; n <= 256; n *= 4) {
        for (int k = 0; k < 3; k++) works[k] = new_work(kinds[k], 8 * n, n);
        if (!time_and_print(&command, report, arena_print(keep, "%d at once", n), works, 3,
                            run_schedule, (double)n * OUTPUT, &err))
            return error_report(&err);
    }
    puts("(~ noisy)");
    return bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
