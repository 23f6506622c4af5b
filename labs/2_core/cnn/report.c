#include "labs/2_core/cnn/report.h"
#include <math.h>
#include <stdlib.h>
#include "common/confusion.h"
#include "common/ops.h"

static void save_grid(const Run *run, Arena *scratch, const PictureGrid *grid, const char *name)
{
    run_picture(run, picture_grid(scratch, grid), grid->caption, name);
}

static int best_class(const float *p, int classes)
{
    int best = 0;
    for (int c = 1; c < classes; c++)
        if (p[c] > p[best]) best = c;
    return best;
}

void report_confusion(const Run *run, Arena *scratch, const Images *test, const float *p)
{
    int classes = test->classes;
    Confusion confusion = confusion_new(scratch, classes, test->names);
    for (int i = 0; i < test->count; i++, p += classes)
        confusion.counts[test->labels[i] * classes + best_class(p, classes)]++;
    run_picture(run, confusion_picture(scratch, &confusion), "Confusion matrix", "confusion");
    Table table = confusion_table(scratch, &confusion);
    run_table(run, &table);
}

// ---- the hardest images ----

typedef struct Hard {
    int image;
    float p;    // of its label
} Hard;

static int by_probability(const void *a, const void *b)
{
    const Hard *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : x->image - y->image;
}

void report_hardest(const Run *run, Arena *scratch, const Images *test, const float *p)
{
    enum { ROWS = 2, COLUMNS = 5, SHOWN = ROWS * COLUMNS };
    int classes = test->classes, count = test->count < SHOWN ? test->count : SHOWN;
    Hard *hard = arena_alloc(scratch, sizeof *hard * (size_t)test->count);
    for (int i = 0; i < test->count; i++)
        hard[i] = (Hard){i, p[(size_t)i * (size_t)classes + test->labels[i]]};
    qsort(hard, (size_t)test->count, sizeof *hard, by_probability);

    Table table = table_new(scratch, "test image|label|probability [%]|prediction|probability [%]");
    int index[SHOWN] = {0};
    const char *captions[SHOWN];
    for (int i = 0; i < SHOWN; i++) {
        index[i] = hard[i < count ? i : 0].image;
        const float *row = p + (size_t)index[i] * (size_t)classes;
        int label = test->labels[index[i]], best = best_class(row, classes);
        captions[i] =
            arena_print(scratch, "%.9s %.0f%%\n%.9s %.0f%%", test->names[label],
                        100 * (double)row[label], test->names[best], 100 * (double)row[best]);
        if (i < count)
            table_row(&table, "%d|%s|%.2f|%s|%.2f", index[i], test->names[label],
                      100 * (double)row[label], test->names[best], 100 * (double)row[best]);
    }
    run_print(run, "The test images whose label got the least probability:");
    run_table(run, &table);
    const float *tiles = tensor_values(scratch, images_batch(scratch, test, index, SHOWN));
    PictureRow rows[ROWS] = {{NULL, tiles}, {NULL, tiles + COLUMNS * PIXELS}};
    PictureGrid grid = {.rows = rows,
                        .row_count = count > COLUMNS ? ROWS : 1,
                        .columns = count < COLUMNS ? count : COLUMNS,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 6,
                        .gap = 12,
                        .captions = captions,
                        .caption = "Hardest test images: the label, below it the prediction"};
    save_grid(run, scratch, &grid, "hardest");
}

// ---- inside the network ----

void report_filters(const Run *run, Arena *scratch, const Network *net)
{
    enum { COLUMNS = 10 };
    const Tensor *weight = net->conv1.weight;
    int count = weight->shape.size[0], side = weight->shape.size[2], size = side * side;
    int row_count = (count + COLUMNS - 1) / COLUMNS;
    const float *w = tensor_values(scratch, weight);
    float *tiles = arena_alloc(scratch, sizeof *tiles * (size_t)(row_count * COLUMNS * size * 3));
    for (int i = 0; i < row_count * COLUMNS * size * 3; i++) tiles[i] = 1;    // white
    for (int f = 0; f < count; f++) {
        float largest = 0;
        for (int i = 0; i < size; i++) largest = fmaxf(largest, fabsf(w[f * size + i]));
        for (int i = 0; i < size; i++) {
            float value = largest > 0 ? w[f * size + i] / largest : 0;
            float *color = tiles + (size_t)((f * size + i) * 3);
            color[0] = 1 + fminf(value, 0);
            color[1] = 1 - fabsf(value);
            color[2] = 1 - fmaxf(value, 0);
        }
    }
    PictureRow *rows = arena_alloc(scratch, sizeof *rows * (size_t)row_count);
    for (int r = 0; r < row_count; r++)
        rows[r] = (PictureRow){NULL, tiles + (size_t)(r * COLUMNS * size * 3)};
    PictureGrid grid = {.rows = rows,
                        .row_count = row_count,
                        .columns = COLUMNS,
                        .height = side,
                        .width = side,
                        .channels = 3,
                        .scale = 60 / side,
                        .caption = "First-layer filters: red positive, blue negative"};
    save_grid(run, scratch, &grid, "filters");
}

enum { MAP_COLUMNS = 10, MAP_ROWS = 2, MAPS = MAP_COLUMNS * MAP_ROWS, MAP_SIDE = 56 };

// A map, or an image, as a tile of MAP_SIDE: its largest value is white.
static void map_tile(float *tile, const float *map, int side)
{
    float largest = 0;
    for (int i = 0; i < side * side; i++) largest = fmaxf(largest, map[i]);
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) {
        int y = i / MAP_SIDE * side / MAP_SIDE, x = i % MAP_SIDE * side / MAP_SIDE;
        tile[i] = largest > 0 ? fmaxf(map[y * side + x], 0) / largest : 0;
    }
}

void report_feature_maps(const Run *run, Arena *scratch, const Network *net, const Images *test)
{
    enum { TILE = MAP_SIDE * MAP_SIDE };
    Tape *tape = tape_new(scratch);
    Tensor *x = images_batch(scratch, test, (int[]){0}, 1), *maps[2];
    tape_quiet(tape, true);
    network_logits(tape, net, x, NULL, maps);
    float *tiles = arena_alloc(scratch, sizeof *tiles * (1 + 2 * MAP_ROWS) * MAP_COLUMNS * TILE);
    static const char *const labels[] = {"first conv", "last conv"};
    PictureRow rows[1 + 2 * MAP_ROWS] = {{"image", tiles}};
    for (int i = 0; i < (1 + 2 * MAP_ROWS) * MAP_COLUMNS * TILE; i++) tiles[i] = 1;    // white
    map_tile(tiles, tensor_values(scratch, x), SIDE);
    int sides[2];
    for (int m = 0; m < 2; m++) {
        int channels = maps[m]->shape.size[1], side = sides[m] = maps[m]->shape.size[2];
        const float *values = tensor_values(scratch, maps[m]);
        for (int c = 0; c < channels && c < MAPS; c++)
            map_tile(tiles + (size_t)((1 + m * MAP_ROWS) * MAP_COLUMNS + c) * TILE,
                     values + (size_t)(c * side * side), side);
        for (int r = 0; r < MAP_ROWS; r++)
            rows[1 + m * MAP_ROWS + r] =
                (PictureRow){r == 0 ? labels[m] : NULL,
                             tiles + (size_t)((1 + m * MAP_ROWS + r) * MAP_COLUMNS) * TILE};
    }
    PictureGrid grid = {.rows = rows,
                        .row_count = 1 + 2 * MAP_ROWS,
                        .columns = MAP_COLUMNS,
                        .height = MAP_SIDE,
                        .width = MAP_SIDE,
                        .scale = 1,
                        .caption = arena_print(
                            scratch, "Feature maps of a test image (%s): %dx%d pixels, then %dx%d",
                            test->names[test->labels[0]], sides[0], sides[0], sides[1], sides[1])};
    save_grid(run, scratch, &grid, "feature_maps");
}

// |d logit of the label / d pixel| of each image, divided by its largest, added to sum [count,784].
static void add_gradient(Tape *tape, const Network *net, Tensor *x, const int *labels, float *sum)
{
    int count = x->shape.size[0];
    tape_quiet(tape, true);
    tape->recording = true;    // of the network as it answers: no dropout, running statistics
    tensor_want_grad(tape->arena, x);
    Tensor *z = network_logits(tape, net, x, NULL, NULL);
    int classes = z->shape.size[1];
    // The sum of the labels' logits: no image depends on another.
    float *chosen = arena_zeros(tape->arena, sizeof *chosen * (size_t)(count * classes));
    for (int i = 0; i < count; i++) chosen[i * classes + labels[i]] = 1;
    tape_backward(tape, op_matmul(tape, tensor_view(tape->arena, z, SHAPE(1, count * classes)),
                                  tensor_from(tape->arena, SHAPE(count * classes, 1), chosen)));
    Tensor gradient = {.data = x->grad, .shape = x->shape, .type = DTYPE_F32};
    const float *values = tensor_values(tape->arena, &gradient);
    for (int i = 0; i < count * PIXELS; i++) sum[i] += fabsf(values[i]);
}

static void brighten(float *maps, int count)
{
    for (int i = 0; i < count; i++, maps += PIXELS) {
        float largest = 0;
        for (int k = 0; k < PIXELS; k++) largest = fmaxf(largest, maps[k]);
        for (int k = 0; k < PIXELS && largest > 0; k++) maps[k] /= largest;
    }
}

void report_saliency(const Run *run, Arena *scratch, const Network *net, const Images *test)
{
    enum { SHOWN = 10 };
    int index[SHOWN] = {0}, labels[SHOWN] = {0}, count = 0, copies = run->smoke ? 2 : 32;
    for (int c = 0; c < test->classes && count < SHOWN; c++)
        for (int i = 0; i < test->count; i++)
            if (test->labels[i] == c) {
                labels[count] = c;
                index[count++] = i;
                break;
            }
    Network kernel_net = *net;    // the gradient of inference is not among the exercises
    kernel_net.layers = &kernel_layers;
    Rng rng = rng_stream(run->seed, 3);
    size_t pixels = (size_t)count * PIXELS;
    const float *image = tensor_values(scratch, images_batch(scratch, test, index, count));
    float *once = arena_zeros(scratch, sizeof *once * pixels);
    float *smooth = arena_zeros(scratch, sizeof *smooth * pixels);
    float *noisy = arena_alloc(scratch, sizeof *noisy * pixels);
    Tape *tape = tape_new(arena_new("saliency", (size_t)1 << 30));
    for (int copy = 0; copy <= copies; copy++, tape_reset(tape)) {
        for (size_t i = 0; i < pixels; i++)
            noisy[i] = copy == 0 ? image[i] : image[i] + 0.2f * rng_normal(&rng);
        add_gradient(tape, &kernel_net, tensor_from(tape->arena, SHAPE(count, PIXELS), noisy),
                     labels, copy == 0 ? once : smooth);
    }
    arena_free(tape->arena);
    brighten(once, count);
    brighten(smooth, count);
    PictureRow rows[] = {{"image", image}, {"gradient", once}, {"smoothed", smooth}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = count,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 3,
                        .caption =
                            "Saliency: where a changed pixel changes the label's logit most"};
    save_grid(run, scratch, &grid, "saliency");
}
