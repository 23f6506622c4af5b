#include "common/norm.h"
#include "common/error.h"
#include "kernels/kernels.h"

static Tensor *added(Params *params, const char *name, const char *part, int channels, float value)
{
    Tensor *x =
        params_add(params, arena_print(params->arena, "%s.%s", name, part), SHAPE(channels));
    kernels.fill(x->data, value, tensor_count(x));
    return x;
}

BatchNorm batch_norm_new(Params *params, const char *name, int channels)
{
    REQUIRE(channels > 0, "layer '%s' of %d channels; expected at least 1", name, channels);
    const bool frozen = params->frozen;
    BatchNorm norm = {.momentum = 0.1f, .eps = 1e-5f};
    norm.weight = added(params, name, "weight", channels, 1.0f);
    norm.bias = added(params, name, "bias", channels, 0.0f);
    params->frozen = true;
    norm.running_mean = added(params, name, "running_mean", channels, 0.0f);
    norm.running_var = added(params, name, "running_var", channels, 1.0f);
    params->frozen = frozen;
    return norm;
}

typedef struct Saved {
    bool evaluating;    // mean and var were given
    NormShape shape;
    float eps;
    const float *mean, *var;    // [C]: by which x was normalised
    float *dgamma, *dshift;     // [C]: room for backward's sums
} Saved;

// With h = (x - mean) / sqrt(var + eps) and y = gamma h + shift: dgamma += sum dy h, dshift += sum dy; and dx
// as in list.h, where mean and var are x's own or given.
static void backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const Tensor *y = node->out[0];
    Tensor *x = node->in[0], *gamma = node->in[1], *shift = node->in[2];
    Grad dx = tape_grad(node, x), dgamma = tape_grad(node, gamma), dshift = tape_grad(node, shift);
    const size_t channels = tensor_count(gamma);
    (saved->evaluating ? kernels.batch_norm_inference_backward : kernels.batch_norm_backward)(
        dx.at, saved->dgamma, saved->dshift, y->grad, x->data, gamma->data, saved->mean, saved->var,
        saved->eps, dx.beta, saved->shape);
    if (dgamma.at) kernels.axpby(dgamma.at, saved->dgamma, 1.0f, dgamma.beta, channels);
    if (dshift.at) kernels.axpby(dshift.at, saved->dshift, 1.0f, dshift.beta, channels);
}

// On the device: no step waits for a number. A part that is computed again has moved them already.
static void update_running(const Tape *tape, const BatchNorm *norm, const float *mean,
                           const float *var, NormShape s)
{
    if (tape->again != NULL) return;
    const float m = norm->momentum, n = (float)norm_count(s);
    const size_t channels = (size_t)s.channels;
    kernels.axpby(norm->running_mean->data, mean, m, 1.0f - m, channels);
    kernels.axpby(norm->running_var->data, var, m * n / (n - 1.0f), 1.0f - m, channels);
}

Tensor *batch_norm_forward(Tape *tape, const BatchNorm *norm, Tensor *x)
{
    const int channels = norm->weight->shape.size[0];
    REQUIRE(x->shape.dims >= 2 && x->shape.size[1] == channels,
            "x is %s; expected [B,%d] or [B,%d,H,W] for %d channels", TENSOR_TEXT(x), channels,
            channels, channels);
    NormShape s = {.batch = x->shape.size[0], .channels = channels, .pixels = 1};
    for (int i = 2; i < x->shape.dims; i++) s.pixels *= x->shape.size[i];
    REQUIRE(
        tape->evaluating || norm_count(s) >= 2,
        "x is %s, %zu value%s a channel; training needs 2 or more for a variance: take a larger "
        "batch, or leave out the last one where it is smaller",
        TENSOR_TEXT(x), norm_count(s), norm_count(s) == 1 ? "" : "s");

    Tensor *y = tensor_new(tape->arena, x->shape);
    float *rows = tensor_floats(tensor_new(tape->arena, SHAPE(4, channels)));
    float *mean = rows, *var = rows + channels;
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Saved){.evaluating = tape->evaluating,
                     .shape = s,
                     .eps = norm->eps,
                     .mean = mean,
                     .var = var,
                     .dgamma = rows + 2 * channels,
                     .dshift = rows + 3 * channels};
    const float *gamma = tensor_floats(norm->weight), *shift = tensor_floats(norm->bias);
    if (tape->evaluating) {
        saved->mean = tensor_floats(norm->running_mean);
        saved->var = tensor_floats(norm->running_var);
        kernels.batch_norm_inference(y->data, tensor_floats(x), gamma, shift, saved->mean,
                                     saved->var, norm->eps, s);
    } else {
        kernels.batch_norm(y->data, mean, var, tensor_floats(x), gamma, shift, norm->eps, s);
        update_running(tape, norm, mean, var, s);
    }
    return tape_record(tape, y, backward, saved, INPUTS(x, norm->weight, norm->bias));
}
