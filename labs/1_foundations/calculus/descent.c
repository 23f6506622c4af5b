/* descent.c -- minimizing functions of two variables, without and with a constraint. */
#include <math.h>
#include "labs/1_foundations/calculus/canvas.h"
#include "labs/1_foundations/calculus/experiment.h"

enum { STEPS_MAX = 50000, METHODS = 4, CURVE = 400 };

// ---- the objectives ----

// The value as a plain number for the picture and as a graph for your engine to differentiate, and the
// Hessian by hand for Newton's method.
typedef struct Objective {
    const char *name, *title, *curves;
    Field *value;
    Value *(*graph)(Arena *arena, Value *x, Value *y);
    void (*hessian)(double H[3], const double at[2]);
    Box box;
    double start[2], minimum[2];
    double descent_rate, momentum_rate, mu, adam_rate;    // learning rates
} Objective;

static double quadratic_value(const double *x, int n, const void *context)
{
    (void)n, (void)context;
    return (x[0] * x[0] + 50 * x[1] * x[1]) / 2;
}

static Value *quadratic_graph(Arena *arena, Value *x, Value *y)
{
    Value *half = value_input(arena, 0.5), *steep = value_input(arena, 25);
    return value_of(arena, OP_ADD, value_of(arena, OP_MUL, half, value_of(arena, OP_MUL, x, x)),
                    value_of(arena, OP_MUL, steep, value_of(arena, OP_MUL, y, y)));
}

static void quadratic_hessian(double H[3], const double at[2])
{
    (void)at;
    H[0] = 1, H[1] = 0, H[2] = 50;
}

// Rosenbrock 1960: (1 - x)^2 + 100 (y - x^2)^2.
static double rosenbrock2_value(const double *x, int n, const void *context)
{
    (void)n, (void)context;
    double flat = 1 - x[0], steep = x[1] - x[0] * x[0];
    return flat * flat + 100 * steep * steep;
}

static Value *rosenbrock2_graph(Arena *arena, Value *x, Value *y)
{
    Value *flat = value_of(arena, OP_SUB, value_input(arena, 1), x);
    Value *steep = value_of(arena, OP_SUB, y, value_of(arena, OP_MUL, x, x));
    return value_of(
        arena, OP_ADD, value_of(arena, OP_MUL, flat, flat),
        value_of(arena, OP_MUL, value_input(arena, 100), value_of(arena, OP_MUL, steep, steep)));
}

static void rosenbrock2_hessian(double H[3], const double at[2])
{
    H[0] = 2 - 400 * (at[1] - 3 * at[0] * at[0]);
    H[1] = -400 * at[0];
    H[2] = 200;
}

// 2 / (1 + 50) is the optimal learning rate of gradient descent for these curvatures; those of the
// Rosenbrock function are as large as its largest curvature allows, within a factor of two.
static const Objective objectives[] = {
    {.name = "quadratic",
     .title = "Quadratic bowl, condition number 50",
     .curves = "quadratic_objective",
     .value = quadratic_value,
     .graph = quadratic_graph,
     .hessian = quadratic_hessian,
     .box = {-2.2, 1.0, -1.2, 1.2},
     .start = {-2, 1},
     .minimum = {0, 0},
     .descent_rate = 2.0 / 51,
     .momentum_rate = 0.02,
     .mu = 0.8,
     .adam_rate = 0.1},
    {.name = "rosenbrock",
     .title = "Rosenbrock function: a curved valley",
     .curves = "rosenbrock_objective",
     .value = rosenbrock2_value,
     .graph = rosenbrock2_graph,
     .hessian = rosenbrock2_hessian,
     .box = {-1.7, 1.5, -0.7, 1.7},
     .start = {-1.2, 1},
     .minimum = {1, 1},
     .descent_rate = 1e-3,
     .momentum_rate = 1e-3,
     .mu = 0.9,
     .adam_rate = 0.02},
};

// ---- the methods ----

typedef enum Method { DESCENT, MOMENTUM, ADAM, NEWTON } Method;
static const char *const method_names[METHODS] = {"gradient descent", "momentum", "Adam", "Newton"};

typedef struct Path {
    double *x, *y, *value;
    int count;         // iterates, the start among them
    bool converged;    // the gradient norm fell below 1e-6
} Path;

static void path_add(Path *path, const Objective *objective, const double at[2])
{
    path->x[path->count] = at[0];
    path->y[path->count] = at[1];
    path->value[path->count++] = objective->value(at, 2, NULL);
}

static Path minimize(Arena *scratch, const Objective *objective, Method method)
{
    size_t room = (STEPS_MAX + 1) * sizeof(double);
    Path path = {.x = arena_alloc(scratch, room),
                 .y = arena_alloc(scratch, room),
                 .value = arena_alloc(scratch, room)};
    Engine *engine = engine_new(scratch);
    Arena *nodes = arena_new("nodes", 1 << 20);
    double at[2] = {objective->start[0], objective->start[1]}, v[2] = {0}, m[2] = {0}, H[3];
    path_add(&path, objective, at);
    for (int step = 1; step <= STEPS_MAX; step++) {
        Value *x = value_input(nodes, at[0]), *y = value_input(nodes, at[1]);
        engine_gradient(engine, objective->graph(nodes, x, y));
        const double g[2] = {x->grad, y->grad};
        arena_reset(nodes);
        path.converged = hypot(g[0], g[1]) < 1e-6;
        if (path.converged || !isfinite(g[0] + g[1])) break;
        if (method == DESCENT) calc_descend(at, v, g, 2, objective->descent_rate, 0);
        if (method == MOMENTUM) calc_descend(at, v, g, 2, objective->momentum_rate, objective->mu);
        if (method == ADAM) calc_adam(at, m, v, g, 2, step, objective->adam_rate);
        if (method == NEWTON) {
            objective->hessian(H, at);
            if (!calc_newton(at, g, H)) break;
        }
        path_add(&path, objective, at);
    }
    arena_free(nodes);
    return path;
}

static void draw_paths(Experiment *lab, const Objective *objective, const Path paths[])
{
    static const Colour colours[METHODS] = {COLOUR_BLUE, COLOUR_RED, COLOUR_GREEN, COLOUR_BLACK};
    enum { LEVELS = 14 };
    double levels[LEVELS];
    for (int l = 0; l < LEVELS; l++) levels[l] = 0.03 * pow(2, l);
    Canvas *canvas = canvas_new(lab->scratch, objective->box);
    canvas_shade(canvas, objective->value, NULL, levels, LEVELS);
    for (int p = 0; p < METHODS; p++)    // the first is broad: what covers it leaves its rims
        canvas_path(canvas, paths[p].x, paths[p].y, paths[p].count, p == DESCENT ? 4 : 2,
                    colours[p]);
    for (int p = 0; p < METHODS; p++) {
        for (int i = 0; i < paths[p].count && i < 60; i++)    // later ones would be a smear
            canvas_dot(canvas, paths[p].x[i], paths[p].y[i], p == NEWTON ? 4 : 2.5, colours[p]);
        int steps = paths[p].count - 1;
        canvas_note(canvas, colours[p],
                    arena_print(lab->scratch, "%-17s %6d step%s%s", method_names[p], steps,
                                steps == 1 ? "" : "s",
                                paths[p].converged ? "" : ", not converged"));
    }
    canvas_dot(canvas, objective->start[0], objective->start[1], 6, COLOUR_PURPLE);
    canvas_dot(canvas, objective->minimum[0], objective->minimum[1], 6, COLOUR_PURPLE);
    canvas_note(canvas, COLOUR_PURPLE, "start and minimum");
    canvas_show(lab->run, canvas, objective->title, objective->name);
}

// At most CURVE points of each path, close together at first, since the steps go on a log scale.
static void plot_values(Experiment *lab, const Objective *objective, const Path paths[])
{
    Arena *scratch = lab->scratch;
    Plot plot = {.title = arena_print(scratch, "Convergence: %s", objective->name),
                 .x_label = "step",
                 .y_label = "objective minus its minimum",
                 .log_x = true,
                 .log_y = true};
    for (int p = 0; p < METHODS; p++) {
        float *x = arena_alloc(scratch, sizeof *x * CURVE);
        float *y = arena_alloc(scratch, sizeof *y * CURVE);
        int count = 0;
        for (double at = 1; at < paths[p].count && count < CURVE; at = fmax(at + 1, at * 1.03)) {
            x[count] = (float)(int)at;
            y[count++] = (float)fmax(paths[p].value[(int)at], 1e-16);
        }
        plot_series(&plot, method_names[p], x, y, (size_t)count);
    }
    run_plot(lab->run, &plot, objective->curves);
}

bool part_descent(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    for (int o = 0; o < 2; o++) {
        const Objective *objective = &objectives[o];
        Path paths[METHODS];
        run_print(lab->run, "%s", objective->title);
        Table table = table_new(lab->scratch, "method|steps|objective|converged");
        for (int p = 0; p < METHODS; p++) {
            paths[p] = minimize(lab->scratch, objective, (Method)p);
            int steps = paths[p].count - 1;
            double value = paths[p].value[steps];
            table_row(&table, "%s|%d|%.1e|%s", method_names[p], steps, value,
                      paths[p].converged ? "yes" : "no");
            metrics_write(lab->run->metrics, o + 1,
                          METRICS({"method", p}, {"steps", steps}, {"objective", value}));
        }
        run_table(lab->run, &table);
        draw_paths(lab, objective, paths);
        plot_values(lab, objective, paths);
        arena_reset(lab->scratch);
    }
    return true;
}

// ---- with a constraint ----

typedef struct Market {
    double weight[2], price[2], budget;
} Market;

static double utility(const double *x, int n, const void *context)
{
    const Market *market = context;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += market->weight[i] * log(fmax(x[i], 1e-9));
    return sum;
}

bool part_lagrange(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    Market market = {.weight = {1, 2}, .price = {3, 2}, .budget = 12};
    double best[2], more[2];
    double multiplier = calc_lagrange(best, market.weight, market.price, 2, market.budget);
    calc_lagrange(more, market.weight, market.price, 2, market.budget + 0.01);
    double highest = utility(best, 2, &market), gained = utility(more, 2, &market) - highest;
    run_print(lab->run,
              "Maximize ln x + 2 ln y subject to 3x + 2y = 12: the maximum is at x = %.3f, y = "
              "%.3f.",
              best[0], best[1]);
    run_print(lab->run,
              "A budget larger by 0.01 raises the objective by %.6f; the multiplier predicts %.6f.",
              gained, multiplier / 100);

    double levels[9];
    for (int l = 0; l < 9; l++) levels[l] = highest + 0.4 * (l - 5);
    Canvas *canvas = canvas_new(lab->scratch, (Box){0.1, 5, 0.1, 7});
    canvas_shade(canvas, utility, &market, levels, 9);
    double x[2] = {0, market.budget / market.price[0]}, y[2] = {market.budget / market.price[1], 0};
    canvas_path(canvas, x, y, 2, 2.2, COLOUR_RED);
    canvas_dot(canvas, best[0], best[1], 6, COLOUR_BLACK);
    canvas_note(canvas, COLOUR_RED, "constraint: 3x + 2y = 12");
    canvas_note(canvas, COLOUR_BLACK, "maximum: the constraint is tangent to a contour");
    canvas_show(lab->run, canvas, "ln x + 2 ln y under a constraint", "lagrange");
    return true;
}
