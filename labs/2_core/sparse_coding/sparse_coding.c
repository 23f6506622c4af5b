/* sparse_coding.c -- the mathematics of the lab; sparse_coding.h says what each function promises. */
#include "labs/2_core/sparse_coding/sparse_coding.h"
#include <math.h>
#include <string.h>

// By four sums at once: one alone would wait for each of its additions.
static double dot(const double *a, const double *b, int n)
{
    double sum[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++) sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++) sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

// |x|. The squares of numbers beyond 1e154 would overflow, those below 1e-154 vanish.
static double length_of(const double *x, int n)
{
    double squares = dot(x, x, n), most = 0, sum = 0;
    if (squares > 1e-280 && squares < 1e280) return sqrt(squares);
    for (int i = 0; i < n; i++) most = fabs(x[i]) <= most ? most : fabs(x[i]);
    if (most == 0 || isinf(most)) return squares;    // NaN beside an infinity, too
    for (int i = 0; i < n; i++) sum += (x[i] / most) * (x[i] / most);
    return most * sqrt(sum);
}

// y += factor x
static void add(double *y, const double *x, double factor, int n)
{
    for (int i = 0; i < n; i++) y[i] += factor * x[i];
}

static const double *atom(const Dictionary *dict, int k)
{
    return dict->d + (size_t)k * (size_t)dict->P;
}

// r = x - D^T a
static void residual(double *r, const double *x, const double *a, const Dictionary *dict)
{
    memcpy(r, x, (size_t)dict->P * sizeof *r);
    for (int k = 0; k < dict->K; k++) add(r, atom(dict, k), -a[k], dict->P);
}

double sc_soft(double x, double t)
{
    // solution soft
    if (x > t) return x - t;
    if (x < -t) return x + t;
    return isnan(x) || isnan(t) ? x + t : 0;
    // end soft
}

double sc_objective(const double *a, const double *x, const Dictionary *dict, double lambda)
{
    // solution objective
    double f = 0;
    for (int i = 0; i < dict->P; i++) {
        double error = x[i];
        for (int k = 0; k < dict->K; k++) error -= a[k] * atom(dict, k)[i];
        f += error * error / 2;
    }
    for (int k = 0; k < dict->K; k++) f += lambda * fabs(a[k]);
    return f;
    // end objective
}

double sc_spectral_norm(const Dictionary *dict, int iterations, double *work)
{
    // solution spectral_norm
    double *u = work, *v = work + dict->K;    // v = D^T u
    // Not ones: with atoms 1 and -1 they are orthogonal to the eigenvector that is wanted.
    for (int k = 0; k < dict->K; k++) u[k] = 2 + cos(k);
    for (int t = 0;; t++) {
        memset(v, 0, (size_t)dict->P * sizeof *v);
        for (int k = 0; k < dict->K; k++) add(v, atom(dict, k), u[k], dict->P);
        if (t == iterations) return dot(v, v, dict->P);
        for (int k = 0; k < dict->K; k++) u[k] = dot(atom(dict, k), v, dict->P);
        double length = length_of(u, dict->K);
        if (length == 0) return 0;
        for (int k = 0; k < dict->K; k++) u[k] /= length;
    }
    // end spectral_norm
}

void sc_ista(double *a, const double *x, const Dictionary *dict, double lambda, double L,
             int iterations, double *work)
{
    // solution ista
    for (int t = 0; t < iterations; t++) {
        residual(work, x, a, dict);
        for (int k = 0; k < dict->K; k++)
            a[k] = sc_soft(a[k] + dot(atom(dict, k), work, dict->P) / L, lambda / L);
    }
    // end ista
}

void sc_fista(double *a, const double *x, const Dictionary *dict, double lambda, double L,
              int iterations, double *work)
{
    // solution fista
    double *r = work, *y = work + dict->P, t = 1;
    memcpy(y, a, (size_t)dict->K * sizeof *y);
    for (int i = 0; i < iterations; i++) {
        double after = (1 + sqrt(1 + 4 * t * t)) / 2, momentum = (t - 1) / after;
        residual(r, x, y, dict);
        for (int k = 0; k < dict->K; k++) {
            double next = sc_soft(y[k] + dot(atom(dict, k), r, dict->P) / L, lambda / L);
            y[k] = next + momentum * (next - a[k]);
            a[k] = next;
        }
        t = after;
    }
    // end fista
}

int sc_coordinate_descent(double *a, const double *x, const Dictionary *dict, double lambda,
                          double tolerance, int most, double *work)
{
    // solution coordinate_descent
    residual(work, x, a, dict);
    for (int sweep = 1; sweep <= most; sweep++) {
        double largest = 0;
        for (int k = 0; k < dict->K; k++) {
            const double *d = atom(dict, k);
            double norm = dot(d, d, dict->P);
            if (norm == 0) continue;
            double next = sc_soft(dot(d, work, dict->P) + norm * a[k], lambda) / norm;
            double change = next - a[k];
            add(work, d, -change, dict->P);
            a[k] = next;
            if (!(fabs(change) <= largest)) largest = fabs(change);
        }
        if (largest <= tolerance) return sweep;
    }
    return 0;
    // end coordinate_descent
}

int sc_omp(double *a, const double *x, const Dictionary *dict, int atoms, double *work)
{
    // solution omp
    // Gram-Schmidt: q are the taken atoms made orthogonal, R what takes them back: d_taken = sum R q.
    int P = dict->P, K = dict->K, count = 0;
    double *r = work, *along = r + P, *taken = along + K, *q = taken + K,
           *R = q + (size_t)K * (size_t)P, least = 1e-12 * length_of(x, P);
    memcpy(r, x, (size_t)P * sizeof *r);
    memset(a, 0, (size_t)K * sizeof *a);
    for (; count < atoms && count < K; count++) {
        int best = -1;
        double most = least;
        for (int k = 0; k < K; k++) {
            double match = fabs(dot(atom(dict, k), r, P));
            if (match > most || isnan(match)) best = k, most = match;
        }
        if (isnan(most)) {
            for (int k = 0; k < K; k++) a[k] = most;
            return 0;
        }
        if (best < 0) break;
        double *new = q + (size_t)count *(size_t)P;
        memcpy(new, atom(dict, best), (size_t)P * sizeof *new);
        for (int j = 0; j < count; j++) {
            R[j * K + count] = dot(q + (size_t)j * (size_t)P, new, P);
            add(new, q + (size_t)j * (size_t)P, -R[j * K + count], P);
        }
        double length = sqrt(dot(new, new, P));
        if (!(length > 1e-10)) break;    // already spanned by the taken ones
        R[count * K + count] = length;
        for (int i = 0; i < P; i++) new[i] /= length;
        along[count] = dot(new, r, P);
        add(r, new, -along[count], P);
        taken[count] = best;
    }
    for (int j = count - 1; j >= 0; j--) {
        double value = along[j];
        for (int l = j + 1; l < count; l++) value -= R[j * K + l] * a[(int)taken[l]];
        a[(int)taken[j]] = value / R[j * K + j];
    }
    return count;
    // end omp
}

void sc_update(double *d, const double *A, const double *B, int K, int P, double *work)
{
    // solution update
    for (int k = 0; k < K; k++) {
        const double *row = A + (size_t)k * (size_t)K;
        double *own = d + (size_t)k * (size_t)P;
        if (row[k] == 0) continue;
        memcpy(work, B + (size_t)k * (size_t)P, (size_t)P * sizeof *work);
        for (int j = 0; j < K; j++) add(work, d + (size_t)j * (size_t)P, -row[j], P);
        for (int i = 0; i < P; i++) work[i] = own[i] + work[i] / row[k];
        double length = length_of(work, P);
        if (length == 0) continue;
        for (int i = 0; i < P; i++) own[i] = work[i] / length;
    }
    // end update
}

void sc_lista(double *codes, const double *x, const Encoder *encoder, double *work)
{
    // solution lista
    int K = encoder->K, P = encoder->P;
    for (int k = 0; k < K; k++) work[k] = dot(encoder->W + (size_t)k * (size_t)P, x, P);
    for (int t = 0; t < encoder->layers; t++) {
        double *code = codes + (size_t)t * (size_t)K;
        for (int k = 0; k < K; k++) {
            double z = work[k];
            if (t > 0) z += dot(encoder->S + (size_t)k * (size_t)K, code - K, K);
            code[k] = sc_soft(z, encoder->threshold[k]);
        }
    }
    // end lista
}

void sc_lista_backward(EncoderGradient g, const double *g_code, const double *codes,
                       const double *x, const Encoder *encoder, double *work)
{
    // solution lista_backward
    size_t K = (size_t)encoder->K, P = (size_t)encoder->P;
    double *g_now = work, *g_before = work + K;    // of a layer's codes, and of the layer before
    memcpy(g_now, g_code, K * sizeof *g_now);
    for (int t = encoder->layers - 1; t >= 0; t--) {
        const double *code = codes + (size_t)t * K;
        memset(g_before, 0, K * sizeof *g_before);
        for (size_t k = 0; k < K; k++) {
            if (code[k] == 0) continue;
            g.threshold[k] -= g_now[k] * (code[k] / fabs(code[k]));
            add(g.W + k * P, x, g_now[k], encoder->P);
            if (t == 0) continue;
            add(g.S + k * K, code - K, g_now[k], encoder->K);
            add(g_before, encoder->S + k * K, g_now[k], encoder->K);
        }
        memcpy(g_now, g_before, K * sizeof *g_now);
    }
    // end lista_backward
}
