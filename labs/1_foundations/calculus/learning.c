#include "labs/1_foundations/calculus/learning.h"
#include <math.h>
#include <stdio.h>
#include "common/progress.h"
#include "labs/1_foundations/calculus/canvas.h"
#include "labs/1_foundations/calculus/chain.h"
#include "labs/1_foundations/calculus/engine.h"
#include "labs/1_foundations/calculus/moons.h"

enum { POINTS = 400, BATCH = 32 };

// ---- what a gradient costs ----

void learning_modes(Run *run, Arena *step)
{
    enum { MOST = 256 };
    double at[MOST], gradient[MOST];
    Rng rng = rng_stream(run->seed, 1);
    Engine *engine = engine_new(run->keep);
    printf("\nGradients: Rosenbrock's function of n numbers\n"
           "         visits to a node, for all n slopes     largest difference from backward\n"
           "    n    backward    forward    small steps              forward     small steps\n");
    for (int n = 2; n <= MOST; n *= 2) {
        for (int i = 0; i < n; i++) at[i] = (double)rng_normal(&rng);
        Value **x = values_new(step, at, n);
        engine_gradient(engine, chain_graph(step, x, n));
        double apart = 0;
        for (int i = 0; i < n; i++) {
            gradient[i] = x[i]->grad;
            apart = fmax(apart, fabs(engine_slope(engine, x[i]) - gradient[i]) /
                                    fmax(1, fabs(gradient[i])));
        }
        double error = calc_gradient_check(chain_height, NULL, at, gradient, n, 1e-5);
        int nodes = engine->count;
        printf("  %3d  %10d %10d     %10d             %8.1e        %8.1e\n", n, 2 * nodes,
               nodes * (n + 1), nodes * 2 * n, apart, error);
        metrics_write(run->metrics, 3,
                      METRICS({"inputs", n}, {"nodes", nodes}, {"forward_apart", apart},
                              {"differences_apart", error}));
        arena_reset(step);
    }
}

// ---- two moons ----

static double score_at(const double *x, int n, const void *context)
{
    (void)n;
    return net_plain(context, x);
}

static double share_right(const double *weights, const Moons *moons)
{
    int right = 0;
    for (int i = 0; i < moons->count; i++)
        right += (net_plain(weights, moons->x + 2 * i) > 0) == (moons->target[i] > 0);
    return (double)right / moons->count;
}

// Your engine beside the course's tape: the same weights, the same points.
static void compare_with_tape(Run *run, Arena *step, Engine *engine, const double *weights,
                              const Moons *moons)
{
    double gradient[NET_WEIGHTS], apart = 0, largest = 0;
    int chosen[BATCH];
    for (int i = 0; i < BATCH; i++) chosen[i] = i;
    Value **weight = values_new(step, weights, NET_WEIGHTS);
    Value *loss = net_loss(step, weight, moons, chosen, BATCH);
    engine_gradient(engine, loss);
    Arena *tape = arena_new("tape", 4u << 20);
    net_loss_tensors(step, tape, weights, moons, chosen, BATCH, gradient);
    arena_free(tape);
    for (int i = 0; i < NET_WEIGHTS; i++) {
        apart = fmax(apart, fabs(weight[i]->grad - gradient[i]));
        largest = fmax(largest, fabs(gradient[i]));
    }
    printf("  a batch of %d is a graph of %d nodes; %d slopes, largest %.3f\n", BATCH,
           engine->count, NET_WEIGHTS, largest);
    printf("  your engine and the tensor tape differ by %.1e at most (the tape is float)\n", apart);
    metrics_write(run->metrics, 4, METRICS({"tape_apart", apart}, {"nodes", engine->count}));
    arena_reset(step);
}

static void draw_moons(const Run *run, Arena *step, const double *weights, const Moons *moons,
                       double right)
{
    Canvas *canvas = canvas_new(step, (Box){-1.7, 2.7, -1.4, 1.9});
    canvas_sides(canvas, score_at, weights, 0, 6, COLOUR_BLUE, COLOUR_RED);
    for (int i = 0; i < moons->count; i++)
        canvas_dot(canvas, moons->x[2 * i], moons->x[2 * i + 1], 3,
                   moons->target[i] > 0 ? COLOUR_RED : COLOUR_BLUE);
    canvas_note(canvas, COLOUR_BLUE, "class 0: points that the network never saw");
    canvas_note(canvas, COLOUR_RED, "class 1");
    canvas_note(canvas, COLOUR_BLACK,
                arena_print(step, "score 0: the boundary, right for %.1f %%", 100 * right));
    canvas_show(run, canvas, "Two moons, told apart by your engine", "moons.png");
}

void learning_moons(Run *run, Arena *step, int steps, double rate)
{
    Arena *keep = run->keep;
    Rng rng = rng_stream(run->seed, 2);
    Moons train = moons_draw(keep, POINTS, 0.15, &rng);
    Moons test = moons_draw(keep, POINTS, 0.15, &rng);
    Engine *engine = engine_new(keep);
    double weights[NET_WEIGHTS], m[NET_WEIGHTS] = {0}, v[NET_WEIGHTS] = {0}, g[NET_WEIGHTS];
    int chosen[BATCH];
    float *curve = arena_alloc(keep, sizeof *curve * (size_t)steps),
          *number = arena_alloc(keep, sizeof *number * (size_t)steps);
    net_start(weights, &rng);
    printf("\nTwo moons: %d points, a network of %d weights\n", POINTS, NET_WEIGHTS);
    compare_with_tape(run, step, engine, weights, &train);

    Progress progress = progress_begin("moons", "step", 0, steps);
    int done = 0;
    for (; done < steps && !run_interrupted(run); done++) {
        for (int i = 0; i < BATCH; i++) chosen[i] = (int)rng_below(&rng, POINTS);
        Value **weight = values_new(step, weights, NET_WEIGHTS);
        Value *loss = net_loss(step, weight, &train, chosen, BATCH);
        engine_gradient(engine, loss);
        for (int i = 0; i < NET_WEIGHTS; i++) g[i] = weight[i]->grad;
        calc_adam(weights, m, v, g, NET_WEIGHTS, done + 1, rate);
        // What is drawn is the batches' loss, smoothed over some twenty of them.
        double before = done > 0 ? (double)curve[done - 1] : loss->data;
        curve[done] = (float)(0.95 * before + 0.05 * loss->data);
        number[done] = (float)(done + 1);
        progress_step(&progress, done + 1, "loss %.4f", loss->data);
        metrics_write(run->metrics, 5 + done, METRICS({"loss", loss->data}));
        arena_reset(step);
    }
    progress_clear(&progress);
    double right = share_right(weights, &test);
    printf("  after %d step%s of Adam: %.1f %% of %d new points on the right side\n", done,
           done == 1 ? "" : "s", 100 * right, test.count);
    metrics_write(run->metrics, 5 + done, METRICS({"test_right", right}));

    Plot plot = {.title = "Loss of the two moons",
                 .x_label = "step",
                 .y_label = "cross-entropy, smoothed",
                 .log_y = true};
    plot_series(&plot, "train", number, curve, (size_t)done);
    run_plot(run, &plot, "loss");
    draw_moons(run, step, weights, &test, right);
    arena_reset(step);
}
