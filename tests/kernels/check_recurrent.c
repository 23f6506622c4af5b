// The gates of an LSTM and a GRU: every width, with and without a state before, on saturated gates, NaN and
// infinities.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"
#include <math.h>
#include <string.h>

// The functions are within 3 ulp; a sum of three such terms and what it multiplies are a few roundings more.
#define TOLERANCE (16 * ROUNDING)

enum { ROWS = 3, SIZES = NUMBERS_SIZES - 2 };

// Activated gates: what the forward pass leaves. q is any number.
static float *open_gates(size_t n, bool gru)
{
    float *gates = numbers_new(4 * ROWS * n, UNIT);
    const float *wide = numbers_new(n, NORMAL);
    for (size_t r = 0; gru && r < ROWS; r++)
        memcpy(gates + (4 * r + 3) * n, wide, n * sizeof *wide);
    return gates;
}

void check_lstm_gates(const Kernels *table)
{
    for (int i = 0; i < 4 * SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        const float *a = numbers_new(4 * ROWS * n, i % 2 ? SPECIAL : WIDE),
                    *b = numbers_new(4 * n, NORMAL),
                    *before = i % 4 < 2 ? numbers_new(ROWS * n, NORMAL) : NULL;
        Pair gates = {numbers_copy(a, 4 * ROWS * n), numbers_copy(a, 4 * ROWS * n), 4 * ROWS * n};
        Pair h = pair_new(ROWS * n, NANS), c = pair_new(ROWS * n, NANS);
        kernels_ref.lstm_gates(h.want, c.want, gates.want, b, before, ROWS, (int)n);
        table->lstm_gates(h.got, c.got, gates.got, b, before, ROWS, (int)n);
        pair_check("lstm_gates: gates", gates, TOLERANCE);
        pair_check("lstm_gates: c", c, TOLERANCE);
        pair_check("lstm_gates: h", h, TOLERANCE);
    }
}

void check_lstm_gates_backward(const Kernels *table)
{
    for (int i = 0; i < 4 * SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        float *dh = numbers_new(ROWS * n, NORMAL);
        if (i % 2 && n > 0) dh[n / 2] = NAN, dh[2 * n] = INFINITY;
        const float *gates = open_gates(n, false), *c = numbers_new(ROWS * n, NORMAL),
                    *before = i % 4 < 2 ? numbers_new(ROWS * n, NORMAL) : NULL;
        Pair da = pair_new(4 * ROWS * n, NANS), dc = pair_new(ROWS * n, NORMAL);
        kernels_ref.lstm_gates_backward(da.want, dc.want, dh, gates, c, before, ROWS, (int)n);
        table->lstm_gates_backward(da.got, dc.got, dh, gates, c, before, ROWS, (int)n);
        pair_check("lstm_gates_backward: da", da, TOLERANCE);
        pair_check("lstm_gates_backward: dc", dc, TOLERANCE);
    }
}

void check_gru_gates(const Kernels *table)
{
    for (int i = 0; i < 4 * SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        float *a = numbers_new(4 * ROWS * n, NORMAL);
        const float *special = numbers_new(2 * n, i % 2 ? SPECIAL : WIDE),
                    *b = numbers_new(3 * n, NORMAL), *c = numbers_new(n, NORMAL),
                    *before = i % 4 < 2 ? numbers_new(ROWS * n, NORMAL) : NULL;
        for (size_t r = 0; r < ROWS; r++)    // n sums what may cancel: r and z alone
            memcpy(a + 4 * r * n, special, 2 * n * sizeof *a);
        for (size_t j = 0; before == NULL && j < n; j++) a[3 * n + j] = NAN;    // q is not read
        Pair gates = {numbers_copy(a, 4 * ROWS * n), numbers_copy(a, 4 * ROWS * n), 4 * ROWS * n};
        Pair h = pair_new(ROWS * n, NANS);
        kernels_ref.gru_gates(h.want, gates.want, b, c, before, ROWS, (int)n);
        table->gru_gates(h.got, gates.got, b, c, before, ROWS, (int)n);
        pair_check("gru_gates: gates", gates, 2 * TOLERANCE);
        pair_check("gru_gates: h", h, 2 * TOLERANCE);
    }
}

void check_gru_gates_backward(const Kernels *table)
{
    for (int i = 0; i < 4 * SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 4];
        float *dh = numbers_new(ROWS * n, NORMAL);
        if (i % 2 && n > 0) dh[n / 2] = NAN, dh[2 * n] = INFINITY;
        const float *gates = open_gates(n, true),
                    *before = i % 4 < 2 ? numbers_new(ROWS * n, NORMAL) : NULL;
        Pair da = pair_new(4 * ROWS * n, NANS), dh_before = pair_new(ROWS * n, NORMAL);
        const bool wanted = i % 4 != 1;
        kernels_ref.gru_gates_backward(da.want, wanted ? dh_before.want : NULL, dh, gates, before,
                                       ROWS, (int)n);
        table->gru_gates_backward(da.got, wanted ? dh_before.got : NULL, dh, gates, before, ROWS,
                                  (int)n);
        pair_check("gru_gates_backward: da", da, TOLERANCE);
        pair_check("gru_gates_backward: dh_before", dh_before, TOLERANCE);
    }
}
