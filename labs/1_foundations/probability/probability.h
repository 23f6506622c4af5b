/* probability.h -- what you write in this lab: eighteen functions of a few lines each.
 *
 * All numbers are double, all logarithms natural. Outputs never overlap inputs and are overwritten
 * unless stated otherwise. n and m count numbers and may be 0 unless a minimum is given. Where the
 * answer is undefined a function returns false or NaN, and its outputs are then unspecified.
 *
 * Every random draw comes from pr_uniform() or rng_below(), in the order given here, so that the
 * same seed gives everyone the same sample. Nothing else is kept from one call to the next. A NaN in
 * the input propagates, unless it is refused.
 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include "common/rng.h"

#define PR_PI 3.14159265358979323846

typedef double PrFunction(double x, const void *context);    // a function and its parameters
typedef double PrStatistic(const double *x, size_t n);       // a number computed from a sample

// Provided: uniform on [0,1), with all 53 bits of a double.
static inline double pr_uniform(Rng *rng)
{
    uint64_t high = rng_next(rng) >> 5, low = rng_next(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

// ---- sampling ----

// 1. Chi-square statistic of uniformity in d dimensions.  u[0..d-1] is a point of the unit cube,
//    u[d..2d-1] the next, and so on: g = n / d points; left-over draws are ignored. Each side of
//    the cube is cut into `bins`; a point's cell is  c = (c_0 bins + c_1) bins + ...,
//    c_i = floor(u_i bins).  Writes counts[c] and returns  X = sum_c (counts[c] - e)^2 / e,
//    e = g / bins^d.  NaN when g is 0 or a u is not in [0,1).   counts: [bins^d]
double pr_uniformity(int *counts, const double *u, size_t n, int bins, int d);

// 2. Exponential variates by inverse transform sampling: F(x) = 1 - exp(-rate x), x = F^-1(u), one
//    pr_uniform() each. No x is infinite: u may be 0 but never 1.   rate > 0
void pr_exponential(double *x, size_t n, double rate, Rng *rng);

// 3. Normal variates in pairs by the Box-Muller transform, from two uniform draws u, v:
//    r = sqrt(-2 ln(1 - u)),  x[i] = mean + sd r cos(2 pi v),  x[i + 1] the same with the sine. For
//    odd n the last is a cosine and still takes two draws.   sd (standard deviation) >= 0
void pr_normal(double *x, size_t n, double mean, double sd, Rng *rng);

// 4. Rejection sampling from a density f on [a,b], unnormalized, 0 <= f <= bound. A proposal takes
//    two draws: the candidate  a + (b - a) u,  then the height  bound v.  The candidate is accepted
//    when the height is less than f there. Returns the number of proposals; 0 when an f is
//    negative, NaN or above bound, or after PR_MAX_REJECTIONS rejections in a row.
enum { PR_MAX_REJECTIONS = 100000 };
size_t pr_reject(double *x, size_t n, PrFunction *f, const void *context, double a, double b,
                 double bound, Rng *rng);

// 5. Alias table (Walker; Vose) to draw 0..n-1 with probabilities p in constant time. Picture n
//    columns of height 1 that hold n p between them: column i holds prob[i] of outcome i and the
//    remaining 1 - prob[i] of one other outcome, alias[i]. A full column has prob 1 and alias i.
//    False when a p is negative or NaN, or when they do not sum to 1 within 1e-9.
//    n >= 1, prob, alias: [n]; work: [n], scratch space
bool pr_alias(double *prob, int *alias, const double *p, int n, int *work);

// Provided: how the table is used.
static inline int pr_alias_draw(const double *prob, const int *alias, int n, Rng *rng)
{
    int i = (int)rng_below(rng, (uint32_t)n);
    return pr_uniform(rng) < prob[i] ? i : alias[i];
}

// ---- estimation ----

typedef struct PrMoments {
    size_t n;
    double mean;
    double squares;    // sum of squared deviations from the mean
} PrMoments;

// 6. Adds n numbers to the running moments m ({0} at the start) in one pass (Welford), without
//    summing squares:  mean += (x - mean) / n,  squares += (x - old mean) (x - new mean).
//    The mean of finite numbers is finite, also where a difference of two of them is not.
void pr_moments(PrMoments *m, const double *x, size_t n);

// Provided, on top of your 6: the moments of x / scale. *scale (0 at the start) is a power of 2 and
// grows with the largest |x|, so that no square overflows or vanishes, whatever the magnitude of x.
// The mean of x is then scale m.mean, its standard deviation scale sqrt(pr_variance(&m)).
void pr_scaled_moments(PrMoments *m, double *scale, const double *x, size_t n);

static inline double pr_variance(const PrMoments *m)    // provided; NaN for fewer than two
{
    return m->n < 2 ? NAN : m->squares / (double)(m->n - 1);
}

// 7. The q-quantile of sorted numbers: the one at position (n - 1) q, counted from 0, with linear
//    interpolation between two positions. NaN when n is 0 or q is not in [0,1]. At a position that
//    is a whole number the next one has no weight, even if it is infinite.
double pr_quantile(const double *sorted, size_t n, double q);

// Provided: ln(mean^x exp(-mean) / x!) for x = 0, 1, 2, ... and mean > 0. Its terms are far larger than
// their sum where x is large: at 1e9 they are 2e10, and the sum has only five right decimals.
double pr_log_poisson(double x, double mean);

typedef enum PrFamily { PR_NORMAL, PR_EXPONENTIAL, PR_POISSON } PrFamily;

typedef struct PrFit {
    double a, b;              // normal: mean, sd; exponential: rate, 0; Poisson: mean, 0
    double log_likelihood;    // sum_i ln f(x[i])
} PrFit;

// 8. Maximum likelihood estimate of the family's parameters:
//        normal       f(x) = exp(-(x - a)^2 / 2b^2) / (b sqrt(2 pi))
//        exponential  f(x) = a exp(-a x),          x >= 0
//        Poisson      f(x) = a^x exp(-a) / x!,     x = 0, 1, 2, ...
//    False when n is 0, when an x is not finite or outside the family's support, and when all x
//    are equal (normal) or 0 (the other two), where the likelihood has no maximum. Estimates are
//    right at any magnitude of x, also where squares would overflow or underflow, and the
//    log-likelihood has ten right digits or decimals; pr_log_poisson() helps.
bool pr_fit(PrFit *fit, PrFamily family, const double *x, size_t n);

typedef struct PrBeta {
    double a, b;    // Beta(a,b): density proportional to t^(a-1) (1-t)^(b-1); both above 0
} PrBeta;

// Provided: ln(B(a + n, b) / B(a, b)), the log probability of n >= 0 heads in a row under the prior
// Beta(a,b). Accurate for any a and b above 0, where a difference of lgamma() loses all digits.
double pr_log_beta_ratio(double a, double b, double n);

// 9. Bayes' rule for a coin whose probability of heads t has a Beta prior: turns the prior in *beta
//    into the posterior after so many heads and tails. Returns the log evidence (marginal
//    likelihood) of these tosses in their order:  ln B(a + heads, b + tails) - ln B(a, b),
//    B(a,b) = gamma(a) gamma(b) / gamma(a + b).  With ten right digits or decimals for a prior of any
//    strength and any number of tosses; pr_log_beta_ratio() helps.
double pr_update(PrBeta *beta, int heads, int tails);

// ---- tests and intervals ----

// Provided: ln(gamma(a + n) / gamma(a)), the logarithm of the Pochhammer symbol, for a > 0, n >= 0. The
// difference of two lgamma() would have no digits left for a small n or a large a.
double pr_log_pochhammer(double a, double n);

// 10. The regularized incomplete gamma functions P (lower) and Q (upper):
//     lower = int_0^x t^(a-1) e^-t dt / gamma(a),  upper = 1 - lower,
//     each with a relative error below 1e-10, however small it or a is. (Above a = 1000 the logarithm
//     of gamma(a) itself has no more digits: there 1e-13 a is enough.)
//     Both NaN unless a > 0 and x >= 0.
void pr_gamma(double *lower, double *upper, double a, double x);

// 11. The regularized incomplete beta function I_x(a,b) and its complement:
//     lower = int_0^x t^(a-1) (1-t)^(b-1) dt / B(a,b),  upper = 1 - lower.
//     As accurate as 10, with a + b for a, however small a or b is. Both NaN unless a > 0, b > 0 and 0 <= x <= 1.
void pr_beta(double *lower, double *upper, double a, double b, double x);

// Provided, on top of your 11, for Student's t with df degrees of freedom: the two-sided tail
// probability P(|T| > t), and the critical value t at which it is 1 - level.
double pr_student_tails(double t, double df);
double pr_student_critical(double level, double df);

// 12. Confidence interval for the mean, exact for normal x:  mean -+ t s / sqrt(n),
//     t = pr_student_critical(level, n - 1),  s^2 the sample variance (divisor n - 1).
//     False when n < 2, level is not in (0,1), an x is not finite, or all are equal. Right at any
//     magnitude of x, as 8 is.
bool pr_interval(double *low, double *high, const double *x, size_t n, double level);

typedef struct PrTest {
    double statistic;
    double df;    // degrees of freedom
    double p;     // p-value: probability under H0 of a statistic at least as extreme
} PrTest;

// 13. Two-sided t-test of H0: mean(x) - mean(y) = difference, for unequal variances (Welch):
//     t = (mean_x - mean_y - difference) / sqrt(v_x + v_y),   v = s^2 / n of each sample,
//     df = (v_x + v_y)^2 / (v_x^2 / (n - 1) + v_y^2 / (m - 1)),   p = pr_student_tails(t, df).
//     y may be NULL with m = 0: the one-sample test, where mean_y and v_y are 0 and df is n - 1.
//     False when a sample has fewer than two numbers or one that is not finite, both are constant,
//     or t is not finite. Right at any magnitude, also where s^2 would overflow or underflow.
bool pr_t_test(PrTest *test, const double *x, size_t n, const double *y, size_t m,
               double difference);

// 14. Pearson's chi-square test of goodness of fit:  X = sum (observed - expected)^2 / expected,
//     df = n - 1 - estimated (the number of parameters that were estimated from the counts),
//     p = P(chi-square > X): Q of 10 at a = df / 2, x = X / 2.
//     False when df is below 1, an expected is not above 0, an observed is negative or either is
//     not finite, or their sums differ by more than 1e-9 of the sum. No square overflows before it
//     is divided.
bool pr_chi_square(PrTest *test, const double *observed, const double *expected, size_t n,
                   int estimated);

// 15. Bootstrap replicates of a statistic: `count` times, draws n of the n numbers with
//     replacement, by rng_below() and in order, into `resample`, and computes the statistic of it.
//     n >= 1, replicates: [count], resample: [n]
void pr_bootstrap(double *replicates, size_t count, PrStatistic *statistic, const double *x,
                  size_t n, double *resample, Rng *rng);

// ---- Monte Carlo and information ----

typedef struct PrEstimate {
    double value, standard_error;
} PrEstimate;

// 16. Monte Carlo estimate of int_a^b f from n draws:  value (b - a) mean f(a + (b - a) u),
//     standard error |b - a| s / sqrt(n), s^2 the sample variance of f (divisor n - 1).
//     n >= 1; for n = 1 the standard error is NaN. Right at any magnitude of f, as 8 is.
PrEstimate pr_integrate(PrFunction *f, const void *context, double a, double b, size_t n, Rng *rng);

// 17. Random-walk Metropolis: a Markov chain with stationary density f, of which only ln f up to a
//     constant is known. Two draws an iteration: the proposal  z = current + width (2 u - 1),  then
//     v; z is accepted when  ln v < ln f(z) - ln f(current),  else the chain stays. x[i] is the
//     state after i + 1 iterations. Returns the acceptance rate. ln f is -infinity where f is 0; a
//     proposal where it is NaN is rejected.   n >= 1
double pr_metropolis(double *x, size_t n, double start, double width, PrFunction *log_density,
                     const void *context, Rng *rng);

typedef struct PrInformation {
    double entropy;          // H(p)     = - sum p ln p
    double cross_entropy;    // H(p,q)   = - sum p ln q
    double kl;               // KL(p||q) =   sum p ln(p / q)
} PrInformation;

// 18. Entropy, cross-entropy and KL divergence in nats. KL is summed by itself: a difference of two
//     large sums would lose its digits; so would ln of a rounded quotient where p is close to q
//     (log1p), and p / q may overflow. A p of 0 contributes 0, whatever q is; a q of 0 where p is
//     above 0 makes cross-entropy and KL infinite. All NaN unless p and q are probabilities that
//     sum to 1 within 1e-9.
PrInformation pr_information(const double *p, const double *q, size_t n);
