#include "labs/5_frontier/paged_kv/app/sampling/grammar.h"
#include <stdlib.h>
#include <string.h>

typedef enum NodeKind { NODE_BYTES, NODE_SPLIT, NODE_CALL, NODE_RETURN } NodeKind;

typedef struct Node {
    NodeKind kind;
    int next;     // of a split: one way
    int other;    // of a split: the other; of a call: the rule; of bytes: the set
} Node;

// Where a call goes on, and below it the calls around it. Equal stacks are the same number.
typedef struct Frame {
    int node, below, depth;
} Frame;
enum { BOTTOM = 0 };    // no call

// One place where the machine may be: at a node of bytes, or at the end of the text.
typedef struct Place {
    int node, stack;
} Place;
enum { AT_END = -1 };

enum { UNKNOWN = -2 };    // a next state that has not been asked for

typedef struct State {
    int first, count;    // of the places
    bool ends;
    int32_t *next;    // [256]: a state, GRAMMAR_DEAD or UNKNOWN
} State;

// A list that grows.
typedef struct List {
    void *items;
    int count, room;
} List;

struct Grammar {
    List nodes, sets, rules, frames, states, places, calls;
    int start;
    bool full;
    bool no_memory;    // in the step at hand: what it found is not all
    // Numbers of frames and of states by their hashes, open addressing; -1: free.
    int32_t *frame_table, *state_table;
    int frame_table_size, state_table_size;
};

// ---- lists and tables ----

// -1: no memory.
static int list_add(Grammar *g, List *list, const void *item, size_t size)
{
    if (list->count == list->room) {
        const int room = 2 * list->room + 64;
        void *items = realloc(list->items, (size_t)room * size);
        if (items == NULL) {
            g->no_memory = true;
            return -1;
        }
        list->items = items;
        list->room = room;
    }
    memcpy((char *)list->items + (size_t)list->count * size, item, size);
    return list->count++;
}

static Node *nodes_of(const Grammar *g)
{
    return g->nodes.items;
}

static Frame *frames_of(const Grammar *g)
{
    return g->frames.items;
}

static State *states_of(const Grammar *g)
{
    return g->states.items;
}

static Place *places_of(const Grammar *g)
{
    return g->places.items;
}

static int32_t *table_new(int size)
{
    int32_t *table = malloc((size_t)size * sizeof *table);
    for (int i = 0; i < size && table != NULL; i++) table[i] = -1;
    return table;
}

static uint64_t mix(uint64_t hash, int value)
{
    hash = (hash ^ (uint64_t)(uint32_t)value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

Grammar *grammar_new(void)
{
    Grammar *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->frame_table = table_new(g->frame_table_size = 256);
    g->state_table = table_new(g->state_table_size = 256);
    if (list_add(g, &g->frames, &(Frame){0}, sizeof(Frame)) >= 0 && g->frame_table != NULL &&
        g->state_table != NULL)
        return g;
    grammar_free(g);
    return NULL;
}

void grammar_free(Grammar *g)
{
    if (g == NULL) return;
    for (int i = 0; i < g->states.count; i++) free(states_of(g)[i].next);
    List *const lists[] = {&g->nodes,  &g->sets,   &g->rules, &g->frames,
                           &g->states, &g->places, &g->calls};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->items);
    free(g->frame_table);
    free(g->state_table);
    free(g);
}

// ---- building ----

static int add_node(Grammar *g, NodeKind kind, int next, int other)
{
    if (g->nodes.count >= GRAMMAR_NODES_MAX) g->full = true;
    const int made =
        g->full ? -1 : list_add(g, &g->nodes, &(Node){kind, next, other}, sizeof(Node));
    g->full = made < 0;
    return g->full ? 0 : made;
}

int grammar_bytes(Grammar *g, ByteSet set, int next)
{
    const ByteSet *sets = g->sets.items;
    int i = 0;
    while (i < g->sets.count && memcmp(&sets[i], &set, sizeof set) != 0) i++;
    if (i == g->sets.count && list_add(g, &g->sets, &set, sizeof set) < 0) g->full = true;
    return add_node(g, NODE_BYTES, next, i);
}

int grammar_range(Grammar *g, int first, int last, int next)
{
    ByteSet set = {{0}};
    for (int c = first; c <= last; c++) set.bits[c / 64] |= (uint64_t)1 << c % 64;
    return grammar_bytes(g, set, next);
}

int grammar_literal(Grammar *g, const char *text, int next)
{
    for (size_t i = strlen(text); i-- > 0;)
        next = grammar_range(g, (uint8_t)text[i], (uint8_t)text[i], next);
    return next;
}

int grammar_split(Grammar *g, int a, int b)
{
    return add_node(g, NODE_SPLIT, a, b);
}

int grammar_call(Grammar *g, int rule, int next)
{
    return add_node(g, NODE_CALL, next, rule);
}

int grammar_return(Grammar *g)
{
    return add_node(g, NODE_RETURN, 0, 0);
}

int grammar_later(Grammar *g)
{
    return add_node(g, NODE_SPLIT, 0, 0);
}

void grammar_set_split(Grammar *g, int later, int a, int b)
{
    if (!g->full) nodes_of(g)[later] = (Node){NODE_SPLIT, a, b};
}

int grammar_rule(Grammar *g)
{
    const int made = list_add(g, &g->rules, &(int){0}, sizeof(int));
    if (made < 0) g->full = true;
    return made;
}

void grammar_set_rule(Grammar *g, int rule, int start)
{
    if (rule >= 0) ((int *)g->rules.items)[rule] = start;
}

void grammar_set_start(Grammar *g, int start)
{
    g->start = start;
}

bool grammar_full(const Grammar *g)
{
    return g->full;
}

// ---- stacks ----

// Twice the size and empty, where a table is half full. False: as it was.
static bool grow(Grammar *g, int32_t **table, int *size, int count)
{
    if (2 * (count + 1) < *size) return false;
    int32_t *larger = table_new(2 * *size);
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
        g->no_memory ? -1 : list_add(g, &g->frames, &(Frame){node, below, depth}, sizeof(Frame));
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
            list_add(g, &g->calls, &(Place){node, stack}, sizeof(Place));
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
            list_add(g, &g->places, &(Place){node, stack}, sizeof(Place));
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
    const int made = state.next != NULL ? list_add(g, &g->states, &state, sizeof state) : -1;
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
