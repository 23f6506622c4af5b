#include "labs/2_core/mdp/worlds/world.h"

// The states from which `marked` ones can be reached are marked too: a search against the outcomes.
static void mark_ways_to(Arena *arena, const Mdp *mdp, bool *marked)
{
    size_t n = (size_t)mdp->states;
    int *from = arena_zeros(arena, (n + 2) * sizeof *from);    // of each state: who leads there
    int *queue = arena_alloc(arena, n * sizeof *queue), head = 0, tail = 0;
    int *source =
        arena_alloc(arena, ((size_t)mdp->first[n * (size_t)mdp->actions] + 1) * sizeof(int));
    for (int pass = 0; pass < 2; pass++) {
        for (int s = 0; s < mdp->states; s++) {
            int i = mdp->first[(size_t)s * (size_t)mdp->actions];
            int end = mdp->first[((size_t)s + 1) * (size_t)mdp->actions];
            for (; i < end && !mdp->terminal[s]; i++) {
                int next = mdp->outcomes[i].next;
                if (pass == 0) from[next + 2]++;
                else source[from[next + 1]++] = s;
            }
        }
        for (size_t s = 0; pass == 0 && s < n; s++) from[s + 2] += from[s + 1];
    }
    for (int s = 0; s < mdp->states; s++)
        if (marked[s]) queue[tail++] = s;
    while (head < tail) {
        int s = queue[head++];
        for (int i = from[s]; i < from[s + 1]; i++)
            if (!marked[source[i]]) {
                marked[source[i]] = true;
                queue[tail++] = source[i];
            }
    }
}

bool world_check(Arena *arena, const World *world, Error *err)
{
    const Mdp *mdp = &world->mdp;
    size_t n = (size_t)mdp->states;
    bool *ends = arena_zeros(arena, n), can_end = false;
    int terminal = 0, stuck = -1;
    for (int s = 0; s < mdp->states; s++) terminal += ends[s] = mdp->terminal[s];
    if (terminal == mdp->states)
        return error_set(err,
                         "%s: every state is terminal, expected one with an action that leads on",
                         world->name);
    if (terminal == 0 && mdp->discount == 1)
        return error_set(err,
                         "%s: the discount is 1 and no state is terminal: returns are unbounded; "
                         "expected a discount below 1 or a transition with \"done\"",
                         world->name);
    if (terminal == 0) return true;
    mark_ways_to(arena, mdp, ends);
    for (int s = mdp->states - 1; s >= 0; s--)
        if (!ends[s]) stuck = s;
    if (stuck >= 0 && mdp->discount == 1)
        return error_set(err,
                         "%s: the discount is 1 and no terminal state can be reached from '%.80s': "
                         "its return is unbounded; expected a way to an end or a discount below 1",
                         world->name, world->state_names[stuck]);
    for (int i = 0; i < world->start_count; i++) can_end = can_end || ends[world->starts[i]];
    return can_end || error_set(err,
                                "%s: no terminal state can be reached from the start '%.80s'; "
                                "expected a way there, or no terminal state",
                                world->name, world->state_names[world->starts[0]]);
}
