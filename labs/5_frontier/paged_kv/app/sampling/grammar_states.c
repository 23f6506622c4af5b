/* grammar_states.c -- where the machine may be after some bytes: stacks of calls, and states that are made when they
 * are first met.
 */
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/sampling/grammar_parts.h"

static uint64_t mix(uint64_t hash, int value)
{
    hash = (hash ^ (uint64_t)(uint32_t)value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

// ---- stacks ----

// Twice the size and empty, where a table is half full. False: as it was.
static bool grow(Grammar *g, int32_t **table, int *size, int count)
{
    if (2 * (count + 1) < *size) return false;
    int32_t *larger = grammar_table_new(2 * *size);
    if (larger == NULL) {
        g->no_memory = true;
        return false;
    }
    free(*table);
    *table = larger;
    *size *= 2;
    return true;
}

static int frame_slot(const Grammar *g, int node, int below)
{
    const uint64_t mask = (uint64_t)g->frame_table_size - 1;
    uint64_t at = mix(mix(1, node), below) & mask;
    for (; g->frame_table[at] >= 0; at = (at + 1) & mask) {
        const Frame *frame = &frames_of(g)[g->frame_table[at]];
        if (frame->node == node && frame->below == below) break;
    }
    return (int)at;
}

// The stack with one more call; -1 where it is too deep, or there is no memory.
static int push(Grammar *g, int node, int below)
{
    const int depth = frames_of(g)[below].depth + 1;
    if (depth > GRAMMAR_DEPTH_MAX) return -1;
    const int there = g->frame_table[frame_slot(g, node, below)];
    if (there >= 0) return there;
    if (grow(g, &g->frame_table, &g->frame_table_size, g->frames.count))
        for (int i = 1; i < g->frames.count; i++) {
            const Frame *frame = &frames_of(g)[i];
            g->frame_table[frame_slot(g, frame->node, frame->below)] = i;
        }
    const int made =
        g->no_memory ? -1
                     : grammar_list_add(g, &g->frames, &(Frame){node, below, depth}, sizeof(Frame));
    if (made >= 0) g->frame_table[frame_slot(g, node, below)] = made;
    return made;
}

// ---- states ----

static bool is_listed(const List *list, int first, Place place)
{
    const Place *places = list->items;
    for (int i = first; i < list->count; i++)
        if (places[i].node == place.node && places[i].stack == place.stack) return true;
    return false;
}

// Adds the places that are reached without a byte to those from `first` on.
static void reach(Grammar *g, int node, int stack, int first)
{
    for (;;) {
        const Node n = nodes_of(g)[node];
        switch (n.kind) {
        case NODE_SPLIT:
            reach(g, n.other, stack, first);
            node = n.next;
            continue;
        case NODE_CALL:
            // A rule that calls itself before any byte: once is enough.
            if (is_listed(&g->calls, 0, (Place){node, stack})) return;
            grammar_list_add(g, &g->calls, &(Place){node, stack}, sizeof(Place));
            if (nodes_of(g)[n.next].kind != NODE_RETURN) stack = push(g, n.next, stack);
            if (stack < 0) return;
            node = ((int *)g->rules.items)[n.other];
            continue;
        case NODE_RETURN:
            if (stack != BOTTOM) {
                node = frames_of(g)[stack].node;
                stack = frames_of(g)[stack].below;
                continue;
            }
            node = AT_END;
            break;
        case NODE_BYTES: break;
        }
        if (!is_listed(&g->places, first, (Place){node, stack}))
            grammar_list_add(g, &g->places, &(Place){node, stack}, sizeof(Place));
        return;
    }
}

static uint64_t hash_of(const Place *places, int count)
{
    uint64_t hash = 2;
    for (int i = 0; i < count; i++) hash = mix(mix(hash, places[i].node), places[i].stack);
    return hash;
}

static int state_slot(const Grammar *g, const Place *places, int count)
{
    const uint64_t mask = (uint64_t)g->state_table_size - 1;
    uint64_t at = hash_of(places, count) & mask;
    for (; g->state_table[at] >= 0; at = (at + 1) & mask) {
        const State *state = &states_of(g)[g->state_table[at]];
        if (state->count == count &&
            memcmp(places_of(g) + state->first, places, (size_t)count * sizeof *places) == 0)
            break;
    }
    return (int)at;
}

static int compare(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    return x->node != y->node ? (x->node > y->node) - (x->node < y->node)
                              : (x->stack > y->stack) - (x->stack < y->stack);
}

// A state's number; it takes the places from `first` on. GRAMMAR_NO_MEMORY: all is as it was.
static int add_state(Grammar *g, int first, int count)
{
    State state = {.first = first, .count = count, .ends = places_of(g)[first].node == AT_END};
    if (grow(g, &g->state_table, &g->state_table_size, g->states.count))
        for (int i = 0; i < g->states.count; i++) {
            const State *s = &states_of(g)[i];
            g->state_table[state_slot(g, places_of(g) + s->first, s->count)] = i;
        }
    state.next = g->no_memory ? NULL : malloc(256 * sizeof *state.next);
    for (int c = 0; c < 256 && state.next != NULL; c++) state.next[c] = UNKNOWN;
    const int made =
        state.next != NULL ? grammar_list_add(g, &g->states, &state, sizeof state) : -1;
    if (made < 0) {
        free(state.next);
        return GRAMMAR_NO_MEMORY;
    }
    g->state_table[state_slot(g, places_of(g) + first, count)] = made;
    return made;
}

// The state of the places from `first` on, which go if there is such a state already.
static int intern(Grammar *g, int first)
{
    const int count = g->places.count - first;
    int state = GRAMMAR_DEAD;
    if (g->no_memory) state = GRAMMAR_NO_MEMORY;
    else if (count > 0) {
        Place *places = places_of(g) + first;
        qsort(places, (size_t)count, sizeof *places, compare);
        const int there = g->state_table[state_slot(g, places, count)];
        if (there >= 0) state = there;
        else if (g->states.count < GRAMMAR_STATES_MAX) {
            state = add_state(g, first, count);
            if (state >= 0) return state;
        }
    }
    g->places.count = first;
    return state;
}

int grammar_begin(Grammar *g)
{
    const int first = g->places.count;
    g->calls.count = 0;
    g->no_memory = false;
    reach(g, g->start, BOTTOM, first);
    return intern(g, first);
}

static int make_step(Grammar *g, int state, uint8_t byte)
{
    const State from = states_of(g)[state];
    const int first = g->places.count;
    g->calls.count = 0;
    g->no_memory = false;
    for (int i = 0; i < from.count; i++) {
        const Place place = places_of(g)[from.first + i];
        if (place.node == AT_END) continue;
        const Node node = nodes_of(g)[place.node];
        const ByteSet *set = (const ByteSet *)g->sets.items + node.other;
        if (set->bits[byte / 64] >> byte % 64 & 1) reach(g, node.next, place.stack, first);
    }
    return intern(g, first);
}

int grammar_step(Grammar *g, int state, uint8_t byte)
{
    if (state < 0) return state;
    int next = states_of(g)[state].next[byte];
    if (next == UNKNOWN) {
        next = make_step(g, state, byte);
        if (next != GRAMMAR_NO_MEMORY) states_of(g)[state].next[byte] = next;
    }
    return next;
}

bool grammar_ends(const Grammar *g, int state)
{
    return state >= 0 && states_of(g)[state].ends;
}

int grammar_states(const Grammar *g)
{
    return g->states.count;
}
