/* measurements.h -- what others have measured, beside the answers to the same questions.
 *
 *     const Measured *list;
 *     int count = measurements_list(arena, &list, &err);    // -1 upon failure
 *     list[0].value, list[0].low, list[0].high               // bytes
 *     measured_distance(&list[0])                            // 0 within low..high; -0.05: 5 % too low
 *
 * The table is facts/measurements.json.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

// Which value of a range a measurement is held against: the nearer, or the one that its settings choose.
typedef enum MeasuredEnd { END_NEARER, END_LOW, END_HIGH } MeasuredEnd;

typedef struct Measured {
    const char *what, *model, *source;
    double value, low, high;    // bytes
    double within;              // the largest distance that is allowed
    bool at_most;               // the value is a bound: it fits into so much
    MeasuredEnd end;
} Measured;

int measurements_list(Arena *arena, const Measured **list, Error *err);
// From that end of low..high, as a share of the measured value.
double measured_distance(const Measured *one);
