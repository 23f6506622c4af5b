/* bench_tokenize.c -- encoding, training and one long piece, beside the package `tokenizers`.
 *
 *     ./lab bench tokenize --peers        (LAB_PYTHON names a Python that has the package)
 *
 * The texts are made of the project's own files: sentences of its lessons and of the lab's two texts in
 * random order, in which one word of 20 is new, put together from the halves of two others, so that the
 * number of different words grows as in real text; and C sources. Both sides open the same
 * tokenizer.json and must find the same number of tokens, or train the same vocabulary.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "common/file.h"
#include "common/rng.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"

typedef struct Bench {
    Arena *keep;
    Command command;
    Peer *peer;
    BenchReport *report;
    char folder[64];    // of the files that both sides read
} Bench;

// ---- texts ----

typedef struct Words {
    size_t *starts,
        *ends;    // of each sentence's words; a sentence ends where the next is not its neighbour
    size_t count;
} Words;

static void read_files(Bytes *out, const char *pattern)
{
    glob_t found;
    char path[PATH_MAX];
    Error err;
    snprintf(path, sizeof path, "%s/%s", LAB_SOURCE_DIR, pattern);
    if (glob(path, 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FileView view;
        if (!file_map(&view, found.gl_pathv[i], &err)) continue;
        bytes_add(out, view.bytes, view.size);
        bytes_add(out, "\n", 1);
        file_unmap(view);
    }
    globfree(&found);
}

// Words with the blanks before them.
static Words find_words(const Bytes *source)
{
    const size_t room = (source->count + 1) * sizeof(size_t);
    Words words = {malloc(room), malloc(room), 0};
    REQUIRE(words.starts != NULL && words.ends != NULL, "no memory for the words");
    for (size_t at = 0, end; at < source->count; at = end) {
        end = at;
        while (end < source->count && source->data[end] <= ' ') end++;
        while (end < source->count && source->data[end] > ' ') end++;
        words.starts[words.count] = at;
        words.ends[words.count++] = end;
    }
    return words;
}

// Where a character begins, near the middle.
static size_t middle(const Bytes *source, size_t start, size_t end)
{
    size_t at = start + (end - start) / 2;
    while (at < end && (source->data[at] & 0xc0) == 0x80) at++;
    return at;
}

static Bytes vary(const Bytes *source, size_t bytes, uint64_t seed)
{
    enum { RUN = 12, NEW = 20 };
    Words words = find_words(source);
    Rng rng = rng_from_seed(seed);
    Bytes out = {0};
    bytes_reserve(&out, bytes + 4096);
    while (out.count < bytes) {
        size_t first = rng_below(&rng, (uint32_t)words.count);
        for (size_t w = first; w < first + RUN && w < words.count; w++) {
            size_t start = words.starts[w], end = words.ends[w];
            if (rng_below(&rng, NEW) > 0) {
                bytes_add(&out, source->data + start, end - start);
                continue;
            }
            size_t other = rng_below(&rng, (uint32_t)words.count);
            size_t cut = middle(source, words.starts[other], words.ends[other]),
                   half = middle(source, start, end);
            bytes_add(&out, source->data + start, half - start);
            bytes_add(&out, source->data + cut, words.ends[other] - cut);
        }
    }
    free(words.starts);
    free(words.ends);
    return out;
}

static const char *save_text(Bench *b, const char *name, const Bytes *text, Error *err)
{
    const char *path = arena_print(b->keep, "%s/%s", b->folder, name);
    NewFile file;
    if (!file_begin(&file, path, err)) return NULL;
    fwrite(text->data, 1, text->count, file.stream);
    return file_commit(&file, err) ? path : NULL;
}

// ---- encoding ----

typedef struct Work {
    const Tokenizer *tokenizer;
    const Bytes *text;
    size_t tokens;
    Peer *peer;
    const char *request;
} Work;

// By lines, as the other side gets it.
static size_t encode_lines(const Work *w, TokenIds *ids, Error *err)
{
    ids->count = 0;
    for (size_t at = 0, end; at < w->text->count; at = end) {
        const uint8_t *stop = memchr(w->text->data + at, '\n', w->text->count - at);
        end = stop ? (size_t)(stop - w->text->data) + 1 : w->text->count;
        if (!tokenizer_encode(w->tokenizer, (const char *)w->text->data + at, end - at,
                              (EncodeOptions){0}, ids, err))
            return 0;
    }
    return ids->count;
}

static double run_ours(void *work, long calls, Error *err)
{
    const Work *w = work;
    TokenIds ids = {0};
    double start = bench_now();
    for (long i = 0; i < calls; i++)
        if (encode_lines(w, &ids, err) != w->tokens) return -1;
    double seconds = bench_now() - start;
    free(ids.ids);
    return seconds;
}

static double run_peer(void *work, long calls, Error *err)
{
    const Work *w = work;
    return peer_ask(w->peer, err, "{%s, \"calls\": %ld}", w->request, calls);
}

static bool measure_encoding(Bench *b, const char *style, const char *model, const Tokenizer *t,
                             const char *name, const Bytes *text, Error *err)
{
    const char *path = save_text(b, name, text, err);
    Work ours = {.tokenizer = t, .text = text}, theirs = {.peer = b->peer};
    TokenIds ids = {0};
    if (path == NULL || (ours.tokens = encode_lines(&ours, &ids, err)) == 0) return false;
    free(ids.ids);
    theirs.request = arena_print(b->keep,
                                 "\"work\": \"encode\", \"tokenizer\": \"%s\", \"text\": \"%s\", "
                                 "\"tokens\": %zu",
                                 model, path, ours.tokens);
    Contender contenders[] = {{"ours", run_ours, &ours}, {"tokenizers", run_peer, &theirs}};
    int count = b->peer != NULL ? 2 : 1;
    Timing timings[2];
    Plan plan =
        b->command.quick ? BENCH_QUICK : (Plan){.rounds = 5, .seconds = 2, .sample_seconds = 0.02};
    const char *what = arena_print(b->keep, "encode %s, %s", style, name);
    if (!bench_compare(contenders, count, plan, timings, err)) return error_wrap(err, "%s", what);
    cJSON *row = bench_report_row(b->report);
    cJSON_AddStringToObject(row, "work", what);
    cJSON_AddNumberToObject(row, "bytes", (double)text->count);
    for (int i = 0; i < count; i++) {
        double bytes = (double)text->count;
        bench_report_timing(row, &timings[i]);
        printf("  %-28s %-12s %8.2f MB/s %6.2f bytes/token %8.2f%s\n", i == 0 ? what : "",
               timings[i].name, 1e-6 * bytes / timings[i].seconds.median,
               bytes / (double)ours.tokens, timings[i].ratio.median,
               bench_noisy(timings[i].ratio) ? " ~" : "");
    }
    fflush(stdout);
    return true;
}

static bool measure_style(Bench *b, const char *style, const Bytes *texts, Error *err)
{
    static const char *const names[] = {"English", "Chinese", "C code"};
    Bytes all = {0};
    for (int i = 0; i < 3; i++) bytes_add(&all, texts[i].data, texts[i].count);
    TokenizerTraining how = {
        .vocabulary = b->command.quick ? 1000 : 32000, .minimum = 2, .style = style};
    Tokenizer *t = tokenizer_train((const char *)all.data, all.count, how, err);
    free(all.data);
    const char *model = arena_print(b->keep, "%s/%s.json", b->folder, style);
    bool good = t != NULL && tokenizer_save(t, model, err);
    for (int i = 0; good && i < 3; i++)
        good = measure_encoding(b, style, model, t, names[i], &texts[i], err);
    tokenizer_close(t);
    return good;
}

static bool measure_styles(Bench *b, Error *err)
{
    static const char *const sources[][2] = {
        {"labs/*/*/README.md", "labs/3_language/tokenizer/texts/english.txt"},
        {"labs/3_language/tokenizer/texts/chinese.txt", ""},
        {"common/*.c", "labs/driver/*.c"}};
    static const char *const styles[] = {"gpt2", "llama3", "qwen2", "smollm"};
    const size_t bytes = b->command.quick ? 40000 : 4000000;
    Bytes texts[3];
    for (int i = 0; i < 3; i++) {
        Bytes source = {0};
        for (int k = 0; k < 2; k++)
            if (sources[i][k][0] != '\0') read_files(&source, sources[i][k]);
        texts[i] = vary(&source, bytes, (uint64_t)i + 1);
        free(source.data);
    }
    puts("\n1. Encoding, one thread                                                          "
         "first/its");
    bool good = true;
    for (int i = 0; good && i < (b->command.quick ? 1 : 4); i++)
        good = measure_style(b, styles[i], texts, err);
    for (int i = 0; i < 3; i++) free(texts[i].data);
    return good;
}

// ---- one long piece ----

static bool measure_piece(Bench *b, const char *what, int letters, Error *err)
{
    const char *model = arena_print(b->keep, "%s/gpt2.json", b->folder);
    Tokenizer *t = tokenizer_open(model, err);
    if (t == NULL) return false;
    double seconds[3] = {0};
    size_t most = b->command.quick ? 1 << 14 : 1 << 20;
    Rng rng = rng_from_seed(1);
    Bytes text = {0};
    for (size_t i = 0; i < 2 * most; i++) {
        const char letter = letters == 1 ? 'a' : (char)('a' + rng_below(&rng, 26));
        bytes_add(&text, &letter, 1);
    }
    bool good = true;
    for (int i = 0; good && i < 2; i++) {
        text.count = most << i;
        Work work = {.tokenizer = t, .text = &text};
        TokenIds ids = {0};
        double start = bench_now();
        good = (work.tokens = encode_lines(&work, &ids, err)) > 0;
        seconds[i] = bench_now() - start;
        free(ids.ids);
    }
    text.count = most;
    const char *path = good ? save_text(b, "piece", &text, err) : NULL;
    if (path != NULL && b->peer != NULL)
        seconds[2] = peer_ask(
            b->peer, err,
            "{\"work\": \"encode\", \"tokenizer\": \"%s\", \"text\": \"%s\", \"calls\": 1}", model,
            path);
    free(text.data);
    tokenizer_close(t);
    if (path == NULL || seconds[2] < 0) return false;
    printf("  %-28s ours %.3f s, twice as long %.3f s (%.2f times)", what, seconds[0], seconds[1],
           seconds[1] / seconds[0]);
    if (seconds[2] > 0) printf("; tokenizers %.3f s", seconds[2]);
    putchar('\n');
    cJSON *row = bench_report_row(b->report);
    cJSON_AddStringToObject(row, "work", what);
    cJSON_AddNumberToObject(row, "ours", seconds[0]);
    cJSON_AddNumberToObject(row, "ours_twice", seconds[1]);
    if (seconds[2] > 0) cJSON_AddNumberToObject(row, "tokenizers", seconds[2]);
    fflush(stdout);
    return true;
}

// ---- training ----

// Each side once: it takes a minute.
static bool measure_training(Bench *b, Error *err)
{
    Bytes source = {0};
    read_files(&source, "labs/*/*/README.md");
    read_files(&source, "labs/3_language/tokenizer/texts/english.txt");
    const size_t bytes = b->command.quick ? 200000 : 100000000;
    const int vocabulary = b->command.quick ? 1000 : 32256;
    Bytes text = vary(&source, bytes, 9);
    free(source.data);
    const char *path = save_text(b, "training", &text, err);
    const char *model = arena_print(b->keep, "%s/trained.json", b->folder);
    double start = bench_now();
    TokenizerTraining how = {.vocabulary = vocabulary, .minimum = 2};
    Tokenizer *t = path ? tokenizer_train((const char *)text.data, text.count, how, err) : NULL;
    double ours = bench_now() - start, theirs = 0;
    bool good = t != NULL && tokenizer_save(t, model, err);
    tokenizer_close(t);
    free(text.data);
    if (good && b->peer != NULL)
        theirs = peer_ask(
            b->peer, err,
            "{\"work\": \"train\", \"text\": \"%s\", \"vocabulary\": %d, \"same\": \"%s\"}", path,
            vocabulary, model);
    if (!good || theirs < 0) return false;
    printf("\n3. Training a vocabulary of %d on %.1f MB\n", vocabulary, 1e-6 * (double)bytes);
    printf("  ours, one thread %.2f s", ours);
    if (theirs > 0) printf("; tokenizers, all threads %.2f s (%.2f times)", theirs, theirs / ours);
    putchar('\n');
    cJSON *row = bench_report_row(b->report);
    cJSON_AddStringToObject(row, "work", "train");
    cJSON_AddNumberToObject(row, "bytes", (double)bytes);
    cJSON_AddNumberToObject(row, "vocabulary", vocabulary);
    cJSON_AddNumberToObject(row, "ours", ours);
    if (theirs > 0) cJSON_AddNumberToObject(row, "tokenizers", theirs);
    return true;
}

// ---- all of it ----

static void remove_files(const Bench *b)
{
    glob_t found;
    char pattern[96];
    snprintf(pattern, sizeof pattern, "%s/*", b->folder);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) unlink(found.gl_pathv[i]);
    globfree(&found);
    rmdir(b->folder);
}

static bool measure(Bench *b, Error *err)
{
    if (!measure_styles(b, err)) return false;
    puts("\n2. One piece of 1 MiB");
    return measure_piece(b, "the letter a", 1, err) &&
           measure_piece(b, "random letters", 26, err) && measure_training(b, err);
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench b = {.keep = arena_new("keep", 64u << 20), .folder = "/tmp/bench-tokenize-XXXXXX"};
    Options *options = command_options(b.keep, &b.command, "tokenize",
                                       "Encoding and training, in MB/s and seconds.");
    if (!command_parse(b.keep, options, argc, argv, &b.command, &status)) return status;
    if (mkdtemp(b.folder) == NULL) return error_print("%s: cannot be made", b.folder);
    if (b.command.peers && (b.peer = peer_open(b.keep, "tokenizers_package.py", &err)) == NULL)
        puts(err.message);
    b.report = bench_report_new(b.keep, "tokenize", "no matrix products");
    if (b.peer != NULL) bench_report_peer(b.report, b.peer);
    bool measured = measure(&b, &err);
    remove_files(&b);
    if (!measured) return error_report(&err);
    puts("first/its: our speed over that of the line, in the same rounds. ~ noisy");
    peer_close(b.peer);
    return bench_report_end(b.report, b.command.json, &err) ? 0 : error_report(&err);
}
