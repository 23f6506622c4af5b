/* card.h -- GPUs as data: memory, bandwidth and peaks, each row with its source.
 *
 *     Card card;
 *     if (!card_find(arena, "h100-sxm", &card, &err)) ...    // the table, any case, or its name
 *     card_find(arena, "4090", &card, &err);                 // a part that only one of them has
 *     card_find(arena, "mine.json", &card, &err);            // one object like those of the table
 *     card_find(arena, "here", &card, &err);                 // the first NVIDIA GPU of this machine
 *
 * Peaks are dense (vendors' sheets often quote twice that, for 2:4 sparsity) in FLOP/s or OP/s; 0 is
 * unknown, or not there. Bandwidth is in bytes/s. The table is facts/gpus.json.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "common/error.h"
#include "common/gpu.h"

typedef struct Card {
    const char *id, *name, *vendor;
    const char **also;    // other names of it, the driver's among them
    int also_count;
    double sheet_gb;     // the vendor's "80 GB"
    double memory;       // bytes that programs see; where no source says so, sheet_gb x 1e9
    bool memory_seen;    // memory is what a machine reported, not the sheet's
    bool shared;         // memory is the host's too: one of them to a machine
    double bandwidth;
    double fp32, tf32, bf16, fp8, fp4,
        int8;    // bf16: of the 16-bit type it has (fp16 on old ones)
    bool has_bf16;
    double watts;
    double link;           // bytes/s to its neighbours, in one direction; 0 unknown
    const char *source;    // of the numbers
    const char *note;      // a conflict between sources, or NULL
} Card;

bool card_find(Arena *arena, const char *what, Card *card, Error *err);
bool card_in_table(Arena *arena, const char *what, Card *card,
                   Error *err);                                 // nothing but the table
int card_list(Arena *arena, const Card **cards, Error *err);    // -1 upon failure
// A GPU that a driver describes: the table's row where it knows the name and as much memory, else an
// estimate from its clocks.
bool card_of_gpu(Arena *arena, const Gpu *gpu, Card *card, Error *err);
// The peak of products whose weights have this many bits: fp8 where weights and activations are (8)
// and the card has it, fp32 (32), bf16 else (16, and 4-bit weights that are unpacked first).
double card_peak(const Card *card, int bits);
