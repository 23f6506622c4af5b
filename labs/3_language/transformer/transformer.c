/* transformer.c -- the mathematics of the lab; transformer.h says what each function promises. */
#include "labs/3_language/transformer/transformer.h"
#include <math.h>
#include <string.h>
#include "kernels/kernels.h"

// ---- tokens and positions ----

void tf_embedding(float *y, const int32_t *ids, const float *tokens, const float *positions, int B,
                  int T, int C)
{
    // solution embedding
    for (int n = 0; n < B * T; n++) {
        const float *token = tokens + ids[n] * C;
        for (int c = 0; c < C; c++)
            *y++ = token[c] + (positions != NULL ? positions[n % T * C + c] : 0);
    }
    // end embedding
}

void tf_embedding_backward(float *dtokens, float *dpositions, const float *dy, const int32_t *ids,
                           int B, int T, int C)
{
    // solution embedding_backward
    for (int n = 0; n < B * T; n++) {
        float *dtoken = dtokens + ids[n] * C;
        for (int c = 0; c < C; c++) {
            dtoken[c] += dy[n * C + c];
            if (dpositions != NULL) dpositions[n % T * C + c] += dy[n * C + c];
        }
    }
    // end embedding_backward
}

// ---- attention, one head ----

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

void tf_attention(float *y, float *p, const float *q, const float *k, const float *v, TfAttention s)
{
    // solution attention
    for (int i = 0; i < s.T; i++, q += s.D, y += s.D, p += s.S) {
        int seen = s.S - s.T + i + 1;
        double max = -INFINITY, total = 0;
        for (int j = 0; j < seen; j++) {
            p[j] = (float)(dot(q, k + j * s.D, s.D) / sqrt(s.D));
            max = fmax(max, (double)p[j]);
        }
        for (int j = 0; j < seen; j++) total += exp((double)p[j] - max);
        for (int j = 0; j < s.S; j++)
            p[j] = j < seen ? (float)(exp((double)p[j] - max) / total) : 0;
        for (int d = 0; d < s.D; d++) {
            double sum = 0;
            for (int j = 0; j < seen; j++) sum += (double)p[j] * (double)v[j * s.D + d];
            y[d] = (float)sum;
        }
    }
    // end attention
}

void tf_attention_backward(float *dq, float *dk, float *dv, const float *dy, const float *p,
                           const float *q, const float *k, const float *v, TfAttention s)
{
    // solution attention_backward
    double scale = 1 / sqrt(s.D);
    for (int i = 0; i < s.T; i++, dq += s.D, dy += s.D, q += s.D, p += s.S) {
        int seen = s.S - s.T + i + 1;
        double mean = 0;
        for (int j = 0; j < seen; j++) mean += (double)p[j] * dot(dy, v + j * s.D, s.D);
        for (int j = 0; j < seen; j++) {
            double dz = (double)p[j] * (dot(dy, v + j * s.D, s.D) - mean) * scale;
            for (int d = 0; d < s.D; d++) {
                dq[d] += (float)(dz * (double)k[j * s.D + d]);
                dk[j * s.D + d] += (float)(dz * (double)q[d]);
                dv[j * s.D + d] += p[j] * dy[d];
            }
        }
    }
    // end attention_backward
}

// ---- many heads ----

void tf_split_heads(float *heads, const float *x, int T, int H, int D, int row)
{
    // solution split_heads
    for (int h = 0; h < H; h++)
        for (int t = 0; t < T; t++)
            for (int i = 0; i < D; i++) *heads++ = x[t * row + h * D + i];
    // end split_heads
}

void tf_merge_heads(float *x, const float *heads, int T, int H, int D, int row)
{
    // solution merge_heads
    for (int h = 0; h < H; h++)
        for (int t = 0; t < T; t++)
            for (int i = 0; i < D; i++) x[t * row + h * D + i] = *heads++;
    // end merge_heads
}

void tf_multi_head(float *y, float *p, const float *qkv, float *room, TfHeads s)
{
    // solution multi_head
    int head = s.T * s.D, row = (s.H + 2 * s.KV) * s.D;
    float *q = room, *k = q + s.H * head, *v = k + s.KV * head, *out = v + s.KV * head;
    tf_split_heads(q, qkv, s.T, s.H, s.D, row);
    tf_split_heads(k, qkv + s.H * s.D, s.T, s.KV, s.D, row);
    tf_split_heads(v, qkv + (s.H + s.KV) * s.D, s.T, s.KV, s.D, row);
    for (int h = 0; h < s.H; h++) {
        // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there is a head of keys
        int shared = h / (s.H / s.KV);
        tf_attention(out + h * head, p + h * s.T * s.T, q + h * head, k + shared * head,
                     v + shared * head, (TfAttention){s.T, s.T, s.D});
    }
    tf_merge_heads(y, out, s.T, s.H, s.D, s.H * s.D);
    // end multi_head
}

// ---- normalization ----

void tf_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                   const float *shift, int N, int C, float eps)
{
    // solution layer_norm
    for (int n = 0; n < N; n++, x += C, y += C) {
        double sum = 0, squares = 0;
        for (int c = 0; c < C; c++) sum += (double)x[c];
        double m = sum / C;
        for (int c = 0; c < C; c++) squares += ((double)x[c] - m) * ((double)x[c] - m);
        double r = 1 / sqrt(squares / C + (double)eps);
        for (int c = 0; c < C; c++)
            y[c] = (float)((double)gamma[c] * ((double)x[c] - m) * r + (double)shift[c]);
        mean[n] = (float)m;
        rstd[n] = (float)r;
    }
    // end layer_norm
}

void tf_layer_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                            const float *x, const float *mean, const float *rstd,
                            const float *gamma, int N, int C)
{
    // solution layer_norm_backward
    for (int n = 0; n < N; n++, dx += C, dy += C, x += C) {
        double r = (double)rstd[n], g_sum = 0, g_x_sum = 0;
        for (int c = 0; c < C; c++) {
            double x_hat = (double)(x[c] - mean[n]) * r;
            g_sum += (double)gamma[c] * (double)dy[c];
            g_x_sum += (double)gamma[c] * (double)dy[c] * x_hat;
            dshift[c] += dy[c];
            dgamma[c] += (float)((double)dy[c] * x_hat);
        }
        for (int c = 0; c < C; c++) {
            double x_hat = (double)(x[c] - mean[n]) * r, g = (double)gamma[c] * (double)dy[c];
            dx[c] += (float)(r * (g - g_sum / C - x_hat * g_x_sum / C));
        }
    }
    // end layer_norm_backward
}

void tf_rms_norm(float *y, float *rstd, const float *x, const float *gamma, int N, int C, float eps)
{
    // solution rms_norm
    for (int n = 0; n < N; n++, x += C, y += C) {
        double r = 1 / sqrt(dot(x, x, C) / C + (double)eps);
        for (int c = 0; c < C; c++) y[c] = (float)((double)gamma[c] * (double)x[c] * r);
        rstd[n] = (float)r;
    }
    // end rms_norm
}

void tf_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *x,
                          const float *rstd, const float *gamma, int N, int C)
{
    // solution rms_norm_backward
    for (int n = 0; n < N; n++, dx += C, dy += C, x += C) {
        double r = (double)rstd[n], g_x_sum = 0;
        for (int c = 0; c < C; c++) {
            double along = (double)dy[c] * (double)x[c] * r;
            g_x_sum += (double)gamma[c] * along;
            dgamma[c] += (float)along;
        }
        for (int c = 0; c < C; c++) {
            double g = (double)gamma[c] * (double)dy[c];
            dx[c] += (float)(r * (g - (double)x[c] * r * g_x_sum / C));
        }
    }
    // end rms_norm_backward
}

// ---- positions without a table of parameters ----

void tf_sinusoidal(float *table, int T, int C)
{
    // solution sinusoidal
    for (int t = 0; t < T; t++)
        for (int c = 0; c < C; c += 2) {
            double angle = t / pow(10000, (double)c / C);
            *table++ = (float)sin(angle);
            *table++ = (float)cos(angle);
        }
    // end sinusoidal
}

void tf_rope(float *x, const int32_t *positions, TfRope s)
{
    // solution rope
    int apart = s.layout == TF_INTERLEAVED ? 1 : s.D / 2;    // the two of a pair
    int next = s.layout == TF_INTERLEAVED ? 2 : 1;           // from a pair to the next
    for (int t = 0; t < s.T; t++)
        for (int h = 0; h < s.H; h++)
            for (int i = 0; i < s.D / 2; i++) {
                float *pair = x + t * s.row + h * s.D + i * next;
                double angle = positions[t] / pow((double)s.theta, 2.0 * i / s.D);
                double a = (double)pair[0], b = (double)pair[apart];
                pair[0] = (float)(a * cos(angle) - b * sin(angle));
                pair[apart] = (float)(a * sin(angle) + b * cos(angle));
            }
    // end rope
}

// ---- the feed-forward block ----

void tf_gelu(float *y, const float *x, size_t n)
{
    // solution gelu
    double root = sqrt(2 / acos(-1));
    for (size_t i = 0; i < n; i++) {
        double z = (double)x[i];
        y[i] = (float)(z / 2 * (1 + tanh(root * (z + 0.044715 * z * z * z))));
    }
    // end gelu
}

void tf_gelu_backward(float *dx, const float *dy, const float *x, size_t n)
{
    // solution gelu_backward
    double root = sqrt(2 / acos(-1));
    for (size_t i = 0; i < n; i++) {
        double z = (double)x[i], t = tanh(root * (z + 0.044715 * z * z * z));
        double inner = root * (1 + 3 * 0.044715 * z * z);
        dx[i] += (float)((double)dy[i] * ((1 + t) / 2 + z / 2 * (1 - t * t) * inner));
    }
    // end gelu_backward
}

void tf_swiglu(float *y, const float *gate_up, int N, int F)
{
    // solution swiglu
    for (int n = 0; n < N; n++, gate_up += 2 * F)
        for (int f = 0; f < F; f++) {
            double gate = (double)gate_up[f], up = (double)gate_up[F + f];
            *y++ = (float)(gate / (1 + exp(-gate)) * up);
        }
    // end swiglu
}

void tf_swiglu_backward(float *dgate_up, const float *dy, const float *gate_up, int N, int F)
{
    // solution swiglu_backward
    for (int n = 0; n < N; n++, gate_up += 2 * F, dgate_up += 2 * F)
        for (int f = 0; f < F; f++) {
            double gate = (double)gate_up[f], up = (double)gate_up[F + f], d = (double)*dy++;
            double sigmoid = 1 / (1 + exp(-gate));
            dgate_up[f] += (float)(d * up * sigmoid * (1 + gate * (1 - sigmoid)));
            dgate_up[F + f] += (float)(d * gate * sigmoid);
        }
    // end swiglu_backward
}

// y = x w^T + bias    x [N,in], w [out,in], y [N,out]; a NULL bias is 0
static void linear(float *y, const float *x, const float *w, const float *bias, int N, int out,
                   int in)
{
    matmul_nt(y, x, w, N, out, in, 0);
    for (int i = 0; i < N * out && bias != NULL; i++) y[i] += bias[i % out];
}

void tf_feed_forward(float *y, const float *x, float *room, int N, const TfFeedForward *w)
{
    // solution feed_forward
    float *active = room, *hidden = room + N * w->F;
    linear(hidden, x, w->up, w->up_bias, N, w->gated ? 2 * w->F : w->F, w->C);
    if (w->gated) tf_swiglu(active, hidden, N, w->F);
    else tf_gelu(active, hidden, (size_t)N * (size_t)w->F);
    linear(y, active, w->down, w->down_bias, N, w->C, w->F);
    // end feed_forward
}

// ---- a layer of the model ----

// LayerNorm, or RMSNorm without a shift; room: 2 N floats.
static void norm(float *y, const float *x, const float *gamma, const float *shift, float *room,
                 int N, int C, float eps)
{
    if (shift != NULL) tf_layer_norm(y, room, room + N, x, gamma, shift, N, C, eps);
    else tf_rms_norm(y, room, x, gamma, N, C, eps);
}

void tf_block(float *y, const float *x, float *room, const TfBlock *w)
{
    // solution block
    TfHeads s = w->heads;
    int T = s.T, C = w->feed_forward.C, row = (s.H + 2 * s.KV) * s.D;
    float *normed = room, *branch = normed + T * C, *h = branch + T * C, *qkv = h + T * C;
    float *heads = qkv + T * row, *p = heads + T * s.H * s.D, *rest = p + s.H * T * T;

    norm(normed, x, w->gamma1, w->shift1, rest, T, C, w->eps);
    linear(qkv, normed, w->qkv, w->qkv_bias, T, row, C);
    for (int32_t t = 0; t < T && w->theta > 0; t++)
        tf_rope(qkv + t * row, &t, (TfRope){1, s.H + s.KV, s.D, row, w->theta, w->layout});
    tf_multi_head(heads, p, qkv, rest, s);
    linear(branch, heads, w->out, w->out_bias, T, C, s.H * s.D);
    for (int i = 0; i < T * C; i++) h[i] = x[i] + branch[i];

    norm(normed, h, w->gamma2, w->shift2, rest, T, C, w->eps);
    tf_feed_forward(branch, normed, rest, T, &w->feed_forward);
    for (int i = 0; i < T * C; i++) y[i] = h[i] + branch[i];
    // end block
}

// ---- training ----

float tf_cross_entropy(float *dz, const float *z, const int32_t *labels, int N, int V)
{
    // solution cross_entropy
    int M = 0;
    for (int n = 0; n < N; n++) M += labels[n] >= 0;
    double loss = 0;
    for (int n = 0; n < N; n++, z += V, dz += V) {
        double max = -INFINITY, sum = 0;
        for (int k = 0; k < V; k++) max = fmax(max, (double)z[k]);
        for (int k = 0; k < V; k++) sum += exp((double)z[k] - max);
        for (int k = 0; k < V; k++) {
            double p = exp((double)z[k] - max) / sum;
            dz[k] = labels[n] < 0 ? 0 : (float)((p - (k == labels[n])) / M);
        }
        if (labels[n] >= 0) loss += log(sum) + max - (double)z[labels[n]];
    }
    return M > 0 ? (float)(loss / M) : 0;
    // end cross_entropy
}

void tf_adamw(float *p, float *m, float *v, const float *g, size_t n, TfAdamW s)
{
    // solution adamw
    double beta1 = (double)s.beta1, beta2 = (double)s.beta2;
    double correction1 = 1 - pow(beta1, (double)s.step);
    double correction2 = 1 - pow(beta2, (double)s.step);
    for (size_t i = 0; i < n; i++) {
        double gradient = (double)g[i];
        double first = beta1 * (double)m[i] + (1 - beta1) * gradient;
        double second = beta2 * (double)v[i] + (1 - beta2) * gradient * gradient;
        double direction = first / correction1 / (sqrt(second / correction2) + (double)s.eps);
        p[i] -= (float)((double)s.rate * (direction + (double)s.decay * (double)p[i]));
        m[i] = (float)first;
        v[i] = (float)second;
    }
    // end adamw
}

float tf_schedule(int64_t step, TfSchedule s)
{
    // solution schedule
    if (step < s.warmup) return (float)((double)s.peak * (double)(step + 1) / (double)s.warmup);
    double done = fmin((double)(step - s.warmup) / (double)(s.total - s.warmup), 1);
    double left = (1 + cos(acos(-1) * done)) / 2;
    return (float)((double)s.floor + ((double)s.peak - (double)s.floor) * left);
    // end schedule
}

// ---- sampling ----

// The most probable token, of equal ones the first.
static int largest(const float *p, int V)
{
    int best = 0;
    for (int i = 1; i < V; i++)
        if (p[i] > p[best]) best = i;
    return best;
}

void tf_temperature(float *p, const float *z, int V, float temperature)
{
    // solution temperature
    int best = largest(z, V);
    double sum = 0;
    for (int i = 0; i < V && temperature > 0; i++)
        sum += exp(((double)z[i] - (double)z[best]) / (double)temperature);
    for (int i = 0; i < V; i++)
        if (temperature > 0)
            p[i] = (float)(exp(((double)z[i] - (double)z[best]) / (double)temperature) / sum);
        else p[i] = i == best;
    // end temperature
}

// Of marked tokens p is negative: they are kept, divided by their sum, and the others are 0.
static void keep_marked(float *p, int V, double sum)
{
    for (int i = 0; i < V; i++) p[i] = p[i] < 0 ? (float)(-(double)p[i] / sum) : 0;
}

void tf_top_k(float *p, int V, int k)
{
    // solution top_k
    if (k < 1 || k >= V) return;
    double sum = 0;
    for (; k > 0; k--) {
        int best = largest(p, V);
        if (p[best] <= 0) break;
        sum += (double)p[best];
        p[best] = -p[best];
    }
    keep_marked(p, V, sum);
    // end top_k
}

void tf_top_p(float *p, int V, float mass)
{
    // solution top_p
    if (mass >= 1) return;
    double sum = 0;
    while (sum < (double)mass) {
        int best = largest(p, V);
        if (p[best] <= 0) break;
        sum += (double)p[best];
        p[best] = -p[best];
    }
    keep_marked(p, V, sum);
    // end top_p
}

int tf_sample(const float *p, int V, float u)
{
    // solution sample
    double sum = 0;
    int last = 0;
    for (int i = 0; i < V; i++) {
        sum += (double)p[i];
        if (sum > (double)u) return i;
        if (p[i] > 0) last = i;
    }
    return last;
    // end sample
}

// ---- the key-value cache ----

void tf_cache_step(float *y, float *k_cache, float *v_cache, const float *qkv, float *room,
                   int past, TfHeads s)
{
    // solution cache_step
    int row = s.KV * s.D;
    memcpy(k_cache + past * row, qkv + s.H * s.D, sizeof(float) * (size_t)row);
    memcpy(v_cache + past * row, qkv + (s.H + s.KV) * s.D, sizeof(float) * (size_t)row);
    for (int h = 0; h < s.H; h++, qkv += s.D, y += s.D) {
        const float *k = k_cache + h / (s.H / s.KV) * s.D, *v = v_cache + h / (s.H / s.KV) * s.D;
        double max = -INFINITY, total = 0;
        for (int j = 0; j <= past; j++) {
            room[j] = (float)(dot(qkv, k + j * row, s.D) / sqrt(s.D));
            max = fmax(max, (double)room[j]);
        }
        for (int j = 0; j <= past; j++) total += exp((double)room[j] - max);
        for (int j = 0; j <= past; j++) room[j] = (float)(exp((double)room[j] - max) / total);
        for (int d = 0; d < s.D; d++) {
            double sum = 0;
            for (int j = 0; j <= past; j++) sum += (double)room[j] * (double)v[j * row + d];
            y[d] = (float)sum;
        }
    }
    // end cache_step
}
