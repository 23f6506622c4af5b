/* attention.c -- attention as the plainest loops that are right: a score is computed wherever it is needed, and
 * what a query does not see is never read.
 */
#include "kernels/ref/ref.h"
#include <tgmath.h>

enum { PART = 64 };    // floats of a head that are summed at once

// Where head h of a token begins; `tokens` are those of an item of the batch.
static size_t place(int item, int tokens, int token, size_t row, int h, AttentionShape s)
{
    return ((size_t)item * (size_t)tokens + (size_t)token) * row + (size_t)h * (size_t)s.head;
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

// One query of one head, and the keys and values of its item and its group.
typedef struct Query {
    const float *q, *k, *v;
    int seen;
    AttentionShape s;
} Query;

static Query query_of(const float *q, const float *k, const float *v, int item, int h, int i,
                      AttentionShape s)
{
    const int group = h / (s.heads / s.kv_heads);
    return (Query){q + place(item, s.queries, i, s.q_row, h, s),
                   k + place(item, s.keys, 0, s.k_row, group, s),
                   v + place(item, s.keys, 0, s.v_row, group, s), attention_seen(i, s), s};
}

static double score(const Query *x, int j)
{
    return x->s.scale * dot(x->q, x->k + (size_t)j * x->s.k_row, x->s.head);
}

// log sum_j exp(score[j] - shift), where shift is the largest score; -inf where the query sees nothing.
static double log_sum(double *shift, const Query *x)
{
    double max = -INFINITY, sum = 0;
    for (int j = 0; j < x->seen; j++) max = score(x, j) > max ? score(x, j) : max;
    // A NaN is no maximum, but the exp of it makes the sum NaN.
    *shift = max == -INFINITY ? 0 : max;
    for (int j = 0; j < x->seen; j++) sum += exp(score(x, j) - *shift);
    return log(sum);
}

// The shift first: beside 1e30 the log is lost.
static double weight(const Query *x, int j, double shift, double log_sum)
{
    return shift + log_sum == -INFINITY ? 0 : exp(score(x, j) - shift - log_sum);
}

void ref_attention(float *y, float *lse, const float *q, const float *k, const float *v,
                   AttentionShape s)
{
    for (int item = 0; item < s.batch; item++)
        for (int h = 0; h < s.heads; h++)
            for (int i = 0; i < s.queries; i++) {
                const Query x = query_of(q, k, v, item, h, i, s);
                double shift;
                const double total = log_sum(&shift, &x);
                float *out = y + place(item, s.queries, i, s.y_row, h, s);
                for (int first = 0; first < s.head; first += PART) {
                    const int count = s.head - first < PART ? s.head - first : PART;
                    double sum[PART] = {0};
                    for (int j = 0; j < x.seen && total != -INFINITY; j++) {
                        const double p = weight(&x, j, shift, total);
                        for (int d = 0; d < count; d++)
                            sum[d] += p * x.v[(size_t)j * s.v_row + (size_t)(first + d)];
                    }
                    for (int d = 0; d < count; d++) out[first + d] = (float)sum[d];
                }
                if (lse != NULL) *lse++ = (float)(shift + total);
            }
}

// ---- backward

// What backward needs of a query.
typedef struct Output {
    const float *y, *dy;
    double lse;
} Output;

static Output output_of(const float *y, const float *dy, const float *lse, int item, int h, int i,
                        AttentionShape s)
{
    const size_t at = place(item, s.queries, i, s.y_row, h, s);
    return (Output){y + at, dy + at, lse[(item * s.heads + h) * s.queries + i]};
}

// d(loss)/d(score), of which softmax' own share is p (dp - sum p dp), and sum p dp = dy y.
static double score_gradient(const Query *x, const Output *out, int j)
{
    const double dp = dot(out->dy, x->v + (size_t)j * x->s.v_row, x->s.head);
    return weight(x, j, out->lse, 0) * (dp - dot(out->dy, out->y, x->s.head));
}

static void add_times(double *sum, double factor, const float *x, int count)
{
    for (int d = 0; d < count; d++) sum[d] += factor * x[d];
}

static void store(float *out, float beta, const double *sum, int count)
{
    for (int d = 0; d < count; d++) out[d] = blend(beta, &out[d], sum[d]);
}

// dq of one query, floats first .. first + count - 1 of its head.
static void query_gradient(float *dq, const Query *x, const Output *out, int first, int count,
                           float beta)
{
    double sum[PART] = {0};
    for (int j = 0; j < x->seen; j++)
        add_times(sum, x->s.scale * score_gradient(x, out, j),
                  x->k + (size_t)j * x->s.k_row + first, count);
    store(dq, beta, sum, count);
}

void ref_attention_backward(float *dq, float *dk, float *dv, const float *dy, const float *y,
                            const float *lse, const float *q, const float *k, const float *v,
                            float beta, AttentionShape s)
{
    for (int item = 0; item < s.batch; item++)
        for (int first = 0; first < s.head; first += PART) {
            const int count = s.head - first < PART ? s.head - first : PART;
            for (int h = 0; h < s.heads; h++)
                for (int i = 0; i < s.queries; i++) {
                    const Query x = query_of(q, k, v, item, h, i, s);
                    const Output out = output_of(y, dy, lse, item, h, i, s);
                    query_gradient(dq + place(item, s.queries, i, s.q_row, h, s) + first, &x, &out,
                                   first, count, beta);
                }
            for (int group = 0; group < s.kv_heads; group++)
                for (int j = 0; j < s.keys; j++) {
                    double key[PART] = {0}, value[PART] = {0};
                    for (int h = group * (s.heads / s.kv_heads);
                         h < (group + 1) * (s.heads / s.kv_heads); h++)
                        for (int i = 0; i < s.queries; i++) {
                            const Query x = query_of(q, k, v, item, h, i, s);
                            const Output out = output_of(y, dy, lse, item, h, i, s);
                            if (j >= x.seen) continue;
                            add_times(key, s.scale * score_gradient(&x, &out, j), x.q + first,
                                      count);
                            add_times(value, weight(&x, j, out.lse, 0), out.dy + first, count);
                        }
                    store(dk + place(item, s.keys, j, s.k_row, group, s) + first, beta, key, count);
                    store(dv + place(item, s.keys, j, s.v_row, group, s) + first, beta, value,
                          count);
                }
        }
}
