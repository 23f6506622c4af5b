/* solvers.c -- the lasso by ISTA, FISTA and coordinate descent, beside the bounds of their theorems. */
#include "labs/2_core/sparse_coding/lab.h"
#include <math.h>
#include <string.h>

enum { CURVE = 300 };

// f - f* after each iteration, from a = 0.
static void converge(float *gap, const Lab *lab, const Dictionary *dict, const double *x, double L,
                     int solver, double best)
{
    double lambda = (double)lab->lambda, *a = doubles(lab->step, (size_t)dict->K),
           *work = doubles(lab->step, (size_t)dict->P + 2 * (size_t)dict->K);
    for (int t = 0; t < CURVE; t++) {
        if (solver == 0) sc_ista(a, x, dict, lambda, L, 1, work);
        if (solver == 1) {    // FISTA's momentum begins anew at each call
            memset(a, 0, (size_t)dict->K * sizeof *a);
            sc_fista(a, x, dict, lambda, L, t + 1, work);
        }
        if (solver == 2) sc_coordinate_descent(a, x, dict, lambda, 0, 1, work);
        gap[t] = (float)fmax(sc_objective(a, x, dict, lambda) - best, 1e-15);
    }
}

bool part_lasso(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    enum { K = 128, P = 64 };
    static const char *const names[] = {"ISTA", "FISTA", "coordinate descent"};
    Rng rng = rng_stream(lab->run->seed, 1);
    Dictionary dict = {K, P, random_atoms(lab->step, K, P, &rng)};
    double *x = doubles(lab->step, P), *a = doubles(lab->step, K),
           *work = doubles(lab->step, P + 2 * K);
    for (int i = 0; i < P; i++) x[i] = (double)rng_normal(&rng) / 4;
    double L = sc_spectral_norm(&dict, 200, work) * 1.001;
    int sweeps = sc_coordinate_descent(a, x, &dict, (double)lab->lambda, 1e-13, 100000, work),
        used = 0;
    double best = sc_objective(a, x, &dict, (double)lab->lambda);
    for (int k = 0; k < K; k++) used += a[k] != 0;
    run_print(lab->run,
              "%d random atoms of length %d; spectral norm %.3f; lambda %g: the optimum uses %d "
              "atom%s, found in %d sweep%s.",
              K, P, L / 1.001, (double)lab->lambda, used, text_plural(used), sweeps,
              text_plural(sweeps));
    float at[CURVE], gaps[3][CURVE], bounds[2][CURVE];
    Table table = table_new(lab->step, "solver|f - f* after 10|after 100 iterations or sweeps");
    Plot plot = {.title = "Lasso: distance from the minimum",
                 .x_label = "iterations, sweeps",
                 .y_label = "f - f*",
                 .log_x = true,
                 .log_y = true};
    double distance = 0;    // |a0 - a*|^2, with a0 = 0
    for (int k = 0; k < K; k++) distance += a[k] * a[k];
    for (int t = 0; t < CURVE; t++) {    // Beck & Teboulle 2009, theorems 3.1 and 4.4
        at[t] = (float)(t + 1);
        bounds[0][t] = (float)(L * distance / (2 * (t + 1)));
        bounds[1][t] = (float)(2 * L * distance / ((t + 2.0) * (t + 2.0)));
    }
    for (int s = 0; s < 3; s++) {
        converge(gaps[s], lab, &dict, x, L, s, best);
        metrics_write(lab->run->metrics, s, METRICS({"gap_after_100", gaps[s][99]}));
        table_row(&table, "%s|%.2e|%.2e", names[s], (double)gaps[s][9], (double)gaps[s][99]);
        plot_series(&plot, names[s], at, gaps[s], CURVE);
    }
    plot_shape(&plot, PLOT_LIMIT, "ISTA's bound, 1/k", at, bounds[0], CURVE);
    plot_shape(&plot, PLOT_LIMIT, "FISTA's bound, 1/k^2", at, bounds[1], CURVE);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "lasso");
    return true;
}
