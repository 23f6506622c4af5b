/* workspace.h -- memory for what a kernel needs on the way: grown when a call needs more than any before
 * it, kept for the next. So a warm step asks the system for none.
 */
#pragma once
#include <omp.h>
#include <stddef.h>

// At least so many floats at a cache line, with anything in them. The calling thread's until its next call.
float *workspace(size_t floats);

// As many floats in whole cache lines: whatever lies behind them in a workspace begins at one.
static inline size_t lines_of(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

// Room in a workspace is for all threads, also while a team works alone (team.h): it must not grow later.
static inline size_t workspace_room(size_t shared, size_t own)
{
    return shared + (size_t)omp_get_max_threads() * own;
}
