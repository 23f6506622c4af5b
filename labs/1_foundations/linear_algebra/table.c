#include "datasets/csv.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// A column with a name, apart from its table.
static double *column_of(Arena *arena, const Csv *csv, int column)
{
    double *x = matrix_new(arena, csv->rows, 1);
    for (int i = 0; i < csv->rows; i++) x[i] = csv->values[(size_t)i * csv->columns + column];
    return x;
}

// ---- the last column from the others ----

// 1, then every other column; or 1, x, x^2, ... of a single one.   [rows,terms]
static double *design(Arena *arena, const Csv *csv, int degree, int terms)
{
    double *a = matrix_new(arena, csv->rows, terms);
    for (int i = 0; i < csv->rows; i++)
        for (int j = 0; j < terms; j++) {
            const double *row = csv->values + (size_t)i * csv->columns;
            a[(size_t)i * terms + j] = j == 0 ? 1 : degree > 1 ? pow(row[0], j) : row[j - 1];
        }
    return a;
}

static void draw_fit(const Experiment *experiment, Arena *arena, const Csv *csv,
                     const double *coefficients, int terms)
{
    enum { FINE = 400 };
    size_t rows = (size_t)csv->rows;
    double *x = column_of(arena, csv, 0), low = x[0], high = x[0];
    double *at = matrix_new(arena, FINE, 1), *curve = matrix_new(arena, FINE, 1);
    for (size_t i = 0; i < rows; i++) low = fmin(low, x[i]), high = fmax(high, x[i]);
    for (int i = 0; i < FINE; i++) {
        at[i] = low + (high - low) * i / (FINE - 1);
        curve[i] = 0;
        for (int j = terms - 1; j >= 0; j--)
            curve[i] = curve[i] * at[i] + coefficients[j];    // Horner
    }
    Plot plot = {.title = "Least squares",
                 .x_label = csv->names[0],
                 .y_label = csv->names[csv->columns - 1],
                 .points = true};
    plot_series(&plot, "rows", vector_floats(arena, x, rows),
                vector_floats(arena, column_of(arena, csv, csv->columns - 1), rows), rows);
    plot_shape(&plot, PLOT_LINE, "fit", vector_floats(arena, at, FINE),
               vector_floats(arena, curve, FINE), FINE);
    run_plot(experiment->run, &plot, "table_fit");
}

static bool fit_last(const Experiment *experiment, Arena *arena, const Csv *csv, Error *err)
{
    int others = csv->columns - 1, degree = others == 1 ? experiment->degree : 1;
    int terms = others == 1 ? degree + 1 : others + 1;
    const char *last = csv->names[others], *path = experiment->csv;
    if (csv->rows < terms)
        return error_set(err, "%s: has %d rows; a fit of %d coefficients needs as many", path,
                         csv->rows, terms);
    double *y = column_of(arena, csv, others), *qr = design(arena, csv, degree, terms), mean = 0,
           total = 0;
    double *tau = matrix_new(arena, terms, 1), *x = matrix_new(arena, terms, 1);
    double *rotated = matrix_new(arena, csv->rows, 1);
    la_qr(qr, tau, csv->rows, terms);
    if (!la_least_squares(x, rotated, qr, tau, y, csv->rows, terms))
        return error_set(
            err, "%s: %s cannot be fitted: a column is constant, or follows from the others", path,
            last);
    for (int i = 0; i < csv->rows; i++) mean += y[i] / csv->rows;
    for (int i = 0; i < csv->rows; i++) total += (y[i] - mean) * (y[i] - mean);
    double norm = vector_length(rotated + terms, (size_t)(csv->rows - terms));
    run_heading(experiment->run, "Least squares");
    const char *formula = arena_print(arena, "%s = %.6g", last, x[0]);
    for (int j = 1; j < terms; j++) {
        formula = arena_print(arena, "%s %c %.6g %s", formula, x[j] < 0 ? '-' : '+', fabs(x[j]),
                              csv->names[degree > 1 ? 0 : j - 1]);
        if (degree > 1 && j > 1) formula = arena_print(arena, "%s^%d", formula, j);
    }
    run_print(experiment->run, "%s", formula);
    const char *r_squared =
        total > 0 ? arena_print(arena, ", R squared %.3f", fmax(1 - norm * norm / total, 0)) : "";
    run_print(experiment->run, "%d rows, RMSE %.4g%s", csv->rows, norm / sqrt(csv->rows),
              r_squared);
    if (others == 1) draw_fit(experiment, arena, csv, x, terms);
    return true;
}

// ---- all of them by their components ----

// Columns in units of their standard deviations: a metre must not count for less than a millimetre.
static double *standardized(Arena *arena, const Csv *csv)
{
    double *z = matrix_copy(arena, csv->values, csv->rows, csv->columns);
    for (int j = 0; j < csv->columns; j++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < csv->rows; i++) mean += z[(size_t)i * csv->columns + j] / csv->rows;
        for (int i = 0; i < csv->rows; i++)
            squares += pow(z[(size_t)i * csv->columns + j] - mean, 2);
        double deviation = sqrt(squares / fmax(csv->rows - 1, 1));
        for (int i = 0; i < csv->rows; i++)
            z[(size_t)i * csv->columns + j] =
                (z[(size_t)i * csv->columns + j] - mean) / (deviation > 0 ? deviation : 1);
    }
    return z;
}

static bool show_components(const Experiment *experiment, Arena *arena, const Csv *csv, Error *err)
{
    int n = csv->rows, d = csv->columns, r = n < d ? n : d;
    double *z = standardized(arena, csv), *mean = matrix_new(arena, d, 1), total = 0;
    double *components = matrix_new(arena, r, d), *variances = matrix_new(arena, r, 1);
    if (!la_pca(mean, components, variances, z, n, d, arena))
        return error_set(err, "%s: the SVD of its columns did not converge", experiment->csv);
    for (int k = 0; k < r; k++) total += variances[k];
    if (!(total > 0)) return error_set(err, "%s: none of its columns varies", experiment->csv);
    run_heading(experiment->run, "PCA");
    run_print(experiment->run, "%d columns, each in units of its standard deviation", d);
    Table table = table_new(arena, "component|explained variance|loadings");
    for (int k = 0; k < r && k < 10; k++) {
        const char *loadings = "";
        for (int j = 0; j < d && j < 6; j++)
            loadings = arena_print(arena, "%s%s%.2f %s", loadings, j > 0 ? ", " : "",
                                   components[(size_t)k * d + j], csv->names[j]);
        table_row(&table, "%d|%.1f %%|%s%s", k + 1, 100 * variances[k] / total, loadings,
                  d > 6 ? ", ..." : "");
    }
    run_table(experiment->run, &table);
    if (r < 2) return true;
    double *scores = matrix_new(arena, n, 2), *two = matrix_transpose(arena, components, 2, d);
    la_matmul(scores, z, two, n, 2, d);
    double *rotated = matrix_transpose(arena, scores, n, 2);
    Plot plot = {.title = "Scores on the first two components",
                 .x_label = "first component",
                 .y_label = "second component",
                 .points = true};
    plot_series(&plot, "rows", vector_floats(arena, rotated, (size_t)n),
                vector_floats(arena, rotated + n, (size_t)n), (size_t)n);
    run_plot(experiment->run, &plot, "table_components");
    return true;
}

bool part_table(void *lab, Error *err)
{
    const Experiment *experiment = lab;
    Csv csv;
    Arena *step = experiment->step;
    if (!csv_read(step, &csv, experiment->csv, experiment->columns, err)) return false;
    if (csv.columns < 2)
        return error_set(err, "%s: one column alone; expected two or more, such as --columns x,y",
                         experiment->csv);
    return fit_last(experiment, step, &csv, err) && show_components(experiment, step, &csv, err);
}
