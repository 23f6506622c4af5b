/* replays.h -- what the tests of the replay share: an arena, fixtures, a small replica's settings. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/replay/replica.h"
#include "tests/facts.h"

#define FIXTURES SOURCE_DIR "/labs/5_frontier/paged_kv/app/tests/fixtures/"

static Arena *arena;

static inline int setup(void **state)
{
    (void)state;
    arena = arena_new("replay", (size_t)1 << 32);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static inline ReplicaSettings settings_of(int blocks, int size, const PrefixKind *kind)
{
    return (ReplicaSettings){
        .blocks = blocks,
        .block_size = size,
        .kind = kind,
        .scheduler = {.budget = 256, .max_running = 32, .watermark = 2},
        .cost = {16e-3, 80e-6, 0.5e-6},
        .account_every = 1,
    };
}
