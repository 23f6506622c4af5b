#include <stdio.h>
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// ---- a string of beads ----

bool tell_string(const Story *story, Error *err)
{
    enum { MODES = 4 };
    int n = story->set.beads;
    Arena *arena = arena_new("string", (size_t)64 << 20);
    double *k = matrix_new(arena, n, n), *values = matrix_new(arena, n, 1),
           *modes = matrix_new(arena, n, n);
    double *bead = matrix_new(arena, n, 1), worst = 0;
    // Each bead is pulled back by its two neighbours: 2 in the middle, -1 on both sides.
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) k[i * n + j] = i == j ? 2 : (i - j == 1 || j - i == 1) ? -1 : 0;
    for (int i = 0; i < n; i++) bead[i] = i + 1;
    int sweeps = la_eigen(values, modes, k, n);
    bool ok =
        sweeps >= 0 || error_set(err, "a string of %d beads: Jacobi did not come to an end", n);
    for (int i = 0; i < n && ok; i++) {
        double truth = 4 * pow(sin((n - i) * M_PI / (2 * (n + 1))), 2);
        worst = fmax(worst, fabs(values[i] - truth) / (4 * DBL_EPSILON));
    }
    if (ok) {
        printf("\nEigenvectors: how a string with %d beads swings\n", n);
        printf("  %d sweeps of Jacobi; the squares of the frequencies run from %.4f to %.4f\n",
               sweeps, values[n - 1], values[0]);
        printf("  farthest from 4 sin^2(k pi / 2(n+1)), in eps times the largest: %.1f\n", worst);
        Plot plot = {
            .title = "The lowest modes of a string", .x_label = "bead", .y_label = "amplitude"};
        for (int m = 0; m < MODES && m < n; m++) {
            double *mode = modes + (size_t)(n - 1 - m) * n;
            for (int i = n - 1; i >= 0; i--) mode[i] *= mode[0] < 0 ? -1 : 1;    // the sign is free
            plot_series(&plot, arena_print(arena, "%d. mode", m + 1),
                        vector_floats(arena, bead, (size_t)n),
                        vector_floats(arena, mode, (size_t)n), (size_t)n);
        }
        run_plot(story->run, &plot, "modes");
    }
    arena_free(arena);
    return ok;
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

bool tell_pages(const Story *story, Error *err)
{
    enum { STEPS = 13, MOST = 1000 };
    const double follow = 0.85;
    Arena *arena = arena_new("pages", (size_t)16 << 20);
    double *g = google_matrix(arena, follow), rank[PAGES], next[PAGES], value = 0, sum = 0;
    float products[STEPS], miss[STEPS], bound[STEPS];
    int used = 0;
    for (int step = 0; step < STEPS; step++) {
        double tolerance = pow(10, -1 - step);
        for (int i = 0; i < PAGES; i++) rank[i] = 1;
        used = la_power(&value, rank, next, g, PAGES, MOST, tolerance);
        if (used == 0) {
            arena_free(arena);
            return error_set(err, "PageRank: %d products were not enough for %.0e", MOST,
                             tolerance);
        }
        products[step] = (float)used;
        miss[step] = (float)tolerance;
        bound[step] = (float)pow(follow, used);
    }
    for (int i = 0; i < PAGES; i++) sum += rank[i];
    printf("\nPower iteration: where a reader of %d pages ends up, following links at random\n",
           PAGES);
    printf("  eigenvalue %.12f after %d products\n", value, used);
    for (int i = 0; i < PAGES; i++)
        printf("  %-18s %5.1f %%  %.*s\n", pages[i].name, 100 * rank[i] / sum,
               (int)(100 * rank[i] / sum + 0.5),
               "##################################################");
    Plot plot = {.title = "Power iteration on a small web",
                 .x_label = "products with the matrix",
                 .y_label = "how far from an eigenvector",
                 .log_y = true};
    plot_series(&plot, "reached", products, miss, STEPS);
    plot_series(&plot, "0.85^k, the promise", products, bound, STEPS);
    run_plot(story->run, &plot, "pages");
    arena_free(arena);
    return true;
}
