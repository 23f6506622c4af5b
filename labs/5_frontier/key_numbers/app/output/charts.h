/* charts.h -- the answer as pictures: memory by part against context and batch, GPUs, the roofline, throughput.
 *
 *     if (!charts_draw(arena, plan, "out/keynumbers", &err)) ...
 *     // memory_by_context, memory_by_batch, gpus, roofline, throughput: .svg, .png, and .csv with the numbers
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/plan.h"

bool charts_draw(Arena *arena, const ModelPlan *plan, const char *folder, Error *err);
