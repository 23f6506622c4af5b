#include "labs/2_core/autoencoder/report.h"
#include <math.h>
#include "common/picture.h"
#include "common/plot.h"
#include "common/ops.h"

enum { SIDE = 28, CLASSES = 10, GRID = 15 };

static void save_grid(const Run *run, Arena *scratch, const PictureGrid *grid, const char *name)
{
    run_picture(run, picture_grid(scratch, grid), grid->caption, name);
}

// The first image of each class, [10,784]: a row of every picture.
static Tensor *one_of_each(Arena *scratch, const Images *images)
{
    int index[CLASSES] = {0};
    for (int i = images->count - 1; i >= 0; i--) index[images->labels[i]] = i;
    return images_batch(scratch, images, index, CLASSES);
}

// The image that the decoder makes of a code, [B,784] in host memory.
static float *pixels_of_code(Tape *tape, const Autoencoder *net, Tensor *code)
{
    return tensor_values(tape->arena, op_sigmoid(tape, autoencoder_decode(tape, net, code)));
}

static Tape *quiet_tape(Arena *scratch)
{
    Tape *tape = tape_new(scratch);
    tape_quiet(tape, true);
    return tape;
}

void report_reconstructions(const Run *run, Arena *scratch, const Images *test, const Pca *pca,
                            const Autoencoder *net)
{
    Tape *tape = quiet_tape(scratch);
    Tensor *x = one_of_each(scratch, test), *linear = pca_reconstruct(scratch, pca, x);
    PictureRow rows[] = {
        {"original", tensor_values(scratch, x)},
        {"PCA", tensor_values(scratch, linear)},
        {"autoencoder", pixels_of_code(tape, net, autoencoder_encode(tape, net, x))}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = CLASSES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption =
                            arena_print(scratch, "Reconstruction from a latent code of %d numbers",
                                        pca->components->shape.size[0])};
    save_grid(run, scratch, &grid, "reconstructions");
}

void report_denoised(const Run *run, Arena *scratch, const Images *test, const Autoencoder *net,
                     float noise)
{
    Tape *tape = quiet_tape(scratch);
    Rng rng = rng_stream(run->seed, 0xD1);
    Tensor *x = one_of_each(scratch, test), *noisy = corrupted(scratch, x, noise, &rng);
    PictureRow rows[] = {
        {"original", tensor_values(scratch, x)},
        {"corrupted", tensor_values(scratch, noisy)},
        {"denoised", pixels_of_code(tape, net, autoencoder_encode(tape, net, noisy))}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = CLASSES,
                        .height = SIDE,
                        .width = SIDE,
                        .caption = arena_print(scratch, "Denoising: %.0f %% of the pixels set to 0",
                                               (double)(100 * noise))};
    save_grid(run, scratch, &grid, "denoised");
}

void report_latent(const Run *run, Arena *scratch, const Images *test, const Autoencoder *vae)
{
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    Tape *tape = quiet_tape(scratch);
    int n = test->count < 5000 ? test->count : 5000;
    float *x[CLASSES], *y[CLASSES];
    size_t count[CLASSES] = {0};
    for (int c = 0; c < CLASSES; c++) {
        x[c] = arena_alloc(scratch, sizeof **x * (size_t)n);
        y[c] = arena_alloc(scratch, sizeof **y * (size_t)n);
    }
    for (int i = 0; i < n; i++) {
        Tensor *mean, *logvar;
        vae_encode(tape, vae, images_batch(scratch, test, &i, 1), &mean, &logvar);
        int c = test->labels[i];
        float code[2];
        tensor_read(mean, code);
        x[c][count[c]] = code[0];
        y[c][count[c]++] = code[1];
    }
    Plot plot = {.title = "Latent space: the codes of the test set",
                 .x_label = "latent dimension 1",
                 .y_label = "latent dimension 2",
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

void report_samples(const Run *run, Arena *scratch, const Autoencoder *vae)
{
    Tape *tape = quiet_tape(scratch);
    float code[GRID * GRID][2];
    for (int r = 0; r < GRID; r++)
        for (int c = 0; c < GRID; c++) {
            code[r * GRID + c][0] = normal_quantile((c + 0.5) / GRID);
            code[r * GRID + c][1] = normal_quantile(1 - (r + 0.5) / GRID);
        }
    const float *pixels =
        pixels_of_code(tape, vae, tensor_from(scratch, SHAPE(GRID * GRID, 2), code[0]));
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
                        .caption = "Decoder output over the latent plane"};
    save_grid(run, scratch, &grid, "samples");
}
