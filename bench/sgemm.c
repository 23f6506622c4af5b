/* sgemm.c -- matrix products through our kernel table beside calling BLAS libraries directly.
 *
 * Shapes: squares; layers of small networks and of transformers with their gradients; one to 32 rows
 * against a large weight, as in generating text; attention's two products, the heads inside a row.
 * Operands are the same in every call, so those that fit a cache stay in it. Before a product is
 * timed, everybody's result is held against ours. LAB_CPU=avx2 holds us to a narrower instruction
 * set; OPENBLAS_CORETYPE, BLIS_ARCH_TYPE and DNNL_MAX_CPU_ISA do the same for the others.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "bench/rivals.h"
#include "common/rng.h"
#include "kernels/kernels.h"

static const char *const KIND[] = {"NN", "NT", "TN"};    // by MatrixProductKind

// One matrix product and what computes it: exactly one of the three is set.
typedef struct Task {
    MatrixProduct product;
    int threads;
    const Kernels *table;
    const Rival *rival;
    Peer *peer;
} Task;

static void multiply_by_table(const Kernels *table, const MatrixProduct *p)
{
    Mat a = p->kind == PRODUCT_TN ? (Mat){p->a, 1, p->row_a, p->batch_a}
                                  : (Mat){p->a, p->row_a, 1, p->batch_a};
    Mat b = p->kind == PRODUCT_NT ? (Mat){p->b, 1, p->row_b, p->batch_b}
                                  : (Mat){p->b, p->row_b, 1, p->batch_b};
    table->matmul(p->c, p->row_c, p->batch_c, a, b, p->batch, p->m, p->n, p->k, 0.0f);
}

static double flops(const MatrixProduct *p)
{
    return 2.0 * p->batch * p->m * p->n * p->k;
}

static double run_table(void *work, long calls, Error *err)
{
    (void)err;
    Task *task = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) multiply_by_table(task->table, &task->product);
    return bench_now() - start;
}

static double run_rival(void *work, long calls, Error *err)
{
    (void)err;
    Task *task = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) rival_multiply(task->rival, &task->product);
    return bench_now() - start;
}

static double run_peer(void *work, long calls, Error *err)
{
    Task *task = work;
    const MatrixProduct *p = &task->product;
    return peer_ask(task->peer, err,
                    "{\"threads\": %d, \"kind\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, "
                    "\"calls\": %ld}",
                    task->threads, KIND[p->kind], p->m, p->n, p->k, calls);
}

enum { OURS, OPENBLAS, BLIS, ONEDNN, REF, TORCH, COLUMNS };    // the table's
static const char *const COLUMN[] = {"ours", "OpenBLAS", "BLIS", "oneDNN", "ref", "PyTorch"};

typedef struct Bench {
    Command command;
    MatrixProduct only;    // k > 0: measure this product and no other
    Kernels ours, ref;
    Rival rivals[RIVAL_COUNT];
    Peer *peer;    // NULL: no --peers, or no PyTorch
    float *a, *b, *c, *expected;
    BenchReport *report;
    Peak peak;    // for the number of threads in use
} Bench;

// Elements from the first of c to the last.
static size_t c_count(const MatrixProduct *p)
{
    return (size_t)(p->batch - 1) * p->batch_c + (size_t)(p->m - 1) * p->row_c + (size_t)p->n;
}

// Everybody in this process computes the product once, and gets what we got but for rounding.
static bool all_agree(const Bench *bench, Contender *contenders, int count, Error *err)
{
    for (int i = 0; i < count; i++) {
        const Task *task = contenders[i].work;
        const MatrixProduct *p = &task->product;
        size_t size = c_count(p);
        if (task->peer != NULL) continue;
        memset(bench->c, 0xff, size * sizeof(float));    // NaN: what is not written shows
        contenders[i].run(contenders[i].work, 1, err);
        if (i == 0) memcpy(bench->expected, bench->c, size * sizeof(float));
        for (size_t j = 0; j < size; j++) {
            double got = (double)bench->c[j], want = (double)bench->expected[j];
            if (isnan(got) && isnan(want)) continue;    // between a wider row's parts
            if (!(fabs(got - want) <= 1e-5 + 1e-6 * p->k))
                return error_set(err, "%s %d x %d x %d: element %zu is %g by %s and %g by us",
                                 KIND[p->kind], p->m, p->n, p->k, j, got, contenders[i].name, want);
        }
    }
    return true;
}

// The fastest of the libraries, or -1.
static int best_rival(const Timing *const column[COLUMNS])
{
    int best = -1;
    for (int i = OPENBLAS; i <= ONEDNN; i++)
        if (column[i] != NULL &&
            (best < 0 || column[i]->seconds.median < column[best]->seconds.median))
            best = i;
    return best;
}

static void print_row(const Bench *bench, const MatrixProduct *p,
                      const Timing *const column[COLUMNS])
{
    if (p->batch > 1) printf("%s %2d x", KIND[p->kind], p->batch);
    else printf("%s     ", KIND[p->kind]);
    printf(" %4d %5d %5d %2d", p->m, p->n, p->k, bench->peak.threads);
    for (int i = 0; i < (bench->peer != NULL ? COLUMNS : TORCH); i++) {
        if (column[i] != NULL) printf(" %8.1f", flops(p) / column[i]->seconds.median * 1e-9);
        else printf(" %8s", "-");
    }
    const int best = best_rival(column);
    if (best >= 0) printf(" %8.2f", column[best]->ratio.median);
    else printf(" %8s", "-");
    printf(" %4.0f%%", 100e-9 * flops(p) / column[OURS]->seconds.median / bench->peak.gflops);
    if (best >= 0 && column[best]->ratio.median < 0.98) printf(" < %s", COLUMN[best]);
    if (bench_noisy(best >= 0 ? column[best]->ratio : column[OURS]->seconds)) printf(" ~");
    putchar('\n');
    fflush(stdout);
}

static bool measure_product(const Bench *bench, MatrixProduct product, Error *err)
{
    Task tasks[COLUMNS];
    Contender contenders[COLUMNS];
    int columns[COLUMNS], count = 0;
    for (int i = 0; i < COLUMNS; i++) {
        Task task = {.product = product, .threads = bench->peak.threads};
        Run *run = run_table;
        if (i == OURS) task.table = &bench->ours;
        else if (i == REF && flops(&product) <= 1 << 22)    // it takes too long beyond
            task.table = &bench->ref;
        else if (i == TORCH && bench->peer != NULL && product.batch == 1)
            task.peer = bench->peer, run = run_peer;
        else if (i >= OPENBLAS && i <= ONEDNN && bench->rivals[i - OPENBLAS].absent == NULL)
            task.rival = &bench->rivals[i - OPENBLAS], run = run_rival;
        else continue;
        tasks[count] = task;
        columns[count] = i;
        contenders[count] = (Contender){COLUMN[i], run, &tasks[count]};
        count++;
    }
    Timing timings[COLUMNS];
    const Timing *column[COLUMNS] = {NULL};
    if (!all_agree(bench, contenders, count, err)) return false;
    if (!bench_compare(contenders, count, bench->command.plan, timings, err)) return false;
    for (int i = 0; i < count; i++) column[columns[i]] = &timings[i];
    print_row(bench, &product, column);

    cJSON *row = bench_report_row(bench->report);
    cJSON_AddStringToObject(row, "kind", KIND[product.kind]);
    cJSON_AddNumberToObject(row, "batch", product.batch);
    cJSON_AddNumberToObject(row, "m", product.m);
    cJSON_AddNumberToObject(row, "n", product.n);
    cJSON_AddNumberToObject(row, "k", product.k);
    cJSON_AddNumberToObject(row, "threads", bench->peak.threads);
    cJSON_AddNumberToObject(row, "flop", flops(&product));
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    const int best = best_rival(column);
    if (best >= 0) {
        cJSON_AddStringToObject(row, "best_rival", COLUMN[best]);
        cJSON_AddNumberToObject(row, "ours_over_best_rival", column[best]->ratio.median);
    }
    return true;
}

static bool measure(const Bench *bench, MatrixProductKind kind, int m, int n, int k, Error *err)
{
    return measure_product(bench, matrix_product_dense(kind, m, n, k, bench->c, bench->a, bench->b),
                           err);
}

// y = x w^T and its two gradients: dx = dy w, dw = dy^T x.
static bool measure_layer(const Bench *bench, int rows, int in, int out, Error *err)
{
    return measure(bench, PRODUCT_NT, rows, out, in, err) &&
           measure(bench, PRODUCT_NN, rows, in, out, err) &&
           measure(bench, PRODUCT_TN, out, in, rows, err);
}

// Attention of T positions: scores [heads,T,T] = q k^T, and their product with v. q, k, v and the result
// are [T,heads,64]: a head's numbers lie inside a row.
static bool measure_attention(const Bench *bench, int heads, int time, Error *err)
{
    enum { WIDTH = 64 };
    const size_t row = (size_t)heads * WIDTH, square = (size_t)time * (size_t)time;
    MatrixProduct scores =
        matrix_product_dense(PRODUCT_NT, time, time, WIDTH, bench->c, bench->a, bench->b);
    MatrixProduct values =
        matrix_product_dense(PRODUCT_NN, time, WIDTH, time, bench->c, bench->a, bench->b);
    scores.batch = values.batch = heads;
    scores.row_a = scores.row_b = values.row_b = values.row_c = row;
    scores.batch_a = scores.batch_b = values.batch_b = values.batch_c = WIDTH;
    scores.batch_c = values.batch_a = square;
    return measure_product(bench, scores, err) && measure_product(bench, values, err);
}

static bool measure_all(const Bench *bench, Error *err)
{
    static const int square[] = {64, 100, 128, 200, 256, 384, 512, 768, 1000, 1024, 1536, 2048};
    static const int layer[][3] = {
        // rows, in, out
        {128, 784, 256},  {128, 256, 64},   {128, 64, 256},    {128, 256, 784},   {256, 256, 768},
        {768, 128, 384},  {768, 128, 512},  {768, 512, 128},   {256, 384, 1536},  {256, 768, 2304},
        {256, 768, 3072}, {256, 3072, 768}, {1024, 384, 1152}, {1024, 768, 3072}, {1024, 3072, 768},
        {4096, 256, 768}, {4096, 768, 2304}};
    static const int rows[] = {1, 2, 4, 8, 16, 32};
    static const int attention[][2] = {
        {6, 64}, {8, 64}, {6, 256}, {12, 256}, {12, 1024}};    // heads, T
    enum {
        SQUARES = sizeof square / sizeof *square,
        LAYERS = sizeof layer / sizeof *layer,
        ROWS = sizeof rows / sizeof *rows,
        ATTENTIONS = sizeof attention / sizeof *attention
    };
    enum { WIDTH = 768, HIDDEN = 3072 };

    if (bench->only.k > 0)
        return measure(bench, bench->only.kind, bench->only.m, bench->only.n, bench->only.k, err);
    if (bench->command.quick)
        return measure(bench, PRODUCT_NN, 64, 64, 64, err) &&
               measure(bench, PRODUCT_TN, 33, 65, 17, err) && measure_attention(bench, 2, 16, err);
    for (int i = 0; i < SQUARES; i++)
        if (!measure(bench, PRODUCT_NN, square[i], square[i], square[i], err)) return false;
    for (int i = 0; i < LAYERS; i++)
        if (!measure_layer(bench, layer[i][0], layer[i][1], layer[i][2], err)) return false;
    for (int i = 0; i < ROWS; i++)
        if (!measure(bench, PRODUCT_NT, rows[i], HIDDEN, WIDTH, err) ||
            !measure(bench, PRODUCT_NN, rows[i], HIDDEN, WIDTH, err))
            return false;
    for (int i = 0; i < ATTENTIONS; i++)
        if (!measure_attention(bench, attention[i][0], attention[i][1], err)) return false;
    return measure(bench, PRODUCT_TN, 1024, 1024, 1024, err) &&
           measure(bench, PRODUCT_NT, 1024, 1024, 1024, err);
}

// "NT:128x256x784" as kind, m, n and k.
static bool parse_shape(const char *text, MatrixProduct *product)
{
    enum { MOST = 65536 };
    char kind[3], rest;
    if (sscanf(text, "%2[NT]:%dx%dx%d%c", kind, &product->m, &product->n, &product->k, &rest) != 4)
        return false;
    for (int i = PRODUCT_NN; i <= PRODUCT_TN; i++) {
        product->kind = (MatrixProductKind)i;
        if (strcmp(kind, KIND[i]) == 0)
            return product->m > 0 && product->m <= MOST && product->n > 0 && product->n <= MOST &&
                   product->k > 0 && product->k <= MOST;
    }
    return false;
}

static bool measure_threads(Bench *bench, int threads, Error *err)
{
    bench_threads(threads);
    for (int i = 0; i < RIVAL_COUNT; i++) rival_threads(&bench->rivals[i], threads);
    bench->peak = peak_measure(threads);
    bench_report_peak(bench->report, bench->peak);
    printf("\nGFLOP/s, medians of interleaved rounds  (< below 0.98 of the best library, ~ noisy)\n"
           "           m     n     k  t");
    for (int i = 0; i < (bench->peer != NULL ? COLUMNS : TORCH); i++) printf(" %8s", COLUMN[i]);
    printf(" %9s %4s\n", "ours/best", "peak");
    bool measured = measure_all(bench, err);
    putchar('\n');
    return measured;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

// Room for the largest product; inputs are uniform in [-1/2, 1/2).
static void make_matrices(Arena *keep, Bench *bench)
{
    size_t m = (size_t)bench->only.m, n = (size_t)bench->only.n, k = (size_t)bench->only.k;
    size_t most = larger((size_t)12 * 1024 * 1024, larger(m * n, larger(m * k, n * k)));
    Rng rng = rng_from_seed(1);
    float **matrix[] = {&bench->a, &bench->b, &bench->c, &bench->expected};
    for (int i = 0; i < 4; i++) {
        *matrix[i] = arena_alloc(keep, most * sizeof(float));
        for (size_t j = 0; j < most; j++) (*matrix[i])[j] = rng_uniform(&rng) - 0.5f;
    }
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Arena *keep = arena_new("keep", (size_t)2 << 30);
    Bench bench = {.peer = NULL};
    Options *options =
        command_options(keep, &bench.command, "sgemm",
                        "Matrix products: our kernels beside OpenBLAS, BLIS and oneDNN.");
    const char *shape = NULL;
    options_group(options, "Products");
    options_string(options, "shape", 's', &shape, "KIND:MxNxK", "this one alone: NT:128x256x784");
    if (!command_parse(keep, options, argc, argv, &bench.command, &status)) return status;
    if (shape != NULL && !parse_shape(shape, &bench.only)) {
        fprintf(stderr, "sgemm: --shape %s: expected NN, NT or TN and sizes of 1 to 65536, %s\n",
                shape, "as NT:128x256x784");
        return 2;
    }

    bench.ours = kernels;
    bench.ref = kernels_complete(&kernels_ref);
    rivals_open(keep, bench.rivals);
    if (bench.command.peers) {
        bench.peer = peer_open(keep, "sgemm.py", &err);
        if (bench.peer == NULL) printf("%s\n", err.message);
    }
    make_matrices(keep, &bench);
    bench.report = bench_report_new(keep, "sgemm", rivals_text(keep, bench.rivals));
    if (bench.peer != NULL) bench_report_peer(bench.report, bench.peer);
    for (int t = 0; t < bench.command.thread_counts; t++)
        if (!measure_threads(&bench, bench.command.threads[t], &err)) return error_report(&err);
    peer_close(bench.peer);
    if (!bench_report_end(bench.report, bench.command.json, &err)) return error_report(&err);
    return 0;
}
