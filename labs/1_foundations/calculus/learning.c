/* learning.c -- gradients in many dimensions, and a network that is trained by them. */
#include <math.h>
#include "labs/1_foundations/calculus/canvas.h"
#include "labs/1_foundations/calculus/experiment.h"
#include "labs/1_foundations/calculus/rosenbrock.h"

// ---- what a gradient costs ----

bool part_gradients(void *argument, Error *err)
{
    enum { MOST = 256 };
    (void)err;
    Experiment *lab = argument;
    Arena *scratch = arena_new("graphs", 64u << 20);
    double at[MOST], gradient[MOST];
    Rng rng = rng_stream(lab->run->seed, 1);
    Engine *engine = engine_new(lab->run->keep);
    run_print(lab->run, "The gradient of the Rosenbrock function in n dimensions:");
    run_print(lab->run, "node visits of each method, and relative error against backward mode.");
    Table table = table_new(lab->scratch, "n|backward|forward|finite differences|forward error|"
                                          "finite difference error");
    for (int n = 2; n <= MOST; n *= 2) {
        for (int i = 0; i < n; i++) at[i] = (double)rng_normal(&rng);
        Value **x = values_new(scratch, at, n);
        engine_gradient(engine, rosenbrock_graph(scratch, x, n));
        double forward = 0;
        for (int i = 0; i < n; i++) {
            gradient[i] = x[i]->grad;
            forward = fmax(forward, fabs(engine_forward(engine, x[i]) - gradient[i]) /
                                        fmax(1, fabs(gradient[i])));
        }
        double differences = calc_gradient_check(rosenbrock_value, NULL, at, gradient, n, 1e-5);
        int nodes = engine->count;
        table_row(&table, "%d|%d|%d|%d|%.1e|%.1e", n, 2 * nodes, nodes * (n + 1), nodes * 2 * n,
                  forward, differences);
        metrics_write(lab->run->metrics, 3,
                      METRICS({"inputs", n}, {"nodes", nodes}, {"forward_error", forward},
                              {"differences_error", differences}));
        arena_reset(scratch);
    }
    arena_free(scratch);
    run_table(lab->run, &table);
    return true;
}

// ---- the network ----

// One step of Adam on a batch of points drawn with replacement. Returns the batch's loss.
static double update(void *model, const Batch *batch, long step, double learning_rate)
{
    Network *network = model;
    int chosen[BATCH];
    double gradient[NET_WEIGHTS];
    for (int i = 0; i < BATCH; i++) chosen[i] = (int)rng_below(batch->rng, POINTS);
    Value **weight = values_new(batch->arena, network->weights, NET_WEIGHTS);
    Value *loss = net_loss(batch->arena, weight, &network->train, chosen, BATCH);
    engine_gradient(network->engine, loss);
    for (int i = 0; i < NET_WEIGHTS; i++) gradient[i] = weight[i]->grad;
    calc_adam(network->weights, network->m, network->v, gradient, NET_WEIGHTS, (int)step,
              learning_rate);
    return loss->data;
}

void experiment_plan(Experiment *lab)
{
    Arena *keep = lab->run->keep;
    Network *network = &lab->network;
    Rng rng = rng_stream(lab->run->seed, 2);
    network->train = moons_draw(keep, POINTS, 0.15, &rng);
    network->test = moons_draw(keep, POINTS, 0.15, &rng);
    network->engine = engine_new(keep);
    net_init(network->initial, &rng);
    for (int i = 0; i < NET_WEIGHTS; i++) network->weights[i] = network->initial[i];
    network->records[0] = (Record){"weights", network->weights, NET_WEIGHTS, DTYPE_F64};
    network->records[1] = (Record){"adam.m", network->m, NET_WEIGHTS, DTYPE_F64};
    network->records[2] = (Record){"adam.v", network->v, NET_WEIGHTS, DTYPE_F64};
    lab->training = (Training){.name = "classifier",
                               .model = network,
                               .update = update,
                               .records = network->records,
                               .record_count = 3,
                               .optimizer = {.schedule = {.peak = lab->learning_rate}},
                               .steps = lab->steps,
                               .point_every = 1,
                               .save_every = 500,
                               .rng = rng};
    training_plan(&lab->session, &lab->training);
}

static double score_at(const double *x, int n, const void *context)
{
    (void)n;
    return net_plain(context, x);
}

static double accuracy(const double *weights, const Moons *moons)
{
    int right = 0;
    for (int i = 0; i < moons->count; i++)
        right += (net_plain(weights, moons->x + 2 * i) > 0) == (moons->target[i] > 0);
    return (double)right / moons->count;
}

// Your engine against the course's tensor tape: the same weights, the same points.
static void compare_with_tape(const Experiment *lab)
{
    const Network *network = &lab->network;
    double gradient[NET_WEIGHTS], difference = 0, largest = 0;
    int chosen[BATCH];
    for (int i = 0; i < BATCH; i++) chosen[i] = i;
    Value **weight = values_new(lab->scratch, network->initial, NET_WEIGHTS);
    Value *loss = net_loss(lab->scratch, weight, &network->train, chosen, BATCH);
    engine_gradient(network->engine, loss);
    Arena *tape = arena_new("tape", 4u << 20);
    net_loss_tensors(lab->scratch, tape, network->initial, &network->train, chosen, BATCH,
                     gradient);
    arena_free(tape);
    for (int i = 0; i < NET_WEIGHTS; i++) {
        difference = fmax(difference, fabs(weight[i]->grad - gradient[i]));
        largest = fmax(largest, fabs(gradient[i]));
    }
    int nodes = network->engine->count;
    run_print(lab->run,
              "The loss of a batch of %d is a graph of %d nodes; the largest of %d derivatives is "
              "%.3f.",
              BATCH, nodes, NET_WEIGHTS, largest);
    run_print(lab->run,
              "Your engine and the tensor tape differ by at most %.1e (the tape is float).",
              difference);
    metrics_write(lab->run->metrics, 4, METRICS({"tape_difference", difference}, {"nodes", nodes}));
}

static void draw_boundary(const Experiment *lab, double test_accuracy)
{
    const double *weights = lab->network.weights;
    const Moons *test = &lab->network.test;
    Canvas *canvas = canvas_new(lab->scratch, (Box){-1.7, 2.7, -1.4, 1.9});
    canvas_sides(canvas, score_at, weights, 0, 6, COLOUR_BLUE, COLOUR_RED);
    for (int i = 0; i < test->count; i++)
        canvas_dot(canvas, test->x[2 * i], test->x[2 * i + 1], 3,
                   test->target[i] > 0 ? COLOUR_RED : COLOUR_BLUE);
    canvas_note(canvas, COLOUR_BLUE, "test set, class 0");
    canvas_note(canvas, COLOUR_RED, "test set, class 1");
    canvas_note(
        canvas, COLOUR_BLACK,
        arena_print(lab->scratch, "decision boundary, test accuracy %.1f %%", 100 * test_accuracy));
    canvas_show(lab->run, canvas, "Two moons: decision boundary", "decision_boundary");
}

bool part_classifier(void *argument, Error *err)
{
    Experiment *lab = argument;
    const Network *network = &lab->network;
    run_print(lab->run, "Training set: %d points; a network of %d weights.", POINTS, NET_WEIGHTS);
    compare_with_tape(lab);
    arena_reset(lab->scratch);
    if (!training_run(&lab->session, &lab->training, err)) return false;
    double test_accuracy = accuracy(network->weights, &network->test);
    run_print(lab->run, "After %d step%s of Adam: accuracy %.1f %% on a test set of %d points.",
              lab->steps, lab->steps == 1 ? "" : "s", 100 * test_accuracy, network->test.count);
    metrics_write(lab->run->metrics, lab->session.first + lab->steps + 1,
                  METRICS({"test_accuracy", test_accuracy}));
    Plot plot = {.title = "Training loss, smoothed",
                 .x_label = "step",
                 .y_label = "cross-entropy [nats]",
                 .log_y = true};
    training_plot(lab->run, &plot, "loss", (Training *[]){&lab->training}, 1, 0.95f);
    draw_boundary(lab, test_accuracy);
    return true;
}
