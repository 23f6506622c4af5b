/* memory.h -- whether this machine has the memory that a user's sizes ask for.
 *
 *     if (!memory_suffices(bytes, "--hidden 4096 --layers 8", &err)) return false;
 *
 * Arenas reserve addresses and take memory as it is touched: a model that is too large would be killed by the system
 * in the middle of its run. So programs whose sizes are options ask before they begin.
 */
#pragma once
#include <stddef.h>
#include "common/error.h"

size_t memory_total(void);
size_t memory_available(void);    // without swapping, now; 0: not known

// Whether so many bytes are there, on the host; else false with a message that begins with `what`. On a device with
// memory of its own it is true: that device says what it lacks.
bool memory_suffices(double bytes, const char *what, Error *err);
