#include "labs/5_frontier/paged_kv/app/bench_goals.h"
#include <stddef.h>
#include <stdio.h>

static const struct {
    const char *what;
    double goal;
} goals[GOALS] = {[BATCH_1] = {"batch 1: times the best peer", 1.15},
                  [BATCH_8] = {"batch 8: times the best peer", 2},
                  [BATCH_32] = {"batch 32: times the best peer", 2},
                  [PREFILL] = {"prefill: times the best peer", 1.2},
                  [READ] = {"batch 1: share of the read figure", 0.8},
                  [READ_LARGE] = {"the same, 1.1B", 0.9}};

void goals_keep(Lowest *lowest, double figure, const char *model, const char *peer)
{
    if (lowest->model == NULL || figure < lowest->figure) *lowest = (Lowest){figure, model, peer};
}

void goals_print(const Lowest lowest[GOALS])
{
    printf("\n%-36s %5s %7s\n", "lowest figure of all models", "goal", "");
    for (int g = 0; g < GOALS; g++)
        if (lowest[g].model != NULL)
            printf("%-36s %5.2f %7.2f  %s%s%s\n", goals[g].what, goals[g].goal, lowest[g].figure,
                   lowest[g].model, lowest[g].peer[0] != '\0' ? ", " : "", lowest[g].peer);
}
