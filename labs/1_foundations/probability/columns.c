/* The user's table: `probability --csv FILE --columns a,b`. */
#include <stdlib.h>
#include "datasets/csv.h"
#include "labs/1_foundations/probability/story.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *column_of(Arena *arena, const Csv *csv, int column)
{
    double *x = arena_alloc(arena, (size_t)csv->rows * sizeof *x);
    for (int r = 0; r < csv->rows; r++)
        x[r] = csv->values[(size_t)r * (size_t)csv->columns + (size_t)column];
    return x;
}

// So many that numbers apart by the standard deviation differ: unix times have ten digits before it.
static int digits_of(double largest, double deviation)
{
    double lost = deviation > 0 ? ceil(log10(largest) - log10(deviation)) : 12;
    return lost > 12 ? 15 : lost > 3 ? (int)lost + 3 : 6;
}

static bool describe(const Lab *lab, const char *name, const double *x, size_t n, Error *err)
{
    PrMoments m = {0};
    double *sorted = arena_alloc(lab->step, n * sizeof *sorted), scale = 0, low, high;
    for (size_t i = 0; i < n; i++) sorted[i] = x[i];
    qsort(sorted, n, sizeof *sorted, by_value);
    pr_scaled_moments(&m, &scale, x, n);
    run_heading(lab->run, arena_print(lab->step, "%s: n = %zu", name, n));
    if (n < 2) return error_set(err, "%s: one number has no variance; expected at least two", name);
    double deviation = scale * sqrt(pr_variance(&m));
    int digits = digits_of(fmax(fabs(sorted[0]), fabs(sorted[n - 1])), deviation);
    run_print(lab->run, "mean %.*g, standard deviation %g", digits, scale * m.mean, deviation);
    run_print(lab->run, "minimum %.*g, quartiles %.*g, %.*g, %.*g, maximum %.*g", digits, sorted[0],
              digits, pr_quantile(sorted, n, 0.25), digits, pr_quantile(sorted, n, 0.5), digits,
              pr_quantile(sorted, n, 0.75), digits, sorted[n - 1]);
    if (!pr_interval(&low, &high, x, n, 0.95)) {
        run_print(lab->run, "All %zu numbers are %.*g: zero variance, no confidence interval", n,
                  digits, x[0]);
        return true;
    }
    run_print(lab->run, "95 %% confidence interval of the mean [%.*g, %.*g]", digits, low, digits,
              high);
    static const char *const families[] = {"normal", "exponential", "Poisson"};
    Table table = table_new(lab->step, "maximum likelihood|a|b|log-likelihood");
    for (int f = PR_NORMAL; f <= PR_POISSON; f++) {
        PrFit fit;
        if (pr_fit(&fit, (PrFamily)f, x, n))
            table_row(&table, "%s|%.*g|%g|%g", families[f], digits, fit.a, fit.b,
                      fit.log_likelihood);
        else table_row(&table, "%s: outside its support|||", families[f]);
    }
    run_table(lab->run, &table);
    return true;
}

static void add_test(Table *table, const char *name, const PrTest *test)
{
    table_row(table, "%s|%.4f|%.3f|%.5g", name, test->statistic, test->df, test->p);
}

bool part_table(void *context, Error *err)
{
    const Lab *lab = context;
    Csv csv;
    if (!csv_read(lab->step, &csv, lab->csv, lab->columns, err)) return false;
    if (csv.columns < 1 || csv.columns > 2)
        return error_set(err, "%s: %d columns; name one or two of them with --columns", lab->csv,
                         csv.columns);
    size_t n = (size_t)csv.rows;
    const double *x[2] = {NULL, NULL};
    for (int c = 0; c < csv.columns; c++) {
        x[c] = column_of(lab->step, &csv, c);
        if (!describe(lab, csv.names[c], x[c], n, err)) return false;
    }
    bool varies = false;
    for (int c = 0; c < csv.columns; c++)
        for (size_t i = 0; i < n; i++) varies = varies || x[c][i] != x[c][0];
    if (!varies)
        return error_set(err, "%s: all %zu numbers are %.15g; zero variance cannot be tested",
                         csv.names[0], n, x[0][0]);
    if (csv.columns < 2) return true;

    PrTest test;
    double *difference = arena_alloc(lab->step, n * sizeof *difference);
    for (size_t i = 0; i < n; i++) difference[i] = x[0][i] - x[1][i];
    run_heading(lab->run, arena_print(lab->step, "t-test of H0: %s and %s have the same mean",
                                      csv.names[0], csv.names[1]));
    Table table = table_new(lab->step, "test|t|df|p-value");
    if (pr_t_test(&test, x[0], n, x[1], n, 0)) add_test(&table, "Welch, two samples", &test);
    bool paired = pr_t_test(&test, difference, n, NULL, 0, 0);
    if (paired) add_test(&table, "paired, row by row", &test);
    run_table(lab->run, &table);
    if (paired) run_print(lab->run, "The paired test is valid only where the rows are pairs.");
    else run_print(lab->run, "No paired test: the difference is %.15g in every row", difference[0]);
    return true;
}
