/* Estimation, tests, confidence intervals, the bootstrap and Bayesian inference. */
#include <stdlib.h>
#include <string.h>
#include "labs/1_foundations/probability/story.h"

// ---- maximum likelihood and goodness of fit ----

bool part_horse_kicks(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    // Prussian soldiers killed by the kick of a horse: 0, 1, 2, 3, 4 deaths in so many of 200
    // corps-years (Bortkiewicz 1898, Das Gesetz der kleinen Zahlen).
    static const double years[] = {109, 65, 22, 3, 1};
    double deaths[200];
    size_t n = 0;
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < (int)years[k]; i++) deaths[n++] = k;

    static const char *const names[] = {"normal", "exponential", "Poisson"};
    PrFit fit[3];
    run_print(lab->run, "Deaths in 200 corps-years of the Prussian army, 1875-1894");
    Table fits = table_new(lab->step, "family|a|b|log-likelihood|of");
    for (int f = PR_NORMAL; f <= PR_POISSON; f++) {
        pr_fit(&fit[f], (PrFamily)f, deaths, n);
        table_row(&fits, "%s|%.4f|%.4f|%.2f|%s", names[f], fit[f].a, fit[f].b,
                  fit[f].log_likelihood, f == PR_POISSON ? "probabilities" : "densities");
    }
    run_table(lab->run, &fits);
    double mean = fit[PR_POISSON].a, p = exp(-mean), expected[4], rest = 200;
    for (int k = 0; k < 3; k++) {
        expected[k] = 200 * p;
        rest -= expected[k];
        p *= mean / (k + 1);
    }
    expected[3] = rest;
    const double observed[] = {109, 65, 22, 4};
    PrTest test;
    if (!pr_chi_square(&test, observed, expected, 4, 1)) return true;
    Table counts = table_new(lab->step, "deaths|observed|expected");
    for (int k = 0; k < 4; k++)
        table_row(&counts, "%d%s|%.0f|%.1f", k, k == 3 ? " or more" : "", observed[k], expected[k]);
    run_table(lab->run, &counts);
    run_print(lab->run, "Goodness of fit: chi-square %.3f, df %.0f, p-value %.3f", test.statistic,
              test.df, test.p);
    return true;
}

// ---- tests and confidence intervals ----

bool part_sleep(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    // Extra hours of sleep of ten patients ("Student" 1908, The Probable Error of a Mean).
    static const double first[10] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    static const double second[10] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    double difference[10], low, high;
    PrTest welch, paired;
    for (int i = 0; i < 10; i++) difference[i] = second[i] - first[i];
    if (!pr_t_test(&welch, second, 10, first, 10, 0) ||
        !pr_t_test(&paired, difference, 10, NULL, 0, 0) ||
        !pr_interval(&low, &high, difference, 10, 0.95))
        return true;
    run_print(lab->run, "H0: ten patients sleep equally long with either of two drugs");
    Table table = table_new(lab->step, "test|t|df|p-value");
    table_row(&table, "Welch, two samples|%.4f|%.3f|%.5f", welch.statistic, welch.df, welch.p);
    table_row(&table, "paired, by patient|%.4f|%.3f|%.5f", paired.statistic, paired.df, paired.p);
    run_table(lab->run, &table);
    run_print(lab->run, "95 %% confidence interval of the mean difference [%.2f, %.2f] hours", low,
              high);
    return true;
}

// An interval as a horizontal line in a row of its own.
static void add_interval(Line *line, double low, double high, int row)
{
    line_add(line, low, row);
    line_add(line, high, row);
    line_add(line, NAN, row);
}

bool part_coverage(void *context, Error *err)
{
    (void)err;
    enum { N = 5, SHOWN = 100 };
    const Lab *lab = context;
    Rng rng = rng_stream(lab->run->seed, 21);
    int by_t = 0, by_z = 0, skewed = 0;
    double x[N], low = 0, high = 0, shrink = 1.959963984540054 / pr_student_critical(0.95, N - 1);
    Line hits = line_new(lab->step, 3 * SHOWN), misses = line_new(lab->step, 3 * SHOWN);
    for (int e = 0; e < lab->experiments; e++) {
        pr_normal(x, N, 10, 2, &rng);
        pr_interval(&low, &high, x, N, 0.95);
        bool covers = low <= 10 && 10 <= high;
        if (e < SHOWN) add_interval(covers ? &hits : &misses, low, high, e);
        by_t += covers;
        double middle = (low + high) / 2, margin = (high - low) / 2 * shrink;
        by_z += middle - margin <= 10 && 10 <= middle + margin;
        pr_exponential(x, N, 0.1, &rng);
        pr_interval(&low, &high, x, N, 0.95);
        skewed += low <= 10 && 10 <= high;
    }
    double all = lab->experiments;
    run_print(lab->run,
              "95 %% intervals from %d numbers, over %.0f experiments: standard error of the "
              "coverage %.2f %%",
              N, all, 100 * sqrt(0.95 * 0.05 / all));
    Table table = table_new(lab->step, "data and method|coverage [%]|expected");
    table_row(&table, "normal data, Student's t|%.2f|95, exact", 100 * by_t / all);
    table_row(&table, "normal data, z = 1.96 for t|%.2f|87.84, from the t distribution",
              100 * by_z / all);
    table_row(&table, "exponential data, Student's t|%.2f|unknown: t assumes normal data",
              100 * skewed / all);
    run_table(lab->run, &table);
    metrics_write(lab->run->metrics, 0,
                  METRICS({"coverage_t", by_t / all}, {"coverage_z", by_z / all},
                          {"coverage_skewed", skewed / all}));
    Plot plot = {.title = "A hundred 95 % confidence intervals for a mean of 10",
                 .x_label = "confidence interval of the mean",
                 .y_label = "experiment"};
    figure_add(&plot, "covers 10", hits);
    figure_add(&plot, "misses 10", misses);
    run_plot(lab->run, &plot, "coverage");
    return true;
}

// Optional stopping: the first p below 0.05 when testing after every number from the tenth on;
// otherwise the last p.
static double stopped_p(const double *x, int n)
{
    PrTest test = {.p = 1};
    for (int k = 10; k <= n && test.p >= 0.05; k++) pr_t_test(&test, x, (size_t)k, NULL, 0, 0);
    return test.p;
}

bool part_p_values(void *context, Error *err)
{
    (void)err;
    enum { N = 10, M = 15, LAST = 100, BINS = 20 };
    const Lab *lab = context;
    int experiments = lab->experiments, rejected[3] = {0};
    size_t count = (size_t)experiments;
    Rng rng = rng_stream(lab->run->seed, 22);
    double *p[3], x[LAST], y[M];
    for (int k = 0; k < 3; k++) p[k] = arena_alloc(lab->step, count * sizeof *p[k]);
    for (int e = 0; e < experiments; e++) {
        PrTest test = {0};
        pr_normal(x, N, 0, 1, &rng);
        pr_normal(y, M, 0, 2, &rng);
        pr_t_test(&test, x, N, y, M, 0);
        p[0][e] = test.p;
        pr_t_test(&test, x, N, y, M, 1.5);
        p[1][e] = test.p;
        pr_normal(x, LAST, 0, 1, &rng);
        p[2][e] = stopped_p(x, LAST);
        for (int k = 0; k < 3; k++) rejected[k] += p[k][e] < 0.05;
    }
    double rate[3];
    for (int k = 0; k < 3; k++) rate[k] = (double)rejected[k] / experiments;
    run_print(lab->run, "How often H0 is rejected at the significance level 5 %%");
    Table table = table_new(lab->step, "truth and procedure|p < 0.05 [%]|this is the");
    table_row(&table, "H0 true|%.2f|type I error, 5 by design", 100 * rate[0]);
    table_row(&table, "H1 true: means 1.5 apart|%.2f|power", 100 * rate[1]);
    table_row(&table, "H0 true, optional stopping: test after each of 10 to %d|%.2f|type I error",
              LAST, 100 * rate[2]);
    run_table(lab->run, &table);
    metrics_write(lab->run->metrics, 0,
                  METRICS({"type_1_error", rate[0]}, {"power", rate[1]},
                          {"type_1_error_optional_stopping", rate[2]}));
    Plot plot = {.title = "Distribution of p-values under H0 and H1",
                 .x_label = "p-value",
                 .y_label = "density",
                 .log_y = true};
    const char *const names[] = {"H0 true", "H1 true: means 1.5 apart",
                                 "H0 true, optional stopping"};
    for (int k = 0; k < 3; k++) {
        Line line = figure_histogram(lab->step, p[k], count, 0, 1, BINS);
        for (size_t i = 0; i < line.count; i++)
            if (line.y[i] <= 0) line.y[i] = NAN;    // a log scale has no 0
        figure_add(&plot, names[k], line);
    }
    run_plot(lab->run, &plot, "p_values");
    return true;
}

// ---- the bootstrap ----

enum { WAITS = 50 };

static int by_value(const void *a, const void *b)
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
    qsort(sorted, n, sizeof *sorted, by_value);
    return pr_quantile(sorted, n, 0.5);
}

bool part_bootstrap(void *context, Error *err)
{
    (void)err;
    static const struct {
        const char *name;
        PrStatistic *of;
        double truth;
    } statistics[] = {{"mean", sample_mean, 1}, {"median", sample_median, 0.6931}};
    const Lab *lab = context;
    size_t replicates = lab->run->smoke ? 500 : 10000;
    Rng rng = rng_stream(lab->run->seed, 23);
    double x[WAITS], resample[WAITS], *r = arena_alloc(lab->step, replicates * sizeof *r);
    PrMoments m = {0};
    Plot plot = {.title = "Bootstrap distributions of the mean and the median",
                 .x_label = "replicate of the statistic",
                 .y_label = "density"};
    pr_exponential(x, WAITS, 1, &rng);
    pr_moments(&m, x, WAITS);
    run_print(lab->run, "%zu resamples of %d exponential waiting times", replicates, WAITS);
    Table table =
        table_new(lab->step, "statistic|estimate|standard error|95 % percentile interval|true");
    for (int k = 0; k < 2; k++) {
        PrMoments spread = {0};
        pr_bootstrap(r, replicates, statistics[k].of, x, WAITS, resample, &rng);
        pr_moments(&spread, r, replicates);
        qsort(r, replicates, sizeof *r, by_value);
        table_row(&table, "%s|%.3f|%.3f|[%.3f, %.3f]|%.3f", statistics[k].name,
                  statistics[k].of(x, WAITS), sqrt(pr_variance(&spread)),
                  pr_quantile(r, replicates, 0.025), pr_quantile(r, replicates, 0.975),
                  statistics[k].truth);
        figure_add(&plot, statistics[k].name,
                   figure_histogram(lab->step, r, replicates, 0.2, 1.8, 80));
    }
    run_table(lab->run, &table);
    run_print(
        lab->run,
        "By the formula s / sqrt(n) the standard error of the mean is %.3f; the median has no "
        "formula as short",
        sqrt(pr_variance(&m) / WAITS));
    run_plot(lab->run, &plot, "bootstrap");
    return true;
}

// ---- Bayesian inference ----

static double beta_density(double t, const void *context)
{
    const PrBeta *beta = context;
    if (t <= 0 || t >= 1) return NAN;
    return exp((beta->a - 1) * log(t) + (beta->b - 1) * log1p(-t) + lgamma(beta->a + beta->b) -
               lgamma(beta->a) - lgamma(beta->b));
}

// By bisection of the CDF.
static double beta_quantile(const PrBeta *beta, double p)
{
    double low = 0, high = 1, lower, upper;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        pr_beta(&lower, &upper, beta->a, beta->b, middle);
        if (lower < p) low = middle;
        else high = middle;
    }
    return low;
}

bool part_posterior(void *context, Error *err)
{
    (void)err;
    static const int shown[] = {0, 1, 3, 10, 40, 160, 640};
    const double truth = 0.6;
    const Lab *lab = context;
    Rng rng = rng_stream(lab->run->seed, 24);
    PrBeta posterior = {1, 1};
    double log_evidence = 0, prob[2];
    int alias[2], work[2];
    Plot plot = {.title = "Posterior of a coin's probability of heads, from a uniform prior",
                 .x_label = "probability of heads",
                 .y_label = "posterior density"};
    if (!pr_alias(prob, alias, (const double[]){1 - truth, truth}, 2, work)) return true;
    run_print(lab->run, "True probability of heads %.1f; uniform prior Beta(1,1)", truth);
    Table table = table_new(lab->step, "tosses|heads|posterior mean|95 % credible interval|"
                                       "Bayes factor, biased against fair");
    for (int k = 0, tosses = 0, heads = 0; k < 7; k++) {
        for (; tosses < shown[k]; tosses++) {
            int head = pr_alias_draw(prob, alias, 2, &rng);
            log_evidence += pr_update(&posterior, head, 1 - head);
            heads += head;
        }
        table_row(&table, "%d|%d|%.4f|[%.4f, %.4f]|%.3g", tosses, heads,
                  posterior.a / (posterior.a + posterior.b), beta_quantile(&posterior, 0.025),
                  beta_quantile(&posterior, 0.975), exp(log_evidence + tosses * log(2)));
        figure_add(&plot, arena_print(lab->step, "%d toss%s", tosses, tosses == 1 ? "" : "es"),
                   figure_curve(lab->step, beta_density, &posterior, 0, 1));
    }
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "posterior");
    return true;
}
