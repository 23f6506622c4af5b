// recurrent.cu -- what an LSTM and a GRU do with their gates in one step (kernels/list.h). A thread has a unit of a
// row; a row of gates is four blocks of `cols`.
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/logistic.cuh"

// ---- LSTM: i f g o

void cuda_lstm_gates(float *h, float *c, float *gates, const float *b, const float *c_before,
                     int rows, int cols)
{
    const size_t n = (size_t)cols;
    for_each(rows * n, [=] __device__(size_t k) {
        const size_t j = k % n;
        float *gate = gates + k / n * 4 * n + j;
        const float i = logistic(gate[0] + b[j]), f = logistic(gate[n] + b[n + j]),
                    g = tanhf(gate[2 * n] + b[2 * n + j]), o = logistic(gate[3 * n] + b[3 * n + j]),
                    m = i * g + (c_before != nullptr ? f * c_before[k] : 0);
        gate[0] = i, gate[n] = f, gate[2 * n] = g, gate[3 * n] = o;
        c[k] = m;
        h[k] = o * tanhf(m);
    });
}

void cuda_lstm_gates_backward(float *da, float *dc, const float *dh, const float *gates,
                              const float *c, const float *c_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    for_each(rows * n, [=] __device__(size_t k) {
        const size_t first = k / n * 4 * n + k % n;
        const float i = gates[first], f = gates[first + n], g = gates[first + 2 * n],
                    o = gates[first + 3 * n], y = tanhf(c[k]), d = dh[k],
                    m = dc[k] + d * o * (1 - y * y);
        da[first] = m * g * i * (1 - i);
        da[first + n] = m * (c_before != nullptr ? c_before[k] : 0) * f * (1 - f);
        da[first + 2 * n] = m * i * (1 - g * g);
        da[first + 3 * n] = d * y * o * (1 - o);
        dc[k] = m * f;
    });
}

// ---- GRU: r z n q

void cuda_gru_gates(float *h, float *gates, const float *b, const float *c, const float *h_before,
                    int rows, int cols)
{
    const size_t n = (size_t)cols;
    for_each(rows * n, [=] __device__(size_t k) {
        const size_t j = k % n;
        float *gate = gates + k / n * 4 * n + j;
        const float r = logistic(gate[0] + b[j]), z = logistic(gate[n] + b[n + j]),
                    q = (h_before != nullptr ? gate[3 * n] : 0) + c[j],
                    y = tanhf(gate[2 * n] + b[2 * n + j] + r * q);
        gate[0] = r, gate[n] = z, gate[2 * n] = y, gate[3 * n] = q;
        h[k] = (1 - z) * y + (h_before != nullptr ? z * h_before[k] : 0);
    });
}

void cuda_gru_gates_backward(float *da, float *dh_before, const float *dh, const float *gates,
                             const float *h_before, int rows, int cols)
{
    const size_t n = (size_t)cols;
    for_each(rows * n, [=] __device__(size_t k) {
        const size_t first = k / n * 4 * n + k % n;
        const float r = gates[first], z = gates[first + n], y = gates[first + 2 * n],
                    q = gates[first + 3 * n], d = dh[k], dn = d * (1 - z) * (1 - y * y);
        da[first] = dn * q * r * (1 - r);
        da[first + n] = d * ((h_before != nullptr ? h_before[k] : 0) - y) * z * (1 - z);
        da[first + 2 * n] = dn;
        da[first + 3 * n] = dn * r;
        if (dh_before != nullptr) dh_before[k] += d * z;
    });
}
