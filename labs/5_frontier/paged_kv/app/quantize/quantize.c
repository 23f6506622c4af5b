/* quantize.c -- a model as a GGUF file of another type: `lab quantize`.
 *
 *     quantize smollm2 smollm2-q8_0.gguf --type q8_0
 *     quantize ~/models/Qwen3-0.6B qwen3.gguf --type q4_k        a Hugging Face folder
 *     quantize stories260K.bin stories.gguf --type f16           llama2.c
 */
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "common/console.h"
#include "common/table.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"
#include "labs/5_frontier/paged_kv/app/quantize/requantize.h"

#define TYPES "q8_0|q4_0|q4_1|q4_k|f16|bf16|f32"

typedef struct Job {
    const char *model, *out;
    const char *type, *head, *embedding, *tokenizer;
    int threads;
} Job;

static volatile sig_atomic_t stopped_by;    // a signal

static void stop(int signal)
{
    stopped_by = signal;
}

static Options *declare(Arena *keep, Job *job, const char ***words, int *count)
{
    Options *o = options_new(keep, "quantize", "A model as a GGUF file of another type.");
    options_rest(o, words, count, "MODEL OUT.gguf");
    options_group(o, "the file");
    options_choice(o, "type", 0, &job->type, TYPES, "of the matrices; norms and biases stay f32");
    options_choice(o, "head", 0, &job->head, TYPES,
                   "of the output head; without it q8_0, or the type if that is a float's");
    options_choice(
        o, "embedding", 0, &job->embedding, TYPES,
        "of the token embedding; without it the type, or the head's where they are tied");
    options_string(o, "tokenizer", 0, &job->tokenizer, "FILE",
                   "where the model's file has none; none: without");
    options_int(o, "threads", 't', &job->threads, 0, 1024, "processor cores to use; 0: all");
    return o;
}

static DType type_named(const char *name)
{
    int type = 0;
    while (type < DTYPE_COUNT && (name == NULL || strcasecmp(dtype_name(type), name) != 0)) type++;
    return (DType)type;    // DTYPE_NONE at the end
}

// ---- the report ----

// "blk.12.attn_q.weight" as "attn_q.weight": the layers' are one group.
static const char *group_of(const PlanTensor *t)
{
    int length = 0;
    sscanf(t->name, "blk.%*d.%n", &length);
    return t->name + length;
}

typedef struct Group {
    const char *name;
    DType from, type;
    bool falls_back;
    int tensors;
    uint64_t rows, cols;
    double before, after;    // bytes
    Loss loss;
} Group;

static void add_to_group(Group *groups, int *count, const PlanTensor *t, const Loss *loss)
{
    int g = 0;
    while (g < *count && (strcmp(groups[g].name, group_of(t)) != 0 || groups[g].from != t->from ||
                          groups[g].type != t->type))
        g++;
    if (g == *count)
        groups[(*count)++] = (Group){group_of(t), t->from, t->type, t->falls_back, 0, t->rows,
                                     t->cols,     0,       0,       {0, 0}};
    groups[g].tensors++;
    groups[g].before += (double)dtype_bytes(t->from, t->rows * t->cols);
    groups[g].after += (double)dtype_bytes(t->type, t->rows * t->cols);
    groups[g].loss.squares += loss->squares;
    groups[g].loss.errors += loss->errors;
}

// At most so many significant digits; what is exact has no error.
static const char *shown_error(Arena *keep, const Group *g)
{
    return g->loss.errors > 0 ? arena_print(keep, "%.2g", 100 * loss_rms(&g->loss)) : "0";
}

static void print_fallbacks(const Group *groups, int count, DType asked)
{
    for (int g = 0; g < count; g++) {
        if (!groups[g].falls_back) continue;
        const double numbers = 8 * groups[g].after * dtype_info[groups[g].type].block /
                               (8.0 * dtype_info[groups[g].type].bytes);
        const double would = numbers * dtype_info[asked].bytes / dtype_info[asked].block;
        printf("%d of %s: rows of %llu are no whole blocks of %s (%u numbers), so %s, %.1f MB "
               "more\n",
               groups[g].tensors, groups[g].name, (unsigned long long)groups[g].cols,
               dtype_name(asked), dtype_info[asked].block, dtype_name(groups[g].type),
               1e-6 * (groups[g].after - would));
    }
}

static void print_report(Arena *keep, const Job *job, const Requantized *made)
{
    const Plan *plan = &made->plan;
    Group *groups = arena_zeros(keep, (size_t)plan->count * sizeof *groups);
    int count = 0;
    double before = 0, after = 0, numbers = 0;
    for (int i = 0; i < plan->count; i++) {
        const PlanTensor *t = &plan->tensors[i];
        const double n = (double)t->rows * (double)t->cols,
                     b = (double)dtype_bytes(t->type, t->rows * t->cols);
        add_to_group(groups, &count, t, &made->losses[i]);
        before += (double)dtype_bytes(t->from, t->rows * t->cols);
        after += b;
        numbers += n;
    }
    Table table = table_new(
        keep, "tensor|count|rows|columns|from|to|MB before|MB after|bits a number|error [%]");
    for (int g = 0; g < count; g++) {
        const Group *group = &groups[g];
        const double n = (double)group->tensors * (double)group->rows * (double)group->cols;
        table_row(&table, "%s|%d|%llu|%llu|%s|%s|%.2f|%.2f|%.2f|%s", group->name, group->tensors,
                  (unsigned long long)group->rows, (unsigned long long)group->cols,
                  dtype_name(group->from), dtype_name(group->type), 1e-6 * group->before,
                  1e-6 * group->after, 8 * group->after / n, shown_error(keep, group));
    }
    table_print(&table, 0, stdout);
    puts("error: RMS of (new - old), as a share of the RMS of the old numbers");
    print_fallbacks(groups, count, type_named(job->type));
    printf("%s: %.1f MB, %.2f bits a weight (before: %.1f MB, %.2f)\n", job->out,
           1e-6 * (double)made->bytes, 8 * after / numbers, 1e-6 * before, 8 * before / numbers);
}

// ---- all of it ----

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool check_out(const Job *job, const char *path, Error *err)
{
    struct stat status;
    if (stat(job->out, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, "%s: is a folder, expected the name of a file", job->out);
    return !same_file(job->out, path) ||
           error_set(err, "%s: is the model itself, expected another file", job->out);
}

// NULL: there is none.
static const char *vocabulary_of(Arena *keep, const Job *job, const char *path)
{
    if (job->tokenizer != NULL && strcmp(job->tokenizer, "none") == 0) return NULL;
    if (job->tokenizer != NULL) return job->tokenizer;
    return random_weights_named(path) ? NULL : loaded_vocabulary(keep, path);
}

static bool quantize(Arena *keep, const Job *job, Error *err)
{
    const char *path = loaded_path(keep, job->model, err);
    if (path == NULL || !check_out(job, path, err)) return false;
    ModelFile random, *opened = NULL;
    const ModelFile *file = &random;
    if (!random_weights_named(path)) file = opened = model_file_open(path, err);
    else if (!random_weights_file(&random, keep, path, err)) return false;
    if (file == NULL) return false;
    const Requantize how = {
        .choice = {type_named(job->type), type_named(job->head), type_named(job->embedding)},
        .vocabulary = vocabulary_of(keep, job, path),
        .stop = &stopped_by};
    Requantized made;
    const bool good = requantize(keep, file, job->out, &how, &made, err);
    if (good) print_report(keep, job, &made);
    model_file_close(opened);
    return good;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("quantize", (size_t)1 << 30);
    Job job = {.type = "q8_0"};
    const char **words;
    int count, status;
    Error err;
    Options *options = declare(keep, &job, &words, &count);
    if (!options_parse(options, argc, argv, &status)) return status;
    console_check_output();
    if (count != 2)
        return error_print("takes a model and the file to write, and %d %s given", count,
                           count == 1 ? "is" : "are"),
               2;
    job.model = words[0];
    job.out = words[1];
    if (job.threads > 0) omp_set_num_threads(job.threads);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    signal(SIGHUP, stop);
    signal(SIGXFSZ, SIG_IGN);    // a file that may not grow is a failed write
    const bool good = quantize(keep, &job, &err);
    status = good ? 0 : error_report(&err);
    arena_free(keep);
    return !good && stopped_by ? 128 + stopped_by : status;
}
