#include "common/layers.h"
#include "common/error.h"
#include <math.h>
#include <stdlib.h>

// Draws on the host and writes once, so that the same seed gives the same weights on any device.
static void fill_weight(Tensor *weight, void (*draw)(Rng *rng, float *x, size_t n), float scale,
                        float shift, Rng *rng)
{
    size_t n = tensor_count(weight);
    float *values = malloc((n ? n : 1) * sizeof *values);
    REQUIRE(values != NULL, "no memory for the %zu values of %s", n, TENSOR_TEXT(weight));
    draw(rng, values, n);
    for (size_t i = 0; i < n; i++) values[i] = scale * values[i] + shift;
    tensor_write(weight, values);
    free(values);
}

void init_glorot(Tensor *weight, int fan_in, int fan_out, Rng *rng)
{
    float limit = (float)sqrt(6.0 / (fan_in + fan_out));
    fill_weight(weight, rng_fill_uniform, 2.0f * limit, -limit, rng);
}

void init_he(Tensor *weight, int fan_in, int fan_out, Rng *rng)
{
    (void)fan_out;
    fill_weight(weight, rng_fill_normal, (float)sqrt(2.0 / fan_in), 0.0f, rng);
}

Linear linear_new(Params *params, const char *name, int in, int out, Init *init, Rng *rng)
{
    REQUIRE(in > 0 && out > 0, "layer '%s' from %d to %d units; expected at least 1", name, in,
            out);
    Linear layer = {
        .weight = params_add(params, arena_print(params->arena, "%s.weight", name), SHAPE(out, in)),
        .bias = params_add(params, arena_print(params->arena, "%s.bias", name), SHAPE(out)),
    };
    init(layer.weight, in, out, rng);
    return layer;
}

Tensor *linear_forward(Tape *tape, const Linear *layer, Tensor *x)
{
    return op_linear(tape, x, layer->weight, layer->bias);
}
