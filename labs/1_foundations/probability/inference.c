/* What a sample says, how sure that is, and what is believed after it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labs/1_foundations/probability/story.h"

// ---- most likely, and likely enough? ----

void tell_horse_kicks(const Story *story)
{
    (void)story;
    // Prussian soldiers killed by the kick of a horse: in so many of 200 corps-years, 0, 1, 2, 3, 4
    // of them (Bortkiewicz 1898, Das Gesetz der kleinen Zahlen).
    static const double years[] = {109, 65, 22, 3, 1};
    double deaths[200];
    size_t n = 0;
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < (int)years[k]; i++) deaths[n++] = k;

    static const char *const names[] = {"normal", "exponential", "Poisson"};
    PrFit fit[3];
    printf("\nKicked by a horse, in 200 corps-years (1875-1894)\n");
    for (int f = PR_NORMAL; f <= PR_POISSON; f++) {
        pr_fit(&fit[f], (PrFamily)f, deaths, n);
        printf("  %-12s %.4f %.4f   log-likelihood %8.2f%s\n", names[f], fit[f].a, fit[f].b,
               fit[f].log_likelihood, f == PR_POISSON ? "" : "  (a density: another unit)");
    }
    double mean = fit[PR_POISSON].a, p0 = exp(-mean), expected[4], rest = 200;
    for (int k = 0; k < 3; k++) {
        expected[k] = 200 * p0;
        rest -= expected[k];
        p0 *= mean / (k + 1);
    }
    expected[3] = rest;
    const double observed[] = {109, 65, 22, 4};
    PrTest test;
    if (!pr_chi_square(&test, observed, expected, 4, 1)) return;
    printf("  deaths            0      1      2      3 or more\n"
           "  observed     %6.0f %6.0f %6.0f %6.0f\n"
           "  expected     %6.1f %6.1f %6.1f %6.1f     chi-square %.3f, freedom %.0f, p %.3f\n",
           observed[0], observed[1], observed[2], observed[3], expected[0], expected[1],
           expected[2], expected[3], test.statistic, test.df, test.p);
}

// ---- tests and intervals ----

void tell_sleep(const Story *story)
{
    (void)story;
    // Hours that two drugs gave to ten sleepers ("Student" 1908, The Probable Error of a Mean).
    static const double first[10] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    static const double second[10] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    double more[10], low, high;
    PrTest apart, paired;
    for (int i = 0; i < 10; i++) more[i] = second[i] - first[i];
    if (!pr_t_test(&apart, second, 10, first, 10, 0) || !pr_t_test(&paired, more, 10, NULL, 0, 0) ||
        !pr_interval(&low, &high, more, 10, 0.95))
        return;
    printf(
        "\nStudent's sleepers, 1908: does the second drug give more sleep than the first?\n"
        "  as two samples     t %.4f, freedom %6.3f, p %.5f\n"
        "  sleeper by sleeper t %.4f, freedom %6.3f, p %.5f, 95 %% interval [%.2f, %.2f] hours\n",
        apart.statistic, apart.df, apart.p, paired.statistic, paired.df, paired.p, low, high);
}

// Intervals as lines across, a row each; y goes up by one a row.
static void add_interval(Line *line, double low, double high, int row)
{
    line_to(line, low, row);
    line_to(line, high, row);
    line_to(line, NAN, row);
}

void tell_coverage(const Story *story)
{
    enum { N = 5, SHOWN = 100 };
    Rng rng = rng_stream(story->run->seed, 21);
    int normal = 0, narrow = 0, skewed = 0;
    double x[N], low = 0, high = 0, shrink = 1.959963984540054 / pr_student_critical(0.95, N - 1);
    Line hits = line_new(story->arena, 3 * SHOWN), misses = line_new(story->arena, 3 * SHOWN);
    for (int e = 0; e < story->experiments; e++) {
        pr_normal(x, N, 10, 2, &rng);
        pr_interval(&low, &high, x, N, 0.95);
        bool covers = low <= 10 && 10 <= high;
        if (e < SHOWN) add_interval(covers ? &hits : &misses, low, high, e);
        normal += covers;
        double middle = (low + high) / 2, half = (high - low) / 2 * shrink;
        narrow += middle - half <= 10 && 10 <= middle + half;
        pr_exponential(x, N, 0.1, &rng);
        pr_interval(&low, &high, x, N, 0.95);
        skewed += low <= 10 && 10 <= high;
    }
    double all = story->experiments;
    printf("\nCoverage of 95 %% intervals from %d numbers, over %.0f experiments (give or take "
           "%.2f %%)\n"
           "  normal numbers, Student's t     %6.2f %%\n"
           "  normal numbers, 1.96 for t      %6.2f %%    (87.84 %% by Student's distribution)\n"
           "  waiting times, Student's t      %6.2f %%    (nobody promised 95)\n",
           N, all, 100 * sqrt(0.95 * 0.05 / all), 100 * normal / all, 100 * narrow / all,
           100 * skewed / all);
    metrics_write(story->run->metrics, 0,
                  METRICS({"covered", normal / all}, {"covered_by_1.96", narrow / all},
                          {"covered_skewed", skewed / all}));
    Plot plot = {.title = "A hundred 95 % intervals for a mean of 10",
                 .x_label = "interval",
                 .y_label = "experiment"};
    figure_add(&plot, "covers 10", hits);
    figure_add(&plot, "misses it", misses);
    run_plot(story->run, &plot, "coverage");
}

// The first p below 0.05 when one looks after every number from the tenth on; else the last.
static double impatient_p(const double *x, int n)
{
    PrTest test = {.p = 1};
    for (int k = 10; k <= n && test.p >= 0.05; k++) pr_t_test(&test, x, (size_t)k, NULL, 0, 0);
    return test.p;
}

void tell_chance_alone(const Story *story)
{
    enum { N = 10, M = 15, PATIENCE = 100, BINS = 20 };
    int experiments = story->experiments, found[3] = {0};
    size_t count = (size_t)experiments;
    Rng rng = rng_stream(story->run->seed, 22);
    double *p[3], x[PATIENCE], y[M];
    for (int k = 0; k < 3; k++) p[k] = arena_alloc(story->arena, count * sizeof *p[k]);
    for (int e = 0; e < experiments; e++) {
        PrTest test = {0};
        pr_normal(x, N, 0, 1, &rng);
        pr_normal(y, M, 0, 2, &rng);
        pr_t_test(&test, x, N, y, M, 0);
        p[0][e] = test.p;
        pr_t_test(&test, x, N, y, M, 1.5);
        p[1][e] = test.p;
        pr_normal(x, PATIENCE, 0, 1, &rng);
        p[2][e] = impatient_p(x, PATIENCE);
        for (int k = 0; k < 3; k++) found[k] += p[k][e] < 0.05;
    }
    printf("\nHow often is p below 0.05?\n"
           "  nothing to find                  %6.2f %%    (5 by design)\n"
           "  means that are 1.5 apart         %6.2f %%    (the test's power)\n"
           "  nothing to find, looked at after every number from 10 to %d: %6.2f %%\n",
           100.0 * found[0] / experiments, 100.0 * found[1] / experiments, PATIENCE,
           100.0 * found[2] / experiments);
    metrics_write(story->run->metrics, 0,
                  METRICS({"found_in_nothing", (double)found[0] / experiments},
                          {"found_1.5_apart", (double)found[1] / experiments},
                          {"found_by_the_impatient", (double)found[2] / experiments}));
    Plot plot = {.title = "p-values of many experiments",
                 .x_label = "p",
                 .y_label = "density",
                 .log_y = true};
    const char *const names[] = {"nothing to find", "1.5 apart", "stopped at the first p < 0.05"};
    for (int k = 0; k < 3; k++) {
        Line line = figure_stairs(story->arena, p[k], count, 0, 1, BINS);
        for (size_t i = 0; i < line.count; i++)
            if (line.y[i] <= 0) line.y[i] = NAN;    // a logarithm's scale has no 0
        figure_add(&plot, names[k], line);
    }
    run_plot(story->run, &plot, "p_values");
}

// ---- the bootstrap ----

enum { WAITS = 50 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sample_mean(const double *x, size_t n)
{
    PrMoments m = {0};
    pr_moments(&m, x, n);
    return m.mean;
}

static double sample_median(const double *x, size_t n)
{
    double sorted[WAITS];
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    return pr_quantile(sorted, n, 0.5);
}

void tell_bootstrap(const Story *story)
{
    static const struct {
        const char *name;
        PrStatistic *of;
        double truth;
    } summaries[] = {{"mean", sample_mean, 1}, {"median", sample_median, 0.6931}};
    size_t replicas = story->run->smoke ? 500 : 10000;
    Rng rng = rng_stream(story->run->seed, 23);
    double x[WAITS], again[WAITS], *r = arena_alloc(story->arena, replicas * sizeof *r);
    PrMoments m = {0};
    Plot plot = {.title = "What the mean and the median could have been",
                 .x_label = "waiting time",
                 .y_label = "density"};
    pr_exponential(x, WAITS, 1, &rng);
    pr_moments(&m, x, WAITS);
    printf("\nBootstrap: %d waiting times, drawn again %zu times\n", WAITS, replicas);
    for (int k = 0; k < 2; k++) {
        PrMoments spread = {0};
        pr_bootstrap(r, replicas, summaries[k].of, x, WAITS, again, &rng);
        pr_moments(&spread, r, replicas);
        qsort(r, replicas, sizeof *r, by_size);
        printf("  %-7s %.3f, error %.3f, 95 %% of the replicas in [%.3f, %.3f]   (truth %.3f)\n",
               summaries[k].name, summaries[k].of(x, WAITS), sqrt(pr_variance(&spread)),
               pr_quantile(r, replicas, 0.025), pr_quantile(r, replicas, 0.975),
               summaries[k].truth);
        figure_add(&plot, summaries[k].name,
                   figure_stairs(story->arena, r, replicas, 0.2, 1.8, 80));
    }
    printf("  by the formula, s / sqrt(n), the mean's error is %.3f; for a median there is none as "
           "short\n",
           sqrt(pr_variance(&m) / WAITS));
    run_plot(story->run, &plot, "bootstrap");
}

// ---- belief ----

static double belief_density(double t, const void *about)
{
    const PrBeta *belief = about;
    if (t <= 0 || t >= 1) return NAN;
    return exp((belief->a - 1) * log(t) + (belief->b - 1) * log1p(-t) +
               lgamma(belief->a + belief->b) - lgamma(belief->a) - lgamma(belief->b));
}

// The t below which the belief puts the share p, by halving.
static double belief_quantile(const PrBeta *belief, double p)
{
    double low = 0, high = 1, lower, upper;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        pr_beta(&lower, &upper, belief->a, belief->b, middle);
        if (lower < p) low = middle;
        else high = middle;
    }
    return low;
}

void tell_belief(const Story *story)
{
    static const int shown[] = {0, 1, 3, 10, 40, 160, 640};
    const double truth = 0.6;
    Rng rng = rng_stream(story->run->seed, 24);
    PrBeta belief = {1, 1};
    double loaded = 0, share[2];
    int other[2], todo[2];
    Plot plot = {.title = "Belief about a coin, toss by toss",
                 .x_label = "probability of heads",
                 .y_label = "density"};
    if (!pr_alias(share, other, (const double[]){1 - truth, truth}, 2, todo)) return;
    printf("\nBelief: a coin that falls heads with probability %.1f, which nobody knows\n"
           "  tosses  heads   mean    95 %% of the belief   odds: some bias against fair\n",
           truth);
    for (int k = 0, tosses = 0, heads = 0; k < 7; k++) {
        for (; tosses < shown[k]; tosses++) {
            int head = pr_alias_draw(share, other, 2, &rng);
            loaded += pr_update(&belief, head, 1 - head);
            heads += head;
        }
        printf("  %6d  %5d  %.4f   [%.4f, %.4f]    %.3g : 1\n", tosses, heads,
               belief.a / (belief.a + belief.b), belief_quantile(&belief, 0.025),
               belief_quantile(&belief, 0.975), exp(loaded + tosses * log(2)));
        figure_add(&plot, arena_print(story->arena, "%d tosses", tosses),
                   figure_curve(story->arena, belief_density, &belief, 0, 1));
    }
    run_plot(story->run, &plot, "belief");
}
