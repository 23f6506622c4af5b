/* Monte Carlo integration, the Metropolis algorithm, and the entropy of English letters. */
#include "labs/1_foundations/probability/story.h"

static double quarter_circle(double x, const void *context)
{
    (void)context;
    return 4 * sqrt(1 - x * x);
}

bool part_integration(void *context, Error *err)
{
    (void)err;
    enum { LARGEST = 20 };
    const Lab *lab = context;
    int largest = lab->run->smoke ? 14 : LARGEST;
    Rng rng = rng_stream(lab->run->seed, 31);
    Line actual = line_new(lab->step, LARGEST), standard = line_new(lab->step, LARGEST);
    run_print(lab->run, "The integral of 4 sqrt(1 - x^2) from 0 to 1, which is pi");
    Table table = table_new(lab->step, "draws|estimate|standard error|error");
    for (int k = 2; k <= largest; k++) {
        size_t n = (size_t)1 << k;
        PrEstimate pi = pr_integrate(quarter_circle, NULL, 0, 1, n, &rng);
        line_add(&actual, (double)n, fabs(pi.value - acos(-1)));
        line_add(&standard, (double)n, pi.standard_error);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"draws", (double)n}, {"estimate", pi.value},
                              {"standard_error", pi.standard_error}));
        if (k % 6 == 2)
            table_row(&table, "%zu|%.5f|%.5f|%.5f", n, pi.value, pi.standard_error,
                      pi.value - acos(-1));
    }
    run_table(lab->run, &table);
    Plot plot = {.title = "Monte Carlo error of pi: four times the draws, half the standard error",
                 .x_label = "draws",
                 .y_label = "error",
                 .log_x = true,
                 .log_y = true};
    figure_add(&plot, "absolute error", actual);
    figure_add(&plot, "standard error", standard);
    run_plot(lab->run, &plot, "monte_carlo");
    return true;
}

// A mixture of N(-2, 0.5) and N(2, 1) with the weights 0.3 and 0.7.
static double mixture(double x, const void *context)
{
    (void)context;
    double left = (x + 2) / 0.5, right = x - 2, root = sqrt(2 * acos(-1));
    return (0.3 / 0.5 * exp(-left * left / 2) + 0.7 * exp(-right * right / 2)) / root;
}

static double log_mixture(double x, const void *context)
{
    return log(mixture(x, context));
}

bool part_metropolis(void *context, Error *err)
{
    (void)err;
    enum { SHOWN = 1000 };
    static const double widths[] = {0.3, 5, 100};
    const Lab *lab = context;
    size_t n = lab->run->smoke ? 5000 : 200000;
    Rng rng = rng_stream(lab->run->seed, 32);
    double *x = arena_alloc(lab->step, n * sizeof *x);
    Plot samples = {.title = "Metropolis samples and their target density",
                    .x_label = "x",
                    .y_label = "density"};
    Plot traces = {.title = "Trace plots of the first 1000 iterations",
                   .x_label = "iteration",
                   .y_label = "x, shifted up by 0, 10 and 20"};
    run_print(lab->run, "%zu iterations; P(x < 0) is %.3f", n,
              0.3 * erfc(-4 / sqrt(2)) / 2 + 0.7 * erfc(2 / sqrt(2)) / 2);
    Table table = table_new(lab->step, "proposal width|acceptance rate [%]|share of x < 0");
    for (int k = 0; k < 3; k++) {
        double rate = pr_metropolis(x, n, 2, widths[k], log_mixture, NULL, &rng);
        size_t left = 0;
        Line trace = line_new(lab->step, SHOWN);
        const char *name = arena_print(lab->step, "proposal width %g", widths[k]);
        for (size_t i = 0; i < n; i++) {
            left += x[i] < 0;
            if (i < SHOWN) line_add(&trace, (double)i, x[i] + 10 * k);
        }
        table_row(&table, "%g|%.1f|%.3f", widths[k], 100 * rate, (double)left / (double)n);
        figure_add(&samples, name, figure_histogram(lab->step, x, n, -5, 6, 110));
        figure_add(&traces, name, trace);
    }
    run_table(lab->run, &table);
    figure_add_exact(&samples, "target density", figure_curve(lab->step, mixture, NULL, -5, 6));
    run_plot(lab->run, &samples, "metropolis");
    run_plot(lab->run, &traces, "traces");
    return true;
}

// ---- information ----

enum { LETTERS = 26, REPEATS = 20 };

// Frequencies in English text, in percent, a to z (Lewand 2000, Cryptological Mathematics).
static const double english[LETTERS] = {
    8.167, 1.492, 2.782, 4.253, 12.702, 2.228, 2.015, 6.094, 6.966, 0.153, 0.772, 4.025, 2.406,
    6.749, 7.507, 1.929, 0.095, 5.987,  6.327, 9.056, 2.758, 0.978, 2.360, 0.150, 1.974, 0.074};

bool part_information(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    double p[LETTERS], uniform[LETTERS], q[LETTERS], prob[LETTERS], sum = 0;
    int alias[LETTERS], work[LETTERS];
    Rng rng = rng_stream(lab->run->seed, 33);
    for (int c = 0; c < LETTERS; c++) sum += english[c];
    for (int c = 0; c < LETTERS; c++) p[c] = english[c] / sum, uniform[c] = 1.0 / LETTERS;
    PrInformation forward = pr_information(p, uniform, LETTERS),
                  reverse = pr_information(uniform, p, LETTERS);
    Table table = table_new(lab->step, "in bits|letters of English|uniform letters");
    table_row(&table, "entropy H(p)|%.3f|%.3f", forward.entropy / log(2), reverse.entropy / log(2));
    table_row(&table, "cross-entropy with the other's code|%.3f|%.3f",
              forward.cross_entropy / log(2), reverse.cross_entropy / log(2));
    table_row(&table, "KL divergence from the other|%.3f|%.3f", forward.kl / log(2),
              reverse.kl / log(2));
    run_table(lab->run, &table);
    if (!pr_alias(prob, alias, p, LETTERS, work)) return true;
    run_print(lab->run, "KL divergence of the true from the estimated distribution, in bits");
    table = table_new(lab->step, "letters seen n|KL divergence|theory: 25 / (2n ln 2)");
    for (int n = 1000; n <= (lab->run->smoke ? 1000 : 100000); n *= 10) {
        double kl = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            int counts[LETTERS] = {0};
            for (int i = 0; i < n; i++) counts[pr_alias_draw(prob, alias, LETTERS, &rng)]++;
            // Additive smoothing by half a count: what was not seen is not impossible.
            for (int c = 0; c < LETTERS; c++) q[c] = (counts[c] + 0.5) / (n + 0.5 * LETTERS);
            kl += pr_information(p, q, LETTERS).kl / REPEATS;
        }
        table_row(&table, "%d|%.6f|%.6f", n, kl / log(2), (LETTERS - 1) / (2.0 * n * log(2)));
    }
    run_table(lab->run, &table);
    return true;
}
