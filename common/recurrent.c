#include "common/recurrent.h"
#include "common/error.h"
#include "kernels/kernels.h"

// What backward needs, and the sizes.
typedef struct Saved {
    int T, B, I, H;
    Tensor *h0, *c0;      // NULL: zeros
    Tensor *c, *gates;    // [T,B,H] of an LSTM; [T,B,4H]
} Saved;

// What a state holds now: it is overwritten before backward comes.
static Tensor *copy_of(Arena *arena, const Tensor *x)
{
    Tensor *copy = tensor_new(arena, x->shape);
    tensor_copy(copy, x);
    return copy;
}

static Saved *prepare(Tape *tape, const Tensor *x, const Tensor *w, const Tensor *u, int blocks,
                      const RecurrentState *state)
{
    REQUIRE(x->shape.dims == 3 && w->shape.dims == 2 && u->shape.dims == 2 &&
                w->shape.size[1] == x->shape.size[2] && w->shape.size[0] == u->shape.size[0] &&
                u->shape.size[0] == blocks * u->shape.size[1],
            "x is %s, w %s and u %s; expected [T,B,I], [%dH,I] and [%dH,H]", TENSOR_TEXT(x),
            TENSOR_TEXT(w), TENSOR_TEXT(u), blocks, blocks);
    Saved *s = arena_zeros(tape->arena, sizeof *s);
    *s = (Saved){
        .T = x->shape.size[0], .B = x->shape.size[1], .I = x->shape.size[2], .H = u->shape.size[1]};
    s->gates = tensor_new(tape->arena, SHAPE(s->T, s->B, 4 * s->H));
    if (state != NULL) s->h0 = copy_of(tape->arena, state->h);
    return s;
}

// The last step's rows of x [T,B,H] become what the next run begins with.
static void keep_last(Tape *tape, Tensor *state, Tensor *x, const Saved *s)
{
    Tensor *last = tensor_rows(tape->arena, x, s->T - 1, 1);
    tensor_copy(state, tensor_view(tape->arena, last, SHAPE(s->B, s->H)));
}

// Of u's rows first .. first + rows - 1, the transpose as an operand. In each step the product would read u down
// its columns; with more steps than a few it pays to transpose u once. Rows that are a multiple of 4 KiB
// apart would share one set of the cache: they get 16 floats more.
static Mat transpose_of(Tape *tape, const Tensor *u, int first, int rows, const Saved *s)
{
    enum { FEW = 8 };
    const size_t cols = (size_t)s->H, apart = (size_t)rows + 16;
    const float *from = tensor_floats(u) + (size_t)first * cols;
    if (s->T < FEW || s->B < FEW) return (Mat){from, 1, cols, 0};
    float *to = tensor_floats(tensor_new(tape->arena, SHAPE(s->H, (int)apart)));
    kernels.transpose(to, apart, from, rows, s->H);
    return (Mat){to, apart, 1, 0};
}

static Mat rows_of(const float *x, size_t row)
{
    return (Mat){x, row, 1, 0};
}

static Mat columns_of(const float *x, size_t row)
{
    return (Mat){x, 1, row, 0};
}

// ---- LSTM ----

static void lstm_backward(const TapeNode *node)
{
    const Saved *s = node->saved;
    Tensor *x = node->in[0], *w = node->in[1], *u = node->in[2], *b = node->in[3],
           *y = node->out[0];
    const int T = s->T, B = s->B, H = s->H, rows = T * B, width = 4 * H;
    const size_t step = (size_t)B * (size_t)H;
    Arena *arena = node->tape->arena;
    float *da = tensor_floats(tensor_new(arena, s->gates->shape)),
          *dc = tensor_floats(tensor_new(arena, SHAPE(B, H)));
    const float *h = tensor_floats(y), *c = tensor_floats(s->c), *gates = tensor_floats(s->gates);
    kernels.fill(dc, 0.0f, step);
    for (int t = T - 1; t >= 0; t--) {
        const size_t at = (size_t)t * step;
        const float *before = t > 0 ? c + at - step : s->c0 != NULL ? tensor_floats(s->c0) : NULL;
        kernels.lstm_gates_backward(da + 4 * at, dc, y->grad + at, gates + 4 * at, c + at, before,
                                    B, H);
        if (t > 0) matmul(y->grad + at - step, da + 4 * at, tensor_floats(u), B, H, width, 1.0f);
    }
    Grad dx = tape_grad(node, x), dw = tape_grad(node, w), du = tape_grad(node, u),
         db = tape_grad(node, b);
    if (dx.at != NULL) matmul(dx.at, da, tensor_floats(w), rows, s->I, width, dx.beta);
    if (dw.at != NULL) matmul_tn(dw.at, da, tensor_floats(x), width, s->I, rows, dw.beta);
    if (db.at != NULL) kernels.sum_rows(db.at, da, rows, width, db.beta);
    if (du.at == NULL) return;
    matmul_tn(du.at, da + 4 * step, h, width, H, rows - B, du.beta);
    if (s->h0 != NULL) matmul_tn(du.at, da, tensor_floats(s->h0), width, H, B, 1.0f);
}

Tensor *op_lstm(Tape *tape, Tensor *x, Tensor *w, Tensor *u, Tensor *b, RecurrentState *state)
{
    Saved *s = prepare(tape, x, w, u, 4, state);
    const int B = s->B, H = s->H, width = 4 * H;
    const size_t step = (size_t)B * (size_t)H;
    Tensor *y = tensor_new(tape->arena, SHAPE(s->T, B, H));
    s->c = tensor_new(tape->arena, y->shape);
    if (state != NULL) s->c0 = copy_of(tape->arena, state->c);
    float *h = tensor_floats(y), *c = tensor_floats(s->c), *gates = tensor_floats(s->gates);
    matmul_nt(gates, tensor_floats(x), tensor_floats(w), s->T * B, width, s->I, 0.0f);
    const float *h_before = s->h0 != NULL ? tensor_floats(s->h0) : NULL,
                *c_before = s->c0 != NULL ? tensor_floats(s->c0) : NULL;
    const Mat ut = transpose_of(tape, u, 0, width, s);
    for (int t = 0; t < s->T; t++, h += step, c += step, gates += 4 * step) {
        if (h_before != NULL)
            kernels.matmul(gates, 4 * (size_t)H, 0, rows_of(h_before, (size_t)H), ut, 1, B, width,
                           H, 1.0f);
        kernels.lstm_gates(h, c, gates, tensor_floats(b), c_before, B, H);
        h_before = h, c_before = c;
    }
    y = tape_record(tape, y, lstm_backward, s, INPUTS(x, w, u, b));
    if (state != NULL) {
        keep_last(tape, state->h, y, s);
        keep_last(tape, state->c, s->c, s);
    }
    return y;
}

// ---- GRU ----

static void gru_backward(const TapeNode *node)
{
    const Saved *s = node->saved;
    Tensor *x = node->in[0], *w = node->in[1], *u = node->in[2], *b = node->in[3], *c = node->in[4],
           *y = node->out[0];
    const int T = s->T, B = s->B, I = s->I, H = s->H, rows = T * B;
    const size_t in = (size_t)I, width = (size_t)H, step = (size_t)B * width, row = 4 * width;
    Arena *arena = node->tape->arena;
    float *da = tensor_floats(tensor_new(arena, s->gates->shape)),
          *sums = tensor_floats(tensor_new(arena, SHAPE(4 * H)));
    const float *h = tensor_floats(y), *gates = tensor_floats(s->gates),
                *weights = tensor_floats(u),
                *last = weights + 2 * width * width;    // u's rows of n
    for (int t = T - 1; t >= 0; t--) {
        const size_t at = (size_t)t * step;
        const float *before = t > 0           ? h + at - step
                              : s->h0 != NULL ? tensor_floats(s->h0)
                                              : NULL,
                    *a = da + 4 * at;
        float *dh_before = t > 0 ? y->grad + at - step : NULL;
        kernels.gru_gates_backward(da + 4 * at, dh_before, y->grad + at, gates + 4 * at, before, B,
                                   H);
        if (t == 0) break;
        kernels.matmul(dh_before, width, 0, rows_of(a, row), rows_of(weights, width), 1, B, H,
                       2 * H, 1.0f);
        kernels.matmul(dh_before, width, 0, rows_of(a + 3 * width, row), rows_of(last, width), 1, B,
                       H, H, 1.0f);
    }
    Grad dx = tape_grad(node, x), dw = tape_grad(node, w), du = tape_grad(node, u),
         db = tape_grad(node, b), dc = tape_grad(node, c);
    if (dx.at != NULL)
        kernels.matmul(dx.at, in, 0, rows_of(da, row), rows_of(tensor_floats(w), in), 1, rows, I,
                       3 * H, dx.beta);
    if (dw.at != NULL)
        kernels.matmul(dw.at, in, 0, columns_of(da, row), rows_of(tensor_floats(x), in), 1, 3 * H,
                       I, rows, dw.beta);
    kernels.sum_rows(sums, da, rows, 4 * H, 0.0f);
    if (db.at != NULL) kernels.axpby(db.at, sums, 1.0f, db.beta, 3 * width);
    if (dc.at != NULL) kernels.axpby(dc.at, sums + 3 * width, 1.0f, dc.beta, width);
    if (du.at == NULL) return;
    float *dlast = du.at + 2 * width * width;
    const float *later = da + 4 * step;
    kernels.matmul(du.at, width, 0, columns_of(later, row), rows_of(h, width), 1, 2 * H, H,
                   rows - B, du.beta);
    kernels.matmul(dlast, width, 0, columns_of(later + 3 * width, row), rows_of(h, width), 1, H, H,
                   rows - B, du.beta);
    if (s->h0 == NULL) return;
    const Mat h0 = rows_of(tensor_floats(s->h0), width);
    kernels.matmul(du.at, width, 0, columns_of(da, row), h0, 1, 2 * H, H, B, 1.0f);
    kernels.matmul(dlast, width, 0, columns_of(da + 3 * width, row), h0, 1, H, H, B, 1.0f);
}

Tensor *op_gru(Tape *tape, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Tensor *c,
               RecurrentState *state)
{
    Saved *s = prepare(tape, x, w, u, 3, state);
    const int B = s->B, H = s->H;
    const size_t in = (size_t)s->I, width = (size_t)H, step = (size_t)B * width, row = 4 * width;
    Tensor *y = tensor_new(tape->arena, SHAPE(s->T, B, H));
    float *h = tensor_floats(y), *gates = tensor_floats(s->gates);
    const float *before = s->h0 != NULL ? tensor_floats(s->h0) : NULL;
    const Mat ut = transpose_of(tape, u, 0, 2 * H, s), last = transpose_of(tape, u, 2 * H, H, s);
    kernels.matmul(gates, row, 0, rows_of(tensor_floats(x), in), columns_of(tensor_floats(w), in),
                   1, s->T * B, 3 * H, s->I, 0.0f);
    for (int t = 0; t < s->T; t++, h += step, gates += 4 * step) {
        if (before != NULL) {
            kernels.matmul(gates, row, 0, rows_of(before, width), ut, 1, B, 2 * H, H, 1.0f);
            kernels.matmul(gates + 3 * width, row, 0, rows_of(before, width), last, 1, B, H, H,
                           0.0f);
        }
        kernels.gru_gates(h, gates, tensor_floats(b), tensor_floats(c), before, B, H);
        before = h;
    }
    y = tape_record(tape, y, gru_backward, s, INPUTS(x, w, u, b, c));
    if (state != NULL) keep_last(tape, state->h, y, s);
    return y;
}
