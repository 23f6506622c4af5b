/* cnn.c -- the mathematics of the lab; cnn.h says what each function promises. */
#include "labs/2_core/cnn/cnn.h"
#include <math.h>
#include <stdbool.h>
#include "kernels/kernels.h"

// ---- convolution ----

int cnn_output_size(int size, int kernel, int stride, int pad)
{
    // solution output_size
    int room = size + 2 * pad - kernel;
    return room < 0 ? 0 : room / stride + 1;    // -1 / 2 is 0 in C
    // end output_size
}

static int out_rows(CnnConv s)
{
    return cnn_output_size(s.H, s.K, s.stride, s.pad);
}

static int out_cols(CnnConv s)
{
    return cnn_output_size(s.W, s.K, s.stride, s.pad);
}

// Whether the place is in the image, and not in its padding.
static bool inside(CnnConv s, int row, int col)
{
    return row >= 0 && row < s.H && col >= 0 && col < s.W;
}

void cnn_conv_loops(float *y, const float *x, const float *w, const float *bias, CnnConv s)
{
    // solution conv_loops
    int rows = out_rows(s), cols = out_cols(s);
    for (int b = 0; b < s.B; b++)
        for (int o = 0; o < s.O; o++)
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++) {
                    float sum = bias != NULL ? bias[o] : 0;
                    for (int c = 0; c < s.C; c++)
                        for (int k = 0; k < s.K; k++)
                            for (int l = 0; l < s.K; l++) {
                                int row = i * s.stride - s.pad + k, col = j * s.stride - s.pad + l;
                                if (inside(s, row, col))
                                    sum += w[((o * s.C + c) * s.K + k) * s.K + l] *
                                           x[((b * s.C + c) * s.H + row) * s.W + col];
                            }
                    y[((b * s.O + o) * rows + i) * cols + j] = sum;
                }
    // end conv_loops
}

void cnn_im2col(float *columns, const float *image, CnnConv s)
{
    // solution im2col
    int rows = out_rows(s), cols = out_cols(s);
    for (int c = 0; c < s.C; c++)
        for (int k = 0; k < s.K; k++)
            for (int l = 0; l < s.K; l++)
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < cols; j++) {
                        int row = i * s.stride - s.pad + k, col = j * s.stride - s.pad + l;
                        *columns++ = inside(s, row, col) ? image[(c * s.H + row) * s.W + col] : 0;
                    }
    // end im2col
}

void cnn_conv_matmul(float *y, const float *x, const float *w, const float *bias, float *columns,
                     CnnConv s)
{
    // solution conv_matmul
    int taps = s.C * s.K * s.K, places = out_rows(s) * out_cols(s);
    for (int b = 0; b < s.B; b++, x += s.C * s.H * s.W, y += s.O * places) {
        cnn_im2col(columns, x, s);
        matmul(y, w, columns, s.O, places, taps, 0);
        for (int o = 0; o < s.O && bias != NULL; o++)
            for (int p = 0; p < places; p++) y[o * places + p] += bias[o];
    }
    // end conv_matmul
}

void cnn_col2im(float *dimage, const float *columns, CnnConv s)
{
    // solution col2im
    int rows = out_rows(s), cols = out_cols(s);
    for (int c = 0; c < s.C; c++)
        for (int k = 0; k < s.K; k++)
            for (int l = 0; l < s.K; l++)
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < cols; j++, columns++) {
                        int row = i * s.stride - s.pad + k, col = j * s.stride - s.pad + l;
                        if (inside(s, row, col)) dimage[(c * s.H + row) * s.W + col] += *columns;
                    }
    // end col2im
}

void cnn_conv_backward(float *dx, float *dw, float *dbias, const float *dy, const float *x,
                       const float *w, float *columns, CnnConv s)
{
    // solution conv_backward
    int taps = s.C * s.K * s.K, places = out_rows(s) * out_cols(s), pixels = s.C * s.H * s.W;
    for (int b = 0; b < s.B; b++, dy += s.O * places) {
        cnn_im2col(columns, x + b * pixels, s);
        matmul_nt(dw, dy, columns, s.O, taps, places, 1);
        for (int o = 0; o < s.O && dbias != NULL; o++)
            for (int p = 0; p < places; p++) dbias[o] += dy[o * places + p];
        if (dx == NULL) continue;
        matmul_tn(columns, w, dy, taps, places, s.O, 0);    // now the gradient of the columns
        cnn_col2im(dx + b * pixels, columns, s);
    }
    // end conv_backward
}

// ---- pooling ----

void cnn_max_pool(float *y, int32_t *at, const float *x, CnnPool s)
{
    // solution max_pool
    int rows = cnn_output_size(s.H, s.K, s.stride, 0),
        cols = cnn_output_size(s.W, s.K, s.stride, 0);
    for (int p = 0; p < s.planes; p++, x += s.H * s.W)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++) {
                int best = i * s.stride * s.W + j * s.stride, first = best;
                for (int k = 0; k < s.K; k++)
                    for (int l = 0; l < s.K; l++) {
                        int here = first + k * s.W + l;
                        if (x[here] > x[best] || (isnan(x[here]) && !isnan(x[best]))) best = here;
                    }
                *at++ = best;
                *y++ = x[best];
            }
    // end max_pool
}

void cnn_max_pool_backward(float *dx, const float *dy, const int32_t *at, CnnPool s)
{
    // solution max_pool_backward
    int rows = cnn_output_size(s.H, s.K, s.stride, 0),
        cols = cnn_output_size(s.W, s.K, s.stride, 0);
    for (int p = 0; p < s.planes; p++, dx += s.H * s.W)
        for (int i = 0; i < rows * cols; i++) dx[*at++] += *dy++;
    // end max_pool_backward
}

void cnn_avg_pool(float *y, const float *x, CnnPool s)
{
    // solution avg_pool
    int rows = cnn_output_size(s.H, s.K, s.stride, 0),
        cols = cnn_output_size(s.W, s.K, s.stride, 0);
    for (int p = 0; p < s.planes; p++, x += s.H * s.W)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++) {
                double sum = 0;
                for (int k = 0; k < s.K; k++)
                    for (int l = 0; l < s.K; l++)
                        sum += (double)x[(i * s.stride + k) * s.W + j * s.stride + l];
                *y++ = (float)(sum / (s.K * s.K));
            }
    // end avg_pool
}

void cnn_avg_pool_backward(float *dx, const float *dy, CnnPool s)
{
    // solution avg_pool_backward
    int rows = cnn_output_size(s.H, s.K, s.stride, 0),
        cols = cnn_output_size(s.W, s.K, s.stride, 0);
    for (int p = 0; p < s.planes; p++, dx += s.H * s.W)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++) {
                float share = *dy++ / (float)(s.K * s.K);
                for (int k = 0; k < s.K; k++)
                    for (int l = 0; l < s.K; l++)
                        dx[(i * s.stride + k) * s.W + j * s.stride + l] += share;
            }
    // end avg_pool_backward
}

// ---- batch normalization ----

void cnn_batch_norm(float *y, float *mean, float *rstd, float *running_mean, float *running_var,
                    const float *x, const float *gamma, const float *shift, CnnNorm s)
{
    // solution batch_norm
    int n = s.B * s.P;
    for (int c = 0; c < s.C; c++) {
        double sum = 0, squares = 0;
        for (int b = 0; b < s.B; b++)
            for (int p = 0; p < s.P; p++) sum += (double)x[(b * s.C + c) * s.P + p];
        double m = sum / n;
        for (int b = 0; b < s.B; b++)
            for (int p = 0; p < s.P; p++) {
                double d = (double)x[(b * s.C + c) * s.P + p] - m;
                squares += d * d;
            }
        double r = 1 / sqrt(squares / n + (double)s.eps);
        for (int b = 0; b < s.B; b++)
            for (int p = 0; p < s.P; p++) {
                int i = (b * s.C + c) * s.P + p;
                y[i] = (float)((double)gamma[c] * ((double)x[i] - m) * r + (double)shift[c]);
            }
        mean[c] = (float)m;
        rstd[c] = (float)r;
        running_mean[c] += s.momentum * (mean[c] - running_mean[c]);
        if (n > 1) running_var[c] += s.momentum * ((float)(squares / (n - 1)) - running_var[c]);
    }
    // end batch_norm
}

void cnn_batch_norm_inference(float *y, const float *x, const float *running_mean,
                              const float *running_var, const float *gamma, const float *shift,
                              CnnNorm s)
{
    // solution batch_norm_inference
    for (int i = 0; i < s.B * s.C * s.P; i++) {
        int c = i / s.P % s.C;
        y[i] = gamma[c] * (x[i] - running_mean[c]) / sqrtf(running_var[c] + s.eps) + shift[c];
    }
    // end batch_norm_inference
}

void cnn_batch_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                             const float *x, const float *mean, const float *rstd,
                             const float *gamma, CnnNorm s)
{
    // solution batch_norm_backward
    int n = s.B * s.P;
    for (int c = 0; c < s.C; c++) {
        double dy_sum = 0, dy_x_sum = 0, r = (double)rstd[c];
        for (int b = 0; b < s.B; b++)
            for (int p = 0; p < s.P; p++) {
                int i = (b * s.C + c) * s.P + p;
                dy_sum += (double)dy[i];
                dy_x_sum += (double)dy[i] * (double)(x[i] - mean[c]) * r;
            }
        for (int b = 0; b < s.B; b++)
            for (int p = 0; p < s.P; p++) {
                int i = (b * s.C + c) * s.P + p;
                double x_hat = (double)(x[i] - mean[c]) * r;
                double centered = (double)dy[i] - dy_sum / n - x_hat * dy_x_sum / n;
                dx[i] += (float)((double)gamma[c] * r * centered);
            }
        dshift[c] += (float)dy_sum;
        dgamma[c] += (float)dy_x_sum;
    }
    // end batch_norm_backward
}

// ---- dropout ----

void cnn_dropout(float *y, float *mask, const float *x, size_t n, float p, Rng *rng)
{
    // solution dropout
    for (size_t i = 0; i < n; i++) {
        bool dropped = rng_uniform(rng) < p;
        mask[i] = dropped ? 0 : 1 / (1 - p);
        y[i] = dropped ? 0 : x[i] * mask[i];
    }
    // end dropout
}

void cnn_dropout_backward(float *dx, const float *dy, const float *mask, size_t n)
{
    // solution dropout_backward
    for (size_t i = 0; i < n; i++)
        if (mask[i] != 0) dx[i] += dy[i] * mask[i];
    // end dropout_backward
}

// ---- the loss ----

float cnn_cross_entropy(float *dz, const float *z, const int32_t *labels, int B, int K)
{
    // solution cross_entropy
    double loss = 0;
    for (int b = 0; b < B; b++, z += K, dz += K) {
        double max = (double)z[0], sum = 0;
        for (int k = 1; k < K; k++) max = fmax(max, (double)z[k]);
        for (int k = 0; k < K; k++) sum += exp((double)z[k] - max);
        for (int k = 0; k < K; k++) {
            double p = exp((double)z[k] - max) / sum;
            dz[k] = (float)((p - (k == labels[b])) / B);
        }
        loss += log(sum) + (max - (double)z[labels[b]]);
    }
    return (float)(loss / B);
    // end cross_entropy
}

// ---- the end of a residual block ----

void cnn_residual(float *y, const float *f, const float *x, size_t n)
{
    // solution residual
    for (size_t i = 0; i < n; i++) {
        float sum = f[i] + x[i];
        y[i] = sum <= 0 ? 0 : sum;    // and not sum > 0 ? sum : 0, which makes 0 of a NaN
    }
    // end residual
}

void cnn_residual_backward(float *df, float *dx, const float *dy, const float *y, size_t n)
{
    // solution residual_backward
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0) {
            df[i] += dy[i];
            dx[i] += dy[i];
        }
    // end residual_backward
}
