/* gradient.c -- part: how far back a gradient reaches, in an Elman cell and in an LSTM. */
#include <math.h>
#include <string.h>
#include "common/host.h"
#include "labs/2_core/rnn/lab.h"

enum { T = 100, H = 64, I = 8, GATES = 4, CHUNK = 20, CURVES = 7 };

typedef struct Curve {
    const char *name;
    CellKind kind;
    float gain;      // u ~ N(0, gain^2 / H)
    float forget;    // an LSTM's bias of f
    bool clipped, truncated;
} Curve;

static const Curve curves[CURVES] = {
    {"Elman, gain 0.8", CELL_ELMAN, 0.8f, 0, false, false},
    {"Elman, gain 0.8, chunks of 20", CELL_ELMAN, 0.8f, 0, false, true},
    {"Elman, gain 4", CELL_ELMAN, 4, 0, false, false},
    {"Elman, gain 4, clipped", CELL_ELMAN, 4, 0, true, false},
    {"LSTM, forget bias 0", CELL_LSTM, 1, 0, false, false},
    {"LSTM, forget bias 1", CELL_LSTM, 1, 1, false, false},
    {"LSTM, forget bias 4", CELL_LSTM, 1, 4, false, false},
};

static float *normal(Arena *arena, size_t n, float deviation, Rng *rng)
{
    float *x = arena_alloc(arena, n * sizeof *x);
    rng_fill_normal(rng, x, n);
    for (size_t i = 0; i < n; i++) x[i] *= deviation;
    return x;
}

static float *zeros(Arena *arena, size_t n)
{
    return arena_zeros(arena, n * sizeof(float));
}

static double norm_of(const float *x, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)x[i] * (double)x[i];
    return sqrt(squares);
}

// The norm of dL/dh[t] (of an LSTM: dL/dc[t]) at each distance from the end, for a random direction of h[T-1] as the
// loss. Returns the norm of the weights' gradient before clipping.
static double measure(const Curve *curve, Arena *arena, uint64_t seed, float norm[T])
{
    Host host = host_begin(arena);    // the exercises work in the host's memory
    Rng rng = rng_stream(seed, 21);
    const int gates = curve->kind == CELL_LSTM ? GATES : 1;
    const size_t rows = (size_t)gates * H;
    float *w = normal(arena, rows * I, 0.3f, &rng),
          *u = normal(arena, rows * H, curve->gain / sqrtf(H), &rng), *b = zeros(arena, rows);
    for (size_t j = H; gates == GATES && j < 2 * (size_t)H; j++) b[j] = curve->forget;
    const Cell cell = {.I = I, .H = H, .w = w, .u = u, .b = b};
    const Sequence s = {.T = T,
                        .B = 1,
                        .x = normal(arena, (size_t)T * I, 0.3f, &rng),
                        .h = zeros(arena, (size_t)T * H),
                        .c = zeros(arena, (size_t)T * H),
                        .gates = zeros(arena, (size_t)T * GATES * H)};
    const Gradient g = {.h = zeros(arena, (size_t)T * H),
                        .c = zeros(arena, (size_t)T * H),
                        .w = zeros(arena, rows * I),
                        .u = zeros(arena, rows * H),
                        .b = zeros(arena, rows),
                        .work = zeros(arena, (size_t)T * GATES * H)};
    memcpy(g.h + (size_t)(T - 1) * H, normal(arena, H, 1 / sqrtf(H), &rng), H * sizeof(float));
    if (curve->kind == CELL_LSTM) {
        rn_lstm(&cell, &s);
        rn_lstm_backward(&g, &cell, &s);
    } else {
        rn_elman(&cell, &s);
        if (curve->truncated) rn_truncated(&g, &cell, &s, CHUNK);
        else rn_elman_backward(&g, &cell, &s);
    }
    const double all =
        rn_clip((float *[]){g.w, g.u, g.b}, (size_t[]){rows * I, rows * H, rows}, 3, 1);
    const double factor = curve->clipped && all > 1 ? 1 / all : 1;
    for (int t = 0; t < T; t++) {
        const float *dh = (curve->kind == CELL_LSTM ? g.c : g.h) + (size_t)t * H;
        const double value = norm_of(dh, H) * factor;
        norm[T - 1 - t] = value > 0 ? (float)value : NAN;    // no logarithm of 0: a gap
    }
    host_end(&host);
    return all;
}

bool part_gradient(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    Plot plot = {.title = "Norm of dL/dh[t] (LSTM: dL/dc[t]): vanishing and exploding gradients",
                 .x_label = "steps back from the loss",
                 .y_label = "norm",
                 .log_y = true};
    Table table = table_new(lab->step, "cell|1 step back|10|50|99|gradient of the weights");
    float *distance = zeros(lab->step, T);
    for (int t = 0; t < T; t++) distance[t] = (float)t;
    for (int k = 0; k < CURVES; k++) {
        float *norm = zeros(lab->step, T);
        const double all = measure(&curves[k], lab->step, lab->run->seed, norm);
        plot_series(&plot, curves[k].name, distance, norm, T);
        const int at[] = {1, 10, 50, 99};
        const char *cells[4];
        for (int i = 0; i < 4; i++)
            cells[i] =
                isnan(norm[at[i]]) ? "0" : arena_print(lab->step, "%.1e", (double)norm[at[i]]);
        table_row(&table, "%s|%s|%s|%s|%s|%.1e", curves[k].name, cells[0], cells[1], cells[2],
                  cells[3], curves[k].clipped && all > 1 ? 1 : all);
    }
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "gradient");
    return true;
}
