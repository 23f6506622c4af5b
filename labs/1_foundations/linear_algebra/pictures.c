#include <stdio.h>
#include <string.h>
#include "common/picture.h"
#include "datasets/images.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

static void save(const Story *story, Arena *arena, const PictureGrid *grid, const char *name)
{
    Error err;
    const char *path = run_path(story->run, name);
    bool ok = picture_save(picture_grid(arena, grid), path, &err);
    printf("%s: %s\n", grid->caption, ok ? path : err.message);
}

// ---- a picture by rank ----

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

bool tell_compression(const Story *story, Error *err)
{
    size_t all = (size_t)HEIGHT * WIDTH;
    Arena *arena = arena_new("compression", (size_t)256 << 20);
    double *scene = draw_scene(arena), *out = matrix_new(arena, HEIGHT, WIDTH);
    double *ut = matrix_new(arena, HEIGHT, HEIGHT), *s = matrix_new(arena, HEIGHT, 1);
    double *vt = matrix_new(arena, HEIGHT, WIDTH), length = vector_length(scene, all);
    float *tiles = arena_alloc(arena, sizeof *tiles * RANKS * all);
    float rank[RANKS], measured[RANKS], promised[RANKS];
    if (la_svd(ut, s, vt, scene, HEIGHT, WIDTH) < 0) {
        arena_free(arena);
        return error_set(err, "the picture: the SVD did not come to an end");
    }
    printf("\nSVD: a picture of %d x %d pixels, the sum of its largest pieces\n", HEIGHT, WIDTH);
    printf("  rank   numbers kept   error   promised by the singular values\n");
    for (int r = 0; r < RANKS; r++) {
        la_low_rank(out, ut, s, vt, HEIGHT, WIDTH, ranks[r]);
        memcpy(tiles + (size_t)r * all, vector_floats(arena, out, all), sizeof *tiles * all);
        for (size_t i = 0; i < all; i++) out[i] -= scene[i];
        double error = vector_length(out, all) / length;
        double promise = vector_length(s + ranks[r], (size_t)(HEIGHT - ranks[r])) / length;
        rank[r] = (float)ranks[r];
        measured[r] = (float)fmax(error, 1e-16);
        promised[r] = (float)fmax(promise, 1e-16);
        metrics_write(
            story->run->metrics, METRICS_RANKS + ranks[r],
            METRICS({"rank", ranks[r]}, {"rank_error", error}, {"rank_promise", promise}));
        printf("  %4d     %7.1f %%   %6.2f %%  %6.2f %%\n", ranks[r],
               100.0 * ranks[r] * (HEIGHT + WIDTH + 1) / (double)all, 100 * error, 100 * promise);
    }
    PictureRow rows[] = {{"rank 1 2 4 8", tiles}, {"rank 16 32 64, all", tiles + 4 * all}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 2,
                        .columns = 4,
                        .height = HEIGHT,
                        .width = WIDTH,
                        .scale = 1,
                        .caption = "The same picture from more and more pieces"};
    save(story, arena, &grid, "ranks.png");
    Plot plot = {.title = "What a rank leaves out",
                 .x_label = "rank",
                 .y_label = "relative error",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "measured", rank, measured, RANKS - 1);
    plot_series(&plot, "promised by the singular values", rank, promised, RANKS - 1);
    run_plot(story->run, &plot, "rank_errors");
    arena_free(arena);
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

// How many components hold what share of the variance, [r].
static void show_variance(const Story *story, Arena *arena, const double *variances, int r)
{
    double total = 0, sum = 0;
    int half = 0, most = 0;
    float *count = arena_alloc(arena, sizeof *count * (size_t)r);
    float *share = arena_alloc(arena, sizeof *share * (size_t)r);
    for (int k = 0; k < r; k++) total += variances[k];
    for (int k = 0; k < r; k++) {
        sum += variances[k];
        count[k] = (float)(k + 1);
        share[k] = (float)(100 * sum / total);
        if (half == 0 && sum >= 0.5 * total) half = k + 1;
        if (most == 0 && sum >= 0.9 * total) most = k + 1;
    }
    printf(
        "  the first component holds %.1f %% of the variance, %d hold half of it, %d hold 90 %%\n",
        (double)share[0], half, most);
    Plot plot = {.title = "Variance that the first components hold",
                 .x_label = "components",
                 .y_label = "share [%]",
                 .log_x = true};
    plot_series(&plot, "digits", count, share, (size_t)r);
    run_plot(story->run, &plot, "variance");
}

// The components as pictures, and the first digits from more and more of them.
static void draw_digits(const Story *story, Arena *arena, const double *x, const double *mean,
                        const double *components, int r)
{
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
                        .caption = "What digits are made of"};
    save(story, arena, &grid, "components.png");
    for (int l = 0; l < LADDER && ladder[l] <= r; l++)
        rows[count++] = (PictureRow){arena_print(arena, "%d", ladder[l]),
                                     rebuild(arena, x, mean, components, ladder[l])};
    rows[count++] = (PictureRow){"original", vector_floats(arena, x, (size_t)SHOWN * PIXELS)};
    grid.rows = rows;
    grid.row_count = count;
    grid.columns = SHOWN;
    grid.scale = 2;
    grid.caption = "Digits from their first components";
    save(story, arena, &grid, "digits.png");
}

bool tell_digits(const Story *story, Error *err)
{
    int n = story->set.images, r = n < PIXELS ? n : PIXELS;
    Arena *arena = arena_new("digits", (size_t)1 << 30);
    Images train, test;
    ImagesSource source = {
        .data_dir = story->run->data, .seed = story->run->seed, .train = n, .test = 1};
    bool ok = images_load(arena, &train, &test, source, err);
    if (ok && train.count < n)
        ok = error_set(err, "%s: has %d images, expected %d", train.origin, train.count, n);
    if (ok) {
        double *x = matrix_new(arena, n, PIXELS), *mean = matrix_new(arena, PIXELS, 1);
        double *components = matrix_new(arena, r, PIXELS), *variances = matrix_new(arena, r, 1);
        for (size_t i = 0; i < (size_t)n * PIXELS; i++) x[i] = train.pixels[i] / 255.0;
        printf("\nPCA: %d images of 784 pixels (%s)\n", n, train.origin);
        ok = la_pca(mean, components, variances, x, n, PIXELS, arena) ||
             error_set(err, "the digits: the SVD did not come to an end");
        if (ok) show_variance(story, arena, variances, r);
        if (ok) draw_digits(story, arena, x, mean, components, r);
    }
    arena_free(arena);
    return ok;
}
