/* bench.c -- numbers a second, beside GSL's on the same distributions where GSL is.
 *
 *     ./lab bench probability --mine
 *
 * One thread: the exercises have none. GSL draws from its own default generator, MT19937, 32 bits a
 * number; ours takes 53 from two steps of PCG32. The first line says what that alone costs.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/report.h"
#include "bench/solutions.h"
#include "labs/1_foundations/probability/probability.h"
#ifdef HAVE_GSL
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf.h>
#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_version.h>
#endif

enum { N = 10000, LETTERS = 26, SAMPLE = 100, CONTENDERS = 4 };

// What one call works on; `x` and what follows are overwritten.
typedef struct Work {
    Solution *solution;    // an answer's; NULL for GSL
    Rng rng;
    double p[LETTERS], given[N], x[N], share[N], again[SAMPLE], sum;
    int other[N], todo[N];
#ifdef HAVE_GSL
    gsl_rng *generator;
    gsl_ran_discrete_t *table;
#endif
} Work;

static double half_circle(double x, const void *about)
{
    (void)about;
    return sqrt(1 - x * x);
}

static double log_bell(double x, const void *about)
{
    (void)about;
    return -x * x / 2;
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

// ---- ours: each N numbers, unless its line says otherwise ----

static void uniform(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = pr_uniform(&w->rng);
}

static void exponential(Work *w)
{
    AS(pr_exponential, w->solution)(w->x, N, 1, &w->rng);
}

static void normal(Work *w)
{
    AS(pr_normal, w->solution)(w->x, N, 0, 1, &w->rng);
}

static void reject(Work *w)
{
    AS(pr_reject, w->solution)(w->x, N, half_circle, NULL, -1, 1, 1, &w->rng);
}

static void alias(Work *w)
{
    AS(pr_alias, w->solution)(w->share, w->other, w->p, LETTERS, w->todo);
    for (int i = 0; i < N; i++) w->x[i] = pr_alias_draw(w->share, w->other, LETTERS, &w->rng);
}

static void moments(Work *w)
{
    PrMoments m = {0};
    AS(pr_moments, w->solution)(&m, w->given, N);
    w->sum = pr_variance(&m);
}

static void gamma_parts(Work *w)
{
    for (int i = 0; i < N; i++) AS(pr_gamma, w->solution)(&w->x[i], &w->sum, 5, 10 * w->given[i]);
}

static void beta_parts(Work *w)
{
    for (int i = 0; i < N; i++) AS(pr_beta, w->solution)(&w->x[i], &w->sum, 5, 0.5, w->given[i]);
}

static void bootstrap(Work *w)
{
    AS(pr_bootstrap, w->solution)(w->x, N / SAMPLE, mean_of, w->given, SAMPLE, w->again, &w->rng);
}

static void integrate(Work *w)
{
    w->sum = AS(pr_integrate, w->solution)(half_circle, NULL, -1, 1, N, &w->rng).value;
}

static void metropolis(Work *w)
{
    AS(pr_metropolis, w->solution)(w->x, N, 0, 2.5, log_bell, NULL, &w->rng);
}

// ---- GSL's ----

#ifdef HAVE_GSL
static void gsl_uniform(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_rng_uniform(w->generator);
}

static void gsl_exponential(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_ran_exponential(w->generator, 1);
}

static void gsl_polar(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_ran_gaussian(w->generator, 1);
}

static void gsl_ziggurat(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_ran_gaussian_ziggurat(w->generator, 1);
}

static void gsl_alias(Work *w)
{
    gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(LETTERS, w->p);
    for (int i = 0; i < N; i++) w->x[i] = (double)gsl_ran_discrete(w->generator, table);
    gsl_ran_discrete_free(table);
}

static void gsl_moments(Work *w)
{
    w->sum = gsl_stats_variance(w->given, 1, N);
}

static void gsl_gamma(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_sf_gamma_inc_Q(5, 10 * w->given[i]);
}

static void gsl_beta(Work *w)
{
    for (int i = 0; i < N; i++) w->x[i] = gsl_cdf_beta_P(w->given[i], 5, 0.5);
}

static void gsl_bootstrap(Work *w)
{
    for (int r = 0; r < N / SAMPLE; r++) {
        gsl_ran_sample(w->generator, w->again, SAMPLE, w->given, SAMPLE, sizeof(double));
        w->x[r] = mean_of(w->again, SAMPLE);
    }
}
#define RIVAL(name, call)                                                                          \
    {                                                                                              \
        name, call                                                                                 \
    }
#else
#define RIVAL(name, call)                                                                          \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#endif

// ---- the table ----

typedef void Call(Work *work);

typedef struct Task {
    const char *exercise, *function, *what;    // function: NULL for what is given
    Call *call;
    struct {
        const char *name;
        Call *call;
    } rivals[2];
} Task;

static const Task tasks[] = {
    {"uniform", NULL, "there already", uniform, {RIVAL("GSL, MT19937", gsl_uniform)}},
    {"exponential", "pr_exponential", "numbers", exponential, {RIVAL("GSL", gsl_exponential)}},
    {"normal",
     "pr_normal",
     "numbers",
     normal,
     {RIVAL("GSL, polar", gsl_polar), RIVAL("GSL, ziggurat", gsl_ziggurat)}},
    {"reject", "pr_reject", "half circle", reject, {{NULL, NULL}}},
    {"alias", "pr_alias", "letters, with table", alias, {RIVAL("GSL", gsl_alias)}},
    {"moments", "pr_moments", "numbers", moments, {RIVAL("GSL", gsl_moments)}},
    {"gamma", "pr_gamma", "a = 5, x to 10", gamma_parts, {RIVAL("GSL", gsl_gamma)}},
    {"beta", "pr_beta", "a = 5, b = 1/2", beta_parts, {RIVAL("GSL", gsl_beta)}},
    {"bootstrap", "pr_bootstrap", "draws of 100", bootstrap, {RIVAL("GSL", gsl_bootstrap)}},
    {"integrate", "pr_integrate", "half circle", integrate, {{NULL, NULL}}},
    {"metropolis", "pr_metropolis", "steps", metropolis, {{NULL, NULL}}},
};
enum { TASKS = sizeof tasks / sizeof *tasks };

typedef struct Side {
    Call *call;
    Work *work;
} Side;

typedef struct Bench {
    Arena *keep;
    Command command;
    Solutions solutions;    // of the tasks, in their order
    BenchReport *report;
} Bench;

static double run_side(void *work, long calls, Error *err)
{
    (void)err;
    const Side *side = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) side->call(side->work);
    return bench_now() - start;
}

static Work *work_new(Arena *arena, Solution *solution)
{
    Work *work = arena_zeros(arena, sizeof *work);
    work->solution = solution;
    work->rng = rng_from_seed(1);
    for (int i = 0; i < N; i++) work->given[i] = pr_uniform(&work->rng);
    for (int c = 0; c < LETTERS; c++) work->p[c] = 2.0 * (c + 1) / (LETTERS * (LETTERS + 1));
#ifdef HAVE_GSL
    work->generator = gsl_rng_alloc(gsl_rng_mt19937);
#endif
    return work;
}

static void work_close(Work *work)
{
#ifdef HAVE_GSL
    gsl_rng_free(work->generator);
#endif
    (void)work;
}

static bool measure(const Bench *bench, Arena *arena, int index, Error *err)
{
    const Task *task = &tasks[index];
    const Solved *solved = &bench->solutions.all[index];
    Contender contenders[CONTENDERS];
    Side sides[CONTENDERS];
    Timing timings[CONTENDERS];
    int count = 0;
    const struct {
        const char *name;
        Call *call;
        Solution *solution;
    } known[CONTENDERS] = {
        {"reference", task->call, solved->reference},
        {solved->own != NULL ? "mine" : NULL, task->call, solved->own},
        {task->rivals[0].name, task->rivals[0].call, NULL},
        {task->rivals[1].name, task->rivals[1].call, NULL},
    };
    for (int i = 0; i < CONTENDERS; i++) {
        if (known[i].name == NULL) continue;
        sides[count] = (Side){known[i].call, work_new(arena, known[i].solution)};
        contenders[count] = (Contender){known[i].name, run_side, &sides[count]};
        count++;
    }
    bool measured = bench_compare(contenders, count, bench->command.plan, timings, err);
    for (int i = 0; i < count; i++) work_close(sides[i].work);
    if (!measured) return error_wrap(err, "%s", task->exercise);

    cJSON *row = bench_report_row(bench->report);
    cJSON_AddStringToObject(row, "exercise", task->exercise);
    cJSON_AddStringToObject(row, "what", task->what);
    cJSON_AddNumberToObject(row, "numbers", N);
    for (int i = 0; i < count; i++) {
        const char *left = i == 0 ? task->exercise : i == 1 ? task->what : "";
        printf("%-20s %-14s %8.1f million/s", left, timings[i].name,
               1e-6 * N / timings[i].seconds.median);
        if (i > 0) printf("   the reference is %.2f times as fast", timings[i].ratio.median);
        printf("%s\n", bench_noisy(timings[i].seconds) ? " ~" : "");
        bench_report_timing(row, &timings[i]);
    }
    if (solved->why_not != NULL)
        printf("%-20s mine: %s\n", count == 1 ? task->what : "", solved->why_not);
    else if (count == 1) puts(task->what);
    fflush(stdout);
    return true;
}

static bool try(const void *context, int index, Solution *own)
{
    const Bench *bench = context;
    tasks[index].call(work_new(bench->keep, own));
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench bench = {.keep = arena_new("keep", (size_t)1 << 28),
                   .solutions = {.lab = "probability", .test_seconds = 30}};
    Arena *step = arena_new("step", (size_t)1 << 28);
    Options *options = command_options(
        bench.keep, &bench.command, "probability",
        "Numbers a second: the lab's exercises beside GSL's on the same distributions.");
    solutions_options(options, &bench.solutions);
    for (int t = 0; t < TASKS; t++)
        solutions_add(&bench.solutions, tasks[t].exercise, tasks[t].function);
    if (!command_parse(bench.keep, options, argc, argv, &bench.command, &status)) return status;
    if (!solutions_open(bench.keep, &bench.solutions, try, &bench, &err)) return error_report(&err);
#ifdef HAVE_GSL
    bench.report = bench_report_new(bench.keep, "probability", "GSL " GSL_VERSION);
#else
    bench.report = bench_report_new(bench.keep, "probability", "no GSL: libgsl-dev was not there");
#endif
    putchar('\n');
    bench_threads(1);
    for (int t = 0; t < TASKS; t++) {
        if (solutions_asked(&bench.solutions, t) && !measure(&bench, step, t, &err))
            return error_report(&err);
        arena_reset(step);
    }
    puts("\none thread; ~ noisy");
    return bench_report_end(bench.report, bench.command.json, &err) ? 0 : error_report(&err);
}
