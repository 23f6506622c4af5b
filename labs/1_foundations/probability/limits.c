/* The law of large numbers and the central limit theorem. */
#include "labs/1_foundations/probability/story.h"

enum { SHOWN = 4 };    // on either side of 1; what is further off leaves the plot

// The mean of the first 1, 2, ..., n numbers, at sizes that are evenly spaced on a log scale.
static Line running_mean(Arena *arena, const double *x, size_t n)
{
    Line line = line_new(arena, 400);
    PrMoments m = {0};
    double next = 1;
    for (size_t i = 0; i < n; i++) {
        pr_moments(&m, &x[i], 1);
        if ((double)m.n < next) continue;
        line_add(&line, (double)m.n, fabs(m.mean - 1) <= SHOWN ? m.mean : NAN);
        next = fmax(next + 1, next * 1.03);
    }
    return line;
}

bool part_large_numbers(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    size_t n = lab->run->smoke ? 3000 : 100000;
    Rng rng = rng_stream(lab->run->seed, 11);
    double *x = arena_alloc(lab->step, n * sizeof *x), mean[6];
    Plot plot = {.title = "Law of large numbers: running sample means",
                 .x_label = "sample size n",
                 .y_label = "mean of the first n numbers",
                 .log_x = true};
    for (int path = 0; path < 6; path++) {
        PrMoments m = {0};
        pr_exponential(x, n, 1, &rng);
        // A Cauchy number: where the beam of a lamp that turns evenly meets the wall.
        if (path >= 3)
            for (size_t i = 0; i < n; i++) x[i] = tan(acos(-1) * (pr_uniform(&rng) - 0.5));
        pr_moments(&m, x, n);
        mean[path] = m.mean;
        figure_add(&plot, path < 3 ? "exponential" : "Cauchy", running_mean(lab->step, x, n));
    }
    run_print(lab->run, "Means of %zu numbers, three samples of each distribution", n);
    Table table = table_new(lab->step, "distribution|sample mean|||true mean");
    table_row(&table, "exponential|%.4f|%.4f|%.4f|1", mean[0], mean[1], mean[2]);
    table_row(&table, "Cauchy|%.2f|%.2f|%.2f|none", mean[3], mean[4], mean[5]);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "large_numbers");
    return true;
}

static double normal_density(double x, const void *context)
{
    (void)context;
    return exp(-x * x / 2) / sqrt(2 * acos(-1));
}

bool part_central_limit(void *context, Error *err)
{
    (void)err;
    enum { MAX_K = 64 };
    const Lab *lab = context;
    size_t means = lab->run->smoke ? 4000 : 100000;
    Rng rng = rng_stream(lab->run->seed, 12);
    double *z = arena_alloc(lab->step, means * sizeof *z), x[MAX_K];
    Plot plot = {.title = "Central limit theorem: standardized means of k exponential variates",
                 .x_label = "(mean - 1) sqrt(k)",
                 .y_label = "density"};
    run_print(lab->run, "Share of standardized means of k exponential variates above 2");
    Table table = table_new(lab->step, "k|P(z > 2)");
    for (int k = 1; k <= MAX_K; k *= 4) {
        size_t beyond = 0;
        for (size_t i = 0; i < means; i++) {
            PrMoments m = {0};
            pr_exponential(x, (size_t)k, 1, &rng);
            pr_moments(&m, x, (size_t)k);
            z[i] = (m.mean - 1) * sqrt(k);
            beyond += z[i] > 2;
        }
        figure_add(&plot, arena_print(lab->step, "k = %d", k),
                   figure_histogram(lab->step, z, means, -4, 5, 90));
        table_row(&table, "%d|%.4f", k, (double)beyond / (double)means);
    }
    table_row(&table, "normal|0.0228");
    run_table(lab->run, &table);
    figure_add_exact(&plot, "normal density", figure_curve(lab->step, normal_density, NULL, -4, 5));
    run_plot(lab->run, &plot, "central_limit");
    return true;
}
