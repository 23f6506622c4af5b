/* cards.h -- GPUs of different kinds in one machine, and the shares of a model that each gets.
 *
 *     Cards cards;
 *     if (!cards_read(arena, "rtx-3090,rtx-3060", "2,1", &cards, &err)) ...
 *     int ends[CARDS_MOST];
 *     cards_layers(&cards, 32, ends);    // the first has layers 0..ends[0]-1, and so on
 *
 * Shares are of the layers; without any they are the GPUs' memory, as llama.cpp divides (--tensor-split).
 * Only GPUs of the table are taken.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"

enum { CARDS_MOST = 16 };

typedef struct Cards {
    int count;    // 0: GPUs are all of one kind
    GpuSpec specs[CARDS_MOST];
    double shares[CARDS_MOST];
} Cards;

// `shares` may be NULL.
bool cards_read(Arena *arena, const char *names, const char *shares, Cards *cards, Error *err);
// As llama.cpp: the head counts as a layer more, and layer l is the first card's whose shares so far are
// above l / (layers + 1) of all.
void cards_layers(const Cards *cards, int layers, int ends[CARDS_MOST]);
