#include <string.h>
#include "datasets/images.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// ---- low-rank approximation ----

enum { HEIGHT = 160, WIDTH = 240, RANKS = 8 };
static const int ranks[RANKS] = {1, 2, 4, 8, 16, 32, 64, HEIGHT};

// Evening at a lake: sky, sun, two ridges, ripples, and a line of text.
static double *draw_scene(Arena *arena)
{
    double *scene = matrix_new(arena, HEIGHT, WIDTH);
    Picture *text = picture_new(arena, WIDTH, HEIGHT);
    picture_text(text, 12, HEIGHT - 22, "A = U S V'", 2);
    for (int i = 0; i < HEIGHT; i++)
        for (int j = 0; j < WIDTH; j++) {
            double x = (double)j / WIDTH, y = (double)i / HEIGHT, shore = 0.62;
            double high = y < shore ? y : 2 * shore - y;    // the lake shows the sky upside down
            double sun = hypot((x - 0.68) * 1.5, high - 0.33);
            double far = 0.47 - 0.05 * sin(9 * x) - 0.03 * sin(23 * x + 1);
            double near = 0.56 - 0.09 * fabs(sin(5 * x + 0.6)) - 0.01 * sin(47 * x);
            double light = sun < 0.1 ? 1 : 0.25 + 0.45 * high + 0.2 * exp(-6 * sun);
            if (high > far) light = 0.3;
            if (high > near) light = 0.12;
            if (y > shore) light = 0.75 * light + 0.12 * sin(140 * y * y) * sin(60 * x + 25 * y);
            if (text->rgb[3 * (i * WIDTH + j)] < 200) light = 0.95;
            scene[i * WIDTH + j] = fmin(fmax(light, 0), 1);
        }
    return scene;
}

bool part_compression(void *lab, Error *err)
{
    const Experiment *experiment = lab;
    size_t all = (size_t)HEIGHT * WIDTH;
    Arena *step = experiment->step;
    double *scene = draw_scene(step), *out = matrix_new(step, HEIGHT, WIDTH);
    double *ut = matrix_new(step, HEIGHT, HEIGHT), *s = matrix_new(step, HEIGHT, 1);
    double *vt = matrix_new(step, HEIGHT, WIDTH), length = vector_length(scene, all);
    float *tiles = arena_alloc(step, sizeof *tiles * RANKS * all);
    float rank[RANKS], measured[RANKS], predicted[RANKS];
    if (la_svd(ut, s, vt, scene, HEIGHT, WIDTH) < 0)
        return error_set(err, "the picture: the SVD did not converge");
    run_print(experiment->run, "%d x %d pixels, the sum of its largest singular triplets", HEIGHT,
              WIDTH);
    Table table =
        table_new(step, "rank|numbers kept|relative error|predicted by the singular values");
    for (int r = 0; r < RANKS; r++) {
        la_low_rank(out, ut, s, vt, HEIGHT, WIDTH, ranks[r]);
        memcpy(tiles + (size_t)r * all, vector_floats(step, out, all), sizeof *tiles * all);
        for (size_t i = 0; i < all; i++) out[i] -= scene[i];
        double error = vector_length(out, all) / length;
        double prediction = vector_length(s + ranks[r], (size_t)(HEIGHT - ranks[r])) / length;
        rank[r] = (float)ranks[r];
        measured[r] = (float)fmax(error, 1e-16);
        predicted[r] = (float)fmax(prediction, 1e-16);
        metrics_write(
            experiment->run->metrics, METRICS_RANKS + ranks[r],
            METRICS({"rank", ranks[r]}, {"rank_error", error}, {"rank_promise", prediction}));
        table_row(&table, "%d|%.1f %%|%.2f %%|%.2f %%", ranks[r],
                  100.0 * ranks[r] * (HEIGHT + WIDTH + 1) / (double)all, 100 * error,
                  100 * prediction);
    }
    run_table(experiment->run, &table);
    PictureRow rows[] = {{"rank 1 2 4 8", tiles}, {"rank 16 32 64, all", tiles + 4 * all}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 2,
                        .columns = 4,
                        .height = HEIGHT,
                        .width = WIDTH,
                        .scale = 1,
                        .caption = "Low-rank approximations of a picture"};
    run_picture(experiment->run, picture_grid(step, &grid), grid.caption, "ranks");
    Plot plot = {.title = "Approximation error by rank",
                 .x_label = "rank",
                 .y_label = "relative error",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "measured", rank, measured, RANKS - 1);
    plot_series(&plot, "predicted by the singular values", rank, predicted, RANKS - 1);
    run_plot(experiment->run, &plot, "rank_errors");
    return true;
}

// ---- digits ----

enum { PIXELS = 784, SHOWN = 10, LADDER = 5 };
static const int ladder[LADDER] = {1, 5, 20, 50, 150};

// Rows of pictures [SHOWN,784] from the first `kept` components of the first images.
static float *rebuild(Arena *arena, const double *x, const double *mean, const double *components,
                      int kept)
{
    double *centred = matrix_new(arena, SHOWN, PIXELS), *scores = matrix_new(arena, SHOWN, kept);
    double *back = matrix_new(arena, SHOWN, PIXELS);
    for (int i = 0; i < SHOWN * PIXELS; i++) centred[i] = x[i] - mean[i % PIXELS];
    la_matmul_blocked(scores, centred, matrix_transpose(arena, components, kept, PIXELS), SHOWN,
                      kept, PIXELS);
    la_matmul_blocked(back, scores, components, SHOWN, PIXELS, kept);
    for (int i = 0; i < SHOWN * PIXELS; i++) back[i] += mean[i % PIXELS];
    return vector_floats(arena, back, (size_t)SHOWN * PIXELS);
}

// The mean, then the first components, stretched to the range of a picture: gray is 0.
static float *component_tiles(Arena *arena, const double *mean, const double *components)
{
    float *tiles = arena_alloc(arena, sizeof *tiles * SHOWN * PIXELS);
    for (int t = 0; t < SHOWN; t++) {
        const double *row = components + (size_t)(t - 1) * PIXELS;
        double largest = 0;
        for (int p = 0; p < PIXELS && t > 0; p++) largest = fmax(largest, fabs(row[p]));
        for (int p = 0; p < PIXELS; p++)
            tiles[t * PIXELS + p] = (float)(t == 0 ? mean[p] : 0.5 + 0.5 * row[p] / largest);
    }
    return tiles;
}

// The explained variance of the first components.   variances: [r]
static void show_variance(const Experiment *experiment, const double *variances, int r)
{
    double total = 0, sum = 0;
    int half = 0, most = 0;
    float *count = arena_alloc(experiment->step, sizeof *count * (size_t)r);
    float *share = arena_alloc(experiment->step, sizeof *share * (size_t)r);
    for (int k = 0; k < r; k++) total += variances[k];
    for (int k = 0; k < r; k++) {
        sum += variances[k];
        count[k] = (float)(k + 1);
        share[k] = (float)(100 * sum / total);
        if (half == 0 && sum >= 0.5 * total) half = k + 1;
        if (most == 0 && sum >= 0.9 * total) most = k + 1;
    }
    run_print(experiment->run,
              "explained variance: %.1f %% by the first component, half by %d, 90 %% by %d",
              (double)share[0], half, most);
    Plot plot = {.title = "Explained variance of the first components",
                 .x_label = "components",
                 .y_label = "explained variance [%]",
                 .log_x = true};
    plot_series(&plot, "digits", count, share, (size_t)r);
    run_plot(experiment->run, &plot, "variance");
}

// The components as pictures, and the first digits from more and more of them.
static void draw_digits(const Experiment *experiment, const double *x, const double *mean,
                        const double *components, int r)
{
    Arena *arena = experiment->step;
    const float *tiles = component_tiles(arena, mean, components);
    PictureRow eigen[] = {{"mean, 1-4", tiles}, {"5-9", tiles + SHOWN / 2 * PIXELS}};
    PictureRow rows[LADDER + 1];
    int count = 0;
    PictureGrid grid = {.rows = eigen,
                        .row_count = 2,
                        .columns = SHOWN / 2,
                        .height = 28,
                        .width = 28,
                        .scale = 4,
                        .caption = "Principal components of digits"};
    run_picture(experiment->run, picture_grid(arena, &grid), grid.caption, "components");
    for (int l = 0; l < LADDER && ladder[l] <= r; l++)
        rows[count++] = (PictureRow){arena_print(arena, "%d", ladder[l]),
                                     rebuild(arena, x, mean, components, ladder[l])};
    rows[count++] = (PictureRow){"original", vector_floats(arena, x, (size_t)SHOWN * PIXELS)};
    grid.rows = rows;
    grid.row_count = count;
    grid.columns = SHOWN;
    grid.scale = 2;
    grid.caption = "Digits, reconstructed from their first components";
    run_picture(experiment->run, picture_grid(arena, &grid), grid.caption, "digits");
}

bool part_digits(void *lab, Error *err)
{
    const Experiment *experiment = lab;
    int n = experiment->images, r = n < PIXELS ? n : PIXELS;
    Arena *step = experiment->step;
    Images train, test;
    ImagesSource source = {
        .data_dir = experiment->run->data, .seed = experiment->run->seed, .train = n, .test = 1};
    if (!images_load(step, &train, &test, source, err)) return false;
    if (train.count < n)
        return error_set(err, "%s: has %d images, expected %d", train.origin, train.count, n);
    double *x = matrix_new(step, n, PIXELS), *mean = matrix_new(step, PIXELS, 1);
    double *components = matrix_new(step, r, PIXELS), *variances = matrix_new(step, r, 1);
    for (size_t i = 0; i < (size_t)n * PIXELS; i++) x[i] = train.pixels[i] / 255.0;
    run_print(experiment->run, "%d images of 784 pixels (%s)", n, train.origin);
    if (!la_pca(mean, components, variances, x, n, PIXELS, step))
        return error_set(err, "the digits: the SVD did not converge");
    show_variance(experiment, variances, r);
    draw_digits(experiment, x, mean, components, r);
    return true;
}
