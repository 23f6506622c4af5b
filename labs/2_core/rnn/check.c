/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check rnn
 *
 * Expected values never come from rnn.c: they are computed by hand, by plain loops in double, by finite differences
 * of those loops, or are PyTorch's (check_values.py). A case calls functions of its own exercise only. Every array
 * ends at a guard page.
 */
#include "labs/2_core/rnn/check.h"

const CaseList lab_cases[] = {elman_cases, gate_cases, sequence_cases, attention_cases, NULL};

double *normal(uint64_t seed, size_t n)
{
    Rng rng = rng_from_seed(seed);
    return floats_wide(floats_normal(&rng, n), n);
}

double *waves(size_t n, double first)
{
    double *x = doubles_zero(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)(float)sin(first + (double)i);
    return x;
}

float *narrow(const double *x, size_t n)
{
    if (x == NULL) return NULL;
    float *y = floats_filled(n, 0);
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
    return y;
}

// ---- problems ----

static size_t count(int a, int b, int c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

static int gates_of(Kind kind)
{
    return kind == ELMAN ? 1 : kind == LSTM ? 4 : 3;
}

static Problem problem_of(Kind kind, int T, int B, int I, int H)
{
    const size_t states = count(T, B, H);
    return (Problem){.kind = kind,
                     .T = T,
                     .B = B,
                     .I = I,
                     .H = H,
                     .kick_h = doubles_zero(states),
                     .kick_c = doubles_zero(states)};
}

Problem problem_random(Kind kind, int T, int B, int I, int H, uint64_t seed, bool state)
{
    Problem p = problem_of(kind, T, B, I, H);
    const int G = gates_of(kind);
    p.x = normal(seed, count(T, B, I));
    p.w = normal(seed + 1, count(G, H, I));
    p.u = normal(seed + 2, count(G, H, H));
    for (size_t i = 0; i < count(G, H, I); i++) p.w[i] = (double)(float)(p.w[i] / sqrt(I));
    for (size_t i = 0; i < count(G, H, H); i++) p.u[i] = (double)(float)(p.u[i] / sqrt(H));
    p.b = normal(seed + 3, count(G, H, 1));
    if (kind == GRU) p.n = normal(seed + 4, (size_t)H);
    if (state) p.h0 = normal(seed + 5, count(B, H, 1));
    if (state && kind == LSTM) p.c0 = normal(seed + 6, count(B, H, 1));
    p.dh = normal(seed + 7, count(T, B, H));
    p.dc = kind == LSTM ? normal(seed + 8, count(T, B, H)) : doubles_zero(count(T, B, H));
    return p;
}

Problem problem_waves(Kind kind)
{
    enum { T = 3, B = 2, I = 2, H = 2 };
    Problem p = problem_of(kind, T, B, I, H);
    const int G = gates_of(kind);
    p.x = waves(count(T, B, I), 0);
    p.w = waves(count(G, H, I), 10);
    p.u = waves(count(G, H, H), 40);
    p.b = waves(count(G, H, 1), 70);
    if (kind == GRU) p.n = waves(H, 80);
    p.h0 = waves(count(B, H, 1), 90);
    if (kind == LSTM) p.c0 = waves(count(B, H, 1), 100);
    p.dh = waves(count(T, B, H), 110);
    p.dc = doubles_zero(count(T, B, H));
    return p;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// Row `row` of a matrix [rows,n] times x.
static double row_of(const double *w, size_t row, const double *x, int n)
{
    double sum = 0;
    for (int i = 0; x != NULL && i < n; i++) sum += w[row * (size_t)n + (size_t)i] * x[i];
    return sum;
}

void problem_run(const Problem *p, double *h, double *c, double *gates)
{
    const size_t H = (size_t)p->H;
    for (int t = 0; t < p->T; t++)
        for (int b = 0; b < p->B; b++) {
            const size_t at = (size_t)t * (size_t)p->B + (size_t)b, own = at * H;
            const double *x = p->x + at * (size_t)p->I;
            const double *h1 = t > 0           ? h + own - (size_t)p->B * H
                               : p->h0 != NULL ? p->h0 + (size_t)b * H
                                               : NULL;
            const double *c1 = p->kind != LSTM ? NULL
                               : t > 0         ? c + own - (size_t)p->B * H
                               : p->c0 != NULL ? p->c0 + (size_t)b * H
                                               : NULL;
            double *gate = gates + 4 * own;
            for (size_t j = 0; j < H; j++) {
                double a[4] = {0};
                for (size_t k = 0; k < (size_t)gates_of(p->kind); k++) {
                    a[k] = row_of(p->w, k * H + j, x, p->I) + p->b[k * H + j];
                    if (p->kind != GRU || k < 2) a[k] += row_of(p->u, k * H + j, h1, p->H);
                }
                if (p->kind == ELMAN) {
                    h[own + j] = tanh(a[0]);
                } else if (p->kind == LSTM) {
                    const double y[] = {sigmoid(a[0]), sigmoid(a[1]), tanh(a[2]), sigmoid(a[3])};
                    for (size_t k = 0; k < 4; k++) gate[k * H + j] = y[k];
                    c[own + j] = y[1] * (c1 != NULL ? c1[j] : 0) + y[0] * y[2] + p->kick_c[own + j];
                    h[own + j] = y[3] * tanh(c[own + j]);
                } else {
                    const double r = sigmoid(a[0]), z = sigmoid(a[1]),
                                 q = row_of(p->u, 2 * H + j, h1, p->H) + p->n[j],
                                 n = tanh(a[2] + r * q);
                    const double y[] = {r, z, n, q};
                    for (size_t k = 0; k < 4; k++) gate[k * H + j] = y[k];
                    h[own + j] = (1 - z) * n + z * (h1 != NULL ? h1[j] : 0);
                }
                h[own + j] += p->kick_h[own + j];
            }
        }
}

// ---- the exercise's side ----

static Cell cell_of(const Problem *p)
{
    const int G = gates_of(p->kind);
    return (Cell){p->I,
                  p->H,
                  narrow(p->w, count(G, p->H, p->I)),
                  narrow(p->u, count(G, p->H, p->H)),
                  narrow(p->b, count(G, p->H, 1)),
                  narrow(p->n, (size_t)p->H)};
}

static Sequence sequence_of(const Problem *p)
{
    const size_t states = count(p->T, p->B, p->H);
    return (Sequence){.T = p->T,
                      .B = p->B,
                      .x = narrow(p->x, count(p->T, p->B, p->I)),
                      .h0 = narrow(p->h0, count(p->B, p->H, 1)),
                      .c0 = narrow(p->c0, count(p->B, p->H, 1)),
                      .h = floats_filled(states, NAN),
                      .c = p->kind == LSTM ? floats_filled(states, NAN) : NULL,
                      .gates = p->kind != ELMAN ? floats_filled(4 * states, NAN) : NULL};
}

static void assert_inputs_kept(const Problem *p, const Cell *cell, const Sequence *s)
{
    const int G = gates_of(p->kind);
    assert_kept("w", cell->w, narrow(p->w, count(G, p->H, p->I)), count(G, p->H, p->I));
    assert_kept("u", cell->u, narrow(p->u, count(G, p->H, p->H)), count(G, p->H, p->H));
    assert_kept("b", cell->b, narrow(p->b, count(G, p->H, 1)), count(G, p->H, 1));
    if (p->n != NULL) assert_kept("c", cell->c, narrow(p->n, (size_t)p->H), (size_t)p->H);
    assert_kept("x", s->x, narrow(p->x, count(p->T, p->B, p->I)), count(p->T, p->B, p->I));
    if (p->h0 != NULL)
        assert_kept("h0", s->h0, narrow(p->h0, count(p->B, p->H, 1)), count(p->B, p->H, 1));
    if (p->c0 != NULL)
        assert_kept("c0", s->c0, narrow(p->c0, count(p->B, p->H, 1)), count(p->B, p->H, 1));
}

Outcome run_forward(const Problem *p)
{
    const Cell cell = cell_of(p);
    const Sequence s = sequence_of(p);
    switch (p->kind) {
    case ELMAN: rn_elman(&cell, &s); break;
    case LSTM: rn_lstm(&cell, &s); break;
    case GRU: rn_gru(&cell, &s); break;
    }
    assert_inputs_kept(p, &cell, &s);
    return (Outcome){.h = s.h, .c = s.c, .gates = s.gates};
}

static const char *const forward_formulas[] = {
    "h[t] = tanh(w x[t] + u h[t-1] + b)",
    "c[t] = f c[t-1] + i g, h[t] = o tanh(c[t]); order i f g o",
    "h[t] = (1-z) n + z h[t-1], n = tanh(w_n x[t] + b_n + r (u_n h[t-1] + c)); order r z n q"};

void check_forward(const Problem *p)
{
    const size_t states = count(p->T, p->B, p->H);
    double *h = doubles_zero(states), *c = doubles_zero(states), *gates = doubles_zero(4 * states);
    problem_run(p, h, c, gates);
    const Outcome got = run_forward(p);
    if (got.gates != NULL)
        assert_near(got.gates, gates, SHAPE(p->T, p->B, 4, p->H), .name = "gates",
                    .formula = forward_formulas[p->kind]);
    if (got.c != NULL)
        assert_near(got.c, c, SHAPE(p->T, p->B, p->H), .name = "c",
                    .formula = forward_formulas[p->kind]);
    assert_near(got.h, h, SHAPE(p->T, p->B, p->H), .name = "h",
                .formula = forward_formulas[p->kind]);
}

Outcome run_backward(const Problem *p, float held, unsigned wants)
{
    const int G = gates_of(p->kind);
    const size_t states = count(p->T, p->B, p->H), state = count(p->B, p->H, 1);
    double *h = doubles_zero(states), *c = doubles_zero(states), *gates = doubles_zero(4 * states);
    problem_run(p, h, c, gates);
    const Cell cell = cell_of(p);
    Sequence s = sequence_of(p);
    s.h = narrow(h, states);
    if (p->kind == LSTM) s.c = narrow(c, states);
    if (p->kind != ELMAN) s.gates = narrow(gates, 4 * states);
    const Gradient g = {
        .h = narrow(p->dh, states),
        .c = p->kind == LSTM ? narrow(p->dc, states) : NULL,
        .x = wants & WANT_X ? floats_filled(count(p->T, p->B, p->I), held) : NULL,
        .h0 = wants & WANT_H0 ? floats_filled(state, held) : NULL,
        .c0 = wants & WANT_C0 && p->kind == LSTM ? floats_filled(state, held) : NULL,
        .w = floats_filled(count(G, p->H, p->I), held),
        .u = floats_filled(count(G, p->H, p->H), held),
        .b = floats_filled(count(G, p->H, 1), held),
        .n = p->kind == GRU ? floats_filled((size_t)p->H, held) : NULL,
        .work = floats_filled(4 * states, NAN),
    };
    switch (p->kind) {
    case ELMAN:
        if (p->K > 0) rn_truncated(&g, &cell, &s, p->K);
        else rn_elman_backward(&g, &cell, &s);
        break;
    case LSTM: rn_lstm_backward(&g, &cell, &s); break;
    case GRU: rn_gru_backward(&g, &cell, &s); break;
    }
    assert_inputs_kept(p, &cell, &s);
    assert_kept("h", s.h, narrow(h, states), states);
    if (s.c != NULL) assert_kept("c", s.c, narrow(c, states), states);
    if (s.gates != NULL) assert_kept("gates", s.gates, narrow(gates, 4 * states), 4 * states);
    return (Outcome){.dh = g.h,
                     .dc = g.c,
                     .dx = g.x,
                     .dh0 = g.h0,
                     .dc0 = g.c0,
                     .dw = g.w,
                     .du = g.u,
                     .db = g.b,
                     .dn = g.n};
}

// ---- finite differences ----

static double loss(const void *problem)
{
    const Problem *p = problem;
    enum { MOST = 4000 };
    static double h[MOST], c[MOST], gates[4 * MOST];
    const size_t states = count(p->T, p->B, p->H);
    assert_that(states <= MOST, "%zu states; the oracle has room for %d", states, MOST);
    problem_run(p, h, c, gates);
    double sum = 0;
    for (size_t i = 0; i < states; i++) {
        sum += p->dh[i] * h[i];
        if (p->kind == LSTM) sum += p->dc[i] * c[i];
    }
    return sum;
}

static void add_slopes(double *to, const Problem *p, double *at, size_t n)
{
    if (at == NULL) return;
    const double *slope = slopes(loss, p, at, n);
    for (size_t i = 0; i < n; i++) to[i] += slope[i];
}

void check_backward(const Problem *p, float held, unsigned wants)
{
    const int G = gates_of(p->kind), T = p->T, B = p->B, I = p->I, H = p->H,
              K = p->K > 0 ? p->K : T;
    const size_t states = count(T, B, H), state = count(B, H, 1);
    double *h = doubles_zero(states), *c = doubles_zero(states), *gates = doubles_zero(4 * states);
    problem_run(p, h, c, gates);
    double *dx = doubles_filled(count(T, B, I), (double)held),
           *dh0 = doubles_filled(state, (double)held), *dc0 = doubles_filled(state, (double)held),
           *dw = doubles_filled(count(G, H, I), (double)held),
           *du = doubles_filled(count(G, H, H), (double)held),
           *db = doubles_filled(count(G, H, 1), (double)held),
           *dn = doubles_filled((size_t)H, (double)held), *dh = doubles_zero(states),
           *dc = doubles_zero(states);
    // Each chunk is a problem of its own, which begins at a state that is a constant.
    double *zeros = doubles_zero(state), *empty = doubles_zero(state);
    for (int t = 0; t < T; t += K) {
        Problem part = *p;
        const size_t at = (size_t)t * state;
        part.T = T - t < K ? T - t : K;
        part.x += count(t, B, I);
        part.dh += at, part.dc += at, part.kick_h += at, part.kick_c += at;
        if (t > 0) part.h0 = h + at - state;
        else if (p->h0 == NULL) part.h0 = zeros;
        if (p->kind == LSTM && part.c0 == NULL) part.c0 = empty;
        add_slopes(dx + count(t, B, I), &part, part.x, count(part.T, B, I));
        if (t == 0) add_slopes(dh0, &part, part.h0, state);
        if (p->kind == LSTM) add_slopes(dc0, &part, part.c0, state);
        add_slopes(dw, &part, part.w, count(G, H, I));
        add_slopes(du, &part, part.u, count(G, H, H));
        add_slopes(db, &part, part.b, count(G, H, 1));
        add_slopes(dn, &part, part.n, (size_t)H);
        add_slopes(dh + at, &part, part.kick_h, count(part.T, B, H));
        if (p->kind == LSTM) add_slopes(dc + at, &part, part.kick_c, count(part.T, B, H));
    }
    static const char formula[] = "against finite differences of the forward pass";
    const Outcome got = run_backward(p, held, wants);
#define EXPECT(array, want, shape, ...)                                                            \
    if (got.array != NULL)                                                                         \
    assert_near(got.array, want, shape, .name = #array, .formula = formula, .atol = 2e-5,          \
                .rtol = 2e-5, __VA_ARGS__)
    EXPECT(dh, dh, SHAPE(T, B, H), .batch = B);
    EXPECT(dc, dc, SHAPE(T, B, H), .batch = B);
    EXPECT(dx, dx, SHAPE(T, B, I), .added_to = floats_filled(count(T, B, I), held));
    EXPECT(dh0, dh0, SHAPE(B, H), .added_to = floats_filled(state, held));
    EXPECT(dc0, dc0, SHAPE(B, H), .added_to = floats_filled(state, held));
    EXPECT(dw, dw, SHAPE(G * H, I), .added_to = floats_filled(count(G, H, I), held));
    EXPECT(du, du, SHAPE(G * H, H), .added_to = floats_filled(count(G, H, H), held));
    EXPECT(db, db, SHAPE(G * H), .added_to = floats_filled(count(G, H, 1), held));
    EXPECT(dn, dn, SHAPE(H), .added_to = floats_filled((size_t)H, held));
#undef EXPECT
}

void check_unwanted(Problem p)
{
    double *h0 = p.h0;
    for (unsigned wants = 0; wants < WANT_ALL; wants++)
        for (int given = 0; given < 2; given++) {
            p.h0 = given == 1 ? h0 : NULL;
            check_backward(&p, 0, wants);
        }
}

void check_nan_inputs(Kind kind, uint64_t seed)
{
    for (int k = 0; k < 7; k++) {
        Problem p = problem_random(kind, 3, 2, 1, 2, seed, true);
        double *input[] = {p.x, p.w, p.u, p.b, p.n, p.h0, p.c0};
        if (input[k] == NULL) continue;
        input[k][0] = (double)NAN;
        check_forward(&p);
    }
}

void check_linear(const Problem *p)
{
    const size_t states = count(p->T, p->B, p->H), weights = count(gates_of(p->kind), p->H, p->I);
    const Outcome plain = run_backward(p, 0, WANT_ALL);
    for (int power = -40; power <= 40; power += 80) {
        Problem scaled = *p;
        scaled.dh = doubles_copy(p->dh, states), scaled.dc = doubles_copy(p->dc, states);
        for (size_t i = 0; i < states; i++)
            scaled.dh[i] = ldexp(p->dh[i], power), scaled.dc[i] = ldexp(p->dc[i], power);
        const Outcome got = run_backward(&scaled, 0, WANT_ALL);
        for (size_t i = 0; i < states; i++) got.dh[i] = ldexpf(got.dh[i], -power);
        for (size_t i = 0; i < weights; i++) got.dw[i] = ldexpf(got.dw[i], -power);
        assert_near(got.dh, floats_wide(plain.dh, states), SHAPE(p->T, p->B, p->H),
                    .name = "dh, scaled back",
                    .formula = "twice as much of dh: twice as much of all");
        assert_near(got.dw, floats_wide(plain.dw, weights), SHAPE((int)weights),
                    .name = "dw, scaled back",
                    .formula = "twice as much of dh: twice as much of all");
    }
}
