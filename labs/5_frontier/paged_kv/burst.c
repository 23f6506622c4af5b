#include "labs/5_frontier/paged_kv/burst.h"
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"

enum { WANTED = 16, TEXT_MAX = 2000, STEPS_MAX = 2000 };

static const char *const own_prompt =
                             "Lily had a golden dog. They jumped near a hard pillow. The dog was "
                             "hungry and barked.\n",
                         *const any_prompt =
                             "Once upon a time, there was a little girl named Lily. One day, ";
static const char *const own_begins[] = {"Max had a",      "Sue had a green", "Ben had a",
                                         "Tom had a blue", "Ella had a",      "Peter had a young"};
static const char *const any_begins[] = {"she saw a",       "her mom", "a big dog",
                                         "she found a big", "it was",  "she wanted to"};

static void receive(void *context, const EngineEvent *event)
{
    Burst *burst = context;
    const int first = burst->options.only >= 0 ? burst->options.only : event->id;
    char *text = burst->texts[event->choice == 0 ? first : TEXTS - 1];
    const size_t length = strlen(text);
    if (length + event->bytes < TEXT_MAX) memcpy(text + length, event->text, event->bytes);
}

static bool submit(const Lab *lab, Engine *engine, Burst *burst, int i, Error *err)
{
    TokenIds ids = {0};
    const char *text = arena_print(lab->step, "%s%s", burst->prompt, burst->own[i]);
    if (!tokenizer_encode(lab->loaded->tokenizer, text, strlen(text),
                          (EncodeOptions){.add_special = true}, &ids, err))
        return false;
    const Request request = {.prompt = ids.ids,
                             .prompt_count = (int)ids.count,
                             .max_tokens = WANTED,
                             .choices = i == 0 ? 2 : 1,
                             .ignore_stop_tokens = true,
                             .sampling = {.temperature = 0.7f,
                                          .seed = lab->run->seed + (uint64_t)i,
                                          .log_probabilities = -1},
                             .on_event = receive,
                             .context = burst};
    const bool good = engine_submit(engine, &request, err) >= 0;
    free(ids.ids);
    return good;
}

static Engine *open_engine(const Lab *lab, const BurstOptions *o, Error *err)
{
    EngineOptions engine = {.block_size = o->block_size,
                            .blocks = o->blocks,
                            .sequences = TEXTS,
                            .budget = o->budget,
                            .chunk = o->chunk,
                            .cache = DTYPE_F32};
    if (mine_asked()) mine_install(&engine);
    return engine_open(lab->loaded->weights, lab->loaded->tokenizer, engine, err);
}

static bool serve(const Lab *lab, Engine *engine, Burst *burst, Error *err)
{
    const bool shows = burst->options.shows && recorder_can_show(burst->recorder, TEXTS);
    int lines = 0;
    for (; !run_interrupted(lab->run) && engine_step(engine); burst->steps++) {
        if (burst->steps == STEPS_MAX)
            return error_set(err, "no end after %d steps: does a request compute nothing?",
                             STEPS_MAX);
        if (burst->recorder != NULL) recorder_step(burst->recorder);
        if (shows) recorder_show(burst->recorder, &lines);
    }
    burst->statistics = engine_statistics(engine);
    return true;
}

bool burst_run(Lab *lab, BurstOptions options, Burst *burst, Error *err)
{
    *burst = (Burst){.options = options, .prompt = lab->own_model ? own_prompt : any_prompt};
    for (int i = 0; i < TEXTS; i++) {
        const int own = i < TEXTS - 1 ? i : 0;
        burst->own[i] = lab->own_model ? own_begins[own] : any_begins[own];
        burst->texts[i] = arena_zeros(lab->step, TEXT_MAX);
    }
    Engine *engine = open_engine(lab, &options, err);
    if (engine == NULL) return false;
    if (options.records) burst->recorder = recorder_new(lab->step, engine, lab->loaded->tokenizer);
    bool good = true;
    for (int i = 0; i < TEXTS - 1 && good; i++)
        if (options.only < 0 || options.only == i) good = submit(lab, engine, burst, i, err);
    good = good && serve(lab, engine, burst, err);
    engine_watch(engine, NULL, NULL);
    engine_close(engine);
    return good;
}
