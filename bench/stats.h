/* stats.h -- what a handful of measurements says: the middle and how far it spreads.
 *
 *     double seconds[] = {1.1, 1.0, 9.0};
 *     Stats  stats = stats_of(seconds, 3);    // median 1.1: one disturbed sample moves nothing
 *
 * Quartiles and median interpolate linearly between neighbours (Hyndman & Fan 1996, type 7, the
 * default of R and NumPy).
 */
#pragma once

typedef struct Stats {
    int count;
    double min, quartile1, median, quartile3, max;
} Stats;

Stats stats_of(double *values, int count);    // sorts the values in place; all 0 when count is 0
double stats_spread(Stats stats);             // (quartile3 - quartile1) / median
