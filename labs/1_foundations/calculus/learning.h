/* learning.h -- the parts of the story about gradients of many numbers, and what they are good for. */
#pragma once
#include "common/run.h"

void learning_modes(Run *run, Arena *step);    // forward and backward: the same gradient, the cost
void learning_moons(Run *run, Arena *step, int steps, double rate);    // a network on your engine
