/* papers.h -- the PagedAttention paper's figures, drawn again from lengths alone: `lab replay --paper`.
 *
 * Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention",
 * SOSP 2023. Every table has a column of theirs beside ours.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"

void papers_print(Arena *arena, int requests, uint64_t seed);
