/* probability.h -- what you write in this lab: eighteen functions of a few lines each.
 *
 * All numbers are double, all logarithms natural. An output never overlaps an input; what it held
 * does not matter unless it is said. n and m count numbers; both may be as small as is said, and no
 * smaller. "False" and NaN are the answer to a question that has none: then the outputs hold
 * nothing of use.
 *
 * Every draw comes from pr_uniform() or rng_below(), in the order that is said: so the same seed
 * gives the same sample to everybody.
 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include "common/rng.h"

#define PR_PI 3.14159265358979323846

typedef double PrFunction(double x, const void *about);    // a function, and what it knows
typedef double PrStatistic(const double *x, size_t n);     // a number that sums a sample up

// There already: uniform in [0,1), all 53 bits that a double has room for.
static inline double pr_uniform(Rng *rng)
{
    uint64_t high = rng_next(rng) >> 5, low = rng_next(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

// ---- chance that is made ----

// 1. Are draws uniform, d at a time?  u[0..d-1] is a point of a cube, u[d..2d-1] the next, and so
//    on, g = n / d of them; what is left over is not used. Each side of the cube is cut into
//    `bins`: the point's cell is  c = (c_0 bins + c_1) bins + ...,  c_i = floor(u_i bins).
//    counts[c] is written, and returned is  X = sum_c (counts[c] - e)^2 / e,  e = g / bins^d.
//    NaN when g is 0 or a u is not in [0,1).   counts: [bins^d]
double pr_uniformity(int *counts, const double *u, size_t n, int bins, int d);

// 2. Exponential waiting times, by inverting F(x) = 1 - exp(-rate x): x = F^-1(u), one pr_uniform()
//    each. Nothing is infinite: u may be 0 but never 1.   rate > 0
void pr_exponential(double *x, size_t n, double rate, Rng *rng);

// 3. Normal numbers in pairs (Box & Muller), from two draws u, v:
//    r = sqrt(-2 ln(1 - u)),  x[i] = mean + deviation r cos(2 pi v),  x[i + 1] the same with the
//    sine. An odd n ends with a cosine, and two draws as well.   deviation >= 0
void pr_normal(double *x, size_t n, double mean, double deviation, Rng *rng);

// 4. Numbers with the density f on [a,b], which need not have area 1 and is nowhere above `top`. A
//    try is two draws: the place  a + (b - a) u,  then the height  top v.  The place is kept when
//    the height is less than f there. Returns the number of tries; 0 when an f is negative, NaN or
//    above top, or when PR_PATIENCE tries in a row were in vain.
enum { PR_PATIENCE = 100000 };
size_t pr_reject(double *x, size_t n, PrFunction *f, const void *about, double a, double b,
                 double top, Rng *rng);

// 5. A table to draw 0..n-1 with the probabilities p from, in a time that does not grow with n
//    (Walker; Vose). n columns of height 1 hold n p: column i holds share[i] of i, and its rest,
//    1 - share[i], of one other, other[i]. A column that is full of i has share 1 and other i.
//    False when a p is negative or NaN, or when they do not sum to 1 within 1e-9.
//    n >= 1, share, other: [n]; todo: [n], room to work in
bool pr_alias(double *share, int *other, const double *p, int n, int *todo);

// There already: how the table is used.
static inline int pr_alias_draw(const double *share, const int *other, int n, Rng *rng)
{
    int i = (int)rng_below(rng, (uint32_t)n);
    return pr_uniform(rng) < share[i] ? i : other[i];
}

// ---- what a sample says ----

typedef struct PrMoments {
    size_t n;
    double mean;
    double squares;    // sum of the squared distances from the mean
} PrMoments;

// 6. Adds n numbers to what m holds ({0} at the start), each looked at once, and never by summing
//    squares (Welford):  mean += (x - mean) / n,  squares += (x - mean before) (x - mean after).
void pr_moments(PrMoments *m, const double *x, size_t n);

static inline double pr_variance(const PrMoments *m)    // there already; NaN for less than two
{
    return m->n < 2 ? NAN : m->squares / (double)(m->n - 1);
}

// 7. The q-quantile of sorted numbers: the one at the place (n - 1) q, counted from 0; between two
//    places, on the straight line between the two. NaN when n is 0 or q is not in [0,1].
double pr_quantile(const double *sorted, size_t n, double q);

typedef enum PrFamily { PR_NORMAL, PR_EXPONENTIAL, PR_POISSON } PrFamily;

typedef struct PrFit {
    double a, b;              // normal: mean, deviation; exponential: rate, 0; Poisson: mean, 0
    double log_likelihood;    // sum_i ln f(x[i])
} PrFit;

// 8. The member of the family under which x is most likely:
//        normal       f(x) = exp(-(x - a)^2 / 2b^2) / (b sqrt(2 pi))
//        exponential  f(x) = a exp(-a x),          x >= 0
//        Poisson      f(x) = a^x exp(-a) / x!,     x = 0, 1, 2, ...
//    False when there is no x, or one that is not finite or that the family never gives; and when
//    all are equal (normal) or 0 (the other two), where the likelihood has no highest place.
bool pr_fit(PrFit *fit, PrFamily family, const double *x, size_t n);

typedef struct PrBeta {
    double a, b;    // of a density proportional to t^(a-1) (1-t)^(b-1); both above 0
} PrBeta;

// 9. Bayes for a coin that falls heads with probability t: `belief` about t becomes what it is
//    after so many heads and tails. Returns the logarithm of the probability that the old belief
//    gave to just these tosses, in their order:  ln B(a + heads, b + tails) - ln B(a, b),
//    B(a,b) = gamma(a) gamma(b) / gamma(a + b).
double pr_update(PrBeta *belief, int heads, int tails);

// ---- how sure that is ----

// 10. The two parts of the gamma function, as shares of the whole:
//     lower = int_0^x t^(a-1) e^-t dt / gamma(a),  upper = 1 - lower,
//     each with a relative error below 1e-10, however small it is. (Above a = 1000 the logarithm of
//     gamma(a) itself has no more digits: there 1e-13 a is enough.)
//     Both NaN unless a > 0 and x >= 0.
void pr_gamma(double *lower, double *upper, double a, double x);

// 11. The same of the beta function:
//     lower = int_0^x t^(a-1) (1-t)^(b-1) dt / B(a,b),  upper = 1 - lower.
//     As exact, with a + b for a. Both NaN unless a > 0, b > 0 and 0 <= x <= 1.
void pr_beta(double *lower, double *upper, double a, double b, double x);

// There already, on top of your 11: P(|T| > t) for Student's T, and the t where it is 1 - level.
double pr_student_tails(double t, double freedom);
double pr_student_critical(double level, double freedom);

// 12. The interval for the mean that covers it in `level` of all samples (exactly, when x is
//     normal):  mean -+ t s / sqrt(n),  t = pr_student_critical(level, n - 1),  s^2 the variance
//     with n - 1. False when n < 2, level is not in (0,1), an x is not finite, or all are equal.
bool pr_interval(double *low, double *high, const double *x, size_t n, double level);

typedef struct PrTest {
    double statistic, freedom;
    double p;    // how often chance alone gives a statistic at least as extreme
} PrTest;

// 13. Is mean(x) - mean(y) = difference? Two-sided, with variances that may differ (Welch):
//     t = (mean_x - mean_y - difference) / sqrt(v_x + v_y),   v = s^2 / n of each sample,
//     freedom = (v_x + v_y)^2 / (v_x^2 / (n - 1) + v_y^2 / (m - 1)),
//     p = pr_student_tails(t, freedom).
//     y may be NULL, m is 0 then: one sample, mean_y and v_y are 0, freedom is n - 1.
//     False when a sample has less than two numbers or one that is not finite, or v_x + v_y is 0.
bool pr_t_test(PrTest *test, const double *x, size_t n, const double *y, size_t m,
               double difference);

// 14. Do counts fit what was expected?  X = sum (observed - expected)^2 / expected,
//     freedom = n - 1 - estimated (parameters that were fitted to the counts),
//     p = P(chi-square > X), the upper part of 10 at a = freedom / 2, x = X / 2.
//     False when freedom is below 1, an expected is not above 0, an observed is negative or either
//     is not finite, or their sums differ by more than 1e-9 of the sum.
bool pr_chi_square(PrTest *test, const double *observed, const double *expected, size_t n,
                   int estimated);

// 15. What else the statistic could have been: `count` times, draws n of the n numbers with
//     rng_below(), with repetition and in order, into `again`, and takes the statistic of those.
//     n >= 1, replicas: [count], again: [n]
void pr_bootstrap(double *replicas, size_t count, PrStatistic *statistic, const double *x, size_t n,
                  double *again, Rng *rng);

// ---- answers by chance ----

typedef struct PrEstimate {
    double value, error;    // error: the standard deviation of the value
} PrEstimate;

// 16. int_a^b f by n draws:  (b - a) mean f(a + (b - a) u), and (b - a) s / sqrt(n), s^2 the
//     variance of f with n - 1. n >= 1; the error of one draw is NaN.
PrEstimate pr_integrate(PrFunction *f, const void *about, double a, double b, size_t n, Rng *rng);

// 17. A walk that visits places in proportion to a density f, of which only ln f up to a constant
//     is known (Metropolis). Two draws a step: the proposal, z = place + step (2 u - 1); then v,
//     and the walk moves to z when  ln v < ln f(z) - ln f(place),  else stays. x[i] is where it is
//     after i + 1 steps. Returns the share of steps that moved. ln f is -infinity where f is 0; NaN
//     is never moved to.   n >= 1
double pr_metropolis(double *x, size_t n, double start, double step, PrFunction *log_density,
                     const void *about, Rng *rng);

typedef struct PrInformation {
    double entropy;       // H(p)     = - sum p ln p
    double cross;         // H(p,q)   = - sum p ln q
    double divergence;    // KL(p||q) =   sum p ln(p / q)
} PrInformation;

// 18. What p costs to say, in nats: in the best code; in the code that is best for q; and by how
//     much that is worse, summed for itself, since a difference of two large sums loses its digits.
//     A p of 0 costs nothing, whatever q is; a q of 0 where p is not, infinitely much. All NaN
//     unless p and q are probabilities that sum to 1 within 1e-9.
PrInformation pr_information(const double *p, const double *q, size_t n);
