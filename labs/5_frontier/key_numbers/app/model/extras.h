/* extras.h -- what a published file holds beside the parameters, and why.
 *
 *     extras_add(model, modules);                // of any model: what its own settings lead to
 *     extras_habit(model, "causal_masks", &err)  // of one published file
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"

// Modules that predict further tokens (num_nextn_predict_layers), and the scales of 8- and 4-bit weights.
void extras_add(Model *model, uint64_t modules);
// False and a sentence when there is no habit of that name.
bool extras_habit(Model *model, const char *habit, Error *err);
