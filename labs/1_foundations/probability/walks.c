/* Answers by chance: an area, a walk to where the density is; and what a letter costs to say. */
#include <stdio.h>
#include "labs/1_foundations/probability/story.h"

static double quarter_circle(double x, const void *about)
{
    (void)about;
    return 4 * sqrt(1 - x * x);
}

void tell_area(const Story *story)
{
    enum { LARGEST = 20 };
    int most = story->run->smoke ? 14 : LARGEST;
    Rng rng = rng_stream(story->run->seed, 31);
    Line off = line_new(story->arena, LARGEST), said = line_new(story->arena, LARGEST);
    printf("\nThe area under 4 sqrt(1 - x^2) from 0 to 1\n");
    for (int k = 2; k <= most; k++) {
        size_t n = (size_t)1 << k;
        PrEstimate area = pr_integrate(quarter_circle, NULL, 0, 1, n, &rng);
        line_to(&off, (double)n, fabs(area.value - acos(-1)));
        line_to(&said, (double)n, area.standard_error);
        metrics_write(
            story->run->metrics, 0,
            METRICS({"draws", (double)n}, {"area", area.value}, {"error", area.standard_error}));
        if (k % 6 == 2)
            printf("  %8zu draws: %.5f, give or take %.5f; off by %8.5f\n", n, area.value,
                   area.standard_error, area.value - acos(-1));
    }
    Plot plot = {.title = "pi by chance: four times the draws, half the error",
                 .x_label = "draws",
                 .y_label = "error",
                 .log_x = true,
                 .log_y = true};
    figure_add(&plot, "off by", off);
    figure_add(&plot, "error that it states", said);
    run_plot(story->run, &plot, "area");
}

// Two hills of a density, with 3 and 7 tenths of its area.
static double hills(double x, const void *about)
{
    (void)about;
    double left = (x + 2) / 0.5, right = x - 2, root = sqrt(2 * acos(-1));
    return (0.3 / 0.5 * exp(-left * left / 2) + 0.7 * exp(-right * right / 2)) / root;
}

static double log_hills(double x, const void *about)
{
    return log(hills(x, about));
}

void tell_walk(const Story *story)
{
    enum { SHOWN = 1000 };
    static const double steps[] = {0.3, 5, 100};
    size_t n = story->run->smoke ? 5000 : 200000;
    Rng rng = rng_stream(story->run->seed, 32);
    double *x = arena_alloc(story->arena, n * sizeof *x);
    Plot found = {.title = "Where walks have been", .x_label = "place", .y_label = "density"};
    Plot ways = {.title = "Their first 1000 steps, one above the other",
                 .x_label = "step",
                 .y_label = "place, moved up by 0, 10 and 20"};
    printf("\nA walk over two hills, %zu steps; %.3f of the area lies left of 0\n", n,
           0.3 * erfc(-4 / sqrt(2)) / 2 + 0.7 * erfc(2 / sqrt(2)) / 2);
    for (int k = 0; k < 3; k++) {
        double moved = pr_metropolis(x, n, 2, steps[k], log_hills, NULL, &rng);
        size_t left = 0;
        Line way = line_new(story->arena, SHOWN);
        const char *name = arena_print(story->arena, "steps up to %g", steps[k]);
        for (size_t i = 0; i < n; i++) {
            left += x[i] < 0;
            if (i < SHOWN) line_to(&way, (double)i, x[i] + 10 * k);
        }
        printf("  %-16s moved in %5.1f %% of the steps, was left of 0 in %.3f of them\n", name,
               100 * moved, (double)left / (double)n);
        figure_add(&found, name, figure_stairs(story->arena, x, n, -5, 6, 110));
        figure_add(&ways, name, way);
    }
    figure_add(&found, "density", figure_curve(story->arena, hills, NULL, -5, 6));
    run_plot(story->run, &found, "hills");
    run_plot(story->run, &ways, "ways");
}

// ---- letters ----

enum { LETTERS = 26, REPEATS = 20 };

// In 100 letters of English text, a to z (Lewand 2000, Cryptological Mathematics).
static const double english[LETTERS] = {
    8.167, 1.492, 2.782, 4.253, 12.702, 2.228, 2.015, 6.094, 6.966, 0.153, 0.772, 4.025, 2.406,
    6.749, 7.507, 1.929, 0.095, 5.987,  6.327, 9.056, 2.758, 0.978, 2.360, 0.150, 1.974, 0.074};

void tell_letters(const Story *story)
{
    double p[LETTERS], even[LETTERS], seen[LETTERS], share[LETTERS], sum = 0;
    int other[LETTERS], todo[LETTERS];
    Rng rng = rng_stream(story->run->seed, 33);
    for (int c = 0; c < LETTERS; c++) sum += english[c];
    for (int c = 0; c < LETTERS; c++) p[c] = english[c] / sum, even[c] = 1.0 / LETTERS;
    PrInformation said = pr_information(p, even, LETTERS), back = pr_information(even, p, LETTERS);
    printf("\nWhat an English letter costs, in bits\n"
           "  in its best code %.3f, in a code for even letters %.3f: %.3f more\n"
           "  even letters in the code for English: %.3f more than their own %.3f\n",
           said.entropy / log(2), said.cross_entropy / log(2), said.kl / log(2), back.kl / log(2),
           back.entropy / log(2));
    if (!pr_alias(share, other, p, LETTERS, todo)) return;
    printf("  in a code that was learned from n letters, how many bits more (25 / 2n nats, by "
           "theory)\n");
    for (int n = 1000; n <= (story->run->smoke ? 1000 : 100000); n *= 10) {
        double more = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            int counts[LETTERS] = {0};
            for (int i = 0; i < n; i++) counts[pr_alias_draw(share, other, LETTERS, &rng)]++;
            // Half a letter of each beforehand: what was not seen is not impossible.
            for (int c = 0; c < LETTERS; c++) seen[c] = (counts[c] + 0.5) / (n + 0.5 * LETTERS);
            more += pr_information(p, seen, LETTERS).kl / REPEATS;
        }
        printf("    n = %6d: %.6f   (%.6f)\n", n, more / log(2),
               (LETTERS - 1) / (2.0 * n * log(2)));
    }
}
