/* learning.c -- dictionaries learned: one that was planted and has to be recovered, and one of strokes. */
#include "labs/2_core/sparse_coding/lab.h"
#include <math.h>

// ---- a planted dictionary ----

// The experiment of Aharon, Elad & Bruckstein 2006, section V.A, at 20 dB: signals of 3 of 50 atoms.
enum { K = 50, P = 20, SIGNALS = 1500, OF = 3, EPOCHS = 80 };

bool part_planted(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    static const char *const names[] = {"lasso, lambda 0.1", "matching pursuit, 3 atoms"};
    Rng rng = rng_stream(lab->run->seed, 5);
    const double *truth = random_atoms(lab->step, K, P, &rng),
                 *x = planted_signals(lab->step, truth, (Planted){K, P, SIGNALS, OF}, &rng);
    float at[EPOCHS], share[2][EPOCHS] = {{0}};
    int epochs = lab->run->smoke ? 5 : EPOCHS;
    Table table = table_new(lab->step, "codes by|atoms of a signal|atoms recovered [%]");
    Plot plot = {.title = "A planted dictionary",
                 .x_label = "epoch",
                 .y_label = "share of the atoms recovered"};
    run_print(lab->run, "%d signals, each a sum of %d of %d atoms of length %d, and noise of 20 dB",
              SIGNALS, OF, K, P);
    for (int by = 0; by < 2; by++) {
        Learning learning = {K, P, SIGNALS, x, NULL, 0.1, 1e-4, by == 0 ? 0 : OF};
        Rng start = rng_stream(lab->run->seed, 6);
        learning.d = first_atoms(lab->step, &learning, &start);
        double used = 0;
        for (int e = 0; e < epochs && !run_interrupted(lab->run); e++) {
            used = dictionary_epoch(&learning, lab->step).used;
            at[e] = (float)(e + 1);
            share[by][e] = (float)recovered_share(learning.d, truth, K, P);
        }
        if (run_interrupted(lab->run)) return false;
        double last = (double)share[by][epochs - 1];
        table_row(&table, "%s|%.1f|%.0f", names[by], used, 100 * last);
        metrics_write(lab->run->metrics, by, METRICS({"recovered_share", last}));
        plot_series(&plot, names[by], at, share[by], (size_t)epochs);
    }
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "planted");
    return true;
}

// ---- atoms of strokes ----

enum { TRAIN_ROWS = 20, TRAIN_COLUMNS = 25, TILES = 16 };

static void draw_atoms(const Lab *lab)
{
    int columns = TILES, count = (lab->atoms + columns - 1) / columns;
    float *tiles = arena_zeros(lab->step, sizeof *tiles * (size_t)(count * columns) * PATCH);
    PictureRow *rows = arena_zeros(lab->step, sizeof *rows * (size_t)count);
    for (int k = 0; k < lab->atoms; k++) {
        const double *d = lab->learned + (size_t)k * PATCH;
        double most = 1e-30;
        for (int i = 0; i < PATCH; i++) most = fmax(most, fabs(d[i]));
        for (int i = 0; i < PATCH; i++) tiles[k * PATCH + i] = (float)(0.5 + d[i] / most / 2);
    }
    for (int r = 0; r < count; r++)
        rows[r] = (PictureRow){NULL, tiles + (size_t)r * (size_t)columns * PATCH};
    PictureGrid grid = {.rows = rows,
                        .row_count = count,
                        .columns = columns,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 4,
                        .caption = "The atoms of the learned dictionary"};
    run_picture(lab->run, picture_grid(lab->step, &grid), grid.caption, "atoms");
}

double *training_patches(const Lab *lab, Arena *arena, int count, Rng *rng)
{
    Gray digits = gray_of(arena, &lab->train, TRAIN_ROWS, TRAIN_COLUMNS);
    double *x = doubles(arena, (size_t)count * PATCH);
    for (int n = 0; n < count; n++) patch_draw(x + (size_t)n * PATCH, &digits, rng);
    return x;
}

bool learned(Lab *lab, bool shown)
{
    if (lab->learned != NULL) return true;
    Rng rng = rng_stream(lab->run->seed, 2);
    Learning learning = {.K = lab->atoms,
                         .P = PATCH,
                         .count = lab->patches,
                         .x = training_patches(lab, lab->step, lab->patches, &rng),
                         .lambda = (double)lab->lambda,
                         .tolerance = 1e-4};
    learning.d = first_atoms(lab->keep, &learning, &rng);
    Table table = table_new(lab->step, "epoch|mean objective|atoms of a patch");
    float at[1000], objective[1000];
    for (int e = 0; e < lab->epochs; e++) {
        Epoch epoch = dictionary_epoch(&learning, lab->step);
        at[e] = (float)(e + 1);
        objective[e] = (float)epoch.objective;
        metrics_write(lab->run->metrics, e + 1, METRICS({"objective", epoch.objective}));
        if (e == 0 || e == lab->epochs - 1)
            table_row(&table, "%d|%.4f|%.1f", e + 1, epoch.objective, epoch.used);
        if (run_interrupted(lab->run)) return false;
    }
    lab->learned = learning.d;
    if (!shown) return true;
    run_table(lab->run, &table);
    Plot plot = {.title = "Dictionary learning", .x_label = "epoch", .y_label = "mean objective"};
    plot_series(&plot, "objective", at, objective, (size_t)lab->epochs);
    run_plot(lab->run, &plot, "objective");
    draw_atoms(lab);
    return true;
}

bool part_learn(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    run_print(lab->run, "%d patch%s of 8 x 8 pixels, %d atom%s, lambda %g", lab->patches,
              lab->patches == 1 ? "" : "es", lab->atoms, text_plural(lab->atoms),
              (double)lab->lambda);
    return learned(lab, true);
}
