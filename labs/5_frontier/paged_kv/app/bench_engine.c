/* bench_engine.c -- tokens a second of the whole engine: one sequence, 8 and 32 at once, and a prompt.
 *
 *     ./lab bench engine --peers
 *
 * SmolLM2-135M as it is (Q4_1), as Q8_0, Q4_0 and F32, and random weights of a 1.1B model in Q4_0, from the same
 * files on all sides. Decode: each of the batch's sequences has a context of 128 tokens (1.1B: 16), of which none
 * is shared, and gets some tokens more; then all of them start again there. Prefill: one new prompt of 128 (64). Ours draws
 * each token (the likeliest), llama.cpp and llama2.c draw none. KV caches are of float16, llama2.c's of float32.
 * Peers are found by $LAB_LLAMACPP, $LAB_LLAMA2C (their sources in bench/peers say how they are built), $LAB_OPENVINO and
 * $LAB_VLLM (each a Python that has it); vLLM takes a minute to load, and takes part for F32 alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "labs/5_frontier/paged_kv/app/bench_models.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

typedef struct Form {
    const char *key;             // of --model
    const char *name, *model;    // of bench_models_gguf()
    DType type;
    int context, prefill;    // tokens
    int steps[3];            // of each batch
    bool all_cores;          // measured with the most threads alone: it takes long
} Form;

static const Form forms[] = {
    {"q4_1", "SmolLM2 Q4_1", "SmolLM2", DTYPE_Q4_1, 128, 128, {16, 6, 3}, false},
    {"q8_0", "SmolLM2 Q8_0", "SmolLM2", DTYPE_Q8_0, 128, 128, {16, 6, 3}, false},
    {"q4_0", "SmolLM2 Q4_0", "SmolLM2", DTYPE_Q4_0, 128, 128, {16, 6, 3}, false},
    {"f32", "SmolLM2 F32", "SmolLM2", DTYPE_F32, 128, 128, {8, 4, 2}, false},
    {"1.1b", "1.1B Q4_0", "random:1.1b:Q4_0", DTYPE_Q4_0, 16, 64, {6, 3, 2}, true},
};
static const Form quick_form = {"15m", "15M Q8_0", "random:15m:Q8_0", DTYPE_Q8_0,
                                16,    16,         {2, 2, 2},         false};
static const int batches[] = {1, 8, 32};
enum { FORMS = sizeof forms / sizeof *forms, BATCHES = 3, MOST_BATCH = 32 };

// What is timed in one row of the table.
typedef struct Cell {
    const Form *form;
    const char *work;    // "decode" or "prefill"
    int threads, batch, prompt, steps;
} Cell;

// ---- ours ----

typedef struct Ours {
    Engine *engine;
    int vocabulary;
    Cell cell;
    int32_t *prompts;    // [MOST_BATCH,prompt]
    int turn;            // of prefills: no prompt is computed twice
    int begun;           // requests that have had a token
} Ours;

static void count_first(void *context, const EngineEvent *event)
{
    if (event->sampled != NULL) ((bool *)context)[0] = true;
}

// The batch's requests, all with their first token, so that each step from here on is one token of each.
static double run_ours(void *work, long calls, Error *err)
{
    Ours *o = work;
    const Cell c = o->cell;
    const bool prefill = strcmp(c.work, "prefill") == 0;
    double seconds = 0;
    for (long call = 0; call < calls; call++) {
        bool has_token[MOST_BATCH] = {false};
        int ids[MOST_BATCH];
        for (int i = 0; i < c.batch; i++) {
            int32_t *prompt = o->prompts + (size_t)i * (size_t)c.prompt;
            prompt[0] = (prefill ? 1000 + o->turn++ : i) % o->vocabulary;
            const Request request = {.prompt = prompt,
                                     .prompt_count = c.prompt,
                                     .ignore_stop_tokens = true,
                                     .sampling = {.log_probabilities = -1},
                                     .on_event = count_first,
                                     .context = &has_token[i]};
            if ((ids[i] = engine_submit(o->engine, &request, err)) < 0) return -1;
        }
        double start = bench_now();
        for (int i = 0; i < c.batch;)
            if (has_token[i]) i++;
            else engine_step(o->engine);
        if (!prefill) {
            start = bench_now();
            for (int i = 0; i < c.steps; i++) engine_step(o->engine);
        }
        seconds += bench_now() - start;
        for (int i = 0; i < c.batch; i++) engine_cancel(o->engine, ids[i]);
        engine_step(o->engine);    // frees them
    }
    return seconds;
}

static bool ours_open(Ours *o, Arena *arena, const Weights *weights, const Form *form, Error *err)
{
    const EngineOptions options = {.cache_bytes = (size_t)1 << 29,
                                   .sequences = MOST_BATCH,
                                   .budget = 512,
                                   .cache = DTYPE_F16,
                                   .activations = ACTIVATIONS_Q8};
    *o = (Ours){.engine = engine_open(weights, NULL, options, err),
                .vocabulary = weights->config.vocabulary};
    const int longest = form->context > form->prefill ? form->context : form->prefill,
              count = MOST_BATCH * longest;
    o->prompts = arena_alloc(arena, (size_t)count * sizeof *o->prompts);
    for (int i = 0; i < count; i++) o->prompts[i] = (i * 7919 + 13) % o->vocabulary;
    return o->engine != NULL;
}

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

// ---- the roof: four streams a thread over large pages, as the weights lie ----

static double read_gbs(int threads, bool quick)
{
    enum { STREAMS = 4, TURNS = 5 };
    const size_t bytes = (size_t)(quick ? 32 : 512) << 20, words = bytes / sizeof(uint64_t);
    uint64_t *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
             total = 0;
    double best = 0;
    if (data == MAP_FAILED) return 0;
#ifdef MADV_HUGEPAGE
    madvise(data, bytes, MADV_HUGEPAGE);
#endif
    memset(data, 1, bytes);
    for (int turn = 0; turn < TURNS; turn++) {
        const double start = bench_now();
#pragma omp parallel for schedule(static) num_threads(threads) reduction(+ : total)
        for (int part = 0; part < threads; part++) {
            const size_t each = words / (size_t)threads / STREAMS;
            const uint64_t *at = data + (size_t)part * each * STREAMS;
            uint64_t sum[STREAMS] = {0};
            for (size_t i = 0; i < each; i++)
                for (size_t s = 0; s < STREAMS; s++) sum[s] += at[s * each + i];
            total += sum[0] + sum[1] + sum[2] + sum[3];
        }
        const double gbs = 1e-9 * (double)bytes / (bench_now() - start);
        if (gbs > best) best = gbs;
    }
    munmap(data, bytes);
    return total != 0 ? best : 0;
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

static void print_row(const Bench *b, const Cell *c, const Weights *w, const Timing *timings,
                      const Timing *const column[SIDES])
{
    const double seconds = timings[0].seconds.median, tokens = tokens_of(c);
    const bool prefill = strcmp(c->work, "prefill") == 0;
    char what[32] = "prefill", read[16] = "";
    if (!prefill) snprintf(what, sizeof what, "batch %d", c->batch);
    if (!prefill)
        snprintf(read, sizeof read, "%.0f%%",
                 1e-7 * (double)weights_bytes(w) * c->steps / seconds / b->read_gbs);
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

static void report_row(const Bench *b, const Cell *c, const Weights *w, const Timing *timings,
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
    Contender contenders[1 + SIDES] = {{"ours", run_ours, ours}};
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
    report_row(b, &c, w, timings, count);
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
        reads[i] = read_gbs(b->command.threads[i], b->command.quick);
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
    if (good)
        puts(
            "\nread: weights of a step against the read figure; peak: against float32; N.NNx: ours "
            "over it  (~ noisy)");
    return good && bench_report_end(b.report, b.command.json, &err) ? 0 : error_report(&err);
}
