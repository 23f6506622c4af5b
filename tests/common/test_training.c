/* Trainings: the same bits whether a run was stopped or not, micro-batches against whole ones, and
 * what a run that diverges leaves behind. */
#include "common/training.h"
#include "common/loss.h"
#include "common/ops.h"
#include "kernels/kernels.h"
#include "tests/stops.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { SAMPLES = 11, INPUTS_OF = 3, BATCH = 4, EPOCHS = 3, STEPS_OF = 3 * EPOCHS, PLAIN_STEPS = 7 };

static char folder[] = "/tmp/test_training_XXXXXX";
static Arena *keep;
static bool has_rate;    // whether the lab has an option of that name
static Error err;

static int setup(void **state)
{
    (void)state;
    has_rate = false;
    keep = arena_new("keep", (size_t)1 << 28);
    err = (Error){""};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static int enter_folder(void **state)
{
    (void)state;
    unsetenv("LAB_OUT");
    unsetenv("LAB_DATA");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -r %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static Run *run_of(const char *device, const char *out, const char *resume)
{
    static float rate;
    int status, count = 5;
    Options *options = options_new(keep, "tiny", "A lab for the tests.");
    if (has_rate) options_float(options, "rate", 0, &rate, 0, 1, "learning rate");
    const char *words[7] = {"tiny",
                            "--threads=1",
                            "--plot=none",
                            arena_print(keep, "--device=%s", device),
                            arena_print(keep, "--out=%s", out),
                            NULL};
    if (resume != NULL) words[count++] = arena_print(keep, "--resume=%s", resume);
    Run *run = run_begin(keep, options, count, (char **)words, &status);
    assert_non_null(run);
    return run;
}

// ---- two models: one of tensors, one of doubles with a step of its own ----

typedef struct World World;

typedef struct Model {
    World *world;
    Tensor *weight;    // [1,3]
} Model;

struct World {
    Run *run;
    Session session;
    Training momentum, adam, plain;
    Model models[2];
    float points[SAMPLES * INPUTS_OF];
    double weights[2], moments[2];
    Record records[2];
    long taken,
        stop_after;    // steps of the loop in this process, and when a signal comes; 0: never
    int signal_number;
    long batches[64];    // of the first training: its samples as digits of base 100
    int batch_count;
};

static void count_step(World *world)
{
    if (++world->taken == world->stop_after) raise(world->signal_number);
}

static void make_points(Batch *batch, const void *data, const int *index)
{
    const World *world = data;
    float *x = arena_alloc(batch->arena, sizeof *x * (size_t)batch->rows * INPUTS_OF);
    for (int r = 0; r < batch->rows; r++)
        memcpy(x + (size_t)r * INPUTS_OF, world->points + (size_t)index[r] * INPUTS_OF,
               INPUTS_OF * sizeof *x);
    batch->x = tensor_from(batch->arena, SHAPE(batch->rows, INPUTS_OF), x);
}

// Learns to give the first coordinate of the others, from noisy copies of them.
static Tensor *noisy_loss(Tape *tape, const void *data, const Batch *batch)
{
    const Model *model = data;
    float *x = tensor_values(batch->arena, batch->x);
    float *noise = arena_alloc(batch->arena, sizeof *noise * (size_t)batch->rows * INPUTS_OF);
    float *target = arena_alloc(batch->arena, sizeof *target * (size_t)batch->rows);
    for (int i = 0; i < batch->rows * INPUTS_OF; i++)
        noise[i] = x[i] + 0.1f * rng_normal(batch->rng);
    for (int r = 0; r < batch->rows; r++) target[r] = x[r * INPUTS_OF];
    if (tape->recording) count_step(model->world);
    Tensor *out = op_linear(tape, tensor_from(batch->arena, SHAPE(batch->rows, INPUTS_OF), noise),
                            model->weight, NULL);
    return loss_squared_error(tape, out, tensor_from(batch->arena, SHAPE(batch->rows, 1), target));
}

// Heavy-ball descent of (w - draw)^2 in double.
static double plain_update(void *data, const Batch *batch, long step, double rate)
{
    World *world = data;
    double loss = 0;
    for (int i = 0; i < 2; i++) {
        double away = world->weights[i] - (double)rng_normal(batch->rng) / (double)step;
        world->moments[i] = 0.9 * world->moments[i] + 2 * away;
        world->weights[i] -= rate * world->moments[i];
        loss += away * away;
    }
    count_step(world);
    return loss;
}

static World *world_new(Run *run)
{
    World *world = arena_zeros(keep, sizeof *world);
    Rng rng = rng_from_seed(5);
    rng_fill_normal(&rng, world->points, SAMPLES * INPUTS_OF);
    world->run = run;
    world->session = (Session){.run = run, .config = "three trainings"};
    Batches points = {.count = SAMPLES, .make = make_points, .data = world};
    for (int i = 0; i < 2; i++) {
        Params *params = params_new(keep);
        world->models[i] = (Model){
            world, params_add(params, arena_print(keep, "weight.%d", i), SHAPE(1, INPUTS_OF))};
        *(i == 0 ? &world->momentum : &world->adam) =
            (Training){.name = i == 0 ? "momentum" : "adam",
                       .model = &world->models[i],
                       .loss = noisy_loss,
                       .params = params,
                       .train = points,
                       .test = points,
                       .test_batch = 5,
                       .batch = BATCH};
    }
    world->momentum.epochs = EPOCHS;
    world->momentum.optimizer = (OptimizerConfig){
        .kind = OPTIMIZER_SGD, .schedule = {.peak = 0.05f}, .momentum = 0.9f, .clip_norm = 1};
    world->adam.steps = STEPS_OF + 1;    // into a fourth epoch
    world->adam.point_every = 4;
    world->adam.save_every = 3;
    world->adam.optimizer = (OptimizerConfig){
        .kind = OPTIMIZER_ADAM, .schedule = {.shape = SCHEDULE_COSINE, .peak = 0.1f, .warmup = 2}};
    world->records[0] = (Record){"plain.weights", world->weights, 2, DTYPE_F64};
    world->records[1] = (Record){"plain.moments", world->moments, 2, DTYPE_F64};
    world->plain = (Training){.name = "plain",
                              .model = world,
                              .update = plain_update,
                              .records = world->records,
                              .record_count = 2,
                              .optimizer = {.schedule = {.peak = 0.1f}},
                              .steps = PLAIN_STEPS,
                              .point_every = 1,
                              .save_every = 5};
    return world;
}

static bool run_all(World *world)
{
    Training *trainings[] = {&world->momentum, &world->adam, &world->plain};
    for (int i = 0; i < 3; i++) training_plan(&world->session, trainings[i]);
    bool ok = session_resume(&world->session, &err);
    for (int i = 0; i < 3; i++) ok = ok && training_run(&world->session, trainings[i], &err);
    return ok;
}

static char *text_of(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("%s is not there", path);
    char *text = arena_zeros(keep, 1u << 16);
    *size = fread(text, 1, (1u << 16) - 1, file);
    fclose(file);
    return text;
}

static void assert_same_file(const char *a, const char *b, long stop)
{
    size_t one, other;
    const char *first = text_of(a, &one), *second = text_of(b, &other);
    if (one != other || memcmp(first, second, one) != 0)
        fail_msg("%s and %s differ after a stop at step %ld", a, b, stop);
}

// ---- stopped and resumed ----

static void stopped_anywhere(const char *device)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    World *whole = world_new(run_of(device, "whole", NULL));
    if (!run_all(whole)) fail_msg("%s", err.message);
    assert_int_equal(run_end(whole->run, CHECKPOINT), 0);
    long steps = whole->taken;
    assert_int_equal(steps, STEPS_OF + STEPS_OF + 1 + PLAIN_STEPS);
    for (long stop = 1; stop < steps; stop++) {
        World *stopped = world_new(run_of(device, "parts", NULL));
        stopped->stop_after = stop;
        stopped->signal_number = signals[stop % 3];
        assert_false(run_all(stopped));
        assert_string_equal(err.message, "");
        assert_int_equal(stopped->taken, stop);
        assert_int_equal(run_end(stopped->run, CHECKPOINT), 128 + signals[stop % 3]);
        World *resumed = world_new(run_of(device, "parts", "parts/" CHECKPOINT));
        if (!run_all(resumed)) fail_msg("%s", err.message);
        assert_int_equal(resumed->taken, steps - stop);
        assert_int_equal(run_end(resumed->run, CHECKPOINT), 0);
        assert_same_file("whole/" CHECKPOINT, "parts/" CHECKPOINT, stop);
        assert_same_file("whole/metrics.jsonl", "parts/metrics.jsonl", stop);
        assert_memory_equal(whole->weights, resumed->weights, sizeof whole->weights);
    }
}

static void a_run_stopped_after_any_step_and_resumed_leaves_the_same_files(void **state)
{
    (void)state;
    stopped_anywhere("ref");
}

static void the_same_holds_on_a_device_with_memory_of_its_own(void **state)
{
    (void)state;
    stopped_anywhere("far");
}

static void a_checkpoint_of_a_longer_run_is_refused(void **state)
{
    (void)state;
    World *whole = world_new(run_of("ref", "long", NULL));
    assert_true(run_all(whole));
    run_end(whole->run, CHECKPOINT);
    World *shorter = world_new(run_of("ref", "short", "long/" CHECKPOINT));
    training_plan(&shorter->session, &shorter->momentum);
    assert_false(session_resume(&shorter->session, &err));
    assert_string_equal(err.message,
                        "long/checkpoint.safetensors: is at step 26; this run has fewer");
    run_end(shorter->run, CHECKPOINT);
}

// What differs is named, and not the number of steps that follows from it.
static void a_checkpoint_of_other_settings_is_refused_by_their_name(void **state)
{
    (void)state;
    World *whole = world_new(run_of("ref", "long", NULL));
    assert_true(run_all(whole));
    run_end(whole->run, CHECKPOINT);
    World *other = world_new(run_of("ref", "short", "long/" CHECKPOINT));
    other->session.config = "of another kind";
    training_plan(&other->session, &other->momentum);
    assert_false(session_resume(&other->session, &err));
    assert_non_null(strstr(err.message, "this one has 'of another kind'"));
    run_end(other->run, CHECKPOINT);
}

// ---- batches ----

static float weights_after(int micro_batch, float weight[INPUTS_OF])
{
    World *world = world_new(run_of("ref", "micro", NULL));
    world->momentum.micro_batch = micro_batch;
    training_plan(&world->session, &world->momentum);
    if (!training_run(&world->session, &world->momentum, &err)) fail_msg("%s", err.message);
    tensor_read(world->models[0].weight, weight);
    run_end(world->run, CHECKPOINT);
    return training_test_loss(&world->momentum);
}

static void micro_batches_end_where_the_whole_batch_does(void **state)
{
    (void)state;
    float whole[INPUTS_OF], parts[INPUTS_OF];
    float loss = weights_after(0, whole);
    for (int micro = 1; micro <= BATCH + 1; micro++) {    // 3 divides neither 4 nor the last 3 rows
        float test = weights_after(micro, parts);
        for (int i = 0; i < INPUTS_OF; i++)
            if (!(fabsf(parts[i] - whole[i]) <= 1e-6f))
                fail_msg("micro-batches of %d: weight %g, expected %g", micro, (double)parts[i],
                         (double)whole[i]);
        if (!(fabsf(test - loss) <= 1e-6f))
            fail_msg("loss %g, expected %g", (double)test, (double)loss);
    }
}

// Notes which samples come; its loss is the mean of their numbers.
static void note_samples(Batch *batch, const void *data, const int *index)
{
    World *world = ((const Model *)data)->world;
    float *x = arena_alloc(batch->arena, sizeof *x * (size_t)batch->rows);
    long code = 0;
    for (int r = 0; r < batch->rows; r++) {
        code = 100 * code + index[r];
        x[r] = (float)index[r];
    }
    world->batches[world->batch_count++] = code;
    batch->x = tensor_from(batch->arena, SHAPE(batch->rows, 1), x);
}

static double mean_update(void *data, const Batch *batch, long step, double rate)
{
    (void)data, (void)step, (void)rate;
    const float *x = tensor_values(batch->arena, batch->x);
    double sum = 0;
    for (int r = 0; r < batch->rows; r++) sum += (double)x[r];
    return sum / batch->rows;
}

static World *world_of_means(const char *out, Training training)
{
    World *world = world_new(run_of("ref", out, NULL));
    world->models[0].world = world;
    training.name = "mean";
    training.update = mean_update;
    training.batch = BATCH;
    training.train = (Batches){SAMPLES, note_samples, &world->models[0]};
    world->plain = training;
    training_plan(&world->session, &world->plain);
    if (!training_run(&world->session, &world->plain, &err)) fail_msg("%s", err.message);
    run_end(world->run, CHECKPOINT);
    return world;
}

static void every_epoch_has_each_sample_once_in_an_order_of_its_own(void **state)
{
    (void)state;
    World *world = world_of_means("order", (Training){.epochs = 2});
    assert_int_equal(world->batch_count, 6);
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[SAMPLES] = {0}, rows = 0;
        for (int b = 3 * epoch; b < 3 * epoch + 3; b++) {
            long code = world->batches[b];
            int size = b % 3 < 2 ? BATCH : SAMPLES - 2 * BATCH;
            for (int r = 0; r < size; r++, code /= 100, rows++) seen[code % 100]++;
        }
        assert_int_equal(rows, SAMPLES);
        for (int i = 0; i < SAMPLES; i++) assert_int_equal(seen[i], 1);
    }
    assert_memory_not_equal(world->batches, world->batches + 3, 3 * sizeof *world->batches);
    World *again = world_of_means("order", (Training){.steps = 6});
    assert_memory_equal(world->batches, again->batches, 6 * sizeof *world->batches);
}

// The samples 0..10 have the mean 5, however an epoch is cut into batches.
static void a_point_is_the_mean_over_the_samples_since_the_last(void **state)
{
    (void)state;
    World *epochs = world_of_means("mean", (Training){.epochs = 2});
    assert_int_equal(epochs->plain.points, 2);
    assert_true(epochs->plain.curve[0] == 5 && epochs->plain.curve[2] == 5);
    World *steps = world_of_means("mean", (Training){.steps = 7, .point_every = 6});
    assert_int_equal(steps->plain.points, 2);
    assert_true(steps->plain.curve[0] == 5);
    long code = steps->batches[6];
    float sum = 0;
    for (int r = 0; r < BATCH; r++, code /= 100) sum += (float)(code % 100);
    assert_true(steps->plain.curve[2] == sum / BATCH);
    size_t size;
    const char *text = text_of("mean/metrics.jsonl", &size);
    assert_non_null(strstr(text, "{\"step\":6,\"mean_train_loss\":5,"));
    assert_non_null(strstr(text, "\n{\"step\":7,\"mean_train_loss\":"));
    assert_null(strstr(text, "test"));
}

// A float of 2^24 stays where it is when 1 is added.
static double uneven_update(void *data, const Batch *batch, long step, double rate)
{
    (void)data, (void)batch, (void)rate;
    return step == 1 ? 16777216 : 1;
}

static void the_mean_is_taken_in_double(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "uneven", NULL));
    world->plain.update = uneven_update;
    world->plain.steps = world->plain.point_every = 5;
    training_plan(&world->session, &world->plain);
    assert_true(training_run(&world->session, &world->plain, &err));
    assert_true(world->plain.curve[0] == 3355444);    // (2^24 + 4) / 5
    run_end(world->run, CHECKPOINT);
}

// ---- what is measured ----

static void curves_have_both_losses_the_learning_rate_and_the_gradient_norm(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "curves", NULL));
    training_plan(&world->session, &world->momentum);
    training_plan(&world->session, &world->adam);
    assert_true(training_run(&world->session, &world->momentum, &err));
    assert_true(training_run(&world->session, &world->adam, &err));
    assert_null(world->adam.grad_norm);
    const Training *training = &world->momentum;
    for (int point = 0; point < EPOCHS; point++) assert_true(training->grad_norm[point] > 0);
    assert_true(training_test_loss(training) < training->curve[1]);
    float test = training_evaluate(&world->session, training, &training->test);
    assert_true(test == training_test_loss(training));
    Plot plot = {.title = "Loss", .x_label = "epoch"};
    training_plot(world->run, &plot, "loss", (Training *[]){&world->momentum, &world->adam}, 2, 0);
    assert_int_equal(plot.count, 4);
    run_end(world->run, CHECKPOINT);
    size_t size;
    char want[160];
    snprintf(want, sizeof want,
             "{\"step\":3,\"momentum_train_loss\":%.9g,\"momentum_test_loss\":%.9g,"
             "\"learning_rate\":0.0500000007,\"grad_norm\":%.9g}\n",
             (double)training->curve[0], (double)training->curve[1],
             (double)training->grad_norm[0]);
    const char *text = text_of("curves/metrics.jsonl", &size);
    if (strstr(text, want) == NULL) fail_msg("%s lacks %s", text, want);
    assert_non_null(strstr(text, "\"learning_rate\":0}\n"));    // the cosine ends with the steps
    assert_non_null(strstr(text_of("curves/loss.csv", &size), "momentum, test"));
}

// The loss is the step. In the third the page shows the first two, since it is written once a second.
static double reading_update(void *data, const Batch *batch, long step, double rate)
{
    (void)data, (void)batch, (void)rate;
    size_t size;
    if (step == 2) usleep(1100000);
    if (step != 3) return (double)step;
    const char *page = text_of("follows/report.html", &size);
    if (strstr(page, "two words") == NULL || strstr(page, "two_words") != NULL ||
        strstr(page, "training loss 1.5<") == NULL)
        fail_msg("the page shows another loss, or another name: %s", page);
    return (double)step;
}

static void the_page_of_the_run_follows_the_mean_loss_of_a_training(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "follows", NULL));
    world->plain.name = "two_words";
    world->plain.update = reading_update;
    world->plain.steps = world->plain.point_every = 4;
    training_plan(&world->session, &world->plain);
    assert_true(training_run(&world->session, &world->plain, &err));
    run_end(world->run, CHECKPOINT);
}

// ---- what is not finite ----

static Tensor *exploding_loss(Tape *tape, const void *data, const Batch *batch)
{
    Tensor *loss = noisy_loss(tape, data, batch);
    const World *world = ((const Model *)data)->world;
    return world->taken == 5 ? op_scale(tape, loss, INFINITY) : loss;
}

static void a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "explodes", NULL));
    world->momentum.loss = exploding_loss;
    training_plan(&world->session, &world->momentum);
    assert_false(training_run(&world->session, &world->momentum, &err));
    assert_string_equal(err.message,
                        "momentum: the loss is infinite at step 5; try a lower learning rate");
    assert_int_equal(world->momentum.adapt->step, 4);    // the fifth was not taken
    run_end(world->run, CHECKPOINT);
    World *resumed = world_new(run_of("ref", "explodes", "explodes/" CHECKPOINT));
    training_plan(&resumed->session, &resumed->momentum);
    assert_true(session_resume(&resumed->session, &err));
    assert_int_equal(resumed->session.resumed, 3);    // the end of the first epoch
    assert_true(training_run(&resumed->session, &resumed->momentum, &err));
    run_end(resumed->run, CHECKPOINT);
}

static double breaking_update(void *data, const Batch *batch, long step, double rate)
{
    double loss = plain_update(data, batch, step, rate);
    if (step == 6) ((World *)data)->moments[1] = (double)NAN;
    return loss;
}

static void weights_that_are_not_finite_do_not_replace_a_checkpoint(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "breaks", NULL));
    world->plain.update = breaking_update;
    world->plain.save_every = 3;
    training_plan(&world->session, &world->plain);
    assert_false(training_run(&world->session, &world->plain, &err));
    assert_string_equal(err.message,
                        "plain: a weight is not finite after step 6; try a lower learning rate");
    run_end(world->run, CHECKPOINT);
    long step;
    assert_true(checkpoint_step("breaks/" CHECKPOINT, world->session.config, &step, &err));
    assert_int_equal(step, 3);
}

// The loss is finite, and its gradient; the square of the gradient is not.
static Tensor *steep_loss(Tape *tape, const void *data, const Batch *batch)
{
    return op_scale(tape, noisy_loss(tape, data, batch), 1e37f);
}

// A plan of one step down a steep loss.
static World *steep_world(const char *device, const char *resume, OptimizerKind kind, float rate)
{
    World *world = world_new(run_of(device, "steep", resume));
    Training *training = &world->momentum;
    training->loss = steep_loss;
    training->optimizer = (OptimizerConfig){.kind = kind, .schedule = {.peak = rate}};
    training->test.count = 0;
    training->epochs = 0;
    training->steps = 1;
    training_plan(&world->session, training);
    return world;
}

static void steep_step_is_refused(const char *device, OptimizerKind kind, const char *message)
{
    World *world = steep_world(device, NULL, kind, 1000);
    assert_false(training_run(&world->session, &world->momentum, &err));
    assert_string_equal(err.message, message);
    run_end(world->run, CHECKPOINT);
    assert_int_not_equal(access("steep/" CHECKPOINT, F_OK), 0);
}

// Leaves large weights where they are.
static Tensor *flat_loss(Tape *tape, const void *data, const Batch *batch)
{
    const Model *model = data;
    const float x[INPUTS_OF] = {1e-38f, 1e-38f, 1e-38f};
    Tensor *input = tensor_from(batch->arena, SHAPE(1, INPUTS_OF), x);
    return loss_squared_error(tape, op_linear(tape, input, model->weight, NULL),
                              tensor_zeros(batch->arena, SHAPE(1, 1)));
}

// Neither their squares nor their norm are floats.
static void large_weights_are_resumed(const char *device)
{
    const float large[INPUTS_OF] = {3.4e38f, -3.4e38f, 3.4e38f};
    World *world = steep_world(device, NULL, OPTIMIZER_SGD, 1e-3f);
    world->momentum.loss = flat_loss;
    tensor_write(world->models[0].weight, large);
    if (!training_run(&world->session, &world->momentum, &err)) fail_msg("%s", err.message);
    run_end(world->run, CHECKPOINT);
    world = steep_world(device, "steep/" CHECKPOINT, OPTIMIZER_SGD, 1e-3f);
    if (!session_resume(&world->session, &err)) fail_msg("%s", err.message);
    assert_memory_equal(tensor_values(keep, world->models[0].weight), large, sizeof large);
    run_end(world->run, CHECKPOINT);
    unlink("steep/" CHECKPOINT);
}

static void saves_finite_numbers_only(const char *device)
{
    steep_step_is_refused(
        device, OPTIMIZER_SGD,
        "momentum: a weight is not finite after step 1; try a lower learning rate");
    has_rate = true;
    steep_step_is_refused(
        device, OPTIMIZER_ADAM,
        "momentum: a moment of the optimizer is not finite after step 1; try a lower --rate");
    large_weights_are_resumed(device);
}

static void tensors_are_saved_exactly_when_they_are_finite(void **state)
{
    (void)state;
    saves_finite_numbers_only("ref");
}

static void tensors_are_saved_exactly_when_they_are_finite_on_the_processor(void **state)
{
    (void)state;
    saves_finite_numbers_only("cpu");
}

static void tensors_are_saved_exactly_when_they_are_finite_on_a_device(void **state)
{
    (void)state;
    saves_finite_numbers_only("far");
}

// ---- a classifier ----

static void make_labeled(Batch *batch, const void *data, const int *index)
{
    make_points(batch, data, index);
    int32_t *labels = arena_alloc(batch->arena, sizeof *labels * (size_t)batch->rows);
    for (int r = 0; r < batch->rows; r++) labels[r] = index[r] % INPUTS_OF;
    batch->labels = tensor_from_ints(batch->arena, SHAPE(batch->rows), labels);
}

// A point's coordinates, each times its weight: as many classes as there are.
static Tensor *scaled_point(Tape *tape, const void *data, const Batch *batch)
{
    const Model *model = data;
    Tensor *rows = tensor_zeros(tape->arena, SHAPE(batch->rows, 1));
    kernels.fill(tensor_floats(rows), 1, (size_t)batch->rows);
    if (tape->recording) count_step(model->world);
    return op_mul(tape, batch->x, op_matmul(tape, rows, model->weight));
}

static Tensor *twice_cross_entropy(Tape *tape, Tensor *logits, Tensor *labels)
{
    return op_scale(tape, loss_cross_entropy(tape, logits, labels), 2);
}

static World *classifier_world(const char *out, const char *resume)
{
    World *world = world_new(run_of("ref", out, resume));
    Training *training = &world->momentum;
    training->loss = NULL;
    training->logits = scaled_point;
    training->train.make = training->test.make = make_labeled;
    training_plan(&world->session, training);
    return world;
}

static float share_of_largest(const World *world)
{
    float weight[INPUTS_OF];
    int correct = 0;
    tensor_read(world->models[0].weight, weight);
    for (int i = 0; i < SAMPLES; i++) {
        const float *point = world->points + (size_t)i * INPUTS_OF;
        int best = 0;
        for (int c = 1; c < INPUTS_OF; c++)
            if (point[c] * weight[c] > point[best] * weight[best]) best = c;
        correct += best == i % INPUTS_OF;
    }
    return (float)correct / SAMPLES;
}

static void a_classifier_is_measured_by_its_accuracy(void **state)
{
    (void)state;
    World *world = classifier_world("classes", NULL);
    Training *training = &world->momentum;
    if (!training_run(&world->session, training, &err)) fail_msg("%s", err.message);
    assert_true(training_test_accuracy(training) == share_of_largest(world));
    assert_true(training_test_accuracy(training) > 0);
    size_t size;
    const char *metrics = text_of("classes/metrics.jsonl", &size);
    assert_non_null(strstr(metrics, arena_print(keep, "\"momentum_test_accuracy\":%.9g,",
                                                (double)training_test_accuracy(training))));
    Plot plot = {.title = "Test accuracy", .x_label = "epoch"};
    training_plot_accuracy(world->run, &plot, "accuracy", (Training *[]){training}, 1);
    const char *drawn = text_of("classes/accuracy.csv", &size);
    assert_non_null(strstr(
        drawn, arena_print(keep, ",%.9g", (double)(100 * training_test_accuracy(training)))));
    run_end(world->run, CHECKPOINT);
    // A criterion of its own takes the place of the cross-entropy.
    World *other = classifier_world("twice", NULL);
    other->momentum.criterion = twice_cross_entropy;
    float once = training_evaluate(&other->session, &other->momentum, &other->momentum.test);
    other->momentum.criterion = loss_cross_entropy;
    assert_true(2 * training_evaluate(&other->session, &other->momentum, &other->momentum.test) ==
                once);
    run_end(other->run, CHECKPOINT);
}

static void a_resumed_classifier_keeps_its_accuracies(void **state)
{
    (void)state;
    World *whole = classifier_world("classes", NULL);
    assert_true(training_run(&whole->session, &whole->momentum, &err));
    run_end(whole->run, CHECKPOINT);
    World *stopped = classifier_world("stopped", NULL);
    stopped->stop_after = STEPS_OF - 2;
    stopped->signal_number = SIGINT;
    assert_false(training_run(&stopped->session, &stopped->momentum, &err));
    run_end(stopped->run, CHECKPOINT);
    World *resumed = classifier_world("stopped", "stopped/" CHECKPOINT);
    assert_true(session_resume(&resumed->session, &err));
    assert_true(training_run(&resumed->session, &resumed->momentum, &err));
    assert_memory_equal(whole->momentum.accuracy, resumed->momentum.accuracy,
                        EPOCHS * sizeof(float));
    run_end(resumed->run, CHECKPOINT);
    assert_same_file("classes/" CHECKPOINT, "stopped/" CHECKPOINT, STEPS_OF - 2);
    assert_same_file("classes/metrics.jsonl", "stopped/metrics.jsonl", STEPS_OF - 2);
}

// Stopped before its first point, a run has no metrics; those of the run before are not its own.
static void a_run_stopped_at_once_has_no_metrics_of_another(void **state)
{
    (void)state;
    size_t size;
    World *world = classifier_world("again", NULL);
    assert_true(training_run(&world->session, &world->momentum, &err));
    run_end(world->run, CHECKPOINT);
    world = classifier_world("again", NULL);
    text_of("again/metrics.jsonl", &size);
    assert_true(size > 0);    // as long as nothing is trained
    world->stop_after = 1;
    world->signal_number = SIGINT;
    assert_false(training_run(&world->session, &world->momentum, &err));
    run_end(world->run, CHECKPOINT);
    text_of("again/metrics.jsonl", &size);
    assert_int_equal(size, 0);
}

// ---- what a plan must be ----

static void plan_without_either(void *world)
{
    Training *training = &((World *)world)->plain;
    training->update = NULL;
    training_plan(&((World *)world)->session, training);
}

static void plan_with_epochs_and_steps(void *world)
{
    Training *training = &((World *)world)->momentum;
    training->steps = 5;
    training_plan(&((World *)world)->session, training);
}

static void a_plan_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    World *world = world_new(run_of("ref", "plan", NULL));
    stops_with("plain: expected one of loss, logits and update", plan_without_either(world));
    stops_with("momentum: expected either epochs or steps", plan_with_epochs_and_steps(world));
    run_end(world->run, CHECKPOINT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_run_stopped_after_any_step_and_resumed_leaves_the_same_files),
        CASE(the_same_holds_on_a_device_with_memory_of_its_own),
        CASE(a_checkpoint_of_a_longer_run_is_refused),
        CASE(a_checkpoint_of_other_settings_is_refused_by_their_name),
        CASE(micro_batches_end_where_the_whole_batch_does),
        CASE(every_epoch_has_each_sample_once_in_an_order_of_its_own),
        CASE(a_point_is_the_mean_over_the_samples_since_the_last),
        CASE(the_mean_is_taken_in_double),
        CASE(curves_have_both_losses_the_learning_rate_and_the_gradient_norm),
        CASE(the_page_of_the_run_follows_the_mean_loss_of_a_training),
        CASE(a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint),
        CASE(weights_that_are_not_finite_do_not_replace_a_checkpoint),
        CASE(tensors_are_saved_exactly_when_they_are_finite),
        CASE(tensors_are_saved_exactly_when_they_are_finite_on_the_processor),
        CASE(tensors_are_saved_exactly_when_they_are_finite_on_a_device),
        CASE(a_classifier_is_measured_by_its_accuracy),
        CASE(a_resumed_classifier_keeps_its_accuracies),
        CASE(a_run_stopped_at_once_has_no_metrics_of_another),
        CASE(a_plan_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
