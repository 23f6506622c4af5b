#include <math.h>
#include <string.h>
#include "labs/2_core/sparse_coding/lab.h"

enum { TRAIN_ROWS = 20, TRAIN_COLUMNS = 25, TILES = 16 };

static double *doubles(Arena *arena, size_t n)
{
    return arena_zeros(arena, n * sizeof(double));
}

// ---- three solvers of the lasso ----

static double *random_atoms(Arena *arena, int K, int P, Rng *rng)
{
    double *d = doubles(arena, (size_t)K * (size_t)P);
    for (int k = 0; k < K; k++) {
        double squares = 0;
        for (int i = 0; i < P; i++) {
            d[k * P + i] = (double)rng_normal(rng);
            squares += d[k * P + i] * d[k * P + i];
        }
        for (int i = 0; i < P; i++) d[k * P + i] /= sqrt(squares);
    }
    return d;
}

enum { CURVE = 300 };

// f - f* after each iteration, from a = 0.
static void converge(float *gap, const Lab *lab, const Dictionary *dict, const double *x, double L,
                     int solver, double best)
{
    double lambda = (double)lab->lambda, *a = doubles(lab->step, (size_t)dict->K),
           *work = doubles(lab->step, (size_t)(dict->P + 2 * dict->K));
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
              "atoms, found in %d sweeps.",
              K, P, L / 1.001, (double)lab->lambda, used, sweeps);
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
        table_row(&table, "%s|%.2e|%.2e", names[s], (double)gaps[s][9], (double)gaps[s][99]);
        plot_series(&plot, names[s], at, gaps[s], CURVE);
    }
    plot_shape(&plot, PLOT_LIMIT, "ISTA's bound, 1/k", at, bounds[0], CURVE);
    plot_shape(&plot, PLOT_LIMIT, "FISTA's bound, 1/k^2", at, bounds[1], CURVE);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "lasso");
    return true;
}

// ---- learning a dictionary ----

// Codes `count` patches, and moves the dictionary towards them: returns the mean objective.
static double learn_epoch(const Lab *lab, double *d, const double *x, int count, double L,
                          double *used)
{
    int K = lab->atoms;
    Dictionary dict = {K, PATCH, d};
    double *A = doubles(lab->step, (size_t)K * (size_t)K),
           *B = doubles(lab->step, (size_t)K * PATCH), *a = doubles(lab->step, (size_t)K),
           *work = doubles(lab->step, (size_t)(PATCH + 2 * K)), mean = 0;
    *used = 0;
    for (int n = 0; n < count; n++) {
        const double *patch = x + (size_t)n * PATCH;
        memset(a, 0, (size_t)K * sizeof *a);
        if (n % 50 == 0) sc_fista(a, patch, &dict, (double)lab->lambda, L, 20, work);
        sc_coordinate_descent(a, patch, &dict, (double)lab->lambda, 1e-4, 50, work);
        mean += sc_objective(a, patch, &dict, (double)lab->lambda) / count;
        for (int k = 0; k < K; k++) {
            if (a[k] == 0) continue;
            *used += 1.0 / count;
            for (int j = 0; j < K; j++) A[k * K + j] += a[k] * a[j];
            for (int i = 0; i < PATCH; i++) B[k * PATCH + i] += a[k] * patch[i];
        }
    }
    sc_update(d, A, B, K, PATCH, work);
    return mean;
}

// Patches that differ, as first atoms.
static double *first_atoms(Lab *lab, const double *x, Rng *rng)
{
    double *d = doubles(lab->keep, (size_t)lab->atoms * PATCH);
    for (int k = 0; k < lab->atoms; k++) {
        const double *patch = x + (size_t)rng_below(rng, (uint32_t)lab->patches) * PATCH;
        double squares = 0;
        for (int i = 0; i < PATCH; i++) squares += patch[i] * patch[i];
        for (int i = 0; i < PATCH; i++) d[k * PATCH + i] = patch[i] / sqrt(squares);
    }
    return d;
}

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

static bool learn(Lab *lab, bool shown)
{
    if (lab->learned != NULL) return true;
    Gray digits = gray_of(lab->step, &lab->train, TRAIN_ROWS, TRAIN_COLUMNS);
    Rng rng = rng_stream(lab->run->seed, 2);
    double *x = doubles(lab->step, (size_t)lab->patches * PATCH), *work;
    for (int n = 0; n < lab->patches; n++) patch_draw(x + (size_t)n * PATCH, &digits, &rng);
    lab->learned = first_atoms(lab, x, &rng);
    work = doubles(lab->step, (size_t)lab->atoms + PATCH);
    Table table = table_new(lab->step, "epoch|mean objective|atoms of a patch");
    float at[1000], objective[1000];
    for (int e = 0; e < lab->epochs; e++) {
        Dictionary dict = {lab->atoms, PATCH, lab->learned};
        double L = sc_spectral_norm(&dict, 50, work) * 1.05, used;
        ArenaMark mark = arena_mark(lab->step);
        objective[e] = (float)learn_epoch(lab, lab->learned, x, lab->patches, L, &used);
        arena_rewind(lab->step, mark);
        at[e] = (float)(e + 1);
        if (e == 0 || e == lab->epochs - 1)
            table_row(&table, "%d|%.4f|%.1f", e + 1, (double)objective[e], used);
        if (run_interrupted(lab->run)) return false;
    }
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
    run_print(lab->run, "%d patches of 8 x 8 pixels, %d atoms, lambda %g", lab->patches, lab->atoms,
              (double)lab->lambda);
    return learn(lab, true);
}

// ---- restoring images ----

// The code of x by as few atoms as leave no more than `goal`, at most MOST, of the numbers where `known` is
// true; back: what the whole atoms say. Atoms cut to what is known have length 1 again.
enum { MOST = 10 };

typedef struct Coder {
    const Dictionary *dict;
    double *cut, *a, *work;    // [K,PATCH], [K], OMP's
} Coder;

static Coder coder_new(Arena *arena, const Dictionary *dict)
{
    size_t K = (size_t)dict->K;
    return (Coder){dict, doubles(arena, K * PATCH), doubles(arena, K),
                   doubles(arena, PATCH + K * (2 + PATCH + K))};
}

static void restore_patch(double *back, const Coder *coder, const double *x, const bool *known,
                          double goal)
{
    int K = coder->dict->K;
    double length[2000], left = goal + 1;
    for (int k = 0; k < K; k++) {
        const double *d = coder->dict->d + (size_t)k * PATCH;
        double squares = 0, *cut = coder->cut + (size_t)k * PATCH;
        for (int i = 0; i < PATCH; i++) squares += known[i] ? d[i] * d[i] : 0;
        length[k] = sqrt(squares);
        for (int i = 0; i < PATCH; i++) cut[i] = known[i] && squares > 0 ? d[i] / length[k] : 0;
    }
    Dictionary cut = {K, PATCH, coder->cut};
    for (int atoms = 0; left > goal && atoms <= MOST; atoms++) {
        sc_omp(coder->a, x, &cut, atoms, coder->work);
        memset(back, 0, PATCH * sizeof *back);
        for (int k = 0; k < K; k++)
            for (int i = 0; coder->a[k] != 0 && i < PATCH; i++)
                back[i] += coder->a[k] / length[k] * coder->dict->d[k * PATCH + i];
        left = 0;
        for (int i = 0; i < PATCH; i++) left += known[i] ? (x[i] - back[i]) * (x[i] - back[i]) : 0;
    }
}

// Every pixel is the mean of the patches it lies in. known: [height,width], NULL for all.
static Gray restored(const Lab *lab, const Gray *image, const bool *known, double noise)
{
    size_t count = (size_t)image->height * (size_t)image->width;
    Dictionary dict = {lab->atoms, PATCH, lab->learned};
    Coder coder = coder_new(lab->step, &dict);
    Gray out = {image->height, image->width, doubles(lab->step, count)};
    double *weight = doubles(lab->step, count), x[PATCH], back[PATCH];
    for (int top = 0; top + SIDE <= image->height; top++)
        for (int left = 0; left + SIDE <= image->width; left++) {
            bool here[PATCH];
            int seen = 0;
            double mean = 0;
            patch_read(x, image, top, left);
            for (int i = 0; i < PATCH; i++) {
                int at = (top + i / SIDE) * image->width + left + i % SIDE;
                here[i] = known == NULL || known[at];
                x[i] = image->at[at];
                mean += here[i] ? x[i] : 0;
                seen += here[i];
            }
            mean /= seen > 0 ? seen : 1;
            for (int i = 0; i < PATCH; i++) x[i] = here[i] ? x[i] - mean : 0;
            restore_patch(back, &coder, x, here, 1.15 * 1.15 * seen * noise * noise);
            for (int i = 0; i < PATCH; i++) {
                int at = (top + i / SIDE) * image->width + left + i % SIDE;
                out.at[at] += fmin(fmax(back[i] + mean, 0), 1);
                weight[at]++;
            }
        }
    for (size_t i = 0; i < count; i++) out.at[i] /= weight[i];
    return out;
}

static void show(const Lab *lab, const Gray images[3], const char *const labels[3],
                 const char *caption, const char *name)
{
    size_t count = (size_t)images[0].height * (size_t)images[0].width;
    Table table = table_new(lab->step, "image|PSNR [dB]");
    PictureRow rows[3];
    for (int r = 0; r < 3; r++) {
        float *tile = arena_zeros(lab->step, sizeof *tile * count);
        for (size_t i = 0; i < count; i++) tile[i] = (float)images[r].at[i];
        rows[r] = (PictureRow){labels[r], tile};
        if (r > 0) table_row(&table, "%s|%.2f", labels[r], psnr(&images[r], &images[0]));
    }
    run_table(lab->run, &table);
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = 1,
                        .height = images[0].height,
                        .width = images[0].width,
                        .caption = caption};
    run_picture(lab->run, picture_grid(lab->step, &grid), caption, name);
}

bool part_denoise(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    static const char *const labels[] = {"original", "noisy", "denoised"};
    if (!learn(lab, false)) return false;
    Gray images[3] = {gray_of(lab->step, &lab->test, 1, lab->run->smoke ? 1 : 8)};
    size_t count = (size_t)images[0].height * (size_t)images[0].width;
    Rng rng = rng_stream(lab->run->seed, 3);
    images[1] = (Gray){images[0].height, images[0].width, doubles(lab->step, count)};
    for (size_t i = 0; i < count; i++)
        images[1].at[i] = images[0].at[i] + (double)lab->noise * (double)rng_normal(&rng);
    images[2] = restored(lab, &images[1], NULL, (double)lab->noise);
    show(lab, images, labels, "Denoising with a learned dictionary and OMP", "denoised");
    return true;
}

bool part_inpaint(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    static const char *const labels[] = {"original", "pixels kept", "inpainted"};
    if (!learn(lab, false)) return false;
    Gray images[3] = {gray_of(lab->step, &lab->test, 1, lab->run->smoke ? 1 : 8)};
    size_t count = (size_t)images[0].height * (size_t)images[0].width;
    bool *known = arena_zeros(lab->step, count * sizeof *known);
    Rng rng = rng_stream(lab->run->seed, 4);
    images[1] = (Gray){images[0].height, images[0].width, doubles(lab->step, count)};
    for (size_t i = 0; i < count; i++) {
        known[i] = rng_uniform(&rng) >= lab->missing;
        images[1].at[i] = known[i] ? images[0].at[i] : 0.5;
    }
    images[2] = restored(lab, &images[1], known, 0.05);
    show(lab, images, labels, "Inpainting: what the atoms say of pixels that were not seen",
         "inpainted");
    return true;
}
