/* queue.h -- states by priority, for prioritized sweeping: a heap that knows where each state is.
 *
 *     MdpQueue queue = mdp_queue_new(keep, &mdp);
 *     mdp_queue_set(&queue, 7, 0.25);         // puts state 7 in, or changes its priority
 *     int state = mdp_queue_pop(&queue);      // takes out the one of highest priority; -1: empty
 *     for (int i = queue.first[state]; i < queue.end[state]; i++)
 *         update(queue.from[i]);              // the states from which an action can lead to it
 *
 * Of equal priorities the state with the lower number comes first.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

typedef struct MdpQueue {
    int *heap, *place;    // [states]: the states in it; where a state is in it, -1: not there
    double *priority;     // [states]
    int count;
    int *first, *end, *from;    // predecessors of s: from[first[s]] .. from[end[s] - 1], ascending
} MdpQueue;

static inline bool mdp_queue_before(const MdpQueue *queue, int a, int b)
{
    double p = queue->priority[a], q = queue->priority[b];
    return p > q || (p == q && a < b);
}

// Moves the state up or down from place i to where it belongs.
static inline void mdp_queue_move(MdpQueue *queue, int state, int i)
{
    for (int up; i > 0 && mdp_queue_before(queue, state, queue->heap[up = (i - 1) / 2]); i = up)
        queue->place[queue->heap[i] = queue->heap[up]] = i;
    for (int down; (down = 2 * i + 1) < queue->count; i = down) {
        if (down + 1 < queue->count &&
            mdp_queue_before(queue, queue->heap[down + 1], queue->heap[down]))
            down++;
        if (mdp_queue_before(queue, state, queue->heap[down])) break;
        queue->place[queue->heap[i] = queue->heap[down]] = i;
    }
    queue->place[queue->heap[i] = state] = i;
}

static inline void mdp_queue_set(MdpQueue *queue, int state, double priority)
{
    queue->priority[state] = priority;
    int i = queue->place[state] >= 0 ? queue->place[state] : queue->count++;
    mdp_queue_move(queue, state, i);
}

static inline int mdp_queue_pop(MdpQueue *queue)
{
    if (queue->count == 0) return -1;
    int state = queue->heap[0], last = queue->heap[--queue->count];
    queue->place[state] = -1;
    if (last != state) mdp_queue_move(queue, last, 0);
    return state;
}

// Empty, with the predecessors of all states; a terminal state precedes none.
static inline MdpQueue mdp_queue_new(Arena *arena, const Mdp *mdp)
{
    size_t states = (size_t)mdp->states,
           outcomes = (size_t)mdp->first[states * (size_t)mdp->actions];
    MdpQueue queue = {.heap = arena_alloc(arena, states * sizeof(int)),
                      .place = arena_alloc(arena, states * sizeof(int)),
                      .priority = arena_alloc(arena, states * sizeof(double)),
                      .first = arena_zeros(arena, (states + 1) * sizeof(int)),
                      .end = arena_alloc(arena, states * sizeof(int)),
                      .from = arena_alloc(arena, (outcomes + 1) * sizeof(int))};
    for (size_t i = 0; i < outcomes; i++) queue.first[mdp->outcomes[i].next + 1]++;
    for (size_t s = 0; s < states; s++) {
        queue.place[s] = -1;
        queue.first[s + 1] += queue.first[s];
        queue.end[s] = queue.first[s];
    }
    for (int s = 0; s < mdp->states; s++) {
        const int *row = mdp->first + (size_t)s * (size_t)mdp->actions;
        for (int i = row[0]; i < row[mdp->actions] && !mdp->terminal[s]; i++) {
            int next = mdp->outcomes[i].next, end = queue.end[next];
            if (end == queue.first[next] || queue.from[end - 1] != s)
                queue.from[queue.end[next]++] = s;
        }
    }
    return queue;
}
