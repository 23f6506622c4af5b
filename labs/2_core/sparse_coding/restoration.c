/* restoration.c -- images without their noise, and with the pixels that are missing. */
#include "labs/2_core/sparse_coding/lab.h"
#include <math.h>
#include <string.h>

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
        if (r == 0) continue;
        double decibels = psnr(&images[r], &images[0]);
        // Nothing was changed: the ratio to an error of 0 is infinite.
        table_row(&table, "%s|%s", labels[r],
                  isinf(decibels) ? "no error" : arena_print(lab->step, "%.2f", decibels));
        metrics_write(lab->run->metrics, r,
                      METRICS({arena_print(lab->step, "psnr_%s", name), decibels}));
    }
    run_table(lab->run, &table);
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = 1,
                        .height = images[0].height,
                        .width = images[0].width,
                        .scale = 3,
                        .caption = caption};
    run_picture(lab->run, picture_grid(lab->step, &grid), caption, name);
}

bool part_denoise(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    static const char *const labels[] = {"original", "noisy", "denoised"};
    if (!learned(lab, false)) return false;
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
    if (!learned(lab, false)) return false;
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
