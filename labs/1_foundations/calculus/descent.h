/* descent.h -- the parts of the story in the plane: ways downhill, and a walk along a wall. */
#pragma once
#include "common/run.h"

void descent_paths(Run *run, Arena *step);     // four ways down a long bowl and a bent valley
void descent_budget(Run *run, Arena *step);    // Lagrange: the best that a budget can buy
