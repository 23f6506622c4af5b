// planner.c -- the learner's memory and schedule in the place of scheduler.c's. The lab's pool shares the
// reference counts and the free list with the engine's, which is laid out alike: whoever looks at the
// engine sees the learner's blocks. The reference does the same on a pool of its own.
#include <stdlib.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/mine/guard.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/mine/reference.h"
#include "labs/5_frontier/paged_kv/app/mine/state.h"

// A sequence as the lab knows it.
typedef struct Plan {
    KvRequest own, right;
} Plan;

typedef struct Plans {
    Planner planner;
    BlockPool *blocks;
    KvPool own, right;
    int most;                          // sequences of a step
    Sequence **list;                   // [most], by rank
    KvRequest *requests, *expected;    // [most], theirs
    Sequence **waiting;                // [room], by rank
    int room;
    Arena *arena;
} Plans;

static Plan *plan_of(Sequence *s)
{
    if (s->plan != NULL) return s->plan;
    const size_t tokens = (size_t)s->max_count + 1, entries = (size_t)s->table.room;
    Plan *plan = calloc(1, sizeof *plan + (2 * tokens + entries) * sizeof(int32_t));
    REQUIRE(plan != NULL, "no memory for a request of %zu tokens", tokens);
    int32_t *at = (int32_t *)(plan + 1);
    plan->own = plan->right = (KvRequest){.salt = (uint64_t)(uint32_t)s->domain};
    plan->own.ids = at;
    plan->right.ids = at + tokens;
    plan->own.table.block = s->table.blocks;
    plan->right.table.block = at + 2 * tokens;
    s->plan = plan;
    return plan;
}

// After each of the learner's functions: the engine's view, and whether all is as the reference has it.
static void check(Plans *p, const char *exercise, Sequence *s)
{
    char why[STATE_WHY];
    p->blocks->idle = p->own.free;
    if (s != NULL) {
        const Plan *plan = s->plan;
        if (state_requests_differ(&plan->own, &plan->right, why))
            guard_wrong(exercise, "request %d: %s", s->id, why);
        s->table.count = plan->own.table.blocks;
    }
    if (state_pools_differ(&p->own, &p->right, why)) guard_wrong(exercise, "%s", why);
}

// ---- who takes part in a step ----

static int by_rank(const void *a, const void *b)
{
    const Sequence *x = *(Sequence *const *)a, *y = *(Sequence *const *)b;
    return sequence_before(x, y) ? -1 : sequence_before(y, x) ? 1 : 0;
}

// The running ones and as many of those that wait as may run, in order.
static int gather(Plans *p, const Scheduler *s)
{
    const Waiting *w = &s->waiting;
    if (w->count > p->room) {
        p->room = 2 * w->count;
        p->waiting = arena_alloc(p->arena, (size_t)p->room * sizeof *p->waiting);
    }
    for (int i = 0; i < w->count; i++) p->waiting[i] = w->heap[i];
    if (w->count > 1) qsort(p->waiting, (size_t)w->count, sizeof *p->waiting, by_rank);
    int count = s->running_count;
    for (int i = 0; i < count; i++) p->list[i] = s->running[i];
    for (int i = 0; i < w->count && count < p->most; i++) p->list[count++] = p->waiting[i];
    if (count > 1) qsort(p->list, (size_t)count, sizeof *p->list, by_rank);
    return count;
}

// The tokens that the engine knows, drafts included.
static void refresh(KvRequest *r, const Sequence *s)
{
    r->state = s->state == SEQUENCE_RUNNING ? KV_RUNNING : KV_WAITING;
    r->tokens = s->count + s->drafts;
    memcpy(r->ids, s->tokens, (size_t)r->tokens * sizeof *r->ids);
}

// ---- a step ----

static void append(Plans *p, Scheduler *s, Sequence *sequence)
{
    Plan *plan = sequence->plan;
    for (int i = 0; i < plan->own.scheduled; i++) {
        const int token = plan->own.table.tokens;
        KvCopy copy, right_copy;
        int64_t slot;
        GUARDED("append", slot = kv_append(&p->own, &plan->own.table, &copy));
        const int64_t right = reference_append(&p->right, &plan->right.table, &right_copy);
        if (slot != right)
            guard_wrong("append", "request %d, token %d: slot %lld, expected %lld", sequence->id,
                        token, (long long)slot, (long long)right);
        if (copy.from != right_copy.from || copy.to != right_copy.to)
            guard_wrong("copy_on_write", "request %d, token %d: copy %d to %d, expected %d to %d",
                        sequence->id, token, copy.from, copy.to, right_copy.from, right_copy.to);
        check(p, "append", sequence);
        if (copy.from >= 0) scheduler_copy(s, sequence, (BlockCopy){copy.from, copy.to});
    }
    const int first = sequence->computed, count = plan->own.scheduled;
    if (sequence->drafts > 0) sequence->drafts = first + count - sequence->count;
    scheduler_list(s, (Scheduled){.sequence = sequence,
                                  .first = first,
                                  .count = count,
                                  .write = first,
                                  .samples = first + count >= sequence->count});
}

static void schedule(Plans *p, int count, KvLimits limits)
{
    for (int i = 0; i < count; i++) {
        Plan *plan = plan_of(p->list[i]);
        refresh(&plan->own, p->list[i]);
        refresh(&plan->right, p->list[i]);
        p->requests[i] = plan->own;
        p->expected[i] = plan->right;
    }
    int got;
    GUARDED("schedule", got = kv_schedule(&p->own, p->requests, count, limits));
    const int want = reference_schedule(&p->right, p->expected, count, limits);
    for (int i = 0; i < count; i++) {
        Plan *plan = p->list[i]->plan;
        plan->own = p->requests[i];
        plan->right = p->expected[i];
        check(p, "schedule", p->list[i]);
    }
    if (got != want) guard_wrong("schedule", "%d tokens, expected %d", got, want);
}

static void step(void *context, Scheduler *s)
{
    Plans *p = context;
    const SchedulerOptions *o = &s->options;
    const int count = gather(p, s);
    schedule(p, count, (KvLimits){o->budget, o->chunk > 0 ? o->chunk : o->budget});
    for (int i = 0; i < count; i++) {
        Sequence *sequence = p->list[i];
        const KvRequest *r = &((Plan *)sequence->plan)->own;
        const bool ran = sequence->state == SEQUENCE_RUNNING, runs = r->state == KV_RUNNING;
        if (ran && !runs) scheduler_preempt(s, sequence);
        else if (runs && !ran) {
            sequence->computed = r->computed;
            scheduler_admit(s, sequence);
        }
    }
    for (int i = 0; i < count; i++) {
        const KvRequest *r = &((Plan *)p->list[i]->plan)->own;
        if (r->scheduled > 0) append(p, s, p->list[i]);
        else p->list[i]->drafts = 0;
    }
}

// ---- after a step ----

// The blocks behind the first `tokens` tokens, which rejected drafts are in, are given up as a table.
static KvTable cut_off(KvTable *table, int tokens, int block_size)
{
    const int kept = (tokens + block_size - 1) / block_size;
    KvTable tail = {table->block + kept, table->blocks - kept, table->tokens - tokens};
    table->blocks = kept;
    table->tokens = tokens;
    return tail;
}

static void forget_rejected(Plans *p, Sequence *s, int rejected)
{
    Plan *plan = s->plan;
    const int tokens = plan->own.table.tokens - rejected, size = p->own.block_size;
    KvTable own = cut_off(&plan->own.table, tokens, size),
            right = cut_off(&plan->right.table, tokens, size);
    GUARDED("release", kv_release(&p->own, &own));
    reference_release(&p->right, &right);
    check(p, "release", s);
}

static void done(void *context, const Scheduled *entry, const int32_t *sampled, int count)
{
    Plans *p = context;
    Sequence *s = entry->sequence;
    Plan *plan = s->plan;
    const int accepted = count > 0 ? count - 1 : 0,
              drafted = entry->samples ? entry->first + entry->count - s->count : 0;
    const int32_t next = count > 0 ? sampled[accepted] : 0;
    if (drafted > accepted) forget_rejected(p, s, drafted - accepted);
    plan->own.scheduled = plan->right.scheduled = entry->count - (drafted - accepted);
    // A beam that waits for others knows no token yet: as if one were still to be computed.
    const bool waits = entry->samples && count == 0;
    plan->own.tokens = plan->right.tokens = s->count + accepted + waits;
    bool got;
    GUARDED("commit", got = kv_commit(&p->own, &plan->own, next));
    const bool want = reference_commit(&p->right, &plan->right, next);
    if (got != want)
        guard_wrong("commit", "request %d: %s, expected %s", s->id, got ? "true" : "false",
                    want ? "true" : "false");
    check(p, "commit", s);
    if (want && plan->own.ids[plan->own.tokens - 1] != next)
        guard_wrong("commit", "request %d: the token after is %d, expected %d", s->id,
                    plan->own.ids[plan->own.tokens - 1], next);
}

static void fork_of(void *context, const Sequence *parent, Sequence *child)
{
    Plans *p = context;
    const Plan *from = parent->plan;
    Plan *to = plan_of(child);
    kv_fork(&p->own, &to->own.table, &from->own.table);
    reference_fork(&p->right, &to->right.table, &from->right.table);
    to->own.computed = to->right.computed = from->own.computed;
    check(p, "release", child);    // kv_fork() is the lab's
}

static void leave(void *context, Sequence *s, bool for_good)
{
    Plans *p = context;
    Plan *plan = s->plan;
    if (plan == NULL) return;
    if (plan->own.table.blocks > 0) {
        GUARDED("release", kv_release(&p->own, &plan->own.table));
        reference_release(&p->right, &plan->right.table);
        check(p, "release", s);
    }
    s->table.count = 0;
    if (!for_good) return;
    free(plan);
    s->plan = NULL;
}

const Planner *mine_planner(Arena *arena, BlockPool *pool, int sequences)
{
    const size_t most = (size_t)sequences;
    Plans *p = arena_zeros(arena, sizeof *p);
    *p = (Plans){
        .planner = {.context = p, .step = step, .done = done, .fork = fork_of, .leave = leave},
        .blocks = pool,
        .own = state_pool(arena, pool->blocks, pool->block_size),
        .right = state_pool(arena, pool->blocks, pool->block_size),
        .most = sequences,
        .arena = arena,
        .list = arena_zeros(arena, most * sizeof *p->list),
        .requests = arena_zeros(arena, most * sizeof *p->requests),
        .expected = arena_zeros(arena, most * sizeof *p->expected)};
    p->own.count = pool->references;
    p->own.next = pool->after;
    p->own.previous = pool->before;
    kv_pool_clear(&p->own);
    pool->hash = p->own.hash;
    return &p->planner;
}
