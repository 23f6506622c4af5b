/* recurrent.c -- what an LSTM and a GRU do with their gates in one step. Rows of gates are four blocks of `cols`. */
#include "kernels/ref/ref.h"
#include <tgmath.h>

static double logistic(double x)
{
    const double e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

// ---- LSTM: i f g o

void ref_lstm_gates(float *h, float *c, float *gates, const float *b, const float *c_before,
                    int rows, int cols)
{
    const size_t n = (size_t)cols;
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < n; j++) {
            float *gate = gates + 4 * r * n + j;
            const double i = logistic((double)gate[0] + b[j]),
                         f = logistic((double)gate[n] + b[n + j]),
                         g = tanh((double)gate[2 * n] + b[2 * n + j]),
                         o = logistic((double)gate[3 * n] + b[3 * n + j]),
                         m = i * g + (c_before != NULL ? f * c_before[r * n + j] : 0);
            gate[0] = (float)i, gate[n] = (float)f, gate[2 * n] = (float)g, gate[3 * n] = (float)o;
            c[r * n + j] = (float)m;
            h[r * n + j] = (float)(o * tanh(m));
        }
}

void ref_lstm_gates_backward(float *da, float *dc, const float *dh, const float *gates,
                             const float *c, const float *c_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < n; j++) {
            const size_t k = r * n + j, first = 4 * r * n + j;
            const double i = gates[first], f = gates[first + n], g = gates[first + 2 * n],
                         o = gates[first + 3 * n], y = tanh((double)c[k]), d = dh[k],
                         m = dc[k] + d * o * (1 - y * y);
            da[first] = (float)(m * g * i * (1 - i));
            da[first + n] = (float)(m * (c_before != NULL ? c_before[k] : 0) * f * (1 - f));
            da[first + 2 * n] = (float)(m * i * (1 - g * g));
            da[first + 3 * n] = (float)(d * y * o * (1 - o));
            dc[k] = (float)(m * f);
        }
}

// ---- GRU: r z n q

void ref_gru_gates(float *h, float *gates, const float *b, const float *c, const float *h_before,
                   int rows, int cols)
{
    const size_t n = (size_t)cols;
    for (size_t k = 0; k < (size_t)rows; k++)
        for (size_t j = 0; j < n; j++) {
            float *gate = gates + 4 * k * n + j;
            const double r = logistic((double)gate[0] + b[j]),
                         z = logistic((double)gate[n] + b[n + j]),
                         q = (h_before != NULL ? (double)gate[3 * n] : 0) + c[j],
                         y = tanh((double)gate[2 * n] + b[2 * n + j] + r * q);
            gate[0] = (float)r, gate[n] = (float)z, gate[2 * n] = (float)y, gate[3 * n] = (float)q;
            h[k * n + j] = (float)((1 - z) * y + (h_before != NULL ? z * h_before[k * n + j] : 0));
        }
}

void ref_gru_gates_backward(float *da, float *dh_before, const float *dh, const float *gates,
                            const float *h_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    for (size_t k = 0; k < (size_t)rows; k++)
        for (size_t j = 0; j < n; j++) {
            const size_t at = k * n + j, first = 4 * k * n + j;
            const double r = gates[first], z = gates[first + n], y = gates[first + 2 * n],
                         q = gates[first + 3 * n], d = dh[at], dn = d * (1 - z) * (1 - y * y);
            da[first] = (float)(dn * q * r * (1 - r));
            da[first + n] = (float)(d * ((h_before != NULL ? h_before[at] : 0) - y) * z * (1 - z));
            da[first + 2 * n] = (float)dn;
            da[first + 3 * n] = (float)(dn * r);
            if (dh_before != NULL) dh_before[at] = (float)(dh_before[at] + d * z);
        }
}
