/* lists.h -- what may be asked for: --list models, families, gpus, formats, settings. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

bool lists_show(Arena *arena, const char *what, Error *err);
