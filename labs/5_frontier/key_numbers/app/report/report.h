/* report.h -- plans as rows: every quantity of an answer with its label, unit and formula.
 *
 *     Rows *rows = report_of(arena, model, &question, &err);    // the plan and its rows
 *     Rows *rows = report_rows(arena, plan);                    // of the parts that the plan has
 *
 * Each path has a row whatever the question, so that a sweep finds it in every answer.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

Rows *report_rows(Arena *arena, const ModelPlan *plan);
// NULL and one sentence when it cannot be answered.
Rows *report_of(Arena *arena, const Model *model, const Question *question, Error *err);
// Those rows alone that say which model it is or belong to one of the parts, a bit for each.
const Rows *report_of_parts(const Rows *rows, unsigned parts);

void parameters_rows(Rows *rows, const Model *model);      // model.*, parameters.*
void inference_rows(Rows *rows, const ModelPlan *plan);    // weights.*, kv_cache.*, inference.*
// What fits: inference.budget_bytes, .max_context, .max_requests and the like.
void inference_limit_rows(Rows *rows, const Serving *serving, const GpuSpec *spec);
void training_rows(Rows *rows, const ModelPlan *plan);                  // training.*
void flops_rows(Rows *rows, const Flops *flops, const Model *model);    // compute.*: FLOPs,
void speed_rows(Rows *rows, const Speed *speed, const GpuSpec *gpu);    // speed,
void training_cost_rows(Rows *rows, const TrainingCost *run,
                        const Flops *flops);             // and a run's cost
void fit_rows(Rows *rows, const ModelPlan *plan);        // fit.*
void verdict_rows(Rows *rows, const ModelPlan *plan);    // the answer in a sentence: *.verdict
