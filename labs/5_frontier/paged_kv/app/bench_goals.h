/* bench_goals.h -- what bench_engine.c is held to: of each figure the lowest of all models.
 *
 *     Lowest lowest[GOALS] = {{0}};
 *     goals_keep(&lowest[BATCH_1], 1.3, "SmolLM2 F32", "llama2.c");
 *     goals_print(lowest);
 */
#pragma once

typedef enum Goal { BATCH_1, BATCH_8, BATCH_32, PREFILL, READ, READ_LARGE, GOALS } Goal;

typedef struct Lowest {
    double figure;
    const char *model, *peer;    // model NULL: there is no figure
} Lowest;

void goals_keep(Lowest *lowest, double figure, const char *model, const char *peer);
void goals_print(const Lowest lowest[GOALS]);
