/* world.h -- a Markov decision process with names for its states and actions, and a map to draw.
 *
 *     World *world = world_named(keep, "cliff", &err);          // as published
 *     World *mine = world_load(keep, "my world.json", &err);    // a user's own
 *     if (!world_check(keep, mine, &err)) return error_report(&err);
 *     int s = world_start(world, &rng);
 *     while (!world->mdp.terminal[s]) s = mdp_step(&world->mdp, s, policy[s], &rng, &reward);
 *
 * A world and all it holds live in the arena. Only the discount is the caller's to change.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "labs/2_core/mdp/model.h"

typedef struct World {
    const char *name, *title;
    const char *source;    // where it was published
    Mdp mdp;
    const char **state_names;     // [states]
    const char **action_names;    // [actions]
    const char **arrows;          // [actions]: as short as can be, for a map: "^", "-3"
    int start_count;
    const int *starts;     // [start_count]: each is as likely
    int rows, columns;     // of the map; 0 where there is none
    const int *cells;      // [rows,columns]: the state there, or -1
    const char *map;       // [rows*columns]: '#' for a wall; NULL for none
    const char **notes;    // what the reader of a file had to decide; NULL ends them, NULL for none
} World;

// NULL, and which there are, when there is none of this name.
World *world_named(Arena *arena, const char *name, Error *err);
const char *world_names(Arena *arena);    // "student, student_mdp, ..."

// A user's own, from JSON: worlds/README.md describes the fields. NULL and one sentence when it is none.
World *world_load(Arena *arena, const char *path, Error *err);
World *world_parse(Arena *arena, const char *text, size_t bytes, const char *where, Error *err);

// Whether its values are defined: with a discount of 1 an end can be reached from every state; an end
// that exists can be reached from the start.
bool world_check(Arena *arena, const World *world, Error *err);

// The first terminal state that no start leads to; -1: there is none.
int world_unreachable(Arena *arena, const World *world);

// Each action leads to `successors` states drawn at random, with random probabilities, and has a reward
// in [0,1). states*actions*successors < 2^31.
World *world_random(Arena *arena, int states, int actions, int successors, uint64_t seed);

static inline int world_start(const World *world, Rng *rng)
{
    return world->start_count == 1 ? world->starts[0]
                                   : world->starts[rng_below(rng, (uint32_t)world->start_count)];
}

// ---- for those that make a world ----

// Outcomes in any order; sizes are known from the start.
typedef struct WorldBuilder {
    Arena *arena;
    World *world;
    bool *terminal;
    int *starts;
    struct Draft *drafts;
    size_t count, room;
} WorldBuilder;

WorldBuilder builder_begin(Arena *arena, const char *name, const char *title, const char *source,
                           int states, int actions, double discount);
// An outcome that was added before, to the same state with the same reward, becomes more probable.
void builder_add(WorldBuilder *builder, int state, int action, int next, double probability,
                 double reward);
// Without names, and for each that is NULL, the states are called by their numbers.
void builder_actions(WorldBuilder *builder, const char *const *names, const char *const *arrows);
World *builder_end(WorldBuilder *builder);

// The worlds, each with its discount as published.
#define WORLD_LIST(X)                                                                              \
    X(student)                                                                                     \
    X(student_mdp)                                                                                 \
    X(gridworld4)                                                                                  \
    X(gridworld5)                                                                                  \
    X(aima)                                                                                        \
    X(windy)                                                                                       \
    X(windy_king)                                                                                  \
    X(cliff)                                                                                       \
    X(maze)                                                                                        \
    X(walk5)                                                                                       \
    X(walk19)                                                                                      \
    X(gambler)                                                                                     \
    X(rental)                                                                                      \
    X(frozenlake4)                                                                                 \
    X(frozenlake8)                                                                                 \
    X(frozenlake4_dry)                                                                             \
    X(taxi)
#define X(name) World *world_##name(Arena *arena);
WORLD_LIST(X)
#undef X
