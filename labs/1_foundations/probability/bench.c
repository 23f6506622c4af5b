/* bench.c -- numbers a second, beside GSL on the same distributions where GSL is installed.
 *
 *     ./lab bench probability --mine
 *
 * The exercises use one thread. GSL draws from its default generator, MT19937, with 32 bits a
 * number; ours takes 53 bits from two steps of PCG32. The first row is the cost of that alone.
 */
#include "bench/exercises.h"
#include "common/rng.h"
#include "labs/1_foundations/probability/probability.h"
#ifdef HAVE_GSL
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf.h>
#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_version.h>
#endif

enum { N = 10000, LETTERS = 26, SAMPLE = 100 };

// What the calls work on; as `given` and `p` are made at the start, all calls see the same.
static double given[N], p[LETTERS], x[N], prob[N], resample[SAMPLE], lower, upper;
static int alias[N], work[N];

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < N; i++) given[i] = pr_uniform(&rng);
    for (int c = 0; c < LETTERS; c++) p[c] = 2.0 * (c + 1) / (LETTERS * (LETTERS + 1));
}

static double half_circle(double t, const void *context)
{
    (void)context;
    return sqrt(1 - t * t);
}

static double log_normal(double t, const void *context)
{
    (void)context;
    return -t * t / 2;
}

static double mean_of(const double *t, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += t[i];
    return sum / (double)n;
}

// ---- the exercises: each makes N numbers, and leaves its last one to be compared ----

#define EXERCISE(name, result, ...)                                                                \
    static void name(Solution *solution, float *const *a)                                          \
    {                                                                                              \
        Rng rng = rng_from_seed(2);                                                                \
        (void)solution, (void)rng;                                                                 \
        __VA_ARGS__;                                                                               \
        a[0][0] = (float)(result);                                                                 \
    }

EXERCISE(uniform, x[N - 1], for (int i = 0; i < N; i++) x[i] = pr_uniform(&rng))
EXERCISE(exponential, x[N - 1], AS(pr_exponential, solution)(x, N, 1, &rng))
EXERCISE(normal, x[N - 1], AS(pr_normal, solution)(x, N, 0, 1, &rng))
EXERCISE(reject, x[N - 1], AS(pr_reject, solution)(x, N, half_circle, NULL, -1, 1, 1, &rng))
EXERCISE(alias_table, x[N - 1], AS(pr_alias, solution)(prob, alias, p, LETTERS, work);
         for (int i = 0; i < N; i++) x[i] = pr_alias_draw(prob, alias, LETTERS, &rng))
EXERCISE(moments, pr_variance(&m), PrMoments m = {0}; AS(pr_moments, solution)(&m, given, N))
EXERCISE(gamma_parts, upper,
         for (int i = 0; i < N; i++) AS(pr_gamma, solution)(&lower, &upper, 5, 10 * given[i]))
EXERCISE(beta_parts, upper,
         for (int i = 0; i < N; i++) AS(pr_beta, solution)(&lower, &upper, 5, 0.5, given[i]))
EXERCISE(bootstrap, x[N / SAMPLE - 1],
         AS(pr_bootstrap, solution)(x, N / SAMPLE, mean_of, given, SAMPLE, resample, &rng))
EXERCISE(integrate, x[0],
         x[0] = AS(pr_integrate, solution)(half_circle, NULL, -1, 1, N, &rng).value)
EXERCISE(metropolis, x[N - 1], AS(pr_metropolis, solution)(x, N, 0, 2.5, log_normal, NULL, &rng))

// ---- GSL's ----

#ifdef HAVE_GSL
static gsl_rng *generator;
#define GSL(name, ...)                                                                             \
    static void gsl_##name(float *const *a)                                                        \
    {                                                                                              \
        (void)a;                                                                                   \
        __VA_ARGS__;                                                                               \
    }
#define EACH(value)                                                                                \
    for (int i = 0; i < N; i++) x[i] = value

GSL(uniform_draws, EACH(gsl_rng_uniform(generator)))
GSL(exponential_draws, EACH(gsl_ran_exponential(generator, 1)))
GSL(polar, EACH(gsl_ran_gaussian(generator, 1)))
GSL(ziggurat, EACH(gsl_ran_gaussian_ziggurat(generator, 1)))
GSL(alias_table, gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(LETTERS, p);
    EACH((double)gsl_ran_discrete(generator, table)); gsl_ran_discrete_free(table))
GSL(moments, x[0] = gsl_stats_variance(given, 1, N))
GSL(gamma_parts, EACH(gsl_sf_gamma_inc_Q(5, 10 * given[i])))
GSL(beta_parts, EACH(gsl_cdf_beta_P(given[i], 5, 0.5)))
GSL(
    resampling, for (int r = 0; r < N / SAMPLE; r++) {
        gsl_ran_sample(generator, resample, SAMPLE, given, SAMPLE, sizeof(double));
        x[r] = mean_of(resample, SAMPLE);
    })
#define RIVALS(...) .rivals = {__VA_ARGS__}
#define GSL_NAME    "GSL " GSL_VERSION
#else
#define RIVALS(...) .rivals = {{NULL, NULL}}
#endif

// ---- the table ----

#define NUMBERS .arrays = {WRITES(1)}, .numbers = N

// clang-format off
static const Workload workloads[] = {
    {"uniform", NULL, "provided", uniform, NUMBERS, RIVALS({GSL_NAME, gsl_uniform_draws})},
    {"exponential", "pr_exponential", "10000 draws", exponential, NUMBERS,
     RIVALS({GSL_NAME, gsl_exponential_draws})},
    {"normal", "pr_normal", "10000 draws", normal, NUMBERS,
     RIVALS({"GSL polar", gsl_polar}, {"GSL ziggurat", gsl_ziggurat})},
    {"reject", "pr_reject", "half circle", reject, NUMBERS},
    {"alias", "pr_alias", "26 letters", alias_table, NUMBERS, RIVALS({GSL_NAME, gsl_alias_table})},
    {"moments", "pr_moments", "10000 numbers", moments, NUMBERS, RIVALS({GSL_NAME, gsl_moments})},
    {"gamma", "pr_gamma", "a = 5, x to 10", gamma_parts, NUMBERS,
     RIVALS({GSL_NAME, gsl_gamma_parts})},
    {"beta", "pr_beta", "a = 5, b = 1/2", beta_parts, NUMBERS, RIVALS({GSL_NAME, gsl_beta_parts})},
    {"bootstrap", "pr_bootstrap", "100 means of 100", bootstrap, NUMBERS,
     RIVALS({GSL_NAME, gsl_resampling})},
    {"integrate", "pr_integrate", "half circle", integrate, NUMBERS},
    {"metropolis", "pr_metropolis", "10000 steps", metropolis, NUMBERS},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
#ifdef HAVE_GSL
    generator = gsl_rng_alloc(gsl_rng_mt19937);
#endif
    return exercises_main("probability", workloads, argc, argv);
}
