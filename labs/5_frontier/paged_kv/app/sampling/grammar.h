/* grammar.h -- which texts may be written, as a machine that reads them byte by byte.
 *
 *     Grammar *g = grammar_new();
 *     int end  = grammar_return(g);                               // built from the end to the start
 *     int loop = grammar_later(g);
 *     grammar_set_split(g, loop, grammar_range(g, '0', '9', loop), end);    // digits, any number of them
 *     grammar_set_start(g, grammar_range(g, '1', '9', loop));
 *
 *     int state = grammar_begin(g);
 *     state = grammar_step(g, state, '7');     // below 0: no text goes on like this
 *     if (grammar_ends(g, state)) ...          // the text may end here
 *     grammar_free(g);
 *
 * Nodes are of a nondeterministic machine with calls (Thompson 1968; Woods 1970): a byte of a set leads to the
 * next node, a split to two nodes without a byte, a call runs a rule and then goes on. A state is all
 * places where the machine may be. States are made when they are first met and kept, so that a step is one
 * look-up in most cases: a deterministic machine, lazily. A state is a number and never changes; many requests may
 * use one grammar, in one thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct Grammar Grammar;

enum {
    GRAMMAR_NODES_MAX = 200000,
    GRAMMAR_STATES_MAX = 20000,    // 1 kB each; beyond, texts go on nowhere
    GRAMMAR_DEPTH_MAX = 100        // of calls within calls: of brackets within brackets
};

// Results of a step that are no state: no text goes on like this; it is not known, for lack of memory.
enum { GRAMMAR_DEAD = -1, GRAMMAR_NO_MEMORY = -3 };

Grammar *grammar_new(void);             // NULL: no memory
void grammar_free(Grammar *grammar);    // NULL is fine

// ---- building: each returns a node ----

typedef struct ByteSet {
    uint64_t bits[4];
} ByteSet;

int grammar_bytes(Grammar *grammar, ByteSet set, int next);
int grammar_range(Grammar *grammar, int first, int last, int next);    // one byte of first ... last
int grammar_literal(Grammar *grammar, const char *text, int next);
int grammar_split(Grammar *grammar, int a, int b);
int grammar_call(Grammar *grammar, int rule, int next);
int grammar_return(Grammar *grammar);    // the end of a rule, or of the text

// For loops: a split whose ways are known later.
int grammar_later(Grammar *grammar);
void grammar_set_split(Grammar *grammar, int later, int a, int b);

// A rule may be called before it is set.
int grammar_rule(Grammar *grammar);
void grammar_set_rule(Grammar *grammar, int rule, int start);
void grammar_set_start(Grammar *grammar, int start);

bool grammar_full(
    const Grammar *grammar);    // more nodes were asked for than are allowed, or fit in memory

// ---- running ----

int grammar_begin(Grammar *grammar);
int grammar_step(Grammar *grammar, int state, uint8_t byte);
bool grammar_ends(const Grammar *grammar, int state);
int grammar_states(const Grammar *grammar);    // how many there are so far
