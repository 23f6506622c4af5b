#include "bench/training.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/peer.h"
#include "bench/report.h"
#include "kernels/device.h"
#include "kernels/kernels.h"

enum { PEERS = 2 };

typedef struct Work {
    Trainer trainer;
    Tape *tape;
    FILE *initial;    // the first weights; in a file, so that they do not count as our memory
    double first_loss, last_loss;
} Work;

// ---- ours ----

static void work_begin(Work *work, Arena *keep, Arena *step, const TrainingForm *form)
{
    *work = (Work){.trainer = form->make(keep, form), .tape = tape_new(step), .initial = tmpfile()};
    const Block *weights = &work->trainer.params->trained;
    REQUIRE(work->initial != NULL && device->on_host &&
                fwrite(weights->at, sizeof(float), weights->count, work->initial) ==
                    weights->count &&
                fflush(work->initial) == 0,
            "no room for a file of %zu weights", weights->count);
}

// Back to the first weights, with an optimizer that has seen nothing.
static void restart(Work *work)
{
    Optimizer *optimizer = work->trainer.optimizer;
    const Block *weights = &work->trainer.params->trained;
    rewind(work->initial);
    REQUIRE(fread(weights->at, sizeof(float), weights->count, work->initial) == weights->count,
            "the file of %zu weights is cut short", weights->count);
    for (int i = 0; i < 2 && optimizer->moments[i] != NULL; i++)
        kernels.fill(optimizer->moments[i], 0.0f, weights->count);
    optimizer->step = 0;
}

static double take_step(Work *work)
{
    Tensor *loss = work->trainer.loss(work->tape, &work->trainer);
    const double value = (double)tensor_item(loss);
    tape_backward(work->tape, loss);
    optimizer_step(work->trainer.optimizer);
    tape_reset(work->tape);
    return value;
}

static double run_ours(void *argument, long calls, Error *err)
{
    Work *work = argument;
    restart(work);
    work->first_loss = take_step(work);
    double start = bench_now();
    for (long i = 0; i < calls; i++) work->last_loss = take_step(work);
    double seconds = bench_now() - start;
    if (isfinite(work->last_loss)) return seconds;
    return error_set(err, "the loss is not a number after %ld steps",
                     work->trainer.optimizer->step),
           -1;
}

// Memory that this process uses, in MB: what arenas have touched stays theirs, and what measured the machine
// has gone.
static double used_mb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    if (file != NULL) fclose(file);
    return 1e-6 * (double)pages * (double)sysconf(_SC_PAGESIZE);
}

// ---- the others ----

typedef struct PeerTask {
    Peer *peer;
    const char *form;       // one of the peer's
    const char *request;    // ours, as JSON; or NULL
    int threads;
    double peak_mb;
} PeerTask;

static double run_peer(void *argument, long calls, Error *err)
{
    PeerTask *task = argument;
    double seconds =
        peer_ask(task->peer, err, "{\"threads\": %d, \"form\": \"%s\", \"calls\": %ld%s%s}",
                 task->threads, task->form, calls, task->request != NULL ? ", " : "",
                 task->request != NULL ? task->request : "");
    if (task->peak_mb == 0)
        task->peak_mb = task->peer->peak_mb;    // later ones hold other forms too
    return seconds;
}

static int add_peer(Contender *contenders, PeerTask *tasks, int count, Arena *keep, Peer *peer,
                    const char *label, const TrainingForm *form, int threads)
{
    cJSON *one, *forms = peer != NULL ? cJSON_GetObjectItem(peer->hello, "forms") : NULL;
    cJSON_ArrayForEach(one, forms)
    {
        REQUIRE(count < BENCH_MAX_CONTENDERS, "more than %d forms", BENCH_MAX_CONTENDERS);
        tasks[count] = (PeerTask){peer, one->valuestring, form->request, threads, 0};
        contenders[count] = (Contender){arena_print(keep, "%s, %s", label, one->valuestring),
                                        run_peer, &tasks[count]};
        count++;
    }
    return count;
}

// ---- the table ----

static void print_row(const Timing *timing, const TrainingForm *form, Peak peak, double most)
{
    Stats s = timing->seconds;
    double gflops = form->flops(form) / s.median * 1e-9, batch = form->batch;
    printf("%-24s %2d %9.0f %9.0f - %-9.0f %8.3f %8.1f %4.0f%% %9.2f", timing->name, peak.threads,
           batch / s.median, batch / s.quartile3, batch / s.quartile1, 1e3 * s.median, gflops,
           100 * gflops / peak.gflops, timing->ratio.median);
    if (most > 0) printf(" %8.0f", most);
    else printf(" %8s", "");
    puts(bench_noisy(s) || bench_noisy(timing->ratio) ? " ~" : "");
}

static bool measure(const TrainingBench *bench, const TrainingForm *form, Work *work, Arena *keep,
                    Peer *const peers[PEERS], Plan plan, Peak peak, BenchReport *report, Error *err)
{
    Contender contenders[BENCH_MAX_CONTENDERS] = {{"ours", run_ours, work}};
    PeerTask tasks[BENCH_MAX_CONTENDERS];
    tasks[0].peak_mb = used_mb();
    int count = add_peer(contenders, tasks, 1, keep, peers[0], "PyTorch", form, peak.threads);
    count = add_peer(contenders, tasks, count, keep, peers[1], bench->label, form, peak.threads);
    Timing timings[BENCH_MAX_CONTENDERS];
    if (!bench_compare(contenders, count, plan, timings, err)) return false;

    printf("\n%-24s %2s %9s %21s %8s %8s %5s %9s %8s\n", form->name != NULL ? form->name : "", "t",
           arena_print(keep, "%s/s", bench->unit), "middle half", "ms/step", "GFLOP/s", "peak",
           "ours/its", "peak MB");
    cJSON *row = bench_report_row(report);
    if (form->name != NULL) cJSON_AddStringToObject(row, "form", form->name);
    cJSON_AddNumberToObject(row, "threads", peak.threads);
    cJSON_AddNumberToObject(row, "batch", form->batch);
    cJSON_AddNumberToObject(row, "flop", form->flops(form));
    int best = 1;
    for (int i = 0; i < count; i++) {
        print_row(&timings[i], form, peak, tasks[i].peak_mb);
        bench_report_timing(row, &timings[i]);
        cJSON *timing = cJSON_GetObjectItem(row, timings[i].name);
        if (tasks[i].peak_mb > 0) cJSON_AddNumberToObject(timing, "peak_mb", tasks[i].peak_mb);
        if (i > 1 && timings[i].seconds.median < timings[best].seconds.median) best = i;
    }
    if (count > 1) {
        printf("%d thread%s: %.2f times %s, the best of the others (middle half %.2f - %.2f)\n",
               peak.threads, peak.threads == 1 ? "" : "s", timings[best].ratio.median,
               timings[best].name, timings[best].ratio.quartile1, timings[best].ratio.quartile3);
        cJSON_AddStringToObject(row, "best_peer", timings[best].name);
        cJSON_AddNumberToObject(row, "ours_over_best_peer", timings[best].ratio.median);
    }
    printf(
        "our loss: %.4f at first, %.4f after the %ld steps of a sample; a step's activations and "
        "their gradients: %.1f MB  (~ noisy)\n",
        work->first_loss, work->last_loss, work->trainer.optimizer->step,
        1e-6 * (double)arena_numbers_peak(work->tape->arena));
    fflush(stdout);
    return true;
}

static bool measure_form(const TrainingBench *bench, const TrainingForm *form,
                         const Command *command, const Peak *peaks, Peer *const peers[PEERS],
                         BenchReport *report, Error *err)
{
    Arena *keep = arena_new("keep", (size_t)8 << 30), *step = arena_new("step", (size_t)32 << 30);
    Plan plan = {.rounds = form->rounds > 0 ? form->rounds : 15,
                 .seconds = form->rounds > 0 ? 0 : 3,
                 .sample_seconds = 0.2};
    if (command->quick) plan = BENCH_QUICK;
    Work work;
    work_begin(&work, keep, step, form);
    bool ok = run_ours(&work, 2, err) >= 0;
    for (int i = 0; i < command->thread_counts && ok; i++) {
        bench_threads(command->threads[i]);
        ok = measure(bench, form, &work, keep, peers, plan, peaks[i], report, err);
    }
    fclose(work.initial);
    arena_free(step);
    arena_free(keep);
    return ok;
}

static void open_peers(const TrainingBench *bench, Arena *keep, Peer *peers[PEERS])
{
    Error err;
    peer_keep_memory();
    peers[0] = peer_open(keep, arena_print(keep, "%s.py", bench->name), &err);
    if (peers[0] == NULL) printf("%s\n", err.message);
    const char *program = bench->program != NULL ? getenv(bench->program) : NULL;
    if (program != NULL && (peers[1] = peer_start(keep, program, &err)) == NULL)
        printf("%s\n", err.message);
    else if (bench->program != NULL && program == NULL)
        printf("no %s: $%s names a program that trains it\n", bench->label, bench->program);
}

int training_bench(const TrainingBench *bench, int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("options", 64u << 20);
    Options *options = command_options(keep, &command, bench->name, bench->summary);
    const char *names = "all", *chosen = "all";
    for (int i = 0; i < bench->count && bench->count > 1; i++)
        names = arena_print(keep, "%s|%s", names, bench->forms[i].name);
    if (bench->count > 1) options_choice(options, "form", 0, &chosen, names, "which network");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Peer *peers[PEERS] = {NULL};
    if (command.peers) open_peers(bench, keep, peers);
    BenchReport *report = bench_report_new(keep, bench->name, "none");
    for (int p = 0; p < PEERS; p++)
        if (peers[p] != NULL) bench_report_peer(report, peers[p]);
    Peak peaks[COMMAND_MAX_THREAD_COUNTS];
    for (int i = 0; i < command.thread_counts; i++) {
        bench_threads(command.threads[i]);
        bench_report_peak(report, peaks[i] = peak_measure(command.threads[i]));
    }
    bool ok = true;
    for (int i = 0; i < bench->count && ok; i++) {
        const TrainingForm *form = &bench->forms[i];
        if (strcmp(chosen, "all") == 0 || strcmp(chosen, form->name) == 0)
            ok = measure_form(bench, form, &command, peaks, peers, report, &err);
    }
    for (int p = 0; p < PEERS; p++) peer_close(peers[p]);
    if (!ok || !bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
