/* paged_attention.c -- attention over a KV cache in blocks of 16 tokens, at the heads of small language models.
 *
 * Decode: a query of each of B sequences. Beside it in the same rounds: the same kernel where each sequence is one
 * block, so that the quotient is what paging costs; the contiguous attention kernel (F32); and reading the same
 * bytes once, all threads summing floats. A call takes the next of several layers, together larger than a cache,
 * as a model does. Prefill: a chunk of 512 tokens at the end of a context, in GFLOP/s.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/report.h"
#include "common/rng.h"
#include "kernels/kernels.h"

typedef struct Model {
    const char *name;
    int heads, kv_heads, head;
} Model;

static const Model smollm2 = {"SmolLM2", 9, 3, 64}, llama = {"1.1B", 32, 4, 64};
static const DType types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
static const int batches[] = {1, 8, 32}, contexts[] = {128, 1024, 8192};
enum { TYPES = 3, BATCHES = 3, CONTEXTS = 3, BLOCK = 16, CHUNK = 512, COLD = 128 << 20 };

typedef struct Case {
    Model model;
    DType type;
    int batch, context, queries;    // queries of each sequence, the last tokens of its context
} Case;

// A contender: one way to see the cache.
typedef struct Task {
    Case c;
    PagedKv kv;
    size_t layers, layer_bytes, layer;    // of k, likewise of v; the next
    int32_t *tables;
    PagedQuery *query;
    float *q, *y;
    float total;
} Task;

static PagedKv next_layer(Task *t)
{
    PagedKv kv = t->kv;
    kv.k = (char *)kv.k + t->layer * t->layer_bytes;
    kv.v = (char *)kv.v + t->layer * t->layer_bytes;
    t->layer = (t->layer + 1) % t->layers;
    return kv;
}

static double run_paged(void *work, long calls, Error *err)
{
    (void)err;
    Task *t = work;
    const size_t row = (size_t)t->c.model.heads * (size_t)t->c.model.head;
    const double start = bench_now();
    for (long i = 0; i < calls; i++)
        kernels.paged_attention(t->y, row, t->q, row, next_layer(t), t->tables, t->query,
                                t->c.batch * t->c.queries, t->c.model.heads, 0.125f);
    return bench_now() - start;
}

static double run_contiguous(void *work, long calls, Error *err)
{
    (void)err;
    Task *t = work;
    const Model m = t->c.model;
    const size_t row = (size_t)m.heads * (size_t)m.head,
                 kv_row = (size_t)m.kv_heads * (size_t)m.head;
    const AttentionShape s = {.batch = t->c.batch,
                              .heads = m.heads,
                              .kv_heads = m.kv_heads,
                              .queries = t->c.queries,
                              .keys = t->c.context,
                              .head = m.head,
                              .q_row = row,
                              .k_row = kv_row,
                              .v_row = kv_row,
                              .y_row = row,
                              .scale = 0.125f,
                              .causal = true};
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        const PagedKv kv = next_layer(t);
        kernels.attention(t->y, NULL, t->q, kv.k, kv.v, s);
    }
    return bench_now() - start;
}

static double run_read(void *work, long calls, Error *err)
{
    (void)err;
    Task *t = work;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        const PagedKv kv = next_layer(t);
        kernels.sum(&t->total, kv.k, t->layer_bytes / sizeof(float));
        kernels.sum(&t->total, kv.v, t->layer_bytes / sizeof(float));
    }
    return bench_now() - start;
}

static float *uniform(Arena *arena, size_t n, Rng *rng)
{
    float *x = arena_numbers(arena, n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = rng_uniform(rng) - 0.5f;
    return x;
}

// Blocks in an order that no prefetcher of lines foresees, or each sequence one block.
static Task task_of(Arena *arena, Case c, PagedKv kv, size_t layers, bool one_block)
{
    const int size = one_block ? c.context : BLOCK, each = c.context / size,
              blocks = each * c.batch;
    Task t = {.c = c, .kv = kv, .layers = layers};
    t.kv.block_size = size;
    t.layer_bytes = (size_t)blocks * paged_block_bytes(t.kv);
    t.tables = arena_numbers(arena, (size_t)blocks * sizeof *t.tables);
    t.query = arena_numbers(arena, (size_t)(c.batch * c.queries) * sizeof *t.query);
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < blocks; i++) {
        const int other = one_block ? i : (int)rng_below(&rng, (uint32_t)i + 1);
        t.tables[i] = t.tables[other];
        t.tables[other] = i;
    }
    for (int i = 0; i < c.batch * c.queries; i++)
        t.query[i] = (PagedQuery){i / c.queries * each, c.context - c.queries + i % c.queries + 1};
    const size_t row = (size_t)c.model.heads * (size_t)c.model.head;
    t.q = uniform(arena, (size_t)(c.batch * c.queries) * row, &rng);
    t.y = uniform(arena, (size_t)(c.batch * c.queries) * row, &rng);
    return t;
}

static PagedKv cache_of(Arena *arena, Case c, size_t *layers)
{
    enum { PIECE = 128 };    // tokens written at once
    PagedKv kv = {
        .type = c.type, .block_size = BLOCK, .kv_heads = c.model.kv_heads, .head = c.model.head};
    const size_t tokens = (size_t)c.batch * (size_t)c.context,
                 bytes = tokens * paged_slot_bytes(kv), row = (size_t)kv.kv_heads * (size_t)kv.head;
    *layers = (size_t)COLD / (2 * bytes) + 1;
    Rng rng = rng_from_seed(1);
    const float *x = uniform(arena, PIECE * row, &rng);
    int64_t *slot = arena_numbers(arena, PIECE * sizeof *slot);
    kv.k = arena_numbers(arena, *layers * bytes);
    kv.v = arena_numbers(arena, *layers * bytes);
    for (size_t i = 0; i < *layers * tokens; i += PIECE) {
        for (size_t j = 0; j < PIECE; j++) slot[j] = (int64_t)(i + j);
        kernels.paged_write(kv, x, row, x, row, slot, PIECE);
    }
    return kv;
}

enum { PAGED, ONE_BLOCK, CONTIGUOUS, READ, CONTENDERS };

static void print_ratio(const Timing *timing)
{
    if (timing == NULL) printf(" %8s", "-");
    else printf(" %7.2f%c", timing->ratio.median, bench_noisy(timing->ratio) ? '~' : ' ');
}

static bool measure(Arena *arena, Case c, Plan plan, Peak peak, BenchReport *report, Error *err)
{
    arena_reset(arena);
    size_t layers;
    const PagedKv kv = cache_of(arena, c, &layers);
    Task paged = task_of(arena, c, kv, layers, false), whole = task_of(arena, c, kv, layers, true);
    Task tasks[] = {paged, whole, whole, whole};
    Contender all[] = {{"paged", run_paged, &tasks[PAGED]},
                       {"one block", run_paged, &tasks[ONE_BLOCK]},
                       {"contiguous", run_contiguous, &tasks[CONTIGUOUS]},
                       {"read", run_read, &tasks[READ]}};
    Contender contenders[CONTENDERS];
    Timing timings[CONTENDERS];
    const Timing *column[CONTENDERS] = {NULL};
    int count = 0, columns[CONTENDERS];
    for (int i = 0; i < CONTENDERS; i++) {
        if ((i == CONTIGUOUS && c.type != DTYPE_F32) || (i == READ && c.queries > 1)) continue;
        columns[count] = i;
        contenders[count++] = all[i];
    }
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    for (int i = 0; i < count; i++) column[columns[i]] = &timings[i];

    const double seconds = column[PAGED]->seconds.median;
    const double pairs = (double)c.batch * c.model.heads *
                         ((double)c.queries * c.context - c.queries * (c.queries - 1.0) / 2);
    const double gflops = 4e-9 * pairs * c.model.head / seconds;
    const double gbs = 2e-9 * (double)paged.layer_bytes / seconds;
    printf("%-7s %-5s %3d %5d %4d %2d %9.4f %7.1f %4.0f%% %7.1f", c.model.name, dtype_name(c.type),
           c.batch, c.context, c.queries, peak.threads, 1e3 * seconds, gflops,
           100 * gflops / peak.gflops, gbs);
    for (int i = ONE_BLOCK; i < CONTENDERS; i++) print_ratio(column[i]);
    puts("");
    fflush(stdout);

    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "model", c.model.name);
    cJSON_AddStringToObject(row, "type", dtype_name(c.type));
    cJSON_AddNumberToObject(row, "batch", c.batch);
    cJSON_AddNumberToObject(row, "context", c.context);
    cJSON_AddNumberToObject(row, "queries", c.queries);
    cJSON_AddNumberToObject(row, "threads", peak.threads);
    cJSON_AddNumberToObject(row, "kv_bytes", 2 * (double)paged.layer_bytes);
    cJSON_AddNumberToObject(row, "flop", 4 * pairs * c.model.head);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_all(const Command *command, Arena *arena, BenchReport *report, int threads,
                        Error *err)
{
    bench_threads(threads);
    const Peak peak = peak_measure(threads);
    bench_report_peak(report, peak);
    puts(
        "\nmilliseconds, medians of interleaved rounds; GB/s of keys and values; our speed over "
        "that of"
        "  (~ noisy)\n"
        "model   type    B   ctx    n  t        ms GFLOP/s peak    GB/s oneblock  contig     read");
    const Model models[] = {smollm2, llama};
    for (int m = 0; m < 2; m++)
        for (int t = 0; t < TYPES; t++)
            for (int c = 0; c < CONTEXTS; c++) {
                const int context = contexts[c];
                for (int b = 0; b < BATCHES; b++) {
                    Case decode = {models[m], types[t], batches[b], context, 1};
                    if (command->quick) decode.context = 32;
                    if (!measure(arena, decode, command->plan, peak, report, err)) return false;
                    if (command->quick) return true;
                }
                const Case prefill = {models[m], types[t], 1, context, CHUNK};
                if (context >= CHUNK && !measure(arena, prefill, command->plan, peak, report, err))
                    return false;
            }
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 64u << 20), *arrays = arena_new("arrays", (size_t)8 << 30);
    Options *options =
        command_options(keep, &command, "paged_attention", "Attention over a paged KV cache.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "paged_attention", "none");
    for (int i = 0; i < command.thread_counts; i++)
        if (!measure_all(&command, arrays, report, command.threads[i], &err))
            return error_report(&err);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
