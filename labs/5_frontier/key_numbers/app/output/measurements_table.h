/* measurements_table.h -- --measurements: what others measured, our low and high, and the distance. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

bool measurements_show(Arena *arena, bool json, Error *err);
