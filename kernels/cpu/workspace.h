/* workspace.h -- memory for what a kernel needs on the way: grown when a call needs more than any before
 * it, kept for the next. So a warm step asks the system for none.
 */
#pragma once
#include <stddef.h>

// At least so many floats at a cache line, with anything in them. The calling thread's until its next call.
float *workspace(size_t floats);
