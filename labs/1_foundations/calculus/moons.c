#include "labs/1_foundations/calculus/moons.h"
#include <math.h>
#include "common/host.h"
#include "common/loss.h"
#include "common/ops.h"

enum { HIDDEN = NET_HIDDEN, LAYERS = 3 };
static const int sizes[LAYERS + 1] = {2, HIDDEN, HIDDEN, 1};

Moons moons_draw(Arena *arena, int count, double noise, Rng *rng)
{
    const double pi = 3.14159265358979323846;
    size_t n = (size_t)count;
    Moons moons = {count, arena_alloc(arena, 2 * n * sizeof(double)),
                   arena_alloc(arena, n * sizeof(double))};
    for (int i = 0; i < count; i++) {
        double angle = pi * (double)rng_uniform(rng);
        double x = i % 2 ? 1 - cos(angle) : cos(angle), y = i % 2 ? 0.5 - sin(angle) : sin(angle);
        moons.x[2 * i] = x + noise * (double)rng_normal(rng);
        moons.x[2 * i + 1] = y + noise * (double)rng_normal(rng);
        moons.target[i] = i % 2;
    }
    return moons;
}

void net_init(double *weights, Rng *rng)
{
    for (int l = 0; l < LAYERS; l++) {
        double reach = sqrt(6.0 / (sizes[l] + sizes[l + 1]));
        for (int i = 0; i < sizes[l] * sizes[l + 1]; i++)
            *weights++ = reach * (2 * (double)rng_uniform(rng) - 1);
        for (int o = 0; o < sizes[l + 1]; o++) *weights++ = 0;
    }
}

double net_plain(const double *weights, const double x[2])
{
    double from[HIDDEN] = {x[0], x[1]}, to[HIDDEN] = {0};
    for (int l = 0; l < LAYERS; l++) {
        int in = sizes[l], out = sizes[l + 1];
        const double *bias = weights + in * out;
        for (int o = 0; o < out; o++) {
            double sum = bias[o];
            for (int i = 0; i < in; i++) sum += weights[o * in + i] * from[i];
            to[o] = l + 1 < LAYERS ? tanh(sum) : sum;
        }
        for (int o = 0; o < out; o++) from[o] = to[o];
        weights = bias + out;
    }
    return from[0];
}

// ---- of single numbers ----

Value **values_new(Arena *arena, const double *x, int n)
{
    Value **values = arena_alloc(arena, sizeof *values * (size_t)n);
    for (int i = 0; i < n; i++) values[i] = value_input(arena, x[i]);
    return values;
}

// bias + sum_i w[i] x[i]
static Value *unit(Arena *arena, Value *const *w, Value *bias, Value *const *x, int n)
{
    Value *terms[HIDDEN + 1];
    for (int i = 0; i < n; i++) terms[i] = value_of(arena, OP_MUL, w[i], x[i]);
    terms[n] = bias;
    return value_sum(arena, terms, n + 1);
}

Value *net_score(Arena *arena, Value *const *weights, double x0, double x1)
{
    Value *from[HIDDEN] = {value_input(arena, x0), value_input(arena, x1)}, *to[HIDDEN];
    for (int l = 0; l < LAYERS; l++) {
        int in = sizes[l], out = sizes[l + 1];
        Value *const *bias = weights + in * out;
        for (int o = 0; o < out; o++) {
            Value *sum = unit(arena, weights + o * in, bias[o], from, in);
            to[o] = l + 1 < LAYERS ? value_of(arena, OP_TANH, sum, NULL) : sum;
        }
        for (int o = 0; o < out; o++) from[o] = to[o];
        weights = bias + out;
    }
    return from[0];
}

Value *net_loss(Arena *arena, Value *const *weights, const Moons *moons, const int *chosen, int n)
{
    Value **terms = arena_alloc(arena, sizeof *terms * (size_t)n), *one = value_input(arena, 1);
    for (int i = 0; i < n; i++) {
        const double *x = moons->x + 2 * chosen[i];
        Value *score = net_score(arena, weights, x[0], x[1]);
        Value *target = value_input(arena, moons->target[chosen[i]]);
        Value *grown = value_of(arena, OP_ADD, one, value_of(arena, OP_EXP, score, NULL));
        terms[i] = value_of(arena, OP_SUB, value_of(arena, OP_LOG, grown, NULL),
                            value_of(arena, OP_MUL, target, score));
    }
    return value_of(arena, OP_DIV, value_sum(arena, terms, n), value_input(arena, n));
}

// ---- of tensors ----

static Tensor *floats_of(Arena *arena, Shape shape, const double *values)
{
    size_t n = shape_count(shape);
    float *floats = arena_alloc(arena, n * sizeof *floats);
    for (size_t i = 0; i < n; i++) floats[i] = (float)values[i];
    return tensor_from(arena, shape, floats);
}

static Tensor *weight_of(Arena *arena, Shape shape, const double *values)
{
    Tensor *tensor = floats_of(arena, shape, values);
    tensor_want_grad(arena, tensor);
    return tensor;
}

double net_loss_tensors(Arena *keep, Arena *step, const double *weights, const Moons *moons,
                        const int *chosen, int n, double *gradient)
{
    Tape *tape = tape_new(step);
    double *x = arena_alloc(keep, 2 * (size_t)n * sizeof *x),
           *target = arena_alloc(keep, (size_t)n * sizeof *target);
    for (int i = 0; i < n; i++) {
        x[2 * i] = moons->x[2 * chosen[i]];
        x[2 * i + 1] = moons->x[2 * chosen[i] + 1];
        target[i] = moons->target[chosen[i]];
    }
    Tensor *parts[2 * LAYERS], *h = floats_of(keep, SHAPE(n, 2), x);
    for (int l = 0; l < LAYERS; l++) {
        int in = sizes[l], out = sizes[l + 1];
        parts[2 * l] = weight_of(keep, SHAPE(out, in), weights);
        parts[2 * l + 1] = weight_of(keep, SHAPE(out), weights + in * out);
        h = op_linear(tape, h, parts[2 * l], parts[2 * l + 1]);
        if (l + 1 < LAYERS) h = op_tanh(tape, h);
        weights += (in + 1) * out;
    }
    Tensor *loss = loss_bce_logits(tape, h, floats_of(keep, SHAPE(n, 1), target));
    tape_backward(tape, loss);
    for (int p = 0; p < 2 * LAYERS; p++) {
        size_t count = tensor_count(parts[p]);
        Host host = host_begin(step);
        const float *grad = host_in(&host, parts[p]->grad, count);
        for (size_t i = 0; i < count; i++) *gradient++ = (double)grad[i];
        host_end(&host);
    }
    return (double)tensor_item(loss);
}
