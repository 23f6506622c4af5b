/* rnn.c -- the mathematics of the lab; rnn.h says what each function promises. */
#include "labs/2_core/rnn/rnn.h"
#include <math.h>
#include <string.h>
#include "kernels/kernels.h"

// a = w x + b of all steps in one product: the input's part does not wait for the state.
static void input_product(float *a, const Cell *cell, const Sequence *s, int gates)
{
    matmul_nt(a, s->x, cell->w, s->T * s->B, gates * cell->H, cell->I, 0.0f);
    kernels.add_row(a, a, cell->b, s->T * s->B, gates * cell->H);
}

// What da [T,B,G H] gives the input and the weights, one product each for all steps.
static void weight_products(const Gradient *g, const Cell *cell, const Sequence *s, const float *da,
                            int gates)
{
    int rows = gates * cell->H, later = (s->T - 1) * s->B;
    if (g->x != NULL) matmul(g->x, da, cell->w, s->T * s->B, cell->I, rows, 1.0f);
    matmul_tn(g->w, da, s->x, rows, cell->I, s->T * s->B, 1.0f);
    kernels.sum_rows(g->b, da, s->T * s->B, rows, 1.0f);
    if (s->h0 != NULL) matmul_tn(g->u, da, s->h0, rows, cell->H, s->B, 1.0f);
    matmul_tn(g->u, da + (size_t)s->B * (size_t)rows, s->h, rows, cell->H, later, 1.0f);
}

// ---- the Elman cell ----

void rn_elman(const Cell *cell, const Sequence *s)
{
    // solution elman
    const int B = s->B, H = cell->H;
    const size_t step = (size_t)B * (size_t)H;
    input_product(s->h, cell, s, 1);
    for (int t = 0; t < s->T; t++) {
        float *h = s->h + (size_t)t * step;
        const float *before = t > 0 ? h - step : s->h0;
        if (before != NULL) matmul_nt(h, before, cell->u, B, H, H, 1.0f);
        kernels.tanh(h, h, step);
    }
    // end elman
}

void rn_elman_backward(const Gradient *g, const Cell *cell, const Sequence *s)
{
    // solution elman_backward
    const int B = s->B, H = cell->H;
    const size_t step = (size_t)B * (size_t)H;
    for (int t = s->T - 1; t >= 0; t--) {
        float *dh = g->h + (size_t)t * step, *da = g->work + (size_t)t * step;
        kernels.tanh_backward(da, dh, s->h + (size_t)t * step, 0.0f, step);
        float *before = t > 0 ? dh - step : g->h0;
        if (before != NULL) matmul(before, da, cell->u, B, H, H, 1.0f);
    }
    weight_products(g, cell, s, g->work, 1);
    // end elman_backward
}

void rn_truncated(const Gradient *g, const Cell *cell, const Sequence *s, int K)
{
    // solution truncated
    const size_t step = (size_t)s->B * (size_t)cell->H, in = (size_t)s->B * (size_t)cell->I;
    for (int t = 0; t < s->T; t += K) {
        Sequence chunk = *s;
        Gradient part = *g;
        const size_t at = (size_t)t;
        chunk.T = s->T - t < K ? s->T - t : K;
        chunk.x += at * in;
        chunk.h += at * step;
        part.h += at * step;
        if (g->x != NULL) part.x += at * in;
        if (t > 0) {
            chunk.h0 = chunk.h - step;
            part.h0 = NULL;
        }
        rn_elman_backward(&part, cell, &chunk);
    }
    // end truncated
}

double rn_clip(float *const *g, const size_t *n, int count, double max_norm)
{
    // solution clip
    double squares = 0;
    for (int k = 0; k < count; k++)
        for (size_t i = 0; i < n[k]; i++) squares += (double)g[k][i] * (double)g[k][i];
    const double norm = sqrt(squares);
    if (norm > max_norm && isfinite(norm))
        for (int k = 0; k < count; k++)
            for (size_t i = 0; i < n[k]; i++) g[k][i] = (float)(g[k][i] * (max_norm / norm));
    return norm;
    // end clip
}

// ---- gates ----

void rn_lstm(const Cell *cell, const Sequence *s)
{
    // solution lstm
    const int B = s->B, H = cell->H;
    const size_t width = (size_t)H, step = (size_t)B * width;
    input_product(s->gates, cell, s, 4);
    for (int t = 0; t < s->T; t++) {
        float *a = s->gates + 4 * (size_t)t * step, *h = s->h + (size_t)t * step,
              *c = s->c + (size_t)t * step;
        const float *h_before = t > 0 ? h - step : s->h0, *c_before = t > 0 ? c - step : s->c0;
        if (h_before != NULL) matmul_nt(a, h_before, cell->u, B, 4 * H, H, 1.0f);
        for (size_t r = 0; r < step; r += width) {
            float *i = a + 4 * r, *f = i + width, *g = f + width, *o = g + width;
            kernels.sigmoid(i, i, 2 * width);
            kernels.tanh(g, g, width);
            kernels.sigmoid(o, o, width);
            for (size_t j = 0; j < width; j++)
                c[r + j] = i[j] * g[j] + (c_before != NULL ? f[j] * c_before[r + j] : 0);
            kernels.tanh(h + r, c + r, width);
            kernels.mul(h + r, h + r, o, 0.0f, width);
        }
    }
    // end lstm
}

void rn_lstm_backward(const Gradient *g, const Cell *cell, const Sequence *s)
{
    // solution lstm_backward
    const int B = s->B, H = cell->H;
    const size_t width = (size_t)H, step = (size_t)B * width;
    for (int t = s->T - 1; t >= 0; t--) {
        const size_t at = (size_t)t * step;
        float *dh = g->h + at, *dc = g->c + at, *da = g->work + 4 * at;
        float *dc_before = t > 0 ? dc - step : g->c0, *dh_before = t > 0 ? dh - step : g->h0;
        const float *c = s->c + at, *c_before = t > 0 ? c - step : s->c0;
        const bool empty = t == 0 && s->c0 == NULL;    // a memory of zeros
        for (size_t r = 0; r < step; r++) {
            const size_t first = r / width * 4 * width + r % width;
            const float *gate = s->gates + 4 * at + first;
            const float i = gate[0], f = gate[width], n = gate[2 * width], o = gate[3 * width],
                        y = tanhf(c[r]), before = empty ? 0 : c_before[r];
            dc[r] += dh[r] * o * (1 - y * y);
            da[first] = dc[r] * n * i * (1 - i);
            da[first + width] = dc[r] * before * f * (1 - f);
            da[first + 2 * width] = dc[r] * i * (1 - n * n);
            da[first + 3 * width] = dh[r] * y * o * (1 - o);
            if (dc_before != NULL) dc_before[r] += dc[r] * f;
        }
        if (dh_before != NULL) matmul(dh_before, da, cell->u, B, H, 4 * H, 1.0f);
    }
    weight_products(g, cell, s, g->work, 4);
    // end lstm_backward
}

void rn_gru(const Cell *cell, const Sequence *s)
{
    // solution gru
    const int B = s->B, H = cell->H;
    const size_t width = (size_t)H, step = (size_t)B * width;
    // Rows of r z n q: the input's product fills the first three, the state's adds to r and z and writes q.
    kernels.matmul(s->gates, 4 * width, 0, (Mat){s->x, (size_t)cell->I, 1, 0},
                   (Mat){cell->w, 1, (size_t)cell->I, 0}, 1, s->T * B, 3 * H, cell->I, 0.0f);
    for (int t = 0; t < s->T; t++) {
        const size_t at = (size_t)t * step;
        float *a = s->gates + 4 * at, *h = s->h + at;
        const float *before = t > 0 ? h - step : s->h0;
        if (before != NULL) {
            const Mat state = {before, width, 1, 0};
            kernels.matmul(a, 4 * width, 0, state, (Mat){cell->u, 1, width, 0}, 1, B, 2 * H, H,
                           1.0f);
            kernels.matmul(a + 3 * width, 4 * width, 0, state,
                           (Mat){cell->u + 2 * width * width, 1, width, 0}, 1, B, H, H, 0.0f);
        }
        for (size_t k = 0; k < step; k += width) {
            float *r = a + 4 * k, *z = r + width, *n = z + width, *q = n + width;
            kernels.add(r, r, cell->b, 2 * width);
            kernels.sigmoid(r, r, 2 * width);
            for (size_t j = 0; j < width; j++) {
                q[j] = (before != NULL ? q[j] : 0) + cell->c[j];
                n[j] += cell->b[2 * width + j] + r[j] * q[j];
            }
            kernels.tanh(n, n, width);
            for (size_t j = 0; j < width; j++)
                h[k + j] = (1 - z[j]) * n[j] + (before != NULL ? z[j] * before[k + j] : 0);
        }
    }
    // end gru
}

void rn_gru_backward(const Gradient *g, const Cell *cell, const Sequence *s)
{
    // solution gru_backward
    const int B = s->B, H = cell->H, rows = s->T * B;
    const size_t width = (size_t)H, step = (size_t)B * width, row = 4 * width;
    float *du_n = g->u + 2 * width * width;
    const float *u_n = cell->u + 2 * width * width;
    for (int t = s->T - 1; t >= 0; t--) {
        const size_t at = (size_t)t * step;
        float *dh = g->h + at, *da = g->work + 4 * at, *dh_before = t > 0 ? dh - step : g->h0;
        const float *before = t > 0 ? s->h + at - step : s->h0;
        for (size_t k = 0; k < step; k++) {
            const size_t first = k / width * row + k % width;
            const float *gate = s->gates + 4 * at + first;
            const float r = gate[0], z = gate[width], n = gate[2 * width], q = gate[3 * width];
            const float dn = dh[k] * (1 - z) * (1 - n * n);
            da[first] = dn * q * r * (1 - r);
            da[first + width] = dh[k] * ((before != NULL ? before[k] : 0) - n) * z * (1 - z);
            da[first + 2 * width] = dn;
            da[first + 3 * width] = dn * r;
            if (dh_before != NULL) dh_before[k] += dh[k] * z;
        }
        const Mat reset = {da, row, 1, 0}, dq = {da + 3 * width, row, 1, 0};
        if (dh_before != NULL) {
            kernels.matmul(dh_before, width, 0, reset, (Mat){cell->u, width, 1, 0}, 1, B, H, 2 * H,
                           1.0f);
            kernels.matmul(dh_before, width, 0, dq, (Mat){u_n, width, 1, 0}, 1, B, H, H, 1.0f);
        }
        if (before == NULL) continue;
        const Mat state = {before, width, 1, 0}, reset_t = {da, 1, row, 0},
                  dq_t = {dq.data, 1, row, 0};
        kernels.matmul(g->u, width, 0, reset_t, state, 1, 2 * H, H, B, 1.0f);
        kernels.matmul(du_n, width, 0, dq_t, state, 1, H, H, B, 1.0f);
    }
    const size_t in = (size_t)cell->I;
    if (g->x != NULL)
        kernels.matmul(g->x, in, 0, (Mat){g->work, row, 1, 0}, (Mat){cell->w, in, 1, 0}, 1, rows,
                       cell->I, 3 * H, 1.0f);
    kernels.matmul(g->w, in, 0, (Mat){g->work, 1, row, 0}, (Mat){s->x, in, 1, 0}, 1, 3 * H, cell->I,
                   rows, 1.0f);
    for (size_t k = 0; k < (size_t)rows * row; k += row) {
        for (size_t j = 0; j < 3 * width; j++) g->b[j] += g->work[k + j];
        for (size_t j = 0; j < width; j++) g->n[j] += g->work[k + 3 * width + j];
    }
    // end gru_backward
}

// ---- sequences ----

void rn_reverse(float *y, const float *x, const int *length, int T, int B, int D)
{
    // solution reverse
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++) {
            int end = length != NULL ? length[b] : T, from = t < end ? end - 1 - t : t;
            memcpy(y + ((size_t)t * (size_t)B + (size_t)b) * (size_t)D,
                   x + ((size_t)from * (size_t)B + (size_t)b) * (size_t)D, (size_t)D * sizeof *y);
        }
    // end reverse
}

void rn_bidirectional(float *y, const float *x, const int *length, const Cell cells[2], int T,
                      int B, float *work)
{
    // solution bidirectional
    const int I = cells[0].I, H = cells[0].H;
    const size_t width = (size_t)H, rows = (size_t)T * (size_t)B;
    float *left = work, *right = left + rows * width, *turned = right + rows * width,
          *reversed = turned + rows * width;
    rn_elman(&cells[0], &(Sequence){.T = T, .B = B, .x = x, .h = left});
    rn_reverse(reversed, x, length, T, B, I);
    rn_elman(&cells[1], &(Sequence){.T = T, .B = B, .x = reversed, .h = turned});
    rn_reverse(right, turned, length, T, B, H);
    for (size_t r = 0; r < rows; r++) {
        const bool padding = length != NULL && (int)(r / (size_t)B) >= length[r % (size_t)B];
        for (size_t j = 0; j < width; j++) {
            y[2 * r * width + j] = padding ? 0 : left[r * width + j];
            y[(2 * r + 1) * width + j] = padding ? 0 : right[r * width + j];
        }
    }
    // end bidirectional
}

float rn_loss(float *dz, const float *z, const int32_t *tokens, int T, int B, int V)
{
    // solution loss
    const int32_t *next = tokens + B;
    const float one = 1;
    float sum;
    int count = 0;
    for (int i = 0; i < T * B; i++) count += next[i] >= 0;
    const float share = count > 0 ? 1 / (float)count : 0;
    kernels.cross_entropy(&sum, dz, z, next, T * B, V);
    kernels.cross_entropy_backward(dz, &one, share, dz, next, T * B, V, 0.0f);
    return sum * share;
    // end loss
}

void rn_attention(float *y, float *alpha, const float *q, const float *e, const int *length, int T,
                  int S, int B, int H)
{
    // solution attention
    const size_t state = (size_t)B * (size_t)H, weights = (size_t)B * (size_t)S;
    memset(alpha, 0, (size_t)T * weights * sizeof *alpha);
    for (int b = 0; b < B; b++) {
        const int n = length != NULL ? length[b] : S;
        const size_t at = (size_t)b * (size_t)H;
        float *a = alpha + (size_t)b * (size_t)S;
        kernels.matmul(a, weights, 0, (Mat){q + at, state, 1, 0}, (Mat){e + at, 1, state, 0}, 1, T,
                       n, H, 0.0f);
        for (int t = 0; t < T; t++)
            kernels.softmax_rows(a + (size_t)t * weights, a + (size_t)t * weights, 1, n);
        kernels.matmul(y + at, state, 0, (Mat){a, weights, 1, 0}, (Mat){e + at, state, 1, 0}, 1, T,
                       H, n, 0.0f);
    }
    // end attention
}

void rn_attention_backward(float *dq, float *de, const float *dy, const float *alpha,
                           const float *q, const float *e, const int *length, int T, int S, int B,
                           int H, float *work)
{
    // solution attention_backward
    const size_t state = (size_t)B * (size_t)H, weights = (size_t)B * (size_t)S;
    for (int b = 0; b < B; b++) {
        const int n = length != NULL ? length[b] : S;
        const size_t at = (size_t)b * (size_t)H, first = (size_t)b * (size_t)S;
        float *ds = work + first;
        kernels.matmul(ds, weights, 0, (Mat){dy + at, state, 1, 0}, (Mat){e + at, 1, state, 0}, 1,
                       T, n, H, 0.0f);
        for (int t = 0; t < T; t++) {
            float *row = ds + (size_t)t * weights, sum = 0;
            const float *a = alpha + first + (size_t)t * weights;
            for (int k = 0; k < n; k++) sum += a[k] * row[k];
            for (int k = 0; k < n; k++) row[k] = a[k] * (row[k] - sum);
        }
        kernels.matmul(dq + at, state, 0, (Mat){ds, weights, 1, 0}, (Mat){e + at, state, 1, 0}, 1,
                       T, H, n, 1.0f);
        kernels.matmul(de + at, state, 0, (Mat){ds, 1, weights, 0}, (Mat){q + at, state, 1, 0}, 1,
                       n, H, T, 1.0f);
        kernels.matmul(de + at, state, 0, (Mat){alpha + first, 1, weights, 0},
                       (Mat){dy + at, state, 1, 0}, 1, n, H, T, 1.0f);
    }
    // end attention_backward
}

int rn_sample(const float *z, int V, float temperature, float u)
{
    // solution sample
    int best = 0;
    double total = 0, sum = 0;
    for (int k = 0; k < V; k++) {
        if (isnan(z[k])) return -1;
        if (z[k] > z[best]) best = k;
    }
    if (temperature == 0) return best;
    for (int k = 0; k < V; k++)
        total += exp(((double)z[k] - (double)z[best]) / (double)temperature);
    for (int k = 0; k < V; k++) {
        sum += exp(((double)z[k] - (double)z[best]) / (double)temperature) / total;
        if (sum > (double)u) return k;
    }
    return best;    // the sum of all was rounded down to u
    // end sample
}
