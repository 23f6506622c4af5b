/* Random number generators, sampling methods, and simulations with known probabilities. */
#include "labs/1_foundations/probability/story.h"

// ---- generators ----

// IBM's generator of the 1960s: s = 65539 s mod 2^31.
static void draw_randu(double *u, size_t n)
{
    uint32_t s = 1;
    for (size_t i = 0; i < n; i++) {
        s = (uint32_t)(65539u * s) & 0x7fffffffu;
        u[i] = s / 2147483648.0;
    }
}

// Multiples of the golden ratio modulo 1: a quasi-random sequence, as even as possible.
static void draw_golden(double *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double turns = (double)(i + 1) * 0.6180339887498949;
        u[i] = turns - floor(turns);
    }
}

static void draw_pcg(double *u, size_t n, Rng *rng)
{
    for (size_t i = 0; i < n; i++) u[i] = pr_uniform(rng);
}

// Points (u1, u3) of those triples whose u2 lies in a thin slice, shifted right by `shift`.
static Line slice(Arena *arena, const double *u, size_t n, double shift)
{
    Line line = line_new(arena, n / 3);
    for (size_t i = 0; i + 2 < n && line.count < 1500; i += 3)
        if (u[i + 1] > 0.5 && u[i + 1] < 0.51) line_add(&line, shift + u[i], u[i + 2]);
    return line;
}

bool part_uniformity(void *context, Error *err)
{
    (void)err;
    enum { BINS = 10 };
    const Lab *lab = context;
    size_t n = lab->run->smoke ? 30000 : 600000;
    Rng rng = rng_stream(lab->run->seed, 1);
    double *u = arena_alloc(lab->step, n * sizeof *u);
    int *counts = arena_alloc(lab->step, BINS * BINS * BINS * sizeof *counts);
    Plot plot = {.title = "Triples (u1, u2, u3) with 0.5 < u2 < 0.51: RANDU (left) and PCG32",
                 .x_label = "u1 (PCG32 shifted by 1.1)",
                 .y_label = "u3",
                 .points = true};
    const char *names[] = {"RANDU", "golden ratio", "PCG32"};
    run_print(lab->run,
              "Chi-square test of %zu draws in d dimensions, %d bins a side; a p-value near 0 or 1 "
              "means not random",
              n, BINS);
    Table table =
        table_new(lab->step, "generator|d = 1: X|p-value|d = 2: X|p-value|d = 3: X|p-value");
    for (int g = 0; g < 3; g++) {
        if (g == 0) draw_randu(u, n);
        if (g == 1) draw_golden(u, n);
        if (g == 2) draw_pcg(u, n, &rng);
        double x[3], p[3], lower;
        for (int d = 1, cells = BINS; d <= 3; d++, cells *= BINS) {
            x[d - 1] = pr_uniformity(counts, u, n, BINS, d);
            pr_gamma(&lower, &p[d - 1], (cells - 1) / 2.0, x[d - 1] / 2);
            metrics_write(lab->run->metrics, 0,
                          METRICS({"generator", g}, {"dimensions", d}, {"chi_square", x[d - 1]},
                                  {"p", p[d - 1]}));
        }
        table_row(&table, "%s|%.1f|%.2g|%.1f|%.2g|%.1f|%.2g", names[g], x[0], p[0], x[1], p[1],
                  x[2], p[2]);
        if (g != 1) figure_add(&plot, names[g], slice(lab->step, u, n, g == 0 ? 0 : 1.1));
    }
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "planes");
    return true;
}

// ---- sampling methods ----

static double exponential_density(double x, const void *context)
{
    (void)context;
    return x < 0 ? 0 : exp(-x);
}

static double normal_density(double x, const void *context)
{
    (void)context;
    return exp(-x * x / 2) / sqrt(2 * acos(-1));
}

static double half_circle(double x, const void *context)
{
    (void)context;
    return sqrt(fmax(1 - x * x, 0));
}

static double half_circle_density(double x, const void *context)
{
    return half_circle(x, context) * 2 / acos(-1);
}

static void add_moments(Table *table, const char *name, const double *x, size_t n, double mean,
                        double sd)
{
    PrMoments m = {0};
    pr_moments(&m, x, n);
    table_row(table, "%s|%.4f|%.4f|%.4f|%.4f", name, m.mean, mean, sqrt(pr_variance(&m)), sd);
}

bool part_sampling(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    size_t n = lab->run->smoke ? 5000 : 200000;
    Rng rng = rng_stream(lab->run->seed, 2);
    Arena *step = lab->step;
    double *x = arena_alloc(step, n * sizeof *x);
    Plot plot = {.title = "Histograms of samples, and their densities",
                 .x_label = "x",
                 .y_label = "density"};
    run_print(lab->run, "%zu draws from each distribution", n);
    Table table = table_new(step, "distribution|sample mean|true|sample sd|true");
    pr_exponential(x, n, 1, &rng);
    add_moments(&table, "exponential", x, n, 1, 1);
    figure_add(&plot, "exponential, inverse transform", figure_histogram(step, x, n, -4, 6, 100));
    figure_add_exact(&plot, "exponential density",
                     figure_curve(step, exponential_density, NULL, 0, 6));
    pr_normal(x, n, 0, 1, &rng);
    add_moments(&table, "normal", x, n, 0, 1);
    figure_add(&plot, "normal, Box-Muller", figure_histogram(step, x, n, -4, 6, 100));
    figure_add_exact(&plot, "normal density", figure_curve(step, normal_density, NULL, -4, 6));
    size_t proposals = pr_reject(x, n, half_circle, NULL, -1, 1, 1, &rng);
    add_moments(&table, "half circle", x, n, 0, 0.5);
    figure_add(&plot, "half circle, rejection sampling", figure_histogram(step, x, n, -1, 1, 40));
    figure_add_exact(&plot, "half circle density",
                     figure_curve(step, half_circle_density, NULL, -1, 1));
    run_table(lab->run, &table);
    run_print(lab->run,
              "Rejection sampling: acceptance rate %.4f of %zu proposals, so pi is about %.3f",
              (double)n / (double)proposals, proposals, 4 * (double)n / (double)proposals);
    run_plot(lab->run, &plot, "shapes");
    return true;
}

// ---- simulation ----

enum { DAYS = 365, PEOPLE = 60 };

// How many people enter until two share a birthday.
static int people_until_shared(const double *prob, const int *alias, Rng *rng)
{
    bool taken[DAYS] = {false};
    for (int people = 1;; people++) {
        int day = pr_alias_draw(prob, alias, DAYS, rng);
        if (taken[day]) return people;
        taken[day] = true;
    }
}

static void simulate_birthdays(const Lab *lab, Table *table, Plot *plot, Rng *rng)
{
    double p[DAYS], prob[DAYS];
    int alias[DAYS], work[DAYS], games = 10 * lab->experiments;
    int ended[DAYS + 2] = {0};
    for (int d = 0; d < DAYS; d++) p[d] = 1.0 / DAYS;
    if (!pr_alias(prob, alias, p, DAYS, work)) return;
    for (int g = 0; g < games; g++) ended[people_until_shared(prob, alias, rng)]++;

    Line simulated = line_new(lab->step, PEOPLE), exact = line_new(lab->step, PEOPLE);
    double none = 1;
    for (int k = 1, shared = 0; k <= PEOPLE; k++) {
        shared += ended[k];
        none *= (double)(DAYS - k + 1) / DAYS;
        if (k % 4 == 0) line_add(&simulated, k, (double)shared / games);
        line_add(&exact, k, 1 - none);
        metrics_write(
            lab->run->metrics, 0,
            METRICS({"people", k}, {"simulated", (double)shared / games}, {"exact", 1 - none}));
        if (k == 23 || k == 50)
            table_row(table, "two of %d share a birthday|%.4f|%.4f", k, (double)shared / games,
                      1 - none);
    }
    figure_add_exact(plot, "exact", exact);
    plot_shape(plot, PLOT_POINTS, "simulated", simulated.x, simulated.y, simulated.count);
}

// The host opens a door that was not chosen and hides nothing; where he has two, either.
static void simulate_doors(const Lab *lab, Table *table, Rng *rng)
{
    static const double uniform[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    double prob[3];
    int alias[3], work[3], games = 10 * lab->experiments, stayed = 0, switched = 0;
    if (!pr_alias(prob, alias, uniform, 3, work)) return;
    for (int g = 0; g < games; g++) {
        int prize = pr_alias_draw(prob, alias, 3, rng), choice = pr_alias_draw(prob, alias, 3, rng);
        int open = (prize + 1 + (prize == choice && rng_below(rng, 2))) % 3;
        if (open == choice) open = 3 - prize - choice;
        stayed += choice == prize;
        switched += 3 - choice - open == prize;
    }
    table_row(table, "Monty Hall: stay and win|%.4f|1/3", (double)stayed / games);
    table_row(table, "Monty Hall: switch and win|%.4f|2/3", (double)switched / games);
    metrics_write(
        lab->run->metrics, 0,
        METRICS({"stayed", (double)stayed / games}, {"switched", (double)switched / games}));
}

bool part_games(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    Rng rng = rng_stream(lab->run->seed, 3);
    run_print(lab->run, "%d simulated games each", 10 * lab->experiments);
    Table table = table_new(lab->step, "event|simulated|exact probability");
    Plot plot = {.title = "Birthday problem: two people with the same birthday",
                 .x_label = "people in the room",
                 .y_label = "probability"};
    simulate_birthdays(lab, &table, &plot, &rng);
    simulate_doors(lab, &table, &rng);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "birthdays");
    return true;
}
