#include "datasets/csv.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"
#include "common/text.h"

// A column with a name, apart from its table.
static double *column_of(Arena *arena, const Csv *csv, int column)
{
    double *x = matrix_new(arena, csv->rows, 1);
    for (int i = 0; i < csv->rows; i++) x[i] = csv->values[(size_t)i * csv->columns + column];
    return x;
}

// ---- the last column from the others ----

// Mean and standard deviation of a column, whatever its unit: the scale keeps squares in range.
typedef struct Unit {
    double mean, deviation;
} Unit;

static Unit unit_of(const double *x, int n)
{
    Unit unit = {0, 0};
    double largest = 0, squares = 0;
    for (int i = 0; i < n; i++) unit.mean += x[i] / n;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(x[i] - unit.mean));
    for (int i = 0; i < n && largest > 0; i++)
        squares += (x[i] - unit.mean) / largest * ((x[i] - unit.mean) / largest);
    unit.deviation = largest * sqrt(squares / fmax(n - 1, 1));
    // What rounding the mean alone leaves is no variation.
    if (unit.deviation <= 4 * DBL_EPSILON * fabs(unit.mean)) unit.deviation = 0;
    return unit;
}

// 1, then every other column; or 1, z, z^2, ... of a single one: each column in units of its standard
// deviation, from its mean, so that neither its unit nor its origin decides what is singular.
static double *design(Arena *arena, const Csv *csv, const Unit *units, int degree, int terms)
{
    double *a = matrix_new(arena, csv->rows, terms);
    for (int i = 0; i < csv->rows; i++)
        for (int j = 0; j < terms; j++) {
            int column = degree > 1 || j == 0 ? 0 : j - 1;
            double z = csv->values[(size_t)i * csv->columns + column] - units[column].mean;
            if (units[column].deviation > 0) z /= units[column].deviation;
            a[(size_t)i * terms + j] = j == 0 ? 1 : degree > 1 ? pow(z, j) : z;
        }
    return a;
}

// Where a column is written as (x - centre): a rounded intercept would shift a line far from 0.
static double centre_of(const Unit *unit, int degree)
{
    if (unit->deviation == 0 || pow(fabs(unit->mean) / unit->deviation, degree) <= 10) return 0;
    double digit = pow(10, floor(log10(unit->deviation)));
    return round(unit->mean / digit) * digit;
}

// Plots hold floats, of which numbers like unix times would be steps. Moves x and more, [n] and [m], to
// where they differ, and returns the axis's label.
static const char *move_to_origin(Arena *arena, const char *name, double *x, size_t n, double *more,
                                  size_t m)
{
    Unit unit = unit_of(x, (int)n);
    double centre = fabs(unit.mean) > 1e4 * unit.deviation ? centre_of(&unit, 1) : 0;
    for (size_t i = 0; i < n; i++) x[i] -= centre;
    for (size_t i = 0; i < m; i++) more[i] -= centre;
    if (centre == 0) return name;
    return arena_print(arena, "%s %c %.15g", name, centre < 0 ? '+' : '-', fabs(centre));
}

static void draw_fit(const Experiment *experiment, Arena *arena, const Csv *csv,
                     const double *coefficients, double centre, int terms)
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
            curve[i] = curve[i] * (at[i] - centre) + coefficients[j];    // Horner
    }
    double *y = column_of(arena, csv, csv->columns - 1);
    Plot plot = {.title = "Least squares",
                 .x_label = move_to_origin(arena, csv->names[0], x, rows, at, FINE),
                 .y_label =
                     move_to_origin(arena, csv->names[csv->columns - 1], y, rows, curve, FINE),
                 .points = true};
    plot_series(&plot, "rows", vector_floats(arena, x, rows), vector_floats(arena, y, rows), rows);
    plot_shape(&plot, PLOT_LINE, "fit", vector_floats(arena, at, FINE),
               vector_floats(arena, curve, FINE), FINE);
    run_plot(experiment->run, &plot, "table_fit");
}

// From coefficients of the columns in their units to those of x - centre, and of y.
static void restore(double *c, const Unit *units, const double *centres, int degree, int terms)
{
    const Unit *y = &units[degree > 1 ? 1 : terms - 1];
    double y_unit = y->deviation > 0 ? y->deviation : 1;
    if (degree > 1) {    // Taylor's shift, by Horner's rule
        double offset = (centres[0] - units[0].mean) / units[0].deviation;
        for (int k = 0; k < degree; k++)
            for (int j = degree - 1; j >= k; j--) c[j] += offset * c[j + 1];
        for (int j = 1; j < terms; j++) c[j] /= pow(units[0].deviation, j);
    } else {
        for (int j = 1; j < terms; j++) {
            c[j] /= units[j - 1].deviation;
            c[0] += c[j] * (centres[j - 1] - units[j - 1].mean);
        }
    }
    for (int j = 0; j < terms; j++) c[j] *= y_unit;
    c[0] += y->mean;
}

static bool fit_last(const Experiment *experiment, Arena *arena, const Csv *csv, Error *err)
{
    int others = csv->columns - 1, degree = others == 1 ? experiment->degree : 1;
    int terms = others == 1 ? degree + 1 : others + 1;
    const char *last = csv->names[others], *path = experiment->csv;
    if (csv->rows < terms)
        return error_set(err, "%s: has %d row%s; a fit of %d coefficients needs as many", path,
                         csv->rows, text_plural(csv->rows), terms);
    Unit *units = arena_alloc(arena, (size_t)csv->columns * sizeof *units);
    double *centres = matrix_new(arena, csv->columns, 1);
    for (int j = 0; j < csv->columns; j++) {
        units[j] = unit_of(column_of(arena, csv, j), csv->rows);
        centres[j] = centre_of(&units[j], degree);
    }
    const Unit *unit = &units[others];
    double *y = column_of(arena, csv, others), *qr = design(arena, csv, units, degree, terms);
    double *tau = matrix_new(arena, terms, 1), *x = matrix_new(arena, terms, 1);
    double *rotated = matrix_new(arena, csv->rows, 1);
    for (int i = 0; i < csv->rows; i++)
        y[i] = (y[i] - unit->mean) / (unit->deviation > 0 ? unit->deviation : 1);
    la_qr(qr, tau, csv->rows, terms);
    if (!la_least_squares(x, rotated, qr, tau, y, csv->rows, terms))
        return error_set(
            err, "%s: %s cannot be fitted: a column is constant, or follows from the others", path,
            last);
    double norm = vector_length(rotated + terms, (size_t)(csv->rows - terms));
    restore(x, units, centres, degree, terms);
    run_heading(experiment->run, "Least squares");
    // As many digits as the numbers of y differ in.
    double lost = unit->deviation > 0 ? ceil(log10(fabs(x[0]) / unit->deviation)) : 12;
    int digits = lost > 12 ? 15 : lost > 3 ? (int)lost + 3 : 6;
    const char *formula = arena_print(arena, "%s = %.*g", last, digits, x[0]);
    for (int j = 1; j < terms; j++) {
        int column = degree > 1 ? 0 : j - 1;
        const char *name = csv->names[column];
        if (centres[column] != 0)
            name = arena_print(arena, "(%s %c %.15g)", name, centres[column] < 0 ? '+' : '-',
                               fabs(centres[column]));
        formula =
            arena_print(arena, "%s %c %.6g %s", formula, x[j] < 0 ? '-' : '+', fabs(x[j]), name);
        if (degree > 1 && j > 1) formula = arena_print(arena, "%s^%d", formula, j);
    }
    run_print(experiment->run, "%s", formula);
    const char *r_squared =
        unit->deviation > 0
            ? arena_print(arena, ", R squared %.3f", fmax(1 - norm * norm / (csv->rows - 1), 0))
            : "";
    run_print(experiment->run, "%d rows, RMSE %.4g%s", csv->rows,
              norm * unit->deviation / sqrt(csv->rows), r_squared);
    if (others == 1) draw_fit(experiment, arena, csv, x, centres[0], terms);
    return true;
}

// ---- all of them by their components ----

// Columns in units of their standard deviations: a metre must not count for less than a millimetre.
static double *standardized(Arena *arena, const Csv *csv)
{
    double *z = matrix_copy(arena, csv->values, csv->rows, csv->columns);
    for (int j = 0; j < csv->columns; j++) {
        Unit unit = unit_of(column_of(arena, csv, j), csv->rows);
        for (int i = 0; i < csv->rows; i++)
            z[(size_t)i * csv->columns + j] =
                unit.deviation > 0 ? (z[(size_t)i * csv->columns + j] - unit.mean) / unit.deviation
                                   : 0;
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
