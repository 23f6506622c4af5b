/* main.c -- logistic regression on two features, raw and standardized: their scale decides. */
#include <inttypes.h>
#include "transformer.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/story.h"
#include "common/training.h"

enum { FEATURES = 2, CLASSES = 2 };

// Some of the points, as a training set or a test set.
typedef struct Samples {
    const float *x;           // [FEATURES,points]
    const int32_t *labels;    // [points]
    int points, first, count;
} Samples;

typedef struct Experiment {
    Samples train, test;
    Linear model;
    Training training;
} Experiment;

typedef struct Lab {
    Run *run;
    Arena *keep, *step;
    int points, epochs;
    float learning_rate;
    Experiment raw, standardized;
    Session session;
} Lab;

// ---- data and model ----

// x [FEATURES,points]: one feature in thousands, one in thousandths; in both, the classes are two
// standard deviations apart.
static void draw_points(float *x, int32_t *labels, size_t points, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    for (size_t i = 0; i < points; i++) {
        labels[i] = (int32_t)rng_below(&rng, CLASSES);
        float center = labels[i] == 1 ? 1.0f : -1.0f;
        x[i] = 5000 + 1000 * (center + rng_normal(&rng));
        x[points + i] = 0.001f * (center + rng_normal(&rng));
    }
}

static void make_batch(Batch *batch, const void *data, const int *index)
{
    const Samples *samples = data;
    float *x = arena_alloc(batch->arena, sizeof *x * (size_t)batch->rows * FEATURES);
    int32_t *labels = arena_alloc(batch->arena, sizeof *labels * (size_t)batch->rows);
    for (int b = 0; b < batch->rows; b++) {
        int i = samples->first + index[b];
        for (int f = 0; f < FEATURES; f++)
            x[b * FEATURES + f] = samples->x[f * samples->points + i];
        labels[b] = samples->labels[i];
    }
    batch->x = tensor_from(batch->arena, SHAPE(batch->rows, FEATURES), x);
    batch->labels = tensor_from_ints(batch->arena, SHAPE(batch->rows), labels);
}

static Tensor *loss(Tape *tape, const void *model, const Batch *batch)
{
    Tensor *scores = linear_forward(tape, model, batch->x);    // [B,FEATURES] -> [B,CLASSES]
    return loss_cross_entropy(tape, scores, batch->labels);
}

// A model of its own, from the same random numbers, and its training on a fraction of the points.
static void plan(Lab *lab, Experiment *experiment, const char *name, const float *x,
                 const int32_t *labels)
{
    Rng rng = rng_stream(lab->run->seed, 1);
    Params *params = params_new(lab->keep);
    int test = lab->points / 5;
    experiment->train = (Samples){x, labels, lab->points, test, lab->points - test};
    experiment->test = (Samples){x, labels, lab->points, 0, test};
    experiment->model = linear_new(params, name, FEATURES, CLASSES, init_glorot, &rng);
    experiment->training = (Training){
        .name = name,
        .model = &experiment->model,
        .params = params,
        .loss = loss,
        .optimizer = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = lab->learning_rate}},
        .train = {experiment->train.count, make_batch, &experiment->train},
        .test = {experiment->test.count, make_batch, &experiment->test},
        .epochs = lab->epochs,
        .batch = 50,
    };
    training_plan(&lab->session, &experiment->training);
}

static bool prepare(Lab *lab, Error *err)
{
    size_t points = (size_t)lab->points;
    float *x = arena_alloc(lab->keep, sizeof *x * FEATURES * points);
    float *z = arena_alloc(lab->keep, sizeof *z * FEATURES * points);
    int32_t *labels = arena_alloc(lab->keep, sizeof *labels * points);
    draw_points(x, labels, points, lab->run->seed);
    for (size_t f = 0; f < FEATURES; f++)
        transformer_standardize(z + f * points, x + f * points, points);
    lab->session = (Session){.run = lab->run,
                             .config = arena_print(lab->keep, "points %d, epochs %d, seed %" PRIu64,
                                                   lab->points, lab->epochs, lab->run->seed)};
    plan(lab, &lab->raw, "raw", x, labels);
    plan(lab, &lab->standardized, "standardized", z, labels);
    return session_resume(&lab->session, err);
}

// ---- the parts ----

// The points of one class: their second feature against their first.
static void add_points(Plot *plot, Arena *arena, const Samples *samples, int label,
                       const char *name)
{
    float *x = arena_alloc(arena, sizeof *x * (size_t)samples->count);
    float *y = arena_alloc(arena, sizeof *y * (size_t)samples->count);
    size_t count = 0;
    for (int i = samples->first; i < samples->first + samples->count; i++)
        if (samples->labels[i] == label) {
            x[count] = samples->x[i];
            y[count++] = samples->x[samples->points + i];
        }
    plot_series(plot, name, x, y, count);
}

static bool part_data(void *data, Error *err)
{
    (void)err;
    const Lab *lab = data;
    const Samples *test = &lab->standardized.test;
    run_print(lab->run, "%d points of %d classes: %d for training, %d for testing", lab->points,
              CLASSES, lab->standardized.train.count, test->count);
    Plot plot = {.title = "Test set, standardized",
                 .x_label = "first feature",
                 .y_label = "second feature",
                 .points = true};
    add_points(&plot, lab->step, test, 0, "class 0");
    add_points(&plot, lab->step, test, 1, "class 1");
    run_plot(lab->run, &plot, "points");
    return true;
}

static float test_accuracy(const Lab *lab, const Experiment *experiment)
{
    const Samples *test = &experiment->test;
    Tape *tape = tape_new(lab->step);
    tape_quiet(tape, true);
    int *index = arena_alloc(lab->step, sizeof *index * (size_t)test->count);
    for (int i = 0; i < test->count; i++) index[i] = i;
    Batch batch = {.rows = test->count, .arena = lab->step};
    make_batch(&batch, test, index);
    const float *scores =
        tensor_values(lab->step, linear_forward(tape, &experiment->model, batch.x));
    return transformer_accuracy(scores, test->labels + test->first, (size_t)test->count, CLASSES);
}

static bool part_training(void *data, Error *err)
{
    Lab *lab = data;
    Experiment *experiments[] = {&lab->raw, &lab->standardized};
    for (int e = 0; e < 2; e++)
        if (!training_run(&lab->session, &experiments[e]->training, err)) return false;
    Table table = table_new(lab->keep, "features|test cross-entropy|test accuracy");
    for (int e = 0; e < 2; e++)
        table_row(&table, "%s|%.4f|%.1f %%", experiments[e]->training.name,
                  (double)training_test_loss(&experiments[e]->training),
                  100.0 * (double)test_accuracy(lab, experiments[e]));
    run_table(lab->run, &table);
    Plot plot = {.title = "Cross-entropy", .x_label = "epoch", .y_label = "loss", .log_y = true};
    training_plot(lab->run, &plot, "loss",
                  (Training *[]){&lab->raw.training, &lab->standardized.training}, 2, 0);
    return true;
}

static const Part parts[] = {
    {"data", "Data: two features of different scale", part_data,
     .notices =
         {{"points",
           "the classes overlap: the best expected accuracy is 92.1 %, with one feature alone "
           "84.1 %"}}},
    {"training", "Logistic regression", part_training,
     .notices = {{"loss", "with raw features the loss jumps about: a step that suits one weight is "
                          "wrong for the other by a factor of a million"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)1 << 30);
    Lab lab = {.keep = keep, .step = step, .points = 2000, .epochs = 20, .learning_rate = 0.03f};
    Options *options = options_new(keep, "transformer",
                                   "Logistic regression by gradient descent, on raw and on "
                                   "standardized features.");
    options_group(options, "This lab");
    options_int(options, "points", 'n', &lab.points, 100, 1000000, "points to draw");
    options_int(options, "epochs", 'e', &lab.epochs, 1, 1000, "epochs");
    options_float(options, "rate", 'r', &lab.learning_rate, 1e-6f, 1.0f, "learning rate");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/3_language/transformer/README.md",
                   .checkpoint = CHECKPOINT};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "epochs")) lab.epochs = 2;
    Error err = {""};
    if (!prepare(&lab, &err)) return run_fail(lab.run, &err);
    return story_run(&story, &lab);
}
