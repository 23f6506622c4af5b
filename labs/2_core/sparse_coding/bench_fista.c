/* bench_fista.c -- iterations of FISTA a second, over 400 signals of 64 numbers and 128 atoms.
 *
 *     ./lab bench fista --peers        beside scikit-learn and NumPy (LAB_PYTHON names a Python)
 *
 * Ours is FISTA for many signals at once, in float32 on the kernels, and the exercise, signal after signal in
 * float64. scikit-learn solves the lasso by coordinate descent alone: a sweep of it is taken for an iteration,
 * as both touch every coefficient once. FISTA with NumPy is the same as ours. Peers draw tables of the same
 * sizes, not the same numbers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "kernels/device.h"
#include "labs/2_core/sparse_coding/dictionary.h"
#include "labs/2_core/sparse_coding/sparse_coding.h"

enum { K = 128, P = 64, N = 400, ITERATIONS = 100, BLOCK = 100 };
static const float LAMBDA = 0.2f;

typedef struct Work {
    float *d, *x, *a;    // [K,P], [N,P], [N,K]
    double *atoms, *signals, *codes;
    double L;
    Peer *peer;
    const char *request;
} Work;

static Work work_new(Arena *arena)
{
    Rng rng = rng_from_seed(1);
    Work w = {.atoms = random_atoms(arena, K, P, &rng),
              .signals = doubles(arena, N * P),
              .codes = doubles(arena, N * K),
              .d = arena_zeros(arena, K * P * sizeof(float)),
              .x = arena_zeros(arena, N * P * sizeof(float)),
              .a = arena_zeros(arena, N * K * sizeof(float))};
    for (int i = 0; i < K * P; i++) w.d[i] = (float)w.atoms[i];
    for (int i = 0; i < N * P; i++) w.signals[i] = (double)(w.x[i] = rng_normal(&rng) / 4);
    Dictionary dict = {K, P, w.atoms};
    w.L = sc_spectral_norm(&dict, 200, doubles(arena, K + P)) * 1.01;
    return w;
}

// ---- ours ----

// Of the signals of one block, whose arrays stay in the cache of a core.
static void fista_block(float *a, const float *x, const Work *w)
{
    float y[BLOCK * K] = {0}, r[BLOCK * P], g[BLOCK * K], step = (float)(1 / w->L),
                    threshold = LAMBDA * step, t = 1;
    memset(a, 0, sizeof g);
    for (int i = 0; i < ITERATIONS; i++) {
        float after = (1 + sqrtf(1 + 4 * t * t)) / 2, momentum = (t - 1) / after;
        memcpy(r, x, sizeof r);
        matmul(r, y, w->d, BLOCK, P, K, -1);    // y D - x
        matmul_nt(g, r, w->d, BLOCK, K, P, 0);
        for (int k = 0; k < BLOCK * K; k++) {
            float z = y[k] - step * g[k], cut = z > threshold ? threshold : z,
                  next = z - (cut < -threshold ? -threshold : cut);    // the soft threshold
            y[k] = next + momentum * (next - a[k]);
            a[k] = next;
        }
        t = after;
    }
}

static double run_batch(void *work, long calls, Error *err)
{
    (void)err;
    const Work *w = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) {
#pragma omp parallel for schedule(dynamic)
        for (int n = 0; n < N; n += BLOCK) fista_block(w->a + n * K, w->x + n * P, w);
    }
    return bench_now() - start;
}

static double run_exercise(void *work, long calls, Error *err)
{
    (void)err;
    const Work *w = work;
    Dictionary dict = {K, P, w->atoms};
    double start = bench_now();
    for (long i = 0; i < calls; i++) {
        memset(w->codes, 0, (size_t)N * K * sizeof *w->codes);
#pragma omp parallel for schedule(dynamic, 10)
        for (int n = 0; n < N; n++) {
            double own[P + 2 * K];
            sc_fista(w->codes + (size_t)n * K, w->signals + (size_t)n * P, &dict, (double)LAMBDA,
                     w->L, ITERATIONS, own);
        }
    }
    return bench_now() - start;
}

// ---- theirs ----

static double run_peer(void *work, long calls, Error *err)
{
    const Work *w = work;
    return peer_ask(w->peer, err, "{%s, \"calls\": %ld}", w->request, calls);
}

typedef struct Bench {
    Arena *keep;
    Command command;
    Peer *peer;
    BenchReport *report;
} Bench;

static bool measure(const Bench *b, int threads, Error *err)
{
    Work ours = work_new(b->keep);
    Work theirs[3];
    static const char *const peers[][2] = {{"coordinate_descent", "scikit-learn, sweeps of Lasso"},
                                           {"fista32", "FISTA with NumPy, float32"},
                                           {"fista64", "FISTA with NumPy, float64"}};
    Contender contenders[5] = {{"FISTA, float32", run_batch, &ours},
                               {"the exercise, float64", run_exercise, &ours}};
    int count = 2;
    for (int i = 0; i < 3 && b->peer != NULL; i++) {
        const char *request =
            arena_print(b->keep, "\"work\": \"%s\", \"threads\": %d", peers[i][0], threads);
        theirs[i] = (Work){.peer = b->peer, .request = request};
        contenders[count++] = (Contender){peers[i][1], run_peer, &theirs[i]};
    }
    Timing timings[5];
    Plan plan =
        b->command.quick ? BENCH_QUICK : (Plan){.rounds = 11, .seconds = 4, .sample_seconds = 0.1};
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    for (int i = 0; i < N * K; i++)    // both have done the same
        if (!(fabs((double)ours.a[i] - ours.codes[i]) < 1e-4))
            return error_set(err, "code %d, coefficient %d: %g in float32, %g by the exercise",
                             i / K, i % K, (double)ours.a[i], ours.codes[i]);
    cJSON *row = bench_report_row(b->report);
    cJSON_AddNumberToObject(row, "threads", threads);
    printf("\n%-32s %2s %22s %11s\n", "400 signals, 128 atoms", "t", "million iterations/s",
           "first/its");
    for (int i = 0; i < count; i++) {
        bench_report_timing(row, &timings[i]);
        printf("  %-30s %2d %22.3f %11.2f%s\n", timings[i].name, threads,
               1e-6 * N * ITERATIONS / timings[i].seconds.median, timings[i].ratio.median,
               bench_noisy(timings[i].ratio) ? " ~" : "");
    }
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench b = {.keep = arena_new("keep", 256u << 20)};
    Options *options =
        command_options(b.keep, &b.command, "fista", "Iterations of FISTA, of one signal each.");
    if (!command_parse(b.keep, options, argc, argv, &b.command, &status)) return status;
    if (b.command.peers && (b.peer = peer_open(b.keep, "fista.py", &err)) == NULL)
        puts(err.message);
    b.report = bench_report_new(b.keep, "fista", "no other products");
    if (b.peer != NULL) bench_report_peer(b.report, b.peer);
    bool measured = true;
    for (int i = 0; i < b.command.thread_counts && measured; i++) {
        bench_threads(b.command.threads[i]);
        measured = measure(&b, b.command.threads[i], &err);
    }
    if (!measured) return error_report(&err);
    puts("an iteration: of one signal. ~ noisy");
    peer_close(b.peer);
    return bench_report_end(b.report, b.command.json, &err) ? 0 : error_report(&err);
}
