/* measurements_table.h -- --measurements: what others measured, our low and high, and the distance. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum MeasurementsAs {
    MEASUREMENTS_TABLE,
    MEASUREMENTS_JSON,
    MEASUREMENTS_CSV
} MeasurementsAs;

bool measurements_show(Arena *arena, MeasurementsAs as, Error *err);
