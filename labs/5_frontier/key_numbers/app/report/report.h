/* answer.h -- the whole answer to a question about a model, on one report. */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

// NULL and one sentence when it cannot be answered.
Rows *report_of(Arena *arena, const Model *model, const Question *question, Error *err);
