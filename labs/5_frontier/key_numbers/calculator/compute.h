/* compute.h -- FLOPs, the roofline, and what training costs: compute.* of the sheet. */
#pragma once
#include "labs/5_frontier/key_numbers/question.h"
#include "labs/5_frontier/key_numbers/model/model.h"
#include "labs/5_frontier/key_numbers/sheet.h"

typedef enum Positions { POSITIONS_CAUSAL, POSITIONS_FULL, POSITIONS_LAST } Positions;

// FLOPs of one token's forward pass within a sequence of so many tokens: on the average with a causal
// mask (s/2 positions, or a window's), over the full square (s, PaLM's convention), or of the last
// token, which sees all (decoding).
double compute_forward(const Model *model, uint64_t sequence, Positions positions);

typedef struct Speed {
    double prefill_seconds;       // time to first token of one prompt of `context` tokens
    double decode_seconds;        // time per output token at this batch
    double tokens_per_second;     // of all requests together
    double prefill_flops, decode_flops, decode_bytes;
    bool   prefill_memory_bound, decode_memory_bound;
    double ridge;                 // FLOP/byte
} Speed;

bool compute_speed(Arena *arena, const Model *model, const Question *question, Speed *speed, Error *err);
bool compute_tell(Sheet *sheet, const Model *model, const Question *question, Error *err);
