/* probability.c -- the reference solutions; probability.h is their contract. */
#include "labs/1_foundations/probability/probability.h"
#include <float.h>

double pr_uniformity(int *counts, const double *u, size_t n, int bins, int d)
{
    // solution uniformity
    size_t groups = n / (size_t)d, cells = 1;
    for (int i = 0; i < d; i++) cells *= (size_t)bins;
    for (size_t c = 0; c < cells; c++) counts[c] = 0;
    for (size_t g = 0; g < groups; g++) {
        size_t cell = 0;
        for (int i = 0; i < d; i++, u++) {
            if (!(*u >= 0 && *u < 1)) return NAN;
            cell = cell * (size_t)bins + (size_t)(*u * bins);
        }
        counts[cell]++;
    }
    double sum = 0, expected = (double)groups / (double)cells;
    for (size_t c = 0; c < cells; c++) sum += (counts[c] - expected) * (counts[c] - expected);
    return sum / expected;    // 0 / 0 when there is no point
    // end uniformity
}

void pr_exponential(double *x, size_t n, double rate, Rng *rng)
{
    // solution exponential
    for (size_t i = 0; i < n; i++) x[i] = -log1p(-pr_uniform(rng)) / rate;
    // end exponential
}

void pr_normal(double *x, size_t n, double mean, double sd, Rng *rng)
{
    // solution normal
    for (size_t i = 0; i < n; i += 2) {
        double radius = sd * sqrt(-2 * log1p(-pr_uniform(rng)));
        double angle = 2 * PR_PI * pr_uniform(rng);

        x[i] = mean + radius * cos(angle);
        if (i + 1 < n) x[i + 1] = mean + radius * sin(angle);
    }
    // end normal
}

size_t pr_reject(double *x, size_t n, PrFunction *f, const void *context, double a, double b,
                 double bound, Rng *rng)
{
    // solution reject
    size_t proposals = 0, rejections = 0;
    for (size_t i = 0; i < n && rejections < PR_MAX_REJECTIONS; proposals++) {
        double candidate = a + (b - a) * pr_uniform(rng), height = bound * pr_uniform(rng);
        double density = f(candidate, context);
        if (!(density >= 0 && density <= bound)) return 0;
        rejections++;
        if (height < density) {
            x[i++] = candidate;
            rejections = 0;
        }
    }
    return rejections < PR_MAX_REJECTIONS ? proposals : 0;
    // end reject
}

bool pr_alias(double *prob, int *alias, const double *p, int n, int *work)
{
    // solution alias
    int small = 0, large = n;    // work[0..small-1]: below 1; work[large..n-1]: 1 or more
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(p[i] >= 0)) return false;
        sum += p[i];
        prob[i] = p[i] * n;
        alias[i] = i;
        if (prob[i] < 1) work[small++] = i;
        else work[--large] = i;
    }
    while (small > 0 && large < n) {
        int low = work[--small], high = work[large];
        alias[low] = high;
        prob[high] -= 1 - prob[low];
        if (prob[high] < 1) {
            work[small++] = high;
            large++;
        }
    }
    // What is left is full, up to rounding.
    while (small > 0) prob[work[--small]] = 1;
    while (large < n) prob[work[large++]] = 1;
    return fabs(sum - 1) <= 1e-9;
    // end alias
}

void pr_moments(PrMoments *m, const double *x, size_t n)
{
    // solution moments
    for (size_t i = 0; i < n; i++) {
        double delta = x[i] - m->mean;
        m->n++;
        double count = (double)m->n;
        // The difference itself may overflow.
        m->mean += isinf(delta) ? x[i] / count - m->mean / count : delta / count;
        m->squares += delta * (x[i] - m->mean);
    }
    // end moments
}

// What m holds is in units of the scale so far. A power of 2: the quotients are exact.
void pr_scaled_moments(PrMoments *m, double *scale, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double size = fabs(x[i]);
        if (size > 0 && size >= 2 * *scale) {
            double larger = scalbn(1, ilogb(size)), shrink = *scale / larger;
            m->mean *= shrink;
            m->squares *= shrink * shrink;
            *scale = larger;
        }
        double scaled = size > 0 ? x[i] / *scale : x[i];
        pr_moments(m, &scaled, 1);
    }
}

double pr_quantile(const double *sorted, size_t n, double q)
{
    // solution quantile
    if (n == 0 || !(q >= 0 && q <= 1)) return NAN;
    double position = (double)(n - 1) * q;
    size_t below = (size_t)position;
    double share = position - (double)below, low = sorted[below];
    if (share == 0) return low;    // there may be no next number, or an infinite one
    double high = sorted[below + 1], gap = high - low;
    return isfinite(gap) ? low + share * gap : (1 - share) * low + share * high;
    // end quantile
}

bool pr_fit(PrFit *fit, PrFamily family, const double *x, size_t n)
{
    // solution fit
    PrMoments m = {0};
    double scale = 0;
    pr_scaled_moments(&m, &scale, x, n);
    if (n == 0 || !isfinite(m.mean)) return false;
    for (size_t i = 0; i < n; i++) {
        if (family != PR_NORMAL && x[i] < 0) return false;
        if (family == PR_POISSON && x[i] != floor(x[i])) return false;
    }
    double count = (double)n, mean = scale * m.mean, sd = scale * sqrt(m.squares / count);
    switch (family) {
    case PR_NORMAL:
        *fit = (PrFit){mean, sd, -count * (log(sd) + log(2 * PR_PI) / 2 + 0.5)};
        return sd > 0;
    case PR_EXPONENTIAL:
        *fit = (PrFit){1 / mean, 0, -count * (log(mean) + 1)};
        return mean > 0 && isfinite(fit->a);
    case PR_POISSON:
        *fit = (PrFit){mean, 0, 0};
        for (size_t i = 0; i < n; i++) fit->log_likelihood += pr_log_poisson(x[i], mean);
        return mean > 0;
    }
    return false;
    // end fit
}

// What Stirling's formula lacks, ln gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2), for x >= 20: the first
// terms of its series (DLMF 5.11.1).
static double stirling_rest(double x)
{
    double p = 1 / x, p2 = p * p;
    return p * (1.0 / 12 - p2 * (1.0 / 360 - p2 / 1260));
}

// Loader 2000, Fast and accurate computation of binomial probabilities: Stirling's formula for x! leaves
// x ln(x / mean) + mean - x, which is summed as a series in v where x is near the mean.
double pr_log_poisson(double x, double mean)
{
    if (x < 20) return x * log(mean) - mean - lgamma(x + 1);
    double v = (x / 2 - mean / 2) / (x / 2 + mean / 2), deviance = (x - mean) * v;
    double term = 2 * x * v, before = NAN;
    for (int k = 3; deviance != before && fabs(v) < 0.1; k += 2) {
        before = deviance;
        term *= v * v;
        deviance += term / k;
    }
    if (fabs(v) >= 0.1) deviance = x * log(x / mean) + mean - x;
    return -deviance - stirling_rest(x) - (log(x) + log(2 * PR_PI)) / 2;
}

// Recurrence up to a >= 20, where Stirling's formula takes over. Every term has the sign and about the
// size of what it contributes: none is the difference of two larger ones.
double pr_log_beta_ratio(double a, double b, double n)
{
    double sum = 0;
    while (a < 20) {
        double share = b / (a + b) * (n / (a + n));
        sum += share < 0.5 ? log1p(-share) : log(a) - log(a + b) + log((a + b + n) / (a + n));
        a++;
    }
    double all = a + b + n;
    return sum + (a - 0.5) * log1p(b / a * (n / all)) - n * log1p(b / (a + n)) -
           b * log1p(n / (a + b)) + stirling_rest(a + n) - stirling_rest(a) + stirling_rest(a + b) -
           stirling_rest(all);
}

// Recurrence up to a >= 20, where the difference of Stirling's series (DLMF 5.11.1) is taken term
// by term: each has a factor n, so that no digit is lost however small n is.
double pr_log_pochhammer(double a, double n)
{
    double sum = 0;
    while (a < 20) {
        sum += n < a ? log1p(n / a) : log(a + n) - log(a);
        a++;
    }
    double p = 1 / a, q = 1 / (a + n), p2 = p * p, q2 = q * q;
    double series = 1.0 / 12 - (p2 + p * q + q2) / 360 +
                    (p2 * p2 + p2 * q2 + q2 * q2 + p * q * (p2 + q2)) / 1260;
    return (a - 0.5) * log1p(n / a) + n * (log(a + n) - 1) - n * p * q * series - sum;
}

double pr_update(PrBeta *beta, int heads, int tails)
{
    // solution update
    double a = beta->a, b = beta->b;
    beta->a += heads;
    beta->b += tails;
    return pr_log_beta_ratio(a, b, heads) + pr_log_beta_ratio(b, a + heads, tails);
    // end update
}

void pr_gamma(double *lower, double *upper, double a, double x)
{
    // solution gamma
    *lower = *upper = NAN;
    if (!(a > 0 && x >= 0)) return;
    double logarithm = a * log(x) - pr_log_pochhammer(1, a);    // ln x^a / gamma(a + 1)
    if (x < a + 1 && a < 1) {
        // 1 + sum is e^x times the other series; here 1 - lower is known without subtracting.
        double power = 1, term = 1, sum = 0;
        for (int k = 1; fabs(term) > DBL_EPSILON / 4 * fabs(sum) && k < 1000; k++) {
            power *= -x / k;
            sum += term = a * power / (a + k);
        }
        *lower = exp(logarithm) * (1 + sum);
        *upper = -expm1(logarithm) - exp(logarithm) * sum;
    } else if (x < a + 1) {
        double term = 1, sum = 1;
        for (int k = 1; term > sum * DBL_EPSILON / 4 && k < 100000000; k++)
            sum += term *= x / (a + k);
        *lower = exp(logarithm - x) * sum;
        *upper = 1 - *lower;
    } else {
        double b = x + 1 - a, c = INFINITY, d = 1 / b, h = d, factor = 0;
        for (int k = 1; fabs(factor - 1) > DBL_EPSILON && k < 1000000; k++) {
            double numerator = k * (a - k);
            b += 2;
            d = 1 / (b + numerator * d);
            c = b + numerator / c;
            factor = c * d;
            h *= factor;
        }
        *upper = isinf(x) ? 0 : a * exp(logarithm - x) * h;
        *lower = 1 - *upper;
    }
    // end gamma
}

void pr_beta(double *lower, double *upper, double a, double b, double x)
{
    // solution beta
    *lower = *upper = NAN;
    if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return;
    if (x > (a + 1) / (a + b + 2)) {
        // I_x(a,b) = 1 - I_(1-x)(b,a): the fraction converges fast, the small part keeps its digits.
        double held = a, *part = lower;
        a = b;
        b = held;
        x = 1 - x;
        lower = upper;
        upper = part;
    }
    double logarithm = a * log(x) + pr_log_pochhammer(b, a) - pr_log_pochhammer(1, a);
    if (a < 1) {
        // The power series of x^a / (a B(a,b)): 1 - lower is known without subtracting.
        double power = 1, term = 1, sum = 0;
        for (int k = 1; fabs(term) > DBL_EPSILON / 4 * fabs(sum) && k < 1000; k++) {
            power *= (k - b) / k * x;
            sum += term = a * power / (a + k);
        }
        *lower = exp(logarithm) * (1 + sum);
        *upper = -expm1(logarithm) - exp(logarithm) * sum;
        return;
    }
    double prefactor = exp(logarithm + b * log1p(-x));
    double c = INFINITY, d = 1, h = 1, factor = 0;
    for (int k = 1; fabs(factor - 1) > DBL_EPSILON && k < 1000000; k++) {
        int m = k / 2;
        double numerator = k % 2 == 0 ? m * (b - m) : -(a + m) * (a + b + m);

        numerator *= x / ((a + k - 1) * (a + k));
        d = 1 / (1 + numerator * d);
        c = 1 + numerator / c;
        factor = c * d;
        h *= factor;
    }
    *lower = prefactor * h;
    *upper = 1 - *lower;
    // end beta
}

// T^2 / (df + T^2) has a beta distribution; the nearer end is used, so that 1 - x loses no digits.
double pr_student_tails(double t, double df)
{
    double tails, rest, square = t * t;
    if (isinf(square) && isfinite(t))    // the first term of the series, x^a / (a B(a,b))
        return exp(df * (log(df) / 2 - log(fabs(t))) + pr_log_pochhammer(0.5, df / 2) -
                   pr_log_pochhammer(1, df / 2));
    if (square < df) pr_beta(&rest, &tails, 0.5, df / 2, square / (df + square));
    else pr_beta(&tails, &rest, df / 2, 0.5, df / (df + square));
    return tails;
}

// Doubles an upper bound, then bisects to the last bit.
double pr_student_critical(double level, double df)
{
    double low = 0, high = 1;
    if (!(level > 0 && level < 1 && df > 0)) return NAN;
    while (pr_student_tails(high, df) > 1 - level) high *= 2;
    for (double middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2) {
        bool above = pr_student_tails(middle, df) > 1 - level;
        low = above ? middle : low;
        high = above ? high : middle;
    }
    return high;
}

bool pr_interval(double *low, double *high, const double *x, size_t n, double level)
{
    // solution interval
    PrMoments m = {0};
    double scale = 0;
    pr_scaled_moments(&m, &scale, x, n);
    double standard_error = sqrt(pr_variance(&m) / (double)n);
    if (!(level > 0 && level < 1) || !(standard_error > 0) || !isfinite(standard_error))
        return false;
    double margin = pr_student_critical(level, (double)(n - 1)) * standard_error;
    *low = scale * (m.mean - margin);
    *high = scale * (m.mean + margin);
    return true;
    // end interval
}

bool pr_t_test(PrTest *test, const double *x, size_t n, const double *y, size_t m,
               double difference)
{
    // solution t_test
    PrMoments mx = {0}, my = {0};
    double x_scale = 0, y_scale = 0, y_error = 0, y_part = 0;
    pr_scaled_moments(&mx, &x_scale, x, n);
    pr_scaled_moments(&my, &y_scale, y, m);
    double x_error = x_scale * sqrt(pr_variance(&mx) / (double)n);
    if (y != NULL) y_error = y_scale * sqrt(pr_variance(&my) / (double)m);
    double error = hypot(x_error, y_error), x_part = pow(x_error / error, 4) / (double)(n - 1);
    if (!isfinite(error)) return false;
    if (y != NULL) y_part = pow(y_error / error, 4) / (double)(m - 1);
    test->statistic = (x_scale * mx.mean - y_scale * my.mean - difference) / error;
    test->df = 1 / (x_part + y_part);
    test->p = pr_student_tails(test->statistic, test->df);
    return isfinite(test->statistic);    // nor is it when neither sample varies
    // end t_test
}

bool pr_chi_square(PrTest *test, const double *observed, const double *expected, size_t n,
                   int estimated)
{
    // solution chi_square
    double sum = 0, total = 0, excess = 0, lower;
    for (size_t i = 0; i < n; i++) {
        double residual = observed[i] - expected[i];
        if (!(expected[i] > 0) || !(observed[i] >= 0) || !isfinite(residual)) return false;
        sum += residual / expected[i] * residual;
        excess += residual;
        total += expected[i];
    }
    double df = (double)n - 1 - estimated;
    if (df < 1 || fabs(excess) > 1e-9 * total) return false;
    *test = (PrTest){.statistic = sum, .df = df};
    pr_gamma(&lower, &test->p, df / 2, sum / 2);
    return true;
    // end chi_square
}

void pr_bootstrap(double *replicates, size_t count, PrStatistic *statistic, const double *x,
                  size_t n, double *resample, Rng *rng)
{
    // solution bootstrap
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < n; i++) resample[i] = x[rng_below(rng, (uint32_t)n)];
        replicates[r] = statistic(resample, n);
    }
    // end bootstrap
}

PrEstimate pr_integrate(PrFunction *f, const void *context, double a, double b, size_t n, Rng *rng)
{
    // solution integrate
    PrMoments m = {0};
    double scale = 0;
    for (size_t i = 0; i < n; i++) {
        double value = f(a + (b - a) * pr_uniform(rng), context);
        pr_scaled_moments(&m, &scale, &value, 1);
    }
    return (PrEstimate){(b - a) * (scale * m.mean),
                        fabs(b - a) * (scale * sqrt(pr_variance(&m) / (double)n))};
    // end integrate
}

double pr_metropolis(double *x, size_t n, double start, double width, PrFunction *log_density,
                     const void *context, Rng *rng)
{
    // solution metropolis
    double current = start, log_current = log_density(start, context);
    size_t accepted = 0;
    for (size_t i = 0; i < n; i++) {
        double proposal = current + width * (2 * pr_uniform(rng) - 1),
               log_proposed = log_density(proposal, context);
        if (log(pr_uniform(rng)) < log_proposed - log_current) {
            current = proposal;
            log_current = log_proposed;
            accepted++;
        }
        x[i] = current;
    }
    return (double)accepted / (double)n;
    // end metropolis
}

PrInformation pr_information(const double *p, const double *q, size_t n)
{
    // solution information
    PrInformation info = {0, 0, 0};
    double sum_p = 0, sum_q = 0;
    bool valid = true;
    for (size_t i = 0; i < n; i++) {
        sum_p += p[i];
        sum_q += q[i];
        valid = valid && p[i] >= 0 && q[i] >= 0;
        if (p[i] == 0) continue;
        info.entropy -= p[i] * log(p[i]);
        info.cross_entropy -= p[i] * log(q[i]);
        // Where they are close, the logarithm of a rounded quotient would lose the difference.
        info.kl += p[i] * (fabs(p[i] - q[i]) < q[i] / 2 ? log1p((p[i] - q[i]) / q[i])
                                                        : log(p[i]) - log(q[i]));
    }
    valid = valid && fabs(sum_p - 1) <= 1e-9 && fabs(sum_q - 1) <= 1e-9;
    return valid ? info : (PrInformation){NAN, NAN, NAN};
    // end information
}
