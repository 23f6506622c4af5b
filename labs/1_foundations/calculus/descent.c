#include "labs/1_foundations/calculus/descent.h"
#include <math.h>
#include <stdio.h>
#include "labs/1_foundations/calculus/canvas.h"
#include "labs/1_foundations/calculus/engine.h"

enum { STEPS_MAX = 50000, WAYS = 4, CURVE = 400 };

// ---- the ground ----

// Its height three times: as a plain number for the picture, as a graph for your engine to
// differentiate, and its second derivatives by hand for Newton.
typedef struct Ground {
    const char *name, *title, *picture, *curves;
    Field *height;
    Value *(*graph)(Arena *arena, Value *x, Value *y);
    void (*hessian)(double H[3], const double at[2]);
    Box box;
    double start[2], goal[2];
    double plain_rate, rate, mu, adam_rate;    // plain: without momentum
} Ground;

static double bowl_height(const double *x, int n, const void *context)
{
    (void)n, (void)context;
    return (x[0] * x[0] + 50 * x[1] * x[1]) / 2;
}

static Value *bowl_graph(Arena *arena, Value *x, Value *y)
{
    Value *half = value_input(arena, 0.5), *steep = value_input(arena, 25);
    return value_of(arena, OP_ADD, value_of(arena, OP_MUL, half, value_of(arena, OP_MUL, x, x)),
                    value_of(arena, OP_MUL, steep, value_of(arena, OP_MUL, y, y)));
}

static void bowl_hessian(double H[3], const double at[2])
{
    (void)at;
    H[0] = 1, H[1] = 0, H[2] = 50;
}

// Rosenbrock 1960: (1 - x)^2 + 100 (y - x^2)^2.
static double valley_height(const double *x, int n, const void *context)
{
    (void)n, (void)context;
    double flat = 1 - x[0], steep = x[1] - x[0] * x[0];
    return flat * flat + 100 * steep * steep;
}

static Value *valley_graph(Arena *arena, Value *x, Value *y)
{
    Value *flat = value_of(arena, OP_SUB, value_input(arena, 1), x);
    Value *steep = value_of(arena, OP_SUB, y, value_of(arena, OP_MUL, x, x));
    return value_of(
        arena, OP_ADD, value_of(arena, OP_MUL, flat, flat),
        value_of(arena, OP_MUL, value_input(arena, 100), value_of(arena, OP_MUL, steep, steep)));
}

static void valley_hessian(double H[3], const double at[2])
{
    H[0] = 2 - 400 * (at[1] - 3 * at[0] * at[0]);
    H[1] = -400 * at[0];
    H[2] = 200;
}

// 2 / (1 + 50) is the best rate that gradient descent has for these curvatures; the valley's rates
// are as large as its steepest walls allow, within a factor of two.
static const Ground grounds[] = {
    {.name = "bowl",
     .title = "A long bowl, 50 times as steep up as across",
     .picture = "bowl.png",
     .curves = "bowl_heights",
     .height = bowl_height,
     .graph = bowl_graph,
     .hessian = bowl_hessian,
     .box = {-2.2, 1.0, -1.2, 1.2},
     .start = {-2, 1},
     .goal = {0, 0},
     .plain_rate = 2.0 / 51,
     .rate = 0.02,
     .mu = 0.8,
     .adam_rate = 0.1},
    {.name = "valley",
     .title = "Rosenbrock's valley",
     .picture = "valley.png",
     .curves = "valley_heights",
     .height = valley_height,
     .graph = valley_graph,
     .hessian = valley_hessian,
     .box = {-1.7, 1.5, -0.7, 1.7},
     .start = {-1.2, 1},
     .goal = {1, 1},
     .plain_rate = 1e-3,
     .rate = 1e-3,
     .mu = 0.9,
     .adam_rate = 0.02},
};

// ---- the ways ----

typedef enum Way { PLAIN, MOMENTUM, ADAM, NEWTON } Way;
static const char *const way_names[WAYS] = {"gradient descent", "momentum", "Adam", "Newton"};

typedef struct Walk {
    double *x, *y, *height;
    int count;       // places, the start among them
    bool arrived;    // where the ground is level
} Walk;

static void walk_note(Walk *walk, const Ground *ground, const double at[2])
{
    walk->x[walk->count] = at[0];
    walk->y[walk->count] = at[1];
    walk->height[walk->count++] = ground->height(at, 2, NULL);
}

static Walk walk_down(Arena *keep, const Ground *ground, Way way)
{
    size_t room = (STEPS_MAX + 1) * sizeof(double);
    Walk walk = {arena_alloc(keep, room), arena_alloc(keep, room), arena_alloc(keep, room), 0,
                 false};
    Engine *engine = engine_new(keep);
    Arena *nodes = arena_new("nodes", 1 << 20);
    double at[2] = {ground->start[0], ground->start[1]}, v[2] = {0}, m[2] = {0}, H[3];
    walk_note(&walk, ground, at);
    for (int step = 1; step <= STEPS_MAX; step++) {
        Value *x = value_input(nodes, at[0]), *y = value_input(nodes, at[1]);
        engine_gradient(engine, ground->graph(nodes, x, y));
        const double g[2] = {x->grad, y->grad};
        arena_reset(nodes);
        walk.arrived = hypot(g[0], g[1]) < 1e-6;
        if (walk.arrived || !isfinite(g[0] + g[1])) break;
        if (way == PLAIN) calc_descend(at, v, g, 2, ground->plain_rate, 0);
        if (way == MOMENTUM) calc_descend(at, v, g, 2, ground->rate, ground->mu);
        if (way == ADAM) calc_adam(at, m, v, g, 2, step, ground->adam_rate);
        if (way == NEWTON) {
            ground->hessian(H, at);
            if (!calc_newton(at, g, H)) break;
        }
        walk_note(&walk, ground, at);
    }
    arena_free(nodes);
    return walk;
}

static const char *how_far(Arena *step, const Walk *walk)
{
    return arena_print(step, "%6d step%s%s", walk->count - 1, walk->count == 2 ? "" : "s",
                       walk->arrived ? "" : ", not there yet");
}

static void draw_walks(const Run *run, Arena *step, const Ground *ground, const Walk walks[])
{
    static const Colour colours[WAYS] = {COLOUR_BLUE, COLOUR_RED, COLOUR_GREEN, COLOUR_BLACK};
    enum { LEVELS = 14 };
    double levels[LEVELS];
    for (int l = 0; l < LEVELS; l++) levels[l] = 0.03 * pow(2, l);
    Canvas *canvas = canvas_new(step, ground->box);
    canvas_shade(canvas, ground->height, NULL, levels, LEVELS);
    for (int w = 0; w < WAYS; w++)    // the first is broad: what covers it leaves its rims
        canvas_path(canvas, walks[w].x, walks[w].y, walks[w].count, w == PLAIN ? 4 : 2, colours[w]);
    for (int w = 0; w < WAYS; w++) {
        for (int i = 0; i < walks[w].count && i < 60; i++)    // later ones would be a smear
            canvas_dot(canvas, walks[w].x[i], walks[w].y[i], w == NEWTON ? 4 : 2.5, colours[w]);
        canvas_note(canvas, colours[w],
                    arena_print(step, "%-17s %s", way_names[w], how_far(step, &walks[w])));
    }
    canvas_dot(canvas, ground->start[0], ground->start[1], 6, COLOUR_PURPLE);
    canvas_dot(canvas, ground->goal[0], ground->goal[1], 6, COLOUR_PURPLE);
    canvas_note(canvas, COLOUR_PURPLE, "start, and lowest place");
    canvas_show(run, canvas, ground->title, ground->picture);
}

// At most CURVE places of each walk, close together at first, since the steps go on a log scale.
static void draw_heights(Run *run, Arena *step, const Ground *ground, const Walk walks[])
{
    Plot plot = {.title = arena_print(step, "Height above the lowest place: the %s", ground->name),
                 .x_label = "step",
                 .y_label = "height",
                 .log_x = true,
                 .log_y = true};
    for (int w = 0; w < WAYS; w++) {
        float *x = arena_alloc(step, sizeof *x * CURVE), *y = arena_alloc(step, sizeof *y * CURVE);
        int count = 0;
        for (double at = 1; at < walks[w].count && count < CURVE; at = fmax(at + 1, at * 1.03)) {
            double height = walks[w].height[(int)at];
            x[count] = (float)(int)at;
            y[count++] = (float)fmax(height, 1e-16);
        }
        plot_series(&plot, way_names[w], x, y, (size_t)count);
    }
    run_plot(run, &plot, ground->curves);
}

void descent_paths(Run *run, Arena *step)
{
    for (int g = 0; g < 2; g++) {
        const Ground *ground = &grounds[g];
        Walk walks[WAYS];
        printf("\nDownhill: %s\n", ground->title);
        for (int w = 0; w < WAYS; w++) {
            walks[w] = walk_down(step, ground, (Way)w);
            int end = walks[w].count - 1;
            printf("  %-17s %s, to a height of %.1e\n", way_names[w], how_far(step, &walks[w]),
                   walks[w].height[end]);
            metrics_write(run->metrics, g + 1,
                          METRICS({"way", w}, {"steps", end}, {"height", walks[w].height[end]}));
        }
        draw_walks(run, step, ground, walks);
        draw_heights(run, step, ground, walks);
        arena_reset(step);
    }
}

// ---- the budget ----

typedef struct Market {
    double weight[2], price[2], budget;
} Market;

static double pleasure(const double *x, int n, const void *context)
{
    const Market *market = context;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += market->weight[i] * log(fmax(x[i], 1e-9));
    return sum;
}

void descent_budget(Run *run, Arena *step)
{
    Market market = {.weight = {1, 2}, .price = {3, 2}, .budget = 12};
    double best[2], more[2];
    double multiplier = calc_lagrange(best, market.weight, market.price, 2, market.budget);
    calc_lagrange(more, market.weight, market.price, 2, market.budget + 0.01);
    double highest = pleasure(best, 2, &market), gained = pleasure(more, 2, &market) - highest;
    printf("\nBudget: 12, at prices 3 and 2; ln x + 2 ln y is largest at x = %.3f, y = %.3f\n",
           best[0], best[1]);
    printf("  one cent more brings %.6f, the multiplier says %.6f\n", gained, multiplier / 100);

    double levels[9];
    for (int l = 0; l < 9; l++) levels[l] = highest + 0.4 * (l - 5);
    Canvas *canvas = canvas_new(step, (Box){0.1, 5, 0.1, 7});
    canvas_shade(canvas, pleasure, &market, levels, 9);
    double x[2] = {0, market.budget / market.price[0]}, y[2] = {market.budget / market.price[1], 0};
    canvas_path(canvas, x, y, 2, 2.2, COLOUR_RED);
    canvas_dot(canvas, best[0], best[1], 6, COLOUR_BLACK);
    canvas_note(canvas, COLOUR_RED, "what 12 can buy: 3x + 2y = 12");
    canvas_note(canvas, COLOUR_BLACK, "the best of it: here the line only touches a contour");
    canvas_show(run, canvas, "ln x + 2 ln y, and a budget", "budget.png");
    arena_reset(step);
}
