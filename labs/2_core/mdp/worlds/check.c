#include "labs/2_core/mdp/worlds/world.h"

// Marks too what is reached from the marked states along the outcomes; when `back` against them: the
// states from which a marked one can be reached.
static void spread(Arena *arena, const Mdp *mdp, bool *marked, bool back)
{
    size_t n = (size_t)mdp->states;
    int *first = arena_zeros(arena, (n + 2) * sizeof *first);
    int *queue = arena_alloc(arena, n * sizeof *queue), head = 0, tail = 0;
    int *to = arena_alloc(arena, ((size_t)mdp->first[n * (size_t)mdp->actions] + 1) * sizeof *to);
    for (int pass = 0; pass < 2; pass++) {
        for (int s = 0; s < mdp->states; s++) {
            int i = mdp->first[(size_t)s * (size_t)mdp->actions];
            int end = mdp->first[((size_t)s + 1) * (size_t)mdp->actions];
            for (; i < end && !mdp->terminal[s]; i++) {
                int next = mdp->outcomes[i].next, from = back ? next : s;
                if (pass == 0) first[from + 2]++;
                else to[first[from + 1]++] = back ? s : next;
            }
        }
        for (size_t s = 0; pass == 0 && s < n; s++) first[s + 2] += first[s + 1];
    }
    for (int s = 0; s < mdp->states; s++)
        if (marked[s]) queue[tail++] = s;
    while (head < tail) {
        int s = queue[head++];
        for (int i = first[s]; i < first[s + 1]; i++)
            if (!marked[to[i]]) {
                marked[to[i]] = true;
                queue[tail++] = to[i];
            }
    }
}

int world_unreachable(Arena *arena, const World *world)
{
    const Mdp *mdp = &world->mdp;
    bool *reached = arena_zeros(arena, (size_t)mdp->states);
    for (int i = 0; i < world->start_count; i++) reached[world->starts[i]] = true;
    spread(arena, mdp, reached, false);
    for (int s = 0; s < mdp->states; s++)
        if (mdp->terminal[s] && !reached[s]) return s;
    return -1;
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
    spread(arena, mdp, ends, true);
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
