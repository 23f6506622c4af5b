/* machines.c -- small machines whose truth is known: enumeration, Hopfield's network, the Ising model. */
#include <math.h>
#include <string.h>
#include "labs/2_core/boltzmann/lab.h"

enum { UNITS = 10, STATES = 1 << UNITS, TOP = 5 };

static double *doubles(Arena *arena, size_t n)
{
    return arena_zeros(arena, n * sizeof(double));
}

// ---- enumeration and Gibbs sampling ----

static void random_machine(double *w, double *b, double scale, Rng *rng)
{
    for (int i = 0; i < UNITS; i++) {
        b[i] = (double)rng_normal(rng) / 2;
        w[i * UNITS + i] = 0;
        for (int j = 0; j < i; j++)
            w[i * UNITS + j] = w[j * UNITS + i] = scale * (double)rng_normal(rng);
    }
}

// Half the sum of |share of the sweeps in a state - its probability|: total variation distance.
static double distance(const double *counts, const double *p, long sweeps)
{
    double sum = 0;
    for (int k = 0; k < STATES; k++) sum += fabs(counts[k] / (double)sweeps - p[k]) / 2;
    return sum;
}

static int units_of(int *s, int state)
{
    for (int i = 0; i < UNITS; i++) s[i] = state >> i & 1;
    return state;
}

// Distances at 10, 20, 50, 100, ... sweeps; counts are those of the last.
static size_t sample_machine(float *at, float *distances, double *counts, const double *w,
                             const double *b, const double *p, long most, Rng *rng)
{
    static const int steps[] = {1, 2, 5};
    int s[UNITS] = {0};
    size_t points = 0;
    long next = 10;
    memset(counts, 0, STATES * sizeof *counts);
    for (long sweep = 1; sweep <= most; sweep++) {
        int state = 0;
        bm_gibbs(s, w, b, UNITS, rng);
        for (int i = 0; i < UNITS; i++) state |= s[i] << i;
        counts[state]++;
        if (sweep < next) continue;
        at[points] = (float)sweep;
        distances[points++] = (float)distance(counts, p, sweep);
        size_t decade = points / 3;
        next = steps[points % 3] * (long)pow(10, 1 + (double)decade);
    }
    return points;
}

static void print_states(const Lab *lab, const double *p, const double *counts, long sweeps,
                         const double *w, const double *b, double log_z)
{
    Table table = table_new(lab->step, "state|energy|exp(-E) / Z|share of the sweeps");
    bool shown[STATES] = {false};
    for (int row = 0; row < TOP; row++) {
        int best = -1, s[UNITS];
        for (int k = 0; k < STATES; k++)
            if (!shown[k] && (best < 0 || p[k] > p[best])) best = k;
        shown[units_of(s, best)] = true;
        char text[UNITS + 1] = "";
        for (int i = 0; i < UNITS; i++) text[i] = (char)('0' + s[i]);
        double energy = bm_energy(s, w, b, UNITS);
        table_row(&table, "%s|%.3f|%.4f|%.4f", text, energy, exp(-energy - log_z),
                  counts[best] / (double)sweeps);
    }
    run_table(lab->run, &table);
}

bool part_machine(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    long most = lab->run->smoke ? 1000 : 1000000;
    static const double scales[] = {0.5, 1.5, 3};
    static const char *const names[] = {"weights of 0.5", "weights of 1.5", "weights of 3"};
    double w[UNITS * UNITS], b[UNITS], *p = doubles(lab->step, STATES),
                                       *counts = doubles(lab->step, STATES);
    float at[20], distances[3][20], root[20];
    Plot plot = {.title = "Gibbs sampling: distance from the exact probabilities",
                 .x_label = "sweeps",
                 .y_label = "total variation distance",
                 .log_x = true,
                 .log_y = true};
    size_t points = 0;
    for (int i = 0; i < 3; i++) {
        Rng weights = rng_stream(lab->run->seed, 20), rng = rng_stream(lab->run->seed, 21);
        random_machine(w, b, scales[i], &weights);
        double log_z = bm_probabilities(p, w, b, UNITS);
        points = sample_machine(at, distances[i], counts, w, b, p, most, &rng);
        plot_series(&plot, names[i], at, distances[i], points);
        if (i != 1) continue;
        run_print(lab->run, "%d units, %d states, weights of 1.5 times N(0,1); log Z = %.6f", UNITS,
                  STATES, log_z);
        print_states(lab, p, counts, most, w, b, log_z);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"total_variation_distance", distance(counts, p, most)}));
    }
    for (size_t i = 0; i < points; i++) root[i] = 2 / sqrtf(at[i]);
    plot_shape(&plot, PLOT_LIMIT, "2 / sqrt(sweeps)", at, root, points);
    run_plot(lab->run, &plot, "gibbs");
    return true;
}

// ---- Hopfield's network ----

enum { PATTERNS = 4 };

static int pattern_pixel(int pattern, int r, int c)
{
    double x = c - 13.5, y = r - 13.5, radius = sqrt(x * x + y * y);
    switch (pattern) {
    case 0: return radius < 11.2;
    case 1: return c / 4 % 2;
    case 2: return (r / 7 + c / 7) % 2;
    default: return (fabs(x) < 3.5 || fabs(y) < 3.5) != (radius > 12.5);
    }
}

static int wrong(const int *s, const int *x, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += s[i] != x[i];
    return count;
}

// 0 and 1 of -1 and +1.
static void as_tile(float *tile, const int *s)
{
    for (int i = 0; i < PIXELS; i++) tile[i] = s[i] > 0;
}

// Share of the units that are right after recall, of patterns that began with a tenth of them flipped.
static double recall_share(Arena *arena, int n, int count, Rng *rng)
{
    double *w = doubles(arena, (size_t)n * (size_t)n);
    int *x = arena_alloc(arena, sizeof *x * (size_t)n * (size_t)count),
        *s = arena_alloc(arena, sizeof *s * (size_t)n);
    long right = 0;
    for (int i = 0; i < n * count; i++) x[i] = rng_uniform(rng) < 0.5f ? -1 : 1;
    bm_hopfield_store(w, x, count, n);
    int tried = count < 10 ? count : 10;
    for (int p = 0; p < tried; p++) {
        for (int i = 0; i < n; i++) s[i] = rng_uniform(rng) < 0.1f ? -x[p * n + i] : x[p * n + i];
        bm_hopfield_recall(s, w, n, 100);
        right += n - wrong(s, x + (size_t)p * (size_t)n, n);
    }
    return (double)right / ((double)n * tried);
}

static void plot_capacity(const Lab *lab)
{
    static const int sizes[] = {100, 400};
    static const char *const names[] = {"100 units", "400 units"};
    enum { LOADS = 15 };
    float load[2][LOADS], share[2][LOADS], limit[] = {0.138f, 0.138f}, ends[] = {50, 100};
    Plot plot = {.title = "Hopfield network: recall against load",
                 .x_label = "patterns / units",
                 .y_label = "units right after recall [%]"};
    for (int i = 0; i < 2 - lab->run->smoke; i++) {
        Rng rng = rng_stream(lab->run->seed, 22 + (uint64_t)i);
        for (int l = 0; l < LOADS; l++) {
            int count = sizes[i] * (l + 1) * 2 / 100, rounds = lab->run->smoke ? 1 : 400 / sizes[i];
            double sum = 0;
            for (int round = 0; round < rounds; round++) {
                ArenaMark mark = arena_mark(lab->step);
                sum += recall_share(lab->step, sizes[i], count, &rng);
                arena_rewind(lab->step, mark);
            }
            load[i][l] = (float)count / (float)sizes[i];
            share[i][l] = (float)(100 * sum / rounds);
        }
        plot_series(&plot, names[i], load[i], share[i], LOADS);
    }
    plot_shape(&plot, PLOT_LIMIT, "0.138", limit, ends, 2);
    run_plot(lab->run, &plot, "capacity");
}

bool part_hopfield(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    Rng rng = rng_stream(lab->run->seed, 24);
    double *w = doubles(lab->step, (size_t)PIXELS * PIXELS);
    int *x = arena_alloc(lab->step, sizeof *x * PATTERNS * PIXELS), s[PIXELS];
    float *tiles = arena_alloc(lab->step, sizeof *tiles * 3 * PATTERNS * PIXELS);
    for (int p = 0; p < PATTERNS; p++)
        for (int i = 0; i < PIXELS; i++)
            x[p * PIXELS + i] = pattern_pixel(p, i / SIDE, i % SIDE) ? 1 : -1;
    bm_hopfield_store(w, x, PATTERNS, PIXELS);
    int left = 0;
    Table table = table_new(lab->step, "pattern|damage|wrong pixels before|after|sweeps");
    for (int p = 0; p < PATTERNS; p++) {
        const int *pattern = x + (size_t)p * PIXELS;
        for (int i = 0; i < PIXELS; i++) {
            bool flipped = p % 2 == 0 && rng_uniform(&rng) < 0.3f;
            s[i] = p % 2 == 1 && i >= PIXELS / 2 ? -1 : flipped ? -pattern[i] : pattern[i];
        }
        int before = wrong(s, pattern, PIXELS);
        as_tile(tiles + (size_t)p * PIXELS, pattern);
        as_tile(tiles + (size_t)(PATTERNS + p) * PIXELS, s);
        int sweeps = bm_hopfield_recall(s, w, PIXELS, 100);
        as_tile(tiles + (size_t)(2 * PATTERNS + p) * PIXELS, s);
        left += wrong(s, pattern, PIXELS);
        table_row(&table, "%d|%s|%d|%d|%d", p + 1,
                  p % 2 == 0 ? "30 % flipped" : "lower half erased", before,
                  wrong(s, pattern, PIXELS), sweeps);
    }
    run_table(lab->run, &table);
    PictureRow rows[] = {{"stored", tiles},
                         {"damaged", tiles + (size_t)PATTERNS * PIXELS},
                         {"recalled", tiles + (size_t)2 * PATTERNS * PIXELS}};
    PictureGrid grid = {.rows = rows,
                        .row_count = 3,
                        .columns = PATTERNS,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 3,
                        .caption = "Hopfield network of 784 units"};
    run_picture(lab->run, picture_grid(lab->step, &grid), grid.caption, "hopfield");
    metrics_write(lab->run->metrics, 0, METRICS({"wrong_after_recall", left}));
    plot_capacity(lab);
    return true;
}

// ---- the Ising model ----

static const double onsager = 2.269185314213022;    // 2 / log(1 + sqrt(2))

typedef struct Ising {
    double magnetization, binder;    // <|m|>; 1 - <m^4> / (3 <m^2>^2)
} Ising;

// From all +1, at one temperature.
static Ising simulate(Arena *arena, int L, double T, int sweeps, Rng *rng)
{
    int sites = L * L, *s = arena_alloc(arena, sizeof *s * (size_t)sites);
    double sum = 0, squares = 0, fourths = 0;
    for (int i = 0; i < sites; i++) s[i] = 1;
    for (int sweep = -sweeps / 10; sweep < sweeps; sweep++) {
        bm_ising(s, L, T, rng);
        if (sweep < 0) continue;    // burn-in
        double m = 0;
        for (int i = 0; i < sites; i++) m += s[i];
        m /= sites;
        sum += fabs(m);
        squares += m * m / sweeps;
        fourths += m * m * m * m / sweeps;
    }
    return (Ising){sum / sweeps, 1 - fourths / (3 * squares * squares)};
}

static void plot_magnetization(const Lab *lab)
{
    enum { TEMPERATURES = 21, CURVE = 100 };
    static const int sizes[] = {8, 32};
    static const char *const names[] = {"8 x 8", "32 x 32"};
    float t[2][TEMPERATURES], m[2][TEMPERATURES], exact_t[CURVE + 1], exact[CURVE + 1];
    Plot plot = {
        .title = "Ising model: magnetization", .x_label = "temperature", .y_label = "mean of |m|"};
    for (int i = 0; i < 2; i++) {
        Rng rng = rng_stream(lab->run->seed, 25 + (uint64_t)i);
        for (int k = 0; k < TEMPERATURES; k++) {
            double T = 1.5 + 0.1 * k;
            t[i][k] = (float)T;
            m[i][k] =
                (float)simulate(lab->step, sizes[i], T, lab->run->smoke ? 10 : 4000 / (i + 1), &rng)
                    .magnetization;
        }
        plot_shape(&plot, PLOT_POINTS, names[i], t[i], m[i], TEMPERATURES);
    }
    for (int k = 0; k <= CURVE; k++) {
        double T = 1.5 + (onsager - 1.5) * k / CURVE;
        exact_t[k] = (float)T;
        exact[k] = (float)pow(fmax(1 - pow(sinh(2 / T), -4), 0), 0.125);
    }
    plot_shape(&plot, PLOT_LINE, "Onsager, infinite lattice", exact_t, exact, CURVE + 1);
    run_plot(lab->run, &plot, "magnetization");
}

// Where the Binder cumulants of 8x8 and 16x16, straight lines near the transition, are equal.
static void find_transition(const Lab *lab)
{
    enum { TEMPERATURES = 7 };
    static const int sizes[] = {8, 16};
    static const char *const names[] = {"8 x 8", "16 x 16"};
    float t[TEMPERATURES], u[2][TEMPERATURES];
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    Plot plot = {.title = "Ising model: Binder cumulant",
                 .x_label = "temperature",
                 .y_label = "1 - <m^4> / (3 <m^2>^2)"};
    for (int i = 0; i < 2; i++) {
        Rng rng = rng_stream(lab->run->seed, 27 + (uint64_t)i);
        for (int k = 0; k < TEMPERATURES; k++) {
            double T = 2.24 + 0.01 * k;
            t[k] = (float)T;
            u[i][k] =
                (float)simulate(lab->step, sizes[i], T, lab->run->smoke ? 10 : 60000, &rng).binder;
        }
        plot_series(&plot, names[i], t, u[i], TEMPERATURES);
    }
    for (int k = 0; k < TEMPERATURES; k++) {    // least squares of their difference
        double x = (double)t[k] - onsager, y = (double)u[1][k] - (double)u[0][k];
        sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    double slope = (TEMPERATURES * sxy - sx * sy) / (TEMPERATURES * sxx - sx * sx),
           crossing = onsager + sx / TEMPERATURES - sy / TEMPERATURES / slope;
    run_plot(lab->run, &plot, "binder");
    metrics_write(lab->run->metrics, 0, METRICS({"binder_crossing", crossing}));
    run_print(lab->run,
              "The Binder cumulants of 8 x 8 and 16 x 16 cross at T = %.3f; Onsager's critical "
              "temperature is 2 / log(1 + sqrt(2)) = %.3f.",
              crossing, onsager);
}

bool part_ising(void *context, Error *err)
{
    (void)err;
    Lab *lab = context;
    enum { L = 96, LATTICES = 3 };
    static const double temperatures[LATTICES] = {1.8, 2.269, 3.5};
    static const char *const captions[LATTICES] = {"T = 1.8", "T = 2.269", "T = 3.5"};
    float *tiles = arena_alloc(lab->step, sizeof *tiles * LATTICES * L * L);
    int *s = arena_alloc(lab->step, sizeof *s * L * L);
    for (int k = 0; k < LATTICES; k++) {
        Rng rng = rng_stream(lab->run->seed, 29 + (uint64_t)k);
        int flips = 0, sweeps = lab->run->smoke ? 5 : 2000;
        for (int i = 0; i < L * L; i++) s[i] = k == 0 || rng_uniform(&rng) < 0.5f ? 1 : -1;
        for (int sweep = 0; sweep < sweeps; sweep++) flips = bm_ising(s, L, temperatures[k], &rng);
        for (int i = 0; i < L * L; i++) tiles[k * L * L + i] = s[i] > 0;
        run_print(lab->run, "T = %.3f: %.1f %% of the spins flip in a sweep.", temperatures[k],
                  100.0 * flips / (L * L));
    }
    PictureRow row = {NULL, tiles};
    PictureGrid grid = {.rows = &row,
                        .row_count = 1,
                        .columns = LATTICES,
                        .height = L,
                        .width = L,
                        .captions = captions,
                        .caption = "Ising model, 96 x 96"};
    run_picture(lab->run, picture_grid(lab->step, &grid), grid.caption, "ising");
    plot_magnetization(lab);
    find_transition(lab);
    return true;
}
