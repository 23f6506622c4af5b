#include "labs/2_core/rnn/model.h"
#include "common/embedding.h"

Model model_new(Params *params, const char *name, ModelShape shape, Rng *rng)
{
    Arena *keep = params->arena;
    Model model = {.shape = shape};
    model.embedding = params_add(params, arena_print(keep, "%sembedding.weight", name),
                                 SHAPE(shape.vocabulary, shape.width));
    float *e = arena_alloc(keep, tensor_bytes(model.embedding));
    rng_fill_normal(rng, e, tensor_count(model.embedding));
    tensor_write(model.embedding, e);
    for (int l = 0; l < shape.layers; l++) {
        model.layers[l] = recurrent_new(params, arena_print(keep, "%srnn.%d", name, l), shape.kind,
                                        l == 0 ? shape.width : shape.hidden, shape.hidden, rng);
        model.layers[l].fast = shape.fast;
    }
    model.out = linear_new(params, arena_print(keep, "%sout", name), shape.hidden, shape.vocabulary,
                           init_glorot, rng);
    return model;
}

static Draw draw_of(Rng *rng, uint64_t layer)
{
    uint64_t seed = (uint64_t)rng_next(rng) << 32;
    return (Draw){.seed = seed | rng_next(rng), .stream = layer};
}

Tensor *model_logits(Tape *tape, const Model *model, Tensor *tokens, RecurrentState *states,
                     Rng *rng)
{
    const ModelShape *shape = &model->shape;
    Tensor *h = op_embedding(tape, tokens, model->embedding);
    for (int l = 0; l < shape->layers; l++) {
        h = recurrent_run(tape, &model->layers[l], h, states != NULL ? &states[l] : NULL);
        if (shape->dropout > 0) h = op_dropout(tape, h, shape->dropout, draw_of(rng, (uint64_t)l));
    }
    return linear_forward(tape, &model->out, h);
}

int model_sample(const Model *model, int32_t *ids, int count, int32_t first, int32_t stop,
                 float temperature, Rng *rng)
{
    Arena *arena = arena_new("sample", (size_t)1 << 30), *states_of = arena_new("states", 1u << 26);
    Tape *tape = tape_new(arena);
    tape_quiet(tape, true);
    RecurrentState states[LAYERS_MAX];
    for (int l = 0; l < model->shape.layers; l++)
        states[l] = (RecurrentState){tensor_zeros(states_of, SHAPE(1, model->shape.hidden)),
                                     tensor_zeros(states_of, SHAPE(1, model->shape.hidden))};
    int drawn = 0;
    for (int32_t id = first; drawn < count; tape_reset(tape)) {
        const float *z = tensor_values(
            arena,
            model_logits(tape, model, tensor_from_ints(arena, SHAPE(1, 1), &id), states, rng));
        id = rn_sample(z, model->shape.vocabulary, temperature, rng_uniform(rng));
        if (id < 0 || id == stop) break;
        ids[drawn++] = id;
    }
    arena_free(states_of);
    arena_free(arena);
    return drawn;
}
