#include "labs/5_frontier/paged_kv/app/replay/sharing.h"
#include <stdlib.h>
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"

enum { MAX_WIDTH = 16 };

typedef struct Group {
    Scheduler *scheduler;
    Sequence *members[MAX_WIDTH];
    int width, next_id;
    Rng rng;
    int64_t total, held;    // blocks, summed over steps
} Group;

static Sequence *child_of(Group *g, const Sequence *parent)
{
    const int count = parent->computed + 1;
    Sequence *child = sequence_new(g->next_id++, parent->tokens, count, parent->max_count,
                                   g->scheduler->pool->block_size);
    REQUIRE(child != NULL, "no memory for %d tokens", parent->max_count);
    child->tokens[count - 1] = g->next_id;    // differs from its siblings
    REQUIRE(scheduler_fork(g->scheduler, parent, child), "no memory for a fork");
    return child;
}

// The number of new beams that continue each old one: each chooses its parent uniformly. A model's beam search hardly
// differs: the engine's on stories260k, prompts of 161 tokens and outputs of 338, saved 48.2, 72.5 and 80.3 % of the
// blocks with 2, 4 and 6 beams, and this 48.1, 71.9 and 79.8 %.
static void draw_parents(Group *g, int *children)
{
    for (int i = 0; i < g->width; i++) children[i] = 0;
    for (int i = 0; i < g->width; i++) children[rng_below(&g->rng, (uint32_t)g->width)]++;
}

// A parent becomes its own first child; the other children take the places of cancelled beams.
static void replace_beams(Group *g)
{
    int children[MAX_WIDTH];
    draw_parents(g, children);
    int parent = 0;
    for (int i = 0; i < g->width; i++) {
        if (children[i] > 0) continue;
        while (children[parent] < 2) parent++;
        scheduler_cancel(g->scheduler, g->members[i]);
        sequence_free(g->members[i]);
        g->members[i] = child_of(g, g->members[parent]);
        children[parent]--;
        children[i] = 1;
    }
}

// False: all are finished.
static bool step(Group *g)
{
    const Scheduled *list;
    const int count = scheduler_step(g->scheduler, &list);
    for (int i = 0; i < count; i++) {
        g->next_id++;
        scheduler_done(g->scheduler, &list[i], &g->next_id, list[i].samples ? 1 : 0);
    }
    return !scheduler_is_idle(g->scheduler);
}

static void serve(Group *g, const Request *request, Sharing how)
{
    Error err;
    int32_t *prompt = malloc((size_t)request->prompt * sizeof *prompt);
    REQUIRE(prompt != NULL, "no memory for %d tokens", request->prompt);
    for (int i = 0; i < request->prompt; i++) prompt[i] = request_token(request, i);
    Sequence *first =
        sequence_new(g->next_id++, prompt, request->prompt, request->prompt + request->output + 1,
                     g->scheduler->pool->block_size);
    free(prompt);
    REQUIRE(first != NULL && scheduler_submit(g->scheduler, first, &err), "%s", err.message);
    g->members[0] = first;
    bool going = step(g);
    for (int i = 1; i < g->width; i++) g->members[i] = child_of(g, first);
    while (going) {
        going = step(g);
        for (int i = 0; i < g->width; i++) g->total += g->members[i]->table.count;
        g->held += g->scheduler->pool->blocks - g->scheduler->pool->idle;
        if (going && how == SHARE_BEAM) replace_beams(g);
    }
    for (int i = 0; i < g->width; i++) sequence_free(g->members[i]);
}

double sharing_saved(const Trace *trace, int width, Sharing how, int block_size, uint64_t seed)
{
    REQUIRE(width >= 2 && width <= MAX_WIDTH, "%d continuations", width);
    int longest = 1;
    for (int i = 0; i < trace->count; i++) {
        const int tokens = trace->requests[i].prompt + trace->requests[i].output + 1;
        if (tokens > longest) longest = tokens;
    }
    Arena *arena = arena_new("sharing", 1u << 30);
    BlockPool pool = block_pool_new(arena, width * (longest / block_size + 2), block_size, NULL);
    Group g = {.width = width, .rng = rng_from_seed(seed)};
    g.scheduler =
        scheduler_open(&pool, (SchedulerOptions){.budget = longest + width, .max_running = width});
    REQUIRE(g.scheduler != NULL, "no memory for a scheduler");
    for (int i = 0; i < trace->count; i++) serve(&g, &trace->requests[i], how);
    scheduler_close(g.scheduler);
    arena_free(arena);
    return 1 - (double)g.held / (double)g.total;
}
