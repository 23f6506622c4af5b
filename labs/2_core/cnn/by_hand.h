/* by_hand.h -- the layers of network.h as ops that call the functions of cnn.h: what you write. */
#pragma once
#include "labs/2_core/cnn/network.h"

extern const Layers exercise_layers;
