/* bench.c -- what the exercises cost at the sizes of the story: a batch of the moons, an integral.
 *
 *     ./lab bench calculus --mine
 *
 * They work in double and on graphs, which the harness does not know: each call prepares its own
 * numbers, a small part of its time, and leaves what it found in a row of floats to be compared.
 */
#include <math.h>
#include "bench/exercises.h"
#include "labs/1_foundations/calculus/calculus.h"
#include "labs/1_foundations/calculus/moons.h"

enum { BATCH = 32, NODES_MAX = 1 << 15, TIMES = 1000, DEGREE = 30, GOODS = 100, COORDINATES = 64 };

// The graph of a batch's loss; as it is made at the start of the program, all calls see the same.
static struct {
    Value **order, **room;    // operands first; where an exercise may write another order
    Value *loss;
    int count;
} graph;

static void place(Value *node)
{
    if (node == NULL || node->seen) return;
    node->seen = true;
    place(node->a);
    place(node->b);
    graph.order[graph.count++] = node;
}

static void graph_make(void)
{
    Arena *arena = arena_new("graph", 16u << 20);
    Rng rng = rng_from_seed(1);
    Moons moons = moons_draw(arena, BATCH, 0.15, &rng);
    double weights[NET_WEIGHTS];
    int chosen[BATCH];
    net_init(weights, &rng);
    for (int i = 0; i < BATCH; i++) chosen[i] = i;
    graph.order = arena_alloc(arena, NODES_MAX * sizeof *graph.order);
    graph.room = arena_alloc(arena, NODES_MAX * sizeof *graph.room);
    graph.loss = net_loss(arena, values_new(arena, weights, NET_WEIGHTS), &moons, chosen, BATCH);
    place(graph.loss);
}

static double sine(double x, const void *context)
{
    (void)context;
    return sin(x);
}

static double root(double x, const void *context)
{
    (void)context;
    return sqrt(x);
}

static double squares(const double *x, int n, const void *context)
{
    (void)context;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

// Some numbers between 1 and 2, the same every time.
static void numbers(double *x, int n)
{
    for (int i = 0; i < n; i++) x[i] = 1 + (i * 37 % 101) / 101.0;
}

static void difference(Solution *solution, float *const *a)
{
    double sum = 0;
    for (int i = 0; i < TIMES; i++)
        sum += AS(calc_difference, solution)(sine, NULL, i * 1e-3, 1e-5);
    a[0][0] = (float)sum;
}

static void best_step(Solution *solution, float *const *a)
{
    double sum = 0;
    for (int i = 1; i <= TIMES; i++) sum += AS(calc_best_step, solution)(i * 1e-16, 1);
    a[0][0] = (float)(1e5 * sum);
}

static void dual(Solution *solution, float *const *a)
{
    Value **order = graph.order;
    order[0]->tangent = 1;
    for (int i = 1; i < graph.count; i++) {
        const Value *u = order[i]->a, *v = order[i]->b;
        Dual left = u ? (Dual){u->data, u->tangent} : (Dual){order[i]->data, 0};
        Dual right = v ? (Dual){v->data, v->tangent} : (Dual){0, 0};
        order[i]->tangent = AS(calc_dual, solution)(order[i]->op, left, right).derivative;
    }
    a[0][0] = (float)graph.loss->tangent;
}

// What the first node gets: an input, at the end of all ways back.
static void push(Solution *solution, float *const *a)
{
    for (int i = 0; i < graph.count; i++) graph.order[i]->grad = 0;
    graph.loss->grad = 1;
    for (int i = graph.count - 1; i >= 0; i--) AS(calc_push, solution)(graph.order[i]);
    a[0][0] = (float)graph.order[0]->grad;
}

static void order(Solution *solution, float *const *a)
{
    for (int i = 0; i < graph.count; i++) graph.order[i]->seen = false;
    a[0][0] = (float)AS(calc_order, solution)(graph.room, 0, graph.loss);
}

static void push_one(Value *node)
{
    if (node->a != NULL) node->a->grad += node->grad;
}

static void backward(Solution *solution, float *const *a)
{
    AS(calc_backward, solution)(graph.order, graph.count, push_one);
    a[0][0] = (float)graph.order[0]->grad;
}

static void gradient_check(Solution *solution, float *const *a)
{
    double x[COORDINATES], gradient[COORDINATES];
    numbers(x, COORDINATES);
    for (int i = 0; i < COORDINATES; i++) gradient[i] = 2.5 * x[i];
    a[0][0] =
        (float)AS(calc_gradient_check, solution)(squares, NULL, x, gradient, COORDINATES, 1e-5);
}

static void descend(Solution *solution, float *const *a)
{
    double x[NET_WEIGHTS], v[NET_WEIGHTS], g[NET_WEIGHTS];
    numbers(x, NET_WEIGHTS), numbers(v, NET_WEIGHTS), numbers(g, NET_WEIGHTS);
    AS(calc_descend, solution)(x, v, g, NET_WEIGHTS, 0.01, 0.9);
    for (int i = 0; i < NET_WEIGHTS; i++) a[0][i] = (float)x[i];
}

static void adam(Solution *solution, float *const *a)
{
    double x[NET_WEIGHTS], m[NET_WEIGHTS], v[NET_WEIGHTS], g[NET_WEIGHTS];
    numbers(x, NET_WEIGHTS), numbers(m, NET_WEIGHTS), numbers(v, NET_WEIGHTS);
    numbers(g, NET_WEIGHTS);
    AS(calc_adam, solution)(x, m, v, g, NET_WEIGHTS, 10, 0.01);
    for (int i = 0; i < NET_WEIGHTS; i++) a[0][i] = (float)x[i];
}

static void newton(Solution *solution, float *const *a)
{
    double x[2] = {0, 0};
    for (int i = 0; i < TIMES; i++)
        AS(calc_newton, solution)(x, (const double[]){1, i * 1e-3}, (const double[]){3, 1, 2});
    a[0][0] = (float)x[0];
    a[0][1] = (float)x[1];
}

static void taylor(Solution *solution, float *const *a)
{
    double derivative[DEGREE + 1], sum = 0;
    numbers(derivative, DEGREE + 1);
    for (int i = 0; i < TIMES; i++) sum += AS(calc_taylor, solution)(derivative, DEGREE, i * 1e-3);
    a[0][0] = (float)sum;
}

static void simpson(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(calc_simpson, solution)(sine, NULL, 0, 3, TIMES);
}

static void adaptive(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(calc_adaptive, solution)(root, NULL, 0, 1, 1e-10, 40);
}

static void lagrange(Solution *solution, float *const *a)
{
    double x[GOODS], weight[GOODS], price[GOODS];
    numbers(weight, GOODS), numbers(price, GOODS);
    AS(calc_lagrange, solution)(x, weight, price, GOODS, 12);
    for (int i = 0; i < GOODS; i++) a[0][i] = (float)x[i];
}

#define FOUND(n) .arrays = {WRITES(n)}

static const Workload workloads[] = {
    {"difference", "calc_difference", "1000 sines", difference, FOUND(1)},
    {"best_step", "calc_best_step", "1000 step sizes", best_step, FOUND(1)},
    {"dual", "calc_dual", "12783 nodes", dual, FOUND(1)},
    {"push", "calc_push", "12783 nodes", push, FOUND(1)},
    {"order", "calc_order", "12783 nodes", order, FOUND(1)},
    {"backward", "calc_backward", "12783 nodes", backward, FOUND(1)},
    {"gradient_check", "calc_gradient_check", "64 coordinates", gradient_check, FOUND(1)},
    {"descend", "calc_descend", "205 weights", descend, FOUND(NET_WEIGHTS)},
    {"adam", "calc_adam", "205 weights", adam, FOUND(NET_WEIGHTS)},
    {"newton", "calc_newton", "1000 steps", newton, FOUND(2)},
    {"taylor", "calc_taylor", "1000 of deg. 30", taylor, FOUND(1)},
    {"simpson", "calc_simpson", "1000 intervals", simpson, FOUND(1)},
    {"adaptive", "calc_adaptive", "sqrt, 1e-10", adaptive, FOUND(1)},
    {"lagrange", "calc_lagrange", "100 goods", lagrange, FOUND(GOODS)},
    {0},
};

int main(int argc, char **argv)
{
    graph_make();
    return exercises_main("calculus", workloads, argc, argv);
}
