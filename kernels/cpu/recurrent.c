/* recurrent.c -- the gates of an LSTM and a GRU, and what they make of the state, in one pass over memory. */
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"

static void lstm_row(float *h, float *c, float *gate, const float *b, const float *before, size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float i = fast_sigmoid(gate[j] + b[j]), f = fast_sigmoid(gate[n + j] + b[n + j]),
                    g = fast_tanh(gate[2 * n + j] + b[2 * n + j]),
                    o = fast_sigmoid(gate[3 * n + j] + b[3 * n + j]);
        const float m = i * g + (before != NULL ? f * before[j] : 0.0f);
        gate[j] = i, gate[n + j] = f, gate[2 * n + j] = g, gate[3 * n + j] = o;
        c[j] = m;
        h[j] = o * fast_tanh(m);
    }
}

void CPU(lstm_gates)(float *h, float *c, float *gates, const float *b, const float *c_before,
                     int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, 4 * n, HEAVY,
             lstm_row(h + r * n, c + r * n, gates + 4 * r * n, b,
                      c_before != NULL ? c_before + r * n : NULL, n));
}

static void lstm_backward_row(float *da, float *dc, const float *dh, const float *gate,
                              const float *c, const float *before, size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float i = gate[j], f = gate[n + j], g = gate[2 * n + j], o = gate[3 * n + j],
                    y = fast_tanh(c[j]), m = dc[j] + dh[j] * o * (1.0f - y * y);
        da[j] = m * g * i * (1.0f - i);
        da[n + j] = m * (before != NULL ? before[j] : 0.0f) * f * (1.0f - f);
        da[2 * n + j] = m * i * (1.0f - g * g);
        da[3 * n + j] = dh[j] * y * o * (1.0f - o);
        dc[j] = m * f;
    }
}

void CPU(lstm_gates_backward)(float *da, float *dc, const float *dh, const float *gates,
                              const float *c, const float *c_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, 4 * n, HEAVY,
             lstm_backward_row(da + 4 * r * n, dc + r * n, dh + r * n, gates + 4 * r * n, c + r * n,
                               c_before != NULL ? c_before + r * n : NULL, n));
}

static void gru_row(float *h, float *gate, const float *b, const float *c, const float *before,
                    size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float r = fast_sigmoid(gate[j] + b[j]), z = fast_sigmoid(gate[n + j] + b[n + j]),
                    q = (before != NULL ? gate[3 * n + j] : 0.0f) + c[j],
                    y = fast_tanh(gate[2 * n + j] + b[2 * n + j] + r * q);
        gate[j] = r, gate[n + j] = z, gate[2 * n + j] = y, gate[3 * n + j] = q;
        h[j] = (1.0f - z) * y + (before != NULL ? z * before[j] : 0.0f);
    }
}

void CPU(gru_gates)(float *h, float *gates, const float *b, const float *c, const float *h_before,
                    int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(
        r, rows, 4 * n, HEAVY,
        gru_row(h + r * n, gates + 4 * r * n, b, c, h_before != NULL ? h_before + r * n : NULL, n));
}

static void gru_backward_row(float *da, float *dh_before, const float *dh, const float *gate,
                             const float *before, size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float r = gate[j], z = gate[n + j], y = gate[2 * n + j], q = gate[3 * n + j],
                    dn = dh[j] * (1.0f - z) * (1.0f - y * y);
        da[j] = dn * q * r * (1.0f - r);
        da[n + j] = dh[j] * ((before != NULL ? before[j] : 0.0f) - y) * z * (1.0f - z);
        da[2 * n + j] = dn;
        da[3 * n + j] = dn * r;
        if (dh_before != NULL) dh_before[j] += dh[j] * z;
    }
}

void CPU(gru_gates_backward)(float *da, float *dh_before, const float *dh, const float *gates,
                             const float *h_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    EACH_ROW(r, rows, 4 * n, HEAVY,
             gru_backward_row(da + 4 * r * n, dh_before != NULL ? dh_before + r * n : NULL,
                              dh + r * n, gates + 4 * r * n,
                              h_before != NULL ? h_before + r * n : NULL, n));
}
