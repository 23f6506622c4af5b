#include "labs/5_frontier/paged_kv/burst.h"
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/choice.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"

enum { WANTED = 16, TEXT_MAX = 2000 };

// ---- the requests ----

static const char *const own_prompt =
                             "Lily had a golden dog. They jumped near a hard pillow. The dog was "
                             "hungry and barked.\n",
                         *const any_prompt =
                             "Once upon a time, there was a little girl named Lily. One day, ";
static const char *const own_begins[] = {"Max had a",      "Sue had a green", "Ben had a",
                                         "Tom had a blue", "Ella had a",      "Peter had a young"};
static const char *const any_begins[] = {"she saw a",       "her mom", "a big dog",
                                         "she found a big", "it was",  "she wanted to"};

// What may happen to a text or a block, as it is told.
typedef enum Note { PREEMPTED, CACHED, FORKS, COPIED, FINISHED, EVICTED, NOTES } Note;

// What the watching needs; it lives as long as the engine.
typedef struct Watch {
    Lab *lab;
    Burst *burst;
    Engine *engine;
    Frame *frame;                 // of this step
    const char *events[NOTES];    // of each kind, the texts or blocks that it happens to
} Watch;

static bool submit(Watch *watch, int i, void (*on_event)(void *, const EngineEvent *), Error *err)
{
    const Lab *lab = watch->lab;
    Burst *burst = watch->burst;
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
                             .on_event = on_event,
                             .context = burst};
    burst->prompt_tokens[i] = (int)ids.count;
    const bool good = engine_submit(watch->engine, &request, err) >= 0;
    free(ids.ids);
    return good;
}

static void receive(void *context, const EngineEvent *event)
{
    Burst *burst = context;
    const int first = burst->options.only >= 0 ? burst->options.only : event->id;
    char *text = burst->texts[event->choice == 0 ? first : TEXTS - 1];
    const size_t length = strlen(text);
    if (length + event->bytes < TEXT_MAX) memcpy(text + length, event->text, event->bytes);
}

// ---- what happens in a step ----

static int text_of(const Sequence *s)
{
    return ((const Choice *)s->owner)->index == 0 ? s->id : TEXTS - 1;
}

static void note(Watch *w, Note kind, const char *what)
{
    const char *before = w->events[kind];
    w->events[kind] = before == NULL ? what : arena_print(w->lab->step, "%s, %s", before, what);
}

// "cached: D 32, E 32; preempted: G"
static const char *notes_text(const Watch *w)
{
    static const char *const names[NOTES] = {"preempted", "cached",   "forks",
                                             "copied",    "finished", "evicted"};
    const char *all = "";
    for (int i = 0; i < NOTES; i++)
        if (w->events[i] != NULL)
            all = arena_print(w->lab->step, "%s%s%s: %s", all, *all != '\0' ? "; " : "", names[i],
                              w->events[i]);
    return all;
}

static void on_event(void *context, const SchedulerEvent *e)
{
    Watch *w = context;
    Arena *arena = w->lab->step;
    const char *who = arena_print(arena, "%c", 'A' + text_of(e->sequence));
    switch (e->kind) {
    case EVENT_ADMITTED:
        if (e->count > 0) note(w, CACHED, arena_print(arena, "%s %d", who, e->count));
        break;
    case EVENT_SCHEDULED:
        w->frame->work[w->frame->works++] = (Work){text_of(e->sequence), e->first, e->count};
        break;
    case EVENT_COPIED:
        note(w, COPIED, arena_print(arena, "%d to %d for %s", e->first, e->count, who));
        w->burst->copied++;
        break;
    case EVENT_PREEMPTED: note(w, PREEMPTED, who); break;
    case EVENT_FORKED: note(w, FORKS, who); break;
    case EVENT_FINISHED: note(w, FINISHED, who); break;
    default: break;
    }
}

// ---- a frame ----

static const char *decoded(const Watch *w, const int32_t *ids, int count)
{
    char *text = tokenizer_decode(w->lab->loaded->tokenizer, ids, (size_t)count, (DecodeOptions){0},
                                  &(size_t){0});
    const char *kept = arena_print(w->lab->step, "%s", text);
    free(text);
    return kept;
}

static void add_table(const Watch *w, Frame *frame, const Sequence *s)
{
    const int who = text_of(s), size = w->burst->options.block_size;
    int *list = arena_alloc(w->lab->step, ((size_t)s->table.count + 1) * sizeof *list);
    for (int i = 0; i < s->table.count; i++) {
        Cell *cell = &frame->cells[list[i] = s->table.blocks[i]];
        const int written = s->computed - i * size;
        cell->owners |= 1u << who;
        cell->tokens = written < 0 ? 0 : written < size ? written : size;
        cell->content = decoded(w, s->tokens + (size_t)i * (size_t)size, cell->tokens);
    }
    list[s->table.count] = -1;
    frame->tables[who] = list;
}

// A block that was cached and free, and holds something else now.
static void note_evicted(Watch *w, const Frame *before, const Frame *now)
{
    int count = 0;
    for (int b = 0; b < w->burst->options.blocks && before != NULL; b++) {
        const Cell *was = &before->cells[b], *is = &now->cells[b];
        count += was->cached && was->owners == 0 && is->owners != 0 &&
                 strcmp(was->content, is->content) != 0;
    }
    if (count > 0) note(w, EVICTED, arena_print(w->lab->step, "%d", count));
    w->burst->evicted += count;
}

static int characters(const char *text)
{
    int count = 0;
    for (size_t left = strlen(text), bytes; left > 0; text += bytes, left -= bytes, count++)
        if ((bytes = text_utf8_length(text, left)) == 0) bytes = 1;
    return count;
}

static void record(Watch *w)
{
    Burst *burst = w->burst;
    const Scheduler *s = engine_scheduler(w->engine);
    Frame *frame = w->frame, *before = burst->count > 0 ? frame - 1 : NULL;
    const size_t blocks = (size_t)burst->options.blocks;
    frame->cells = arena_zeros(w->lab->step, blocks * sizeof *frame->cells);
    for (int i = 0; i < TEXTS; i++) frame->shown[i] = characters(burst->texts[i]);
    for (int i = 0; i < s->running_count; i++) add_table(w, frame, s->running[i]);
    for (int b = 0; b < burst->options.blocks; b++) {
        Cell *cell = &frame->cells[b];
        cell->cached = block_pool_cached(s->pool, b);
        if (cell->owners != 0) continue;
        const bool known = cell->cached && before != NULL && before->cells[b].content != NULL;
        cell->content = known ? before->cells[b].content : "";
        cell->tokens = cell->cached ? burst->options.block_size : 0;
    }
    note_evicted(w, before, frame);
    frame->events = notes_text(w);
    burst->count++;
}

// ---- serving ----

static EngineOptions engine_of(const BurstOptions *o)
{
    EngineOptions engine = {.block_size = o->block_size,
                            .blocks = o->blocks,
                            .sequences = TEXTS,
                            .budget = o->budget,
                            .chunk = o->chunk,
                            .cache = DTYPE_F32};
    if (mine_asked()) mine_install(&engine);
    return engine;
}

static bool serve(Watch *w, Error *err)
{
    Burst *burst = w->burst;
    int lines = 0;
    for (bool more = true; more && !run_interrupted(w->lab->run); burst->steps++) {
        if (burst->steps == STEPS_MAX)
            return error_set(err, "no end after %d steps: does a request compute nothing?",
                             STEPS_MAX);
        w->frame = &burst->frames[burst->options.watch ? burst->count : 0];
        *w->frame = (Frame){0};
        memset(w->events, 0, sizeof w->events);
        if (!(more = engine_step(w->engine))) break;
        const int running = w->frame->works;
        if (running > burst->most_at_once) burst->most_at_once = running;
        if (burst->options.watch) record(w);
        if (burst->options.shows) burst_show(w->lab, burst, &lines);
    }
    burst->statistics = engine_statistics(w->engine);
    return true;
}

bool burst_run(Lab *lab, BurstOptions options, Burst *burst, Error *err)
{
    Watch watch = {.lab = lab, .burst = burst};
    *burst = (Burst){.options = options, .prompt = lab->own_model ? own_prompt : any_prompt};
    burst->frames = arena_zeros(lab->step, (STEPS_MAX + 1) * sizeof *burst->frames);
    for (int i = 0; i < TEXTS; i++) {
        const int own = i < TEXTS - 1 ? i : 0;
        burst->own[i] = lab->own_model ? own_begins[own] : any_begins[own];
        burst->texts[i] = arena_zeros(lab->step, TEXT_MAX);
    }
    watch.engine =
        engine_open(lab->loaded->weights, lab->loaded->tokenizer, engine_of(&options), err);
    if (watch.engine == NULL) return false;
    engine_watch(watch.engine, on_event, &watch);
    bool good = true;
    for (int i = 0; i < TEXTS - 1 && good; i++)
        if (options.only < 0 || options.only == i) good = submit(&watch, i, receive, err);
    good = good && serve(&watch, err);
    engine_watch(watch.engine, NULL, NULL);
    engine_close(watch.engine);
    return good;
}
