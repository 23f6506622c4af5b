#include "labs/2_core/mdp/worlds/world.h"
#include <limits.h>
#include <string.h>
#include "common/nearest.h"
#include "common/text.h"

// ---- building ----

typedef struct Draft {
    int row, next;    // row: state * actions + action
    double probability, reward;
} Draft;

WorldBuilder builder_begin(Arena *arena, const char *name, const char *title, const char *source,
                           int states, int actions, double discount)
{
    WorldBuilder b = {.arena = arena, .world = arena_zeros(arena, sizeof *b.world)};
    size_t n = (size_t)states;
    REQUIRE(states > 0 && actions > 0 && states < INT_MAX / actions, "%d states, %d actions",
            states, actions);
    b.terminal = arena_zeros(arena, n * sizeof *b.terminal);
    b.starts = arena_zeros(arena, n * sizeof *b.starts);
    *b.world = (World){
        .name = name,
        .title = title,
        .source = source,
        .mdp = {.states = states, .actions = actions, .terminal = b.terminal, .discount = discount},
        .state_names = arena_zeros(arena, n * sizeof(char *)),
        .start_count = 1,
        .starts = b.starts};
    return b;
}

void builder_add(WorldBuilder *b, int state, int action, int next, double probability,
                 double reward)
{
    const Mdp *mdp = &b->world->mdp;
    REQUIRE(state >= 0 && state < mdp->states && action >= 0 && action < mdp->actions &&
                next >= 0 && next < mdp->states,
            "state %d, action %d, next %d; expected less than %d, %d", state, action, next,
            mdp->states, mdp->actions);
    if (b->count == b->room) {
        size_t room = b->room > 0 ? 2 * b->room : 256;
        Draft *more = arena_alloc(b->arena, room * sizeof *more);
        if (b->count > 0) memcpy(more, b->drafts, b->count * sizeof *more);
        b->drafts = more;
        b->room = room;
    }
    REQUIRE(b->count < INT_MAX, "more than %d outcomes", INT_MAX);
    b->drafts[b->count++] = (Draft){state * mdp->actions + action, next, probability, reward};
}

void builder_actions(WorldBuilder *b, const char *const *names, const char *const *arrows)
{
    size_t bytes = (size_t)b->world->mdp.actions * sizeof(char *);
    b->world->action_names = arena_alloc(b->arena, bytes);
    b->world->arrows = arena_alloc(b->arena, bytes);
    memcpy(b->world->action_names, names, bytes);
    memcpy(b->world->arrows, arrows, bytes);
}

// The drafts sorted by row, in their order within each.
static Draft *by_row(const WorldBuilder *b, int *first, size_t rows)
{
    Draft *sorted = arena_alloc(b->arena, (b->count + 1) * sizeof *sorted);
    int *at = arena_alloc(b->arena, rows * sizeof *at);
    for (size_t i = 0; i < b->count; i++) first[b->drafts[i].row + 1]++;
    for (size_t r = 0; r < rows; r++) first[r + 1] += at[r] = first[r];
    for (size_t i = 0; i < b->count; i++) sorted[at[b->drafts[i].row]++] = b->drafts[i];
    return sorted;
}

World *builder_end(WorldBuilder *b)
{
    Mdp *mdp = &b->world->mdp;
    size_t rows = (size_t)mdp->states * (size_t)mdp->actions;
    int *first = arena_zeros(b->arena, (rows + 1) * sizeof *first);
    // Where the latest outcome to this state stands, plus 1: of an earlier row, if below this one's.
    int *latest = arena_zeros(b->arena, (size_t)mdp->states * sizeof *latest), kept = 0;
    Transition *outcomes = arena_alloc(b->arena, (b->count + 1) * sizeof *outcomes);
    const Draft *draft = by_row(b, first, rows);
    for (size_t r = 0; r < rows; r++) {
        int count = first[r + 1] - first[r];
        first[r] = kept;
        for (; count > 0; count--, draft++) {
            int same = latest[draft->next] - 1;
            if (same >= first[r] && outcomes[same].reward == draft->reward)
                outcomes[same].probability += draft->probability;
            else {
                outcomes[kept++] = (Transition){draft->next, draft->probability, draft->reward};
                latest[draft->next] = kept;
            }
        }
    }
    first[rows] = kept;
    mdp->first = first;
    mdp->outcomes = outcomes;
    for (int s = 0; s < mdp->states; s++)
        if (b->world->state_names[s] == NULL)
            b->world->state_names[s] = arena_print(b->arena, "%d", s);
    return b->world;
}

// ---- by name ----

#define X(name) #name,
static const char *const NAMES[] = {WORLD_LIST(X)};
#undef X
#define X(name) world_##name,
static World *(*const MAKERS[])(Arena *) = {WORLD_LIST(X)};
#undef X
enum { WORLDS = sizeof NAMES / sizeof *NAMES };

const char *world_names(Arena *arena)
{
    const char *all = NAMES[0];
    for (int w = 1; w < WORLDS; w++) all = arena_print(arena, "%s, %s", all, NAMES[w]);
    return all;
}

World *world_named(Arena *arena, const char *name, Error *err)
{
    for (int w = 0; w < WORLDS; w++)
        if (strcmp(NAMES[w], name) == 0) return MAKERS[w](arena);
    const char *near = nearest(name, NAMES, WORLDS);
    if (near != NULL) error_set(err, "no world '%s'; did you mean '%s'?", name, near);
    else
        error_set(err, "no world '%s'; expected a file that ends in .json, or one of %s", name,
                  world_names(arena));
    return NULL;
}

// ---- at random ----

World *world_random(Arena *arena, int states, int actions, int successors, uint64_t seed)
{
    size_t rows = (size_t)states * (size_t)actions, count = rows * (size_t)successors;
    REQUIRE(states > 0 && actions > 0 && successors > 0 && count < INT_MAX,
            "%d states, %d actions, %d successors: more than %d outcomes", states, actions,
            successors, INT_MAX);
    World *world = arena_zeros(arena, sizeof *world);
    int *first = arena_alloc(arena, (rows + 1) * sizeof *first);
    Transition *outcomes = arena_alloc(arena, count * sizeof *outcomes);
    bool *terminal = arena_zeros(arena, (size_t)states * sizeof *terminal);
    Rng rng = rng_stream(seed, 0x3D9);
    for (size_t r = 0; r < rows; r++) {
        Transition *row = outcomes + r * (size_t)successors;
        double sum = 0, reward = (double)rng_uniform(&rng);
        first[r] = (int)(r * (size_t)successors);
        for (int k = 0; k < successors; k++) {
            row[k] = (Transition){(int)rng_below(&rng, (uint32_t)states),
                                  1 - (double)rng_uniform(&rng), reward};
            sum += row[k].probability;
        }
        for (int k = 0; k < successors; k++) row[k].probability /= sum;
    }
    first[rows] = (int)count;
    const char **names = arena_alloc(arena, (size_t)states * sizeof *names);
    const char **action_names = arena_alloc(arena, (size_t)actions * sizeof *action_names);
    for (int s = 0; s < states; s++) names[s] = arena_print(arena, "%d", s);
    for (int a = 0; a < actions; a++) action_names[a] = arena_print(arena, "%d", a);
    *world = (World){
        .name = "random",
        .state_names = names,
        .action_names = action_names,
        .arrows = action_names,
        .title = arena_print(arena, "Random sparse MDP: %d state%s, %d action%s, %d successor%s",
                             states, text_plural(states), actions, text_plural(actions), successors,
                             text_plural(successors)),
        .source = "drawn at random",
        .mdp = {states, actions, first, outcomes, terminal, 0.95},
        .start_count = 1,
        .starts = arena_zeros(arena, sizeof(int))};
    return world;
}
