#include "labs/5_frontier/paged_kv/app/watch/recorder.h"
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/choice.h"

// What happens to texts and blocks, in the order in which a frame lists it.
typedef enum Note { PREEMPTED, CACHED, FORKS, COPIED, FINISHED, EVICTED, NOTES } Note;

// ---- texts ----

static const char *decoded(const Recorder *r, const int32_t *ids, int count)
{
    if (r->tokenizer == NULL || count <= 0) return "";
    char *text =
        tokenizer_decode(r->tokenizer, ids, (size_t)count, (DecodeOptions){0}, &(size_t){0});
    const char *kept = arena_print(r->arena, "%s", text);
    free(text);
    return kept;
}

static int characters(const char *text)
{
    int count = 0;
    for (size_t left = strlen(text), bytes; left > 0; text += bytes, left -= bytes, count++)
        if ((bytes = text_utf8_length(text, left)) == 0) bytes = 1;
    return count;
}

static int text_of(Recorder *r, const Sequence *s)
{
    const int choice = ((const Choice *)s->owner)->index;
    for (int i = 0; i < r->text_count; i++)
        if (r->texts[i].id == s->id && r->texts[i].choice == choice) return i;
    if (r->text_count == RECORDED_TEXTS) return RECORDED_TEXTS - 1;
    r->texts[r->text_count] = (RecordedText){.id = s->id,
                                             .choice = choice,
                                             .prompt_tokens = s->prompt,
                                             .prompt = decoded(r, s->tokens, s->prompt),
                                             .answer = ""};
    return r->text_count++;
}

char recorder_letter(int text)
{
    return (char)(text < RECORDED_TEXTS - 1 ? 'A' + text : '*');
}

static void update_answer(Recorder *r, const Sequence *s)
{
    r->texts[text_of(r, s)].answer = decoded(r, s->tokens + s->prompt, s->count - s->prompt);
}

// ---- what happens in a step ----

static void note(Recorder *r, Note kind, const char *what)
{
    const char *before = r->notes[kind];
    r->notes[kind] = before == NULL ? what : arena_print(r->arena, "%s, %s", before, what);
}

// "cached: D 32, E 32; preempted: G"
static const char *notes_text(const Recorder *r)
{
    static const char *const names[NOTES] = {"preempted", "cached",   "forks",
                                             "copied",    "finished", "evicted"};
    const char *all = "";
    for (int i = 0; i < NOTES; i++)
        if (r->notes[i] != NULL)
            all = arena_print(r->arena, "%s%s%s: %s", all, *all != '\0' ? "; " : "", names[i],
                              r->notes[i]);
    return all;
}

static void add_work(Recorder *r, int text, int first, int count)
{
    Work **end = &r->open->work;
    while (*end != NULL) end = &(*end)->next;
    *end = arena_alloc(r->arena, sizeof **end);
    **end = (Work){text, first, count, NULL};
    r->open->scheduled++;
}

static void on_event(void *context, const SchedulerEvent *e)
{
    Recorder *r = context;
    const int text = text_of(r, e->sequence);
    const char *who = arena_print(r->arena, "%c", recorder_letter(text));
    switch (e->kind) {
    case EVENT_ADMITTED:
        if (e->count > 0) note(r, CACHED, arena_print(r->arena, "%s %d", who, e->count));
        break;
    case EVENT_SCHEDULED: add_work(r, text, e->first, e->count); break;
    case EVENT_COPIED:
        note(r, COPIED, arena_print(r->arena, "%d to %d for %s", e->first, e->count, who));
        r->copied++;
        break;
    case EVENT_PREEMPTED: note(r, PREEMPTED, who); break;
    case EVENT_FORKED: note(r, FORKS, who); break;
    case EVENT_FINISHED:
    case EVENT_CANCELLED:
        update_answer(r, e->sequence);
        note(r, FINISHED, who);
        break;
    case EVENT_SUBMITTED: break;
    }
}

// ---- frames ----

static void add_table(Recorder *r, Frame *frame, const Sequence *s)
{
    const int who = text_of(r, s), size = r->block_size;
    int *list = arena_alloc(r->arena, ((size_t)s->table.count + 1) * sizeof *list);
    for (int i = 0; i < s->table.count; i++) {
        Cell *cell = &frame->cells[list[i] = s->table.blocks[i]];
        const int written = s->computed - i * size;
        cell->owners |= 1u << who;
        cell->tokens = written < 0 ? 0 : written < size ? written : size;
        cell->content = decoded(r, s->tokens + (size_t)i * (size_t)size, cell->tokens);
    }
    list[s->table.count] = -1;
    frame->tables[who] = list;
    update_answer(r, s);
}

// Blocks that were cached and free, and hold something else now.
static void note_evicted(Recorder *r, const Frame *before, const Frame *now)
{
    int count = 0;
    for (int b = 0; b < r->blocks && before != NULL; b++) {
        const Cell *was = &before->cells[b], *is = &now->cells[b];
        count += was->cached && was->owners == 0 && is->owners != 0 &&
                 strcmp(was->content, is->content) != 0;
    }
    if (count > 0) note(r, EVICTED, arena_print(r->arena, "%d", count));
    r->evicted += count;
}

static void open_frame(Recorder *r)
{
    r->open = arena_zeros(r->arena, sizeof *r->open);
    r->open->before = r->last;
    memset(r->notes, 0, sizeof r->notes);
}

void recorder_step(Recorder *r)
{
    const Scheduler *s = engine_scheduler(r->engine);
    Frame *frame = r->open, *before = r->last;
    frame->cells = arena_zeros(r->arena, (size_t)r->blocks * sizeof *frame->cells);
    for (int i = 0; i < s->running_count; i++) add_table(r, frame, s->running[i]);
    for (int b = 0; b < r->blocks; b++) {
        Cell *cell = &frame->cells[b];
        cell->cached = block_pool_cached(s->pool, b);
        if (cell->owners != 0) continue;
        cell->content = cell->cached && before != NULL ? before->cells[b].content : "";
        cell->tokens = cell->cached ? r->block_size : 0;
    }
    note_evicted(r, before, frame);
    frame->events = notes_text(r);
    for (int i = 0; i < r->text_count; i++) frame->shown[i] = characters(r->texts[i].answer);
    if (before != NULL) before->next = frame;
    else r->first = frame;
    r->last = frame;
    r->count++;
    open_frame(r);
}

Recorder *recorder_new(Arena *arena, Engine *engine, const Tokenizer *tokenizer)
{
    const EngineOptions *o = engine_options(engine);
    Recorder *r = arena_zeros(arena, sizeof *r);
    *r = (Recorder){.arena = arena,
                    .engine = engine,
                    .tokenizer = tokenizer,
                    .blocks = o->blocks,
                    .block_size = o->block_size,
                    .budget = o->budget};
    open_frame(r);
    engine_watch(engine, on_event, r);
    return r;
}
