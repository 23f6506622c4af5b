/* bench_engine.c -- tokens a second of the whole engine: one sequence, 8 and 32 at once, and a prompt.
 *
 *     ./lab bench engine --peers
 *
 * SmolLM2-135M as it is (Q4_1), as Q8_0, Q4_0 and F32, and random weights of a 1.1B model in Q4_0, from the same
 * files on all sides. Decode: each of the batch's sequences has a context of 129 tokens (1.1B: 17), of which none
 * is shared, and gets some tokens more; then all of them start again there. Prefill: one new prompt of 128 (64). Ours draws
 * each token (the likeliest), llama.cpp and llama2.c draw none. KV caches are of float16, llama2.c's of float32.
 * Peers are found by $LAB_LLAMACPP, $LAB_LLAMA2C (their sources in bench/peers say how they are built), $LAB_OPENVINO and
 * $LAB_VLLM (each a Python that has it); vLLM takes a minute to load, and takes part for F32 alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "labs/5_frontier/paged_kv/app/bench_goals.h"
#include "labs/5_frontier/paged_kv/app/bench_models.h"
#include "labs/5_frontier/paged_kv/app/bench_ours.h"

static const Form forms[] = {
    {"q4_1", "SmolLM2 Q4_1", "SmolLM2", DTYPE_Q4_1, 129, 128, {16, 6, 3}, false},
    {"q8_0", "SmolLM2 Q8_0", "SmolLM2", DTYPE_Q8_0, 129, 128, {16, 6, 3}, false},
    {"q4_0", "SmolLM2 Q4_0", "SmolLM2", DTYPE_Q4_0, 129, 128, {16, 6, 3}, false},
    {"f32", "SmolLM2 F32", "SmolLM2", DTYPE_F32, 129, 128, {8, 4, 2}, false},
    {"1.1b", "1.1B Q4_0", "random:1.1b:Q4_0", DTYPE_Q4_0, 17, 64, {6, 3, 2}, true},
};
static const Form quick_form = {"15m", "15M Q8_0", "random:15m:Q8_0", DTYPE_Q8_0,
                                16,    16,         {2, 2, 2},         false};
static const int batches[] = {1, 8, 32};
enum { FORMS = sizeof forms / sizeof *forms, BATCHES = 3 };

// ---- the others ----

typedef enum Side { LLAMACPP, OPENVINO, LLAMA2C, VLLM, SIDES } Side;

static const struct {
    const char *name, *variable, *script;    // script NULL: the variable names a program
} sides[SIDES] = {[LLAMACPP] = {"llama.cpp", "LAB_LLAMACPP", NULL},
                  [OPENVINO] = {"OpenVINO", "LAB_OPENVINO", "openvino_genai_peer.py"},
                  [LLAMA2C] = {"llama2.c", "LAB_LLAMA2C", NULL},
                  [VLLM] = {"vLLM", "LAB_VLLM", "vllm_cpu.py"}};

typedef struct Theirs {
    Peer *peer;
    const char *model;
    Cell cell;
} Theirs;

static double run_theirs(void *work, long calls, Error *err)
{
    const Theirs *t = work;
    return peer_ask(t->peer, err,
                    "{\"model\": \"%s\", \"work\": \"%s\", \"threads\": %d, \"batch\": %d, "
                    "\"prompt\": %d, \"steps\": %d, \"calls\": %ld}",
                    t->model, t->cell.work, t->cell.threads, t->cell.batch, t->cell.prompt,
                    t->cell.steps, calls);
}

static void open_peers(Arena *keep, Peer *peers[SIDES], BenchReport *report)
{
    const char *python = getenv("LAB_PYTHON");
    for (int s = 0; s < SIDES; s++) {
        Error err;
        const char *program = getenv(sides[s].variable);
        if (program == NULL) {
            printf("no %s: $%s names %s\n", sides[s].name, sides[s].variable,
                   sides[s].script != NULL ? "a Python that has it" : "a program that runs it");
            continue;
        }
        if (sides[s].script != NULL) {
            setenv("LAB_PYTHON", program, 1);
            peers[s] = peer_open(keep, sides[s].script, &err);
        } else peers[s] = peer_start(keep, program, &err);
        if (peers[s] == NULL) printf("%s\n", err.message);
        else bench_report_peer(report, peers[s]);
    }
    if (python != NULL) setenv("LAB_PYTHON", python, 1);
    else unsetenv("LAB_PYTHON");
}

// ---- rows ----

typedef struct Bench {
    Arena *keep;
    Command command;
    const char *chosen;    // of --model
    BenchModels *models;
    BenchReport *report;
    Peer *peers[SIDES];
    bool absent[SIDES];    // cannot do it with this model's file
    int most_threads;
    double gflops, read_gbs;    // of the threads in use
    Lowest lowest[GOALS];
} Bench;

// Tokens of one call.
static double tokens_of(const Cell *c)
{
    return strcmp(c->work, "prefill") == 0 ? c->prompt : c->batch * c->steps;
}

static double flop_of(const Cell *c, const Weights *w)
{
    const double head = (double)w->head.rows * w->head.cols,
                 all = (double)model_config_params(&w->config) - (w->config.tied ? 0 : head);
    return strcmp(c->work, "prefill") == 0 ? 2 * ((all - head) * c->prompt + head)
                                           : 2 * all * tokens_of(c);
}

static void print_head(void)
{
    printf("\n%-14s %2s %-10s %8s %5s %5s", "tokens/s", "t", "", "ours", "read", "peak");
    for (int s = 0; s < SIDES; s++) printf(" %15s", sides[s].name);
    puts("\n");
}

// Of a step's time, the share that reading the weights alone takes.
static double read_share(const Bench *b, const Cell *c, const Weights *w, double seconds)
{
    return 1e-9 * (double)weights_bytes(w) * c->steps / seconds / b->read_gbs;
}

static void note_goals(Bench *b, const Cell *c, const Weights *w, const Timing *timings, int count,
                       cJSON *row)
{
    const char *name = c->form->name;
    const bool prefill = strcmp(c->work, "prefill") == 0;
    int best = 1;
    for (int i = 2; i < count; i++)
        if (timings[i].seconds.median < timings[best].seconds.median) best = i;
    if (count > 1) {
        cJSON_AddStringToObject(row, "best_peer", timings[best].name);
        cJSON_AddNumberToObject(row, "ours_over_best_peer", timings[best].ratio.median);
    }
    if (c->threads != b->most_threads) return;
    const Goal goal = prefill         ? PREFILL
                      : c->batch == 1 ? BATCH_1
                      : c->batch == 8 ? BATCH_8
                                      : BATCH_32;
    if (count > 1)
        goals_keep(&b->lowest[goal], timings[best].ratio.median, name, timings[best].name);
    if (goal == BATCH_1)
        goals_keep(&b->lowest[c->form->all_cores ? READ_LARGE : READ],
                   read_share(b, c, w, timings[0].seconds.median), name, "");
}

static void print_row(const Bench *b, const Cell *c, const Weights *w, const Timing *timings,
                      const Timing *const column[SIDES])
{
    const double seconds = timings[0].seconds.median, tokens = tokens_of(c);
    const bool prefill = strcmp(c->work, "prefill") == 0;
    char what[32] = "prefill", read[16] = "";
    if (!prefill) snprintf(what, sizeof what, "batch %d", c->batch);
    if (!prefill) snprintf(read, sizeof read, "%.0f%%", 100 * read_share(b, c, w, seconds));
    printf("%-14s %2d %-10s %7.1f%c %5s %4.0f%%", c->form->name, c->threads, what, tokens / seconds,
           bench_noisy(timings[0].seconds) ? '~' : ' ', read,
           1e-7 * flop_of(c, w) / seconds / b->gflops);
    for (int s = 0; s < SIDES; s++)
        if (column[s] == NULL) printf(" %15s", "");
        else
            printf(" %7.1f %5.2fx%c", tokens / column[s]->seconds.median, column[s]->ratio.median,
                   bench_noisy(column[s]->ratio) ? '~' : ' ');
    putchar('\n');
    fflush(stdout);
}

static cJSON *report_row(const Bench *b, const Cell *c, const Weights *w, const Timing *timings,
                         int count)
{
    cJSON *row = bench_report_row(b->report);
    cJSON_AddStringToObject(row, "model", c->form->name);
    cJSON_AddStringToObject(row, "work", c->work);
    cJSON_AddNumberToObject(row, "threads", c->threads);
    cJSON_AddNumberToObject(row, "batch", c->batch);
    cJSON_AddNumberToObject(row, "prompt", c->prompt);
    cJSON_AddNumberToObject(row, "steps", c->steps);
    cJSON_AddNumberToObject(row, "tokens", tokens_of(c));
    cJSON_AddNumberToObject(row, "weight_bytes", (double)weights_bytes(w));
    cJSON_AddNumberToObject(row, "flop", flop_of(c, w));
    cJSON_AddNumberToObject(row, "huge_page_read_gbs", b->read_gbs);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return row;
}

// A peer that cannot do this work, or not with this file, is left out; so are those that take long to load,
// but for the most threads.
static bool takes_part(Bench *b, Side side, Theirs *theirs)
{
    Error err;
    const bool slow = side == OPENVINO || side == VLLM;
    if (b->peers[side] == NULL || theirs->model == NULL || b->absent[side] ||
        (slow && theirs->cell.threads != b->most_threads))
        return false;
    if (side == LLAMA2C && (theirs->cell.batch > 1 || strcmp(theirs->cell.work, "decode") != 0))
        return false;
    if (run_theirs(theirs, 1, &err) >= 0) return true;
    for (char *at = err.message; *at != '\0'; at++)
        if (*at == '\n') *at = ' ';
    const size_t length = strlen(err.message);
    printf("%s: no %s: ... %s\n", theirs->cell.form->name, sides[side].name,
           err.message + (length > 60 ? length - 60 : 0));
    b->absent[side] = true;
    return false;
}

static bool measure(Bench *b, Ours *ours, const Weights *w, const char *const files[SIDES], Cell c,
                    Error *err)
{
    Contender contenders[1 + SIDES] = {{"ours", ours_run, ours}};
    Timing timings[1 + SIDES];
    const Timing *column[SIDES] = {NULL};
    Theirs theirs[SIDES];
    int count = 1;
    const Plan plan = {.rounds = 3, .seconds = 0, .sample_seconds = 0};
    ours->cell = c;
    for (int s = 0; s < SIDES; s++) {
        theirs[s] = (Theirs){b->peers[s], files[s], c};
        if (!takes_part(b, (Side)s, &theirs[s])) continue;
        column[s] = &timings[count];
        contenders[count++] = (Contender){sides[s].name, run_theirs, &theirs[s]};
    }
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    print_row(b, &c, w, timings, column);
    note_goals(b, &c, w, timings, count, report_row(b, &c, w, timings, count));
    return true;
}

// ---- a model ----

static bool measure_threads(Bench *b, const Form *form, const Weights *w,
                            const char *const files[SIDES], int threads, Error *err)
{
    Ours ours;
    Arena *arena = arena_new("prompts", 1u << 20);
    bool good = ours_open(&ours, arena, w, form, err);
    // With fewer threads than there are, large batches say nothing new.
    const int count = threads == b->most_threads ? BATCHES : 1;
    for (int i = 0; i < count && good; i++)
        good = measure(b, &ours, w, files,
                       (Cell){form, "decode", threads, batches[i], form->context, form->steps[i]},
                       err);
    good = good &&
           measure(b, &ours, w, files, (Cell){form, "prefill", threads, 1, form->prefill, 1}, err);
    engine_close(ours.engine);
    arena_free(arena);
    return good;
}

static bool find_files(Bench *b, const Form *form, const char *files[SIDES], Error *err)
{
    const char *gguf = bench_models_gguf(b->models, form->model, form->type, err);
    files[LLAMACPP] = files[OPENVINO] = gguf;
    if (gguf == NULL || form->type != DTYPE_F32) return gguf != NULL;
    if (b->peers[LLAMA2C] != NULL &&
        (files[LLAMA2C] = bench_models_llama2c(b->models, gguf, err)) == NULL)
        return false;
    return b->peers[VLLM] == NULL ||
           (files[VLLM] = bench_models_folder(b->models, gguf, err)) != NULL;
}

static bool measure_form(Bench *b, const Form *form, const Peak *peaks, const double *reads,
                         Error *err)
{
    const char *files[SIDES] = {NULL};
    const int last = b->command.thread_counts - 1;
    b->most_threads = b->command.threads[last];
    memset(b->absent, 0, sizeof b->absent);
    if (!find_files(b, form, files, err)) return false;
    Weights *w = weights_open(files[LLAMACPP], (WeightsOptions){.huge_pages = true}, err);
    bool good = w != NULL;
    for (int i = 0; i <= last && good; i++) {
        if (form->all_cores && i < last) continue;
        bench_threads(b->command.threads[i]);
        // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): there is a peak for each number of threads
        b->gflops = peaks[i].gflops;
        b->read_gbs = reads[i];
        good = measure_threads(b, form, w, files, b->command.threads[i], err);
    }
    weights_close(w);
    return good;
}

static bool measure_all(Bench *b, Error *err)
{
    Peak peaks[COMMAND_MAX_THREAD_COUNTS];
    double reads[COMMAND_MAX_THREAD_COUNTS];
    for (int i = 0; i < b->command.thread_counts; i++) {
        bench_threads(b->command.threads[i]);
        bench_report_peak(b->report, peaks[i] = peak_measure(b->command.threads[i]));
        reads[i] = large_page_read_gbs(b->command.threads[i], b->command.quick);
        printf("                 %.1f GB/s read in large pages, four streams a thread\n", reads[i]);
    }
    print_head();
    if (b->command.quick) return measure_form(b, &quick_form, peaks, reads, err);
    for (int i = 0; i < FORMS; i++)
        if ((strcmp(b->chosen, "all") == 0 || strcmp(b->chosen, forms[i].key) == 0) &&
            !measure_form(b, &forms[i], peaks, reads, err))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench b = {.keep = arena_new("keep", (size_t)1 << 30), .chosen = "all"};
    Options *options =
        command_options(b.keep, &b.command, "engine", "Tokens per second of the paged KV engine.");
    options_choice(options, "model", 'm', &b.chosen, "all|q4_1|q8_0|q4_0|f32|1.1b",
                   "SmolLM2 in one type, or 1.1B in Q4_0");
    if (!command_parse(b.keep, options, argc, argv, &b.command, &status)) return status;
    b.report = bench_report_new(b.keep, "engine", "none");
    if (b.command.peers) open_peers(b.keep, b.peers, b.report);
    b.models = bench_models_open(b.keep, &err);
    bool good = b.models != NULL;
    if (good) {
        if (!b.command.quick) printf("SmolLM2: %s\n", bench_models_source(b.models));
        good = measure_all(&b, &err);
    }
    for (int s = 0; s < SIDES; s++) peer_close(b.peers[s]);
    bench_models_close(b.models);
    if (good && b.command.peers) goals_print(b.lowest);
    if (good)
        puts(
            "\nread: weights of a step against the read figure; peak: against float32; N.NNx: ours "
            "over it  (~ noisy)");
    return good && bench_report_end(b.report, b.command.json, &err) ? 0 : error_report(&err);
}
