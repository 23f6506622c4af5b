#include "bench/stats.h"
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int count, double p)
{
    double place = p * (count - 1);
    int below = (int)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

Stats stats_of(double *values, int count)
{
    if (count == 0) return (Stats){0};
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (Stats){
        .count = count,
        .min = values[0],
        .quartile1 = quantile(values, count, 0.25),
        .median = quantile(values, count, 0.5),
        .quartile3 = quantile(values, count, 0.75),
        .max = values[count - 1],
    };
}

double stats_spread(Stats stats)
{
    return stats.median == 0 ? 0 : (stats.quartile3 - stats.quartile1) / stats.median;
}
