/* sweeper.h -- sweeps of value iteration over a model packed so that it streams through memory.
 *
 *     Sweeper *sweeper = sweeper_new(arena, &world->mdp);         // packs the table
 *     double *v = sweeper_values(arena, sweeper), *next = sweeper_values(arena, sweeper);
 *     double change = sweeper_sweep(sweeper, next, v);            // one synchronous sweep
 *     sweeper_fetch(sweeper, next);                               // from a device to the host
 *
 * SLICE states side by side: the k-th outcomes of their j-th actions lie next to each other, padded where
 * a state has fewer (the sliced ELLPACK of sparse matrices), so that a vector works on all of them.
 * Sweeps run on all threads. Sums are added in the table's order, products rounded first: the values
 * depend neither on the number of threads nor on the machine, nor on the device: where one has memory of its own,
 * sweeps in double precision run there.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

typedef struct Sweeper Sweeper;

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp);

// Values of 0 to sweep over: [states], and some more that pad them.
double *sweeper_values(Arena *arena, const Sweeper *p);
float *sweeper_values_float(Arena *arena, const Sweeper *p);

// to[s] = max_a sum p (r + discount from[next]); from and to differ, and are sweeper_values().
// Returns max |to - from|. On a device `to` stays there, and is the next sweep's `from` without a copy: the host's
// numbers are those of the last fetch, and must not be changed in between.
double sweeper_sweep(Sweeper *p, double *to, const double *from);
void sweeper_fetch(const Sweeper *p, double *values);    // where they are the last sweep's `to`
// The same in single precision, which reads two thirds of the bytes: for the first sweeps.
double sweeper_sweep_float(const Sweeper *p, float *to, const float *from);

void sweeper_vectors(Sweeper *p,
                     bool allowed);    // false: plain loops, also where there is AVX-512

// Bytes that a sweep reads and writes: the table once, the values once.
size_t sweeper_bytes(const Sweeper *p);
size_t sweeper_bytes_float(const Sweeper *p);
