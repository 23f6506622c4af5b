/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check boltzmann
 *     ./lab check boltzmann.cd
 *
 * Expected values never come from boltzmann.c: they are plain loops in double, values computed by hand,
 * enumeration of every state, and finite differences. A case calls functions of its own exercise only.
 * Every array ends at a guard page.
 */
#include "labs/2_core/boltzmann/check.h"
#include "kernels/philox.h"

const CaseList lab_cases[] = {sum_cases,    machine_cases,  network_cases, layer_cases,
                              energy_cases, gradient_cases, ais_cases,     NULL};

// ---- a few units ----

Machine machine_random(uint64_t seed, int n, double scale)
{
    Rng rng = rng_from_seed(seed);
    Machine m = {n, doubles_zero((size_t)n * (size_t)n), doubles_zero((size_t)n)};
    for (int i = 0; i < n; i++) {
        m.b[i] = scale * (double)rng_normal(&rng);
        m.w[i * n + i] = (double)NAN;
        for (int j = 0; j < i; j++)
            m.w[i * n + j] = m.w[j * n + i] = scale * (double)rng_normal(&rng);
    }
    return m;
}

double energy_of(const Machine *m, const int *s)
{
    double twice = 0;
    for (int i = 0; i < m->n; i++) {
        twice -= 2 * m->b[i] * s[i];
        for (int j = 0; j < m->n; j++)
            if (i != j) twice -= m->w[i * m->n + j] * s[i] * s[j];
    }
    return twice / 2;
}

double enumerate(const Machine *m, double *p)
{
    size_t states = (size_t)1 << m->n;
    double least = (double)INFINITY, sum = 0;
    for (size_t k = 0; k < states; k++) {
        int s[32];
        for (int i = 0; i < m->n; i++) s[i] = (int)(k >> i & 1);
        p[k] = energy_of(m, s);
        least = fmin(least, p[k]);
    }
    for (size_t k = 0; k < states; k++) sum += p[k] = exp(least - p[k]);
    for (size_t k = 0; k < states; k++) p[k] /= sum;
    return log(sum) - least;
}

// ---- restricted machines ----

Rbm rbm_of(int V, int H, const float *w, const float *b, const float *c)
{
    return (Rbm){V, H, floats_copy(w, (size_t)H * (size_t)V), floats_copy(b, (size_t)V),
                 floats_copy(c, (size_t)H)};
}

Rbm rbm_random(uint64_t seed, int V, int H, double scale)
{
    Rng rng = rng_from_seed(seed);
    float *w = floats_normal(&rng, (size_t)H * (size_t)V), *b = floats_normal(&rng, (size_t)V),
          *c = floats_normal(&rng, (size_t)H);
    for (int i = 0; i < H * V; i++) w[i] *= (float)scale;
    return (Rbm){V, H, w, b, c};
}

Rbm rbm_copy(const Rbm *rbm)
{
    return rbm_of(rbm->V, rbm->H, rbm->w, rbm->b, rbm->c);
}

void assert_rbm_kept(const Rbm *rbm, const Rbm *before)
{
    assert_kept("w", rbm->w, before->w, (size_t)rbm->H * (size_t)rbm->V);
    assert_kept("b", rbm->b, before->b, (size_t)rbm->V);
    assert_kept("c", rbm->c, before->c, (size_t)rbm->H);
}

float *rows_random(uint64_t seed, int rows, int columns)
{
    Rng rng = rng_from_seed(seed);
    float *v = floats_filled((size_t)rows * (size_t)columns, 0);
    for (int i = 0; i < rows * columns; i++) v[i] = rng_uniform(&rng) < 0.4f;
    return v;
}

double input_of(const Rbm *rbm, const double *v, int j)
{
    double x = (double)rbm->c[j];
    for (int i = 0; i < rbm->V; i++) x += (double)rbm->w[j * rbm->V + i] * v[i];
    return x;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

double *hidden_of(const Rbm *rbm, const double *v, int B)
{
    double *h = doubles_zero((size_t)B * (size_t)rbm->H);
    for (int r = 0; r < B; r++)
        for (int j = 0; j < rbm->H; j++)
            h[r * rbm->H + j] = sigmoid(input_of(rbm, v + (size_t)r * (size_t)rbm->V, j));
    return h;
}

double *visible_of(const Rbm *rbm, const double *h, int B)
{
    double *v = doubles_zero((size_t)B * (size_t)rbm->V);
    for (int r = 0; r < B; r++)
        for (int i = 0; i < rbm->V; i++) {
            double x = (double)rbm->b[i];
            for (int j = 0; j < rbm->H; j++)
                x += h[r * rbm->H + j] * (double)rbm->w[j * rbm->V + i];
            v[r * rbm->V + i] = sigmoid(x);
        }
    return v;
}

double free_energy_of(const Rbm *rbm, const double *v)
{
    double f = 0;
    for (int i = 0; i < rbm->V; i++) f -= (double)rbm->b[i] * v[i];
    for (int j = 0; j < rbm->H; j++) {
        double x = input_of(rbm, v, j);
        f -= x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    }
    return f;
}

double exact_log_z(const Rbm *rbm)
{
    double sum = 0, least = (double)INFINITY, v[32];
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < (size_t)1 << rbm->V; k++) {
            for (int i = 0; i < rbm->V; i++) v[i] = (double)(k >> i & 1);
            double f = free_energy_of(rbm, v);
            if (pass == 0) least = fmin(least, f);
            else sum += exp(least - f);
        }
    return log(sum) - least;
}

// A case whose p lies closer to a draw than float rounding would not mean anything.
double *sample_of(const double *p, size_t n, Draw draw)
{
    double *s = doubles_zero(n);
    for (size_t i = 0; i < n; i++) {
        double u = (double)philox_uniform(philox(draw, i / 4).word[i % 4]);
        assert_that(fabs(u - p[i]) > 3e-6, "this case needs another seed: u %.9g, p %.9g", u, p[i]);
        s[i] = u < p[i];
    }
    return s;
}

Draw stream_of(Draw draw, uint64_t further)
{
    draw.stream += further;
    return draw;
}
