/* llamacpp.c -- llama.cpp as a peer of labs/5_frontier/paged_kv/app/bench_engine.c.
 *
 * llama.cpp is not part of this project. The package llama_cpp_python of PyPI carries a new source: unpack it,
 * build its vendor/llama.cpp with cmake (-DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON), and then
 *     gcc -O2 -c -I LLAMA/include -I LLAMA/ggml/include bench/peers/llamacpp.c -o llamacpp.o
 *     g++ -fopenmp llamacpp.o BUILD/src/libllama.a BUILD/ggml/src/libggml.a BUILD/ggml/src/libggml-cpu.a \
 *         BUILD/ggml/src/libggml-base.a -lpthread -ldl -o llamacpp
 *     LAB_LLAMACPP=$PWD/llamacpp ./lab bench engine --peers
 * It speaks as bench/peers/serve.py does. Its defaults: KV cache of float16, flash attention where it likes;
 * one stream of cells for each sequence. Like its own llama-batched-bench it draws no token: those that follow
 * are random. Asked for work "text", it goes on with a text by the likeliest tokens, for tests/quantized_by_others.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "llama.h"

typedef struct Request {
    char model[1024], work[16], text[256];
    int threads, batch, prompt, steps;
    long calls;
} Request;

static struct llama_model *model;
static struct llama_context *context;
static Request open_for;
static int vocabulary;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void log_errors(enum ggml_log_level level, const char *text, void *data)
{
    (void)data;
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

// ---- what is asked ----

static int number(const char *line, const char *name, long *value)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(line, key);
    return at != NULL && sscanf(at + strlen(key), "%ld", value) == 1;
}

static int text(const char *line, const char *name, char *value, size_t room)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": \"", name);
    const char *at = strstr(line, key), *end = NULL;
    if (at != NULL) end = strchr(at += strlen(key), '"');
    if (end == NULL || (size_t)(end - at) >= room) return 0;
    snprintf(value, room, "%.*s", (int)(end - at), at);
    return 1;
}

static int parse(const char *line, Request *r)
{
    long threads, batch, prompt, steps;
    if (!text(line, "model", r->model, sizeof r->model) ||
        !text(line, "work", r->work, sizeof r->work) || !number(line, "threads", &threads) ||
        !number(line, "batch", &batch) || !number(line, "prompt", &prompt) ||
        !number(line, "steps", &steps) || !number(line, "calls", &r->calls))
        return 0;
    if (strcmp(r->work, "text") == 0 && !text(line, "text", r->text, sizeof r->text)) return 0;
    r->threads = (int)threads, r->batch = (int)batch;
    r->prompt = (int)prompt, r->steps = (int)steps;
    return 1;
}

// ---- decoding ----

static struct llama_batch batch;

static void put(int token, int position, int sequence, int is_last)
{
    const int i = batch.n_tokens++;
    batch.token[i] = token;
    batch.pos[i] = position;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = sequence;
    batch.logits[i] = (int8_t)is_last;
}

static int run_prompt(const Request *r, int sequence)
{
    batch.n_tokens = 0;
    for (int i = 0; i < r->prompt; i++) put(rand() % vocabulary, i, sequence, i == r->prompt - 1);
    return llama_decode(context, batch);
}

static const char *reopen(const Request *r)
{
    const int same_model = model != NULL && strcmp(r->model, open_for.model) == 0;
    if (context != NULL) llama_free(context);
    context = NULL;
    if (!same_model) {
        if (model != NULL) llama_model_free(model);
        model = llama_model_load_from_file(r->model, llama_model_default_params());
        if (model == NULL) return "the model cannot be opened";
        vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    }
    struct llama_context_params how = llama_context_default_params();
    const int each = (r->prompt + r->steps + 255) / 256 * 256;
    how.n_ctx = (uint32_t)(each * r->batch);
    how.n_batch = 2048;
    how.n_seq_max = (uint32_t)r->batch;
    how.n_threads = how.n_threads_batch = r->threads;
    context = llama_init_from_model(model, how);
    if (context == NULL) return "there is no context of this size";
    if (batch.token == NULL) batch = llama_batch_init(2048, 0, 1);
    open_for = *r;
    if (run_prompt(r, 0) != 0) return "a prompt cannot be computed";
    llama_synchronize(context);
    // A copy for each: what the numbers are changes nothing in how long a step takes.
    for (int s = 1; s < r->batch; s++) llama_memory_seq_cp(llama_get_memory(context), 0, s, -1, -1);
    return NULL;
}

static const char *decode(const Request *r, double *seconds)
{
    llama_memory_t memory = llama_get_memory(context);
    for (int s = 0; s < r->batch; s++) llama_memory_seq_rm(memory, s, r->prompt, -1);
    const double start = now();
    for (int i = 0; i < r->steps; i++) {
        batch.n_tokens = 0;
        for (int s = 0; s < r->batch; s++) put(rand() % vocabulary, r->prompt + i, s, 1);
        if (llama_decode(context, batch) != 0) return "a step cannot be computed";
        llama_synchronize(context);
    }
    *seconds += now() - start;
    return NULL;
}

static const char *prefill(const Request *r, double *seconds)
{
    llama_memory_clear(llama_get_memory(context), 0);
    const double start = now();
    if (run_prompt(r, 0) != 0) return "a prompt cannot be computed";
    llama_synchronize(context);
    *seconds += now() - start;
    return NULL;
}

static char written[4096];    // of work "text", as JSON

static void write_token(int token)
{
    char piece[64];
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    const int bytes = llama_token_to_piece(vocab, token, piece, sizeof piece, 0, 0);
    size_t used = strlen(written);
    for (int i = 0; i < bytes && used + 8 < sizeof written; i++) {
        const unsigned char c = (unsigned char)piece[i];
        used += (size_t)snprintf(written + used, 8,
                                 c < 0x20 || c == '"' || c == '\\' ? "\\u%04x" : "%c", c);
    }
}

static const char *go_on(const Request *r)
{
    enum { MOST = 512 };
    llama_token tokens[MOST];
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    llama_memory_clear(llama_get_memory(context), 0);
    int count = llama_tokenize(vocab, r->text, (int)strlen(r->text), tokens, MOST, 1, 0);
    if (count < 1 || count + r->steps > r->prompt + r->steps) return "the text is too long";
    written[0] = '\0';
    batch.n_tokens = 0;
    for (int i = 0; i < count; i++) put(tokens[i], i, 0, i == count - 1);
    for (int i = 0; i < r->steps; i++) {
        if (llama_decode(context, batch) != 0) return "a step cannot be computed";
        const float *logits = llama_get_logits_ith(context, -1);
        int best = 0;
        for (int k = 1; k < vocabulary; k++)
            if (logits[k] > logits[best]) best = k;
        if (llama_vocab_is_eog(vocab, best)) break;
        write_token(best);
        batch.n_tokens = 0;
        put(best, count + i, 0, 1);
    }
    return NULL;
}

static const char *answer(const Request *r, double *seconds)
{
    const int same = context != NULL && strcmp(r->model, open_for.model) == 0 &&
                     r->threads == open_for.threads && r->batch == open_for.batch &&
                     r->prompt == open_for.prompt && r->steps == open_for.steps &&
                     strcmp(r->work, open_for.work) == 0;
    const char *why = same ? NULL : reopen(r);
    if (why == NULL && strcmp(r->work, "text") == 0) return go_on(r);
    for (long i = 0; i < r->calls && why == NULL; i++)
        why = strcmp(r->work, "prefill") == 0 ? prefill(r, seconds) : decode(r, seconds);
    return why;
}

int main(void)
{
    char line[4096];
    struct rusage usage;
    llama_log_set(log_errors, NULL);
    llama_backend_init();
    puts("{\"name\": \"llama.cpp\", \"libraries\": \"as built\"}");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        Request request;
        double seconds = 0;
        const char *why = parse(line, &request) ? answer(&request, &seconds) : "no such request";
        getrusage(RUSAGE_SELF, &usage);
        if (why != NULL) printf("{\"error\": \"%s\"}\n", why);
        else
            printf("{\"seconds\": %.9g, \"peak_mb\": %.6g, \"text\": \"%s\"}\n", seconds,
                   1.024e-3 * (double)usage.ru_maxrss, written);
        fflush(stdout);
    }
    return 0;
}
