/* What becomes of a mean when it is taken over more and more. */
#include <stdio.h>
#include "labs/1_foundations/probability/story.h"

enum { SHOWN = 4 };    // to both sides of 1; what is further off leaves the picture

// The mean of the first 1, 2, ..., n numbers, at places that are even on a logarithm's scale.
static Line running_mean(Arena *arena, const double *x, size_t n)
{
    Line line = line_new(arena, 400);
    PrMoments m = {0};
    double next = 1;
    for (size_t i = 0; i < n; i++) {
        pr_moments(&m, &x[i], 1);
        if ((double)m.n < next) continue;
        line_to(&line, (double)m.n, fabs(m.mean - 1) <= SHOWN ? m.mean : NAN);
        next = fmax(next + 1, next * 1.03);
    }
    return line;
}

void tell_large_numbers(const Story *story)
{
    size_t n = story->run->smoke ? 3000 : 100000;
    Rng rng = rng_stream(story->run->seed, 11);
    double *x = arena_alloc(story->arena, n * sizeof *x), last[6];
    Plot plot = {.title = "The law of large numbers, and who need not obey it",
                 .x_label = "numbers that the mean is taken over",
                 .y_label = "mean",
                 .log_x = true};
    for (int path = 0; path < 6; path++) {
        PrMoments m = {0};
        pr_exponential(x, n, 1, &rng);
        // A Cauchy number: where a beam from a lamp that turns evenly meets the wall.
        if (path >= 3)
            for (size_t i = 0; i < n; i++) x[i] = tan(acos(-1) * (pr_uniform(&rng) - 0.5));
        pr_moments(&m, x, n);
        last[path] = m.mean;
        figure_add(&plot, path < 3 ? "exponential" : "Cauchy", running_mean(story->arena, x, n));
    }
    printf("\nLarge numbers: means of %zu\n"
           "  exponential  %7.4f  %7.4f  %7.4f    (1)\n"
           "  Cauchy       %7.2f  %7.2f  %7.2f    (there is none)\n",
           n, last[0], last[1], last[2], last[3], last[4], last[5]);
    run_plot(story->run, &plot, "large_numbers");
}

static double normal_density(double x, const void *about)
{
    (void)about;
    return exp(-x * x / 2) / sqrt(2 * acos(-1));
}

void tell_central_limit(const Story *story)
{
    enum { MOST = 64 };
    size_t means = story->run->smoke ? 4000 : 100000;
    Rng rng = rng_stream(story->run->seed, 12);
    double *z = arena_alloc(story->arena, means * sizeof *z), x[MOST];
    Plot plot = {.title = "Means of k waiting times, in units of their own deviation",
                 .x_label = "(mean - 1) sqrt(k)",
                 .y_label = "density"};
    printf(
        "\nCentral limit: share of means of k waiting times that lie more than 2 deviations up\n ");
    for (int k = 1; k <= MOST; k *= 4) {
        size_t beyond = 0;
        for (size_t i = 0; i < means; i++) {
            PrMoments m = {0};
            pr_exponential(x, (size_t)k, 1, &rng);
            pr_moments(&m, x, (size_t)k);
            z[i] = (m.mean - 1) * sqrt(k);
            beyond += z[i] > 2;
        }
        figure_add(&plot, arena_print(story->arena, "k = %d", k),
                   figure_stairs(story->arena, z, means, -4, 5, 90));
        printf("  k = %d: %.4f ", k, (double)beyond / (double)means);
    }
    printf("  normal: 0.0228\n");
    figure_add(&plot, "normal", figure_curve(story->arena, normal_density, NULL, -4, 5));
    run_plot(story->run, &plot, "central_limit");
}
