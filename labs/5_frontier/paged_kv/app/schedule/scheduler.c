#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void emit(const Scheduler *s, SchedulerEventKind kind, const Sequence *sequence, int first,
                 int count)
{
    if (s->on_event != NULL)
        s->on_event(s->context, &(SchedulerEvent){kind, s->step, sequence, first, count});
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

Scheduler *scheduler_open(BlockPool *pool, SchedulerOptions options)
{
    REQUIRE(options.max_running > 0 && options.budget >= options.max_running,
            "%d tokens a step for %d sequences", options.budget, options.max_running);
    const size_t most = (size_t)options.max_running;
    Scheduler *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    *s = (Scheduler){.options = options, .pool = pool};
    s->running = calloc(most, sizeof *s->running);
    s->list = calloc(most, sizeof *s->list);
    s->copies.list = calloc(most, sizeof *s->copies.list);
    if (s->running != NULL && s->list != NULL && s->copies.list != NULL) return s;
    scheduler_close(s);
    return NULL;
}

void scheduler_close(Scheduler *s)
{
    if (s == NULL) return;
    while (s->running_count > 0) scheduler_cancel(s, s->running[s->running_count - 1]);
    while (s->waiting.count > 0) scheduler_cancel(s, waiting_first(&s->waiting));
    waiting_free(&s->waiting);
    free(s->running);
    free(s->list);
    free(s->copies.list);
    free(s);
}

bool scheduler_is_idle(const Scheduler *s)
{
    return s->running_count == 0 && s->waiting.count == 0;
}

// ---- running and waiting ----

static void add_running(Scheduler *s, Sequence *sequence)
{
    int place = s->running_count++;
    for (; place > 0 && sequence_before(sequence, s->running[place - 1]); place--)
        s->running[place] = s->running[place - 1];
    s->running[place] = sequence;
    sequence->state = SEQUENCE_RUNNING;
}

static void remove_running(Scheduler *s, const Sequence *sequence)
{
    int place = 0;
    while (s->running[place] != sequence) place++;
    memmove(s->running + place, s->running + place + 1,
            (size_t)(--s->running_count - place) * sizeof *s->running);
}

// False: out of memory.
static bool enqueue(Scheduler *s, Sequence *sequence)
{
    // With room for the running ones, which preemption may send back.
    if (!waiting_reserve(&s->waiting, s->waiting.count + s->running_count + 1)) return false;
    sequence->state = SEQUENCE_WAITING;
    waiting_add(&s->waiting, sequence);
    return true;
}

// The tokens that admission makes sure of. The last token to be sampled needs no slot.
static int admission_length(const Scheduler *s, const Sequence *sequence)
{
    return s->options.worst_case ? sequence->max_count - 1 : sequence->count;
}

// The blocks that a running sequence still needs for them.
static int reserved_for(const Scheduler *s, const Sequence *sequence)
{
    const int count = admission_length(s, sequence) - sequence->computed;
    return count > 0 ? block_table_needs(s->pool, &sequence->table, sequence->computed, count) : 0;
}

int scheduler_reserved(const Scheduler *s)
{
    int reserved = 0;
    for (int i = 0; i < s->running_count; i++) reserved += reserved_for(s, s->running[i]);
    return reserved;
}

bool scheduler_submit(Scheduler *s, Sequence *sequence, Error *err)
{
    const int need = blocks_for_tokens(s->pool, sequence->max_count - 1);
    if (need > s->pool->blocks)
        return error_set(err,
                         "%d tokens need %d blocks of %d, and the cache has %d: ask for fewer "
                         "tokens, or give it more memory",
                         sequence->max_count, need, s->pool->block_size, s->pool->blocks);
    sequence->rank = s->arrived - (int64_t)sequence->priority * s->options.patience;
    if (!enqueue(s, sequence)) return error_set(err, "no memory for another sequence");
    s->arrived++;
    emit(s, EVENT_SUBMITTED, sequence, 0, 0);
    return true;
}

static void leave(Scheduler *s, Sequence *sequence, bool for_good)
{
    if (sequence->state == SEQUENCE_RUNNING) remove_running(s, sequence);
    else waiting_remove(&s->waiting, sequence);
    if (s->planner != NULL) s->planner->leave(s->planner->context, sequence, for_good);
    else block_table_truncate(s->pool, &sequence->table, 0);
}

static void end(Scheduler *s, Sequence *sequence, SchedulerEventKind kind)
{
    if (sequence->state == SEQUENCE_NEW || sequence->state == SEQUENCE_FINISHED) return;
    leave(s, sequence, true);
    sequence->state = SEQUENCE_FINISHED;
    emit(s, kind, sequence, 0, 0);
}

void scheduler_finish(Scheduler *s, Sequence *sequence)
{
    end(s, sequence, EVENT_FINISHED);
}

void scheduler_cancel(Scheduler *s, Sequence *sequence)
{
    end(s, sequence, EVENT_CANCELLED);
}

// ---- preemption ----

static void send_back(Scheduler *s, Sequence *sequence)
{
    leave(s, sequence, false);
    sequence->computed = sequence->drafts = 0;
    sequence->state = SEQUENCE_PREEMPTED;
    waiting_add(&s->waiting, sequence);
}

void scheduler_preempt(Scheduler *s, Sequence *sequence)
{
    REQUIRE(sequence->state == SEQUENCE_RUNNING, "sequence %d is not running", sequence->id);
    const int freed = block_table_exclusive(s->pool, &sequence->table);
    send_back(s, sequence);
    sequence->preemptions++;
    s->preemptions++;
    emit(s, EVENT_PREEMPTED, sequence, 0, freed);
}

// The last running sequence, of those from place `from` on, whose preemption frees a block; or NULL.
static Sequence *victim(const Scheduler *s, int from)
{
    for (int i = s->running_count - 1; i >= from; i--)
        if (block_table_exclusive(s->pool, &s->running[i]->table) > 0) return s->running[i];
    return NULL;
}

// ---- a step ----

static bool schedule(Scheduler *s, Sequence *sequence, int count)
{
    const int first = sequence->computed, copies = s->copies.count;
    if (!block_table_extend(s->pool, &sequence->table, first, count, &s->copies)) return false;
    // From here on other entries of this step may share the blocks. Drafts are not cached.
    block_table_cache(s->pool, &sequence->table, sequence->domain, sequence->tokens,
                      least(first + count, sequence->count));
    const int ready = sequence->table.ready * s->pool->block_size;
    s->list[s->list_count++] = (Scheduled){
        .sequence = sequence,
        .first = first,
        .count = count,
        .write = ready > first ? least(ready, first + count) : first,
        .samples = first + count >= sequence->count,
    };
    s->left -= count;
    if (s->copies.count > copies)
        emit(s, EVENT_COPIED, sequence, s->copies.list[copies].from, s->copies.list[copies].to);
    emit(s, EVENT_SCHEDULED, sequence, first, count);
    return true;
}

static bool is_decoding(const Sequence *sequence)
{
    return sequence->computed == sequence->count - 1;
}

// Every decode, by rank. A sequence that is preempted here comes later in the list: it is not scheduled
// yet.
static void schedule_decodes(Scheduler *s)
{
    for (int i = 0; i < s->running_count; i++) {
        Sequence *sequence = s->running[i], *other;
        if (!is_decoding(sequence)) continue;
        // Drafts use what the other decodes leave of the budget.
        const int spare =
            least(s->left - (s->running_count - i), sequence->max_count - sequence->count - 1);
        sequence->drafts = least(sequence->drafts, spare > 0 ? spare : 0);
        bool good;
        while (!(good = schedule(s, sequence, 1 + sequence->drafts))) {
            if (sequence->drafts > 0) sequence->drafts = 0;
            else if ((other = victim(s, i + 1)) != NULL) scheduler_preempt(s, other);
            else break;
        }
        if (!good) scheduler_preempt(s, sequence), i--;
    }
}

// How many tokens of a prefill fit into this step.
static int chunk_of(const Scheduler *s, const Sequence *sequence)
{
    int chunk = least(s->left, sequence->count - sequence->computed);
    return s->options.chunk > 0 ? least(chunk, s->options.chunk) : chunk;
}

// Another sequence may have computed the next blocks in the meantime.
static void skip_cached(const Scheduler *s, Sequence *sequence)
{
    const int blocks = block_table_follow(s->pool, &sequence->table, sequence->domain,
                                          sequence->tokens, sequence->count);
    // The last token is computed in any case: the next one is sampled from it.
    const int tokens = least(blocks * s->pool->block_size, sequence->count - 1);
    if (tokens > sequence->computed) sequence->computed = tokens;
}

// Prefills in progress, as far as there are blocks.
static void schedule_prefills(Scheduler *s)
{
    for (int i = 0; i < s->running_count && s->left > 0; i++) {
        Sequence *sequence = s->running[i];
        if (is_decoding(sequence)) continue;
        skip_cached(s, sequence);
        int count = chunk_of(s, sequence);
        while (count > 0 && !schedule(s, sequence, count)) {
            const int size = s->pool->block_size;
            const int missing =
                block_table_needs(s->pool, &sequence->table, sequence->computed, count) -
                s->pool->idle;
            count -= missing > 0 ? missing * size : size;
        }
    }
}

// ---- admission ----

void scheduler_admit(Scheduler *s, Sequence *sequence)
{
    waiting_remove(&s->waiting, sequence);
    add_running(s, sequence);
    if (sequence->preemptions == 0) sequence->hits = sequence->computed;
    emit(s, EVENT_ADMITTED, sequence, 0, sequence->computed);
}

void scheduler_list(Scheduler *s, Scheduled entry)
{
    s->list[s->list_count++] = entry;
    emit(s, EVENT_SCHEDULED, entry.sequence, entry.first, entry.count);
}

void scheduler_copy(Scheduler *s, const Sequence *sequence, BlockCopy copy)
{
    s->copies.list[s->copies.count++] = copy;
    emit(s, EVENT_COPIED, sequence, copy.from, copy.to);
}

static int idle_among(const BlockPool *pool, const int32_t *blocks, int count)
{
    int idle = 0;
    for (int i = 0; i < count; i++) idle += pool->references[blocks[i]] == 0;
    return idle;
}

// Admits a waiting sequence if it fits beside the blocks reserved for others.
static bool admit(Scheduler *s, Sequence *sequence, int *reserved)
{
    BlockPool *pool = s->pool;
    BlockTable *table = &sequence->table;
    const int found =
        block_table_match(pool, table, sequence->domain, sequence->tokens, sequence->count);
    const int spared = s->running_count > 0 && !s->options.worst_case ? s->options.watermark : 0;
    if (blocks_for_tokens(pool, admission_length(s, sequence)) - found >
        pool->idle - idle_among(pool, table->blocks, found) - *reserved - spared)
        return false;
    block_table_share(pool, table, found);
    skip_cached(s, sequence);
    const int chunk = chunk_of(s, sequence);
    if (!block_table_extend(pool, table, sequence->computed, chunk, &s->copies)) {
        block_table_truncate(pool, table, 0);
        sequence->computed = 0;
        return false;
    }
    scheduler_admit(s, sequence);
    REQUIRE(schedule(s, sequence, chunk), "sequence %d has no room in its blocks", sequence->id);
    *reserved += reserved_for(s, sequence);
    return true;
}

int scheduler_step(Scheduler *s, const Scheduled **list)
{
    const int64_t preempted = s->preemptions;
    s->step++;
    s->list_count = s->copies.count = 0;
    s->left = s->options.budget;
    *list = s->list;
    if (s->planner != NULL) {
        s->planner->step(s->planner->context, s);
        return s->list_count;
    }
    schedule_decodes(s);
    schedule_prefills(s);
    // No admission right after a preemption: the same sequence would come back.
    int reserved = s->preemptions == preempted ? scheduler_reserved(s) : s->pool->blocks;
    while (s->left > 0 && s->running_count < s->options.max_running && s->waiting.count > 0)
        if (!admit(s, waiting_first(&s->waiting), &reserved)) break;
    return s->list_count;
}

void scheduler_done(Scheduler *s, const Scheduled *entry, const int32_t *sampled, int count)
{
    Sequence *sequence = entry->sequence;
    if (sequence->state != SEQUENCE_RUNNING) return;
    const int drafts = entry->first + entry->count - sequence->count;
    REQUIRE(count >= 0 && count <= (entry->samples ? 1 + drafts : 0),
            "sequence %d: %d tokens were sampled", sequence->id, count);
    if (s->planner != NULL) s->planner->done(s->planner->context, entry, sampled, count);
    if (count == 0) {
        sequence->computed = least(entry->first + entry->count, sequence->count);
        return;
    }
    sequence->computed = sequence->count + count - 1;
    memcpy(sequence->tokens + sequence->count, sampled, (size_t)count * sizeof *sampled);
    sequence->count += count;
    sequence->drafts = 0;
    if (s->planner == NULL)
        block_table_truncate(s->pool, &sequence->table,
                             sequence->computed);    // of rejected drafts
    if (sequence->count >= sequence->max_count) scheduler_finish(s, sequence);
}

// ---- fork ----

bool scheduler_fork(Scheduler *s, const Sequence *parent, Sequence *child)
{
    REQUIRE(child->count > parent->computed &&
                memcmp(child->tokens, parent->tokens,
                       (size_t)parent->computed * sizeof *parent->tokens) == 0,
            "sequence %d does not begin as sequence %d", child->id, parent->id);
    if (child->state == SEQUENCE_RUNNING) send_back(s, child);
    else if (child->state == SEQUENCE_NEW) {
        child->domain = parent->domain;
        child->rank = parent->rank;
        if (!enqueue(s, child)) return false;
    }
    emit(s, EVENT_FORKED, child, parent->id, 0);
    if (parent->state != SEQUENCE_RUNNING || s->running_count == s->options.max_running)
        return true;
    if (s->planner != NULL) s->planner->fork(s->planner->context, parent, child);
    else block_table_fork(s->pool, &child->table, &parent->table);
    child->computed = parent->computed;
    if (s->options.worst_case && scheduler_reserved(s) + reserved_for(s, child) > s->pool->idle) {
        block_table_truncate(s->pool, &child->table, 0);
        child->computed = 0;
        return true;
    }
    waiting_remove(&s->waiting, child);
    add_running(s, child);
    return true;
}
