/* benches.h -- which benchmarks there are: those of bench/ and of the labs that have one. */
#pragma once
#include <stdbool.h>

bool benches_have(const char *name);
