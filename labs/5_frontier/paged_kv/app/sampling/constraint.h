/* constraint.h -- which tokens may come next, so that a text is one of a grammar's.
 *
 *     TokenIndex *index = token_index_new(tokenizer, stops, stop_count);    // one for a model
 *     Constraint *constraint = constraint_new(grammar, index);              // one for a schema
 *     int state = constraint_begin(constraint);                             // one for a request
 *     const TokenMask *allowed = constraint_mask(constraint, state);
 *     state = constraint_next(constraint, state, token);                    // below 0: was not allowed
 *     constraint_close(constraint);
 *     token_index_free(index);
 *
 * A state is a number that never changes: a request that is preempted, rewound or forked keeps its own. Masks
 * are kept, so that a state costs its mask once. Special tokens are never allowed, but those that stop the
 * text, where it may end. In one thread at a time.
 */
#pragma once
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/5_frontier/paged_kv/app/sampling/grammar.h"
#include "labs/5_frontier/paged_kv/app/sampling/token_mask.h"

// The vocabulary's texts in order, so that tokens that begin alike are tried once.
typedef struct TokenIndex TokenIndex;
TokenIndex *token_index_new(const Tokenizer *tokenizer, const int *stops,
                            int stop_count);    // NULL: no memory
void token_index_free(TokenIndex *index);       // NULL is fine

typedef struct Constraint Constraint;

// Takes the grammar; the index is borrowed. NULL: no memory, and the grammar is the caller's.
Constraint *constraint_new(Grammar *grammar, const TokenIndex *index);
void constraint_close(Constraint *constraint);    // NULL is fine

int constraint_begin(Constraint *constraint);
// A stop leaves the state as it is. Below 0: grammar.h.
int constraint_next(Constraint *constraint, int state, int token);
bool constraint_ends(const Constraint *constraint, int state);    // the text may end here

// Lives as long as the constraint. Empty where the text cannot go on and not end. NULL: no memory.
const TokenMask *constraint_mask(Constraint *constraint, int state);
