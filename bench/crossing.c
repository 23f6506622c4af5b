#include "bench/crossing.h"
#include <math.h>

Crossing crossing_of(const double *sizes, const double *ratios, int count)
{
    if (count == 0) return (Crossing){CROSSING_NONE, 0};
    int slower = count - 1;    // the last size that is
    while (slower >= 0 && ratios[slower] >= 1) slower--;
    if (slower < 0) return (Crossing){CROSSING_ALWAYS, sizes[0]};
    if (slower == count - 1) return (Crossing){CROSSING_NEVER, sizes[slower]};
    const double below = log(ratios[slower]), above = log(ratios[slower + 1]);
    const double way = log(sizes[slower + 1] / sizes[slower]);
    return (Crossing){CROSSING_AT, sizes[slower] * exp(way * -below / (above - below))};
}

const char *crossing_text(Arena *arena, Crossing crossing)
{
    switch (crossing.kind) {
    case CROSSING_NONE: break;
    case CROSSING_ALWAYS: return arena_print(arena, "always, from %.0f", crossing.at);
    case CROSSING_NEVER: return arena_print(arena, "not up to %.0f", crossing.at);
    case CROSSING_AT: return arena_print(arena, "%.3g", crossing.at);
    }
    return "";
}
