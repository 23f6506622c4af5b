/* Chance that is made: generators on trial, other shapes, and games whose odds are known. */
#include <stdio.h>
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

// Steps of the golden ratio around a circle: as even as can be.
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

// Points (u_1, u_3) of those triples whose u_2 lies in a thin slice; `left` moves them to the side.
static Line slice(Arena *arena, const double *u, size_t n, double left)
{
    Line line = line_new(arena, n / 3);
    for (size_t i = 0; i + 2 < n && line.count < 1500; i += 3)
        if (u[i + 1] > 0.5 && u[i + 1] < 0.51) line_to(&line, left + u[i], u[i + 2]);
    return line;
}

void tell_generators(const Story *story)
{
    enum { BINS = 10 };
    size_t n = story->run->smoke ? 30000 : 600000;
    Rng rng = rng_stream(story->run->seed, 1);
    double *u = arena_alloc(story->arena, n * sizeof *u);
    int *counts = arena_alloc(story->arena, BINS * BINS * BINS * sizeof *counts);
    Plot plot = {.title = "Triples of RANDU (left) and PCG32: a slice of the cube",
                 .x_label = "first of three (PCG32 moved by 1.1)",
                 .y_label = "third of three",
                 .points = true};
    const char *names[] = {"RANDU", "golden steps", "PCG32"};
    printf("\nUniform? %zu draws, cut into %d a side. P(X larger) should be anything but near 0 or "
           "1.\n"
           "                         one at a time               in pairs              in threes\n",
           n, BINS);
    for (int g = 0; g < 3; g++) {
        if (g == 0) draw_randu(u, n);
        if (g == 1) draw_golden(u, n);
        if (g == 2) draw_pcg(u, n, &rng);
        printf("  %-14s", names[g]);
        for (int d = 1, cells = BINS; d <= 3; d++, cells *= BINS) {
            double lower, upper, x = pr_uniformity(counts, u, n, BINS, d);
            pr_gamma(&lower, &upper, (cells - 1) / 2.0, x / 2);
            metrics_write(story->run->metrics, 0,
                          METRICS({"generator", g}, {"at_a_time", d}, {"x", x}, {"p", upper}));
            printf("  %9.1f p %8.2g", x, upper);
        }
        printf("\n");
        if (g != 1) figure_add(&plot, names[g], slice(story->arena, u, n, g == 0 ? 0 : 1.1));
    }
    run_plot(story->run, &plot, "planes");
}

// ---- other shapes ----

static double exponential_density(double x, const void *about)
{
    (void)about;
    return x < 0 ? 0 : exp(-x);
}

static double normal_density(double x, const void *about)
{
    (void)about;
    return exp(-x * x / 2) / sqrt(2 * acos(-1));
}

static double half_circle(double x, const void *about)
{
    (void)about;
    return sqrt(fmax(1 - x * x, 0));
}

static double half_circle_density(double x, const void *about)
{
    return half_circle(x, about) * 2 / acos(-1);
}

static void print_moments(const char *name, const double *x, size_t n, double mean,
                          double deviation)
{
    PrMoments m = {0};
    pr_moments(&m, x, n);
    printf("  %-12s mean %8.4f (%6.4f)   deviation %7.4f (%6.4f)\n", name, m.mean, mean,
           sqrt(pr_variance(&m)), deviation);
}

void tell_samplers(const Story *story)
{
    size_t n = story->run->smoke ? 5000 : 200000;
    Rng rng = rng_stream(story->run->seed, 2);
    Arena *mine = story->arena;
    double *x = arena_alloc(mine, n * sizeof *x);
    Plot plot = {.title = "Shapes from uniform draws, and their densities",
                 .x_label = "x",
                 .y_label = "density"};
    printf("\nOther shapes, %zu draws each (in brackets what it should be)\n", n);
    pr_exponential(x, n, 1, &rng);
    print_moments("exponential", x, n, 1, 1);
    figure_add(&plot, "exponential, by inversion", figure_stairs(mine, x, n, -4, 6, 100));
    figure_add(&plot, "its density", figure_curve(mine, exponential_density, NULL, 0, 6));
    pr_normal(x, n, 0, 1, &rng);
    print_moments("normal", x, n, 0, 1);
    figure_add(&plot, "normal, by Box-Muller", figure_stairs(mine, x, n, -4, 6, 100));
    figure_add(&plot, "its density", figure_curve(mine, normal_density, NULL, -4, 6));
    size_t tries = pr_reject(x, n, half_circle, NULL, -1, 1, 1, &rng);
    print_moments("half circle", x, n, 0, 0.5);
    figure_add(&plot, "half circle, by rejection", figure_stairs(mine, x, n, -1, 1, 40));
    figure_add(&plot, "its density", figure_curve(mine, half_circle_density, NULL, -1, 1));
    printf("  of %zu darts %.4f fell below the circle: pi is about %.3f\n", tries,
           (double)n / (double)tries, 4 * (double)n / (double)tries);
    run_plot(story->run, &plot, "shapes");
}

// ---- games ----

enum { DAYS = 365, PEOPLE = 60 };

// How many people have to come in until two share a birthday.
static int people_until_two_share(const double *share, const int *other, Rng *rng)
{
    bool taken[DAYS] = {false};
    for (int people = 1;; people++) {
        int day = pr_alias_draw(share, other, DAYS, rng);
        if (taken[day]) return people;
        taken[day] = true;
    }
}

static void play_birthdays(const Story *story, Rng *rng)
{
    double p[DAYS], share[DAYS];
    int other[DAYS], todo[DAYS], games = 10 * story->experiments;
    int ended[DAYS + 2] = {0};
    for (int d = 0; d < DAYS; d++) p[d] = 1.0 / DAYS;
    if (!pr_alias(share, other, p, DAYS, todo)) return;
    for (int g = 0; g < games; g++) ended[people_until_two_share(share, other, rng)]++;

    Line played = line_new(story->arena, PEOPLE), computed = line_new(story->arena, PEOPLE);
    double none = 1;
    for (int k = 1, shared = 0; k <= PEOPLE; k++) {
        shared += ended[k];
        none *= (double)(DAYS - k + 1) / DAYS;
        if (k % 4 == 0) line_to(&played, k, (double)shared / games);    // few: drawn as points
        line_to(&computed, k, 1 - none);
        metrics_write(
            story->run->metrics, 0,
            METRICS({"people", k}, {"played", (double)shared / games}, {"computed", 1 - none}));
        if (k == 23 || k == 50)
            printf("  two of %d share a birthday: played %.4f, computed %.4f\n", k,
                   (double)shared / games, 1 - none);
    }
    Plot plot = {.title = "Two with the same birthday",
                 .x_label = "people in the room",
                 .y_label = "probability"};
    figure_add(&plot, "computed", computed);
    figure_add(&plot, "played", played);
    run_plot(story->run, &plot, "birthdays");
}

// The host opens a door that was not chosen and hides nothing; where he has two, either.
static void play_doors(const Story *story, Rng *rng)
{
    static const double even[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    double share[3];
    int other[3], todo[3], games = 10 * story->experiments, stayed = 0, changed = 0;
    if (!pr_alias(share, other, even, 3, todo)) return;
    for (int g = 0; g < games; g++) {
        int prize = pr_alias_draw(share, other, 3, rng),
            choice = pr_alias_draw(share, other, 3, rng);
        int open = (prize + 1 + (prize == choice && rng_below(rng, 2))) % 3;
        if (open == choice) open = 3 - prize - choice;
        stayed += choice == prize;
        changed += 3 - choice - open == prize;
    }
    printf("  three doors: who stays wins %.4f (1/3), who changes %.4f (2/3)\n",
           (double)stayed / games, (double)changed / games);
    metrics_write(
        story->run->metrics, 0,
        METRICS({"stayed", (double)stayed / games}, {"changed", (double)changed / games}));
}

void tell_games(const Story *story)
{
    Rng rng = rng_stream(story->run->seed, 3);
    printf("\nGames, each played %d times\n", 10 * story->experiments);
    play_birthdays(story, &rng);
    play_doors(story, &rng);
}
