#include "labs/2_core/mdp/story.h"

const World *story_world(Arena *arena, const char *name)
{
    Error err;
    const World *world = world_named(arena, name, &err);
    REQUIRE(world != NULL, "%s", err.message);
    return world;
}

double *story_zeros(Arena *arena, int states, int actions)
{
    return arena_zeros(arena, (size_t)states * (size_t)actions * sizeof(double));
}

double *story_greedy(Arena *arena, const Mdp *mdp, const double *values)
{
    double *policy = story_zeros(arena, mdp->states, mdp->actions);
    for (int s = 0; s < mdp->states; s++) {
        double *row = policy + (size_t)s * (size_t)mdp->actions;
        if (mdp->terminal[s]) continue;
        for (int a = 0; a < mdp->actions; a++) row[a] = mdp_backup(mdp, values, s, a);
        mdp_greedy(row, row, mdp->actions, 0);
    }
    return policy;
}

double *story_greedy_q(Arena *arena, const Mdp *mdp, const double *q, double *values)
{
    double *policy = story_zeros(arena, mdp->states, mdp->actions);
    for (int s = 0; s < mdp->states; s++) {
        size_t row = (size_t)s * (size_t)mdp->actions;
        values[s] = 0;
        if (mdp->terminal[s]) continue;
        mdp_greedy(policy + row, q + row, mdp->actions, 0);
        values[s] = q[row];
        for (int a = 1; a < mdp->actions; a++) values[s] = fmax(values[s], q[row + (size_t)a]);
    }
    return policy;
}

double *story_random_policy(Arena *arena, const Mdp *mdp)
{
    double *policy = story_zeros(arena, mdp->states, mdp->actions);
    for (int s = 0; s < mdp->states; s++) {
        double *row = policy + (size_t)s * (size_t)mdp->actions;
        int allowed = 0;
        for (int a = 0; a < mdp->actions; a++) allowed += mdp_allowed(mdp, s, a);
        for (int a = 0; a < mdp->actions; a++)
            if (mdp_allowed(mdp, s, a)) row[a] = 1.0 / allowed;
    }
    return policy;
}

double *story_action_values(Arena *arena, const Mdp *mdp)
{
    double *q = story_zeros(arena, mdp->states, mdp->actions);
    for (int s = 0; s < mdp->states; s++)
        for (int a = 0; a < mdp->actions; a++)
            if (!mdp->terminal[s] && !mdp_allowed(mdp, s, a))
                q[(size_t)s * (size_t)mdp->actions + (size_t)a] = -INFINITY;
    return q;
}

MdpEpisode story_episode(Arena *arena, size_t limit)
{
    return (MdpEpisode){.states = arena_alloc(arena, (limit + 1) * sizeof(int)),
                        .actions = arena_alloc(arena, limit * sizeof(int)),
                        .rewards = arena_alloc(arena, limit * sizeof(double)),
                        .limit = limit};
}

void story_map(const World *world, const double *values, const double *policy)
{
    Console console = console_begin();
    draw_map(&console, world, values, policy);
}
