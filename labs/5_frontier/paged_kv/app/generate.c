/* generate.c -- a text that a model goes on with: `lab generate`.
 *
 *     generate smollm2 --prompt "The capital of France is" --tokens 20
 *     generate stories260k/stories260K.bin --tokens 200            without a prompt
 *     generate smollm2 --prompt ... --choices 4 --temperature 0.8
 *     generate smollm2 --prompt ... --beams 5 --choices 2          the two best that a beam search finds
 *     generate large.gguf --prompt ... --draft small.gguf          faster, where the small one guesses well
 *     generate smollm2 --prompt ... --requests 32 --ignore-end     how fast it is with 32 at once
 *     generate smollm2 --prompt ... --requests 5 --replay p.html   who holds which block, step by step
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/console.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/app/watch/recorder.h"

typedef struct Job {
    LoadOptions how;
    const char *prompt, *stop, *early_stopping, *replay;
    int tokens, choices, requests, beams;
    float length_penalty;
    float temperature, top_p, min_p, repetition;
    int top_k;
    uint64_t seed;
    bool ignore_end;
} Job;

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static Options *declare(Arena *keep, Job *job, const char ***words, int *count)
{
    Options *o = options_new(keep, "generate", "A text that a model goes on with.");
    options_rest(o, words, count, "MODEL");
    options_group(o, "the text");
    options_string(o, "prompt", 'p', &job->prompt, "TEXT", "how it begins");
    options_int(o, "tokens", 'n', &job->tokens, 1, 1 << 20, "to generate, at most");
    options_int(o, "choices", 0, &job->choices, 1, 256, "continuations of the prompt");
    options_string(o, "stop", 0, &job->stop, "TEXT", "ends a text");
    options_flag(o, "ignore-end", 0, &job->ignore_end, "goes on after a token that ends a text");
    options_int(o, "requests", 0, &job->requests, 1, 1 << 16, "the same, so many times at once");
    options_string(o, "replay", 0, &job->replay, "FILE",
                   "a page (HTML) that shows the blocks of the KV cache step by step");
    options_group(o, "sampling");
    options_float(o, "temperature", 0, &job->temperature, 0, 100, "0: the likeliest token");
    options_int(o, "top-k", 0, &job->top_k, 0, 1 << 24, "only the k likeliest; 0: all");
    options_float(o, "top-p", 0, &job->top_p, 0, 1, "the likeliest with this probability");
    options_float(o, "min-p", 0, &job->min_p, 0, 1, "at least this times the likeliest");
    options_float(o, "repetition", 0, &job->repetition, 0, 100, "penalty; 1: none");
    options_uint64(o, "seed", 's', &job->seed, "of the random numbers");
    options_group(o, "beam search");
    options_int(o, "beams", 0, &job->beams, 1, BEAMS_MAX,
                "the choices are the best texts found by so many; 1: none");
    options_float(o, "length-penalty", 0, &job->length_penalty, -100, 100,
                  "above 0 for long texts, below for short ones");
    options_choice(o, "early-stopping", 0, &job->early_stopping, "heuristic|first|never",
                   "as transformers' False, True, \"never\"");
    loaded_declare(o, &job->how);
    return o;
}

// ---- what comes ----

typedef struct Text {
    char *bytes;    // malloc
    size_t count, room;
} Text;

typedef struct Receiver {
    bool streams;    // one text alone: shown as it comes
    Text *texts;     // [choices], of one request
    float *scores;
    char error[sizeof(Error)];
} Receiver;

static void keep_text(Text *text, const char *bytes, size_t count)
{
    if (text->count + count > text->room) {
        text->room = 2 * (text->count + count);
        text->bytes = realloc(text->bytes, text->room);
        REQUIRE(text->bytes != NULL, "no memory for a text of %zu bytes", text->room);
    }
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
}

// The text is what was asked for, and goes out as it is: valid UTF-8.
static void receive(void *context, const EngineEvent *event)
{
    Receiver *h = context;
    if (event->error != NULL) snprintf(h->error, sizeof h->error, "%s", event->error);
    h->scores[event->choice] = event->score;
    if (event->bytes == 0) return;
    if (h->streams) {
        fwrite(event->text, 1, event->bytes, stdout);
        fflush(stdout);
    } else keep_text(&h->texts[event->choice], event->text, event->bytes);
}

// ---- the run ----

static bool encode(const Loaded *l, const Job *job, TokenIds *ids, Error *err)
{
    const EncodeOptions how = {.add_special = true};
    if (job->prompt != NULL &&
        !tokenizer_encode(l->tokenizer, job->prompt, strlen(job->prompt), how, ids, err))
        return false;
    const int bos =
        l->weights->config.bos >= 0 ? l->weights->config.bos : tokenizer_bos(l->tokenizer);
    if (ids->count == 0 && bos >= 0) ids_add(ids, bos);
    return ids->count > 0 || error_set(err, "this model begins with no token of its own: --prompt");
}

static Request request_of(const Job *job, const TokenIds *ids, Receiver *receiver)
{
    return (Request){
        .prompt = ids->ids,
        .prompt_count = (int)ids->count,
        .max_tokens = job->tokens,
        .choices = job->choices,
        .stop_strings = &job->stop,
        .stop_string_count = job->stop != NULL,
        .ignore_stop_tokens = job->ignore_end,
        .sampling = {.temperature = job->temperature,
                     .top_k = job->top_k,
                     .top_p = job->top_p,
                     .min_p = job->min_p,
                     .repetition_penalty = job->repetition,
                     .seed = job->seed,
                     .log_probabilities = -1},
        .beams = {.beams = job->beams,
                  .length_penalty = job->length_penalty,
                  .early_stopping = job->early_stopping[0] == 'f'   ? EARLY_STOPPING_FIRST
                                    : job->early_stopping[0] == 'n' ? EARLY_STOPPING_NEVER
                                                                    : EARLY_STOPPING_HEURISTIC},
        .on_event = receive,
        .context = receiver};
}

static bool run(Loaded *l, Arena *keep, const Job *job, const TokenIds *ids, Receiver *receiver,
                Error *err)
{
    Recorder *recorder = job->replay != NULL ? recorder_new(keep, l->engine, l->tokenizer) : NULL;
    for (int i = 0; i < job->requests; i++) {
        Request request = request_of(job, ids, receiver);
        request.sampling.seed += (uint64_t)i;
        if (i > 0) request.on_event = NULL;    // the first is shown
        if (engine_submit(l->engine, &request, err) < 0) return false;
    }
    if (receiver->streams && job->prompt != NULL) fputs(job->prompt, stdout);
    while (!interrupted && engine_step(l->engine))
        if (recorder != NULL) recorder_step(recorder);
    if (recorder != NULL && !recorder_page(recorder, job->replay, err)) return false;
    if (receiver->streams) putchar('\n');
    for (int i = 0; !receiver->streams && i < job->choices; i++) {
        if (job->beams > 1) printf("[%d, score %.4f] ", i, (double)receiver->scores[i]);
        else printf("[%d] ", i);
        printf("%s%.*s\n", job->prompt != NULL ? job->prompt : "", (int)receiver->texts[i].count,
               receiver->texts[i].bytes);
    }
    return receiver->error[0] == '\0' || error_set(err, "%s", receiver->error);
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("generate", (size_t)1 << 36);
    Job job = {.how = loaded_defaults,
               .tokens = 128,
               .choices = 1,
               .beams = 1,
               .length_penalty = 1,
               .early_stopping = "heuristic",
               .requests = 1,
               .top_p = 0.95f,
               .repetition = 1,
               .seed = 42};
    const char **words;
    int count, status;
    Error err;
    Options *options = declare(keep, &job, &words, &count);
    if (!options_parse(options, argc, argv, &status)) return status;
    console_check_output();
    if (count != 1) return error_print("takes one model, and %d are given", count), 2;
    signal(SIGINT, interrupt);
    Loaded loaded;
    TokenIds ids = {0};
    Receiver receiver = {.streams = job.choices == 1,
                         .texts = arena_zeros(keep, (size_t)job.choices * sizeof(Text)),
                         .scores = arena_zeros(keep, (size_t)job.choices * sizeof(float))};
    bool good = loaded_open(&loaded, keep, words[0], &job.how, &err);
    if (good) {
        loaded_print(&loaded);
        good = encode(&loaded, &job, &ids, &err) && run(&loaded, keep, &job, &ids, &receiver, &err);
        if (good) loaded_print_speed(&loaded);
        loaded_close(&loaded);
    }
    for (int i = 0; i < job.choices; i++) free(receiver.texts[i].bytes);
    free(ids.ids);
    status = good ? (interrupted ? 130 : 0) : error_report(&err);
    arena_free(keep);
    return status;
}
