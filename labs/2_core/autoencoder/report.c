#include "labs/2_core/autoencoder/report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "common/picture.h"
#include "common/plot.h"
#include "common/ops.h"

enum { SIDE = 28, CLASSES = 10, GRID = 15 };

static void save_picture(const Run *run, Arena *step, const PictureGrid *grid, const char *name)
{
    Error err;
    const char *path = run_path(run, name);
    if (picture_save(picture_grid(step, grid), path, &err)) printf("%s: %s\n", grid->caption, path);
    else printf("%s: %s\n", grid->caption, err.message);
}

// The first image of each class, [10,784]: a row of every picture.
static Tensor *one_of_each(Arena *step, const Images *images)
{
    int index[CLASSES] = {0};
    for (int i = images->count - 1; i >= 0; i--) index[images->labels[i]] = i;
    return images_batch(step, images, index, CLASSES);
}

// Pixels that the network makes of a code, [B,784] in host memory: decode, sigmoid.
static float *pixels_of_code(Tape *tape, const Autoencoder *net, Tensor *code)
{
    return tensor_values(tape->arena, op_sigmoid(tape, autoencoder_decode(tape, net, code)));
}

static Tape *quiet_tape(Arena *step)
{
    Tape *tape = tape_new(step);
    tape_quiet(tape, true);
    return tape;
}

void report_curves(const Run *run, Training *const trainings[], int count)
{
    Training *images[TRAININGS_MAX] = {NULL}, *classifiers[TRAININGS_MAX] = {NULL};
    int image_count = 0, classifier_count = 0;
    for (int t = 0; t < count; t++)
        if (strncmp(trainings[t]->name, "read", 4) == 0)
            classifiers[classifier_count++] = trainings[t];
        else images[image_count++] = trainings[t];
    Plot losses = {.title = "Learning to draw",
                   .x_label = "epoch",
                   .y_label = "loss per image",
                   .log_y = true};
    if (image_count > 0) training_plot(run, &losses, "curves", images, image_count, 0);
    Plot classes = {
        .title = "Learning to read", .x_label = "epoch", .y_label = "cross-entropy", .log_y = true};
    if (classifier_count > 0)
        training_plot(run, &classes, "reading", classifiers, classifier_count, 0);
}

void report_reconstructions(const Run *run, Arena *step, const Images *test, const Pca *pca,
                            const Autoencoder *net)
{
    Tape *tape = quiet_tape(step);
    Tensor *x = one_of_each(step, test), *linear = pca_reconstruct(step, pca, x);
    PictureRow rows[] = {
        {"original", tensor_values(step, x)},
        {"PCA", tensor_values(step, linear)},
        {"autoencoder", pixels_of_code(tape, net, autoencoder_encode(tape, net, x))}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = CLASSES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption =
                            arena_print(step, "Each image squeezed into %d numbers and drawn again",
                                        pca->components->shape.size[0])};
    save_picture(run, step, &grid, "reconstructions.png");
}

void report_denoised(const Run *run, Arena *step, const Images *test, const Autoencoder *net,
                     float noise)
{
    Tape *tape = quiet_tape(step);
    Rng rng = rng_stream(run->seed, 0xD1);
    Tensor *x = one_of_each(step, test), *noisy = corrupted(step, x, noise, &rng);
    PictureRow rows[] = {
        {"original", tensor_values(step, x)},
        {"corrupted", tensor_values(step, noisy)},
        {"repaired", pixels_of_code(tape, net, autoencoder_encode(tape, net, noisy))}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = CLASSES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption = arena_print(
                            step, "%.0f %% of the pixels set to 0, and what the network restores",
                            (double)(100 * noise))};
    save_picture(run, step, &grid, "denoised.png");
}

void report_latent(const Run *run, Arena *step, const Images *test, const Autoencoder *vae)
{
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    Tape *tape = quiet_tape(step);
    int n = test->count < 5000 ? test->count : 5000;
    float *x[CLASSES], *y[CLASSES];
    size_t count[CLASSES] = {0};
    for (int c = 0; c < CLASSES; c++) {
        x[c] = arena_alloc(step, sizeof **x * (size_t)n);
        y[c] = arena_alloc(step, sizeof **y * (size_t)n);
    }
    for (int i = 0; i < n; i++) {
        Tensor *mean, *logvar;
        vae_encode(tape, vae, images_batch(step, test, &i, 1), &mean, &logvar);
        int c = test->labels[i];
        float code[2];
        tensor_read(mean, code);
        x[c][count[c]] = code[0];
        y[c][count[c]++] = code[1];
    }
    Plot plot = {.title = "Where the encoder puts the test digits",
                 .x_label = "first number of the code",
                 .y_label = "second number of the code",
                 .points = true};
    for (int c = 0; c < CLASSES; c++) plot_series(&plot, names[c], x[c], y[c], count[c]);
    run_plot(run, &plot, "latent");
}

// The normal distribution's quantile: where a share p of the samples lies below. Acklam's method would
// be faster; bisection on the error function is three lines and right to the last bit of a float.
static float normal_quantile(double p)
{
    double low = -8, high = 8;
    while (high - low > 1e-9) {
        double middle = (low + high) / 2;
        *(0.5 * erfc(-middle / sqrt(2)) < p ? &low : &high) = middle;
    }
    return (float)low;
}

void report_samples(const Run *run, Arena *step, const Autoencoder *vae)
{
    Tape *tape = quiet_tape(step);
    float code[GRID * GRID][2];
    for (int r = 0; r < GRID; r++)
        for (int c = 0; c < GRID; c++) {
            code[r * GRID + c][0] = normal_quantile((c + 0.5) / GRID);
            code[r * GRID + c][1] = normal_quantile(1 - (r + 0.5) / GRID);
        }
    const float *pixels =
        pixels_of_code(tape, vae, tensor_from(step, SHAPE(GRID * GRID, 2), code[0]));
    PictureRow rows[GRID];
    for (int r = 0; r < GRID; r++)
        rows[r] = (PictureRow){NULL, pixels + (size_t)r * GRID * SIDE * SIDE};
    PictureGrid grid = {.rows = rows,
                        .row_count = GRID,
                        .columns = GRID,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 1,
                        .gap = 1,
                        .caption = "Drawn from the code alone, across the plane"};
    save_picture(run, step, &grid, "samples.png");
}
