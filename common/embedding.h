/* embedding.h -- a row of a table for each token, and for each position.
 *
 *     Tensor *x = op_embedding(tape, ids, table);         // [B,T] I32, [V,d] -> [B,T,d]
 *     x = op_add_positions(tape, x, positions, 0);        // [P,d]: row t of each sequence gets position t
 *
 * An id outside the table stops the program, with its place, where the host can read ids.
 */
#pragma once
#include "common/tape.h"

Tensor *op_embedding(Tape *tape, Tensor *ids, Tensor *table);    // [...] I32, [V,d] -> [...,d]

// x + table[first + t]: [...,T,d] [P,d], first + T <= P.
Tensor *op_add_positions(Tape *tape, Tensor *x, Tensor *table, int first);
