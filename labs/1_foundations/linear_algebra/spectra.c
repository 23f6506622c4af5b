#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// ---- a string of beads ----

bool part_string(void *lab, Error *err)
{
    enum { MODES = 4 };
    const Experiment *experiment = lab;
    int n = experiment->beads;
    Arena *step = experiment->step;
    double *k = matrix_new(step, n, n), *values = matrix_new(step, n, 1),
           *modes = matrix_new(step, n, n);
    double *bead = matrix_new(step, n, 1), worst = 0;
    // Each bead is pulled back by its two neighbours: 2 in the middle, -1 on both sides.
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) k[i * n + j] = i == j ? 2 : (i - j == 1 || j - i == 1) ? -1 : 0;
    for (int i = 0; i < n; i++) bead[i] = i + 1;
    int sweeps = la_eigen(values, modes, k, n);
    if (sweeps < 0) return error_set(err, "a string of %d beads: Jacobi did not converge", n);
    for (int i = 0; i < n; i++) {
        double truth = 4 * pow(sin((n - i) * M_PI / (2 * (n + 1))), 2);
        worst = fmax(worst, fabs(values[i] - truth) / (4 * DBL_EPSILON));
    }
    run_print(experiment->run, "%d beads; Jacobi converged in %d sweeps", n, sweeps);
    run_print(experiment->run, "eigenvalues, the squares of the frequencies: %.4f to %.4f",
              values[n - 1], values[0]);
    run_print(experiment->run,
              "largest error against 4 sin^2(k pi / 2(n+1)): %.1f eps times the largest", worst);
    Plot plot = {
        .title = "The lowest modes of a string", .x_label = "bead", .y_label = "amplitude"};
    for (int m = 0; m < MODES && m < n; m++) {
        double *mode = modes + (size_t)(n - 1 - m) * n;
        for (int i = n - 1; i >= 0; i--) mode[i] *= mode[0] < 0 ? -1 : 1;    // the sign is free
        plot_series(&plot, arena_print(step, "mode %d", m + 1),
                    vector_floats(step, bead, (size_t)n), vector_floats(step, mode, (size_t)n),
                    (size_t)n);
    }
    run_plot(experiment->run, &plot, "modes");
    return true;
}

// ---- PageRank ----

enum { PAGES = 9, LINKS = 4 };

typedef struct Page {
    const char *name;
    int links[LINKS];    // numbers of pages; -1 ends them
} Page;

static const Page pages[PAGES] = {
    {"home", {1, 2, 3, -1}},
    {"lessons", {0, 4, 5, -1}},
    {"news", {0, 6, -1}},
    {"about", {0, -1}},
    {"algebra", {1, 5, 8, -1}},
    {"calculus", {1, 4, 8, -1}},
    {"a friend's page", {0, 7, -1}},
    {"a forgotten page", {6, -1}},
    {"a book", {-1}},
};

// Brin & Page 1998: with probability `follow` the reader follows one of the links, all alike; otherwise,
// and where there is none, goes anywhere. Column j holds where page j leads.
static double *google_matrix(Arena *arena, double follow)
{
    double *g = matrix_new(arena, PAGES, PAGES);
    for (int j = 0; j < PAGES; j++) {
        int count = 0;
        while (count < LINKS && pages[j].links[count] >= 0) count++;
        for (int i = 0; i < PAGES; i++) g[i * PAGES + j] = (count > 0 ? 1 - follow : 1) / PAGES;
        for (int l = 0; l < count; l++) g[pages[j].links[l] * PAGES + j] += follow / count;
    }
    return g;
}

bool part_pages(void *lab, Error *err)
{
    enum { TOLERANCES = 13, MOST = 1000 };
    const double follow = 0.85;
    const Experiment *experiment = lab;
    Arena *step = experiment->step;
    double *g = google_matrix(step, follow), rank[PAGES], next[PAGES], value = 0, sum = 0;
    float products[TOLERANCES], residual[TOLERANCES], bound[TOLERANCES];
    int used = 0;
    for (int t = 0; t < TOLERANCES; t++) {
        double tolerance = pow(10, -1 - t);
        for (int i = 0; i < PAGES; i++) rank[i] = 1;
        used = la_power(&value, rank, next, g, PAGES, MOST, tolerance);
        if (used == 0)
            return error_set(err, "PageRank: did not converge to %.0e in %d products", tolerance,
                             MOST);
        products[t] = (float)used;
        residual[t] = (float)tolerance;
        bound[t] = (float)pow(follow, used);
    }
    for (int i = 0; i < PAGES; i++) sum += rank[i];
    run_print(experiment->run,
              "where a reader of %d pages ends up, following links at random: eigenvalue %.12f "
              "after %d products",
              PAGES, value, used);
    Table table = table_new(step, "page|PageRank|");
    for (int i = 0; i < PAGES; i++)
        table_row(&table, "%s|%.1f %%|%.*s", pages[i].name, 100 * rank[i] / sum,
                  (int)(100 * rank[i] / sum + 0.5),
                  "##################################################");
    run_table(experiment->run, &table);
    Plot plot = {.title = "Convergence of power iteration",
                 .x_label = "matrix-vector products",
                 .y_label = "relative residual",
                 .log_y = true};
    plot_series(&plot, "residual", products, residual, TOLERANCES);
    plot_series(&plot, "bound 0.85^k", products, bound, TOLERANCES);
    run_plot(experiment->run, &plot, "pages");
    return true;
}
