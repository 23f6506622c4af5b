/* grammar_parts.h -- what a grammar consists of: for grammar.c, which builds it, and grammar_states.c, which runs it. */
#pragma once
#include "labs/5_frontier/paged_kv/app/sampling/grammar.h"

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

static inline Node *nodes_of(const Grammar *g)
{
    return g->nodes.items;
}

static inline Frame *frames_of(const Grammar *g)
{
    return g->frames.items;
}

static inline State *states_of(const Grammar *g)
{
    return g->states.items;
}

static inline Place *places_of(const Grammar *g)
{
    return g->places.items;
}

int grammar_list_add(Grammar *grammar, List *list, const void *item,
                     size_t size);       // -1: no memory
int32_t *grammar_table_new(int size);    // all free; NULL: no memory
