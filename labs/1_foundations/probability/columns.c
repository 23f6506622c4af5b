/* The user's own numbers: `probability --csv FILE --columns a,b`. */
#include <stdio.h>
#include <stdlib.h>
#include "datasets/csv.h"
#include "labs/1_foundations/probability/story.h"

static int by_size(const void *a, const void *b)
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

static bool describe(Arena *arena, const char *name, const double *x, size_t n, Error *err)
{
    PrMoments m = {0};
    double *sorted = arena_alloc(arena, n * sizeof *sorted), low, high;
    for (size_t i = 0; i < n; i++) sorted[i] = x[i];
    qsort(sorted, n, sizeof *sorted, by_size);
    pr_moments(&m, x, n);
    if (n < 2) return error_set(err, "%s: one number has no spread; give two at least", name);
    printf("\n%s: %zu numbers\n"
           "  mean %g, deviation %g\n"
           "  least %g, quarters %g, %g, %g, largest %g\n",
           name, n, m.mean, sqrt(pr_variance(&m)), sorted[0], pr_quantile(sorted, n, 0.25),
           pr_quantile(sorted, n, 0.5), pr_quantile(sorted, n, 0.75), sorted[n - 1]);
    if (!pr_interval(&low, &high, x, n, 0.95))
        return error_set(err, "%s: all %zu numbers are %g; without spread there is nothing to test",
                         name, n, x[0]);
    printf("  95 %% interval of the mean [%g, %g]\n", low, high);
    static const char *const families[] = {"normal", "exponential", "Poisson"};
    for (int f = PR_NORMAL; f <= PR_POISSON; f++) {
        PrFit fit;
        if (pr_fit(&fit, (PrFamily)f, x, n))
            printf("  as %-12s %g %s %g   log-likelihood %g\n", families[f], fit.a,
                   f == PR_NORMAL ? "and" : "   ", fit.b, fit.log_likelihood);
        else printf("  as %-12s impossible: it never gives such numbers\n", families[f]);
    }
    return true;
}

bool tell_columns(const Story *story, const char *path, const char *columns, Error *err)
{
    Csv csv;
    if (!csv_read(story->arena, &csv, path, columns, err)) return false;
    if (csv.columns > 2)
        return error_set(err, "%s: %d columns; name one or two of them with --columns", path,
                         csv.columns);
    size_t n = (size_t)csv.rows;
    const double *x[2] = {NULL, NULL};
    for (int c = 0; c < csv.columns; c++) {
        x[c] = column_of(story->arena, &csv, c);
        if (!describe(story->arena, csv.names[c], x[c], n, err)) return false;
    }
    if (csv.columns < 2) return true;

    PrTest test;
    double *more = arena_alloc(story->arena, n * sizeof *more);
    for (size_t i = 0; i < n; i++) more[i] = x[0][i] - x[1][i];
    printf("\nIs the mean of %s that of %s?\n", csv.names[0], csv.names[1]);
    if (pr_t_test(&test, x[0], n, x[1], n, 0))
        printf("  as two samples     t %.4f, freedom %.3f, p %.5g\n", test.statistic, test.df,
               test.p);
    if (pr_t_test(&test, more, n, NULL, 0, 0))
        printf("  row by row         t %.4f, freedom %.3f, p %.5g   (only where rows belong "
               "together)\n",
               test.statistic, test.df, test.p);
    else
        printf("  row by row         the difference is %g in every row: nothing to test\n",
               more[0]);
    return true;
}
