/* papers.h -- the PagedAttention paper's figures, reproduced from lengths alone: `lab replay --paper`.
 *
 * Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention",
 * SOSP 2023. Each table shows the paper's value beside ours.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"

void papers_print(Arena *arena, int requests, uint64_t seed);
