#include "labs/2_core/rnn/recurrent.h"
#include <math.h>
#include <string.h>
#include "common/error.h"
#include "common/host.h"
#include "kernels/kernels.h"

const char *const cell_names[CELL_KINDS] = {"Elman", "LSTM", "GRU"};

// ---- layers ----

static Tensor *add_uniform(Params *params, const char *name, Shape shape, float most, Rng *rng)
{
    Tensor *x = params_add(params, name, shape);
    size_t n = tensor_count(x);
    const ArenaMark mark = arena_mark(params->arena);
    float *values = arena_alloc(params->arena, n * sizeof *values);
    rng_fill_uniform(rng, values, n);
    for (size_t i = 0; i < n; i++) values[i] = most * (2 * values[i] - 1);
    tensor_write(x, values);
    arena_rewind(params->arena, mark);
    return x;
}

Recurrent recurrent_new(Params *params, const char *name, CellKind kind, int in, int hidden,
                        Rng *rng)
{
    static const int gates[CELL_KINDS] = {1, 4, 3};
    Arena *keep = params->arena;
    const int rows = gates[kind] * hidden;
    const float most = 1 / sqrtf((float)hidden);
    Recurrent layer = {.kind = kind, .in = in, .hidden = hidden};
    layer.w =
        add_uniform(params, arena_print(keep, "%s.weight_ih", name), SHAPE(rows, in), most, rng);
    layer.u = add_uniform(params, arena_print(keep, "%s.weight_hh", name), SHAPE(rows, hidden),
                          most, rng);
    layer.b = add_uniform(params, arena_print(keep, "%s.bias", name), SHAPE(rows), most, rng);
    if (kind == CELL_GRU)
        layer.c =
            add_uniform(params, arena_print(keep, "%s.bias_hn", name), SHAPE(hidden), most, rng);
    if (kind == CELL_LSTM) {    // the forget gate begins open
        float *b = tensor_values(keep, layer.b);
        for (int j = hidden; j < 2 * hidden; j++) b[j] = 1;
        tensor_write(layer.b, b);
    }
    return layer;
}

// ---- ops: your functions on the tape ----

static const float *in(Host *host, const Tensor *x)
{
    return x != NULL ? host_in(host, tensor_floats(x), tensor_count(x)) : NULL;
}

static float *out(Host *host, const Tensor *x)
{
    return x != NULL ? host_out(host, tensor_floats(x), tensor_count(x)) : NULL;
}

// A gradient of x's, to add to; NULL where none is wanted.
static float *grad(Host *host, float *dx, const Tensor *x)
{
    return dx != NULL ? host_inout(host, dx, tensor_count(x)) : NULL;
}

static float *room(Arena *arena, size_t n)
{
    return arena_alloc(arena, n * sizeof(float));
}

typedef struct Saved {
    const Recurrent *layer;
    Tensor *h0, *c0;          // NULL: zeros
    Tensor *h, *c, *gates;    // of the forward; c, gates: NULL in an Elman cell
} Saved;

static Cell cell_on_host(Host *host, const Recurrent *layer)
{
    return (Cell){.I = layer->in,
                  .H = layer->hidden,
                  .w = in(host, layer->w),
                  .u = in(host, layer->u),
                  .b = in(host, layer->b),
                  .c = in(host, layer->c)};
}

static void run_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const Recurrent *layer = saved->layer;
    Arena *arena = node->tape->arena;
    Tensor *x = node->in[0], *y = node->out[0];
    float *dx = tape_grad_sum(node, x), *dw = tape_grad_sum(node, layer->w),
          *du = tape_grad_sum(node, layer->u), *db = tape_grad_sum(node, layer->b),
          *dc = layer->c != NULL ? tape_grad_sum(node, layer->c) : NULL;
    const size_t n = tensor_count(y);
    Host host = host_begin(arena);
    const Cell cell = cell_on_host(&host, layer);
    const Sequence s = {.T = x->shape.size[0],
                        .B = x->shape.size[1],
                        .x = in(&host, x),
                        .h0 = in(&host, saved->h0),
                        .c0 = in(&host, saved->c0),
                        .h = (float *)in(&host, saved->h),
                        .c = (float *)in(&host, saved->c),
                        .gates = (float *)in(&host, saved->gates)};
    const Gradient g = {.h = host_inout(&host, y->grad, n),
                        .c =
                            layer->kind == CELL_LSTM ? arena_zeros(arena, n * sizeof(float)) : NULL,
                        .x = grad(&host, dx, x),
                        .w = grad(&host, dw, layer->w),
                        .u = grad(&host, du, layer->u),
                        .b = grad(&host, db, layer->b),
                        .n = grad(&host, dc, layer->c),
                        .work = room(arena, 4 * n)};
    if (layer->kind == CELL_ELMAN) rn_elman_backward(&g, &cell, &s);
    else if (layer->kind == CELL_LSTM) rn_lstm_backward(&g, &cell, &s);
    else rn_gru_backward(&g, &cell, &s);
    host_end(&host);
}

// What the state holds now: it is overwritten before backward comes.
static Tensor *copy_of(Arena *arena, const Tensor *x)
{
    Tensor *copy = tensor_new(arena, x->shape);
    tensor_copy(copy, x);
    return copy;
}

Tensor *recurrent_run(Tape *tape, const Recurrent *layer, Tensor *x, RecurrentState *state)
{
    REQUIRE(x->shape.dims == 3 && x->shape.size[2] == layer->in, "x is %s; expected [T,B,%d]",
            TENSOR_TEXT(x), layer->in);
    if (layer->fast && layer->kind == CELL_LSTM)
        return op_lstm(tape, x, layer->w, layer->u, layer->b, state);
    if (layer->fast && layer->kind == CELL_GRU)
        return op_gru(tape, x, layer->w, layer->u, layer->b, layer->c, state);
    const int T = x->shape.size[0], B = x->shape.size[1], H = layer->hidden;
    Saved *saved = arena_zeros(tape->arena, sizeof *saved);
    saved->layer = layer;
    saved->h = tensor_new(tape->arena, SHAPE(T, B, H));
    if (layer->kind == CELL_LSTM) saved->c = tensor_new(tape->arena, SHAPE(T, B, H));
    if (layer->kind != CELL_ELMAN) saved->gates = tensor_new(tape->arena, SHAPE(T, B, 4, H));
    if (state != NULL) saved->h0 = copy_of(tape->arena, state->h);
    if (state != NULL && layer->kind == CELL_LSTM) saved->c0 = copy_of(tape->arena, state->c);
    Host host = host_begin(tape->arena);
    const Cell cell = cell_on_host(&host, layer);
    const Sequence s = {.T = T,
                        .B = B,
                        .x = in(&host, x),
                        .h0 = in(&host, saved->h0),
                        .c0 = in(&host, saved->c0),
                        .h = out(&host, saved->h),
                        .c = out(&host, saved->c),
                        .gates = out(&host, saved->gates)};
    if (layer->kind == CELL_ELMAN) rn_elman(&cell, &s);
    else if (layer->kind == CELL_LSTM) rn_lstm(&cell, &s);
    else rn_gru(&cell, &s);
    host_end(&host);
    if (state != NULL) {
        tensor_copy(state->h, tensor_view(tape->arena, tensor_rows(tape->arena, saved->h, T - 1, 1),
                                          SHAPE(B, H)));
        if (saved->c != NULL)
            tensor_copy(state->c,
                        tensor_view(tape->arena, tensor_rows(tape->arena, saved->c, T - 1, 1),
                                    SHAPE(B, H)));
    }
    return layer->c != NULL ? tape_record(tape, saved->h, run_backward, saved,
                                          INPUTS(x, layer->w, layer->u, layer->b, layer->c))
                            : tape_record(tape, saved->h, run_backward, saved,
                                          INPUTS(x, layer->w, layer->u, layer->b));
}

typedef struct SavedEnds {
    const Recurrent *layers;
    const int *length;
} SavedEnds;

// The part of one end, [T,B,H], out of that of both, [T,B,2,H]: states, or gradients. Padding is 0, whatever it holds.
static float *end_of(Arena *arena, const float *both, const int *length, int T, int B, size_t width,
                     int end)
{
    const size_t rows = (size_t)T * (size_t)B;
    float *one = arena_zeros(arena, rows * width * sizeof *one);
    for (size_t r = 0; r < rows; r++)
        if (length == NULL || (int)(r / (size_t)B) < length[r % (size_t)B])
            memcpy(one + r * width, both + (2 * r + (size_t)end) * width, width * sizeof *one);
    return one;
}

// The right end is a run over reversed sequences. At padding both states and gradients are 0 and stay so.
static void bidirectional_backward(const TapeNode *node)
{
    const SavedEnds *saved = node->saved;
    Arena *arena = node->tape->arena;
    Tensor *x = node->in[0], *y = node->out[0];
    const int T = x->shape.size[0], B = x->shape.size[1], I = x->shape.size[2],
              H = saved->layers->hidden;
    const size_t rows = (size_t)T * (size_t)B, width = (size_t)H, inputs = rows * (size_t)I;
    float *dx = tape_grad_sum(node, x), *dw[2], *du[2], *db[2];
    for (int end = 0; end < 2; end++) {
        dw[end] = tape_grad_sum(node, saved->layers[end].w);
        du[end] = tape_grad_sum(node, saved->layers[end].u);
        db[end] = tape_grad_sum(node, saved->layers[end].b);
    }
    Host host = host_begin(arena);
    const float *values = in(&host, x), *states = in(&host, y),
                *arrived = host_in(&host, y->grad, tensor_count(y));
    float *sum = grad(&host, dx, x);
    for (int end = 0; end < 2; end++) {
        const Recurrent *layer = &saved->layers[end];
        const Cell cell = cell_on_host(&host, layer);
        float *h = end_of(arena, states, saved->length, T, B, width, end),
              *dh = end_of(arena, arrived, saved->length, T, B, width, end),
              *reversed = room(arena, inputs), *turned = room(arena, rows * width),
              *dturned = room(arena, rows * width),
              *part = arena_zeros(arena, inputs * sizeof *part);
        if (end == 1) {
            rn_reverse(reversed, values, saved->length, T, B, I);
            rn_reverse(turned, h, saved->length, T, B, H);
            rn_reverse(dturned, dh, saved->length, T, B, H);
            h = turned, dh = dturned;
        }
        rn_elman_backward(&(Gradient){.h = dh,
                                      .x = part,
                                      .w = grad(&host, dw[end], layer->w),
                                      .u = grad(&host, du[end], layer->u),
                                      .b = grad(&host, db[end], layer->b),
                                      .work = room(arena, 4 * rows * width)},
                          &cell,
                          &(Sequence){.T = T, .B = B, .x = end == 0 ? values : reversed, .h = h});
        if (end == 1) {
            rn_reverse(reversed, part, saved->length, T, B, I);
            part = reversed;
        }
        for (size_t i = 0; sum != NULL && i < inputs; i++) sum[i] += part[i];
    }
    host_end(&host);
}

Tensor *bidirectional_run(Tape *tape, const Recurrent layers[2], Tensor *x, const int *length)
{
    REQUIRE(x->shape.dims == 3 && x->shape.size[2] == layers->in, "x is %s; expected [T,B,%d]",
            TENSOR_TEXT(x), layers->in);
    const int T = x->shape.size[0], B = x->shape.size[1], I = layers->in, H = layers->hidden;
    SavedEnds *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (SavedEnds){layers, length};
    Tensor *y = tensor_new(tape->arena, SHAPE(T, B, 2 * H));
    Host host = host_begin(tape->arena);
    const Cell cells[2] = {cell_on_host(&host, &layers[0]), cell_on_host(&host, &layers[1])};
    rn_bidirectional(out(&host, y), in(&host, x), length, cells, T, B,
                     room(tape->arena, (size_t)T * (size_t)B * (size_t)(I + 3 * H)));
    host_end(&host);
    return tape_record(
        tape, y, bidirectional_backward, saved,
        INPUTS(x, layers[0].w, layers[0].u, layers[0].b, layers[1].w, layers[1].u, layers[1].b));
}

typedef struct SavedWeights {
    Tensor *alpha;
    const int *length;
} SavedWeights;

static void attention_backward(const TapeNode *node)
{
    const SavedWeights *saved = node->saved;
    Tensor *q = node->in[0], *e = node->in[1], *y = node->out[0];
    const int *size = saved->alpha->shape.size;    // T, B, S
    float *dq = tape_grad_sum(node, q), *de = tape_grad_sum(node, e);
    Host host = host_begin(node->tape->arena);
    rn_attention_backward(grad(&host, dq, q), grad(&host, de, e),
                          host_in(&host, y->grad, tensor_count(y)), in(&host, saved->alpha),
                          in(&host, q), in(&host, e), saved->length, size[0], size[2], size[1],
                          q->shape.size[2], room(node->tape->arena, tensor_count(saved->alpha)));
    host_end(&host);
}

Tensor *op_look(Tape *tape, Tensor *q, Tensor *e, const int *length, Tensor **alpha)
{
    const int T = q->shape.size[0], B = q->shape.size[1], S = e->shape.size[0];
    REQUIRE(q->shape.dims == 3 && e->shape.dims == 3 && e->shape.size[1] == B &&
                e->shape.size[2] == q->shape.size[2],
            "q is %s and e %s; expected [T,B,H] and [S,B,H]", TENSOR_TEXT(q), TENSOR_TEXT(e));
    SavedWeights *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (SavedWeights){tensor_new(tape->arena, SHAPE(T, B, S)), length};
    Tensor *y = tensor_new(tape->arena, q->shape);
    Host host = host_begin(tape->arena);
    rn_attention(out(&host, y), out(&host, saved->alpha), in(&host, q), in(&host, e), length, T, S,
                 B, q->shape.size[2]);
    host_end(&host);
    if (alpha != NULL) *alpha = saved->alpha;
    return tape_record(tape, y, attention_backward, saved, INPUTS(q, e));
}

static void loss_backward(const TapeNode *node)
{
    const Tensor *dz = node->saved;
    Grad d = tape_grad(node, node->in[0]);
    if (d.at != NULL)
        kernels.axpby_scalar(d.at, tensor_floats(dz), node->out[0]->grad, d.beta, tensor_count(dz));
}

Tensor *op_sequence_loss(Tape *tape, Tensor *logits, Tensor *tokens)
{
    const int *size = logits->shape.size;    // T, B, V
    REQUIRE(logits->shape.dims == 3 && tokens->shape.dims == 2 &&
                tokens->shape.size[0] == size[0] + 1 && tokens->shape.size[1] == size[1],
            "logits are %s and tokens %s; expected [T,B,V] and [T+1,B]", TENSOR_TEXT(logits),
            TENSOR_TEXT(tokens));
    Tensor *dz = tensor_new(tape->arena, logits->shape);
    int32_t *ids = arena_alloc(tape->arena, tensor_count(tokens) * sizeof *ids);
    tensor_read_ints(tokens, ids);
    Host host = host_begin(tape->arena);
    float loss = rn_loss(out(&host, dz), in(&host, logits), ids, size[0], size[1], size[2]);
    host_end(&host);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &loss), loss_backward, dz,
                       INPUTS(logits));
}
