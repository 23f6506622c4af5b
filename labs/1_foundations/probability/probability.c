/* probability.c -- the mathematics of the lab; probability.h says what each function promises. */
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
    return sum / expected;    // 0 / 0 without a group
    // end uniformity
}

void pr_exponential(double *x, size_t n, double rate, Rng *rng)
{
    // solution exponential
    for (size_t i = 0; i < n; i++) x[i] = -log1p(-pr_uniform(rng)) / rate;
    // end exponential
}

void pr_normal(double *x, size_t n, double mean, double deviation, Rng *rng)
{
    // solution normal
    for (size_t i = 0; i < n; i += 2) {
        double distance = deviation * sqrt(-2 * log1p(-pr_uniform(rng)));
        double angle = 2 * PR_PI * pr_uniform(rng);

        x[i] = mean + distance * cos(angle);
        if (i + 1 < n) x[i + 1] = mean + distance * sin(angle);
    }
    // end normal
}

size_t pr_reject(double *x, size_t n, PrFunction *f, const void *about, double a, double b,
                 double top, Rng *rng)
{
    // solution reject
    size_t tries = 0, vain = 0;
    for (size_t i = 0; i < n && vain < PR_PATIENCE; tries++) {
        double place = a + (b - a) * pr_uniform(rng), height = top * pr_uniform(rng);
        double density = f(place, about);
        if (!(density >= 0 && density <= top)) return 0;
        vain++;
        if (height < density) {
            x[i++] = place;
            vain = 0;
        }
    }
    return vain < PR_PATIENCE ? tries : 0;
    // end reject
}

bool pr_alias(double *share, int *other, const double *p, int n, int *todo)
{
    // solution alias
    int small = 0, large = n;    // todo[0..small-1] have room; todo[large..n-1] have too much
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(p[i] >= 0)) return false;
        sum += p[i];
        share[i] = p[i] * n;
        other[i] = i;
        if (share[i] < 1) todo[small++] = i;
        else todo[--large] = i;
    }
    while (small > 0 && large < n) {
        int poor = todo[--small], rich = todo[large];
        other[poor] = rich;
        share[rich] -= 1 - share[poor];
        if (share[rich] < 1) {
            todo[small++] = rich;
            large++;
        }
    }
    // What rounding left over is full, up to rounding.
    while (small > 0) share[todo[--small]] = 1;
    while (large < n) share[todo[large++]] = 1;
    return fabs(sum - 1) <= 1e-9;
    // end alias
}

void pr_moments(PrMoments *m, const double *x, size_t n)
{
    // solution moments
    for (size_t i = 0; i < n; i++) {
        double before = x[i] - m->mean;
        m->n++;
        m->mean += before / (double)m->n;
        m->squares += before * (x[i] - m->mean);
    }
    // end moments
}

double pr_quantile(const double *sorted, size_t n, double q)
{
    // solution quantile
    if (n == 0 || !(q >= 0 && q <= 1)) return NAN;
    double place = (double)(n - 1) * q;
    size_t below = (size_t)place;
    if (below == n - 1) return sorted[below];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
    // end quantile
}

bool pr_fit(PrFit *fit, PrFamily family, const double *x, size_t n)
{
    // solution fit
    PrMoments m = {0};
    double factorials = 0;    // the sum of ln x!
    pr_moments(&m, x, n);
    if (n == 0 || !isfinite(m.mean)) return false;
    for (size_t i = 0; i < n; i++) {
        if (family != PR_NORMAL && x[i] < 0) return false;
        if (family == PR_POISSON && x[i] != floor(x[i])) return false;
        if (family == PR_POISSON) factorials += lgamma(x[i] + 1);
    }
    double count = (double)n, deviation = sqrt(m.squares / count);
    switch (family) {
    case PR_NORMAL:
        *fit = (PrFit){m.mean, deviation, -count * (log(deviation) + log(2 * PR_PI) / 2 + 0.5)};
        return deviation > 0;
    case PR_EXPONENTIAL:
        *fit = (PrFit){1 / m.mean, 0, -count * (log(m.mean) + 1)};
        return m.mean > 0;
    case PR_POISSON:
        *fit = (PrFit){m.mean, 0, count * m.mean * (log(m.mean) - 1) - factorials};
        return m.mean > 0;
    }
    return false;
    // end fit
}

double pr_update(PrBeta *belief, int heads, int tails)
{
    // solution update
    double a = belief->a, b = belief->b, before = lgamma(a) + lgamma(b) - lgamma(a + b);
    belief->a = a += heads;
    belief->b = b += tails;
    return lgamma(a) + lgamma(b) - lgamma(a + b) - before;
    // end update
}

void pr_gamma(double *lower, double *upper, double a, double x)
{
    // solution gamma
    *lower = *upper = NAN;
    if (!(a > 0 && x >= 0)) return;
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int k = 1; term > sum * DBL_EPSILON / 4 && k < 1000000; k++)
            sum += term *= x / (a + k);
        *lower = front * sum;
        *upper = 1 - *lower;
    } else {
        double b = x + 1 - a, c = INFINITY, d = 1 / b, h = d, factor = 0;
        for (int k = 1; fabs(factor - 1) > DBL_EPSILON && k < 1000000; k++) {
            double top = k * (a - k);
            b += 2;
            d = 1 / (b + top * d);
            c = b + top / c;
            factor = c * d;
            h *= factor;
        }
        *upper = isinf(x) ? 0 : front * h;
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
        // From the other end, where the fraction is quick and the small part keeps its digits.
        double held = a, *part = lower;
        a = b;
        b = held;
        x = 1 - x;
        lower = upper;
        upper = part;
    }
    double front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a;
    double c = INFINITY, d = 1, h = 1, factor = 0;
    for (int k = 1; fabs(factor - 1) > DBL_EPSILON && k < 1000000; k++) {
        int m = k / 2;
        double top = k % 2 == 0 ? m * (b - m) : -(a + m) * (a + b + m);

        top *= x / ((a + k - 1) * (a + k));
        d = 1 / (1 + top * d);
        c = 1 + top / c;
        factor = c * d;
        h *= factor;
    }
    *lower = front * h;
    *upper = 1 - *lower;
    // end beta
}

// T^2 / (freedom + T^2) has a beta distribution. It is asked from the end that is nearer, so that no
// digit is lost in 1 - x.
double pr_student_tails(double t, double freedom)
{
    double tails, rest, square = t * t;
    if (square < freedom) pr_beta(&rest, &tails, 0.5, freedom / 2, square / (freedom + square));
    else pr_beta(&tails, &rest, freedom / 2, 0.5, freedom / (freedom + square));
    return tails;
}

// Doubles until the place is passed, then halves what is left until no number lies between.
double pr_student_critical(double level, double freedom)
{
    double low = 0, high = 1;
    if (!(level > 0 && level < 1 && freedom > 0)) return NAN;
    while (pr_student_tails(high, freedom) > 1 - level) high *= 2;
    for (double middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2) {
        bool above = pr_student_tails(middle, freedom) > 1 - level;
        low = above ? middle : low;
        high = above ? high : middle;
    }
    return high;
}

bool pr_interval(double *low, double *high, const double *x, size_t n, double level)
{
    // solution interval
    PrMoments m = {0};
    pr_moments(&m, x, n);
    double error = sqrt(pr_variance(&m) / (double)n);
    if (!(level > 0 && level < 1) || !(error > 0) || !isfinite(error)) return false;
    double half = pr_student_critical(level, (double)(n - 1)) * error;
    *low = m.mean - half;
    *high = m.mean + half;
    return true;
    // end interval
}

bool pr_t_test(PrTest *test, const double *x, size_t n, const double *y, size_t m,
               double difference)
{
    // solution t_test
    PrMoments mx = {0}, my = {0};
    pr_moments(&mx, x, n);
    pr_moments(&my, y, m);
    double vx = pr_variance(&mx) / (double)n, vy = y == NULL ? 0 : pr_variance(&my) / (double)m;
    double v = vx + vy, terms = vx * vx / (double)(n - 1);
    if (!(v > 0) || !isfinite(v)) return false;
    if (y != NULL) terms += vy * vy / (double)(m - 1);
    test->statistic = (mx.mean - my.mean - difference) / sqrt(v);
    test->freedom = v * v / terms;
    test->p = pr_student_tails(test->statistic, test->freedom);
    return true;
    // end t_test
}

bool pr_chi_square(PrTest *test, const double *observed, const double *expected, size_t n,
                   int estimated)
{
    // solution chi_square
    double sum = 0, all = 0, surplus = 0, lower;
    for (size_t i = 0; i < n; i++) {
        double miss = observed[i] - expected[i];
        if (!(expected[i] > 0) || !(observed[i] >= 0) || !isfinite(miss)) return false;
        sum += miss * miss / expected[i];
        surplus += miss;
        all += expected[i];
    }
    double freedom = (double)n - 1 - estimated;
    if (freedom < 1 || fabs(surplus) > 1e-9 * all) return false;
    *test = (PrTest){.statistic = sum, .freedom = freedom};
    pr_gamma(&lower, &test->p, freedom / 2, sum / 2);
    return true;
    // end chi_square
}

void pr_bootstrap(double *replicas, size_t count, PrStatistic *statistic, const double *x, size_t n,
                  double *again, Rng *rng)
{
    // solution bootstrap
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < n; i++) again[i] = x[rng_below(rng, (uint32_t)n)];
        replicas[r] = statistic(again, n);
    }
    // end bootstrap
}

PrEstimate pr_integrate(PrFunction *f, const void *about, double a, double b, size_t n, Rng *rng)
{
    // solution integrate
    PrMoments m = {0};
    for (size_t i = 0; i < n; i++) {
        double height = f(a + (b - a) * pr_uniform(rng), about);
        pr_moments(&m, &height, 1);
    }
    return (PrEstimate){(b - a) * m.mean, fabs(b - a) * sqrt(pr_variance(&m) / (double)n)};
    // end integrate
}

double pr_metropolis(double *x, size_t n, double start, double step, PrFunction *log_density,
                     const void *about, Rng *rng)
{
    // solution metropolis
    double place = start, here = log_density(start, about);
    size_t moved = 0;
    for (size_t i = 0; i < n; i++) {
        double z = place + step * (2 * pr_uniform(rng) - 1), there = log_density(z, about);
        if (log(pr_uniform(rng)) < there - here) {
            place = z;
            here = there;
            moved++;
        }
        x[i] = place;
    }
    return (double)moved / (double)n;
    // end metropolis
}

PrInformation pr_information(const double *p, const double *q, size_t n)
{
    // solution information
    PrInformation said = {0, 0, 0};
    double sum_p = 0, sum_q = 0;
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        sum_p += p[i];
        sum_q += q[i];
        fine = fine && p[i] >= 0 && q[i] >= 0;
        if (p[i] == 0) continue;
        said.entropy -= p[i] * log(p[i]);
        said.cross -= p[i] * log(q[i]);
        said.divergence += p[i] * log(p[i] / q[i]);
    }
    fine = fine && fabs(sum_p - 1) <= 1e-9 && fabs(sum_q - 1) <= 1e-9;
    return fine ? said : (PrInformation){NAN, NAN, NAN};
    // end information
}
