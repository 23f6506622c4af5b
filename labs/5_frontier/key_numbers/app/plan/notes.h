/* notes.h -- what the numbers of an answer do not show: a setting without effect, a format that the runtime
 * lacks, a draft that slows decoding down.
 *
 *     PlanNotes notes = notes_of(arena, plan, &question);    // of a plan that is made
 *     notes.list[0].part, notes.list[0].text                 // PART_INFERENCE, a sentence without its end
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/part.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"

enum { PLAN_NOTES = 24 };

typedef struct PlanNote {
    PlanPart part;
    const char *text;
} PlanNote;

typedef struct PlanNotes {
    PlanNote list[PLAN_NOTES];
    int count;
} PlanNotes;

struct ModelPlan;
PlanNotes notes_of(Arena *arena, const struct ModelPlan *plan, const Question *question);
