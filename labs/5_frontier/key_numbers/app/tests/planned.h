/* planned.h -- a question's plans and rows in a test, which fails where there are none.
 *
 *     const ModelPlan *plan = planned(arena, model, &question, PART_FIT);
 *     Rows *rows = reported(arena, model, &question, PART_FIT);
 *     number_of(rows, "fit.here.gpus")
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/report/report.h"
#include "tests/cases.h"

static inline const ModelPlan *planned(Arena *arena, const Model *model, const Question *question,
                                       PlanPart part)
{
    Error err = {""};
    const ModelPlan *plan = plan_new(arena, model, question, 1u << part, &err);
    if (plan == NULL) fail_msg("%s", err.message);
    return plan;
}

// The sentence that a question without a plan is refused with.
static inline const char *refusal(Arena *arena, const Model *model, const Question *question,
                                  PlanPart part)
{
    Error err = {""};
    if (plan_new(arena, model, question, 1u << part, &err) != NULL) fail_msg("it was planned");
    return arena_print(arena, "%s", err.message);
}

static inline Rows *reported(Arena *arena, const Model *model, const Question *question,
                             PlanPart part)
{
    return report_rows(arena, planned(arena, model, question, part));
}

static inline double number_of(const Rows *rows, const char *path)
{
    const Row *row = rows_find(rows, path);
    if (row == NULL) fail_msg("there is no row %s", path);
    return row_number(row);
}
