/* export.h -- the values and the policy of a world, for other programs.
 *
 *     if (!export_json("out/mdp/solution.json", world, &best, &err)) ...
 *     // {"world": "...", "discount": 0.9, "sweeps": 184, "converged": true,
 *     //  "states": [{"state": "a", "terminal": false, "value": 1.5,
 *     //              "actions": [{"action": "go", "value": 1.5, "probability": 1}]}]}
 *     if (!export_csv("out/mdp/solution.csv", world, &best, &err)) ...
 *     // state,value,action,action_value,probability       a row for each action that is allowed
 *
 * Numbers have 17 digits: read again, they are the same doubles. A terminal state has no action.
 */
#pragma once
#include "common/error.h"
#include "labs/2_core/mdp/solve/solver.h"
#include "labs/2_core/mdp/worlds/world.h"

bool export_json(const char *path, const World *world, const Optimum *best, Error *err);
bool export_csv(const char *path, const World *world, const Optimum *best, Error *err);
