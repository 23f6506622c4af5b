#include <math.h>
#include "kernels/ref/ref.h"

// Of one state; no compiler may fuse the product with the sum (kernels/CMakeLists.txt).
static double best_of(const double *from, const int32_t *rows, const uint64_t *columns,
                      const double *reward, const double *weight, const int32_t *next, size_t slice,
                      size_t lane)
{
    double best = -INFINITY;
    for (int32_t r = rows[slice]; r < rows[slice + 1]; r++) {
        double q = reward[(size_t)r * VALUE_SLICE + lane];
        for (uint64_t c = columns[r]; c < columns[r + 1]; c++)
            q += weight[c * VALUE_SLICE + lane] * from[next[c * VALUE_SLICE + lane]];
        if (q > best) best = q;
    }
    return best;
}

void ref_value_sweep(double *to, double *change, const double *from, const int32_t *rows,
                     const uint64_t *columns, const double *reward, const double *weight,
                     const int32_t *next, int slices)
{
    *change = 0;
    for (size_t s = 0; s < (size_t)slices * VALUE_SLICE; s++) {
        to[s] =
            best_of(from, rows, columns, reward, weight, next, s / VALUE_SLICE, s % VALUE_SLICE);
        const double by = fabs(to[s] - from[s]);
        if (by > *change) *change = by;
    }
}
