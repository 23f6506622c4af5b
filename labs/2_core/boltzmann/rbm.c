#include "labs/2_core/boltzmann/rbm.h"
#include <math.h>
#include <string.h>
#include "common/error.h"
#include "kernels/kernels.h"

enum { BIAS_ROWS = 2000 };

// ---- data ----

static Tensor *binary_rows(Arena *arena, const Images *images, const int *index, int count)
{
    float *x = arena_alloc(arena, sizeof *x * (size_t)count * PIXELS);
    for (int r = 0; r < count; r++)
        for (int i = 0; i < PIXELS; i++)
            x[r * PIXELS + i] = images->pixels[(size_t)index[r] * PIXELS + (size_t)i] > 127;
    return tensor_from(arena, SHAPE(count, PIXELS), x);
}

int source_width(const Source *source)
{
    return source->depth == 0 ? PIXELS : source->layers[source->depth - 1]->hidden;
}

Tensor *source_rows(Arena *arena, const Source *source, const int *index, int count)
{
    Tensor *x = (source->binary ? binary_rows : images_batch)(arena, source->images, index, count);
    if (source->depth == 0) return x;
    Tensor *y = tensor_new(arena, SHAPE(count, source_width(source)));
    Host host = host_begin(arena);
    Rbm layers[LAYERS_MAX];
    int widest = 0;
    for (int l = 0; l < source->depth; l++) {
        layers[l] = rbm_on_host(&host, source->layers[l]);
        widest = layers[l].H > widest ? layers[l].H : widest;
    }
    float *work = arena_alloc(arena, 2 * sizeof *work * (size_t)count * (size_t)widest);
    bm_dbn(host_out(&host, tensor_floats(y), tensor_count(y)), layers, source->depth,
           host_in(&host, tensor_floats(x), tensor_count(x)), count, work);
    host_end(&host);
    return y;
}

Tensor *source_first(Arena *arena, const Source *source, int count)
{
    int *index = arena_alloc(arena, sizeof *index * (size_t)count);
    for (int i = 0; i < count; i++) index[i] = i;
    return source_rows(arena, source, index, count);
}

static void make_batch(Batch *batch, const void *data, const int *index)
{
    const Source *source = data;
    batch->x = source_rows(batch->arena, source, index, batch->rows);
    batch->labels = images_labels(batch->arena, source->images, index, batch->rows);
}

Batches source_batches(const Source *source)
{
    return (Batches){.count = source->images->count, .make = make_batch, .data = source};
}

// ---- the model ----

// A unit that is the same in all rows gets the bias of half a row that differs.
static void set_visible_bias(Arena *arena, Tensor *bias, const Images *images)
{
    int rows = images->count < BIAS_ROWS ? images->count : BIAS_ROWS;
    float *b = arena_alloc(arena, sizeof *b * PIXELS);
    for (int i = 0; i < PIXELS; i++) {
        int ones = 0;
        for (int r = 0; r < rows; r++) ones += images->pixels[(size_t)r * PIXELS + (size_t)i] > 127;
        b[i] = logf(((float)ones + 0.5f) / ((float)(rows - ones) + 0.5f));
    }
    tensor_write(bias, b);
}

RbmModel rbm_new(Params *params, const char *name, const Source *source, int hidden, Rng *rng)
{
    Arena *keep = params->arena;
    int visible = source_width(source);
    RbmModel model = {.visible = visible, .hidden = hidden, .k = 1};
    model.w = params_add(params, arena_print(keep, "%s.weight", name), SHAPE(hidden, visible));
    model.b = params_add(params, arena_print(keep, "%s.visible_bias", name), SHAPE(visible));
    model.c = params_add(params, arena_print(keep, "%s.hidden_bias", name), SHAPE(hidden));
    size_t count = tensor_count(model.w);
    float *w = arena_alloc(keep, sizeof *w * count);
    rng_fill_normal(rng, w, count);
    for (size_t i = 0; i < count; i++) w[i] *= 0.01f;
    tensor_write(model.w, w);
    if (source->depth == 0) set_visible_bias(keep, model.b, source->images);
    return model;
}

void rbm_chains(Params *params, const char *name, RbmModel *model, int count, Rng *rng)
{
    params->frozen = true;
    model->chains = params_add(params, arena_print(params->arena, "%s.chains", name),
                               SHAPE(count, model->visible));
    params->frozen = false;
    size_t numbers = tensor_count(model->chains);
    float *v = arena_alloc(params->arena, sizeof *v * numbers);
    rng_fill_uniform(rng, v, numbers);
    for (size_t i = 0; i < numbers; i++) v[i] = v[i] < 0.5f;
    tensor_write(model->chains, v);
}

Rbm rbm_on_host(Host *host, const RbmModel *model)
{
    return (Rbm){.V = model->visible,
                 .H = model->hidden,
                 .w = host_in(host, tensor_floats(model->w), tensor_count(model->w)),
                 .b = host_in(host, tensor_floats(model->b), tensor_count(model->b)),
                 .c = host_in(host, tensor_floats(model->c), tensor_count(model->c))};
}

Draw rbm_draw(Rng *rng)
{
    uint64_t seed = (uint64_t)rng_next(rng) << 32;
    return (Draw){.seed = seed | rng_next(rng)};
}

// ---- the loss ----

typedef struct Gradients {
    Tensor *of[3], *minus;
} Gradients;

static void rbm_backward(const TapeNode *node)
{
    const Gradients *saved = node->saved;
    float *minus = tensor_floats(saved->minus);
    kernels.axpby(minus, node->out[0]->grad, -1.0f, 0.0f, 1);
    for (int i = 0; i < 3; i++) {
        Grad d = tape_grad(node, node->in[i]);
        if (d.at != NULL)
            kernels.axpby_scalar(d.at, tensor_floats(saved->of[i]), minus, d.beta,
                                 tensor_count(node->in[i]));
    }
}

static float *room(Arena *arena, int rows, int columns)
{
    return arena_alloc(arena, sizeof(float) * (size_t)rows * (size_t)columns);
}

Tensor *rbm_loss(Tape *tape, const void *model, const Batch *batch)
{
    const RbmModel *m = model;
    Arena *arena = tape->arena;
    Tensor *params[] = {m->w, m->b, m->c};
    Gradients *saved = arena_zeros(arena, sizeof *saved);
    for (int i = 0; i < 3; i++) saved->of[i] = tensor_new(arena, params[i]->shape);
    saved->minus = tensor_new(arena, SCALAR);
    Draw draw = rbm_draw(batch->rng);

    Host host = host_begin(arena);
    Rbm rbm = rbm_on_host(&host, m);
    int B = batch->rows, P = m->chains != NULL ? m->chains->shape.size[0] : B, most = B > P ? B : P;
    const float *v0 = host_in(&host, tensor_floats(batch->x), tensor_count(batch->x));
    CdWork work = {room(arena, B, rbm.H), room(arena, P, rbm.H), room(arena, most, rbm.H),
                   room(arena, most, rbm.V), room(arena, B, rbm.V)};
    if (!tape->evaluating) {
        float *at[3];
        for (int i = 0; i < 3; i++)
            at[i] = host_out(&host, tensor_floats(saved->of[i]), tensor_count(saved->of[i]));
        RbmGradient gradient = {at[0], at[1], at[2]};
        if (m->chains == NULL) bm_cd(gradient, &rbm, v0, B, m->k, draw, work);
        else
            bm_pcd(gradient, &rbm, v0, B,
                   host_inout(&host, tensor_floats(m->chains), tensor_count(m->chains)), P, m->k,
                   draw, work);
    } else {
        bm_hidden(work.h0, v0, &rbm, B);
    }
    // CD-1 leaves the reconstruction of its one step.
    if (tape->evaluating || m->chains != NULL || m->k > 1) {
        draw.stream = UINT64_MAX;
        bm_sample(work.hs, work.h0, (size_t)B * (size_t)rbm.H, draw);
        bm_visible(work.v, work.hs, &rbm, B);
    }
    float error;
    kernels.squared_error(&error, work.v, v0, (size_t)B * (size_t)rbm.V);
    error /= (float)B;
    host_end(&host);
    return tape_record(tape, tensor_from(arena, SCALAR, &error), rbm_backward, saved,
                       INPUTS(m->w, m->b, m->c));
}
