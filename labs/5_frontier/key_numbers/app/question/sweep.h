/* sweep.h -- the same question, asked for several values of one setting.
 *
 *     Sweep sweep;
 *     if (!sweep_read(arena, "context=1k..128k", &sweep, &err)) ...       // doubles, up to the end
 *     if (!sweep_read(arena, "weights=bf16,fp8,q4_k_m", &sweep, &err)) ...
 *     for (int i = 0; i < sweep.count; i++) question_set(&one, arena, sweep.field->name, sweep.values[i], &err)
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/question.h"

enum { SWEEP_MOST = 64 };

typedef struct Sweep {
    const QuestionField *field;
    int count;
    const char *values[SWEEP_MOST];
} Sweep;

bool sweep_read(Arena *arena, const char *text, Sweep *sweep, Error *err);
