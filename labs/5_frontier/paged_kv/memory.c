/* memory.c -- how much of the memory that is set aside for requests holds a token. */
#include <math.h>
#include "labs/5_frontier/paged_kv/story.h"

enum { LONGEST = 2048, POLICIES = 6 };

// Lengths like those of ShareGPT's conversations: lognormal, with these means and ratios of standard
// deviation to mean.
static int length_draw(Rng *rng, double mean, double variation)
{
    double variance = log(1 + variation * variation);
    double x = exp(log(mean) - variance / 2 + sqrt(variance) * (double)rng_normal(rng));
    return (int)fmin(fmax(round(x), 1), LONGEST / 2);
}

static int power_of_two(int n)
{
    int power = 1;
    while (power < n) power *= 2;
    return power;
}

bool part_memory(void *context, Error *err)
{
    Lab *lab = context;
    static const char *const names[POLICIES] = {"reserved: the longest possible",
                                                "reserved: output to a power of two",
                                                "reserved: the true length",
                                                "blocks of 256",
                                                "blocks of 16",
                                                "blocks of 1"};
    static const char *const published[POLICIES] = {"20.4", "26.8", "38.2", "", "96.3", ""};
    double used = 0, taken[POLICIES] = {0};
    Rng rng = rng_stream(lab->run->seed, 7);
    for (int r = 0; r < 4000; r++) {
        int prompt = length_draw(&rng, 161, 1), output = length_draw(&rng, 338, 0.875);
        for (int t = prompt; t <= prompt + output; t++) {
            int sizes[] = {256, 16, 1};
            used += t;
            taken[0] += LONGEST;
            taken[1] += prompt + power_of_two(output);
            taken[2] += prompt + output;
            for (int s = 0; s < 3; s++) taken[3 + s] += (t + sizes[s] - 1) / sizes[s] * sizes[s];
        }
    }
    run_print(lab->run,
              "4000 requests, at every token that they generate. What lies unused between the");
    run_print(lab->run, "reservations is not counted here; the paper's servers lose that as well.");
    Table table =
        table_new(lab->step, "memory|slots with a token [%]|Kwon et al. 2023, figure 2 [%]");
    for (int p = 0; p < POLICIES; p++)
        table_row(&table, "%s|%.1f|%s", names[p], 100 * used / taken[p], published[p]);
    run_table(lab->run, &table);
    (void)err;
    return true;
}
